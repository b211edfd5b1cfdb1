//! How many orders of one owner are kept: they last for a month, and anyone can have a mailbox.

use warren_wire::record::Order;

/// The most orders of an owner that clients may bring: more than 500 a day.
pub const ORDERS: u64 = 16_384;
/// The most bytes that the proofs of these may have.
pub const ORDER_BYTES: u64 = 16 * 1024 * 1024;
/// How many times as many other members may bring. Each takes in what fits when it comes, so that
/// together they may have more than one of them takes; far beyond that they cannot agree.
const FROM_MEMBERS: u64 = 4;

/// What is kept of an owner's orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// How many they are.
    pub orders: u64,
    /// How many bytes their proofs have.
    pub bytes: u64,
}

impl Held {
    /// What these are.
    pub fn of<'a>(orders: impl IntoIterator<Item = &'a Order>) -> Self {
        orders.into_iter().fold(Self::default(), Self::with)
    }

    /// With one more.
    #[must_use]
    pub fn with(self, order: &Order) -> Self {
        Self {
            orders: self.orders.saturating_add(1),
            bytes: self.bytes.saturating_add(order_bytes(order)),
        }
    }

    /// Whether one more of a client fits.
    pub fn takes(self, order: &Order) -> bool {
        self.fits(order, 1)
    }

    /// Whether one more of another member fits.
    pub fn takes_from_member(self, order: &Order) -> bool {
        self.fits(order, FROM_MEMBERS)
    }

    fn fits(self, order: &Order, times: u64) -> bool {
        let Self { orders, bytes } = self.with(order);
        orders <= ORDERS.saturating_mul(times) && bytes <= ORDER_BYTES.saturating_mul(times)
    }
}

/// What an order counts for.
pub(crate) fn order_bytes(order: &Order) -> u64 {
    u64::try_from(order.proof.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use warren_wire::record::Change;
    use warren_wire::{AccountId, Stamp};

    use super::*;

    #[test]
    fn orders_are_counted_and_weighed_and_members_may_bring_more() {
        let owner = AccountId::from_bytes(&[5; 33]).unwrap();
        let (stamp, change) = (Stamp(1), Change::Delete(vec![]));
        let order = Order { owner, stamp, change, proof: vec![0; 10] };
        let held = Held::of([&order, &order]);
        assert_eq!(held, Held { orders: 2, bytes: 20 });
        for (orders, bytes, client, member) in [
            (ORDERS - 1, ORDER_BYTES - 10, true, true),
            (ORDERS, 0, false, true),
            (0, ORDER_BYTES - 9, false, true),
            (4 * ORDERS, 0, false, false),
            (0, 4 * ORDER_BYTES - 9, false, false),
        ] {
            let held = Held { orders, bytes };
            assert_eq!((held.takes(&order), held.takes_from_member(&order)), (client, member));
        }
    }
}
