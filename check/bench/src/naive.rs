//! What a person's database is compared with: the same messages in SQLCipher, as one would put them
//! there first.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use warren_client::database::{Content, Fetched};

use crate::Outcome;

/// A raw key, so that nothing is derived from it; the same durability as ours.
const OPEN: &str = "
    PRAGMA key = \"x'5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'\";
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA cache_size = -8192;";

/// The columns that these messages fill, the indexes that their pages and their hashes need, and a
/// full-text index as it comes.
const SCHEMA: &str = "
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation BLOB NOT NULL,
        author BLOB NOT NULL,
        outgoing INTEGER NOT NULL,
        timestamp INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        read INTEGER NOT NULL,
        hash BLOB UNIQUE,
        fingerprint BLOB UNIQUE,
        body TEXT
    );
    CREATE INDEX messages_of_conversation ON messages (conversation, timestamp, id);
    CREATE VIRTUAL TABLE search USING fts5 (body, content = 'messages', content_rowid = 'id');
    CREATE TRIGGER search_gains AFTER INSERT ON messages BEGIN
        INSERT INTO search (rowid, body) VALUES (NEW.id, NEW.body);
    END;";

/// A file of SQLCipher.
pub(crate) struct Naive {
    path: PathBuf,
    connection: Connection,
}

impl Naive {
    pub(crate) fn create(path: &Path) -> Outcome<Self> {
        let connection = open(path)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { path: path.to_owned(), connection })
    }

    /// Keeps messages in one transaction.
    pub(crate) fn record(&mut self, messages: &[Fetched]) -> Outcome<()> {
        let transaction = self.connection.transaction()?;
        for message in messages {
            let Content::Text(body) = &message.content else { return Err("no text".into()) };
            transaction
                .prepare_cached(
                    "INSERT OR IGNORE INTO messages (conversation, author, outgoing, timestamp,
                         received_at, read, hash, fingerprint, body)
                     VALUES (?, ?, 0, ?, ?, 0, ?, ?, ?)",
                )?
                .execute(params![
                    message.conversation.as_bytes(),
                    message.author.as_bytes(),
                    i64::try_from(message.timestamp)?,
                    i64::try_from(message.received_at)?,
                    message.hash.as_bytes(),
                    message.fingerprint,
                    body,
                ])?;
        }
        Ok(transaction.commit()?)
    }

    /// Opens the file anew and reads the list of conversations.
    pub(crate) fn cold_list(&self, limit: usize) -> Outcome<usize> {
        list(&open(&self.path)?, limit)
    }

    /// Reads the list of conversations: each with its newest message and what is unread in it.
    pub(crate) fn list(&self, limit: usize) -> Outcome<usize> {
        list(&self.connection, limit)
    }

    /// Reads the newest messages of a conversation.
    pub(crate) fn page(&self, conversation: &[u8], limit: usize) -> Outcome<usize> {
        let query = "SELECT * FROM messages WHERE conversation = ?
                     ORDER BY timestamp DESC, id DESC LIMIT ?";
        let mut statement = self.connection.prepare_cached(query)?;
        let rows = statement.query_map(params![conversation, i64::try_from(limit)?], |row| {
            Ok((row.get::<_, Vec<u8>>("author")?, row.get::<_, String>("body")?))
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.len())
    }

    /// Looks for words, the last of which may go on; the newest, or the best.
    pub(crate) fn search(&self, text: &str, best: bool, limit: usize) -> Outcome<usize> {
        let mut words: Vec<_> = text.split_whitespace().map(|it| format!("\"{it}\"")).collect();
        if let (false, Some(last)) = (text.ends_with(' '), words.last_mut()) {
            last.push('*');
        }
        let order = if best { "search.rank" } else { "timestamp DESC" };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT messages.*, snippet(search, 0, '[', ']', '', 16) AS snippet
             FROM search JOIN messages ON messages.id = search.rowid
             WHERE search MATCH ? ORDER BY {order} LIMIT ?"
        ))?;
        let rows = statement.query_map(params![words.join(" "), i64::try_from(limit)?], |row| {
            Ok((row.get::<_, String>("body")?, row.get::<_, String>("snippet")?))
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.len())
    }

    /// How large the file is.
    pub(crate) fn bytes(&self) -> Outcome<u64> {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.connection.query_row(checkpoint, [], |_| Ok(()))?;
        Ok(fs::metadata(&self.path)?.len())
    }
}

fn open(path: &Path) -> Outcome<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(OPEN)?;
    Ok(connection)
}

fn list(connection: &Connection, limit: usize) -> Outcome<usize> {
    let mut statement = connection.prepare_cached(
        "SELECT conversation, max(timestamp) AS newest, body, sum(1 - read) FROM messages
         GROUP BY conversation ORDER BY newest DESC LIMIT ?",
    )?;
    let rows = statement.query_map([i64::try_from(limit)?], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(2)?, row.get::<_, i64>(3)?))
    })?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?.len())
}
