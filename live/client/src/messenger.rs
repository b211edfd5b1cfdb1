//! One account at work: its keys, its database and its road into the network.

use std::time::{SystemTime, UNIX_EPOCH};

use warren_account::Account;
use warren_transport::Seed;
use warren_wire::Millis;

use crate::database::{AccountDb, AccountEntry};
use crate::nodes::Nodes;
use crate::road::Road;

/// One account at work. Nothing in it is shared with another account.
pub struct Messenger {
    pub(crate) account: Account,
    pub(crate) entry: AccountEntry,
    pub(crate) db: AccountDb,
    pub(crate) nodes: Nodes,
    pub(crate) road: Road,
    /// How often mail was fetched since the start.
    pub(crate) fetches: u64,
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Messenger {
    pub(crate) fn new(
        account: Account,
        entry: AccountEntry,
        db: AccountDb,
        seed: Option<Seed>,
    ) -> Self {
        Self { account, entry, db, nodes: Nodes::new(seed), road: Road::default(), fetches: 0 }
    }

    /// What a list shows of the account.
    pub const fn account(&self) -> &AccountEntry {
        &self.entry
    }

    /// Its messages, contacts and conversations.
    pub const fn db(&mut self) -> &mut AccountDb {
        &mut self.db
    }
}
