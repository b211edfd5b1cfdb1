//! Jobs are done, again and again until they are: messages stored, messages removed.

use std::collections::HashSet;

use warren_wire::limits::SECOND;
use warren_wire::record::Drawers;
use warren_wire::{AccountId, MessageHash, Millis};

use crate::database::{
    AccountDb, AttachmentState, DatabaseError, Job, MessageId, MessageState, SealedCopy, Task,
};
use crate::disappearing::{ASK, SHORTEN};
use crate::error::ClientError;
use crate::events::{DeliveryState, Event};
use crate::friends::REPEAT;
use crate::mailbox::order::Deed;
use crate::mailbox::store::Letter;
use crate::messenger::Messenger;

/// The pause after a first failed try; it doubles from then on.
const FIRST_PAUSE: Millis = 5 * SECOND;
/// The longest pause.
const LONGEST_PAUSE: Millis = 15 * 60 * SECOND;
/// How many jobs are taken up at once.
const JOBS_AT_ONCE: usize = 256;
/// How many of other jobs are done before it is looked whether there is something to send again.
const OTHERS_AT_ONCE: usize = 4;
/// How often a removal is tried.
const MOST_REMOVALS: u32 = 2_000;
/// How often an upload is: for about two weeks.
const MOST_UPLOADS: u32 = 1_344;

/// A message that was saved, and how far it got.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its number on this device.
    pub message: MessageId,
    /// Its time, which the recipient sees too.
    pub timestamp: Millis,
    /// How far it got.
    pub state: Delivery,
}

/// How far a message got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Its recipient's swarm has it.
    Delivered,
    /// It waits in the outbox; why.
    Waiting(String),
    /// The network will not take it, and it is not tried again; why.
    Failed(String),
}

impl Messenger {
    /// Tries to deliver a message, whether it is due or not, and says how far it got.
    ///
    /// # Errors
    /// Where there is no such message or the database fails. A network that fails is no error.
    pub async fn deliver_message(&self, message: MessageId) -> Result<Delivery, ClientError> {
        let failure = self.do_all(|db| db.ready_jobs_of(message)).await.err();
        Ok(match (self.db.with(|db| db.message(message))?.state, failure) {
            (MessageState::Sent, _) => Delivery::Delivered,
            (MessageState::Failed, error) => Delivery::Failed(
                error.map_or_else(|| "the network refused it".to_owned(), |e| e.to_string()),
            ),
            (_, Some(error)) => Delivery::Waiting(error.to_string()),
            (_, None) => Delivery::Waiting("it will be tried again".to_owned()),
        })
    }

    /// Tries what is due in the outbox again; the number of things done.
    ///
    /// # Errors
    /// Where the network fails; what was not done stays in the outbox.
    pub async fn deliver_waiting(&self) -> Result<usize, ClientError> {
        self.do_all(|db| db.due_jobs(self.now(), JOBS_AT_ONCE)).await
    }

    /// Tries everything in the outbox, whether it is due or not.
    ///
    /// # Errors
    /// Where the network fails; what was not done stays in the outbox.
    pub async fn deliver_all(&self) -> Result<usize, ClientError> {
        self.do_all(|db| db.due_jobs(Millis::MAX, usize::MAX)).await
    }

    /// Everything there is to do with the network, once: sends what waits, pushes what changed and
    /// fetches what is new; the number of new messages.
    ///
    /// # Errors
    /// Where the network or the database fails; what was done stays done.
    pub async fn sync(&self) -> Result<usize, ClientError> {
        // What one of these cannot do keeps nothing else from being done.
        let delivered = self.deliver_waiting().await;
        let received = self.receive().await;
        let pushed = self.push_configs().await;
        let new = received?;
        delivered?;
        pushed?;
        // Old configuration messages go.
        self.deliver_waiting().await?;
        self.tend_pictures().await?;
        Ok(new)
    }

    /// Takes up again what was given up of a message.
    ///
    /// # Errors
    /// Where there is nothing to take up, or the database fails.
    pub fn resend(&self, message: MessageId) -> Result<(), ClientError> {
        if !self.db.with(|db| db.resend(message, self.now()))? {
            return Err(ClientError::NothingToResend);
        }
        self.publish_delivery(message)
    }

    /// Does what `ready` gives, each job once, and what can be done after that; the number of things
    /// done. The first failure is told when all were tried, or at once where this device is offline.
    async fn do_all(
        &self,
        ready: impl Fn(&AccountDb) -> Result<Vec<Job>, DatabaseError>,
    ) -> Result<usize, ClientError> {
        self.expire_due()?;
        let (mut tried, mut done, mut failure) = (HashSet::new(), 0, None);
        loop {
            let mut jobs = self.db.with(|db| ready(db))?;
            jobs.retain(|job| !tried.contains(&job.id) && !waits_for_its_time(job, self.now()));
            // What the owner writes meanwhile does not wait for all that there is to tidy up.
            match jobs.iter().position(|job| !matches!(job.task, Task::Store { .. })) {
                Some(0) => jobs.truncate(OTHERS_AT_ONCE),
                Some(stores) => jobs.truncate(stores),
                None => {}
            }
            tried.extend(jobs.iter().map(|job| job.id));
            if jobs.is_empty() || failure.as_ref().is_some_and(ClientError::is_offline) {
                return failure.map_or(Ok(done), Err);
            }
            let (count, error) = self.do_jobs(jobs).await?;
            done += count;
            failure = failure.or(error);
        }
    }

    /// Does jobs one after the other: how many were done, and why the first of the others was not.
    async fn do_jobs(&self, jobs: Vec<Job>) -> Result<(usize, Option<ClientError>), ClientError> {
        let mut done = 0;
        let mut failure = None;
        let mut offline = false;
        for job in jobs {
            match self.do_job(&job).await {
                Ok(hash) => {
                    self.db.with(|db| db.job_done(job.id, hash.as_ref(), self.now()))?;
                    done += 1;
                }
                Err(error) => {
                    let next = next_attempt(&job, self.now()).filter(|_| !error.is_final());
                    let reason = error.to_string();
                    self.db.with(|db| db.job_failed(job.id, next, Some(&reason)))?;
                    self.note_upload_failed(&job, next.is_none(), &reason)?;
                    offline = error.is_offline();
                    failure.get_or_insert(error);
                }
            }
            if let Some(message) = message_of(&job.task) {
                self.publish_delivery(message)?;
            }
            if offline {
                break;
            }
        }
        Ok((done, failure))
    }

    fn note_upload_failed(
        &self,
        job: &Job,
        given_up: bool,
        reason: &str,
    ) -> Result<(), ClientError> {
        let Task::Upload { attachment, .. } = job.task else { return Ok(()) };
        let state = if given_up { AttachmentState::Failed } else { AttachmentState::Uploading };
        match self.db.with(|db| db.set_attachment_state(attachment, state, Some(reason))) {
            Err(DatabaseError::Gone) => Ok(()),
            noted => Ok(noted?),
        }
    }

    /// The hash under which a store is known.
    async fn do_job(&self, job: &Job) -> Result<Option<MessageHash>, ClientError> {
        match &job.task {
            Task::Store { copy, .. } => {
                let access = self.access_to_store(copy)?;
                Ok(Some(self.network.store(&letter(copy), access.as_ref()).await?))
            }
            Task::Delete { mailbox, hashes } => {
                self.order(mailbox, Deed::Delete(hashes.clone())).await
            }
            Task::DeleteAll { mailbox } => self.order(mailbox, Deed::DeleteAll(Drawers::All)).await,
            Task::Other { name, target: Some(mailbox), data, .. } if name == SHORTEN => {
                self.shorten(mailbox, data).await?;
                Ok(None)
            }
            Task::Other { name, target: Some(mailbox), data, .. } if name == ASK => {
                self.ask_expiries(mailbox, data).await?;
                Ok(None)
            }
            Task::Other { name, target: Some(inbox), data, .. } if name == REPEAT => {
                self.repeat_order(inbox, data)?;
                Ok(None)
            }
            Task::Upload { attachment, .. } => {
                self.upload_attachment(*attachment).await?;
                Ok(None)
            }
            Task::Seal { message } => {
                self.seal_message(job.id, *message)?;
                Ok(None)
            }
            Task::Other { .. } => Err(ClientError::UnknownJob),
        }
    }

    async fn order(
        &self,
        mailbox: &AccountId,
        deed: Deed,
    ) -> Result<Option<MessageHash>, ClientError> {
        let access = match self.access_to(mailbox) {
            // A group that the account is out of: what is kept there is no matter of its any more.
            Err(ClientError::NotAMember) => return Ok(None),
            access => access?,
        };
        self.network.order(&access, &deed).await?;
        Ok(None)
    }

    fn publish_delivery(&self, message: MessageId) -> Result<(), ClientError> {
        let message = match self.db.with(|db| db.message(message)) {
            // Deleted while it was on its way.
            Err(DatabaseError::Gone) => return Ok(()),
            found => found?,
        };
        let state = match message.state {
            MessageState::Pending => DeliveryState::Waiting,
            MessageState::Failed => DeliveryState::Failed,
            MessageState::Sent | MessageState::Received => DeliveryState::Delivered,
        };
        self.publish(Event::Delivery {
            conversation: message.conversation,
            message_id: message.id,
            state,
        });
        Ok(())
    }
}

fn letter(copy: &SealedCopy) -> Letter {
    Letter {
        target: copy.target,
        namespace: copy.namespace,
        data: copy.data.clone(),
        timestamp: copy.timestamp,
        ttl: copy.ttl,
    }
}

/// Whether something is to be done later, and not sooner whatever the owner wants to be sent now.
fn waits_for_its_time(job: &Job, now: Millis) -> bool {
    let is_repeated = matches!(&job.task, Task::Other { name, .. } if name == REPEAT);
    is_repeated && job.next_attempt.is_some_and(|at| at > now)
}

const fn message_of(task: &Task) -> Option<MessageId> {
    match task {
        Task::Store { message, .. } | Task::Other { message, .. } => *message,
        Task::Seal { message } | Task::Upload { message, .. } => Some(*message),
        Task::Delete { .. } | Task::DeleteAll { .. } => None,
    }
}

/// When to try a job again; never where the nodes would no longer keep what it stores.
fn next_attempt(job: &Job, now: Millis) -> Option<Millis> {
    let pause = FIRST_PAUSE.saturating_mul(1 << job.attempts.min(10)).min(LONGEST_PAUSE);
    let next = now.saturating_add(pause);
    let useful = match &job.task {
        Task::Store { copy, .. } => next < copy.timestamp.saturating_add(copy.ttl),
        Task::Upload { .. } | Task::Seal { .. } => job.attempts < MOST_UPLOADS,
        _ => job.attempts < MOST_REMOVALS,
    };
    useful.then_some(next)
}
