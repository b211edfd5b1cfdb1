//! A mailbox is fetched and kept: the account's own, and those of its groups.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, Instant};

use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;
use warren_message::open_direct;
use warren_wire::directory::NodeRecord;
use warren_wire::rpc::reply::RetrievedMessage;
use warren_wire::{AccountId, AccountKind, MessageHash, Millis, Namespace, NodeId};

use super::arrival::{Opened, arrivals, time_of};
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
const DRAWERS: &[Namespace] = &[
    Namespace::new(2),
    Namespace::new(3),
    Namespace::new(5),
    Namespace::new(4),
    Namespace::DIRECT,
];

/// A mailbox, and who reads it.
pub(crate) struct Mailbox {
    /// Who reads it.
    pub(crate) access: Access,
    /// Its drawers, in the order in which they are kept.
    pub(crate) drawers: &'static [Namespace],
    /// The drawer whose cursor shows that a node was read before.
    pub(crate) main: Namespace,
}

/// A mailbox being read: how many messages are new, in the end.
type Reading<'a> = Pin<Box<dyn Future<Output = Result<usize, ClientError>> + Send + 'a>>;

impl Messenger {
    /// Fetches what is new in the account's mailbox and its groups', saves it and gives the number of
    /// new messages. A group whose swarm does not answer is passed over: it is asked the next time.
    ///
    /// # Errors
    /// Where the network or the database fails; what was saved before stays saved.
    pub async fn receive(&self) -> Result<usize, ClientError> {
        // The own mailbox first: it tells of groups.
        let mut new = self.receive_within(&self.own_mailbox(), Duration::ZERO).await?;
        for mailbox in self.group_mailboxes()? {
            new += self.receive_quietly(&mailbox, Duration::ZERO).await?;
        }
        Ok(new)
    }

    /// As [`Messenger::receive`], and where there is nothing new, waits for it: a node of each swarm
    /// holds the request open, and answers as soon as a message arrives. Nodes that know no waiting
    /// are asked again and again, once a second.
    ///
    /// # Errors
    /// As [`Messenger::receive`].
    pub async fn receive_waiting(&self, wait: Duration) -> Result<usize, ClientError> {
        let end = Instant::now() + wait;
        loop {
            let groups = self.group_mailboxes()?;
            tokio::select! {
                biased;
                received = self.receive_anywhere(&groups, end) => return received,
                () = self.other_groups(&groups) => {}
            }
        }
    }

    /// Waits until the account reads the mailboxes of other groups than these.
    async fn other_groups(&self, read: &[Mailbox]) {
        let owners = |mailboxes: &[Mailbox]| {
            mailboxes.iter().map(|mailbox| mailbox.access.owner()).collect::<Vec<_>>()
        };
        let read = owners(read);
        let mut events = self.events.listen();
        // Whoever reads next is told of a database that fails.
        while self.group_mailboxes().is_ok_and(|mailboxes| owners(&mailboxes) == read) {
            let about_group = async {
                while let Some(notice) = events.next().await {
                    match notice.event {
                        Event::Missed => return,
                        Event::ConversationChanged { conversation }
                            if conversation.kind() == AccountKind::Group =>
                        {
                            return;
                        }
                        _ => {}
                    }
                }
                std::future::pending::<()>().await;
            };
            about_group.await;
        }
    }

    /// Fetches what is new in one group.
    ///
    /// # Errors
    /// [`ClientError::NotAMember`] for a group that the account is not in, or where the network or
    /// the database fails.
    pub async fn receive_group(&self, group: &AccountId) -> Result<usize, ClientError> {
        self.receive_within(&self.group_mailbox(group)?, Duration::ZERO).await
    }

    /// Waits at all mailboxes at once, until one of them brings something.
    async fn receive_anywhere(
        &self,
        groups: &[Mailbox],
        end: Instant,
    ) -> Result<usize, ClientError> {
        let own = self.own_mailbox();
        let mut readings: Vec<Reading<'_>> = vec![Box::pin(self.receive_until(&own, end))];
        for mailbox in groups {
            readings.push(Box::pin(self.receive_until(mailbox, end)));
        }
        first_with_news(readings).await
    }

    /// Waits at one mailbox, again where what came was no message, as where it was a configuration.
    async fn receive_until(&self, mailbox: &Mailbox, end: Instant) -> Result<usize, ClientError> {
        loop {
            let asked = Instant::now();
            let wait = end.saturating_duration_since(asked).min(LONGEST_WAIT);
            let in_group = mailbox.access.owner().kind() == AccountKind::Group;
            let new = match self.receive_within(mailbox, wait).await {
                // The next time it is asked again.
                Err(error) if in_group && error.is_network() => return Ok(0),
                received => received?,
            };
            let now = Instant::now();
            if new > 0 || now >= end {
                return Ok(new);
            }
            tokio::time::sleep_until((asked + LEAST_INTERVAL).min(end).into()).await;
        }
    }

    /// A group's mailbox, without complaint where its swarm does not answer or refuses.
    async fn receive_quietly(
        &self,
        mailbox: &Mailbox,
        wait: Duration,
    ) -> Result<usize, ClientError> {
        match self.receive_within(mailbox, wait).await {
            Err(error) if error.is_network() => Ok(0),
            received => received,
        }
    }

    fn own_mailbox(&self) -> Mailbox {
        let access = Access::Person(Arc::clone(&self.account));
        Mailbox { access, drawers: DRAWERS, main: Namespace::DIRECT }
    }

    async fn receive_within(
        &self,
        mailbox: &Mailbox,
        wait: Duration,
    ) -> Result<usize, ClientError> {
        let new = match self.fetch(mailbox, wait).await {
            Err(ClientError::Refused { status: 421, .. }) if self.network.renew_nodes().await? => {
                self.fetch(mailbox, wait).await
            }
            fetched => fetched,
        }?;
        let owner = mailbox.access.owner();
        if owner.kind() == AccountKind::Group && self.is_to_be_read_again(&owner)? {
            return Ok(new + self.fetch(mailbox, Duration::ZERO).await?);
        }
        Ok(new)
    }

    async fn fetch(&self, mailbox: &Mailbox, wait: Duration) -> Result<usize, ClientError> {
        let mut members = self.readable_members(mailbox).await?;
        let mut new = self.fetch_from(mailbox, &mut members, wait).await?;
        let fetches = self.fetches.fetch_add(1, Ordering::Relaxed);
        if fetches.is_multiple_of(SECOND_OPINION_EVERY) && !members.is_empty() {
            let at = random_index(&mut SystemEntropy, members.len()).unwrap_or(0);
            members.rotate_left(at);
            new += match self.fetch_from(mailbox, &mut members, Duration::ZERO).await {
                Err(error) if !error.is_network() => return Err(error),
                second => second.unwrap_or(0),
            };
        }
        Ok(new)
    }

    /// The members of the mailbox's swarm, first those that were read before.
    async fn readable_members(&self, mailbox: &Mailbox) -> Result<Vec<NodeRecord>, ClientError> {
        let owner = mailbox.access.owner();
        let mut members = self.network.members_of(&owner).await?;
        let mut read_before = Vec::new();
        for member in &members {
            let cursor = self.db.with(|db| db.cursor(&member.id, &owner, mailbox.main))?;
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
        mailbox: &Mailbox,
        members: &mut Vec<NodeRecord>,
        wait: Duration,
    ) -> Result<usize, ClientError> {
        let (mut new, mut failure) = (0, None);
        let mut wait = wait;
        let mut candidates = members.clone();
        let mut drawers = mailbox.drawers.to_vec();
        for _ in 0..MAX_PAGES {
            let access = &mailbox.access;
            let Pages { node, pages } =
                self.fetch_pages(access, &candidates, &drawers, wait).await?;
            members.retain(|member| member.id != node.id);
            let mut unfinished = Vec::new();
            for page in pages {
                // A drawer that cannot be kept keeps no other from it.
                match self.keep_page(&access.owner(), &node.id, &page) {
                    Ok((kept, more)) => {
                        new += kept;
                        unfinished.extend(more.then_some(page.namespace));
                    }
                    Err(error) => {
                        failure.get_or_insert(error);
                    }
                }
            }
            if unfinished.is_empty() {
                break;
            }
            (candidates, drawers, wait) = (vec![node], unfinished, Duration::ZERO);
        }
        failure.map_or(Ok(new), Err)
    }

    async fn fetch_pages(
        &self,
        access: &Access,
        members: &[NodeRecord],
        drawers: &[Namespace],
        wait: Duration,
    ) -> Result<Pages, ClientError> {
        let owner = access.owner();
        let read_to =
            |node: &NodeId, drawer| Ok(self.db.with(|db| db.cursor(node, &owner, drawer))?);
        match self.network.retrieve(access, drawers, members, wait, &read_to).await {
            // The signatures may have grown old over paths that did not answer.
            Err(ClientError::Clock) => {
                self.network.retrieve(access, drawers, members, wait, &read_to).await
            }
            fetched => fetched,
        }
    }

    /// Keeps a page and how far the node was read, both or neither; how many messages are new, and
    /// whether the drawer holds more.
    fn keep_page(
        &self,
        owner: &AccountId,
        node: &NodeId,
        page: &Page,
    ) -> Result<(usize, bool), ClientError> {
        self.expire_due()?;
        let received_at = self.now();
        let last = page.messages.last().map(|message| message.hash);
        let mut more = page.more;
        let keep = |tx: &Tx<'_>| {
            let kept = if owner.kind() == AccountKind::Group {
                self.keep_group_page(tx, owner, page, received_at)?
            } else {
                self.keep_own_page(tx, page, received_at)?
            };
            let seen = tx.cursor(node, owner, page.namespace)?;
            // A node that says "more" and brings nothing new would be asked for ever.
            more &= last.is_some() && last != seen;
            if let Some(last_hash) = last {
                let (node, mailbox, namespace) = (*node, *owner, page.namespace);
                tx.put_cursor(&Cursor { node, mailbox, namespace, last_hash })?;
            }
            Ok::<_, ClientError>(kept)
        };
        let kept = self.db.with(|db| db.transact(keep))?;
        self.tell(kept.events);
        Ok((kept.new, more))
    }

    fn keep_own_page(
        &self,
        tx: &Tx<'_>,
        page: &Page,
        received_at: Millis,
    ) -> Result<Kept, ClientError> {
        let mut kept = Kept::after(&self.typing_heard);
        if page.namespace == Namespace::DIRECT {
            let opened = page.messages.iter().filter_map(|it| self.open_direct(it, received_at));
            for arrival in opened.flat_map(|opened| arrivals(&self.account.id(), opened)) {
                kept.add(tx, &self.account, arrival, received_at)?;
            }
            kept.finish(tx, received_at)?;
            for mail in std::mem::take(&mut kept.groups) {
                kept.events.extend(self.take_group_mail(tx, mail)?);
            }
        } else if !page.messages.is_empty() {
            let changed = configs::merge(tx, &self.account, page, received_at)?;
            kept.events.extend(changed);
        }
        Ok(kept)
    }

    /// Opens what can be opened. What cannot is nobody's message: it is passed over, not an error.
    /// So is what was stored again after its time.
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
            timestamp: time_of(opened.timestamp, message.timestamp, received_at)?,
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

/// Waits for the first reading that brings something; where none does, for all.
async fn first_with_news(mut readings: Vec<Reading<'_>>) -> Result<usize, ClientError> {
    let mut failure = None;
    poll_fn(move |context| {
        let mut new = 0;
        readings.retain_mut(|reading| match reading.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(Ok(count)) => {
                new += count;
                false
            }
            Poll::Ready(Err(error)) => {
                failure.get_or_insert(error);
                false
            }
        });
        match new {
            0 if readings.is_empty() => Poll::Ready(failure.take().map_or(Ok(0), Err)),
            0 => Poll::Pending,
            _ => Poll::Ready(Ok(new)),
        }
    })
    .await
}
