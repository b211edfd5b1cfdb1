//! A configuration in the database: read from its dump, changed, written back.

use warren_account::Account;
use warren_config::{ConfigError, Contacts, ConvoInfoVolatile, Synced, UserGroups, UserProfile};
use warren_crypto::Secret;
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use crate::database::{AccountDb, ConfigState, Tx};
use crate::error::ClientError;

/// A kind of configuration that belongs to the account.
pub(crate) trait Kept: Synced + Sized {
    /// Where it is stored.
    const NAMESPACE: Namespace;

    /// An empty one.
    fn fresh(seed: Secret<32>) -> Result<Self, ConfigError>;

    /// The one that was dumped.
    fn restored(seed: Secret<32>, dump: &[u8], now: Millis) -> Result<Self, ConfigError>;
}

macro_rules! kept {
    ($($kind:ty),*) => {$(
        impl Kept for $kind {
            const NAMESPACE: Namespace = <$kind>::KIND.namespace;

            fn fresh(seed: Secret<32>) -> Result<Self, ConfigError> {
                Self::new(seed)
            }

            fn restored(seed: Secret<32>, dump: &[u8], now: Millis) -> Result<Self, ConfigError> {
                Self::load(seed, dump, now)
            }
        }
    )*};
}

kept!(UserProfile, Contacts, ConvoInfoVolatile, UserGroups);

/// The account's configuration of this kind.
///
/// # Errors
/// Where the database fails or what it keeps is damaged.
pub(crate) fn read<C: Kept>(
    db: &AccountDb,
    account: &Account,
    now: Millis,
) -> Result<C, ClientError> {
    let seed = account.seed32().duplicate();
    Ok(match db.config(&account.id(), C::NAMESPACE)? {
        Some(state) => C::restored(seed, state.dump.expose(), now)?,
        None => C::fresh(seed)?,
    })
}

/// Changes the account's configuration of this kind.
///
/// # Errors
/// Those of `work`, or where the database fails or what it keeps is damaged.
pub(crate) fn change<C: Kept, T>(
    tx: &Tx<'_>,
    account: &Account,
    now: Millis,
    work: impl FnOnce(&mut C) -> Result<T, ConfigError>,
) -> Result<T, ClientError> {
    let mut config = read::<C>(tx, account, now)?;
    let done = work(&mut config)?;
    if config.needs_dump() {
        write(tx, &account.id(), &mut config, None, now)?;
    }
    Ok(done)
}

/// Keeps a configuration of the account or of a group; `pushed_at` where the swarm has just confirmed
/// it.
///
/// # Errors
/// Where the database fails.
pub(crate) fn write(
    tx: &Tx<'_>,
    owner: &AccountId,
    config: &mut impl Synced,
    pushed_at: Option<Millis>,
    now: Millis,
) -> Result<(), ClientError> {
    let namespace = config.namespace();
    let before = tx.config(owner, namespace)?.and_then(|state| state.pushed_at);
    let dump = config.suspend(now)?.into();
    let hashes = config.active_hashes(now);
    let state = ConfigState {
        owner: *owner,
        namespace,
        dump,
        needs_push: config.needs_push(),
        seqno: config.config().seqno(),
        hashes: hashes.iter().filter_map(|hash| hash.parse::<MessageHash>().ok()).collect(),
        pushed_at: pushed_at.or(before),
    };
    Ok(tx.put_config(&state)?)
}
