//! Writes that are asked for at the same time share a transaction, so that throughput does not hang
//! on the way to the database and back.
//!
//! A writer takes what has gathered while it was busy, locks the mailboxes concerned, reads what it
//! must know, carries the jobs out in memory, and writes the outcome: two round trips for all of
//! them. Its row in `writer` says which batch it committed last, so that a commit whose answer was
//! lost is not done twice, and every job hears what it did the first time.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};
use warren_wire::record::{Item, MessageRecord, Order, Record};
use warren_wire::{AccountId, Millis, NodeId};

use super::mailbox::{Mailbox, Need};
use super::pool::{Lease, Pool};
use super::trouble::{Trouble, persist};
use super::{Options, load, save};
use crate::StoreError;
use crate::shapes::{Applied, Merged, Stored};
use crate::union::orders_first;

/// The most jobs in one transaction.
const MOST_JOBS: usize = 256;
/// Jobs are not added to a transaction past this many bytes.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Something to be written.
pub(super) enum Work {
    Store(MessageRecord, Millis),
    Apply(Order, Millis),
    Merge(Vec<Record>, Millis),
    Note(NodeId, Vec<Item>),
}

/// What became of it.
#[derive(Debug, Clone)]
pub(super) enum Done {
    Store(Stored),
    Apply(Applied),
    Merge(Vec<Merged>),
    Note,
    /// The owner has no room for the order.
    TooMany,
}

/// A piece of work, and who waits for it.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) reply: oneshot::Sender<Result<Done, StoreError>>,
}

impl Work {
    fn bytes(&self) -> usize {
        let of = |record: &Record| match record {
            Record::Message(message) => message.data.len(),
            Record::Order(order) => order.proof.len(),
        };
        match self {
            Self::Store(message, _) => message.data.len(),
            Self::Apply(order, _) => order.proof.len(),
            Self::Merge(records, _) => records.iter().map(of).sum(),
            Self::Note(_, items) => items.len() * size_of::<Item>(),
        }
    }

    fn needs(&self, needs: &mut BTreeMap<AccountId, Need>) -> Result<(), StoreError> {
        match self {
            Self::Store(message, _) => {
                needs.entry(message.owner).or_default().message(message)?;
            }
            Self::Apply(order, _) => needs.entry(order.owner).or_default().order(order)?,
            Self::Merge(records, _) => {
                for record in records {
                    let need = needs.entry(*record.owner()).or_default();
                    match record {
                        Record::Message(message) => need.message(message)?,
                        Record::Order(order) => need.order(order)?,
                    }
                }
            }
            Self::Note(..) => {}
        }
        Ok(())
    }

    fn carry_out<'a>(&'a self, state: &mut State<'a>) -> Result<Done, StoreError> {
        Ok(match self {
            Self::Store(message, now) => {
                let (mailbox, arrival) = state.arriving(&message.owner);
                Done::Store(mailbox.store(message, arrival, *now)?)
            }
            Self::Apply(order, now) => {
                // Those that share the transaction are not to suffer for it.
                match state.mailbox(&order.owner).apply(order.clone(), *now) {
                    Err(StoreError::TooManyOrders) => Done::TooMany,
                    applied => Done::Apply(applied?),
                }
            }
            Self::Merge(records, now) => {
                Done::Merge(orders_first(records, |record| match record {
                    Record::Message(message) => {
                        let (mailbox, arrival) = state.arriving(&message.owner);
                        mailbox.merge_message(message, arrival, *now)
                    }
                    Record::Order(order) => {
                        state.mailbox(&order.owner).merge_order(order.clone(), *now)
                    }
                })?)
            }
            Self::Note(peer, items) => {
                state.missed.entry(*peer).or_default().extend_from_slice(items);
                Done::Note
            }
        })
    }
}

/// What a transaction works on.
#[derive(Default)]
pub(super) struct State<'a> {
    pub(super) mailboxes: BTreeMap<AccountId, Mailbox<'a>>,
    pub(super) missed: BTreeMap<NodeId, Vec<Item>>,
}

impl<'a> State<'a> {
    pub(super) fn mailbox(&mut self, owner: &AccountId) -> &mut Mailbox<'a> {
        self.mailboxes.entry(*owner).or_default()
    }

    /// A mailbox, and the next place in its order of arrival.
    fn arriving(&mut self, owner: &AccountId) -> (&mut Mailbox<'a>, i64) {
        let mailbox = self.mailbox(owner);
        mailbox.arrivals += 1;
        let arrival = mailbox.arrivals;
        (mailbox, arrival)
    }
}

/// Takes jobs until nobody can send any more.
pub(super) struct Writer {
    pub(super) pool: Pool,
    pub(super) options: Options,
    /// This writer's row.
    pub(super) id: [u8; 16],
    /// The number of the last batch.
    pub(super) batch: i64,
}

impl Writer {
    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.recv().await {
            let mut bytes = first.work.bytes();
            let mut batch = vec![first];
            while batch.len() < MOST_JOBS && bytes < MOST_BYTES {
                let Ok(job) = jobs.try_recv() else { break };
                bytes += job.work.bytes();
                batch.push(job);
            }
            let (works, replies): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|job| (job.work, job.reply)).unzip();
            let outcomes = match Box::pin(self.write(&works)).await {
                Ok(done) => done.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error); replies.len()],
            };
            for (reply, outcome) in replies.into_iter().zip(outcomes) {
                // Whoever asked may have gone.
                let _ = reply.send(outcome);
            }
        }
    }

    async fn write(&mut self, works: &[Work]) -> Result<Vec<Done>, StoreError> {
        self.batch += 1;
        let mut needs = BTreeMap::new();
        for work in works {
            work.needs(&mut needs)?;
        }
        // What was done by a commit that was not answered.
        let mut unanswered = None;
        persist!(self.options.patience(), self.attempt(works, &needs, &mut unanswered))
    }

    async fn attempt(
        &self,
        works: &[Work],
        needs: &BTreeMap<AccountId, Need>,
        unanswered: &mut Option<Vec<Done>>,
    ) -> Result<Vec<Done>, Trouble> {
        let lease = self.pool.lend().await?;
        let seen = seen();
        let begun = load::begin(&lease, &self.id, self.batch, seen, needs).await;
        let (mut state, fresh) = match begun {
            Ok(begun) => begun,
            Err(error) => return end(lease, error).await,
        };
        let done = if fresh {
            let carried: Result<Vec<_>, _> =
                works.iter().map(|work| work.carry_out(&mut state)).collect();
            match carried {
                Ok(done) => done,
                Err(error) => return end(lease, error.into()).await,
            }
        } else {
            // An earlier attempt was committed. This one commits nothing but that it was here: when
            // that is where commits must be, so is what came before it.
            state = State::default();
            let Some(done) = unanswered.clone() else {
                let text = "another process writes under the same name";
                return end(lease, StoreError::Engine(text.into()).into()).await;
            };
            done
        };
        *unanswered = Some(done.clone());
        if let Err(error) = save::commit(&lease, &self.id, seen, &state).await {
            return end(lease, error).await;
        }
        if lease.warned() {
            let text = "the server did not wait for a standby to have the commit";
            return Err(Trouble::Passing(text.into()));
        }
        lease.give_back();
        Ok(done)
    }
}

/// Milliseconds since the Unix epoch by this machine's clock.
pub(super) fn seen() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Ends an attempt that failed. Where the server itself said so, the connection is good for more
/// after a rollback.
async fn end<T>(lease: Lease, trouble: Trouble) -> Result<T, Trouble> {
    if !matches!(trouble, Trouble::Lost(_))
        && lease.client()?.batch_execute("ROLLBACK").await.is_ok()
    {
        lease.give_back();
    }
    Err(trouble)
}
