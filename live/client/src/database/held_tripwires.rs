//! Whose devices the owner can wipe: shares that others entrusted, and codes that wait to be typed.

use rusqlite::{OptionalExtension, Row, params};
use warren_crypto::Secret;
use warren_lock::tripwire::{FriendShare, SetId};
use warren_wire::{AccountId, AccountKind, Millis};

use super::account::{AccountDb, Tx};
use super::column::Col;
use super::error::DatabaseError;
use super::tombstones::TOMBSTONE_LIFE;

/// The most shares that are kept of one person: as many sets as a device has places.
const MOST_OF_ONE: u32 = 16;
/// The most of them with those that are gone and remembered.
const MOST_REMEMBERED: u32 = 64;

/// A share for a device of somebody else.
#[derive(Debug, PartialEq, Eq)]
pub struct HeldTripwire {
    /// Whose device it is; the account itself for another device of its own.
    pub owner: AccountId,
    /// The share.
    pub share: FriendShare,
    /// The device's inbox.
    pub inbox: AccountId,
    /// What its owner calls the device.
    pub device: String,
    /// When the share came.
    pub received_at: Millis,
    /// When a test was last sent.
    pub test_sent_at: Option<Millis>,
    /// When the device last heard a test, by its own word.
    pub heard_at: Option<Millis>,
    /// When its wipe was ordered; `None` where it was not, or the order is repeated no more.
    pub ordered_at: Option<Millis>,
}

/// What became of a share that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// It is kept.
    Kept,
    /// It was here before, and may have been dropped since.
    Known,
    /// There is no room for more of this person.
    Full,
}

/// What is to be typed before a device is wiped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WipeCode {
    /// Whose device.
    pub owner: AccountId,
    /// Which.
    pub inbox: AccountId,
    /// What is to be typed.
    pub code: String,
    /// Until when.
    pub valid_until: Millis,
}

impl AccountDb {
    /// Keeps a share of somebody's.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn hold_tripwire(&self, held: &HeldTripwire) -> Result<Taking, DatabaseError> {
        let HeldTripwire { owner, share, .. } = held;
        let now = held.received_at;
        self.connection.execute(
            "DELETE FROM held_tripwires WHERE gone_at < ?1",
            [Col(now.saturating_sub(TOMBSTONE_LIFE))],
        )?;
        let (known, kept, all): (bool, u32, u32) = self
            .connection
            .prepare_cached(
                "SELECT ifnull(sum(set_id = ?2 AND number = ?3), 0) > 0, count(secret), count(*)
                 FROM held_tripwires WHERE owner = ?1",
            )?
            .query_row(params![Col(owner), Col(&share.set), share.number], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        if known {
            return Ok(Taking::Known);
        }
        if kept >= MOST_OF_ONE || all >= MOST_REMEMBERED {
            return Ok(Taking::Full);
        }
        self.connection.execute(
            "INSERT INTO held_tripwires
                 (owner, set_id, number, threshold, count, secret, inbox, device, received_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                Col(owner),
                Col(&share.set),
                share.number,
                share.threshold,
                share.count,
                Col(&share.secret),
                Col(&held.inbox),
                held.device,
                Col(now)
            ],
        )?;
        Ok(Taking::Kept)
    }

    /// The shares that are kept, by owner and device.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn held_tripwires(&self) -> Result<Vec<HeldTripwire>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT owner, set_id, number, threshold, count, secret, inbox, device, received_at,
                 test_sent_at, heard_at, ordered_at
             FROM held_tripwires WHERE secret IS NOT NULL
             ORDER BY owner, device, inbox, received_at, set_id, number",
        )?;
        let held = statement.query_map([], held)?.collect::<Result<_, _>>()?;
        Ok(held)
    }

    /// Keeps the share of one number, or all of a set, no longer; which numbers those were. That they
    /// were here is remembered, their secrets are not.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn let_go_of_tripwire(
        &self,
        owner: &AccountId,
        set: &SetId,
        number: Option<u8>,
        now: Millis,
    ) -> Result<Vec<u8>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "UPDATE held_tripwires SET secret = NULL, ordered_at = NULL, gone_at = ?4
             WHERE owner = ?1 AND set_id = ?2 AND number = ifnull(?3, number)
                 AND secret IS NOT NULL
             RETURNING number",
        )?;
        let gone = statement
            .query_map(params![Col(owner), Col(set), number, Col(now)], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(gone)
    }

    /// Notes that a test was sent with a share.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_test_sent(&self, held: &HeldTripwire, now: Millis) -> Result<(), DatabaseError> {
        self.connection.execute(
            "UPDATE held_tripwires SET test_sent_at = ?4
             WHERE owner = ?1 AND set_id = ?2 AND number = ?3",
            params![Col(&held.owner), Col(&held.share.set), held.share.number, Col(now)],
        )?;
        Ok(())
    }

    /// Notes that the device says it heard a test; what it is called, where that is news.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_heard(
        &self,
        owner: &AccountId,
        set: &SetId,
        number: u8,
        at: Millis,
    ) -> Result<Option<String>, DatabaseError> {
        let device = self
            .connection
            .prepare_cached(
                "UPDATE held_tripwires SET heard_at = ?4
                 WHERE owner = ?1 AND set_id = ?2 AND number = ?3 AND secret IS NOT NULL
                     AND ?4 > ifnull(heard_at, 0)
                 RETURNING device",
            )?
            .query_row(params![Col(owner), Col(set), number, Col(at)], |row| row.get(0));
        Ok(device.optional()?)
    }

    /// Notes that the wipe of a device was ordered, or that the order is repeated no more.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn note_ordered(
        &self,
        owner: &AccountId,
        inbox: &AccountId,
        at: Option<Millis>,
    ) -> Result<usize, DatabaseError> {
        let changed = self.connection.execute(
            "UPDATE held_tripwires SET ordered_at = ?3
             WHERE owner = ?1 AND inbox = ?2 AND secret IS NOT NULL
                 AND (?3 IS NOT NULL OR ordered_at IS NOT NULL)",
            params![Col(owner), Col(inbox), at.map(Col)],
        )?;
        Ok(changed)
    }

    /// Keeps a code in the place of whichever there was for this person.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn put_wipe_code(&self, code: &WipeCode) -> Result<(), DatabaseError> {
        self.connection.execute(
            "INSERT OR REPLACE INTO wipe_codes (owner, inbox, code, valid_until)
             VALUES (?1, ?2, ?3, ?4)",
            params![Col(&code.owner), Col(&code.inbox), code.code, Col(code.valid_until)],
        )?;
        Ok(())
    }

    /// The code that is to be typed to wipe a device of this person.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn wipe_code(&self, owner: &AccountId) -> Result<Option<WipeCode>, DatabaseError> {
        let code = self
            .connection
            .prepare_cached("SELECT inbox, code, valid_until FROM wipe_codes WHERE owner = ?1")?
            .query_row([Col(owner)], |row| {
                Ok(WipeCode {
                    owner: *owner,
                    inbox: row.get::<_, Col<_>>(0)?.0,
                    code: row.get(1)?,
                    valid_until: row.get::<_, Col<_>>(2)?.0,
                })
            });
        Ok(code.optional()?)
    }

    /// Forgets the code of a person.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn drop_wipe_code(&self, owner: &AccountId) -> Result<(), DatabaseError> {
        self.connection.execute("DELETE FROM wipe_codes WHERE owner = ?1", [Col(owner)])?;
        Ok(())
    }
}

impl Tx<'_> {
    /// Takes out what waits to be done for the inbox of a device. What no inbox can be, as somebody else
    /// named it, loses nothing: a group, a person who is known, the account itself.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn drop_jobs_for(&self, inbox: &AccountId) -> Result<(), DatabaseError> {
        if !self.may_be_inbox(inbox)? {
            return Ok(());
        }
        let drop = "DELETE FROM jobs WHERE target = ?1 AND message_id IS NULL";
        self.connection.execute(drop, [Col(inbox)])?;
        Ok(())
    }

    /// Whether an account may be the inbox of a device, which is nobody's own.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn may_be_inbox(&self, id: &AccountId) -> Result<bool, DatabaseError> {
        let is_person = id.kind() == AccountKind::Person && id != self.account();
        Ok(is_person && self.contact(id)?.is_none())
    }

    /// Orders that were given before a backup are repeated no more once it came back, and codes are
    /// worth nothing: both may have been thought better of since.
    ///
    /// # Errors
    /// Where the database fails.
    pub(super) fn settle_tripwires(&self) -> Result<(), DatabaseError> {
        self.connection.execute_batch(
            "UPDATE held_tripwires SET ordered_at = NULL WHERE ordered_at IS NOT NULL;
             DELETE FROM wipe_codes;",
        )?;
        Ok(())
    }
}

fn held(row: &Row<'_>) -> rusqlite::Result<HeldTripwire> {
    let time =
        |at: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<Col<_>>>(at)?.map(|Col(t)| t));
    let share = FriendShare {
        set: row.get::<_, Col<_>>(1)?.0,
        number: row.get(2)?,
        threshold: row.get(3)?,
        count: row.get(4)?,
        secret: row.get::<_, Col<Secret<32>>>(5)?.0,
    };
    Ok(HeldTripwire {
        owner: row.get::<_, Col<_>>(0)?.0,
        share,
        inbox: row.get::<_, Col<_>>(6)?.0,
        device: row.get(7)?,
        received_at: row.get::<_, Col<_>>(8)?.0,
        test_sent_at: time(9)?,
        heard_at: time(10)?,
        ordered_at: time(11)?,
    })
}
