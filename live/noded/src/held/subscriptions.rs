//! The subscriptions of one socket: made, renewed, ended.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use tokio::time::{Duration, Instant};
use warren_node::monitor::{self, CheckedMonitor};
use warren_wire::record::SubaccountToken;
use warren_wire::rpc::monitor::{self as wire, MONITOR_LIFETIME, MonitorError, MonitorRequest};
use warren_wire::value::Dict;
use warren_wire::{AccountId, Namespace};

use super::outbox::{Outbox, Subscriber};
use super::registry::{Watch, Watcher};
use crate::node::{Node, now};

/// The most accounts of one socket.
pub const MOST_ACCOUNTS: usize = 256;
/// The most drawers of one account.
pub const MOST_DRAWERS: usize = 64;

/// What is said where too many wait for a drawer.
const NO_ROOM: &str = "too many subscriptions to this account";

/// What one socket is subscribed to.
pub struct Subscriptions<'a> {
    node: &'a Node,
    outbox: Arc<Outbox>,
    accounts: HashMap<AccountId, Subscription<'a>>,
}

struct Subscription<'a> {
    ends: Instant,
    /// Set where a subaccount subscribed, whose rights may be taken.
    subaccount: Option<SubaccountToken>,
    /// What it is registered as, so that a renewal may leave the registration as it is.
    namespaces: Vec<Namespace>,
    want_data: bool,
    watch: Watch<'a>,
}

impl<'a> Subscriptions<'a> {
    /// None yet; news go into the outbox.
    pub fn new(node: &'a Node, outbox: Arc<Outbox>) -> Self {
        Self { node, outbox, accounts: HashMap::new() }
    }

    /// Makes or renews a subscription and gives the answer to it, and whether it was made.
    pub async fn subscribe(
        &mut self,
        request: Result<MonitorRequest, MonitorError>,
    ) -> (Dict, bool) {
        match self.try_subscribe(request).await {
            Ok(()) => (wire::success(), true),
            Err(error) => (error.to_reply(), false),
        }
    }

    async fn try_subscribe(
        &mut self,
        request: Result<MonitorRequest, MonitorError>,
    ) -> Result<(), MonitorError> {
        let request = request?;
        let account = monitor::account(&request)?;
        if !self.node.placement().keeps(&account) {
            return Err(MonitorError::WrongSwarm);
        }
        // Nothing is read for who signed nothing.
        let checked = CheckedMonitor::check(&request, now(), &[])?;
        let subaccount = request.subaccount.map(|signed| signed.token);
        if let Some(token) = subaccount {
            self.refuse_revoked(&account, &token).await?;
        }
        self.enter(&checked, subaccount)
    }

    async fn refuse_revoked(
        &self,
        account: &AccountId,
        token: &SubaccountToken,
    ) -> Result<(), MonitorError> {
        let revoked = self.node.store.revoked(*account).await.map_err(|error| {
            tracing::error!(%error, "storage failed");
            MonitorError::Arguments("storage failure".to_owned())
        })?;
        if revoked.contains(token) {
            let text = "Subaccount verification failed: subaccount is revoked";
            return Err(MonitorError::Signature(text.to_owned()));
        }
        Ok(())
    }

    fn enter(
        &mut self,
        checked: &CheckedMonitor,
        subaccount: Option<SubaccountToken>,
    ) -> Result<(), MonitorError> {
        let refuse = |text: &str| Err(MonitorError::Arguments(text.to_owned()));
        let (account, want_data) = (*checked.account(), checked.want_data());
        let namespaces = checked.namespaces();
        if namespaces.len() > MOST_DRAWERS {
            return refuse("too many namespaces");
        }
        let ends = Instant::now() + Duration::from_millis(MONITOR_LIFETIME);
        let watcher: Arc<dyn Watcher> =
            Arc::new(Subscriber { outbox: Arc::clone(&self.outbox), want_data });
        let drawers = namespaces.iter().map(|namespace| (account, *namespace)).collect();
        let count = self.accounts.len();
        match self.accounts.entry(account) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                let same = known.namespaces == namespaces && known.want_data == want_data;
                if !same && !self.node.held.renew(&mut known.watch, &watcher, drawers) {
                    return refuse(NO_ROOM);
                }
                (known.ends, known.subaccount, known.want_data) = (ends, subaccount, want_data);
                if !same {
                    known.namespaces = namespaces.to_vec();
                }
            }
            Entry::Vacant(_) if count >= MOST_ACCOUNTS => {
                return refuse("too many accounts on one connection");
            }
            Entry::Vacant(vacant) => {
                let Some(watch) = self.node.held.watch(&watcher, drawers) else {
                    return refuse(NO_ROOM);
                };
                let namespaces = namespaces.to_vec();
                vacant.insert(Subscription { ends, subaccount, namespaces, want_data, watch });
            }
        }
        Ok(())
    }

    /// Whether news of an account may still be told; the subscription is over where they may not.
    ///
    /// # Errors
    /// What the subscriber is told, once.
    pub async fn may_tell(&mut self, account: &AccountId) -> Result<bool, MonitorError> {
        let Some(subscription) = self.accounts.get(account) else { return Ok(false) };
        if subscription.ends <= Instant::now() {
            self.accounts.remove(account);
            return Ok(false);
        }
        let Some(token) = subscription.subaccount else { return Ok(true) };
        match self.refuse_revoked(account, &token).await {
            Err(error @ MonitorError::Signature(_)) => {
                self.accounts.remove(account);
                Err(error)
            }
            other => other.map(|()| true),
        }
    }

    /// Ends the subscription to an account that other nodes keep; whether there was one.
    pub fn end(&mut self, account: &AccountId) -> bool {
        self.accounts.remove(account).is_some()
    }

    /// Ends those whose time is over.
    pub fn sweep(&mut self) {
        let now = Instant::now();
        self.accounts.retain(|_, subscription| subscription.ends > now);
    }
}
