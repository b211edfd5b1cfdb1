//! Shares of recovery words: those kept for others, who keeps the owner's, and those that came back.

use std::fmt;

use rusqlite::{OptionalExtension, Row, params};
use warren_crypto::SecretBytes;
use warren_wire::{AccountId, Millis};

use super::account::AccountDb;
use super::column::{Col, second};
use super::error::DatabaseError;

/// The most shares that are kept for one person, and taken back from one: four sets of sixteen.
const MOST_OF_ONE: u32 = 64;

/// A share as it is kept.
#[derive(PartialEq, Eq)]
pub struct KeptShare {
    /// The two words that name its set.
    pub set: String,
    /// Which of the set, from 1.
    pub number: u8,
    /// How many of the set bring the recovery words back.
    pub threshold: u8,
    words: SecretBytes,
}

impl KeptShare {
    /// A share of these words, which belongs to a set.
    pub fn new(set: String, number: u8, threshold: u8, words: String) -> Self {
        Self { set, number, threshold, words: words.into_bytes().into() }
    }

    /// Its words.
    pub fn words(&self) -> &str {
        text(&self.words)
    }
}

impl Clone for KeptShare {
    fn clone(&self) -> Self {
        let (set, words) = (self.set.clone(), second(&self.words));
        Self { set, number: self.number, threshold: self.threshold, words }
    }
}

impl fmt::Debug for KeptShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptShare(..)")
    }
}

/// A share of somebody else's recovery words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldShare {
    /// Whose words they are.
    pub owner: AccountId,
    /// The share.
    pub share: KeptShare,
    /// When it came.
    pub received_at: Millis,
}

/// A share of the owner's recovery words that somebody was given. Its words are not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenShare {
    /// Who was given it.
    pub friend: AccountId,
    /// The two words that name its set.
    pub set: String,
    /// Which of the set, from 1.
    pub number: u8,
    /// How many of the set bring the recovery words back.
    pub threshold: u8,
    /// When it was given.
    pub given_at: Millis,
    /// When their app said that it keeps it; `None` where it has not said so.
    pub kept_at: Option<Millis>,
}

/// Somebody who says that they lost an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareRequest {
    /// Who asks.
    pub asker: AccountId,
    /// Which account they say was theirs.
    pub account: AccountId,
    /// When they asked last.
    pub asked_at: Millis,
    /// When they were given shares.
    pub returned_at: Option<Millis>,
}

/// A share that a friend gave back.
#[derive(PartialEq, Eq)]
pub struct ReturnedShare {
    /// Who gave it back.
    pub friend: AccountId,
    words: SecretBytes,
    /// When it came.
    pub received_at: Millis,
}

impl ReturnedShare {
    /// A share of these words, which came from a friend.
    pub fn new(friend: AccountId, words: String, received_at: Millis) -> Self {
        Self { friend, words: words.into_bytes().into(), received_at }
    }

    /// Its words.
    pub fn words(&self) -> &str {
        text(&self.words)
    }
}

/// The words, which are made from texts alone.
fn text(words: &SecretBytes) -> &str {
    str::from_utf8(words.expose()).unwrap_or_default()
}

impl fmt::Debug for ReturnedShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReturnedShare(..)")
    }
}

impl AccountDb {
    /// Keeps a share for somebody; whether there was room for it.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn hold_share(
        &self,
        owner: &AccountId,
        share: &KeptShare,
        now: Millis,
    ) -> Result<bool, DatabaseError> {
        let is_new = "NOT EXISTS (SELECT 1 FROM held_shares WHERE owner = ?1 AND set_name = ?2
                          AND number = ?3)";
        let held = format!("SELECT count(*) >= ?4 AND {is_new} FROM held_shares WHERE owner = ?1");
        let is_full: bool = self
            .connection
            .prepare_cached(&held)?
            .query_row(params![Col(owner), share.set, share.number, MOST_OF_ONE], |row| {
                row.get(0)
            })?;
        if is_full {
            return Ok(false);
        }
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO held_shares
                     (owner, set_name, number, threshold, words, received_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                Col(owner),
                share.set,
                share.number,
                share.threshold,
                share.words(),
                Col(now),
            ])?;
        Ok(true)
    }

    /// The shares that are kept for others, by owner.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn held_shares(&self) -> Result<Vec<HeldShare>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT owner, set_name, number, threshold, words, received_at FROM held_shares
             ORDER BY owner, received_at, set_name, number",
        )?;
        let held = statement.query_map([], held)?.collect::<Result<_, _>>()?;
        Ok(held)
    }

    /// Keeps nothing of somebody's any more; how many shares that were.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn drop_held_shares(&self, owner: &AccountId) -> Result<usize, DatabaseError> {
        Ok(self.connection.execute("DELETE FROM held_shares WHERE owner = ?1", [Col(owner)])?)
    }

    /// Notes that somebody is given a share.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_given_share(&self, given: &GivenShare) -> Result<(), DatabaseError> {
        self.connection.execute(
            "INSERT OR REPLACE INTO given_shares
                 (friend, set_name, number, threshold, given_at, kept_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                Col(&given.friend),
                given.set,
                given.number,
                given.threshold,
                Col(given.given_at),
                given.kept_at.map(Col),
            ],
        )?;
        Ok(())
    }

    /// Notes that a friend's app keeps a share; whether it was given to them and this is new.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_kept_share(
        &self,
        friend: &AccountId,
        set: &str,
        number: u8,
        now: Millis,
    ) -> Result<bool, DatabaseError> {
        let changed = self.connection.execute(
            "UPDATE given_shares SET kept_at = ?4
             WHERE friend = ?1 AND set_name = ?2 AND number = ?3 AND kept_at IS NULL",
            params![Col(friend), set, number, Col(now)],
        )?;
        Ok(changed > 0)
    }

    /// Who was given shares of the owner's recovery words, the newest set first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn given_shares(&self) -> Result<Vec<GivenShare>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT friend, set_name, number, threshold, given_at, kept_at FROM given_shares
             ORDER BY given_at DESC, set_name, number",
        )?;
        let given = statement.query_map([], given)?.collect::<Result<_, _>>()?;
        Ok(given)
    }

    /// Notes that somebody says they lost an account. What they were given before stays noted.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_share_request(
        &self,
        asker: &AccountId,
        account: &AccountId,
        now: Millis,
    ) -> Result<(), DatabaseError> {
        self.connection.execute(
            "INSERT INTO share_requests (asker, account, asked_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (asker) DO UPDATE SET account = excluded.account,
                 asked_at = excluded.asked_at",
            params![Col(asker), Col(account), Col(now)],
        )?;
        Ok(())
    }

    /// Notes that somebody was given what they asked for.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_shares_returned(
        &self,
        asker: &AccountId,
        now: Millis,
    ) -> Result<(), DatabaseError> {
        self.connection.execute(
            "UPDATE share_requests SET returned_at = ?2 WHERE asker = ?1",
            params![Col(asker), Col(now)],
        )?;
        Ok(())
    }

    /// Who says that they lost an account, the latest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn share_requests(&self) -> Result<Vec<ShareRequest>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT asker, account, asked_at, returned_at FROM share_requests
             ORDER BY asked_at DESC, asker",
        )?;
        let requests = statement.query_map([], request)?.collect::<Result<_, _>>()?;
        Ok(requests)
    }

    /// Notes whom the owner asks after losing an account.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_asked_for_shares(
        &self,
        friend: &AccountId,
        account: &AccountId,
        now: Millis,
    ) -> Result<(), DatabaseError> {
        self.connection.execute(
            "INSERT OR REPLACE INTO asked_shares (friend, account, asked_at) VALUES (?1, ?2, ?3)",
            params![Col(friend), Col(account), Col(now)],
        )?;
        Ok(())
    }

    /// Which account the owner told somebody was lost, where they asked them.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn asked_for_shares(&self, friend: &AccountId) -> Result<Option<AccountId>, DatabaseError> {
        let account = self
            .connection
            .prepare_cached("SELECT account FROM asked_shares WHERE friend = ?1")?
            .query_row([Col(friend)], |row| Ok(row.get::<_, Col<_>>(0)?.0));
        Ok(account.optional()?)
    }

    /// Keeps what a friend gave back; nothing beyond what one could have been given.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn keep_returned_share(&self, share: &ReturnedShare) -> Result<(), DatabaseError> {
        self.connection.execute(
            "INSERT OR IGNORE INTO returned_shares (friend, words, received_at)
             SELECT ?1, ?2, ?3
             WHERE (SELECT count(*) FROM returned_shares WHERE friend = ?1) < ?4",
            params![Col(&share.friend), share.words(), Col(share.received_at), MOST_OF_ONE],
        )?;
        Ok(())
    }

    /// What friends gave back, in the order it came.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn returned_shares(&self) -> Result<Vec<ReturnedShare>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT friend, words, received_at FROM returned_shares
             ORDER BY received_at, friend, words",
        )?;
        let returned = statement.query_map([], |row| {
            let (friend, received_at) = (row.get::<_, Col<_>>(0)?.0, row.get::<_, Col<_>>(2)?.0);
            Ok(ReturnedShare::new(friend, row.get(1)?, received_at))
        })?;
        Ok(returned.collect::<Result<_, _>>()?)
    }

    /// Forgets what friends gave back, once it has served.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn drop_returned_shares(&self) -> Result<(), DatabaseError> {
        self.connection.execute_batch("DELETE FROM returned_shares; DELETE FROM asked_shares;")?;
        Ok(())
    }
}

fn held(row: &Row<'_>) -> rusqlite::Result<HeldShare> {
    let share = KeptShare::new(row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
    let (owner, received_at) = (row.get::<_, Col<_>>(0)?.0, row.get::<_, Col<_>>(5)?.0);
    Ok(HeldShare { owner, share, received_at })
}

fn given(row: &Row<'_>) -> rusqlite::Result<GivenShare> {
    Ok(GivenShare {
        friend: row.get::<_, Col<_>>(0)?.0,
        set: row.get(1)?,
        number: row.get(2)?,
        threshold: row.get(3)?,
        given_at: row.get::<_, Col<_>>(4)?.0,
        kept_at: row.get::<_, Option<Col<_>>>(5)?.map(|Col(at)| at),
    })
}

fn request(row: &Row<'_>) -> rusqlite::Result<ShareRequest> {
    Ok(ShareRequest {
        asker: row.get::<_, Col<_>>(0)?.0,
        account: row.get::<_, Col<_>>(1)?.0,
        asked_at: row.get::<_, Col<_>>(2)?.0,
        returned_at: row.get::<_, Option<Col<_>>>(3)?.map(|Col(at)| at),
    })
}
