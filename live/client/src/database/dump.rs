//! An account's database as a stream that says what is in it, and back: for backups.
//!
//! The stream leaves this module for the sealing of an archive alone, and on the disk there are
//! encrypted databases only. It is read in one transaction, so it is of one moment, and writers go on
//! meanwhile. What follows from the rest, indices and the words of the search, is not in it.
//!
//! ```text
//! record   length u32 LE || kind u8 || body
//! kinds    1 version      the schema's steps, i64 LE
//!          2 table        name, SQL
//!          3 rows of      name, then the names of columns
//!          4 row          values
//!          5 afterwards   SQL: index, view, trigger, virtual table
//!          6 end
//! text     length u32 LE || UTF-8        value   0 | 1 i64 LE | 2 f64 LE | 3 text | 4 length u32 LE || bytes
//! ```
//!
//! Rows come in the order in which they lie, so that a part of a database that does not change gives
//! the same bytes again.

mod load;
mod record;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use warren_crypto::Secret;
use warren_wire::AccountId;

pub(crate) use load::Load;

use super::error::DatabaseError;
use super::index::AccountKeys;
use super::{connection, schema};
use crate::vault::Vault;
use record::{Kind, RecordWriter};

/// Why there is no dump, or none can be loaded.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Whoever takes the bytes.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The bytes are no dump.
    #[error("the copy of a database makes no sense: {0}")]
    Content(&'static str),
}

impl From<rusqlite::Error> for DumpError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

/// One account's database, to be dumped.
pub(crate) struct Dump {
    path: PathBuf,
    key: Secret<32>,
    owner: AccountId,
}

impl Dump {
    /// The database of an account.
    pub(crate) fn of(vault: &Vault, keys: &AccountKeys) -> Self {
        let path = vault.home().database_file(&keys.file);
        Self { path, key: keys.db_key.duplicate(), owner: keys.entry.id }
    }

    /// What the files look like: as long as that stays, so does what is in them.
    pub(crate) fn state(&self) -> Vec<u8> {
        let log = self.path.with_extension("db-wal");
        let looks: Vec<String> = [self.path.as_path(), &log].into_iter().map(looks).collect();
        looks.join(" ").into_bytes()
    }

    /// About how many bytes there are.
    pub(crate) fn size_hint(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// Writes the stream.
    pub(crate) fn write(self, to: &mut dyn Write) -> Result<(), DumpError> {
        let connection =
            connection::open(&self.path, &self.key, Some(&self.owner), &schema::ACCOUNT)?;
        dump(&connection, to)
    }
}

/// Size and time of a file; one that is empty is as good as none.
fn looks(path: &Path) -> String {
    let metadata = fs::metadata(path).ok().filter(|metadata| metadata.len() > 0);
    let looks = metadata.map(|metadata| {
        let modified =
            metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        format!("{} {}", metadata.len(), modified.map_or(0, |time| time.as_nanos()))
    });
    looks.unwrap_or_default()
}

fn dump(connection: &Connection, to: &mut dyn Write) -> Result<(), DumpError> {
    let transaction = connection.unchecked_transaction()?;
    let mut records = RecordWriter::new(to);
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    records.begin(Kind::Version).bytes(&version.to_le_bytes()).end()?;
    let tables = tables(&transaction)?;
    for (name, sql) in &tables {
        if let Some(sql) = sql {
            records.begin(Kind::Table).text(name).text(sql).end()?;
        }
    }
    for (name, _) in &tables {
        rows(&transaction, name, &mut records)?;
    }
    let mut afterwards = transaction.prepare(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND (type <> 'table'
             OR name IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual'))
         ORDER BY rowid",
    )?;
    let mut afterwards = afterwards.query([])?;
    while let Some(row) = afterwards.next()? {
        let sql: String = row.get(0)?;
        records.begin(Kind::Afterwards).text(&sql).end()?;
    }
    records.begin(Kind::End).end()?;
    Ok(())
}

/// The tables that hold something of their own, and what makes them. The table of numbers that were
/// used is SQLite's, and has no making.
fn tables(connection: &Connection) -> Result<Vec<(String, Option<String>)>, DumpError> {
    let mut statement = connection.prepare(
        "SELECT name, iif(name = 'sqlite_sequence', NULL, sql) FROM sqlite_schema
         WHERE name IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table')
             AND (name NOT LIKE 'sqlite!_%' ESCAPE '!' OR name = 'sqlite_sequence')
         ORDER BY name = 'sqlite_sequence', rowid",
    )?;
    let tables = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(tables.collect::<Result<_, _>>()?)
}

fn rows(
    connection: &Connection,
    table: &str,
    records: &mut RecordWriter<'_>,
) -> Result<(), DumpError> {
    // Columns that are computed have another `hidden`.
    let columns = "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY cid";
    let mut statement = connection.prepare(columns)?;
    let columns = statement.query_map([table], |row| row.get(0))?;
    let columns: Vec<String> = columns.collect::<Result<_, _>>()?;
    let record = records.begin(Kind::RowsOf).text(table);
    columns.iter().fold(record, |record, column| record.text(column)).end()?;
    let list: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    let query = format!("SELECT {} FROM {}", list.join(", "), quoted(table));
    let mut statement = connection.prepare(&query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut record = records.begin(Kind::Row);
        for at in 0..columns.len() {
            record = match row.get_ref(at)? {
                ValueRef::Null => record.bytes(&[0]),
                ValueRef::Integer(number) => record.bytes(&[1]).bytes(&number.to_le_bytes()),
                ValueRef::Real(number) => record.bytes(&[2]).bytes(&number.to_le_bytes()),
                ValueRef::Text(text) => record.bytes(&[3]).counted(text),
                ValueRef::Blob(blob) => record.bytes(&[4]).counted(blob),
            };
        }
        record.end()?;
    }
    Ok(())
}

/// A name in SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
