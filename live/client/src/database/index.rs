//! The index: settings, and which accounts live on this device.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, Row, params};
use warren_crypto::secret::SecretBytes;
use warren_crypto::{Entropy, Secret};
use warren_wire::{AccountId, Millis};

use super::column::Col;
use super::error::{DatabaseError, is_duplicate};
use super::{connection, schema};
use crate::notification::NotificationMode;
use crate::vault::{FileName, Home, Subkey, Vault};

const SEED: &str = "network seed";
const OTHER_STORE: &str = "other store";
const SEEN_RELEASE: &str = "seen release";

/// An account on this device, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEntry {
    /// Its id.
    pub id: AccountId,
    /// What the person calls it.
    pub label: String,
    /// What the people it writes to are told; `None` tells them nothing.
    pub display_name: Option<String>,
    /// When it came onto this device.
    pub created: Millis,
}

/// An account with all that opens it.
pub struct AccountKeys {
    /// What a list shows of it.
    pub entry: AccountEntry,
    /// The Ed25519 seed, `seed16 || 00 * 16` (wire spec, section 1).
    pub seed: Secret<32>,
    /// Where its database lies.
    pub(super) file: FileName,
    /// The raw key of its database.
    pub(super) db_key: Secret<32>,
}

impl AccountKeys {
    /// The name under which the account's data lies.
    pub(crate) const fn file(&self) -> &FileName {
        &self.file
    }

    /// What opens the account's database.
    pub(crate) const fn database_key(&self) -> &Secret<32> {
        &self.db_key
    }
}

impl fmt::Debug for AccountKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountKeys(..)")
    }
}

/// The open index.
pub struct Index {
    connection: Connection,
    home: Home,
}

impl Index {
    /// Opens the index, making it where there is none.
    ///
    /// # Errors
    /// Where the file is damaged, newer or of another vault, or the disk fails.
    pub fn open(vault: &Vault) -> Result<Self, DatabaseError> {
        let key = vault.subkey(Subkey::Index)?;
        let home = vault.home().clone();
        let path = home.database_file(&vault.index_name()?);
        let connection = connection::open(&path, &key, None, &schema::INDEX)?;
        Ok(Self { connection, home })
    }

    /// All accounts, in the order they came.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn accounts(&self) -> Result<Vec<AccountEntry>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT account_id, label, display_name, created FROM accounts ORDER BY id",
        )?;
        let entries = statement.query_map([], entry)?.collect::<Result<_, _>>()?;
        Ok(entries)
    }

    /// One account with its keys.
    ///
    /// # Errors
    /// [`DatabaseError::UnknownAccount`] where it is not on this device.
    pub fn account(&self, id: &AccountId) -> Result<AccountKeys, DatabaseError> {
        self.connection
            .prepare_cached(
                "SELECT account_id, label, display_name, created, seed, file, db_key FROM accounts
                 WHERE account_id = ?1",
            )?
            .query_row([Col(id)], keys)
            .optional()?
            .ok_or(DatabaseError::UnknownAccount)
    }

    /// One account with its keys, by its id or its label.
    ///
    /// # Errors
    /// [`DatabaseError::UnknownAccount`] for none, [`DatabaseError::AmbiguousName`] for several.
    pub fn find_account(&self, text: &str) -> Result<AccountKeys, DatabaseError> {
        if let Ok(id) = text.parse() {
            return self.account(&id);
        }
        let mut entries = self.accounts()?;
        entries.retain(|entry| entry.label == text);
        match entries.as_slice() {
            [] => Err(DatabaseError::UnknownAccount),
            [entry] => self.account(&entry.id),
            several => Err(DatabaseError::AmbiguousName { count: several.len() }),
        }
    }

    /// Puts an account on this device, with a fresh key for its database.
    ///
    /// `seed` must be the one `id` comes from; it is not derived again here.
    ///
    /// # Errors
    /// [`DatabaseError::AccountExists`] where it is here already.
    pub fn add_account(
        &self,
        id: &AccountId,
        label: &str,
        display_name: Option<&str>,
        seed: Secret<32>,
        now: Millis,
        entropy: &mut dyn Entropy,
    ) -> Result<AccountKeys, DatabaseError> {
        let file = FileName::random(entropy);
        let db_key = Secret::random(entropy);
        let added = self.connection.execute(
            "INSERT INTO accounts (account_id, label, display_name, created, seed, file, db_key)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                Col(id),
                label,
                display_name,
                Col(now),
                Col(&seed),
                file.as_str(),
                Col(&db_key)
            ],
        );
        match added {
            Err(error) if is_duplicate(&error) => Err(DatabaseError::AccountExists),
            Err(error) => Err(error.into()),
            Ok(_) => {
                let display_name = display_name.map(str::to_owned);
                let label = label.to_owned();
                let entry = AccountEntry { id: *id, label, display_name, created: now };
                Ok(AccountKeys { entry, seed, file, db_key })
            }
        }
    }

    /// Takes an account off this device: its keys first, then its files.
    ///
    /// # Errors
    /// [`DatabaseError::UnknownAccount`] where it is not here. Where only deleting the files
    /// fails, the account is gone nevertheless, and the next open deletes them.
    pub fn remove_account(&self, id: &AccountId) -> Result<(), DatabaseError> {
        let keys = self.account(id)?;
        let removed =
            self.connection.execute("DELETE FROM accounts WHERE account_id = ?1", [Col(id)])?;
        if removed == 0 {
            return Err(DatabaseError::UnknownAccount);
        }
        // The key must leave the write-ahead log too.
        self.checkpoint()?;
        Ok(self.home.remove_database(&keys.file)?)
    }

    /// Calls an account something else.
    ///
    /// # Errors
    /// [`DatabaseError::UnknownAccount`] where it is not here.
    pub fn set_label(&self, id: &AccountId, label: &str) -> Result<(), DatabaseError> {
        let put = "UPDATE accounts SET label = ?2 WHERE account_id = ?1";
        known(self.connection.execute(put, params![Col(id), label])?)
    }

    /// How soon the owner of an account wants to hear of new messages.
    ///
    /// # Errors
    /// [`DatabaseError::UnknownAccount`] where it is not here.
    pub fn notification_mode(&self, id: &AccountId) -> Result<NotificationMode, DatabaseError> {
        let mode: String = self
            .connection
            .prepare_cached("SELECT notifications FROM accounts WHERE account_id = ?1")?
            .query_row([Col(id)], |row| row.get(0))
            .optional()?
            .ok_or(DatabaseError::UnknownAccount)?;
        mode.parse().map_err(|_| DatabaseError::Damaged)
    }

    /// Says so.
    ///
    /// # Errors
    /// [`DatabaseError::UnknownAccount`] where it is not here.
    pub fn set_notification_mode(
        &self,
        id: &AccountId,
        mode: NotificationMode,
    ) -> Result<(), DatabaseError> {
        let put = "UPDATE accounts SET notifications = ?2 WHERE account_id = ?1";
        known(self.connection.execute(put, params![Col(id), mode.name()])?)
    }

    /// The seed of the network this device belongs to, as it was given; `None` where nobody said.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn seed(&self) -> Result<Option<String>, DatabaseError> {
        let seed = self.setting(SEED)?.map(String::from_utf8).transpose();
        seed.map_err(|_| DatabaseError::Damaged)
    }

    /// Says which network this device belongs to.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_seed(&self, seed: &str) -> Result<(), DatabaseError> {
        self.set_setting(SEED, seed.as_bytes())
    }

    /// Keeps a setting of the device.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) fn set_setting(&self, name: &str, value: &[u8]) -> Result<(), DatabaseError> {
        let put = "INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)";
        self.connection.execute(put, params![name, value])?;
        Ok(())
    }

    /// The highest number of a release's manifest that this device has seen; 0 before the first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn seen_release(&self) -> Result<u64, DatabaseError> {
        let seen = self.setting(SEEN_RELEASE)?;
        let seen = seen.and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        Ok(seen.unwrap_or_default())
    }

    /// Notes that a release's manifest was seen.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_seen_release(&self, number: u64) -> Result<(), DatabaseError> {
        let put = "INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)";
        self.connection.execute(put, params![SEEN_RELEASE, number.to_be_bytes().as_slice()])?;
        Ok(())
    }

    /// Forgets a setting of the device.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) fn remove_setting(&self, name: &str) -> Result<(), DatabaseError> {
        self.connection.execute("DELETE FROM settings WHERE name = ?1", [name])?;
        Ok(())
    }

    /// A setting of the device.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, DatabaseError> {
        let value = self
            .connection
            .prepare_cached("SELECT value FROM settings WHERE name = ?1")?
            .query_row([name], |row| row.get(0));
        Ok(value.optional()?)
    }

    pub(super) fn checkpoint(&self) -> Result<(), DatabaseError> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// The master key of the home's other store, drawn where there is none yet.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) fn other_store(
        &self,
        entropy: &mut dyn Entropy,
    ) -> Result<Secret<32>, DatabaseError> {
        if self.setting(OTHER_STORE)?.is_none() {
            let drawn = Secret::<32>::random(entropy);
            // Another process may have been first.
            let put = "INSERT OR IGNORE INTO settings (name, value) VALUES (?1, ?2)";
            self.connection.execute(put, params![OTHER_STORE, Col(&drawn)])?;
        }
        let kept = self.setting(OTHER_STORE)?.map(SecretBytes::take);
        kept.and_then(|kept| Secret::from_slice(kept.expose())).ok_or(DatabaseError::Damaged)
    }

    /// Whether the store was open before as the one of its home.
    pub(super) fn has_other_store(&self) -> Result<bool, DatabaseError> {
        Ok(self.setting(OTHER_STORE)?.is_some())
    }

    /// The names of all accounts' databases.
    pub(super) fn files(&self) -> Result<Vec<FileName>, DatabaseError> {
        let mut statement = self.connection.prepare("SELECT file FROM accounts")?;
        let names: Vec<String> =
            statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        names.iter().map(|name| FileName::parse(name).ok_or(DatabaseError::Damaged)).collect()
    }

    /// A number among the settings.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, DatabaseError> {
        let Some(bytes) = self.setting(name)? else { return Ok(None) };
        let bytes = bytes.try_into().map_err(|_| DatabaseError::Damaged)?;
        Ok(Some(u64::from_le_bytes(bytes)))
    }

    /// Sets one.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) fn set_number(&self, name: &str, number: u64) -> Result<(), DatabaseError> {
        let put = "INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)";
        self.connection.execute(put, params![name, number.to_le_bytes()])?;
        Ok(())
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Index(..)")
    }
}

fn known(rows: usize) -> Result<(), DatabaseError> {
    if rows == 0 { Err(DatabaseError::UnknownAccount) } else { Ok(()) }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AccountEntry> {
    Ok(AccountEntry {
        id: row.get::<_, Col<AccountId>>(0)?.0,
        label: row.get(1)?,
        display_name: row.get(2)?,
        created: row.get::<_, Col<Millis>>(3)?.0,
    })
}

fn keys(row: &Row<'_>) -> rusqlite::Result<AccountKeys> {
    let file: String = row.get(5)?;
    let name = FileName::parse(&file).ok_or_else(|| {
        rusqlite::Error::InvalidColumnType(5, "file".to_owned(), rusqlite::types::Type::Text)
    })?;
    Ok(AccountKeys {
        entry: entry(row)?,
        seed: row.get::<_, Col<Secret<32>>>(4)?.0,
        file: name,
        db_key: row.get::<_, Col<Secret<32>>>(6)?.0,
    })
}
