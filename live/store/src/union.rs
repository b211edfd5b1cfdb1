//! What follows from a set of messages and orders: the rules that every engine and every member of
//! a swarm shares, so that they agree whatever order things arrive in.
//!
//! A message is removed by an order that covers it and whose stamp is not smaller than its own. Its
//! expiry is the one its record names, then moved by all orders on it with greater stamps, in
//! the order of stamps; orders on it with smaller stamps can only raise it. A message stored again
//! lives at least as long as it did: of two records the later stamp counts and the later expiry.
//!
//! An order counts whether or not the message had expired by the orders that came before it. So what
//! is served follows from the orders of the last [`ORDER_LIFE`] alone, however long a chain of
//! extensions is: the times that a record and older orders name are over, and of times that are
//! over it does not matter which is the last.

use std::borrow::Borrow;

use warren_wire::limits::{DAY, FORWARDED_TOLERANCE};
use warren_wire::record::{Change, Drawers, ExpireMode, MessageRecord, Order, Record};
use warren_wire::{Access, MessageHash, Millis, Namespace, Stamp};

/// How long an order is kept past its stamp: longer than the times lie ahead that it may name.
pub const ORDER_LIFE: Millis = 31 * DAY;

/// What the rules need to know of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Its drawer.
    pub namespace: Namespace,
    /// Its name.
    pub hash: MessageHash,
    /// What the sender says of when it was sent.
    pub timestamp: Millis,
    /// When the swarm took it in.
    pub stored: Stamp,
    /// From when on it is not served, as its record says, without orders.
    pub expiry: Millis,
}

impl Facts {
    /// The facts in a record.
    pub const fn of(record: &MessageRecord) -> Self {
        Self {
            namespace: record.namespace,
            hash: record.hash,
            timestamp: record.timestamp,
            stored: record.stored,
            expiry: record.expiry,
        }
    }

    /// Whether it lies in a drawer of one message.
    pub fn in_outbox(&self) -> bool {
        self.namespace.access() == Access::PublicOutbox
    }

    /// Whether only one of the two can stay, for their drawer is of one message.
    pub fn is_rival(&self, other: &Self) -> bool {
        let same_drawer = self.in_outbox() && self.namespace == other.namespace;
        same_drawer && self.hash != other.hash
    }

    /// In a drawer of one message the greater stays.
    pub const fn rank(&self) -> (Millis, MessageHash) {
        (self.timestamp, self.hash)
    }

    /// What two copies of one message, each with its stamp and expiry, are together: the greater
    /// stamp and the greater expiry count, and the first timestamp (in a drawer of one message the
    /// last).
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        Self {
            timestamp: self.joined_timestamp(other),
            stored: self.stored.max(other.stored),
            expiry: self.expiry.max(other.expiry),
            ..*self
        }
    }

    /// Whether its record is the one to keep of two of the same message.
    pub fn outlasts(&self, other: &Self) -> bool {
        (self.stored, self.expiry) >= (other.stored, other.expiry)
    }

    /// What a message is that was kept and is stored again: it has the later stamp, and the later of
    /// the expiries at the time of that stamp. `rulings` are those on this message.
    #[must_use]
    pub fn renew(&self, again: &Self, rulings: &[Ruling]) -> Self {
        let (first, last) = if self.stored <= again.stored { (self, again) } else { (again, self) };
        let passed: Vec<_> =
            rulings.iter().filter(|ruling| ruling.stamp <= last.stored).copied().collect();
        let expiry = last.expiry.max(expiry(first, &passed));
        Self { timestamp: self.joined_timestamp(again), expiry, ..*last }
    }

    fn joined_timestamp(&self, other: &Self) -> Millis {
        if self.in_outbox() {
            self.timestamp.max(other.timestamp)
        } else {
            self.timestamp.min(other.timestamp)
        }
    }
}

/// What an order does to each message that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Removes it.
    Remove,
    /// Removes it where its timestamp is this or earlier.
    RemoveUpTo(Millis),
    /// The same, because a newer message takes its place: see [`crate::replacements`].
    Replace(Millis),
    /// Sets its expiry.
    Set(Millis),
    /// Moves its expiry to this if that is later.
    Extend(Millis),
    /// Moves its expiry to this if that is earlier.
    Shorten(Millis),
}

/// One of the things that an order rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruling {
    /// The order's stamp.
    pub stamp: Stamp,
    /// The one message it is for; `None` where it is for whole drawers.
    pub hash: Option<MessageHash>,
    /// The drawers it is for.
    pub drawers: Drawers,
    /// What it does.
    pub rule: Rule,
}

impl Ruling {
    /// Whether it is for this message, leaving stamps aside.
    pub fn concerns(&self, facts: &Facts) -> bool {
        self.hash.is_none_or(|hash| hash == facts.hash) && self.drawers.cover(facts.namespace)
    }

    const fn new_expiry(&self) -> Option<(ExpireMode, Millis)> {
        match self.rule {
            Rule::Set(to) => Some((ExpireMode::Set, to)),
            Rule::Extend(to) => Some((ExpireMode::Extend, to)),
            Rule::Shorten(to) => Some((ExpireMode::Shorten, to)),
            Rule::Remove | Rule::RemoveUpTo(_) | Rule::Replace(_) => None,
        }
    }

    /// Whether it is one of removal and for this message, leaving stamps aside.
    fn covers(&self, facts: &Facts) -> bool {
        let covered = match self.rule {
            Rule::Remove => true,
            Rule::RemoveUpTo(last) | Rule::Replace(last) => facts.timestamp <= last,
            Rule::Set(_) | Rule::Extend(_) | Rule::Shorten(_) => false,
        };
        covered && self.concerns(facts)
    }

    fn removes(&self, facts: &Facts) -> bool {
        self.stamp >= facts.stored && self.covers(facts)
    }
}

/// Two stamps of one order that deletes all lie no farther apart.
const RESTAMPED: Millis = 2 * FORWARDED_TOLERANCE;

/// Whether an order for whole drawers does all that another does and lasts as long, so that the other
/// need not be kept. This is a strict partial order, and a later stamp never ends it: whatever the
/// sequence in which members learn of orders, they keep the same ones.
pub fn outdoes(this: &Ruling, other: &Ruling) -> bool {
    let wider = match (this.drawers, other.drawers) {
        (Drawers::All, _) => true,
        (Drawers::One(one), Drawers::One(other)) => one == other,
        (Drawers::One(_), Drawers::All) => false,
    };
    let does_more = match (this.rule, other.rule) {
        // Of what deletes all the earlier stamp counts, and one may be heard of yet.
        (Rule::Remove, Rule::Remove | Rule::RemoveUpTo(_) | Rule::Replace(_)) => {
            this.stamp.time() > other.stamp.time().saturating_add(RESTAMPED)
        }
        // Not a replacement what the owner asked for: replacements may have to give way to others.
        (Rule::RemoveUpTo(last), Rule::RemoveUpTo(other) | Rule::Replace(other))
        | (Rule::Replace(last), Rule::Replace(other)) => last >= other,
        (Rule::Shorten(to), Rule::Shorten(other)) => to <= other,
        _ => false,
    };
    let (named, same) = (this.hash.is_some() || other.hash.is_some(), this == other);
    !named && !same && wider && does_more && this.stamp >= other.stamp
}

/// All that an order rules. Orders on subaccounts rule no message.
pub fn rulings(order: &Order) -> Vec<Ruling> {
    let stamp = order.stamp;
    let broad = |drawers, rule| vec![Ruling { stamp, hash: None, drawers, rule }];
    let named = |hash, rule| Ruling { stamp, hash: Some(hash), drawers: Drawers::All, rule };
    match &order.change {
        Change::Delete(hashes) => hashes.iter().map(|hash| named(*hash, Rule::Remove)).collect(),
        Change::DeleteAll(drawers) => broad(*drawers, Rule::Remove),
        Change::DeleteBefore(drawers, last) => broad(*drawers, Rule::RemoveUpTo(*last)),
        Change::Replace(namespace, last) => broad(Drawers::One(*namespace), Rule::Replace(*last)),
        Change::Expire(expiries, mode) => {
            let rule = |to| match mode {
                ExpireMode::Set => Rule::Set(to),
                ExpireMode::Extend => Rule::Extend(to),
                ExpireMode::Shorten => Rule::Shorten(to),
            };
            expiries.iter().map(|(hash, to)| named(*hash, rule(*to))).collect()
        }
        Change::ExpireAll(drawers, to) => broad(*drawers, Rule::Shorten(*to)),
        Change::Revoke(_) | Change::Unrevoke(_) => Vec::new(),
    }
}

/// The greatest stamp of an order that removes a message, if any does.
pub fn removed_by(facts: &Facts, rulings: &[Ruling]) -> Option<Stamp> {
    rulings.iter().filter(|ruling| ruling.removes(facts)).map(|ruling| ruling.stamp).max()
}

/// When a message expires, all orders considered. Of two with one stamp the order of [`Rule`]
/// decides.
///
/// Orders that came before the message's stamp, and after the last removal before it, leave it at
/// least the time that they gave it: it may have been there then under an earlier stamp.
pub fn expiry(facts: &Facts, rulings: &[Ruling]) -> Millis {
    let removals = rulings.iter().filter(|one| one.stamp < facts.stored && one.covers(facts));
    let removal = removals.map(|ruling| ruling.stamp).max();
    let mut moves: Vec<_> = rulings
        .iter()
        .filter(|ruling| Some(ruling.stamp) > removal && ruling.concerns(facts))
        .filter_map(|ruling| Some((ruling.stamp, ruling.rule, ruling.new_expiry()?)))
        .collect();
    moves.sort_unstable_by_key(|(stamp, rule, _)| (*stamp, *rule));
    let (before, after) =
        moves.split_at(moves.partition_point(|(stamp, ..)| *stamp <= facts.stored));
    let fold = |from, moves: &[(Stamp, Rule, (ExpireMode, Millis))]| {
        moves.iter().fold(from, |expiry, (.., (mode, to))| mode.change(expiry, *to))
    };
    fold(facts.expiry.max(fold(Millis::MIN, before)), after)
}

/// Does something to each record of a batch, to orders before messages, so that a message is judged
/// by all that came with it. The outcomes are in the sequence of the records.
///
/// # Errors
/// The first of those of `each`, with which it ends.
pub fn orders_first<R: Borrow<Record>, T, E>(
    records: impl IntoIterator<Item = R>,
    mut each: impl FnMut(R) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    let is_order = |(_, record): &(usize, R)| matches!(record.borrow(), Record::Order(_));
    let (orders, messages): (Vec<_>, Vec<_>) = records.into_iter().enumerate().partition(is_order);
    let mut outcomes = Vec::with_capacity(orders.len().saturating_add(messages.len()));
    for (place, record) in orders.into_iter().chain(messages) {
        outcomes.push((place, each(record)?));
    }
    outcomes.sort_unstable_by_key(|(place, _)| *place);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Which stamp of one order counts where it came with two.
pub fn joined_stamp(change: &Change, one: Stamp, other: Stamp) -> Stamp {
    match change {
        Change::DeleteAll(_) => one.min(other),
        _ => one.max(other),
    }
}

/// When an order's time is over, unless it holds a word that counts in [`crate::Revocations`].
pub const fn order_end(stamp: Stamp) -> Millis {
    stamp.time().saturating_add(ORDER_LIFE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn facts(stored: u64, expiry: Millis) -> Facts {
        let hash = MessageHash::from_bytes([1; 32]);
        let stored = Stamp::at(stored);
        Facts { namespace: Namespace::DIRECT, hash, timestamp: 5, stored, expiry }
    }

    const fn ruling(stamp: u64, rule: Rule) -> Ruling {
        Ruling { stamp: Stamp::at(stamp), hash: None, drawers: Drawers::All, rule }
    }

    #[test]
    fn an_order_removes_what_was_stored_before_it_and_not_what_comes_later() {
        let removal = [ruling(10, Rule::Remove)];
        assert_eq!(removed_by(&facts(9, 100), &removal), Some(Stamp::at(10)));
        assert_eq!(removed_by(&facts(10, 100), &removal), Some(Stamp::at(10)));
        assert_eq!(removed_by(&facts(11, 100), &removal), None);
        assert_eq!(removed_by(&facts(9, 100), &[ruling(10, Rule::RemoveUpTo(4))]), None);
        assert!(removed_by(&facts(9, 100), &[ruling(10, Rule::RemoveUpTo(5))]).is_some());
        let elsewhere = Drawers::One(Namespace::new(2));
        let other_drawer = Ruling { drawers: elsewhere, ..ruling(10, Rule::Remove) };
        assert_eq!(removed_by(&facts(9, 100), &[other_drawer]), None);
        let other = Some(MessageHash::from_bytes([2; 32]));
        let other_message = Ruling { hash: other, ..ruling(10, Rule::Remove) };
        assert_eq!(removed_by(&facts(9, 100), &[other_message]), None);
    }

    #[test]
    fn orders_on_the_expiry_count_in_the_order_of_their_stamps() {
        let orders = [
            ruling(12, Rule::Extend(60)),
            ruling(11, Rule::Set(50)),
            ruling(13, Rule::Shorten(55)),
        ];
        assert_eq!(expiry(&facts(10, 100), &orders), 55);
        assert_eq!(expiry(&facts(11, 100), &orders), 55);
        assert_eq!(expiry(&facts(13, 100), &orders), 100);
    }

    #[test]
    fn orders_before_a_store_raise_its_expiry_and_do_not_lower_it() {
        let orders = [
            ruling(11, Rule::Set(50)),
            ruling(12, Rule::Extend(60)),
            ruling(13, Rule::Shorten(55)),
        ];
        assert_eq!(expiry(&facts(14, 40), &orders), 55);
        assert_eq!(expiry(&facts(14, 70), &orders), 70);
        assert_eq!(expiry(&facts(12, 40), &orders), 55);
        // Those before a removal were for what it removed.
        let removed = [orders[1], ruling(13, Rule::Remove)];
        assert_eq!(expiry(&facts(14, 40), &removed), 40);
        assert_eq!(expiry(&facts(14, 40), &[ruling(11, Rule::Remove), orders[1]]), 60);
    }

    #[test]
    fn an_extension_counts_without_those_before_it() {
        let chain = [ruling(90, Rule::Extend(150)), ruling(140, Rule::Extend(240))];
        assert_eq!(expiry(&facts(10, 100), &chain), 240);
        assert_eq!(expiry(&facts(10, 100), &chain[1..]), 240);
    }

    #[test]
    fn a_message_stored_again_keeps_the_later_expiry_at_that_time() {
        let shorten = [ruling(12, Rule::Shorten(50))];
        let renewed = facts(10, 100).renew(&facts(13, 40), &shorten);
        assert_eq!((renewed.stored, renewed.expiry), (Stamp::at(13), 50));
        let renewed = facts(10, 100).renew(&facts(11, 40), &shorten);
        assert_eq!((renewed.stored, renewed.expiry), (Stamp::at(11), 100));
        assert_eq!(expiry(&renewed, &shorten), 50);
        // In whatever order the two arrive.
        assert_eq!(facts(13, 40).renew(&facts(10, 100), &shorten).expiry, 50);
    }

    #[test]
    fn copies_join_to_the_later_stamp_and_the_later_expiry() {
        let joined = facts(10, 100).join(&facts(11, 50));
        assert_eq!(joined, facts(11, 100));
        assert_eq!(facts(11, 50).join(&facts(10, 100)), joined);
        assert_eq!(facts(10, 100).join(&facts(10, 101)).expiry, 101);
        let late = Facts { timestamp: 9, ..facts(11, 50) };
        assert_eq!(facts(10, 100).join(&late).timestamp, 5);
        let outbox = |timestamp| Facts { namespace: Namespace::new(-1), timestamp, ..facts(1, 2) };
        assert_eq!(outbox(3).join(&outbox(7)).timestamp, 7);
    }

    #[test]
    fn an_order_outdoes_one_that_can_do_nothing_beside_it() {
        let one = Drawers::One(Namespace::new(2));
        let narrow = |ruling| Ruling { drawers: one, ..ruling };
        let (up_to, shorten) = (Rule::RemoveUpTo, Rule::Shorten);
        let late = 12 + RESTAMPED;
        for (this, other, expected) in [
            (ruling(12, up_to(5)), ruling(11, up_to(5)), true),
            (ruling(12, up_to(5)), ruling(12, up_to(4)), true),
            (ruling(12, up_to(5)), narrow(ruling(12, up_to(5))), true),
            (narrow(ruling(12, up_to(5))), ruling(11, up_to(5)), false),
            (ruling(12, up_to(5)), ruling(12, up_to(5)), false),
            (ruling(12, up_to(5)), ruling(11, up_to(6)), false),
            (ruling(12, up_to(5)), ruling(13, up_to(5)), false),
            (ruling(late, Rule::Remove), ruling(12, Rule::Remove), false),
            (ruling(late + 1, Rule::Remove), ruling(12, Rule::Remove), true),
            (ruling(late + 1, Rule::Remove), ruling(12, up_to(5)), true),
            (ruling(late + 1, up_to(5)), ruling(12, Rule::Remove), false),
            (ruling(12, shorten(5)), ruling(11, shorten(5)), true),
            (ruling(12, shorten(5)), ruling(11, shorten(4)), false),
            (ruling(12, shorten(5)), ruling(11, up_to(4)), false),
            (ruling(12, Rule::Extend(5)), ruling(11, Rule::Extend(5)), false),
            (ruling(12, Rule::Replace(5)), ruling(11, Rule::Replace(5)), true),
            (ruling(12, Rule::Replace(4)), ruling(11, Rule::Replace(5)), false),
            (ruling(12, Rule::Replace(5)), ruling(11, up_to(5)), false),
            (ruling(12, up_to(5)), ruling(12, Rule::Replace(5)), true),
        ] {
            assert_eq!(outdoes(&this, &other), expected, "{this:?} {other:?}");
        }
        let named = Ruling { hash: Some(MessageHash::from_bytes([1; 32])), ..ruling(1, up_to(1)) };
        assert!(!outdoes(&ruling(2, up_to(1)), &named));
    }

    #[test]
    fn of_one_order_with_two_stamps_the_later_counts_except_where_it_deletes_all() {
        let (early, late) = (Stamp(3), Stamp(4));
        assert_eq!(joined_stamp(&Change::DeleteAll(Drawers::All), early, late), early);
        assert_eq!(joined_stamp(&Change::Delete(vec![]), early, late), late);
    }
}
