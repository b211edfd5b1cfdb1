//! What is still to be done in the network: saved before anything is tried, with the message it
//! belongs to.
//!
//! ```text
//! add_job --> waits for what it needs --> due --+--job_done--> gone, what needed it is due
//!                                          ^    |
//!                                          |    +--job_failed(Some(time))--+
//!                                          +-------------------------------+
//!                                          |    +--job_failed(None)--> given up
//!                                          +--resend-------------------+
//! ```
//!
//! A message is [`MessageState::Sent`] once nothing of it waits that its recipient needs, and
//! [`MessageState::Failed`] as soon as such a job was given up. What was given up for a message is
//! kept for [`AccountDb::resend`]; other jobs that are given up go, and what needed them with them.
//! A copy's bytes never change, so a store that is repeated, after a crash or by two processes, has
//! the same hash and is kept once.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Row, ToSql, params};
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use super::account::{AccountDb, Tx};
use super::attachments::AttachmentId;
use super::column::Col;
use super::error::DatabaseError;
use super::messages::{MessageId, MessageState};
use super::outbox::{Purpose, SealedCopy};

const COLUMNS: &str = "SELECT id, kind, message_id, attachment, purpose, target, namespace, data, \
                       name, timestamp, ttl, attempts, next_attempt FROM jobs";

/// A job's number. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(i64);

impl ToSql for JobId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0))
    }
}

impl FromSql for JobId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Store sealed bytes in a mailbox: a copy of a message, or a signal that has no row.
    Store {
        /// The message it is a copy of.
        message: Option<MessageId>,
        /// What to store where.
        copy: SealedCopy,
    },
    /// Seal a message whose files were uploaded, and add the jobs that store it.
    Seal {
        /// Which.
        message: MessageId,
    },
    /// Upload a file.
    Upload {
        /// Whose.
        message: MessageId,
        /// Which.
        attachment: AttachmentId,
    },
    /// Delete messages from a swarm.
    Delete {
        /// In whose mailbox.
        mailbox: AccountId,
        /// Which.
        hashes: Vec<MessageHash>,
    },
    /// Delete everything in a mailbox from its swarm.
    DeleteAll {
        /// Whose.
        mailbox: AccountId,
    },
    /// What only the program above knows.
    Other {
        /// What kind of thing.
        name: String,
        /// The message it belongs to.
        message: Option<MessageId>,
        /// In whose mailbox, where it is about one.
        target: Option<AccountId>,
        /// The rest.
        data: Vec<u8>,
    },
}

/// Something to be done, with how often it was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// What to do.
    pub task: Task,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; `None` where it was given up.
    pub next_attempt: Option<Millis>,
}

impl AccountDb {
    /// Saves something to be done.
    ///
    /// # Errors
    /// As [`Tx::add_job`].
    pub fn add_job(
        &mut self,
        task: &Task,
        needs: &[JobId],
        at: Millis,
    ) -> Result<JobId, DatabaseError> {
        self.transact(|tx| tx.add_job(task, needs, at))
    }

    /// At most `limit` things to do at `now` that need nothing else first: what the owner sends leads,
    /// then what prepares it, then the rest; of each the longest waiting first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn due_jobs(&self, now: Millis, limit: usize) -> Result<Vec<Job>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "{COLUMNS} WHERE next_attempt <= ?1
                 AND NOT EXISTS (SELECT 1 FROM job_needs WHERE job = jobs.id)
             ORDER BY kind, next_attempt, id LIMIT ?2"
        ))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let due = statement.query_map(params![Col(now), limit], job)?;
        Ok(due.collect::<Result<_, _>>()?)
    }

    /// What waits to be stored in a drawer of a mailbox.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn waiting_stores(
        &self,
        mailbox: &AccountId,
        namespace: Namespace,
    ) -> Result<Vec<JobId>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM jobs
             WHERE target = ?1 AND namespace = ?2 AND next_attempt IS NOT NULL ORDER BY id",
        )?;
        let waiting =
            statement.query_map(params![Col(mailbox), namespace.number()], |row| row.get(0))?;
        Ok(waiting.collect::<Result<_, _>>()?)
    }

    /// What is still to be done for a message, given up or not.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn jobs_of(&self, message: MessageId) -> Result<Vec<Job>, DatabaseError> {
        let query = format!("{COLUMNS} WHERE message_id = ?1 ORDER BY id");
        let mut statement = self.connection.prepare_cached(&query)?;
        let jobs = statement.query_map([message], job)?.collect::<Result<_, _>>()?;
        Ok(jobs)
    }

    /// What can be done for a message: what needs nothing else first and was not given up.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn ready_jobs_of(&self, message: MessageId) -> Result<Vec<Job>, DatabaseError> {
        let query = format!(
            "{COLUMNS} WHERE message_id = ?1 AND next_attempt IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM job_needs WHERE job = jobs.id) ORDER BY id"
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let jobs = statement.query_map([message], job)?.collect::<Result<_, _>>()?;
        Ok(jobs)
    }

    /// When the next thing is to be done; `None` where nothing waits.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn next_attempt(&self) -> Result<Option<Millis>, DatabaseError> {
        let next: Option<Col<Millis>> = self
            .connection
            .prepare_cached(
                "SELECT next_attempt FROM jobs WHERE next_attempt IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM job_needs WHERE job = jobs.id)
                 ORDER BY next_attempt, id LIMIT 1",
            )?
            .query_row([], |row| row.get(0))
            .optional()?;
        Ok(next.map(|next| next.0))
    }

    /// As [`Tx::job_done`].
    ///
    /// # Errors
    /// Where the database fails; then nothing changes.
    pub fn job_done(
        &mut self,
        id: JobId,
        hash: Option<&MessageHash>,
        now: Millis,
    ) -> Result<(), DatabaseError> {
        self.transact(|tx| tx.job_done(id, hash, now))
    }

    /// As [`Tx::job_failed`].
    ///
    /// # Errors
    /// Where the database fails; then nothing changes.
    pub fn job_failed(
        &mut self,
        id: JobId,
        next_attempt: Option<Millis>,
        reason: Option<&str>,
    ) -> Result<(), DatabaseError> {
        self.transact(|tx| tx.job_failed(id, next_attempt, reason))
    }

    /// Takes up again what was given up of a failed message; false where there is nothing left to
    /// take up, and the message must be sealed again.
    ///
    /// # Errors
    /// Where the database fails; then nothing changes.
    pub fn resend(&mut self, message: MessageId, now: Millis) -> Result<bool, DatabaseError> {
        self.transact(|tx| {
            let revived = tx.connection.execute(
                "UPDATE jobs SET next_attempt = ?2, attempts = 0
                 WHERE message_id = ?1 AND next_attempt IS NULL",
                params![message, Col(now)],
            )?;
            if revived > 0 {
                tx.set_pending(message)?;
            }
            Ok(revived > 0)
        })
    }
}

impl Tx<'_> {
    /// Saves something to be done from `at` on, and not before all that it needs is done.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where its message, its file or what it needs is gone.
    pub fn add_job(
        &self,
        task: &Task,
        needs: &[JobId],
        at: Millis,
    ) -> Result<JobId, DatabaseError> {
        let id = self.insert_job(task, at).map_err(gone)?;
        let mut need =
            self.connection.prepare_cached("INSERT INTO job_needs (job, needs) VALUES (?1, ?2)")?;
        for needed in needs {
            need.execute(params![id, needed]).map_err(gone)?;
        }
        Ok(id)
    }

    fn insert_job(&self, task: &Task, at: Millis) -> rusqlite::Result<JobId> {
        let columns = Columns::of(task, at);
        self.connection
            .prepare_cached(
                "INSERT INTO jobs (kind, message_id, attachment, purpose, target, namespace, data,
                     name, timestamp, ttl, next_attempt)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING id",
            )?
            .query_row(
                params![
                    columns.kind,
                    columns.message,
                    columns.attachment,
                    columns.purpose.number(),
                    columns.target.map(Col),
                    columns.namespace.map(Namespace::number),
                    columns.data,
                    columns.name,
                    Col(columns.timestamp),
                    Col(columns.ttl),
                    Col(at),
                ],
                |row| row.get(0),
            )
    }

    /// Takes a job out that was done, a store under `hash`, at `now`.
    ///
    /// The message is sent once nothing of it waits that its recipient needs; what follows a job is
    /// to be added before it is taken out. The hash of a copy in the mailbox that the message is
    /// fetched from is kept as its name there. A job that another process did first is passed over.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn job_done(
        &self,
        id: JobId,
        hash: Option<&MessageHash>,
        now: Millis,
    ) -> Result<(), DatabaseError> {
        let taken: Option<(Option<MessageId>, Option<Col<AccountId>>)> = self
            .connection
            .prepare_cached("DELETE FROM jobs WHERE id = ?1 RETURNING message_id, target")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((Some(message), target)) = taken else { return Ok(()) };
        if let (Some(hash), Some(Col(target))) = (hash, target) {
            self.note_hash(message, &target, hash)?;
        }
        self.connection
            .prepare_cached(
                "UPDATE messages SET state = ?2, failure = NULL,
                     expires_at = iif(expiry_mode = 0, NULL, ?4 + expiry_timer * 1000)
                 WHERE id = ?1 AND state = ?3 AND NOT EXISTS
                     (SELECT 1 FROM jobs WHERE message_id = ?1 AND purpose = 0)",
            )?
            .execute(params![
                message,
                MessageState::Sent.number(),
                MessageState::Pending.number(),
                Col(now),
            ])?;
        Ok(())
    }

    /// Notes that a job was tried in vain: it is tried again at `next_attempt`, or given up, and
    /// then its message says `reason`.
    ///
    /// A copy for the owner's other devices that is given up goes silently, unless it was all that
    /// waited. A job that is gone is passed over.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn job_failed(
        &self,
        id: JobId,
        next_attempt: Option<Millis>,
        reason: Option<&str>,
    ) -> Result<(), DatabaseError> {
        let message: Option<Option<MessageId>> = self
            .connection
            .prepare_cached(
                "UPDATE jobs SET attempts = attempts + 1, next_attempt = ?2 WHERE id = ?1
                 RETURNING message_id",
            )?
            .query_row(params![id, next_attempt.map(Col)], |row| row.get(0))
            .optional()?;
        match (message, next_attempt) {
            (None, _) | (_, Some(_)) => Ok(()),
            (Some(None), None) => self.drop_job(id),
            (Some(Some(message)), None) => self.give_up(id, message, reason),
        }
    }

    /// Whether the message fails decides whether the job is kept for a resend.
    fn give_up(
        &self,
        id: JobId,
        message: MessageId,
        reason: Option<&str>,
    ) -> Result<(), DatabaseError> {
        let failed = self
            .connection
            .prepare_cached(
                "UPDATE messages SET state = ?3, failure = ?5 WHERE id = ?1 AND state = ?4
                     AND (EXISTS (SELECT 1 FROM jobs WHERE id = ?2 AND purpose = 0) OR NOT EXISTS
                         (SELECT 1 FROM jobs WHERE message_id = ?1 AND id <> ?2))",
            )?
            .execute(params![
                message,
                id,
                MessageState::Failed.number(),
                MessageState::Pending.number(),
                reason,
            ])?;
        if failed > 0 {
            return Ok(());
        }
        let delete = "DELETE FROM jobs WHERE id = ?1 AND purpose = 1";
        self.connection.prepare_cached(delete)?.execute([id])?;
        Ok(())
    }

    /// A job of no message goes, and with it what waits for it.
    fn drop_job(&self, id: JobId) -> Result<(), DatabaseError> {
        self.connection
            .prepare_cached(
                "WITH RECURSIVE doomed (id) AS (
                     SELECT ?1 UNION SELECT job FROM job_needs JOIN doomed ON needs = doomed.id)
                 DELETE FROM jobs WHERE id IN (SELECT id FROM doomed)",
            )?
            .execute([id])?;
        Ok(())
    }

    /// Says that a failed message is on its way again: after jobs were added that store it anew.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_pending(&self, message: MessageId) -> Result<(), DatabaseError> {
        let update = "UPDATE messages SET state = ?2, failure = NULL WHERE id = ?1 AND state = ?3";
        let (pending, failed) = (MessageState::Pending.number(), MessageState::Failed.number());
        self.connection.prepare_cached(update)?.execute(params![message, pending, failed])?;
        Ok(())
    }

    /// Keeps a message's name in the mailbox that it is fetched from.
    fn note_hash(
        &self,
        message: MessageId,
        target: &AccountId,
        hash: &MessageHash,
    ) -> Result<(), DatabaseError> {
        // A row that was fetched before this one was queued cannot have this hash: its timestamp
        // would have been taken. OR IGNORE is for a node that answers nonsense.
        self.connection
            .prepare_cached(
                "UPDATE OR IGNORE messages SET hash = ?2 WHERE id = ?1 AND hash IS NULL
                     AND (conversation = ?3 AND substr(?3, 1, 1) = x'03' OR ?4)",
            )?
            .execute(params![message, Col(hash), Col(target), target == self.account()])?;
        Ok(())
    }
}

/// A task in columns.
struct Columns<'a> {
    kind: i64,
    message: Option<MessageId>,
    attachment: Option<AttachmentId>,
    purpose: Purpose,
    target: Option<&'a AccountId>,
    namespace: Option<Namespace>,
    data: Vec<u8>,
    name: Option<&'a str>,
    timestamp: Millis,
    ttl: Millis,
}

impl<'a> Columns<'a> {
    fn of(task: &'a Task, at: Millis) -> Self {
        let empty = Self {
            kind: 0,
            message: None,
            attachment: None,
            purpose: Purpose::Recipient,
            target: None,
            namespace: None,
            data: Vec::new(),
            name: None,
            timestamp: at,
            ttl: 0,
        };
        match task {
            Task::Store { message, copy } => Self {
                message: *message,
                purpose: copy.purpose,
                target: Some(&copy.target),
                namespace: Some(copy.namespace),
                data: copy.data.clone(),
                timestamp: copy.timestamp,
                ttl: copy.ttl,
                ..empty
            },
            Task::Seal { message } => Self { kind: 1, message: Some(*message), ..empty },
            Task::Upload { message, attachment } => {
                Self { kind: 2, message: Some(*message), attachment: Some(*attachment), ..empty }
            }
            Task::Delete { mailbox, hashes } => Self {
                kind: 3,
                target: Some(mailbox),
                data: hashes.iter().flat_map(|hash| *hash.as_bytes()).collect(),
                ..empty
            },
            Task::DeleteAll { mailbox } => Self { kind: 4, target: Some(mailbox), ..empty },
            Task::Other { name, message, target, data } => Self {
                kind: 5,
                message: *message,
                target: target.as_ref(),
                data: data.clone(),
                name: Some(name),
                ..empty
            },
        }
    }
}

fn gone(error: rusqlite::Error) -> DatabaseError {
    let is_gone = error
        .sqlite_error()
        .is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY);
    if is_gone { DatabaseError::Gone } else { error.into() }
}

/// A column that its kind of job always has.
fn required<T: FromSql>(row: &Row<'_>, at: usize) -> rusqlite::Result<T> {
    row.get(at)
}

fn task(row: &Row<'_>) -> rusqlite::Result<Task> {
    let target = || required::<Col<AccountId>>(row, 5).map(|target| target.0);
    Ok(match row.get::<_, i64>(1)? {
        0 => Task::Store {
            message: row.get(2)?,
            copy: SealedCopy {
                purpose: row.get(4)?,
                target: target()?,
                namespace: Namespace::new(required(row, 6)?),
                data: row.get(7)?,
                timestamp: row.get::<_, Col<Millis>>(9)?.0,
                ttl: row.get::<_, Col<Millis>>(10)?.0,
            },
        },
        1 => Task::Seal { message: required(row, 2)? },
        2 => Task::Upload { message: required(row, 2)?, attachment: required(row, 3)? },
        3 => Task::Delete { mailbox: target()?, hashes: hashes(&row.get::<_, Vec<u8>>(7)?) },
        4 => Task::DeleteAll { mailbox: target()? },
        5 => Task::Other {
            name: required(row, 8)?,
            message: row.get(2)?,
            target: row.get::<_, Option<Col<AccountId>>>(5)?.map(|target| target.0),
            data: row.get(7)?,
        },
        other => {
            let error = FromSqlError::OutOfRange(other);
            let kind = rusqlite::types::Type::Integer;
            return Err(rusqlite::Error::FromSqlConversionFailure(1, kind, Box::new(error)));
        }
    })
}

/// Hashes that lie one after the other.
pub(super) fn hashes(bytes: &[u8]) -> Vec<MessageHash> {
    bytes
        .chunks_exact(32)
        .filter_map(|hash| hash.try_into().ok())
        .map(MessageHash::from_bytes)
        .collect()
}

fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: row.get(0)?,
        task: task(row)?,
        attempts: row.get(11)?,
        next_attempt: row.get::<_, Option<Col<Millis>>>(12)?.map(|next| next.0),
    })
}
