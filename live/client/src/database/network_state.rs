//! What the account knows of the network: how far it has read, which nodes there are, its guard
//! and its path.

use rusqlite::{OptionalExtension, params};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, NodeId};

use super::account::{AccountDb, Tx};
use super::column::Col;
use super::error::DatabaseError;

/// How far one node's copy of one drawer of a mailbox was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Which node.
    pub node: NodeId,
    /// Whose mailbox: the account's own, or a group's.
    pub mailbox: AccountId,
    /// Which drawer of it.
    pub namespace: Namespace,
    /// The last message that came from there.
    pub last_hash: MessageHash,
}

/// The list of nodes, as it was when it was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedNodeList {
    /// The whole list as JSON, signatures included.
    pub list: String,
    /// When it came.
    pub fetched_at: Millis,
}

/// The node that every path of the account starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// Which node.
    pub node: NodeId,
    /// Since when.
    pub since: Millis,
}

/// How the guard has failed since it last answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardTrouble {
    /// How often.
    pub failures: u32,
    /// When it failed first.
    pub since: Millis,
}

/// The path in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedPath {
    /// Its nodes, the guard first.
    pub hops: Vec<NodeId>,
    /// When it was chosen.
    pub created: Millis,
}

impl AccountDb {
    /// The last message that came from a node's drawer; `None` where none did.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn cursor(
        &self,
        node: &NodeId,
        mailbox: &AccountId,
        namespace: Namespace,
    ) -> Result<Option<MessageHash>, DatabaseError> {
        let hash: Option<Col<MessageHash>> = self
            .connection
            .prepare_cached(
                "SELECT last_hash FROM cursors WHERE node = ?1 AND mailbox = ?2 AND namespace = ?3",
            )?
            .query_row(params![Col(node), Col(mailbox), namespace.number()], |row| row.get(0))
            .optional()?;
        Ok(hash.map(|hash| hash.0))
    }

    /// Forgets how far a mailbox was read, at every node and in every drawer.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn forget_cursors_of(&self, mailbox: &AccountId) -> Result<(), DatabaseError> {
        self.connection.execute("DELETE FROM cursors WHERE mailbox = ?1", [Col(mailbox)])?;
        Ok(())
    }

    /// Forgets every cursor, so that the next fetch brings all that the nodes keep.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn forget_cursors(&self) -> Result<(), DatabaseError> {
        self.connection.execute("DELETE FROM cursors", [])?;
        Ok(())
    }

    /// The newest list of the directory that these keys sign for, given as the keys' id.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn node_list(&self, directory: &[u8; 32]) -> Result<Option<CachedNodeList>, DatabaseError> {
        let found = self
            .connection
            .prepare_cached("SELECT list, fetched_at FROM node_lists WHERE directory = ?1")?
            .query_row([directory], |row| {
                let Col(fetched_at) = row.get(1)?;
                Ok(CachedNodeList { list: row.get(0)?, fetched_at })
            });
        Ok(found.optional()?)
    }

    /// Keeps a directory's list over the one before. Whether it is newer is the caller's to check.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_node_list(
        &self,
        directory: &[u8; 32],
        list: &CachedNodeList,
    ) -> Result<(), DatabaseError> {
        self.connection.execute(
            "INSERT OR REPLACE INTO node_lists (directory, list, fetched_at) VALUES (?1, ?2, ?3)",
            params![directory, list.list, Col(list.fetched_at)],
        )?;
        Ok(())
    }

    /// The guard.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn guard(&self) -> Result<Option<Guard>, DatabaseError> {
        let found =
            self.connection.prepare_cached("SELECT node, since FROM guard")?.query_row([], |row| {
                let node = row.get::<_, Col<NodeId>>(0)?.0;
                Ok(Guard { node, since: row.get::<_, Col<Millis>>(1)?.0 })
            });
        Ok(found.optional()?)
    }

    /// Keeps a guard over the one before, with no failures; `None` forgets it.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_guard(&self, guard: Option<&Guard>) -> Result<(), DatabaseError> {
        match guard {
            None => self.connection.execute("DELETE FROM guard", [])?,
            Some(guard) => self.connection.execute(
                "INSERT OR REPLACE INTO guard (id, node, since) VALUES (1, ?1, ?2)",
                params![Col(&guard.node), Col(guard.since)],
            )?,
        };
        Ok(())
    }

    /// Notes that the guard failed at `now`, and gives all its failures since it last answered.
    /// Where there is no guard nothing is noted and there are none.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_guard_failure(&self, now: Millis) -> Result<GuardTrouble, DatabaseError> {
        let noted = self
            .connection
            .prepare_cached(
                "UPDATE guard SET failures = min(failures + 1, ?2),
                     first_failure = coalesce(first_failure, ?1)
                 RETURNING failures, first_failure",
            )?
            .query_row(params![Col(now), u32::MAX], |row| {
                let Col(since) = row.get(1)?;
                Ok(GuardTrouble { failures: row.get(0)?, since })
            });
        Ok(noted.optional()?.unwrap_or(GuardTrouble { failures: 0, since: now }))
    }

    /// Notes that the guard answered: its failures are forgotten.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn clear_guard_failures(&self) -> Result<(), DatabaseError> {
        self.connection.execute(
            "UPDATE guard SET failures = 0, first_failure = NULL WHERE failures > 0",
            [],
        )?;
        Ok(())
    }

    /// The path.
    ///
    /// # Errors
    /// [`DatabaseError::Damaged`] where what is kept is no list of node ids.
    pub fn path(&self) -> Result<Option<SavedPath>, DatabaseError> {
        let found: Option<(String, Col<Millis>)> = self
            .connection
            .prepare_cached("SELECT hops, created FROM path")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((hops, Col(created))) = found else { return Ok(None) };
        let hops: Vec<String> = serde_json::from_str(&hops).map_err(|_| DatabaseError::Damaged)?;
        let hops = hops.iter().map(|hop| hop.parse()).collect::<Result<_, _>>();
        Ok(Some(SavedPath { hops: hops.map_err(|_| DatabaseError::Damaged)?, created }))
    }

    /// Keeps a path over the one before; `None` forgets it.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_path(&self, path: Option<&SavedPath>) -> Result<(), DatabaseError> {
        match path {
            None => self.connection.execute("DELETE FROM path", [])?,
            Some(path) => {
                let hops: Vec<String> = path.hops.iter().map(NodeId::to_string).collect();
                let hops = serde_json::Value::from(hops).to_string();
                self.connection.execute(
                    "INSERT OR REPLACE INTO path (id, hops, created) VALUES (1, ?1, ?2)",
                    params![hops, Col(path.created)],
                )?
            }
        };
        Ok(())
    }
}

impl Tx<'_> {
    /// Moves a cursor, in the transaction that keeps what lies before it.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn put_cursor(&self, cursor: &Cursor) -> Result<(), DatabaseError> {
        let Cursor { node, mailbox, namespace, last_hash } = cursor;
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO cursors (node, mailbox, namespace, last_hash)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![Col(node), Col(mailbox), namespace.number(), Col(last_hash)])?;
        Ok(())
    }
}
