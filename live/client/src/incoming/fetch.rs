//! The account's own mailbox: messages of two, and what its devices agree on.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;
use warren_message::open_direct;
use warren_wire::directory::NodeRecord;
use warren_wire::rpc::reply::RetrievedMessage;
use warren_wire::{MessageHash, Millis, Namespace, NodeId};

use super::arrival::{Opened, arrivals};
use super::keep::Kept;
use crate::configs;
use crate::database::{Cursor, Tx};
use crate::error::ClientError;
use crate::events::Event;
use crate::mailbox::Access;
use crate::mailbox::fetch::{Page, Pages};
use crate::messenger::Messenger;

/// The longest that a node is asked to wait: on the way there relays give up after 30 s.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// How long lies between two requests at least, where a node does not wait as asked.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);
/// So often a second member of the swarm is asked too, which may have what the first lacks.
const SECOND_OPINION_EVERY: u64 = 5;
/// The most pages read in one go; the next go reads on from there.
const MAX_PAGES: usize = 50;
/// Configurations first: who is a contact is known before their messages are kept.
const DRAWERS: [Namespace; 5] =
    [Namespace::new(2), Namespace::new(3), Namespace::new(5), Namespace::new(4), Namespace::DIRECT];

impl Messenger {
    /// Fetches what is new, saves it and gives the number of new messages.
    ///
    /// # Errors
    /// Where the network or the database fails; what was saved before stays saved.
    pub async fn receive(&self) -> Result<usize, ClientError> {
        self.receive_within(Duration::ZERO).await
    }

    /// As [`Messenger::receive`], and where there is nothing new, waits for it: a node of the swarm
    /// holds the request open, and answers as soon as a message arrives. Nodes that know no waiting
    /// are asked again and again, once a second.
    ///
    /// # Errors
    /// As [`Messenger::receive`].
    pub async fn receive_waiting(&self, wait: Duration) -> Result<usize, ClientError> {
        let end = Instant::now() + wait;
        loop {
            let asked = Instant::now();
            let left = end.saturating_duration_since(asked);
            let new = self.receive_within(left.min(LONGEST_WAIT)).await?;
            let now = Instant::now();
            if new > 0 || now >= end {
                return Ok(new);
            }
            tokio::time::sleep_until((asked + LEAST_INTERVAL).min(end).into()).await;
        }
    }

    async fn receive_within(&self, wait: Duration) -> Result<usize, ClientError> {
        match self.fetch(wait).await {
            Err(ClientError::Refused { status: 421, .. }) if self.network.renew_nodes().await? => {
                self.fetch(wait).await
            }
            fetched => fetched,
        }
    }

    async fn fetch(&self, wait: Duration) -> Result<usize, ClientError> {
        let mut members = self.readable_members().await?;
        let mut new = self.fetch_from(&mut members, wait).await?;
        let fetches = self.fetches.fetch_add(1, Ordering::Relaxed);
        if fetches.is_multiple_of(SECOND_OPINION_EVERY) && !members.is_empty() {
            let at = random_index(&mut SystemEntropy, members.len()).unwrap_or(0);
            members.rotate_left(at);
            new += match self.fetch_from(&mut members, Duration::ZERO).await {
                Err(error) if !error.is_network() => return Err(error),
                second => second.unwrap_or(0),
            };
        }
        Ok(new)
    }

    /// The members of this account's swarm, first those that were read before.
    async fn readable_members(&self) -> Result<Vec<NodeRecord>, ClientError> {
        let own = self.account.id();
        let mut members = self.network.members_of(&own).await?;
        let mut read_before = Vec::new();
        for member in &members {
            let cursor = self.db.with(|db| db.cursor(&member.id, &own, Namespace::DIRECT))?;
            if cursor.is_some() {
                read_before.push(member.id);
            }
        }
        members.sort_by_key(|member| !read_before.contains(&member.id));
        Ok(members)
    }

    /// Reads the mailbox of the first member that answers, to its end, and takes it off the list.
    /// It may wait for the first message, and for no other.
    async fn fetch_from(
        &self,
        members: &mut Vec<NodeRecord>,
        wait: Duration,
    ) -> Result<usize, ClientError> {
        let mut new = 0;
        let mut wait = wait;
        let mut candidates = members.clone();
        let mut drawers = DRAWERS.to_vec();
        for _ in 0..MAX_PAGES {
            let Pages { node, pages } = self.fetch_pages(&candidates, &drawers, wait).await?;
            members.retain(|member| member.id != node.id);
            let mut unfinished = Vec::new();
            for page in pages {
                let (kept, more) = self.keep_page(&node.id, &page)?;
                new += kept;
                unfinished.extend(more.then_some(page.namespace));
            }
            if unfinished.is_empty() {
                break;
            }
            (candidates, drawers, wait) = (vec![node], unfinished, Duration::ZERO);
        }
        Ok(new)
    }

    async fn fetch_pages(
        &self,
        members: &[NodeRecord],
        drawers: &[Namespace],
        wait: Duration,
    ) -> Result<Pages, ClientError> {
        let access = Access::Person(Arc::clone(&self.account));
        let own = self.account.id();
        let read_to =
            |node: &NodeId, drawer| Ok(self.db.with(|db| db.cursor(node, &own, drawer))?);
        match self.network.retrieve(&access, drawers, members, wait, &read_to).await {
            // The signatures may have grown old over paths that did not answer.
            Err(ClientError::Clock) => {
                self.network.retrieve(&access, drawers, members, wait, &read_to).await
            }
            fetched => fetched,
        }
    }

    /// Keeps a page and how far the node was read, both or neither; how many messages are new, and
    /// whether the drawer holds more.
    fn keep_page(&self, node: &NodeId, page: &Page) -> Result<(usize, bool), ClientError> {
        let own = self.account.id();
        self.expire_due()?;
        let received_at = self.now();
        let opened: Vec<Opened> = if page.namespace == Namespace::DIRECT {
            page.messages.iter().filter_map(|it| self.open_direct(it, received_at)).collect()
        } else {
            Vec::new()
        };
        let last = page.messages.last().map(|message| message.hash);
        let mut more = page.more;
        let keep = |tx: &Tx<'_>| {
            let mut kept = Kept::default();
            if page.namespace == Namespace::DIRECT {
                for arrival in opened.into_iter().flat_map(|opened| arrivals(&own, opened)) {
                    kept.add(tx, &self.account, arrival, received_at)?;
                }
            } else if !page.messages.is_empty() {
                let changed = configs::merge(tx, &self.account, page, received_at)?;
                kept.events.extend(changed);
            }
            let seen = tx.cursor(node, &own, page.namespace)?;
            // A node that says "more" and brings nothing new would be asked for ever.
            more &= last.is_some() && last != seen;
            if let Some(last_hash) = last {
                let (node, namespace) = (*node, page.namespace);
                tx.put_cursor(&Cursor { node, mailbox: own, namespace, last_hash })?;
            }
            Ok::<_, ClientError>(kept)
        };
        let kept = self.db.with(|db| db.transact(keep))?;
        self.tell(kept.events);
        Ok((kept.new, more))
    }

    /// Opens what can be opened. What cannot is nobody's message: it is passed over, not an error.
    fn open_direct(&self, message: &RetrievedMessage, received_at: Millis) -> Option<Opened> {
        let own = self.account.id();
        let hash = MessageHash::compute(&own, Namespace::DIRECT, &message.data).ok()?;
        let opened = open_direct(&self.account, &message.data).ok()?;
        let conversation =
            if opened.sender == own { opened.sync_target.unwrap_or(own) } else { opened.sender };
        Some(Opened {
            hash,
            conversation,
            author: opened.sender,
            timestamp: opened.timestamp,
            received_at,
            content: opened.content,
            raw: opened.raw,
        })
    }

    /// Tells what is on the disk.
    pub(crate) fn tell(&self, events: Vec<Event>) {
        for event in events {
            self.publish(event);
        }
    }
}
