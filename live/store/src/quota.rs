//! How many orders of one owner are kept: they last for a month, and anyone can have a mailbox.
//!
//! Those that subaccounts sign have a share of their own, so that a member of a group cannot keep
//! the group's owner from deleting. Orders on subaccounts and replacements always have room: what
//! bounds them is in [`crate::revocations`] and [`crate::replacements`].

use warren_wire::record::{Change, Order};

/// The most orders signed by an owner that clients may bring: more than 500 a day.
pub const ORDERS: u64 = 16_384;
/// The most bytes that the proofs of these may have.
pub const ORDER_BYTES: u64 = 16 * 1024 * 1024;
/// The most orders signed by subaccounts of an owner that clients may bring.
pub const SUBACCOUNTS_ORDERS: u64 = 4_096;
/// The most bytes that the proofs of these may have.
pub const SUBACCOUNTS_BYTES: u64 = 4 * 1024 * 1024;
/// How many times as many other members may bring. Each takes in what fits when it comes, so that
/// together they may have more than one of them takes; far beyond that they cannot agree.
const FROM_MEMBERS: u64 = 4;

/// What an order is counted against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// What the owner may have.
    Owner,
    /// What all subaccounts of the owner may have together.
    Subaccounts,
}

impl Share {
    /// That of an order; `None` where other bounds hold.
    pub fn of(order: &Order) -> Option<Self> {
        match order.change {
            Change::Replace(..) | Change::Revoke(_) | Change::Unrevoke(_) => None,
            _ if order.is_by_subaccount() => Some(Self::Subaccounts),
            _ => Some(Self::Owner),
        }
    }

    const fn most(self) -> Amount {
        match self {
            Self::Owner => Amount { orders: ORDERS, bytes: ORDER_BYTES },
            Self::Subaccounts => Amount { orders: SUBACCOUNTS_ORDERS, bytes: SUBACCOUNTS_BYTES },
        }
    }
}

/// Some orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// How many they are.
    pub orders: u64,
    /// How many bytes their proofs have.
    pub bytes: u64,
}

/// What is kept of an owner's orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// Those that the owner signed.
    pub own: Amount,
    /// Those that subaccounts signed.
    pub subaccounts: Amount,
}

impl Held {
    /// What these are.
    pub fn of<'a>(orders: impl IntoIterator<Item = &'a Order>) -> Self {
        orders.into_iter().fold(Self::default(), Self::with)
    }

    /// Those of a share.
    pub const fn share(&mut self, share: Share) -> &mut Amount {
        match share {
            Share::Owner => &mut self.own,
            Share::Subaccounts => &mut self.subaccounts,
        }
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, order: &Order) -> Self {
        if let Some(share) = Share::of(order) {
            let amount = self.share(share);
            amount.orders = amount.orders.saturating_add(1);
            amount.bytes = amount.bytes.saturating_add(order_bytes(order));
        }
        self
    }

    /// With one less.
    #[must_use]
    pub fn without(mut self, order: &Order) -> Self {
        if let Some(share) = Share::of(order) {
            let amount = self.share(share);
            amount.orders = amount.orders.saturating_sub(1);
            amount.bytes = amount.bytes.saturating_sub(order_bytes(order));
        }
        self
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
        let Some(share) = Share::of(order) else { return true };
        let (most, Amount { orders, bytes }) = (share.most(), *self.with(order).share(share));
        orders <= most.orders.saturating_mul(times) && bytes <= most.bytes.saturating_mul(times)
    }
}

/// What an order counts for.
pub(crate) fn order_bytes(order: &Order) -> u64 {
    u64::try_from(order.proof.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use warren_wire::record::Change;
    use warren_wire::{AccountId, Namespace, Stamp};

    use super::*;

    fn order(change: Change, proof: &[u8]) -> Order {
        let owner = AccountId::from_bytes(&[5; 33]).unwrap();
        Order { owner, stamp: Stamp(1), change, proof: proof.to_vec() }
    }

    #[test]
    fn orders_are_counted_and_weighed_and_members_may_bring_more() {
        let order = order(Change::Delete(vec![]), &[0; 10]);
        let held = Held::of([&order, &order]);
        assert_eq!(held.own, Amount { orders: 2, bytes: 20 });
        assert_eq!(held.without(&order).own, Amount { orders: 1, bytes: 10 });
        for (orders, bytes, client, member) in [
            (ORDERS - 1, ORDER_BYTES - 10, true, true),
            (ORDERS, 0, false, true),
            (0, ORDER_BYTES - 9, false, true),
            (4 * ORDERS, 0, false, false),
            (0, 4 * ORDER_BYTES - 9, false, false),
        ] {
            let held = Held { own: Amount { orders, bytes }, ..Held::default() };
            assert_eq!((held.takes(&order), held.takes_from_member(&order)), (client, member));
        }
    }

    #[test]
    fn subaccounts_have_a_share_of_their_own_and_some_orders_always_have_room() {
        let full = Amount { orders: u64::MAX, bytes: u64::MAX };
        let proof = b"d1:m6:expire1:pd10:subaccount1:xee";
        let (own, theirs) =
            (order(Change::Delete(vec![]), b""), order(Change::Delete(vec![]), proof));
        let held = Held { own: Amount::default(), subaccounts: full };
        assert!(held.takes(&own) && !held.takes(&theirs) && !held.takes_from_member(&theirs));
        let held = Held { own: full, subaccounts: Amount::default() };
        assert!(!held.takes(&own) && held.takes(&theirs));
        let held = Held { own: full, subaccounts: full };
        for change in [
            Change::Revoke(vec![]),
            Change::Unrevoke(vec![]),
            Change::Replace(Namespace::new(-1), 5),
        ] {
            let order = order(change, b"");
            assert!(held.takes(&order));
            assert_eq!((held.with(&order), held.without(&order)), (held, held));
        }
    }
}
