//! A dump becomes an encrypted database under a key of its own.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params_from_iter};
use warren_crypto::Secret;

use super::record::{Body, Kind, RecordReader};
use super::{DumpError, quoted};
use crate::database::error::DatabaseError;
use crate::database::{connection, schema};

/// What is half loaded is thrown away as a whole, so nothing of it need be kept in order meanwhile.
/// Indices are sorted in memory: a temporary file would not be encrypted.
const IN_HASTE: &str = "PRAGMA journal_mode = OFF;
     PRAGMA synchronous = OFF;
     PRAGMA foreign_keys = OFF;
     PRAGMA temp_store = MEMORY;
     PRAGMA cache_size = -32768;
     PRAGMA trusted_schema = OFF;
     BEGIN";

/// A database that is being loaded.
pub(crate) struct Load {
    connection: Connection,
    path: PathBuf,
    records: RecordReader,
    /// The statement that puts a row in, and how many values it takes.
    insert: Option<(String, usize)>,
    afterwards: Vec<String>,
    version: i64,
    ended: bool,
}

impl Load {
    /// Begins a database in a file that does not exist.
    pub(crate) fn begin(path: &Path, key: &Secret<32>) -> Result<Self, DumpError> {
        let connection = connection::open_bare(path, key)?;
        connection.execute_batch(IN_HASTE)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            records: RecordReader::default(),
            insert: None,
            afterwards: Vec::new(),
            version: 0,
            ended: false,
        })
    }

    /// Takes the next bytes of the stream.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), DumpError> {
        self.records.push(bytes);
        while let Some((kind, body)) = self.records.next()? {
            if self.ended {
                return Err(DumpError::Content("there is more behind its end"));
            }
            match kind {
                Kind::Version => {
                    self.version = version(body)?;
                }
                Kind::Table => make_table(&self.connection, body)?,
                Kind::RowsOf => self.insert = Some(begin_rows(&self.connection, body)?),
                Kind::Row => {
                    let insert = self.insert.as_ref();
                    let insert = insert.ok_or(DumpError::Content("a row of no table"))?;
                    put_row(&self.connection, insert, body)?;
                }
                Kind::Afterwards => self.afterwards.push(made(body)?),
                Kind::End => self.ended = true,
            }
        }
        Ok(())
    }

    /// The stream ended: everything that follows from it is made, and the file is on the disk.
    pub(crate) fn finish(self) -> Result<(), DumpError> {
        if !self.ended || !self.records.is_empty() {
            return Err(DumpError::Content("it ends too early"));
        }
        for sql in &self.afterwards {
            self.connection.execute_batch(sql)?;
        }
        let is_there = "SELECT count(*) FROM sqlite_schema WHERE name = 'search'";
        let has_search: i64 = self.connection.query_row(is_there, [], |row| row.get(0))?;
        if has_search > 0 {
            self.connection.execute_batch(schema::SEARCH_FROM_MESSAGES)?;
        }
        self.connection.pragma_update(None, "user_version", self.version)?;
        self.connection.execute_batch("COMMIT")?;
        let mut broken = self.connection.prepare("PRAGMA foreign_key_check")?;
        if broken.exists([])? {
            return Err(DumpError::Content("rows refer to rows that are not there"));
        }
        drop(broken);
        self.connection.close().map_err(|(_, error)| error)?;
        Ok(File::open(&self.path)?.sync_all()?)
    }
}

/// A schema that this program does not know is not loaded.
fn version(mut body: Body<'_>) -> Result<i64, DumpError> {
    let version = i64::from_le_bytes(body.array()?);
    let known = schema::ACCOUNT.steps.len();
    let found = usize::try_from(version).map_err(|_| DumpError::Content("no version"))?;
    if found > known {
        let database = schema::ACCOUNT.database;
        return Err(DatabaseError::NewerSchema { database, found, known }.into());
    }
    Ok(version)
}

fn make_table(connection: &Connection, mut body: Body<'_>) -> Result<(), DumpError> {
    body.text()?;
    Ok(connection.execute_batch(&made(body)?)?)
}

/// SQL that makes something, and does nothing else.
fn made(mut body: Body<'_>) -> Result<String, DumpError> {
    let sql = body.text()?;
    if sql.starts_with("CREATE ") {
        Ok(sql.to_owned())
    } else {
        Err(DumpError::Content("no schema"))
    }
}

fn begin_rows(connection: &Connection, mut body: Body<'_>) -> Result<(String, usize), DumpError> {
    let table = body.text()?;
    let mut columns = Vec::new();
    while !body.is_empty() {
        columns.push(quoted(body.text()?));
    }
    if table == "sqlite_sequence" {
        connection.execute_batch("DELETE FROM sqlite_sequence")?;
    }
    let places = vec!["?"; columns.len()].join(", ");
    let insert =
        format!("INSERT INTO {} ({}) VALUES ({places})", quoted(table), columns.join(", "));
    Ok((insert, columns.len()))
}

fn put_row(
    connection: &Connection,
    (insert, count): &(String, usize),
    mut body: Body<'_>,
) -> Result<(), DumpError> {
    let values: Vec<_> = (0..*count).map(|_| body.value()).collect::<Result<_, _>>()?;
    if !body.is_empty() {
        return Err(DumpError::Content("a row has too many values"));
    }
    connection.prepare_cached(insert)?.execute(params_from_iter(values))?;
    Ok(())
}
