//! What a duress code does beyond this device: which other devices it has wiped, and whose mail it has
//! deleted.
//!
//! They lie sealed in the file of the slots, in a place that is random where there are none, under a key
//! that stands in the slot of the duress code. None of them holds a seed: an order wipes one device, and
//! a right to erase deletes mail and reads none.

use std::fmt;

use warren_crypto::Secret;
use warren_crypto::secret::SecretBytes;

use crate::tripwire::Order;
use crate::tripwire::order::ORDER_BYTES;

/// Bytes of an account id, `05` and the X25519 key.
pub const ID_BYTES: usize = 33;
/// Bytes of a right to erase a mailbox, which the account's crate reads.
pub const ERASURE_BYTES: usize = 128;
/// The most devices that can be told.
pub const MOST_DEVICES: usize = 16;
/// The most mailboxes that can be erased.
pub const MOST_MAILBOXES: usize = 14;
/// The longest text that says which network to ask, in bytes.
pub const MOST_NETWORK_BYTES: usize = crate::tripwire::file::MOST_NETWORK_BYTES;
/// Bytes of the plaintext.
pub(crate) const PLAIN_BYTES: usize = 4_056;

/// What is to be done in the network once a duress code was typed.
#[derive(Default, PartialEq, Eq)]
pub struct DuressOrders {
    /// Which directory to ask; the text of a seed.
    pub network: String,
    /// Other devices to wipe: their inbox, and what wipes them.
    pub devices: Vec<([u8; ID_BYTES], Order)>,
    /// Mailboxes to empty.
    pub mailboxes: Vec<Secret<ERASURE_BYTES>>,
}

impl DuressOrders {
    /// How long they are when they are written.
    pub const BYTES: usize = PLAIN_BYTES;

    /// `devices[1] || mailboxes[1] || length[2] || network || (inbox[33] || order[44])* || right[128]*`,
    /// filled with zeros; `None` where there is more than there is room for.
    pub fn encode(&self) -> Option<SecretBytes> {
        let fits = self.devices.len() <= MOST_DEVICES
            && self.mailboxes.len() <= MOST_MAILBOXES
            && self.network.len() <= MOST_NETWORK_BYTES;
        let counts = [self.devices.len(), self.mailboxes.len()].map(u8::try_from);
        let [Ok(devices), Ok(mailboxes)] = counts else { return None };
        let length = u16::try_from(self.network.len()).ok()?.to_le_bytes();
        let mut bytes = SecretBytes::with_capacity(PLAIN_BYTES);
        let mut push = |part: &[u8]| bytes.push(part);
        let mut whole = fits && push(&[devices, mailboxes]) && push(&length);
        whole = whole && push(self.network.as_bytes());
        for (inbox, order) in &self.devices {
            whole = whole && push(inbox) && push(order.encode().expose());
        }
        for mailbox in &self.mailboxes {
            whole = whole && push(mailbox.expose());
        }
        let rest = vec![0; PLAIN_BYTES.checked_sub(bytes.expose().len())?];
        (whole && bytes.push(&rest)).then_some(bytes)
    }

    /// Reads what [`DuressOrders::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; PLAIN_BYTES] = bytes.try_into().ok()?;
        let (&[devices, mailboxes], rest) = bytes.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (network, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
        let (devices, mailboxes) = (usize::from(devices), usize::from(mailboxes));
        let is_short = network.len() <= MOST_NETWORK_BYTES;
        if devices > MOST_DEVICES || mailboxes > MOST_MAILBOXES || !is_short {
            return None;
        }
        let (orders, rest) = rest.split_at_checked(devices * (ID_BYTES + ORDER_BYTES))?;
        let (rights, filling) = rest.split_at_checked(mailboxes * ERASURE_BYTES)?;
        if filling.iter().any(|byte| *byte != 0) {
            return None;
        }
        let device = |bytes: &[u8]| {
            let (inbox, order) = bytes.split_first_chunk()?;
            Some((*inbox, Order::decode(order)?))
        };
        Some(Self {
            network: std::str::from_utf8(network).ok()?.to_owned(),
            devices: orders.chunks(ID_BYTES + ORDER_BYTES).map(device).collect::<Option<_>>()?,
            mailboxes: rights
                .chunks(ERASURE_BYTES)
                .map(Secret::from_slice)
                .collect::<Option<_>>()?,
        })
    }

    /// Whether there is nothing to be done.
    pub const fn is_empty(&self) -> bool {
        self.devices.is_empty() && self.mailboxes.is_empty()
    }
}

impl fmt::Debug for DuressOrders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DuressOrders(..)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_types, reason = "a test draws from the system")]

    use proptest::prelude::*;
    use warren_crypto::SystemEntropy;

    use super::*;
    use crate::tripwire::Verifier;
    use crate::tripwire::order::Action;

    fn orders(network: String, devices: usize, mailboxes: usize) -> DuressOrders {
        let order = || {
            let (_, shares) = Verifier::draw(1, 1, &mut SystemEntropy).unwrap();
            ([5; ID_BYTES], Order::of(&shares[0], Action::Wipe))
        };
        DuressOrders {
            network,
            devices: (0..devices).map(|_| order()).collect(),
            mailboxes: (0..mailboxes).map(|_| Secret::random(&mut SystemEntropy)).collect(),
        }
    }

    #[test]
    fn there_is_room_for_the_most_of_everything_and_no_more() {
        let network = "x".repeat(MOST_NETWORK_BYTES);
        let full = orders(network.clone(), MOST_DEVICES, MOST_MAILBOXES);
        assert_eq!(DuressOrders::decode(full.encode().unwrap().expose()), Some(full));
        assert!(orders(String::new(), MOST_DEVICES + 1, 0).encode().is_none());
        assert!(orders(String::new(), 0, MOST_MAILBOXES + 1).encode().is_none());
        assert!(orders(network + "x", 0, 0).encode().is_none());
    }

    proptest! {
        #[test]
        fn orders_survive_being_written_and_read(
            network in "[ -~]{0,300}", devices in 0..=MOST_DEVICES, mailboxes in 0..=MOST_MAILBOXES,
        ) {
            let orders = orders(network, devices, mailboxes);
            let bytes = orders.encode().unwrap();
            prop_assert_eq!(bytes.expose().len(), PLAIN_BYTES);
            prop_assert_eq!(DuressOrders::decode(bytes.expose()), Some(orders));
        }

        #[test]
        fn any_bytes_read_as_orders_that_write_the_same_or_as_none(
            start in proptest::collection::vec(0_u8..4, 4..300),
            zeros: bool,
            rest in proptest::collection::vec(any::<u8>(), PLAIN_BYTES),
        ) {
            let mut bytes = if zeros { vec![0; PLAIN_BYTES] } else { rest };
            bytes[..start.len()].copy_from_slice(&start);
            if let Some(orders) = DuressOrders::decode(&bytes) {
                let written = orders.encode().unwrap();
                prop_assert_eq!(written.expose(), bytes.as_slice());
            }
            prop_assert!(DuressOrders::decode(&bytes[1..]).is_none());
        }
    }
}
