//! What a friend sends to the inbox of a device: its share, or what proves that they have one.

use warren_crypto::Secret;

use super::set::{FriendShare, MOST_FRIENDS, SECRET_BYTES, SetId, proof};

/// Bytes of an encoded order.
pub const ORDER_BYTES: usize = 44;

const VERSION: u8 = 1;
const WIPE: u8 = 1;
const TEST: u8 = 2;

/// Whether the device is to be wiped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is, once enough friends say so: the order reveals the share.
    Wipe,
    /// It is not: the order carries the share's proof, from which the share does not follow.
    Test,
}

/// A friend's order.
#[derive(Debug, PartialEq, Eq)]
pub struct Order {
    /// What is to be done.
    pub action: Action,
    /// The set of the friend's share.
    pub set: SetId,
    /// How many of the set wipe the device.
    pub threshold: u8,
    /// Which of the set, from 1.
    pub number: u8,
    /// The share's secret, or its proof.
    pub(super) value: Secret<SECRET_BYTES>,
}

impl Order {
    /// The order that a share gives.
    pub fn of(share: &FriendShare, action: Action) -> Self {
        let value = match action {
            Action::Wipe => share.secret.duplicate(),
            Action::Test => share.proof(),
        };
        let FriendShare { set, threshold, number, .. } = *share;
        Self { action, set, threshold, number, value }
    }

    /// `version[1] || action[1] || set[8] || threshold[1] || number[1] || value[32]`.
    pub fn encode(&self) -> Secret<ORDER_BYTES> {
        let action = match self.action {
            Action::Wipe => WIPE,
            Action::Test => TEST,
        };
        let mut bytes = [0; ORDER_BYTES];
        let (head, numbers) = ([VERSION, action], [self.threshold, self.number]);
        let parts = head.iter().chain(&self.set.0).chain(&numbers).chain(self.value.expose());
        for (to, from) in bytes.iter_mut().zip(parts) {
            *to = *from;
        }
        Secret::take(&mut bytes)
    }

    /// Reads what [`Order::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; ORDER_BYTES] = bytes.try_into().ok()?;
        let (&[version, action], rest) = bytes.split_first_chunk()?;
        let (set, rest) = rest.split_first_chunk()?;
        let (&[threshold, number], value) = rest.split_first_chunk()?;
        let action = match (version, action) {
            (VERSION, WIPE) => Action::Wipe,
            (VERSION, TEST) => Action::Test,
            _ => return None,
        };
        let is_sound = [threshold, number].iter().all(|one| (1..=MOST_FRIENDS).contains(one));
        let value = Secret::from_slice(value)?;
        is_sound.then_some(Self { action, set: SetId(*set), threshold, number, value })
    }

    /// The same order again, for a message that is kept until it was sent.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self { value: self.value.duplicate(), ..*self }
    }

    /// What the device verifies.
    pub(super) fn proof(&self) -> Secret<SECRET_BYTES> {
        match self.action {
            Action::Wipe => proof(&self.value, self.set, self.threshold, self.number),
            Action::Test => self.value.duplicate(),
        }
    }
}
