//! Files that are being fetched, in an unlocked home.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use warren_wire::AccountId;

/// Files that are being fetched.
#[derive(Default)]
pub struct Transfers(Mutex<Vec<(AccountId, i64, Arc<Transfer>)>>);

/// A file that is being fetched, or is about to be.
#[derive(Default)]
pub struct Transfer {
    /// Held by whoever fetches.
    pub alone: tokio::sync::Mutex<()>,
    /// Ends whoever fetches.
    pub stop: Notify,
}

impl Transfers {
    /// The one of a file.
    pub fn of(&self, account: AccountId, file: i64) -> Arc<Transfer> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, _, transfer)| Arc::strong_count(transfer) > 1);
        let is_it = |one: &&(AccountId, i64, Arc<Transfer>)| one.0 == account && one.1 == file;
        if let Some((_, _, transfer)) = known.iter().find(is_it) {
            return Arc::clone(transfer);
        }
        let transfer = Arc::<Transfer>::default();
        known.push((account, file, Arc::clone(&transfer)));
        transfer
    }
}
