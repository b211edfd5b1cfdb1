//! One account at work: its keys, its database and its road into the network.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use warren_account::Account;
use warren_transport::Seed;
use warren_wire::Millis;

use crate::attachments::FileStore;
use crate::clock::Clock;
use crate::database::{AccountDb, AccountEntry, Db};
use crate::error::ClientError;
use crate::events::{Event, Events};
use crate::incoming::keep::TypingHeard;
use crate::network::Network;
use crate::network::road::PathInUse;

/// One account at work, for any number of tasks at once. Nothing in it is shared with another account.
pub struct Messenger {
    pub(crate) account: Arc<Account>,
    pub(crate) entry: AccountEntry,
    pub(crate) db: Db,
    pub(crate) files: FileStore,
    pub(crate) network: Network,
    pub(crate) events: Events,
    pub(crate) clock: Clock,
    /// One task at a time tends groups: what it plans holds while it asks the network.
    pub(crate) tending: tokio::sync::Mutex<()>,
    /// How often mail was fetched since the start.
    pub(crate) fetches: AtomicU64,
    /// Who was heard to type.
    pub(crate) typing_heard: TypingHeard,
}

/// Milliseconds since the Unix epoch, by this machine's clock.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Messenger {
    pub(crate) fn new(
        account: Account,
        entry: AccountEntry,
        db: AccountDb,
        files: FileStore,
        seed: Option<Seed>,
        events: Events,
        clock: Clock,
    ) -> Self {
        let db = Db::new(db);
        let network = Network::new(db.clone(), account.seed32().duplicate(), seed);
        let account = Arc::new(account);
        Self {
            account,
            entry,
            db,
            files,
            network,
            events,
            clock,
            tending: tokio::sync::Mutex::new(()),
            fetches: AtomicU64::new(0),
            typing_heard: TypingHeard::default(),
        }
    }

    /// What a list shows of the account.
    pub const fn account(&self) -> &AccountEntry {
        &self.entry
    }

    /// Its messages, contacts and conversations. What is due has disappeared from it; where that
    /// fails, as on a full disk, it is not shown.
    pub fn db(&self) -> &Db {
        let hidden_from = if self.expire_due().is_ok() { 0 } else { self.now() };
        self.db.with(|db| db.hide_due(hidden_from));
        &self.db
    }

    /// How late it is for its messages.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Its files on this device.
    pub const fn files(&self) -> &FileStore {
        &self.files
    }

    /// What happens to the accounts of this device.
    pub const fn events(&self) -> &Events {
        &self.events
    }

    /// Tells whoever listens what happened to this account, after it was committed.
    pub fn publish(&self, event: Event) {
        self.events.publish(Some(self.entry.id), event);
    }

    /// The path in use, proven by a question that travelled it.
    ///
    /// # Errors
    /// Where no path works.
    pub async fn path(&self) -> Result<PathInUse, ClientError> {
        self.network.path().await
    }
}
