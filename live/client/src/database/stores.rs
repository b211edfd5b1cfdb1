//! The two stores of a home: the one that is open and the one that a duress code opens.
//!
//! Both are there from the first start of every home, whether such a code is set or not, so that
//! neither files nor their number tell. Whatever neither claims is what a destroyed store left, or a
//! crash while an account was removed: no key opens it, and it is deleted.

use std::io;

use warren_crypto::SystemEntropy;

use super::error::DatabaseError;
use super::index::Index;
use crate::tripwire::unlocking;
use crate::vault::{FileName, Vault};

/// Makes the other store where there is none, and deletes what no store claims.
///
/// Entries are listed before rows are read, and a row is committed before its file is made: what
/// another process makes meanwhile is never taken for left over.
///
/// # Errors
/// Where a database or the disk fails.
pub(crate) fn settle(vault: &Vault) -> Result<(), DatabaseError> {
    let index = Index::open(vault)?;
    if !index.has_other_store()? {
        // The first time that it is the home's own: what tells of another is gone before it is said.
        vault.home().remove_traces()?;
        // Whoever opened it with a duress code may have been cut off before that was done.
        unlocking::make_anew(vault.home()).map_err(io::Error::other)?;
    }
    let other = vault.other(index.other_store(&mut SystemEntropy)?);
    let mut entries = vault.home().data_entries()?;
    let mut claimed = vec![vault.index_name()?, other.index_name()?];
    claimed.extend(index.files()?);
    claimed.extend(Index::open(&other)?.files()?);
    let is_claimed = |name: FileName| claimed.contains(&name);
    entries.retain(|entry| !FileName::of_entry(entry).is_some_and(is_claimed));
    Ok(vault.home().remove_data(&entries)?)
}
