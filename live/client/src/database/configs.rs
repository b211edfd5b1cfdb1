//! The state of configuration messages, and what the program above sets for the account.

use rusqlite::{OptionalExtension, Row, params};
use warren_crypto::SecretBytes;
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use super::account::AccountDb;
use super::column::Col;
use super::error::DatabaseError;
use super::jobs::hashes;

/// One kind of configuration, of the account or of a group.
#[derive(PartialEq, Eq)]
pub struct ConfigState {
    /// Whose.
    pub owner: AccountId,
    /// Which kind: the drawer it is kept in.
    pub namespace: Namespace,
    /// The whole state, as the configuration's own code writes it: keys of groups are in it.
    pub dump: SecretBytes,
    /// Whether it holds changes that no swarm has.
    pub needs_push: bool,
    /// The number of its newest message.
    pub seqno: i64,
    /// The messages in the swarm that make it up.
    pub hashes: Vec<MessageHash>,
    /// When it was pushed or refreshed last.
    pub pushed_at: Option<Millis>,
}

impl std::fmt::Debug for ConfigState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConfigState({}, seqno {})", self.namespace, self.seqno)
    }
}

const COLUMNS: &str =
    "SELECT owner, namespace, dump, needs_push, seqno, hashes, pushed_at FROM configs";

impl AccountDb {
    /// One configuration, or `None`.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn config(
        &self,
        owner: &AccountId,
        namespace: Namespace,
    ) -> Result<Option<ConfigState>, DatabaseError> {
        let found = self
            .connection
            .prepare_cached(&format!("{COLUMNS} WHERE owner = ?1 AND namespace = ?2"))?
            .query_row(params![Col(owner), namespace.number()], config);
        Ok(found.optional()?)
    }

    /// All configurations, of the account and of every group.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn configs(&self) -> Result<Vec<ConfigState>, DatabaseError> {
        let query = format!("{COLUMNS} ORDER BY owner, namespace");
        let mut statement = self.connection.prepare_cached(&query)?;
        let found = statement.query_map([], config)?.collect::<Result<_, _>>()?;
        Ok(found)
    }

    /// Keeps a configuration over the one before.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn put_config(&self, state: &ConfigState) -> Result<(), DatabaseError> {
        let hashes: Vec<u8> = state.hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO configs
                     (owner, namespace, dump, needs_push, seqno, hashes, pushed_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                Col(&state.owner),
                state.namespace.number(),
                state.dump.expose(),
                state.needs_push,
                state.seqno,
                hashes,
                state.pushed_at.map(Col),
            ])?;
        Ok(())
    }

    /// Notes that the swarm keeps the messages of a configuration for longer, unless it has others by
    /// now. Nothing else of it changes.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_renewed(&self, state: &ConfigState, at: Millis) -> Result<(), DatabaseError> {
        let hashes: Vec<u8> = state.hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        self.connection
            .prepare_cached(
                "UPDATE configs SET pushed_at = ?4
                 WHERE owner = ?1 AND namespace = ?2 AND hashes = ?3",
            )?
            .execute(params![Col(&state.owner), state.namespace.number(), hashes, Col(at)])?;
        Ok(())
    }

    /// Forgets all configurations of a group.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn remove_configs(&self, owner: &AccountId) -> Result<(), DatabaseError> {
        self.connection.execute("DELETE FROM configs WHERE owner = ?1", [Col(owner)])?;
        Ok(())
    }

    /// What was set under a name, or `None`.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, DatabaseError> {
        let found = self
            .connection
            .prepare_cached("SELECT value FROM settings WHERE name = ?1")?
            .query_row([name], |row| row.get(0));
        Ok(found.optional()?)
    }

    /// Sets something under a name; `None` forgets it.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_setting(&self, name: &str, value: Option<&[u8]>) -> Result<(), DatabaseError> {
        match value {
            None => self.connection.execute("DELETE FROM settings WHERE name = ?1", [name])?,
            Some(value) => self.connection.execute(
                "INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)",
                params![name, value],
            )?,
        };
        Ok(())
    }
}

fn config(row: &Row<'_>) -> rusqlite::Result<ConfigState> {
    Ok(ConfigState {
        owner: row.get::<_, Col<AccountId>>(0)?.0,
        namespace: Namespace::new(row.get(1)?),
        dump: row.get::<_, Vec<u8>>(2)?.into(),
        needs_push: row.get(3)?,
        seqno: row.get(4)?,
        hashes: hashes(&row.get::<_, Vec<u8>>(5)?),
        pushed_at: row.get::<_, Option<Col<Millis>>>(6)?.map(|at| at.0),
    })
}
