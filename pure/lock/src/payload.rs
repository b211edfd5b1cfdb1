//! What a slot holds: what its code does, a master key, and room for orders.

use warren_crypto::Secret;
use warren_crypto::secret::SecretBytes;

/// Bytes of a slot's plaintext.
pub const PAYLOAD_BYTES: usize = 280;
/// Bytes of an account's seed: the 16 that the recovery words stand for.
pub const SEED_BYTES: usize = 16;
/// The most orders a slot has room for.
pub const MOST_ORDERS: usize = 14;

const KIND_BYTES: usize = 1;
const MASTER_BYTES: usize = 32;
const COUNT_BYTES: usize = 1;
const TELL_DEVICES: u8 = 1;
const DELETE_MAIL: u8 = 2;

/// What the code of a slot does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// Opens its store.
    Ordinary,
    /// Destroys every other slot, and opens its store.
    Duress,
}

impl SlotKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Ordinary => 1,
            Self::Duress => 2,
        }
    }

    const fn of(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Ordinary),
            2 => Some(Self::Duress),
            _ => None,
        }
    }
}

/// What is to be done in the network for one account once its duress code was typed. The format has
/// room for it; nothing writes one or carries it out.
#[derive(Debug, PartialEq, Eq)]
pub struct Order {
    /// The account's seed, which signs for it. Whoever reads it has the account.
    pub seed: Secret<SEED_BYTES>,
    /// Tell the account's other devices to wipe themselves.
    pub tell_devices: bool,
    /// Delete everything in the account's mailbox.
    pub delete_mail: bool,
}

impl Order {
    const BYTES: usize = 1 + SEED_BYTES;

    fn flags(&self) -> u8 {
        let flag = |set, bit| if set { bit } else { 0 };
        flag(self.tell_devices, TELL_DEVICES) | flag(self.delete_mail, DELETE_MAIL)
    }
}

/// A slot's content.
#[derive(Debug, PartialEq, Eq)]
pub struct Payload {
    /// What its code does.
    pub kind: SlotKind,
    /// The key of the store that it opens.
    pub master: Secret<MASTER_BYTES>,
    /// What else is to be done; at most [`MOST_ORDERS`].
    pub orders: Vec<Order>,
}

impl Payload {
    /// A slot that opens its store and does nothing else.
    pub const fn ordinary(master: Secret<MASTER_BYTES>) -> Self {
        Self { kind: SlotKind::Ordinary, master, orders: Vec::new() }
    }

    /// `kind[1] || master[32] || count[1] || (flags[1] || seed[16])*`, filled with zeros; `None`
    /// where there are more orders than there is room for.
    pub(crate) fn encode(&self) -> Option<SecretBytes> {
        if self.orders.len() > MOST_ORDERS {
            return None;
        }
        let mut bytes = SecretBytes::with_capacity(PAYLOAD_BYTES);
        let count = u8::try_from(self.orders.len()).ok()?;
        let mut fits = bytes.push(&[self.kind.byte()]) && bytes.push(self.master.expose());
        fits = fits && bytes.push(&[count]);
        for order in &self.orders {
            fits = fits && bytes.push(&[order.flags()]) && bytes.push(order.seed.expose());
        }
        while bytes.expose().len() < PAYLOAD_BYTES {
            fits = fits && bytes.push(&[0]);
            if !fits {
                return None;
            }
        }
        Some(bytes)
    }

    /// Reads what [`Payload::encode`] wrote; `None` for anything else.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; PAYLOAD_BYTES] = bytes.try_into().ok()?;
        let (kind, rest) = bytes.split_first_chunk::<KIND_BYTES>()?;
        let (master, rest) = rest.split_first_chunk::<MASTER_BYTES>()?;
        let ([count], rest) = rest.split_first_chunk::<COUNT_BYTES>()?;
        let kind = SlotKind::of(kind[0])?;
        let count = usize::from(*count);
        if count > MOST_ORDERS {
            return None;
        }
        let (orders, filling) = rest.split_at_checked(count * Order::BYTES)?;
        if filling.iter().any(|byte| *byte != 0) {
            return None;
        }
        let orders = orders.chunks_exact(Order::BYTES).map(order).collect::<Option<_>>()?;
        Some(Self { kind, master: Secret::from_slice(master)?, orders })
    }
}

fn order(bytes: &[u8]) -> Option<Order> {
    let (flags, seed) = bytes.split_first()?;
    if *flags & !(TELL_DEVICES | DELETE_MAIL) != 0 {
        return None;
    }
    let seed = Secret::from_slice(seed)?;
    let (tell_devices, delete_mail) = (flags & TELL_DEVICES != 0, flags & DELETE_MAIL != 0);
    Some(Order { seed, tell_devices, delete_mail })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn payload(kind: SlotKind, master: [u8; 32], orders: &[([u8; 16], bool, bool)]) -> Payload {
        let order = |(seed, tell_devices, delete_mail): &([u8; 16], bool, bool)| Order {
            seed: Secret::from_slice(seed).unwrap(),
            tell_devices: *tell_devices,
            delete_mail: *delete_mail,
        };
        let master = Secret::from_slice(&master).unwrap();
        Payload { kind, master, orders: orders.iter().map(order).collect() }
    }

    #[test]
    fn a_slot_has_room_for_fourteen_orders() {
        let order = ([7; 16], true, false);
        let full = payload(SlotKind::Duress, [1; 32], &[order; MOST_ORDERS]);
        assert_eq!(Payload::decode(full.encode().unwrap().expose()), Some(full));
        assert!(payload(SlotKind::Duress, [1; 32], &[order; MOST_ORDERS + 1]).encode().is_none());
    }

    proptest! {
        #[test]
        fn a_payload_survives_being_written_and_read(
            duress: bool,
            master: [u8; 32],
            orders in proptest::collection::vec(any::<([u8; 16], bool, bool)>(), 0..=MOST_ORDERS),
        ) {
            let kind = if duress { SlotKind::Duress } else { SlotKind::Ordinary };
            let payload = payload(kind, master, &orders);
            let bytes = payload.encode().unwrap();
            prop_assert_eq!(bytes.expose().len(), PAYLOAD_BYTES);
            prop_assert_eq!(Payload::decode(bytes.expose()), Some(payload));
        }

        #[test]
        fn any_bytes_read_as_a_payload_that_writes_the_same_or_as_none(
            start in proptest::collection::vec(0_u8..4, 0..40),
            bytes in proptest::collection::vec(any::<u8>(), PAYLOAD_BYTES),
            filling: bool,
        ) {
            let mut bytes = bytes;
            bytes[..start.len()].copy_from_slice(&start);
            if filling {
                bytes[51..].fill(0);
            }
            if let Some(payload) = Payload::decode(&bytes) {
                prop_assert_eq!(payload.encode().unwrap().expose().to_vec(), bytes.clone());
            }
            prop_assert!(Payload::decode(&bytes[1..]).is_none());
        }
    }
}
