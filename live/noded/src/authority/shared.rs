//! An authority's state: whom it knows, the newest list, what it signed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use warren_crypto::ed25519::{SigningKey, VerifyingKey};
use warren_node::consensus::{Ballots, Ledger, Slot, Terms, examine};
use warren_node::listing::Published;
use warren_node::reachability::Observations;
use warren_transport::Endpoint;
use warren_transport::endpoint::parse_url;
use warren_wire::directory::{
    Announced, DirectoryKeys, ListError, ListSignature, NodeRecord, Proposal, UnverifiedDescriptor,
    UnverifiedList, UnverifiedVote, VerifiedList,
};

use super::files::Files;
use super::{AuthorityError, Settings};
use crate::bodies::Bodies;
use crate::limits::network::Network;
use crate::node::now;

/// How many bytes of requests are in memory at once.
const ROOM_BYTES: usize = 256 * 1024 * 1024;
/// How many nodes that have just announced themselves are tried at once.
const EAGER_TRIES: usize = 16;
/// By so many bytes of its address the sender of an announcement is told from others: all of an IPv4
/// address, and the /48 of IPv6 that one customer gets.
const SENDER_BYTES: usize = 6;

/// Another authority, and the connections to it.
pub(super) struct Peer {
    pub(super) key: VerifyingKey,
    pub(super) endpoint: Endpoint,
}

/// What an authority's tasks share.
pub(super) struct Shared {
    key: SigningKey,
    pub(super) keys: DirectoryKeys,
    pub(super) terms: Terms,
    pub(super) peers: Vec<Peer>,
    pub(super) bodies: Bodies,
    pub(super) eager_tries: Arc<Semaphore>,
    /// Held by who examines a proposal.
    pub(super) examination: Arc<Semaphore>,
    /// Held by who takes a list that another authority brings.
    pub(super) taking: Arc<Semaphore>,
    files: Files,
    state: Mutex<State>,
}

struct State {
    nodes: Observations,
    ledger: Ledger,
    newest: Option<VerifiedList>,
    published: Arc<Published>,
    ballots: Ballots,
}

impl Shared {
    pub(super) fn open(settings: &Settings) -> Result<Self, AuthorityError> {
        let files = Files::open(&settings.data)?;
        let key = files.key()?;
        let mut all: Vec<VerifyingKey> = settings.others.iter().map(|other| other.key).collect();
        all.push(key.verifying_key());
        let (count, least) = (all.len(), all.len() / 2 + 1);
        let threshold = settings.threshold.unwrap_or(least);
        if threshold < least {
            return Err(AuthorityError::NoMajority { threshold, count, least });
        }
        let keys = DirectoryKeys::new(all, threshold)?;
        let stored = files.list(&keys)?;
        let newest = stored.as_ref().map(|(list, _)| list.clone());
        let published =
            stored.map_or_else(Published::none, |(list, signed)| Published::new(list, signed));
        let mut nodes = Observations::new(settings.terms.private_addresses);
        // First, so that the nodes of the list are not taken for newcomers.
        nodes.follow(&published.list, now());
        for signed in files.descriptors()? {
            // Those that have grown too old meanwhile are not worth a word.
            if let Ok(descriptor) = signed.verify() {
                let _ = nodes.announce(&descriptor, signed, None, now());
            }
        }
        let peers = settings.others.iter().map(|other| {
            let url =
                parse_url(&other.url).map_err(|_| warren_transport::TransportError::Unreachable)?;
            Ok(Peer { key: other.key, endpoint: Endpoint::new(url)? })
        });
        let peers = peers.collect::<Result<Vec<_>, AuthorityError>>()?;
        let state = State {
            nodes,
            ledger: files.ledger()?,
            newest,
            published: Arc::new(published),
            ballots: files.ballots()?,
        };
        Ok(Self {
            key,
            keys,
            terms: settings.terms,
            peers,
            bodies: Bodies::new(ROOM_BYTES),
            eager_tries: Arc::new(Semaphore::new(EAGER_TRIES)),
            examination: Arc::new(Semaphore::new(1)),
            taking: Arc::new(Semaphore::new(1)),
            files,
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn own_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    pub(super) fn own_key_hex(&self) -> String {
        hex::encode(self.own_key().as_bytes())
    }

    pub(super) const fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// The newest list in the form that is served.
    pub(super) fn published(&self) -> Arc<Published> {
        Arc::clone(&self.state().published)
    }

    pub(super) fn newest(&self) -> Option<VerifiedList> {
        self.state().newest.clone()
    }

    /// Takes an announcement, which came from `sender`.
    pub(super) fn announce(
        &self,
        signed: UnverifiedDescriptor,
        sender: Option<Network>,
    ) -> Result<(Announced, NodeRecord), AuthorityError> {
        let descriptor = signed.verify()?;
        let mut state = self.state();
        let sender = sender.map(|network| {
            let mut bytes = network.to_bytes();
            bytes.truncate(SENDER_BYTES);
            bytes
        });
        let standing = state.nodes.announce(&descriptor, signed, sender.as_deref(), now())?;
        let announced = Announced {
            standing,
            listed: state.published.list.get(&descriptor.id).is_some(),
            interval: self.terms.interval,
            sequence: state.published.header.map_or(0, |header| header.sequence),
        };
        Ok((announced, descriptor.record(warren_wire::swarm::INVALID_SWARM)))
    }

    /// Takes nodes up without trying them.
    pub(super) fn vouch(
        &self,
        nodes: Vec<(UnverifiedDescriptor, NodeRecord)>,
    ) -> Result<(), AuthorityError> {
        for (signed, record) in nodes {
            self.announce(signed, None)?;
            self.note(&record, true);
        }
        Ok(())
    }

    /// Whom to try over and over.
    pub(super) fn to_try(&self) -> Vec<NodeRecord> {
        self.state().nodes.to_try()
    }

    /// Whom to try once.
    pub(super) fn newcomers(&self) -> Vec<NodeRecord> {
        self.state().nodes.newcomers()
    }

    /// Notes whether a node was there.
    pub(super) fn note(&self, tried: &NodeRecord, reached: bool) {
        let mut state = self.state();
        let before = state.nodes.standing(&tried.id);
        state.nodes.note(tried, reached);
        let after = state.nodes.standing(&tried.id);
        if before != after {
            tracing::info!(node = %tried.id, address = %tried.address(), standing = ?after, "node tried");
        }
    }

    /// This authority's vote for a slot, the same however often it is asked for, and after a start in
    /// the same slot: it is on the disk when this returns. `None` where it reaches no node at all.
    pub(super) fn vote(&self, slot: Slot) -> Result<Option<UnverifiedVote>, AuthorityError> {
        let mut state = self.state();
        let State { nodes, published, ballots, .. } = &mut *state;
        let make = || {
            let findings = nodes.findings(&published.list)?;
            UnverifiedVote::sign(slot.sequence(), now(), findings, &self.key).ok()
        };
        ballots.of_slot(slot, make, |all| self.files.save_ballots(all))
    }

    /// Signs a list that follows from its votes, once this is on the disk.
    pub(super) fn sign(&self, proposal: &Proposal) -> Result<ListSignature, AuthorityError> {
        let own = self.newest();
        let examined = examine(proposal, &self.keys, &self.terms, now(), own.as_ref())?;
        if let (Some(list), Some(signed)) = (examined.previous, &proposal.previous) {
            // The one at hand may have the same number and be another: that one stays, and both give
            // way to the list that is signed here.
            let _ = self.adopt(list, signed.clone());
        }
        self.sign_list(&examined.list, &proposal.list)
    }

    /// Signs a list's text, once this is on the disk.
    pub(super) fn sign_list(
        &self,
        list: &VerifiedList,
        text: &str,
    ) -> Result<ListSignature, AuthorityError> {
        let mut state = self.state();
        let ledger = state.ledger.permit(list)?;
        if ledger != state.ledger {
            self.files.save_ledger(&ledger)?;
            state.ledger = ledger;
        }
        drop(state);
        Ok(ListSignature::sign(text, &self.key)?)
    }

    /// Goes by a list from here on, where it is newer than the one before.
    ///
    /// # Errors
    /// Where it is older, another one of the same number, or the disk fails.
    pub(super) fn adopt(
        &self,
        list: VerifiedList,
        signed: UnverifiedList,
    ) -> Result<(), AuthorityError> {
        let mut state = self.state();
        if let Some(newest) = &state.newest {
            if newest.header.hash == list.header.hash {
                return Ok(());
            }
            if let Err(error) = list.header.check_follows(&newest.header) {
                if error == ListError::Conflict {
                    self.report_conflict(&state.published, &signed, list.header.sequence);
                }
                return Err(error.into());
            }
        }
        self.files.save_list(&signed)?;
        tracing::info!(
            sequence = list.header.sequence,
            nodes = list.nodes.nodes().len(),
            signatures = signed.signatures.len(),
            "new list"
        );
        state.nodes.follow(&list.nodes, now());
        state.newest = Some(list.clone());
        state.published = Arc::new(Published::new(list, signed));
        let descriptors = state.nodes.descriptors();
        drop(state);
        self.files.save_descriptors(&descriptors)
    }

    /// Two lists of one number: whoever signed both lies.
    fn report_conflict(&self, known: &Published, other: &UnverifiedList, sequence: u64) {
        let signers = |list: &UnverifiedList| -> Vec<VerifyingKey> {
            let verified = list.signatures.iter();
            verified.filter_map(|signature| signature.verify(&list.list, &self.keys).ok()).collect()
        };
        let known = known.signed.as_ref().map(signers).unwrap_or_default();
        for key in signers(other).into_iter().filter(|key| known.contains(key)) {
            let key = hex::encode(key.as_bytes());
            tracing::error!(
                authority = key,
                sequence,
                "an authority signed two lists of one number"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::path::Path;

    use warren_wire::directory::Roles;
    use warren_wire::swarm::INVALID_SWARM;

    use super::*;
    use crate::Identity;

    fn open(folder: &Path) -> Shared {
        let settings = Settings::alone(folder.to_owned(), (Ipv4Addr::LOCALHOST, 0).into());
        Shared::open(&settings).unwrap()
    }

    /// A node that was reached.
    fn add(shared: &Shared, folder: &Path) {
        let identity = Identity::load_or_create(folder).unwrap();
        let ip = [9, 9, 9, 9].into();
        let signed = identity.descriptor(ip, 1, Roles::default(), now()).unwrap();
        shared.vouch(vec![(signed, identity.record(ip, 1, INVALID_SWARM))]).unwrap();
    }

    #[test]
    fn one_vote_is_signed_for_a_slot_through_a_restart() {
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let [own, first, second] = folders.each_ref().map(|folder| folder.path());
        let authority = open(own);
        let slot = authority.terms.slot(now());
        assert!(authority.vote(slot).unwrap().is_none(), "it reaches nobody");
        add(&authority, first);
        let vote = authority.vote(slot).unwrap().unwrap();
        drop(authority);

        let authority = open(own);
        add(&authority, second);
        assert_eq!(authority.vote(slot).unwrap(), Some(vote.clone()));
        let next = authority.terms.slot(authority.terms.next(slot.begins));
        assert_ne!(authority.vote(next).unwrap().unwrap().vote, vote.vote);
    }

    #[test]
    fn a_vote_that_the_disk_does_not_take_stays_here() {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let [own, node] = folders.each_ref().map(|folder| folder.path());
        let authority = open(own);
        add(&authority, node);
        let slot = authority.terms.slot(now());
        std::fs::create_dir(own.join("votes.json")).unwrap();
        assert!(matches!(authority.vote(slot), Err(AuthorityError::Io { .. })));
        std::fs::remove_dir(own.join("votes.json")).unwrap();
        assert!(authority.vote(slot).unwrap().is_some());
    }
}
