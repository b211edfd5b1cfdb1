//! Which subaccounts of an owner have no rights, as it follows from the owner's orders.

use std::collections::{BTreeMap, BTreeSet};

use warren_wire::Stamp;
use warren_wire::record::{Change, Order, SubaccountToken};

/// How many revocations of an owner count: the last ones. As many restorations are remembered, so
/// that a revocation that comes late does not undo them.
pub const KEPT: usize = 50;
/// How many orders of an owner on subaccounts are kept, the last ones, beside those that hold a word
/// that counts.
pub const ORDERS: usize = 4 * KEPT;

/// The last word on each subaccount of an owner.
///
/// Orders that hold one of these words stay, however old they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revocations {
    revoked: Vec<Word>,
    restored: Vec<Word>,
}

/// What an order says of one subaccount. Sorts by stamp; where two have one stamp, the revocation
/// counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Word {
    stamp: Stamp,
    revokes: bool,
    at: usize,
    token: SubaccountToken,
}

impl Revocations {
    /// What follows from these orders, in whatever sequence; those on messages are passed over.
    pub fn of<'a>(orders: impl IntoIterator<Item = &'a Order>) -> Self {
        let mut last = BTreeMap::new();
        for word in orders.into_iter().flat_map(words) {
            let kept = last.entry(word.token).or_insert(word);
            *kept = word.max(*kept);
        }
        let (revoked, restored) =
            last.into_values().collect::<BTreeSet<_>>().into_iter().partition(|word| word.revokes);
        Self { revoked: newest(revoked), restored: newest(restored) }
    }

    /// The subaccounts without rights, in order of revocation.
    pub fn tokens(&self) -> Vec<SubaccountToken> {
        self.revoked.iter().map(|word| word.token).collect()
    }

    /// Whether an order holds a word that counts.
    pub fn hold(&self, order: &Order) -> bool {
        words(order).any(|word| {
            let list = if word.revokes { &self.revoked } else { &self.restored };
            list.iter().any(|kept| (kept.token, kept.stamp) == (word.token, word.stamp))
        })
    }

    /// Which of the orders on subaccounts need not be kept: where there are more than [`ORDERS`], the
    /// oldest of those that hold no word that counts.
    pub fn surplus<'a>(&self, orders: &'a [Order]) -> Vec<&'a Order> {
        let mut all: Vec<_> = orders.iter().collect();
        all.sort_unstable_by(|a, b| (b.stamp, &b.proof).cmp(&(a.stamp, &a.proof)));
        all.into_iter().skip(ORDERS).filter(|order| !self.hold(order)).collect()
    }

    /// The greatest stamp of a later word that contradicts the order's.
    pub fn overruling(&self, order: &Order) -> Option<Stamp> {
        let contrary = |word: Word| {
            let list = if word.revokes { &self.restored } else { &self.revoked };
            let later = move |kept: &&Word| kept.token == word.token && **kept > word;
            list.iter().find(later).map(|kept| kept.stamp)
        };
        words(order).filter_map(contrary).max()
    }
}

fn newest(mut words: Vec<Word>) -> Vec<Word> {
    words.drain(..words.len().saturating_sub(KEPT));
    words
}

fn words(order: &Order) -> impl Iterator<Item = Word> {
    let stamp = order.stamp;
    let (revokes, tokens) = match &order.change {
        Change::Revoke(tokens) => (true, tokens.as_slice()),
        Change::Unrevoke(tokens) => (false, tokens.as_slice()),
        _ => (false, [].as_slice()),
    };
    tokens.iter().enumerate().map(move |(at, token)| Word { stamp, revokes, at, token: *token })
}

/// Whether an order is on subaccounts.
pub const fn is_access(change: &Change) -> bool {
    matches!(change, Change::Revoke(_) | Change::Unrevoke(_))
}

#[cfg(test)]
mod tests {
    use warren_wire::AccountId;

    use super::*;

    fn order(stamp: u64, change: Change) -> Order {
        let owner = AccountId::from_bytes(&[5; 33]).unwrap();
        Order { owner, stamp: Stamp(stamp), change, proof: stamp.to_be_bytes().to_vec() }
    }

    const fn token(n: u8) -> SubaccountToken {
        SubaccountToken([n; 36])
    }

    #[test]
    fn the_last_word_on_a_subaccount_counts() {
        let revoke = order(1, Change::Revoke(vec![token(2), token(1)]));
        let restore = order(2, Change::Unrevoke(vec![token(2)]));
        for orders in [[&revoke, &restore], [&restore, &revoke]] {
            let revocations = Revocations::of(orders);
            assert_eq!(revocations.tokens(), [token(1)]);
            assert!(revocations.hold(&revoke) && revocations.hold(&restore));
            assert_eq!(revocations.overruling(&revoke), Some(Stamp(2)));
            assert_eq!(revocations.overruling(&restore), None);
        }
        let again = order(3, Change::Revoke(vec![token(2), token(1)]));
        let revocations = Revocations::of([&revoke, &restore, &again]);
        assert_eq!(revocations.tokens(), [token(2), token(1)]);
        assert!(!revocations.hold(&revoke) && !revocations.hold(&restore));
    }

    #[test]
    fn the_last_fifty_revocations_count() {
        let orders: Vec<_> =
            (0..60).map(|n| order(n.into(), Change::Revoke(vec![token(n)]))).collect();
        let revocations = Revocations::of(&orders);
        assert_eq!(revocations.tokens(), (10..60).map(token).collect::<Vec<_>>());
        assert!(!revocations.hold(&orders[9]) && revocations.hold(&orders[10]));
    }
}
