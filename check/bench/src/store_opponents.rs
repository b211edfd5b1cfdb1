//! What a storage engine is compared with: a log that does nothing but last, and the tables of Session's nodes.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::{mpsc, oneshot};
use warren_wire::record::MessageRecord;
use warren_wire::{AccountId, Millis};

use crate::Outcome;

/// How many messages may wait for the log's writer.
const QUEUE: usize = 1_024;

/// Messages appended to one file, those that wait together made durable together; nothing can be
/// found again. No engine that acknowledges what would survive a power cut is faster for long.
pub(crate) struct AppendLog {
    queue: Option<mpsc::Sender<Entry>>,
    writer: Option<JoinHandle<()>>,
}

struct Entry {
    message: MessageRecord,
    durable: oneshot::Sender<io::Result<()>>,
}

impl AppendLog {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::create_new(path)?;
        let (queue, entries) = mpsc::channel(QUEUE);
        let writer = thread::Builder::new().name("log-writer".into());
        let writer = writer.spawn(move || write_groups(file, entries))?;
        Ok(Self { queue: Some(queue), writer: Some(writer) })
    }

    /// Returns when the message is on the disk.
    pub(crate) async fn append(&self, message: MessageRecord) -> Outcome<()> {
        let (durable, is_durable) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or("the log is closed")?;
        queue.send(Entry { message, durable }).await.map_err(|_| "the log's writer ended")?;
        Ok(is_durable.await??)
    }
}

impl Drop for AppendLog {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            // What it failed with was told to whoever waited.
            let _ = writer.join();
        }
    }
}

fn write_groups(mut file: File, mut entries: mpsc::Receiver<Entry>) {
    let mut group = Vec::new();
    while entries.blocking_recv_many(&mut group, QUEUE) > 0 {
        let outcome = write_group(&mut file, &group);
        for entry in group.drain(..) {
            let outcome = outcome.as_ref().map_err(|error| error.kind().into()).copied();
            // Nobody waits any more where the measurement was broken off.
            let _ = entry.durable.send(outcome);
        }
    }
}

fn write_group(file: &mut File, group: &[Entry]) -> io::Result<()> {
    let mut bytes = Vec::new();
    for Entry { message, .. } in group {
        bytes.extend_from_slice(message.owner.as_bytes());
        bytes.extend_from_slice(message.hash.as_bytes());
        bytes.extend_from_slice(&message.timestamp.to_be_bytes());
        bytes.extend_from_slice(&message.expiry.to_be_bytes());
        bytes.extend_from_slice(&message.data.len().to_be_bytes());
        bytes.extend_from_slice(&message.data);
    }
    file.write_all(&bytes)?;
    file.sync_data()
}

/// The tables and indices that the wire spec gives for Session's nodes (section 4, "DB").
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE owners (
        id INTEGER PRIMARY KEY,
        type INTEGER NOT NULL,
        pubkey BLOB NOT NULL,
        UNIQUE (pubkey, type)
    );
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY,
        hash TEXT NOT NULL UNIQUE,
        owner INTEGER NOT NULL REFERENCES owners (id),
        namespace INTEGER NOT NULL DEFAULT 0,
        timestamp INTEGER NOT NULL,
        expiry INTEGER NOT NULL,
        data BLOB NOT NULL
    );
    CREATE INDEX messages_expiry ON messages (expiry);
    CREATE INDEX messages_owner ON messages (owner, namespace, timestamp);";

/// Session's tables in SQLite as Session's nodes use them: WAL, `synchronous = NORMAL`, each
/// message a transaction of its own. A power cut takes what was acknowledged since the last
/// checkpoint.
pub(crate) struct SessionTables {
    connection: Connection,
}

impl SessionTables {
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection })
    }

    pub(crate) fn store(&mut self, message: &MessageRecord) -> Outcome<()> {
        let transaction = self.connection.transaction()?;
        let [kind, key @ ..] = message.owner.as_bytes();
        let known: Option<i64> = transaction
            .prepare_cached("SELECT id FROM owners WHERE pubkey = ? AND type = ?")?
            .query_row(params![key, kind], |row| row.get(0))
            .optional()?;
        let owner = match known {
            Some(id) => id,
            None => transaction
                .prepare_cached("INSERT INTO owners (pubkey, type) VALUES (?, ?)")?
                .insert(params![key, kind])?,
        };
        transaction
            .prepare_cached(
                "INSERT INTO messages (hash, owner, namespace, timestamp, expiry, data)
                 VALUES (?, ?, ?, ?, ?, ?)
                 ON CONFLICT (hash) DO UPDATE SET expiry = max(expiry, excluded.expiry)",
            )?
            .execute(params![
                message.hash.to_string(),
                owner,
                message.namespace.number(),
                i64::try_from(message.timestamp)?,
                i64::try_from(message.expiry)?,
                message.data,
            ])?;
        Ok(transaction.commit()?)
    }

    /// Reads a mailbox and says how many messages lie there.
    pub(crate) fn retrieve(&self, owner: &AccountId, now: Millis) -> Outcome<usize> {
        let [kind, key @ ..] = owner.as_bytes();
        let mut statement = self.connection.prepare_cached(
            "SELECT hash, timestamp, expiry, data FROM messages
             WHERE owner = (SELECT id FROM owners WHERE pubkey = ? AND type = ?)
               AND namespace = 0 AND expiry > ?
             ORDER BY id",
        )?;
        let messages = statement.query_map(params![key, kind, i64::try_from(now)?], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, Vec<u8>>(3)?,
            ))
        })?;
        Ok(messages.collect::<Result<Vec<_>, _>>()?.len())
    }
}
