//! Who is known by which name.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, Row, params};
use warren_crypto::SecretBytes;
use warren_wire::{AccountId, Millis};

use super::account::AccountDb;
use super::column::{Col, second};
use super::error::{DatabaseError, is_duplicate};

const COLUMNS: &str = "SELECT account_id, name, petname, approved, created, approved_me, blocked, \
                       picture_url, picture_key, name_at FROM contacts";

/// The most characters kept of what somebody calls themselves.
const MAX_NAME_CHARS: usize = 64;

/// A person known to the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Their account.
    pub id: AccountId,
    /// What they call themselves; empty where they never said.
    pub name: String,
    /// What the owner of this device calls them. No two contacts share one, whatever its case.
    pub petname: Option<String>,
    /// Whether the owner wants their messages.
    pub approved: bool,
    /// Whether they want the owner's.
    pub approved_me: bool,
    /// Whether nothing of theirs is kept.
    pub blocked: bool,
    /// Their picture; `None` where they have none.
    pub picture: Option<Picture>,
    /// When they set name and picture last, as they say.
    pub profile_updated: Millis,
    /// When they became known.
    pub created: Millis,
}

/// A picture at a file server.
#[derive(PartialEq, Eq)]
pub struct Picture {
    /// The whole address.
    pub url: String,
    /// What opens it.
    pub key: SecretBytes,
}

impl Clone for Picture {
    fn clone(&self) -> Self {
        Self { url: self.url.clone(), key: second(&self.key) }
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Picture(..)")
    }
}

impl Contact {
    /// Somebody of whom nothing is known, at `created`.
    pub const fn new(id: AccountId, created: Millis) -> Self {
        Self {
            id,
            name: String::new(),
            petname: None,
            approved: false,
            approved_me: false,
            blocked: false,
            picture: None,
            profile_updated: 0,
            created,
        }
    }

    /// What to show: the petname, else the name, else nothing.
    pub fn shown_name(&self) -> Option<&str> {
        self.petname.as_deref().or(Some(&self.name)).filter(|name| !name.is_empty())
    }
}

impl AccountDb {
    /// Adds a contact or replaces what is known of it; `created` keeps its first value.
    ///
    /// # Errors
    /// [`DatabaseError::PetnameTaken`] where another contact has the petname.
    pub fn put_contact(&self, contact: &Contact) -> Result<(), DatabaseError> {
        let put = self
            .connection
            .prepare_cached(
                "INSERT INTO contacts (account_id, name, petname, approved, created, approved_me,
                     blocked, picture_url, picture_key, name_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (account_id) DO UPDATE SET
                     name = excluded.name, petname = excluded.petname,
                     approved = excluded.approved, approved_me = excluded.approved_me,
                     blocked = excluded.blocked, picture_url = excluded.picture_url,
                     picture_key = excluded.picture_key, name_at = excluded.name_at",
            )?
            .execute(params![
                Col(&contact.id),
                contact.name,
                contact.petname,
                contact.approved,
                Col(contact.created),
                contact.approved_me,
                contact.blocked,
                contact.picture.as_ref().map(|picture| &picture.url),
                contact.picture.as_ref().map(|picture| picture.key.expose()),
                Col(contact.profile_updated),
            ]);
        changed(put)?;
        let at = contact.picture.as_ref().map(|it| (it.url.as_str(), it.key.expose()));
        self.want_picture(&contact.id, at, contact.profile_updated)
    }

    /// Notes which picture came with a message of `timestamp`, of somebody who is known. Passed over
    /// where a newer message said what they look like; whether anything is new.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_sender_picture(
        &self,
        id: &AccountId,
        picture: Option<&Picture>,
        timestamp: Millis,
        now: Millis,
    ) -> Result<bool, DatabaseError> {
        let at = picture.map(|it| (it.url.as_str(), it.key.expose()));
        let update = "UPDATE contacts SET picture_url = ?2, picture_key = ?3, name_at = ?4
                      WHERE account_id = ?1 AND name_at <= ?4
                          AND (picture_url IS NOT ?2 OR picture_key IS NOT ?3)";
        let values =
            params![Col(id), at.map(|(url, _)| url), at.map(|(_, key)| key), Col(timestamp)];
        let is_new = self.connection.prepare_cached(update)?.execute(values)? > 0;
        if is_new {
            self.want_picture(id, at, now)?;
        }
        Ok(is_new)
    }

    /// Gives a contact another petname, or none.
    ///
    /// # Errors
    /// [`DatabaseError::UnknownContact`], or [`DatabaseError::PetnameTaken`].
    pub fn rename_contact(
        &self,
        id: &AccountId,
        petname: Option<&str>,
    ) -> Result<(), DatabaseError> {
        known(changed(self.connection.execute(
            "UPDATE contacts SET petname = ?2 WHERE account_id = ?1",
            params![Col(id), petname],
        ))?)
    }

    /// Says whether the owner wants a contact's messages.
    ///
    /// # Errors
    /// [`DatabaseError::UnknownContact`] where there is none.
    pub fn approve_contact(&self, id: &AccountId, approved: bool) -> Result<(), DatabaseError> {
        known(changed(self.connection.execute(
            "UPDATE contacts SET approved = ?2 WHERE account_id = ?1",
            params![Col(id), approved],
        ))?)
    }

    /// Blocks somebody, known or not, or lets them speak again. What they write while they are
    /// blocked is not kept; in groups it is.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_blocked(
        &self,
        id: &AccountId,
        blocked: bool,
        now: Millis,
    ) -> Result<(), DatabaseError> {
        self.connection
            .prepare_cached(
                "INSERT INTO contacts (account_id, name, approved, created, blocked)
                 VALUES (?1, '', 0, ?2, ?3)
                 ON CONFLICT (account_id) DO UPDATE SET blocked = excluded.blocked",
            )?
            .execute(params![Col(id), Col(now), blocked])?;
        Ok(())
    }

    /// Whether somebody is blocked.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn is_blocked(&self, id: &AccountId) -> Result<bool, DatabaseError> {
        let query = "SELECT EXISTS (SELECT 1 FROM contacts WHERE account_id = ?1 AND blocked = 1)";
        Ok(self.connection.prepare_cached(query)?.query_row([Col(id)], |row| row.get(0))?)
    }

    /// Everybody who is blocked.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn blocked(&self) -> Result<Vec<AccountId>, DatabaseError> {
        let query = "SELECT account_id FROM contacts WHERE blocked = 1 ORDER BY account_id";
        let mut statement = self.connection.prepare_cached(query)?;
        let ids = statement.query_map([], |row| Ok(row.get::<_, Col<AccountId>>(0)?.0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Notes that somebody wants the owner's messages.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_approved_me(&self, id: &AccountId, now: Millis) -> Result<(), DatabaseError> {
        self.connection
            .prepare_cached(
                "INSERT INTO contacts (account_id, name, approved, created, approved_me)
                 VALUES (?1, '', 0, ?2, 1)
                 ON CONFLICT (account_id) DO UPDATE SET approved_me = 1",
            )?
            .execute(params![Col(id), Col(now)])?;
        Ok(())
    }

    /// Forgets a contact. Messages stay.
    ///
    /// # Errors
    /// [`DatabaseError::UnknownContact`] where there is none.
    pub fn remove_contact(&self, id: &AccountId) -> Result<(), DatabaseError> {
        known(changed(
            self.connection.execute("DELETE FROM contacts WHERE account_id = ?1", [Col(id)]),
        )?)
    }

    /// All contacts, by the name that is shown.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn contacts(&self) -> Result<Vec<Contact>, DatabaseError> {
        let order = "ORDER BY coalesce(petname, name) COLLATE NOCASE, account_id";
        let mut statement = self.connection.prepare_cached(&format!("{COLUMNS} {order}"))?;
        let contacts = statement.query_map([], contact)?.collect::<Result<_, _>>()?;
        Ok(contacts)
    }

    /// One contact, or `None`.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn contact(&self, id: &AccountId) -> Result<Option<Contact>, DatabaseError> {
        let found = self
            .connection
            .prepare_cached(&format!("{COLUMNS} WHERE account_id = ?1"))?
            .query_row([Col(id)], contact);
        Ok(found.optional()?)
    }

    /// Whom a person means: an account id, known or not; else a petname; else a name.
    ///
    /// Case makes no difference to ASCII letters. A petname wins over what others call
    /// themselves, so nobody can take the place of a contact by taking its petname.
    ///
    /// # Errors
    /// [`DatabaseError::UnknownContact`] for none, [`DatabaseError::AmbiguousName`] for several.
    pub fn find_peer(&self, text: &str) -> Result<AccountId, DatabaseError> {
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        for condition in ["petname = ?1", "petname IS NULL AND name = ?1 COLLATE NOCASE"] {
            let mut statement =
                self.connection.prepare_cached(&format!("{COLUMNS} WHERE {condition}"))?;
            let found: Vec<Contact> =
                statement.query_map([text], contact)?.collect::<Result<_, _>>()?;
            match found.as_slice() {
                [] => {}
                [one] => return Ok(one.id),
                several => return Err(DatabaseError::AmbiguousName { count: several.len() }),
            }
        }
        Err(DatabaseError::UnknownContact)
    }
}

/// Notes, inside a transaction of the caller's, the name that came with a message of `timestamp`;
/// makes an unapproved contact of a stranger. Passed over where a newer message set the name, or
/// where nothing is left of it without its control characters.
pub(super) fn note_sender_name(
    connection: &Connection,
    id: &AccountId,
    name: &str,
    timestamp: Millis,
    now: Millis,
) -> Result<(), DatabaseError> {
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
    if name.is_empty() {
        return Ok(());
    }
    connection
        .prepare_cached(
            "INSERT INTO contacts (account_id, name, approved, created, name_at)
             VALUES (?1, ?2, 0, ?3, ?4)
             ON CONFLICT (account_id) DO UPDATE SET
                 name = excluded.name, name_at = excluded.name_at
             WHERE excluded.name_at > name_at",
        )?
        .execute(params![Col(id), name, Col(now), Col(timestamp)])?;
    Ok(())
}

fn changed(result: rusqlite::Result<usize>) -> Result<usize, DatabaseError> {
    match result {
        Err(error) if is_duplicate(&error) => Err(DatabaseError::PetnameTaken),
        other => Ok(other?),
    }
}

fn known(rows: usize) -> Result<(), DatabaseError> {
    if rows == 0 { Err(DatabaseError::UnknownContact) } else { Ok(()) }
}

fn contact(row: &Row<'_>) -> rusqlite::Result<Contact> {
    let picture = match row.get(7)? {
        Some(url) => {
            let key = SecretBytes::take(row.get::<_, Option<_>>(8)?.unwrap_or_default());
            Some(Picture { url, key })
        }
        None => None,
    };
    Ok(Contact {
        id: row.get::<_, Col<AccountId>>(0)?.0,
        name: row.get(1)?,
        petname: row.get(2)?,
        approved: row.get(3)?,
        created: row.get::<_, Col<Millis>>(4)?.0,
        approved_me: row.get(5)?,
        blocked: row.get(6)?,
        picture,
        profile_updated: row.get::<_, Col<Millis>>(9)?.0,
    })
}
