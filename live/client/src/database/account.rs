//! One account's database, opened.

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use warren_crypto::Secret;
use warren_wire::{AccountId, Millis};

use super::error::DatabaseError;
use super::index::AccountKeys;
use super::{connection, schema};
use crate::vault::Vault;

/// One account's database. What it can do stands beside each noun: [`super::messages`],
/// [`super::jobs`], [`super::contacts`] and so on.
///
/// A connection belongs to one thread at a time; open a second one for a second thread.
pub struct AccountDb {
    pub(super) connection: Connection,
    account: AccountId,
    /// What is due then is not shown.
    pub(super) hidden_from: Cell<Millis>,
}

impl AccountDb {
    /// Opens the account's database, making it where there is none.
    ///
    /// # Errors
    /// Where the file is damaged, newer or not this account's, or the disk fails.
    pub fn open(vault: &Vault, keys: &AccountKeys) -> Result<Self, DatabaseError> {
        let path = vault.home().database_file(&keys.file);
        let account = keys.entry.id;
        let connection = connection::open(&path, &keys.db_key, Some(&account), &schema::ACCOUNT)?;
        Ok(Self { connection, account, hidden_from: Cell::new(0) })
    }

    /// As [`AccountDb::open`], at a place of its own: for the tripwire's inbox, which no store claims.
    pub(crate) fn open_at(
        path: &std::path::Path,
        key: &Secret<32>,
        account: AccountId,
    ) -> Result<Self, DatabaseError> {
        let connection = connection::open(path, key, Some(&account), &schema::ACCOUNT)?;
        Ok(Self { connection, account, hidden_from: Cell::new(0) })
    }

    /// As [`AccountDb::open`], in memory: nothing of it is kept.
    pub(crate) fn in_memory(account: AccountId) -> Result<Self, DatabaseError> {
        let connection = connection::open_in_memory(&account, &schema::ACCOUNT)?;
        Ok(Self { connection, account, hidden_from: Cell::new(0) })
    }

    /// As [`AccountDb::open`], without encryption: what lies in the file can be read.
    #[cfg(test)]
    pub(super) fn open_plain(
        path: &std::path::Path,
        account: AccountId,
    ) -> Result<Self, DatabaseError> {
        let connection = connection::open_plain(path, &account, &schema::ACCOUNT)?;
        Ok(Self { connection, account, hidden_from: Cell::new(0) })
    }

    /// Whose database this is.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Does several things in one transaction: all are on the disk when this returns, or, where
    /// `work` fails, none is.
    ///
    /// The transaction holds the write lock from its start, so that it never fails halfway because
    /// another process wrote in between.
    ///
    /// # Errors
    /// Those of `work`, or where the database fails.
    pub fn transact<T, E: From<DatabaseError>>(
        &mut self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let begun = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate);
        let transaction = begun.map_err(DatabaseError::from)?;
        let done = work(&Tx { db: self })?;
        transaction.commit().map_err(DatabaseError::from)?;
        Ok(done)
    }
}

/// An account's database within a transaction of [`AccountDb::transact`]: all that it can be asked,
/// and all that changes it.
pub struct Tx<'a> {
    db: &'a AccountDb,
}

impl Deref for Tx<'_> {
    type Target = AccountDb;

    fn deref(&self) -> &AccountDb {
        self.db
    }
}

impl fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tx(..)")
    }
}

/// One account's database, for several tasks at once: each has it to itself for a moment.
#[derive(Clone)]
pub struct Db(Arc<Mutex<AccountDb>>);

impl Db {
    /// Takes the database over.
    pub fn new(db: AccountDb) -> Self {
        Self(Arc::new(Mutex::new(db)))
    }

    /// Does something with the database. `work` waits for nothing, and asks for the database not
    /// again: it has it.
    pub fn with<T>(&self, work: impl FnOnce(&mut AccountDb) -> T) -> T {
        let _mine = Mine::take();
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

thread_local! {
    static HELD: Cell<bool> = const { Cell::new(false) };
}

/// Shows whoever asks for a database while they have one: they would wait for themselves for ever.
struct Mine;

impl Mine {
    fn take() -> Self {
        debug_assert!(!HELD.replace(true), "a database was asked for within work on a database");
        Self
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        HELD.set(false);
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Db(..)")
    }
}

impl fmt::Debug for AccountDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountDb(..)")
    }
}
