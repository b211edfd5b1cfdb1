//! Which places of the tripwire the accounts of a store use.

use warren_lock::tripwire::SetId;
use warren_wire::AccountId;

use super::error::DatabaseError;
use super::index::Index;

/// What the index calls them. They are this device's alone: no backup has them.
const NAME: &str = "tripwire places";
/// Bytes of a place, its set and its account.
const ENTRY_BYTES: usize = 1 + 8 + 33;

/// A place of the tripwire that an account uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UsedPlace {
    /// Which.
    pub(crate) place: u8,
    /// The set that stands there.
    pub(crate) set: SetId,
    /// Whose it is.
    pub(crate) account: AccountId,
}

impl Index {
    /// The places that are used.
    ///
    /// # Errors
    /// Where the database fails or what it holds is damaged.
    pub(crate) fn used_places(&self) -> Result<Vec<UsedPlace>, DatabaseError> {
        let kept = self.setting(NAME)?.unwrap_or_default();
        let entries = kept.chunks(ENTRY_BYTES).map(|entry| {
            let (place, rest) = entry.split_first()?;
            let (set, account) = rest.split_first_chunk()?;
            let account = AccountId::from_bytes(account).ok()?;
            Some(UsedPlace { place: *place, set: SetId(*set), account })
        });
        entries.map(|entry| entry.ok_or(DatabaseError::Damaged)).collect()
    }

    /// Says which are.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) fn set_used_places(&self, places: &[UsedPlace]) -> Result<(), DatabaseError> {
        let mut bytes = Vec::with_capacity(places.len() * ENTRY_BYTES);
        for used in places {
            bytes.push(used.place);
            bytes.extend(used.set.0);
            bytes.extend(used.account.as_bytes());
        }
        self.set_setting(NAME, &bytes)
    }
}
