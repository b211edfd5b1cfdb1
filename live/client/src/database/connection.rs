//! Opens one SQLCipher file: key, durability, silence, migrations.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use warren_crypto::Secret;
use warren_wire::AccountId;

use super::column::Col;
use super::error::DatabaseError;
use super::schema::Schema;
use crate::vault::Home;

/// How long a writer waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// SQLCipher's log goes to stderr unless told otherwise, and a wrong key must leave no line there.
///
/// What SQLCipher makes of a key lies in memory that it locks and wipes. It would do the same with
/// all other memory of SQLite, `cipher_memory_security`, which makes recording a message seven and
/// some searches a hundred times as dear; what is said lies in this process's memory besides.
const BEFORE_KEY: &str = "PRAGMA cipher_log_level = NONE;
     PRAGMA cipher_log = off;";

/// Every commit is on the disk, deleted rows are overwritten, nothing spills into a plain
/// temporary file. Up to 8 MiB of pages stay decrypted in memory: the same ones are read for every
/// message that is recorded.
const AFTER_KEY: &str = "PRAGMA journal_mode = WAL;
     PRAGMA synchronous = FULL;
     PRAGMA foreign_keys = ON;
     PRAGMA secure_delete = ON;
     PRAGMA temp_store = MEMORY;
     PRAGMA cache_size = -8192;
     PRAGMA trusted_schema = OFF;";

/// How many statements stay prepared: more than a message takes that is recorded.
const STATEMENTS: usize = 128;

/// Where steps find whose database it is.
const OWNER: &str = "CREATE TEMP TABLE owner (account BLOB)";

const KEY_START: &[u8] = b"PRAGMA key = \"x'";
const KEY_END: &[u8] = b"'\";";
const KEY_STATEMENT_BYTES: usize = KEY_START.len() + 64 + KEY_END.len();

/// Opens the file, making it where there is none, and brings it to the newest schema. `owner` is
/// whose database it is, where it is one account's.
pub(super) fn open(
    path: &Path,
    key: &Secret<32>,
    owner: Option<&AccountId>,
    schema: &Schema,
) -> Result<Connection, DatabaseError> {
    let mut connection = open_bare(path, key)?;
    connection.execute_batch(AFTER_KEY)?;
    migrate(&mut connection, owner, schema)?;
    Ok(connection)
}

/// Opens the file, making it where there is none, and does nothing else to it.
pub(super) fn open_bare(path: &Path, key: &Secret<32>) -> Result<Connection, DatabaseError> {
    Home::touch(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(BEFORE_KEY)?;
    apply_key(&connection, key)?;
    // The first read is the one that fails where the key is wrong.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// As [`open`], in memory: nothing of it is kept.
pub(super) fn open_in_memory(
    owner: &AccountId,
    schema: &Schema,
) -> Result<Connection, DatabaseError> {
    let mut connection = Connection::open_in_memory()?;
    connection.execute_batch(AFTER_KEY)?;
    migrate(&mut connection, Some(owner), schema)?;
    Ok(connection)
}

/// As [`open`], without encryption: what lies in the file can be read.
#[cfg(test)]
pub(super) fn open_plain(
    path: &Path,
    owner: &AccountId,
    schema: &Schema,
) -> Result<Connection, DatabaseError> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(AFTER_KEY)?;
    migrate(&mut connection, Some(owner), schema)?;
    Ok(connection)
}

/// `PRAGMA key = "x'<64 hex digits>'"`: a raw key, so SQLCipher derives nothing.
fn apply_key(connection: &Connection, key: &Secret<32>) -> Result<(), DatabaseError> {
    let mut statement = [0_u8; KEY_STATEMENT_BYTES];
    let (start, rest) = statement.split_at_mut(KEY_START.len());
    let (digits, end) = rest.split_at_mut(64);
    start.copy_from_slice(KEY_START);
    end.copy_from_slice(KEY_END);
    hex::encode_to_slice(key.expose(), digits).map_err(|_| DatabaseError::Damaged)?;
    let statement = Secret::take(&mut statement);
    let text = std::str::from_utf8(statement.expose()).map_err(|_| DatabaseError::Damaged)?;
    // SQLite's own error would quote the statement, and with it the key.
    connection.execute_batch(text).map_err(|_| DatabaseError::Damaged)
}

/// Applies the schema's steps that the file has not seen, all or none.
fn migrate(
    connection: &mut Connection,
    owner: Option<&AccountId>,
    schema: &Schema,
) -> Result<(), DatabaseError> {
    if version(connection, schema)? == schema.steps.len() {
        return Ok(());
    }
    connection.execute_batch(OWNER)?;
    connection.execute("INSERT INTO temp.owner (account) VALUES (?1)", [owner.map(Col)])?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again: another process may have been first.
    for step in schema.steps.iter().skip(version(&transaction, schema)?) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", schema.version())?;
    transaction.commit()?;
    Ok(connection.execute_batch("DROP TABLE temp.owner")?)
}

fn version(connection: &Connection, schema: &Schema) -> Result<usize, DatabaseError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let found = usize::try_from(found).map_err(|_| DatabaseError::Damaged)?;
    let known = schema.steps.len();
    if found > known {
        return Err(DatabaseError::NewerSchema { database: schema.database, found, known });
    }
    Ok(found)
}
