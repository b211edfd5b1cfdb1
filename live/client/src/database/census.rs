//! What a database holds, counted and hashed: two that hold the same give the same.

use rusqlite::types::ValueRef;
use warren_crypto::hash::SaltedBlake2b;

use super::account::AccountDb;
use super::attachments::LocalFile;
use super::column::Col;
use super::error::DatabaseError;

/// What of a database must be the same after it came back from a backup. What [`super::restored`]
/// settles is not in it, and neither is what the network or the clock changes by itself.
const HELD: [&str; 12] = [
    "SELECT id, conversation, author, outgoing, kind, body, content_raw, timestamp FROM messages",
    "SELECT account_id, name, petname, approved, approved_me, blocked FROM contacts",
    "SELECT id, priority, archived, is_request, muted_until, notify, draft FROM conversations",
    "SELECT id, name, auth, admin_seed, state FROM groups",
    "SELECT id, message_id, position, name, caption, size, key, file, file_key FROM attachments",
    "SELECT * FROM reactions",
    "SELECT * FROM settings",
    "SELECT * FROM tombstones",
    "SELECT owner, url, key, image FROM pictures",
    "SELECT * FROM held_shares",
    "SELECT * FROM given_shares",
    "SELECT owner, set_id, number, threshold, secret, inbox FROM held_tripwires",
];
/// Says that the hash is this one.
const SALT: &[u8; 16] = b"warren census  1";

/// What a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Conversations, with people and in groups.
    pub conversations: u64,
    /// Messages in them.
    pub messages: u64,
    /// People who are known.
    pub contacts: u64,
    /// Of all that a person can tell apart.
    pub digest: [u8; 32],
}

impl AccountDb {
    /// Counts and hashes what is here, in one transaction. Reads everything.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn held(&self) -> Result<Held, DatabaseError> {
        let transaction = self.connection.unchecked_transaction()?;
        let count = |table: &str| -> Result<u64, DatabaseError> {
            let query = format!("SELECT count(*) FROM {table}");
            let count: i64 = transaction.query_row(&query, [], |row| row.get(0))?;
            u64::try_from(count).map_err(|_| DatabaseError::Damaged)
        };
        let mut hash = SaltedBlake2b::<32>::new(SALT).map_err(|_| DatabaseError::Damaged)?;
        for query in HELD {
            let mut statement = transaction.prepare(query)?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            hash.update(b"table");
            while let Some(row) = rows.next()? {
                hash.update(b"row");
                for at in 0..columns {
                    take(&mut hash, row.get_ref(at)?);
                }
            }
        }
        Ok(Held {
            conversations: count("conversations")?,
            messages: count("messages")?,
            contacts: count("contacts")?,
            digest: hash.finish().map_err(|_| DatabaseError::Damaged)?,
        })
    }

    /// Every file that belongs to a message, and every small picture of one, that is said to be here.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn files_here(&self) -> Result<Vec<LocalFile>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT file, file_key, file_size FROM attachments WHERE file IS NOT NULL
             UNION SELECT thumbnail, thumbnail_key, thumbnail_size FROM attachments
                 WHERE thumbnail IS NOT NULL",
        )?;
        let mut rows = statement.query([])?;
        let mut files = Vec::new();
        while let Some(row) = rows.next()? {
            let (Col(key), Col(size)) = (row.get(1)?, row.get(2)?);
            files.push(LocalFile { name: row.get(0)?, key, size });
        }
        Ok(files)
    }
}

/// Takes a value in, told apart from every other.
fn take(hash: &mut SaltedBlake2b<32>, value: ValueRef<'_>) {
    let (kind, number): (&[u8], [u8; 8]) = match value {
        ValueRef::Null => (b"0", [0; 8]),
        ValueRef::Integer(number) => (b"1", number.to_le_bytes()),
        ValueRef::Real(number) => (b"2", number.to_le_bytes()),
        ValueRef::Text(bytes) => (b"3", (bytes.len() as u64).to_le_bytes()),
        ValueRef::Blob(bytes) => (b"4", (bytes.len() as u64).to_le_bytes()),
    };
    hash.update(kind);
    hash.update(&number);
    if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = value {
        hash.update(bytes);
    }
}
