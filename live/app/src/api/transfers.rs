//! Files in an unlocked home: those that wait for their messages, and those that are being fetched.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use warren_client::DraftFile;
use warren_wire::AccountId;

use crate::failure::Failure;

/// How many files may wait for a message; the oldest goes first.
const MOST_DRAFTS: usize = 256;

/// Files that were handed in and that no message has taken yet.
#[derive(Default)]
pub struct Drafts(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    last: u64,
    files: VecDeque<(AccountId, u64, DraftFile)>,
}

impl Drafts {
    /// Keeps a file of an account; what it is named by.
    pub fn put(&self, account: AccountId, file: DraftFile) -> u64 {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.last += 1;
        let id = waiting.last;
        waiting.files.push_back((account, id, file));
        if waiting.files.len() > MOST_DRAFTS {
            waiting.files.pop_front();
        }
        id
    }

    /// Files of an account, in the order asked for; they stay until [`Drafts::forget`].
    ///
    /// # Errors
    /// Where one is not there.
    pub fn get(&self, account: &AccountId, ids: &[u64]) -> Result<Vec<DraftFile>, Failure> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |id: &u64| {
            let found = waiting.files.iter().find(|(owner, one, _)| (owner, one) == (account, id));
            found.map(|(_, _, file)| file.clone()).ok_or(Failure::NoSuchDraft(*id))
        };
        ids.iter().map(find).collect()
    }

    /// Forgets files that a message has taken.
    pub fn forget(&self, ids: &[u64]) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.files.retain(|(_, id, _)| !ids.contains(id));
    }
}

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
