//! Configurations go to the swarm, and are renewed before they expire there.

use std::sync::Arc;

use warren_account::Account;
use warren_config::{Contacts, ConvoInfoVolatile, UserGroups, UserProfile};
use warren_message::expiration::CONFIG_TTL;
use warren_wire::limits::DAY;
use warren_wire::{MessageHash, Millis};

use super::kept::{self, Kept};
use super::wrapper::{kind_of, wrap};
use crate::database::{ConfigState, Task, Tx};
use crate::error::ClientError;
use crate::mailbox::Access;
use crate::mailbox::store::Letter;
use crate::messenger::{Messenger, now};

/// So long after a push the same is stored again: well before its thirty days end.
const RENEW_AFTER: Millis = 7 * DAY;

impl Messenger {
    /// Pushes what changed of the account's configurations, and renews what is old; the number of
    /// configurations pushed.
    ///
    /// # Errors
    /// Where the network or the database fails; what was not pushed is pushed the next time.
    pub async fn push_configs(&self) -> Result<usize, ClientError> {
        // One that cannot be pushed keeps no other from it.
        let outcomes = [
            self.push_config::<UserProfile>().await,
            self.push_config::<Contacts>().await,
            self.push_config::<UserGroups>().await,
            self.push_config::<ConvoInfoVolatile>().await,
        ];
        // Nor from tending the groups.
        let tended = self.tend_groups().await;
        let mut pushed = 0;
        for outcome in outcomes {
            pushed += usize::from(outcome?);
        }
        Ok(pushed + tended?)
    }

    /// Whether any configuration holds changes that no swarm has.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn has_configs_to_push(&self) -> Result<bool, ClientError> {
        let states = self.db.with(|db| db.configs())?;
        Ok(states.iter().any(|state| state.needs_push || is_old(state)))
    }

    async fn push_config<C: Kept>(&self) -> Result<bool, ClientError> {
        let own = self.account.id();
        let state = self.db.with(|db| db.config(&own, C::NAMESPACE))?;
        if !state.is_some_and(|state| state.needs_push || is_old(&state)) {
            return Ok(false);
        }
        let begin = |tx: &Tx<'_>| {
            let mut config = kept::read::<C>(tx, &self.account, now())?;
            let kind = kind_of(&config);
            // Of one that is only old: the same bytes, which live for another thirty days.
            let mut push = config.push(now())?;
            // Named until they are deleted, wherever this program ends.
            config.keep_obsolete(std::mem::take(&mut push.obsolete));
            kept::write(tx, &own, &mut config, None, now())?;
            Ok::<_, ClientError>((kind, push))
        };
        let (kind, push) = self.db.with(|db| db.transact(begin))?;
        let Some(kind) = kind else { return Ok(false) };
        let seqno = push.seqno;
        let messages = wrap(&self.account, kind, push)?;
        let access = Access::Person(Arc::clone(&self.account));
        let mut hashes = Vec::new();
        for data in messages {
            let (namespace, ttl) = (C::NAMESPACE, CONFIG_TTL);
            let letter = Letter { target: own, namespace, data, timestamp: now(), ttl };
            hashes.push(self.network.store(&letter, Some(&access)).await?);
        }
        self.db.with(|db| db.transact(|tx| confirm::<C>(tx, &self.account, seqno, &hashes)))?;
        Ok(true)
    }
}

/// Notes that the swarm has a configuration, and has it delete what that replaces.
fn confirm<C: Kept>(
    tx: &Tx<'_>,
    account: &Account,
    seqno: i64,
    hashes: &[MessageHash],
) -> Result<(), ClientError> {
    let own = account.id();
    let mut config = kept::read::<C>(tx, account, now())?;
    config.confirm_pushed(seqno, hashes.iter().map(ToString::to_string).collect());
    let obsolete = if config.needs_push() { Vec::new() } else { config.take_obsolete() };
    let obsolete = obsolete.iter().filter_map(|hash| hash.parse().ok());
    let obsolete: Vec<MessageHash> = obsolete.filter(|hash| !hashes.contains(hash)).collect();
    kept::write(tx, &own, &mut config, Some(now()), now())?;
    if !obsolete.is_empty() {
        tx.add_job(&Task::Delete { mailbox: own, hashes: obsolete }, &[], now())?;
    }
    Ok(())
}

/// Whether the swarm is to be told to keep it longer.
pub(crate) fn is_old(state: &ConfigState) -> bool {
    let age = state.pushed_at.map(|pushed| now().saturating_sub(pushed));
    !state.hashes.is_empty() && age.is_some_and(|age| age > RENEW_AFTER)
}
