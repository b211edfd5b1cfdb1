//! Who can wipe this device: sets of friends, and what each friend's app said. Their shares are not
//! here.

use rusqlite::{OptionalExtension, Row, params};
use warren_lock::tripwire::SetId;
use warren_wire::{AccountId, Millis};

use super::account::AccountDb;
use super::column::Col;
use super::error::DatabaseError;
use super::tombstones::TOMBSTONE_LIFE;

/// Friends who, so many of them together, can wipe a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedSet {
    /// Its name.
    pub set: SetId,
    /// The inbox of the device: that of this one, or of another one from whose backup this came.
    pub inbox: AccountId,
    /// Where what verifies it stands in the device's tripwire.
    pub place: u8,
    /// How many of the friends wipe the device.
    pub threshold: u8,
    /// What the friends are told that the device is called.
    pub device: String,
    /// When it was made.
    pub created: Millis,
    /// The friends, by their numbers.
    pub friends: Vec<TrustedFriend>,
}

/// A friend of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedFriend {
    /// Who; the account itself for the account's other devices.
    pub friend: AccountId,
    /// Which of the set, from 1.
    pub number: u8,
    /// When their app said that it keeps the share.
    pub taken_at: Option<Millis>,
    /// When it said that it does not.
    pub declined_at: Option<Millis>,
    /// When the device last heard a test of theirs.
    pub tested_at: Option<Millis>,
}

/// Whether a friend can wipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Their app has said nothing yet.
    Offered,
    /// Their app keeps the share.
    Taken,
    /// It does not, or no longer.
    Declined,
}

impl TrustedFriend {
    /// What their app said last.
    pub fn standing(&self) -> Standing {
        match (self.taken_at, self.declined_at) {
            (None, None) => Standing::Offered,
            (taken, declined) if taken > declined => Standing::Taken,
            _ => Standing::Declined,
        }
    }
}

impl AccountDb {
    /// Notes a set that is made.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_trusted_set(&self, set: &TrustedSet) -> Result<(), DatabaseError> {
        self.connection.execute(
            "INSERT INTO trusted_sets (set_id, inbox, place, threshold, device, created)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                Col(&set.set),
                Col(&set.inbox),
                set.place,
                set.threshold,
                set.device,
                Col(set.created)
            ],
        )?;
        for friend in &set.friends {
            self.connection.execute(
                "INSERT INTO trusted_friends (set_id, number, friend) VALUES (?1, ?2, ?3)",
                params![Col(&set.set), friend.number, Col(&friend.friend)],
            )?;
        }
        Ok(())
    }

    /// The sets that were not revoked, the newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn trusted_sets(&self) -> Result<Vec<TrustedSet>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT set_id, inbox, place, threshold, device, created FROM trusted_sets
             WHERE revoked_at IS NULL ORDER BY created DESC, set_id",
        )?;
        let mut sets: Vec<_> = statement.query_map([], set)?.collect::<Result<_, _>>()?;
        let mut statement = self.connection.prepare_cached(
            "SELECT friend, number, taken_at, declined_at, tested_at FROM trusted_friends
             WHERE set_id = ?1 ORDER BY number",
        )?;
        for set in &mut sets {
            let friends = statement.query_map([Col(&set.set)], friend)?;
            set.friends = friends.collect::<Result<_, _>>()?;
        }
        Ok(sets)
    }

    /// Whether a set is or was the owner's, made on this device.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn made_set(&self, set: &SetId) -> Result<bool, DatabaseError> {
        let found = "SELECT 1 FROM trusted_sets WHERE set_id = ?1";
        Ok(self.connection.prepare_cached(found)?.exists([Col(set)])?)
    }

    /// Notes that a friend's app said it keeps a share; whether that is news. What came later counts.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_taken(
        &self,
        friend: &AccountId,
        set: &SetId,
        number: u8,
        at: Millis,
    ) -> Result<bool, DatabaseError> {
        self.note_answer(
            "UPDATE trusted_friends SET taken_at = ?4
             WHERE friend = ?1 AND set_id = ?2 AND number = ?3
                 AND ?4 > max(ifnull(taken_at, 0), ifnull(declined_at, 0))
             RETURNING 1",
            friend,
            set,
            number,
            at,
        )
    }

    /// Notes that a friend's app said it does not keep a share; whether that is news.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_declined(
        &self,
        friend: &AccountId,
        set: &SetId,
        number: u8,
        at: Millis,
    ) -> Result<bool, DatabaseError> {
        self.note_answer(
            "UPDATE trusted_friends SET declined_at = ?4
             WHERE friend = ?1 AND set_id = ?2 AND number = ?3
                 AND ?4 > max(ifnull(taken_at, 0), ifnull(declined_at, 0))
             RETURNING 1",
            friend,
            set,
            number,
            at,
        )
    }

    fn note_answer(
        &self,
        update: &str,
        friend: &AccountId,
        set: &SetId,
        number: u8,
        at: Millis,
    ) -> Result<bool, DatabaseError> {
        let mut statement = self.connection.prepare_cached(update)?;
        let changed = statement
            .query_row(params![Col(friend), Col(set), number, Col(at)], |_| Ok(()))
            .optional()?;
        Ok(changed.is_some())
    }

    /// Notes that the device heard a test; whose it was, where that is news.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_test_heard(
        &self,
        set: &SetId,
        number: u8,
        at: Millis,
    ) -> Result<Option<AccountId>, DatabaseError> {
        let friend = self
            .connection
            .prepare_cached(
                "UPDATE trusted_friends SET tested_at = ?3
                 WHERE set_id = ?1 AND number = ?2 AND ?3 > ifnull(tested_at, 0)
                     AND set_id IN (SELECT set_id FROM trusted_sets WHERE revoked_at IS NULL)
                 RETURNING friend",
            )?
            .query_row(params![Col(set), number, Col(at)], |row| Ok(row.get::<_, Col<_>>(0)?.0));
        Ok(friend.optional()?)
    }

    /// Notes that a set was revoked; whether there was one. It is remembered for as long as its
    /// messages can come back.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_revoked_set(&self, set: &SetId, now: Millis) -> Result<bool, DatabaseError> {
        self.connection.execute(
            "DELETE FROM trusted_sets WHERE revoked_at < ?1",
            [Col(now.saturating_sub(TOMBSTONE_LIFE))],
        )?;
        let revoked = self.connection.execute(
            "UPDATE trusted_sets SET revoked_at = ?2 WHERE set_id = ?1 AND revoked_at IS NULL",
            params![Col(set), Col(now)],
        )?;
        Ok(revoked > 0)
    }
}

fn set(row: &Row<'_>) -> rusqlite::Result<TrustedSet> {
    Ok(TrustedSet {
        set: row.get::<_, Col<_>>(0)?.0,
        inbox: row.get::<_, Col<_>>(1)?.0,
        place: row.get(2)?,
        threshold: row.get(3)?,
        device: row.get(4)?,
        created: row.get::<_, Col<_>>(5)?.0,
        friends: Vec::new(),
    })
}

fn friend(row: &Row<'_>) -> rusqlite::Result<TrustedFriend> {
    let time =
        |at: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<Col<_>>>(at)?.map(|Col(t)| t));
    Ok(TrustedFriend {
        friend: row.get::<_, Col<_>>(0)?.0,
        number: row.get(1)?,
        taken_at: time(2)?,
        declined_at: time(3)?,
        tested_at: time(4)?,
    })
}
