//! Whether the database is whole, how large it is, and giving unused room back.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::account::AccountDb;
use super::error::DatabaseError;

/// What an account's database takes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Bytes of the database's pages.
    pub bytes: u64,
    /// How many of these are unused, and come back with [`AccountDb::compact`].
    pub unused: u64,
    /// How many messages there are.
    pub messages: u64,
}

/// Something that is not as it should be; for a person to read. It holds no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub String);

/// What the list of conversations says otherwise than the messages.
const MISCOUNTED: &str = "
SELECT count(*) FROM conversations c WHERE
    (unread, mentioned, last_message) IS NOT (
        (SELECT count(*) FROM messages WHERE conversation = c.id AND read = 0),
        (SELECT count(*) FROM messages WHERE conversation = c.id AND read = 0 AND mentions_me = 1),
        (SELECT id FROM messages WHERE conversation = c.id ORDER BY timestamp DESC, id DESC LIMIT 1)
    )";

/// Messages of conversations that have no row.
const UNLISTED: &str = "SELECT count(*) FROM messages
    WHERE conversation NOT IN (SELECT id FROM conversations)";

impl AccountDb {
    /// Looks through the whole database; nothing where it is whole. Takes its time: it reads
    /// every page, proves each page's authenticator, compares indexes with tables, the list of
    /// conversations with the messages, and the full-text index with what they say.
    ///
    /// # Errors
    /// Where the database cannot be read at all.
    pub fn check_integrity(&mut self) -> Result<Vec<Fault>, DatabaseError> {
        let connection = &self.connection;
        let mut faults = told(connection, "PRAGMA cipher_integrity_check")?;
        faults.extend(told(connection, "PRAGMA integrity_check")?);
        let orphans = lines(connection, "PRAGMA foreign_key_check")?.len();
        note(&mut faults, orphans, "rows that belong to nothing");
        for (query, what) in [
            (MISCOUNTED, "conversations that do not fit their messages"),
            (UNLISTED, "messages of conversations that are not listed"),
        ] {
            let count: i64 = connection.query_row(query, [], |row| row.get(0))?;
            note(&mut faults, usize::try_from(count).unwrap_or(usize::MAX), what);
        }
        let searched = "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)";
        if let Err(error) = connection.execute(searched, []) {
            match DatabaseError::from(error) {
                DatabaseError::Damaged => {
                    faults.push(Fault("the search does not fit the messages".to_owned()));
                }
                other => return Err(other),
            }
        }
        Ok(faults)
    }

    /// Sets right what follows from the messages: the list of conversations and the search.
    ///
    /// # Errors
    /// Where the database fails; then nothing changes.
    pub fn rebuild_derived(&mut self) -> Result<(), DatabaseError> {
        self.transact(|tx| {
            tx.connection.execute_batch(
                "INSERT OR IGNORE INTO conversations (id, last_timestamp, created)
                     SELECT conversation, max(timestamp), min(received_at) FROM messages
                     GROUP BY conversation;
                 UPDATE conversations SET
                     unread = (SELECT count(*) FROM messages m
                         WHERE m.conversation = conversations.id AND read = 0),
                     mentioned = (SELECT count(*) FROM messages m
                         WHERE m.conversation = conversations.id AND read = 0 AND mentions_me = 1),
                     last_message = (SELECT m.id FROM messages m
                         WHERE m.conversation = conversations.id
                         ORDER BY timestamp DESC, m.id DESC LIMIT 1);
                 UPDATE conversations SET last_timestamp =
                     (SELECT timestamp FROM messages m WHERE m.id = last_message)
                     WHERE last_message IS NOT NULL;
                 INSERT INTO search (search) VALUES ('rebuild');",
            )?;
            Ok(())
        })
    }

    /// Gives unused room back to the disk: the search's parts are merged, the file is written anew,
    /// its log is emptied. Needs as much free room as the database has.
    ///
    /// # Errors
    /// Where the disk is full or another process is busy with the database; nothing is lost.
    pub fn compact(&mut self) -> Result<(), DatabaseError> {
        self.connection.execute("INSERT INTO search (search) VALUES ('optimize')", [])?;
        self.connection.execute_batch("VACUUM")?;
        self.truncate_log()
    }

    /// Writes the log into the database and empties it: what was deleted is gone from it too.
    ///
    /// # Errors
    /// Where the disk is full or another process is busy with the database.
    pub fn truncate_log(&mut self) -> Result<(), DatabaseError> {
        let query = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: bool = self.connection.query_row(query, [], |row| row.get(0))?;
        if busy { Err(DatabaseError::Busy) } else { Ok(()) }
    }

    /// What the database takes up.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn size(&self) -> Result<Size, DatabaseError> {
        let number = |query: &str| -> Result<u64, DatabaseError> {
            // SQLCipher answers some pragmas with text.
            let number = match self.connection.query_row(query, [], |row| row.get(0))? {
                Value::Integer(number) => u64::try_from(number).ok(),
                Value::Text(digits) => digits.parse().ok(),
                _ => None,
            };
            number.ok_or(DatabaseError::Damaged)
        };
        let page = number("PRAGMA page_size")?;
        Ok(Size {
            bytes: number("PRAGMA page_count")?.saturating_mul(page),
            unused: number("PRAGMA freelist_count")?.saturating_mul(page),
            messages: number("SELECT count(*) FROM messages")?,
        })
    }
}

fn lines(connection: &Connection, pragma: &str) -> Result<Vec<String>, DatabaseError> {
    let mut statement = connection.prepare(pragma)?;
    let found = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(found)
}

/// What a check says, unless it says that all is well.
fn told(connection: &Connection, pragma: &str) -> Result<Vec<Fault>, DatabaseError> {
    let lines = lines(connection, pragma)?;
    Ok(lines.into_iter().filter(|line| line != "ok").map(Fault).collect())
}

fn note(faults: &mut Vec<Fault>, count: usize, what: &str) {
    if count > 0 {
        faults.push(Fault(format!("{count} {what}")));
    }
}
