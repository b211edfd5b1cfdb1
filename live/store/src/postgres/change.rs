//! What an order does, as bytes in a column: one for its kind, then its fields.

use warren_wire::record::{Change, Drawers, ExpireMode, SubaccountToken};
use warren_wire::{MessageHash, Millis, Namespace};

use crate::StoreError;

const DELETE: u8 = 0;
const DELETE_ALL: u8 = 1;
const DELETE_BEFORE: u8 = 2;
const EXPIRE: u8 = 3;
const EXPIRE_ALL: u8 = 4;
const REVOKE: u8 = 5;
const UNREVOKE: u8 = 6;
const REPLACE: u8 = 7;

const MODES: [ExpireMode; 3] = [ExpireMode::Set, ExpireMode::Extend, ExpireMode::Shorten];

/// Writes a change.
pub(super) fn encode(change: &Change) -> Vec<u8> {
    match change {
        Change::Delete(hashes) => {
            fields(DELETE, hashes.iter().map(|hash| hash.as_bytes().to_vec()))
        }
        Change::DeleteAll(which) => fields(DELETE_ALL, [drawers(*which)]),
        Change::DeleteBefore(which, last) => {
            fields(DELETE_BEFORE, [drawers(*which), last.to_be_bytes().to_vec()])
        }
        Change::Replace(namespace, last) => {
            let drawer = drawers(Drawers::One(*namespace));
            fields(REPLACE, [drawer, last.to_be_bytes().to_vec()])
        }
        Change::Expire(expiries, mode) => {
            let mode = MODES.iter().position(|known| known == mode).unwrap_or_default();
            let mode = vec![u8::try_from(mode).unwrap_or_default()];
            let pairs = expiries.iter().flat_map(|(hash, expiry)| {
                [hash.as_bytes().to_vec(), expiry.to_be_bytes().to_vec()]
            });
            fields(EXPIRE, std::iter::once(mode).chain(pairs))
        }
        Change::ExpireAll(which, to) => {
            fields(EXPIRE_ALL, [drawers(*which), to.to_be_bytes().to_vec()])
        }
        Change::Revoke(tokens) => fields(REVOKE, tokens.iter().map(|token| token.0.to_vec())),
        Change::Unrevoke(tokens) => fields(UNREVOKE, tokens.iter().map(|token| token.0.to_vec())),
    }
}

fn fields(kind: u8, fields: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    std::iter::once(vec![kind]).chain(fields).flatten().collect()
}

fn drawers(which: Drawers) -> Vec<u8> {
    match which {
        Drawers::All => vec![0, 0, 0],
        Drawers::One(namespace) => {
            let [high, low] = namespace.number().to_be_bytes();
            vec![1, high, low]
        }
    }
}

/// Reads a change.
///
/// # Errors
/// [`StoreError::Corrupt`] where the bytes are anything else.
pub(super) fn decode(bytes: &[u8]) -> Result<Change, StoreError> {
    read(bytes).ok_or_else(|| StoreError::Corrupt("an order's change".into()))
}

fn read(bytes: &[u8]) -> Option<Change> {
    let (kind, rest) = bytes.split_first()?;
    Some(match *kind {
        DELETE => Change::Delete(many(rest, |part: &[u8; 32]| MessageHash::from_bytes(*part))?),
        DELETE_ALL => Change::DeleteAll(read_drawers(rest)?),
        DELETE_BEFORE => read_drawers_and_time(rest).map(|(d, t)| Change::DeleteBefore(d, t))?,
        EXPIRE => {
            let (mode, rest) = rest.split_first()?;
            let mode = *MODES.get(usize::from(*mode))?;
            Change::Expire(many(rest, hash_and_time)?.into_iter().collect::<Option<_>>()?, mode)
        }
        EXPIRE_ALL => read_drawers_and_time(rest).map(|(d, t)| Change::ExpireAll(d, t))?,
        REPLACE => match read_drawers_and_time(rest)? {
            (Drawers::One(namespace), last) => Change::Replace(namespace, last),
            (Drawers::All, _) => return None,
        },
        REVOKE => Change::Revoke(many(rest, |part: &[u8; 36]| SubaccountToken(*part))?),
        UNREVOKE => Change::Unrevoke(many(rest, |part: &[u8; 36]| SubaccountToken(*part))?),
        _ => return None,
    })
}

/// All of the bytes in parts of one size.
fn many<const SIZE: usize, T>(bytes: &[u8], one: impl Fn(&[u8; SIZE]) -> T) -> Option<Vec<T>> {
    let (parts, rest) = bytes.as_chunks();
    rest.is_empty().then(|| parts.iter().map(one).collect())
}

fn hash_and_time(part: &[u8; 40]) -> Option<(MessageHash, Millis)> {
    let (hash, time) = part.split_first_chunk()?;
    Some((MessageHash::from_bytes(*hash), Millis::from_be_bytes(time.try_into().ok()?)))
}

fn read_drawers_and_time(bytes: &[u8]) -> Option<(Drawers, Millis)> {
    let (which, time) = bytes.split_last_chunk()?;
    Some((read_drawers(which)?, Millis::from_be_bytes(*time)))
}

fn read_drawers(bytes: &[u8]) -> Option<Drawers> {
    match bytes {
        [0, 0, 0] => Some(Drawers::All),
        [1, high, low] => Some(Drawers::One(Namespace::new(i16::from_be_bytes([*high, *low])))),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn which() -> impl Strategy<Value = Drawers> {
        prop_oneof![
            Just(Drawers::All),
            any::<i16>().prop_map(|number| Drawers::One(Namespace::new(number)))
        ]
    }

    fn changes() -> impl Strategy<Value = Change> {
        let hash = || any::<[u8; 32]>().prop_map(MessageHash::from_bytes);
        let tokens = || {
            let token = (any::<[u8; 32]>(), any::<[u8; 4]>()).prop_map(|(key, front)| {
                SubaccountToken([front.as_slice(), &key].concat().try_into().unwrap())
            });
            prop::collection::vec(token, 0..4)
        };
        prop_oneof![
            prop::collection::vec(hash(), 0..4).prop_map(Change::Delete),
            which().prop_map(Change::DeleteAll),
            (which(), any::<u64>()).prop_map(|(d, t)| Change::DeleteBefore(d, t)),
            any::<(i16, u64)>().prop_map(|(n, t)| Change::Replace(Namespace::new(n), t)),
            (prop::collection::vec((hash(), any::<u64>()), 0..4), prop::sample::select(&MODES[..]))
                .prop_map(|(expiries, mode)| Change::Expire(expiries, mode)),
            (which(), any::<u64>()).prop_map(|(d, t)| Change::ExpireAll(d, t)),
            tokens().prop_map(Change::Revoke),
            tokens().prop_map(Change::Unrevoke),
        ]
    }

    proptest! {
        #[test]
        fn a_change_survives_being_written_and_read(change in changes()) {
            prop_assert_eq!(decode(&encode(&change)), Ok(change));
        }

        #[test]
        fn any_bytes_read_as_a_change_or_an_error(bytes: Vec<u8>) {
            if let Ok(change) = decode(&bytes) {
                prop_assert_eq!(encode(&change), bytes);
            }
        }
    }
}
