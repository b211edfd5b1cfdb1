//! What people and groups look like: where each picture is at a server, and the picture itself, small
//! and made anew from what came.

use std::fmt;

use rusqlite::{OptionalExtension, Row, params};
use warren_crypto::Secret;
use warren_wire::{AccountId, Millis};

use super::account::AccountDb;
use super::column::Col;
use super::error::DatabaseError;

/// A picture of somebody, as it is known.
pub struct KnownPicture {
    /// Whose.
    pub owner: AccountId,
    /// The whole address.
    pub url: String,
    /// What opens it.
    pub key: Secret<32>,
    /// The picture; the one before, where the one at the address was not fetched yet.
    pub image: Option<Vec<u8>>,
    /// When the server was last known to have it.
    pub stored_at: Millis,
    /// How often fetching it failed.
    pub attempts: u32,
}

impl fmt::Debug for KnownPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownPicture({} attempts)", self.attempts)
    }
}

const COLUMNS: &str = "SELECT owner, url, key, image, stored_at, attempts FROM pictures";

impl AccountDb {
    /// What is known of somebody's picture; `None` where they have none.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn picture(&self, owner: &AccountId) -> Result<Option<KnownPicture>, DatabaseError> {
        let query = format!("{COLUMNS} WHERE owner = ?1");
        let found = self.connection.prepare_cached(&query)?.query_row([Col(owner)], known);
        Ok(found.optional()?)
    }

    /// Whether somebody's picture is here.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn has_picture(&self, owner: &AccountId) -> Result<bool, DatabaseError> {
        let query = "SELECT image IS NOT NULL FROM pictures WHERE owner = ?1";
        let found =
            self.connection.prepare_cached(query)?.query_row([Col(owner)], |row| row.get(0));
        Ok(found.optional()?.unwrap_or(false))
    }

    /// Notes where somebody's picture is; or, with an empty address, that they have none. One that is
    /// known already stays as it is; another is fetched when [`AccountDb::wanted_pictures`] is asked,
    /// and no sooner than the one before would have been tried again: whoever names a new address that
    /// does not answer with each message is asked ever more rarely.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn want_picture(
        &self,
        owner: &AccountId,
        at: Option<(&str, &[u8])>,
        now: Millis,
    ) -> Result<(), DatabaseError> {
        let Some((url, key)) = at.filter(|(url, key)| !url.is_empty() && key.len() == 32) else {
            let delete = "DELETE FROM pictures WHERE owner = ?1";
            self.connection.prepare_cached(delete)?.execute([Col(owner)])?;
            return Ok(());
        };
        self.connection
            .prepare_cached(
                "INSERT INTO pictures (owner, url, key, stored_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (owner) DO UPDATE SET
                     url = excluded.url, key = excluded.key, stored_at = excluded.stored_at,
                     is_fetched = 0
                 WHERE url <> excluded.url OR key <> excluded.key",
            )?
            .execute(params![Col(owner), url, key, Col(now)])?;
        Ok(())
    }

    /// Keeps a picture that is at an address of a server and here.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn keep_picture(
        &self,
        owner: &AccountId,
        at: (&str, &Secret<32>),
        image: &[u8],
        stored_at: Millis,
    ) -> Result<(), DatabaseError> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO pictures (owner, url, key, image, is_fetched, stored_at)
                 VALUES (?1, ?2, ?3, ?4, 1, ?5)",
            )?
            .execute(params![Col(owner), at.0, Col(at.1), image, Col(stored_at)])?;
        Ok(())
    }

    /// Pictures that are to be fetched: the account's own, groups', and those of contacts the owner
    /// wants to hear from.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn wanted_pictures(
        &self,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<KnownPicture>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "{COLUMNS} WHERE is_fetched = 0 AND next_try <= ?1 AND (owner = ?2
                 OR EXISTS (SELECT 1 FROM groups WHERE id = owner)
                 OR EXISTS (SELECT 1 FROM contacts
                     WHERE account_id = owner AND approved = 1 AND blocked = 0))
             ORDER BY next_try LIMIT ?3"
        ))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = statement.query_map(params![Col(now), Col(self.account()), limit], known)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Notes that fetching a picture failed, and when to try again.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn picture_failed(
        &self,
        owner: &AccountId,
        url: &str,
        next_try: Millis,
    ) -> Result<(), DatabaseError> {
        let update = "UPDATE pictures SET attempts = attempts + 1, next_try = ?3
                      WHERE owner = ?1 AND url = ?2";
        let values = params![Col(owner), url, Col(next_try)];
        self.connection.prepare_cached(update)?.execute(values)?;
        Ok(())
    }

    /// Notes that a server has a picture for another while.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn picture_stored(&self, owner: &AccountId, now: Millis) -> Result<(), DatabaseError> {
        let update = "UPDATE pictures SET stored_at = ?2 WHERE owner = ?1";
        self.connection.prepare_cached(update)?.execute(params![Col(owner), Col(now)])?;
        Ok(())
    }

    /// Pictures that are here and were last stored before a time.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn pictures_stored_before(&self, time: Millis) -> Result<Vec<KnownPicture>, DatabaseError> {
        let query = format!("{COLUMNS} WHERE is_fetched = 1 AND stored_at < ?1 ORDER BY stored_at");
        let mut statement = self.connection.prepare_cached(&query)?;
        let found = statement.query_map([Col(time)], known)?.collect::<Result<_, _>>()?;
        Ok(found)
    }
}

fn known(row: &Row<'_>) -> rusqlite::Result<KnownPicture> {
    Ok(KnownPicture {
        owner: row.get::<_, Col<AccountId>>(0)?.0,
        url: row.get(1)?,
        key: row.get::<_, Col<Secret<32>>>(2)?.0,
        image: row.get(3)?,
        stored_at: row.get::<_, Col<Millis>>(4)?.0,
        attempts: row.get(5)?,
    })
}
