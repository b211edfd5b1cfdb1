//! How k of n authorities come to one list: when, by whom, from which votes, and what may be signed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use warren_crypto::ed25519::VerifyingKey;
use warren_wire::directory::keys::MAX_AUTHORITIES;
use warren_wire::directory::{
    Descriptor, DirectoryKeys, Finding, ListBody, ListError, ListTimes, NodeRecord, Proposal,
    UnverifiedList, UnverifiedVote, VerifiedList, Vote,
};
use warren_wire::limits::{DAY, SECOND};
use warren_wire::swarm::INVALID_SWARM;
use warren_wire::{Millis, NodeId, SwarmId};

use crate::assignment::assign;
use crate::reachability::{check_keys_and_time, is_public};

/// Why there is no list, or none that may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsensusError {
    /// Not enough authorities voted.
    #[error("{found} of the {needed} votes that a list needs")]
    TooFewVotes {
        /// How many did.
        found: usize,
        /// How many must.
        needed: usize,
    },
    /// A vote for another list.
    #[error("a vote is for another list")]
    ForeignVote,
    /// Nobody was found reachable.
    #[error("the votes leave no node on the list")]
    NoNodes,
    /// Not the slot of now.
    #[error("the list is for another time: are the authorities' clocks and intervals the same?")]
    OtherTime,
    /// Another authority proposes the list of this slot.
    #[error("this list is another authority's to propose: are the clocks and intervals the same?")]
    NotItsTurn,
    /// It rests on an older list than the newest.
    #[error("the list rests on an older one than this authority has")]
    OldPrevious,
    /// Another list of this or a later number was signed already.
    #[error("this authority has already signed another list of this number or a later one")]
    AlreadySigned,
    /// Not what follows from the votes.
    #[error("the list does not follow from its votes: do all authorities have the same settings?")]
    Differs,
    /// A document in it is not to be believed.
    #[error(transparent)]
    List(#[from] ListError),
}

/// How often there is a list, how long it holds and what may be on it. The same for all authorities of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// From one list to the next.
    pub interval: Millis,
    /// After so long clients look for a newer one.
    pub fresh: Millis,
    /// After so long nobody uses it any more.
    pub valid: Millis,
    /// Whether nodes may be at addresses that only some can reach.
    pub private_addresses: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            interval: 600 * SECOND,
            fresh: 2 * 60 * 60 * SECOND,
            valid: 2 * DAY,
            private_addresses: false,
        }
    }
}

/// The time of one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// When it begins.
    pub begins: Millis,
    /// How many there were before it, since 1970.
    index: u64,
}

impl Slot {
    /// The number of its list: seconds since 1970, so that it grows whoever was down.
    pub const fn sequence(&self) -> u64 {
        self.begins / SECOND
    }
}

impl Terms {
    /// The slot that a time lies in. Slots are no shorter than a second.
    pub fn slot(&self, now: Millis) -> Slot {
        let interval = self.interval.max(SECOND) / SECOND * SECOND;
        let index = now / interval;
        Slot { begins: index * interval, index }
    }

    /// When the next slot begins.
    pub fn next(&self, now: Millis) -> Millis {
        self.slot(now).begins.saturating_add(self.interval.max(SECOND) / SECOND * SECOND)
    }

    /// Whether a slot is the one of now, or begins soon by a clock that is ahead.
    fn is_now(&self, slot: Slot, now: Millis) -> bool {
        slot == self.slot(now) || now.abs_diff(slot.begins) <= self.interval / 4
    }

    const fn times(&self, slot: Slot) -> ListTimes {
        ListTimes::starting(slot.begins, self.fresh, self.valid)
    }
}

/// Who proposes the list of a slot: each authority in turn.
pub fn proposer(keys: &DirectoryKeys, slot: Slot) -> Option<&VerifyingKey> {
    let count = u64::try_from(keys.keys().len()).unwrap_or(1).max(1);
    keys.keys().get(usize::try_from(slot.index % count).unwrap_or_default())
}

/// The slot of a list, where it is the one of now and `asker` is the one to propose it: nobody else is
/// given votes or signatures for it.
///
/// # Errors
/// [`ConsensusError::OtherTime`] and [`ConsensusError::NotItsTurn`].
pub fn slot_of_proposer(
    keys: &DirectoryKeys,
    terms: &Terms,
    sequence: u64,
    asker: &VerifyingKey,
    now: Millis,
) -> Result<Slot, ConsensusError> {
    let slots = [terms.slot(now), terms.slot(terms.next(now))];
    let slot = slots.into_iter().find(|slot| slot.sequence() == sequence);
    let slot = slot.filter(|slot| terms.is_now(*slot, now)).ok_or(ConsensusError::OtherTime)?;
    if proposer(keys, slot) == Some(asker) { Ok(slot) } else { Err(ConsensusError::NotItsTurn) }
}

/// The votes that an authority signed of late: one for each slot, however often it is asked for. Kept
/// on its disk before a vote leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballots {
    signed: BTreeMap<u64, UnverifiedVote>,
}

impl Ballots {
    /// How many are kept: slots before the one of now and the next are asked for no more.
    const KEPT: usize = 3;

    /// The vote of a slot. Where there is none yet it is made, and given once `keep` has all of them.
    /// `None` where none can be made, or the slot is older than those that are remembered.
    ///
    /// # Errors
    /// Those of `keep`; then the vote does not count as signed.
    pub fn of_slot<E>(
        &mut self,
        slot: Slot,
        make: impl FnOnce() -> Option<UnverifiedVote>,
        keep: impl FnOnce(&Self) -> Result<(), E>,
    ) -> Result<Option<UnverifiedVote>, E> {
        let sequence = slot.sequence();
        if let Some(signed) = self.signed.get(&sequence) {
            return Ok(Some(signed.clone()));
        }
        let oldest = self.signed.keys().next().copied().unwrap_or_default();
        if self.signed.len() >= Self::KEPT && sequence < oldest {
            return Ok(None);
        }
        let Some(made) = make() else { return Ok(None) };
        let mut signed = self.signed.clone();
        signed.insert(sequence, made.clone());
        while signed.len() > Self::KEPT {
            signed.pop_first();
        }
        let all = Self { signed };
        keep(&all)?;
        *self = all;
        Ok(Some(made))
    }
}

/// The list that follows from the votes and the list before. The same everywhere, in whatever order
/// the votes come; of two by one authority the first counts.
///
/// # Errors
/// Where there are too few votes, one is for another slot, or no node is left.
pub fn derive(
    keys: &DirectoryKeys,
    terms: &Terms,
    slot: Slot,
    previous: Option<&VerifiedList>,
    votes: &[Vote],
) -> Result<ListBody, ConsensusError> {
    let mut counted: BTreeMap<VerifyingKey, &Vote> = BTreeMap::new();
    for vote in votes {
        if vote.sequence != slot.sequence() {
            return Err(ConsensusError::ForeignVote);
        }
        if keys.contains(&vote.authority) {
            counted.entry(vote.authority).or_insert(vote);
        }
    }
    let (found, needed) = (counted.len(), keys.threshold());
    if found < needed {
        return Err(ConsensusError::TooFewVotes { found, needed });
    }
    let votes: Vec<&Vote> = counted.into_values().collect();
    let records = agreed_records(previous, &votes, |found| is_of_slot(found, terms, slot));
    if records.is_empty() {
        return Err(ConsensusError::NoNodes);
    }
    let before = previous.map(|list| {
        list.nodes.nodes().iter().map(|node| (node.id, node.swarm)).collect::<BTreeMap<_, _>>()
    });
    let hash = previous.map(|list| list.header.hash);
    let ids: BTreeSet<NodeId> = records.keys().copied().collect();
    let swarms = assign(&before.unwrap_or_default(), &ids, seed(hash));
    let nodes: Vec<NodeRecord> = records
        .into_iter()
        .map(|(id, record)| NodeRecord {
            swarm: swarms.get(&id).copied().unwrap_or(SwarmId(0)),
            ..record
        })
        .collect();
    Ok(ListBody::new(slot.sequence(), terms.times(slot), hash, &nodes))
}

/// What seeds the generator of the swarms.
fn seed(previous: Option<[u8; 32]>) -> u64 {
    let bytes = previous.as_ref().and_then(|hash| hash.first_chunk());
    bytes.map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

#[derive(Default)]
struct Tally<'a> {
    reached: usize,
    missed: usize,
    descriptors: Vec<&'a Finding>,
}

/// Whether an honest authority could have taken this descriptor, at the latest in this slot, and had
/// it still at its beginning.
fn is_of_slot(found: &Descriptor, terms: &Terms, slot: Slot) -> bool {
    let ends = slot.begins.saturating_add(terms.interval);
    let is_of_time = [slot.begins, ends].iter().any(|at| check_keys_and_time(found, *at).is_ok());
    is_of_time && (terms.private_addresses || is_public(found.ip))
}

/// The nodes that the votes put on the list, with their records; the swarms are not set.
fn agreed_records(
    previous: Option<&VerifiedList>,
    votes: &[&Vote],
    is_sound: impl Fn(&Descriptor) -> bool,
) -> BTreeMap<NodeId, NodeRecord> {
    let mut records: BTreeMap<NodeId, NodeRecord> = BTreeMap::new();
    let mut tallies: BTreeMap<NodeId, Tally<'_>> = BTreeMap::new();
    for finding in votes.iter().flat_map(|vote| &vote.findings) {
        let tally = tallies.entry(finding.node).or_default();
        if finding.reachable {
            tally.reached += 1;
            tally.descriptors.push(finding);
        } else {
            tally.missed += 1;
        }
    }
    let listed = previous.map_or(&[][..], |list| list.nodes.nodes());
    for record in listed {
        let tally = tallies.remove(&record.id).unwrap_or_default();
        if tally.reached >= tally.missed {
            let agreed = agreed_record(&tally.descriptors, votes.len(), &is_sound);
            records.insert(record.id, agreed.unwrap_or_else(|| record.clone()));
        }
    }
    for (id, tally) in tallies {
        if tally.reached * 2 > votes.len()
            && let Some(agreed) = agreed_record(&tally.descriptors, votes.len(), &is_sound)
        {
            records.insert(id, agreed);
        }
    }
    records
}

/// The record that more than half of the votes carry in descriptors which the node did sign. Which of
/// its descriptors is the newest says nothing: one authority alone may hold one back, or have it made
/// for a place that no other has tried.
fn agreed_record(
    findings: &[&Finding],
    votes: usize,
    is_sound: impl Fn(&Descriptor) -> bool,
) -> Option<NodeRecord> {
    let mut carried: Vec<(NodeRecord, usize)> = Vec::new();
    for finding in findings {
        let descriptor = finding.descriptor.as_ref().and_then(|signed| signed.verify().ok());
        let sound = descriptor.filter(|found| found.id == finding.node && is_sound(found));
        let Some(record) = sound.map(|found| found.record(INVALID_SWARM)) else { continue };
        match carried.iter_mut().find(|(other, _)| *other == record) {
            Some((_, count)) => *count += 1,
            None => carried.push((record, 1)),
        }
    }
    carried.into_iter().find(|(_, count)| count * 2 > votes).map(|(record, _)| record)
}

/// What an authority signed last: kept on its disk before the signature leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The number of the list.
    pub sequence: u64,
    /// The hash of its text, in hex.
    pub list: String,
}

impl Ledger {
    /// Whether a list may be signed: one of a later number than any before, or the same again.
    ///
    /// # Errors
    /// [`ConsensusError::AlreadySigned`].
    pub fn permit(&self, list: &VerifiedList) -> Result<Self, ConsensusError> {
        let wanted = Self {
            sequence: list.header.sequence,
            list: data_encoding::HEXLOWER.encode(&list.header.hash),
        };
        if wanted.sequence > self.sequence || wanted == *self {
            Ok(wanted)
        } else {
            Err(ConsensusError::AlreadySigned)
        }
    }
}

/// A proposal that the examiner would have made of the same votes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The list it proposes; nobody has signed it yet.
    pub list: VerifiedList,
    /// The list before, where the proposer sent one: worth keeping where it is newer than one's own.
    pub previous: Option<VerifiedList>,
}

/// Derives the list of a proposal anew.
///
/// # Errors
/// Where it is for another time, rests on an older list than `own`, a vote or the list before is
/// not to be believed, or another list follows from them.
pub fn examine(
    proposal: &Proposal,
    keys: &DirectoryKeys,
    terms: &Terms,
    now: Millis,
    own: Option<&VerifiedList>,
) -> Result<Examined, ConsensusError> {
    let proposed = UnverifiedList { list: proposal.list.clone(), signatures: Vec::new() }.read()?;
    let slot = terms.slot(proposed.header.times.valid_after);
    if !terms.is_now(slot, now) || slot.sequence() != proposed.header.sequence {
        return Err(ConsensusError::OtherTime);
    }
    if proposal.votes.len() > MAX_AUTHORITIES {
        return Err(ListError::Malformed.into());
    }
    let previous = proposal.previous.as_ref().map(|list| list.verify(keys)).transpose()?;
    let newest = |list: Option<&VerifiedList>| list.map(|list| list.header.sequence);
    if newest(previous.as_ref()) < newest(own) || newest(previous.as_ref()) >= Some(slot.sequence())
    {
        return Err(ConsensusError::OldPrevious);
    }
    let votes =
        proposal.votes.iter().map(|vote| vote.verify(keys)).collect::<Result<Vec<_>, _>>()?;
    let derived = derive(keys, terms, slot, previous.as_ref(), &votes)?;
    if derived.text()? == proposal.list {
        Ok(Examined { list: proposed, previous })
    } else {
        Err(ConsensusError::Differs)
    }
}
