//! Fetched, opened, saved: the way of a message from the swarm into the database.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;
use warren_crypto::hash::blake2b;
use warren_message::content::profile::DisplayName;
use warren_message::{Kind, open_direct};
use warren_onion::Reply;
use warren_wire::directory::NodeRecord;
use warren_wire::rpc::reply::{RetrieveReply, RetrievedMessage};
use warren_wire::rpc::{RetrieveRequest, UnverifiedAuth, request, signed};
use warren_wire::{MessageHash, Millis, Namespace, Value};

use crate::database::{self, Cursor, Details, Direction, Fetched, Recorded};
use crate::error::ClientError;
use crate::events::Event;
use crate::messenger::{Messenger, now};
use crate::network::road::Question;
use crate::send::{require_success, swarm_members};

/// The longest that a node is asked to wait: on the way there relays give up after 30 s.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// How long lies between two requests at least, where a node does not wait as asked.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);
/// So often a second member of the swarm is asked too, which may have what the first lacks.
const SECOND_OPINION_EVERY: u64 = 5;
/// The most pages read in one go; the next go reads on from there.
const MAX_PAGES: usize = 50;

/// One page of a mailbox, opened.
struct OpenedPage {
    fetched: Vec<Fetched>,
    last: Option<MessageHash>,
    more: bool,
}

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
        let list = self.network.nodes().await?;
        let mut members = swarm_members(&list, &own)?;
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
        for _ in 0..MAX_PAGES {
            let (node, page) = match self.fetch_page(&candidates, wait).await {
                // The signature may have grown old over paths that did not answer.
                Err(ClientError::Clock) => self.fetch_page(&candidates, wait).await?,
                fetched => fetched?,
            };
            members.retain(|member| member.id != node.id);
            new += self.save(&node, &page)?;
            if !page.more {
                break;
            }
            candidates = vec![node];
            wait = Duration::ZERO;
        }
        Ok(new)
    }

    /// Fetches one page from where the answering member was read to, and opens it.
    async fn fetch_page(
        &self,
        members: &[NodeRecord],
        wait: Duration,
    ) -> Result<(NodeRecord, OpenedPage), ClientError> {
        let questions = members.iter().map(|node| {
            let body = request::encode("retrieve", &self.retrieve_params(node, wait)?).into();
            Ok(Question { node: node.clone(), body, wait })
        });
        let questions = questions.collect::<Result<_, ClientError>>()?;
        let judge = |_: &NodeRecord, reply: &Reply| {
            require_success(reply)?;
            RetrieveReply::from_json(&reply.body).map_err(|_| malformed())
        };
        let (node, page) = self.network.ask(questions, judge).await?;
        let own = self.account.id();
        let seen = self.db.with(|db| db.cursor(&node.id, &own, Namespace::DIRECT))?;
        let page = self.open(&page, seen);
        Ok((node, page))
    }

    fn retrieve_params(&self, node: &NodeRecord, wait: Duration) -> Result<Value, ClientError> {
        let own = self.account.id();
        let namespace = Namespace::DIRECT;
        let timestamp = now();
        let key = self.account.signing_key();
        let signature = key.sign(signed::retrieve(namespace, timestamp).as_bytes())?;
        let ed25519 = Some(*key.verifying_key().as_bytes());
        let auth = UnverifiedAuth { signature, ed25519, subaccount: None };
        let request = RetrieveRequest {
            account: own,
            namespace,
            after: self.db.with(|db| db.cursor(&node.id, &own, namespace))?,
            max_count: None,
            max_size: None,
            newest_first: false,
            wait: Millis::try_from(wait.as_millis()).ok().filter(|wait| *wait > 0),
            auth: Some((auth, timestamp)),
        };
        Ok(request.to_value())
    }

    /// Opens what can be opened. What cannot is nobody's message: it is passed over, not an error.
    fn open(&self, page: &RetrieveReply, seen: Option<MessageHash>) -> OpenedPage {
        let last = page.messages.last().map(|message| message.hash);
        // A node that says "more" and brings nothing new would be asked for ever.
        let more = page.more && last.is_some() && last != seen;
        let received_at = now();
        let fetched =
            page.messages.iter().filter_map(|message| self.open_one(message, received_at));
        OpenedPage { fetched: fetched.collect(), last, more }
    }

    fn open_one(&self, message: &RetrievedMessage, received_at: Millis) -> Option<Fetched> {
        let own = self.account.id();
        let hash = MessageHash::compute(&own, Namespace::DIRECT, &message.data).ok()?;
        let opened = open_direct(&self.account, &message.data).ok()?;
        let fingerprint = blake2b(&[opened.sender.as_bytes(), &opened.raw]).ok()?;
        if matches!(opened.content.kind, Kind::Typing(_) | Kind::Receipt(_)) {
            return None;
        }
        let (content, sender_name) = match (opened.content.body(), &opened.content.kind) {
            (Some(body), Kind::Data(data)) => {
                let name = data.profile.as_ref().and_then(|profile| profile.name.as_ref());
                let name = name.map(DisplayName::as_str).map(str::to_owned);
                (database::Content::Text(body.to_owned()), name)
            }
            _ => (database::Content::Unknown(opened.raw), None),
        };
        let (conversation, direction) = if opened.sender == own {
            (opened.sync_target.unwrap_or(own), Direction::Outgoing)
        } else {
            (opened.sender, Direction::Incoming)
        };
        let timestamp = opened.timestamp;
        Some(Fetched {
            hash,
            fingerprint,
            conversation,
            author: opened.sender,
            direction,
            content,
            details: Details::default(),
            sender_name,
            timestamp,
            received_at,
        })
    }

    /// Saves a page and how far the node was read, both or neither.
    fn save(&self, node: &NodeRecord, page: &OpenedPage) -> Result<usize, ClientError> {
        let cursor = page.last.map(|last_hash| Cursor {
            node: node.id,
            mailbox: self.account.id(),
            namespace: Namespace::DIRECT,
            last_hash,
        });
        let fetched = &page.fetched;
        let recorded = self.db.with(|db| db.record_fetched_batch(fetched, cursor.as_ref()))?;
        for (message, recorded) in fetched.iter().zip(&recorded) {
            if let Recorded::New(message_id) = *recorded {
                self.publish(Event::MessageNew { conversation: message.conversation, message_id });
            }
        }
        Ok(recorded.iter().filter(|one| matches!(one, Recorded::New(_))).count())
    }
}

fn malformed() -> ClientError {
    ClientError::Refused { status: 200, reason: "the node's answer is malformed".to_owned() }
}
