//! Groups the account is in, was in, or is invited to, and what lets it act there.

use std::fmt;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{OptionalExtension, Row, params};
use warren_crypto::Secret;
use warren_wire::{AccountId, Millis};

use super::account::AccountDb;
use super::column::Col;
use super::error::DatabaseError;
use super::messages::MessageId;

/// How the account stands to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupState {
    /// Invited, and has not answered.
    Invited,
    /// A member.
    Joined,
    /// Removed by an admin.
    Kicked,
    /// The group was ended by an admin.
    Destroyed,
    /// Left by itself.
    Left,
}

/// A group.
pub struct Group {
    /// Its id, `03..`.
    pub id: AccountId,
    /// What it is called.
    pub name: String,
    /// What an admin handed the member: its subaccount's token, key and signature, 100 bytes (wire
    /// spec, section 2).
    pub auth: Option<Secret<100>>,
    /// The group's own seed, where the account is an admin.
    pub admin_seed: Option<Secret<32>>,
    /// How the account stands to it.
    pub state: GroupState,
    /// Who invited it.
    pub invited_by: Option<AccountId>,
    /// When it joined, or was invited.
    pub joined_at: Millis,
}

const COLUMNS: &str = "SELECT id, name, auth, admin_seed, state, invited_by, joined_at FROM groups";

impl AccountDb {
    /// All groups, by name.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn groups(&self) -> Result<Vec<Group>, DatabaseError> {
        let query = format!("{COLUMNS} ORDER BY name COLLATE NOCASE, id");
        let mut statement = self.connection.prepare_cached(&query)?;
        let groups = statement.query_map([], group)?.collect::<Result<_, _>>()?;
        Ok(groups)
    }

    /// One group, or `None`.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn group(&self, id: &AccountId) -> Result<Option<Group>, DatabaseError> {
        let query = format!("{COLUMNS} WHERE id = ?1");
        Ok(self.connection.prepare_cached(&query)?.query_row([Col(id)], group).optional()?)
    }

    /// Keeps a group over what was known of it.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn put_group(&self, group: &Group) -> Result<(), DatabaseError> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO groups
                     (id, name, auth, admin_seed, state, invited_by, joined_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                Col(&group.id),
                group.name,
                group.auth.as_ref().map(|auth| auth.expose().as_slice()),
                group.admin_seed.as_ref().map(Col),
                group.state.number(),
                group.invited_by.as_ref().map(Col),
                Col(group.joined_at),
            ])?;
        Ok(())
    }

    /// Forgets a group and what lets the account act in it. Its conversation stays.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn remove_group(&self, id: &AccountId) -> Result<(), DatabaseError> {
        self.connection.execute("DELETE FROM groups WHERE id = ?1", [Col(id)])?;
        Ok(())
    }
}

impl AccountDb {
    /// The messages of one author in a conversation up to a time, whatever they hold; what was
    /// deleted for everyone is not among them.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn messages_of(
        &self,
        conversation: &AccountId,
        author: &AccountId,
        until: Millis,
    ) -> Result<Vec<MessageId>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM messages
             WHERE conversation = ?1 AND author = ?2 AND timestamp <= ?3 AND kind NOT IN (1, 3)",
        )?;
        let found = statement
            .query_map(params![Col(conversation), Col(author), Col(until)], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The messages of a conversation from before a time, notices included.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn messages_before(
        &self,
        conversation: &AccountId,
        time: Millis,
    ) -> Result<Vec<MessageId>, DatabaseError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id FROM messages WHERE conversation = ?1 AND timestamp < ?2")?;
        let found = statement.query_map(params![Col(conversation), Col(time)], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

impl GroupState {
    const fn number(self) -> i64 {
        match self {
            Self::Invited => 0,
            Self::Joined => 1,
            Self::Kicked => 2,
            Self::Destroyed => 3,
            Self::Left => 4,
        }
    }
}

impl FromSql for GroupState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::Invited),
            1 => Ok(Self::Joined),
            2 => Ok(Self::Kicked),
            3 => Ok(Self::Destroyed),
            4 => Ok(Self::Left),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

impl FromSql for Col<Secret<100>> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let secret = Secret::from_slice(value.as_blob()?);
        secret.map(Self).ok_or(FromSqlError::InvalidType)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({:?})", self.state)
    }
}

fn group(row: &Row<'_>) -> rusqlite::Result<Group> {
    Ok(Group {
        id: row.get::<_, Col<AccountId>>(0)?.0,
        name: row.get(1)?,
        auth: row.get::<_, Option<Col<Secret<100>>>>(2)?.map(|auth| auth.0),
        admin_seed: row.get::<_, Option<Col<Secret<32>>>>(3)?.map(|seed| seed.0),
        state: row.get(4)?,
        invited_by: row.get::<_, Option<Col<AccountId>>>(5)?.map(|id| id.0),
        joined_at: row.get::<_, Col<Millis>>(6)?.0,
    })
}
