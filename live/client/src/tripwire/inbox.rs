//! The inbox of a home: read through the onion whether the home is locked or not, and obeyed.
//!
//! It is an account of its own, with a way into the network of its own: neither guard nor list nor path
//! is shared with an account of the person. What it knows of the network lies in `inbox.db`, under a key
//! that follows from the inbox's seed, which lies in `tripwire` in the open. How far members of the
//! swarm were read is kept in memory alone, so that each start, and each unlock, reads from the
//! beginning: what was sent while nobody could answer is found then.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use warren_crypto::entropy::random_index;
use warren_crypto::hash::blake2b_keyed;
use warren_crypto::{Secret, SystemEntropy};
use warren_lock::Tripwire;
use warren_lock::tripwire::{Heard as Found, Order, SetId};
use warren_message::content::tripwire::{CarriedOrder, TripwireMessage};
use warren_message::{Kind, open_direct};
use warren_transport::Seed;
use warren_wire::directory::NodeRecord;
use warren_wire::rpc::reply::RetrievedMessage;
use warren_wire::{AccountId, MessageHash, Millis, Namespace, NodeId};

use super::TripwireError;
use super::file::{TripwireFile, inbox_account};
use crate::database::{AccountDb, DatabaseError, Db};
use crate::error::ClientError;
use crate::mailbox::Access;
use crate::mailbox::fetch::Page;
use crate::messenger::now;
use crate::network::Network;
use crate::vault::Home;

const KEY_LABEL: &[u8] = b"warren tripwire inbox database v1";
/// So often a second member of the swarm is asked too, which may have what the first withholds.
const SECOND_OPINION_EVERY: u64 = 5;
/// The most pages read in one go; the next go reads on from there.
const MAX_PAGES: usize = 50;
/// The most tests told of one go: one for each friend of each place.
const MOST_TESTS: usize = 128;

/// Held by who opens a database of an inbox, and may have to empty it.
static MAKING: Mutex<()> = Mutex::new(());

/// The inbox of a home at work.
pub struct Inbox {
    home: PathBuf,
    access: Access,
    account: Arc<warren_account::Account>,
    asked: String,
    network: Network,
    /// The last message that came from each member of the swarm.
    read_to: Mutex<HashMap<NodeId, MessageHash>>,
    rounds: AtomicU64,
}

/// A test that a friend sent, to be answered with `Tested` by whoever knows to which friend its share
/// was given: [`HeardTest::set`] and [`HeardTest::number`] name it. The same test is told again each
/// time the inbox is read from its beginning, with the same [`HeardTest::at`], so that it can be
/// answered once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeardTest {
    /// In which place of the tripwire its set stands.
    pub place: usize,
    /// The set.
    pub set: SetId,
    /// Which friend of it, from 1.
    pub number: u8,
    /// When it was sent, as its author signed, in milliseconds since 1970.
    pub at: Millis,
}

/// What came of looking into the inbox.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Enough friends said so: the home is to be wiped at once.
    pub wipes: bool,
    /// The newest test of each friend who sent one.
    pub tests: Vec<HeardTest>,
}

impl Inbox {
    /// The inbox of a home; `None` where the home was told no network yet. Makes what is missing of it.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn open(home: &Path) -> Result<Option<Self>, ClientError> {
        let home = Home::at(home);
        let tripwire = TripwireFile::of(home.root())?.read()?;
        let Some(asked) = tripwire.network().map(str::to_owned) else { return Ok(None) };
        // What is no seed any more names no network.
        let Ok(seed) = asked.parse::<Seed>() else { return Ok(None) };
        let account = Arc::new(inbox_account(&tripwire)?);
        let db = Db::new(store(&home, &tripwire)?);
        let network = Network::new(db, tripwire.inbox(), Some(seed));
        Ok(Some(Self {
            home: home.root().to_owned(),
            access: Access::Person(Arc::clone(&account)),
            account,
            asked,
            network,
            read_to: Mutex::default(),
            rounds: AtomicU64::new(0),
        }))
    }

    /// Which account it is.
    pub fn id(&self) -> AccountId {
        self.account.id()
    }

    /// Whether the home still has this inbox, and asks the same network.
    pub fn is_current(&self) -> bool {
        let tripwire = TripwireFile::of(&self.home).and_then(|file| file.read());
        tripwire.is_ok_and(|tripwire| {
            tripwire.network() == Some(&self.asked)
                && inbox_account(&tripwire).is_ok_and(|account| account.id() == self.id())
        })
    }

    /// What time it is at least by the network: when the newest list of its nodes was signed by the
    /// directory's keys. No node alone can move it. `None` before a list was seen.
    pub fn network_time(&self) -> Option<Millis> {
        self.network.listed_at()
    }

    /// Looks into the inbox, and obeys what is there: shares are on the disk when this returns. Where
    /// nothing is new, a member of the swarm is asked to wait as long for something. What is no order
    /// is passed over.
    ///
    /// # Errors
    /// Where the network or the disk fails; what was heard before is kept.
    pub async fn hear(&self, wait: Duration) -> Result<Heard, ClientError> {
        match self.fetch(wait).await {
            Err(ClientError::Refused { status: 421, .. }) if self.network.renew_nodes().await? => {
                self.fetch(wait).await
            }
            fetched => fetched,
        }
    }

    async fn fetch(&self, wait: Duration) -> Result<Heard, ClientError> {
        let mut members = self.network.members_of(&self.id()).await?;
        {
            let read_to = self.read_to();
            members.sort_by_key(|member| !read_to.contains_key(&member.id));
        }
        let mut heard = Heard::default();
        self.fetch_from(&mut members, wait, &mut heard).await?;
        let rounds = self.rounds.fetch_add(1, Ordering::Relaxed);
        if !heard.wipes && rounds.is_multiple_of(SECOND_OPINION_EVERY) && !members.is_empty() {
            // Drawn anew each time, so that a member that withholds orders is found out.
            let at = random_index(&mut SystemEntropy, members.len()).unwrap_or(0);
            members.rotate_left(at);
            match self.fetch_from(&mut members, Duration::ZERO, &mut heard).await {
                Err(error) if !error.is_network() => return Err(error),
                _ => {}
            }
        }
        Ok(heard)
    }

    /// Reads the first member that answers to its end, and takes it off the list.
    async fn fetch_from(
        &self,
        members: &mut Vec<NodeRecord>,
        wait: Duration,
        heard: &mut Heard,
    ) -> Result<(), ClientError> {
        let (mut candidates, mut wait) = (members.clone(), wait);
        for _ in 0..MAX_PAGES {
            let pages = match self.retrieve(&candidates, wait).await {
                // The signatures may have grown old over paths that did not answer.
                Err(ClientError::Clock) => self.retrieve(&candidates, wait).await,
                read => read,
            }?;
            let (node, page) = pages;
            members.retain(|member| member.id != node.id);
            if !self.take(&node.id, &page, heard)? || heard.wipes {
                break;
            }
            (candidates, wait) = (vec![node], Duration::ZERO);
        }
        Ok(())
    }

    async fn retrieve(
        &self,
        members: &[NodeRecord],
        wait: Duration,
    ) -> Result<(NodeRecord, Page), ClientError> {
        let read_to = |node: &NodeId, _: Namespace| Ok(self.read_to().get(node).copied());
        let drawers = [Namespace::DIRECT];
        let read = self.network.retrieve(&self.access, &drawers, members, wait, &read_to).await?;
        let page = read.pages.into_iter().next().ok_or(ClientError::NoSwarm)?;
        Ok((read.node, page))
    }

    /// Obeys a page, and moves on behind it; whether there is more.
    fn take(&self, node: &NodeId, page: &Page, heard: &mut Heard) -> Result<bool, ClientError> {
        for message in &page.messages {
            let Some((order, at)) = self.order_in(message) else { continue };
            match obey(&self.home, &order)? {
                Found::Wipe => {
                    heard.wipes = true;
                    return Ok(false);
                }
                Found::Test { place, number } => {
                    heard.note(HeardTest { place, set: order.set, number, at });
                }
                Found::Share { .. } | Found::Nothing => {}
            }
        }
        let Some(last) = page.messages.last().map(|message| message.hash) else { return Ok(false) };
        // A node that says "more" and brings nothing new would be asked for ever.
        Ok(self.read_to().insert(*node, last) != Some(last) && page.more)
    }

    /// The order that a message carries, and when it was signed. Whatever else it is, is nothing.
    fn order_in(&self, message: &RetrievedMessage) -> Option<(Order, Millis)> {
        let opened = open_direct(&self.account, &message.data).ok()?;
        match opened.content.kind {
            Kind::Tripwire(TripwireMessage::Order(CarriedOrder(order))) => {
                Some((order, opened.timestamp.min(now())))
            }
            _ => None,
        }
    }

    fn read_to(&self) -> MutexGuard<'_, HashMap<NodeId, MessageHash>> {
        self.read_to.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn note(&mut self, test: HeardTest) {
        let is_same = |known: &&mut HeardTest| (known.set, known.number) == (test.set, test.number);
        let has_room = self.tests.len() < MOST_TESTS;
        match self.tests.iter_mut().find(is_same) {
            Some(known) if known.at >= test.at => {}
            Some(known) => *known = test,
            None if has_room => self.tests.push(test),
            None => {}
        }
    }
}

/// Has a home's tripwire hear an order. A share is in the file when this returns; what changes nothing
/// writes nothing.
fn obey(home: &Path, order: &Order) -> Result<Found, TripwireError> {
    let file = TripwireFile::of(home)?;
    match file.read()?.hear(order) {
        // Read and heard once more while no other process does.
        Found::Share { .. } => file.change(|tripwire| Ok(tripwire.hear(order))),
        found => Ok(found),
    }
}

/// The database of a tripwire's inbox, made where there is none. One that another inbox's key is for is
/// emptied, in place.
pub(super) fn store(home: &Home, tripwire: &Tripwire) -> Result<AccountDb, ClientError> {
    let account = inbox_account(tripwire)?.id();
    let mut key = blake2b_keyed(tripwire.inbox().expose(), &[KEY_LABEL])?;
    let key = Secret::take(&mut key);
    let open = || AccountDb::open_at(&home.inbox_file(), &key, account);
    // Nobody empties what another thread has just made.
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    match open() {
        Err(DatabaseError::Damaged) => {
            home.empty_inbox().map_err(TripwireError::from)?;
            Ok(open()?)
        }
        opened => Ok(opened?),
    }
}
