//! The protobuf around what accounts push (see `warren-config`'s own page).

use warren_account::Account;
use warren_config::{Push, Synced};
use warren_message::content::config::{ConfigKind, SharedConfig};
use warren_message::{Kind, open_direct, seal_config};
use warren_wire::limits::MAX_DATA_BYTES;

use crate::error::ClientError;

/// A release of Session wrapped twice.
const MOST_WRAPPERS: usize = 2;

/// The messages of a push as they are stored: one alone in a wrapper where that fits, several as
/// they are.
pub(crate) fn wrap(
    account: &Account,
    kind: ConfigKind,
    push: Push,
) -> Result<Vec<Vec<u8>>, ClientError> {
    let [data] = push.messages.as_slice() else { return Ok(push.messages) };
    let config = SharedConfig { kind, seqno: push.seqno, data: data.clone() };
    match seal_config(account, config) {
        Ok(wrapped) if wrapped.len() <= MAX_DATA_BYTES => Ok(vec![wrapped]),
        _ => Ok(push.messages),
    }
}

/// What is inside of a stored configuration message; what has no wrapper is taken as it is.
pub(crate) fn unwrap(account: &Account, stored: &[u8]) -> Vec<u8> {
    let mut inner = stored.to_vec();
    for _ in 0..MOST_WRAPPERS {
        match open_direct(account, &inner).map(|opened| opened.content.kind) {
            Ok(Kind::Config(config)) => inner = config.data,
            _ => break,
        }
    }
    inner
}

/// Which kind a namespace's configuration is called in the wrapper.
pub(crate) fn kind_of(config: &impl Synced) -> Option<ConfigKind> {
    match config.namespace().number() {
        2 => Some(ConfigKind::UserProfile),
        3 => Some(ConfigKind::Contacts),
        4 => Some(ConfigKind::ConvoInfoVolatile),
        5 => Some(ConfigKind::UserGroups),
        _ => None,
    }
}
