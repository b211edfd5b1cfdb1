//! What a slot holds: what its code does, a master key, and the key of its orders.

use warren_crypto::Secret;
use warren_crypto::secret::SecretBytes;

/// Bytes of a slot's plaintext.
pub const PAYLOAD_BYTES: usize = 280;

const KIND_BYTES: usize = 1;
const KEY_BYTES: usize = 32;

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

/// A slot's content.
#[derive(Debug, PartialEq, Eq)]
pub struct Payload {
    /// What its code does.
    pub kind: SlotKind,
    /// The key of the store that it opens.
    pub master: Secret<KEY_BYTES>,
    /// What opens the orders beside the slots. Zero where there are none, as of every ordinary slot:
    /// it then opens nothing.
    pub orders: Secret<KEY_BYTES>,
}

impl Payload {
    /// A slot that opens its store and does nothing else.
    pub fn ordinary(master: Secret<KEY_BYTES>) -> Self {
        Self { kind: SlotKind::Ordinary, master, orders: no_orders() }
    }

    /// `kind[1] || master[32] || key of the orders[32]`, filled with zeros.
    pub(crate) fn encode(&self) -> SecretBytes {
        let mut bytes = SecretBytes::with_capacity(PAYLOAD_BYTES);
        bytes.push(&[self.kind.byte()]);
        bytes.push(self.master.expose());
        bytes.push(self.orders.expose());
        bytes.push(&[0; PAYLOAD_BYTES - KIND_BYTES - 2 * KEY_BYTES]);
        bytes
    }

    /// Reads what [`Payload::encode`] wrote; `None` for anything else.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; PAYLOAD_BYTES] = bytes.try_into().ok()?;
        let (kind, rest) = bytes.split_first_chunk::<KIND_BYTES>()?;
        let (master, rest) = rest.split_first_chunk::<KEY_BYTES>()?;
        let (orders, filling) = rest.split_first_chunk::<KEY_BYTES>()?;
        if filling.iter().any(|byte| *byte != 0) {
            return None;
        }
        let kind = SlotKind::of(kind[0])?;
        Some(Self {
            kind,
            master: Secret::from_slice(master)?,
            orders: Secret::from_slice(orders)?,
        })
    }
}

/// The key of no orders.
pub fn no_orders() -> Secret<KEY_BYTES> {
    Secret::take(&mut [0; KEY_BYTES])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_payload_survives_being_written_and_read(
            duress: bool, master: [u8; 32], orders: [u8; 32],
        ) {
            let kind = if duress { SlotKind::Duress } else { SlotKind::Ordinary };
            let [master, orders] = [master, orders].map(|mut key| Secret::take(&mut key));
            let payload = Payload { kind, master, orders };
            let bytes = payload.encode();
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
                bytes[65..].fill(0);
            }
            if let Some(payload) = Payload::decode(&bytes) {
                prop_assert_eq!(payload.encode().expose().to_vec(), bytes.clone());
            }
            prop_assert!(Payload::decode(&bytes[1..]).is_none());
        }
    }
}
