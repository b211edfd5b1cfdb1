//! Configurations go to the swarm, and are renewed before they expire there.

use std::sync::Arc;

use warren_config::{Contacts, ConvoInfoVolatile, UserGroups, UserProfile};
use warren_message::expiration::CONFIG_TTL;
use warren_wire::limits::DAY;
use warren_wire::{MessageHash, Millis};

use super::kept::{self, Kept};
use super::wrapper::{kind_of, wrap};
use crate::database::{ConfigState, Task, Tx};
use crate::error::ClientError;
use crate::mailbox::Access;
use crate::mailbox::order::Deed;
use crate::mailbox::store::Letter;
use crate::messenger::{Messenger, now};

/// So long after a push the swarm is told to keep it longer: well before its thirty days end.
const RENEW_AFTER: Millis = 7 * DAY;

impl Messenger {
    /// Pushes what changed of the account's configurations, and renews what is old; the number of
    /// configurations pushed.
    ///
    /// # Errors
    /// Where the network or the database fails; what was not pushed is pushed the next time.
    pub async fn push_configs(&self) -> Result<usize, ClientError> {
        let mut pushed = 0;
        // Contacts and groups before what is read in them.
        pushed += usize::from(self.push_config::<UserProfile>().await?);
        pushed += usize::from(self.push_config::<Contacts>().await?);
        pushed += usize::from(self.push_config::<UserGroups>().await?);
        pushed += usize::from(self.push_config::<ConvoInfoVolatile>().await?);
        Ok(pushed)
    }

    /// Whether any configuration holds changes that no swarm has.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn has_configs_to_push(&self) -> Result<bool, ClientError> {
        let states = self.db.with(|db| db.configs())?;
        let own = self.account.id();
        Ok(states.iter().any(|state| state.owner == own && (state.needs_push || is_old(state))))
    }

    async fn push_config<C: Kept>(&self) -> Result<bool, ClientError> {
        let own = self.account.id();
        let state = self.db.with(|db| db.config(&own, C::NAMESPACE))?;
        let Some(state) = state else { return Ok(false) };
        if !state.needs_push {
            return if is_old(&state) { self.renew(&state).await } else { Ok(false) };
        }
        let begin = |tx: &Tx<'_>| {
            let mut config = kept::read::<C>(tx, &self.account, now())?;
            let kind = kind_of(&config);
            let push = config.push(now())?;
            kept::write(tx, &own, &mut config, None, now())?;
            // Deleted once the new ones are there, even where this program ends in between.
            let obsolete: Vec<MessageHash> =
                push.obsolete.iter().filter_map(|hash| hash.parse().ok()).collect();
            Ok::<_, ClientError>((kind, push, obsolete))
        };
        let (kind, push, obsolete) = self.db.with(|db| db.transact(begin))?;
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
        let confirm = |tx: &Tx<'_>| {
            let mut config = kept::read::<C>(tx, &self.account, now())?;
            config.confirm_pushed(seqno, hashes.iter().map(ToString::to_string).collect());
            kept::write(tx, &own, &mut config, Some(now()), now())?;
            let stale: Vec<_> =
                obsolete.iter().filter(|hash| !hashes.contains(hash)).copied().collect();
            if !stale.is_empty() {
                let task = Task::Delete { mailbox: own, hashes: stale };
                tx.add_job(&task, &[], now())?;
            }
            Ok::<_, ClientError>(())
        };
        self.db.with(|db| db.transact(confirm))?;
        Ok(true)
    }

    /// Has the swarm keep a configuration for another thirty days. Where it has lost it, it is pushed
    /// again.
    async fn renew(&self, state: &ConfigState) -> Result<bool, ClientError> {
        let access = Access::Person(Arc::clone(&self.account));
        let until = now().saturating_add(CONFIG_TTL);
        self.network.order(&access, &Deed::Extend(state.hashes.clone(), until)).await?;
        let renewed = ConfigState { pushed_at: Some(now()), ..state.clone() };
        self.db.with(|db| db.put_config(&renewed))?;
        Ok(true)
    }
}

fn is_old(state: &ConfigState) -> bool {
    let age = state.pushed_at.map(|pushed| now().saturating_sub(pushed));
    !state.hashes.is_empty() && age.is_some_and(|age| age > RENEW_AFTER)
}
