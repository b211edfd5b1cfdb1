//! Orders that are obeyed, and the many that are not.

#![allow(clippy::disallowed_types, reason = "a test draws from the system")]

use std::collections::HashSet;

use proptest::prelude::*;
use warren_crypto::{Entropy, Secret, SystemEntropy};
use warren_wire::Millis;

use super::dead_man::LONGEST_HOURS;
use super::file::{COPY_BYTES, FILE_BYTES, MOST_NETWORK_BYTES, PLACES};
use super::order::{Action, ORDER_BYTES};
use super::set::{MOST_FRIENDS, SHARE_BYTES};
use super::*;
use crate::attempts::Moment;

const HOUR: Millis = 3_600_000;

fn fresh() -> Tripwire {
    Tripwire::fresh(1_000, Moment::default(), &mut SystemEntropy)
}

fn armed(place: usize, threshold: u8, count: u8) -> (Tripwire, Vec<FriendShare>) {
    let mut tripwire = fresh();
    let (verifier, shares) = Verifier::draw(threshold, count, &mut SystemEntropy).unwrap();
    tripwire.arm(place, &verifier, &mut SystemEntropy).unwrap();
    (tripwire, shares)
}

fn wipe(share: &FriendShare) -> Order {
    Order::of(share, Action::Wipe)
}

fn written_and_read(tripwire: &Tripwire) -> Tripwire {
    Tripwire::decode(&tripwire.encode()).unwrap()
}

#[test]
fn one_friend_is_obeyed_where_one_is_enough() {
    let (mut tripwire, shares) = armed(3, 1, 2);
    assert_eq!(written_and_read(&tripwire).hear(&wipe(&shares[1])), Heard::Wipe);
    assert_eq!(tripwire.hear(&wipe(&shares[0])), Heard::Wipe);
}

#[test]
fn so_many_friends_are_needed_and_they_may_come_at_any_time() {
    let (mut tripwire, shares) = armed(15, 3, 5);
    assert_eq!(tripwire.hear(&wipe(&shares[4])), Heard::Share { place: 15, have: 1, need: 3 });
    let mut tripwire = written_and_read(&tripwire);
    assert_eq!(tripwire.hear(&wipe(&shares[4])), Heard::Nothing, "the same friend twice");
    assert_eq!(tripwire.hear(&wipe(&shares[0])), Heard::Share { place: 15, have: 2, need: 3 });
    assert_eq!(written_and_read(&tripwire).hear(&wipe(&shares[2])), Heard::Wipe);
}

#[test]
fn a_friend_cannot_lower_the_threshold_or_pass_for_another() {
    let (mut tripwire, shares) = armed(0, 2, 3);
    for (threshold, number) in [(1, 1), (3, 1), (2, 2), (2, 3)] {
        let FriendShare { set, count, ref secret, .. } = shares[0];
        let secret = secret.duplicate();
        let altered = FriendShare { set, threshold, count, number, secret };
        assert_eq!(tripwire.hear(&wipe(&altered)), Heard::Nothing, "{threshold} {number}");
    }
    let share = Heard::Share { place: 0, have: 1, need: 2 };
    assert_eq!(tripwire.hear(&wipe(&shares[0])), share);
}

#[test]
fn shares_of_two_sets_do_not_add_up() {
    let (mut tripwire, first) = armed(0, 2, 2);
    let (verifier, second) = Verifier::draw(2, 2, &mut SystemEntropy).unwrap();
    tripwire.arm(1, &verifier, &mut SystemEntropy).unwrap();
    assert_eq!(tripwire.hear(&wipe(&first[0])), Heard::Share { place: 0, have: 1, need: 2 });
    assert_eq!(tripwire.hear(&wipe(&second[1])), Heard::Share { place: 1, have: 1, need: 2 });
}

#[test]
fn a_test_wipes_nothing_and_what_it_reveals_wipes_nothing() {
    let (mut tripwire, shares) = armed(7, 1, 2);
    let before = tripwire.encode();
    let test = Order::of(&shares[1], Action::Test);
    assert_eq!(tripwire.hear(&test), Heard::Test { place: 7, number: 2 });
    let as_wipe = Order { action: Action::Wipe, ..Order::decode(test.encode().expose()).unwrap() };
    assert_eq!(tripwire.hear(&as_wipe), Heard::Nothing);
    assert_eq!(tripwire.encode(), before);
    let share_as_test = Order { action: Action::Test, ..wipe(&shares[1]) };
    assert_eq!(tripwire.hear(&share_as_test), Heard::Nothing);
}

#[test]
fn a_revoked_set_and_one_of_before_a_wipe_do_nothing() {
    let (mut tripwire, old) = armed(2, 1, 1);
    let (verifier, new) = Verifier::draw(1, 1, &mut SystemEntropy).unwrap();
    tripwire.arm(2, &verifier, &mut SystemEntropy).unwrap();
    assert_eq!(tripwire.hear(&wipe(&old[0])), Heard::Nothing, "issued anew");
    tripwire.disarm(2, &mut SystemEntropy).unwrap();
    assert_eq!(tripwire.hear(&wipe(&new[0])), Heard::Nothing, "revoked");
    let mut after = fresh();
    assert_eq!(after.hear(&wipe(&new[0])), Heard::Nothing, "another inbox, other places");
    assert_ne!(after.inbox(), tripwire.inbox());
}

/// A forged order does not fill the room that true ones need.
#[test]
fn a_hundred_thousand_forged_orders_are_obeyed_never_and_change_nothing() {
    let (mut tripwire, shares) = armed(9, 2, 3);
    let other = armed(9, 1, 8).1;
    tripwire.hear(&wipe(&shares[0]));
    let before = tripwire.encode();
    let true_order = wipe(&shares[1]).encode();
    for round in 0..100_000_u32 {
        let mut bytes = *true_order.expose();
        match round % 4 {
            // One bit is another.
            0 => {
                let mut at = [0; 2];
                SystemEntropy.fill(&mut at);
                bytes[2 + usize::from(at[0]) % (ORDER_BYTES - 2)] ^= 1 << (at[1] % 8);
            }
            // The right set and number, and a guessed secret.
            1 => SystemEntropy.fill(&mut bytes[12..]),
            // Another device's.
            2 => bytes = *wipe(&other[round as usize % 8]).encode().expose(),
            _ => SystemEntropy.fill(&mut bytes),
        }
        if let Some(order) = Order::decode(&bytes) {
            assert_eq!(tripwire.hear(&order), Heard::Nothing);
        }
    }
    assert_eq!(tripwire.encode(), before);
    assert_eq!(tripwire.hear(&wipe(&shares[1])), Heard::Wipe);
}

/// Random bytes that somebody could tell from the rest would have runs, or few different values.
#[test]
fn a_used_place_looks_like_an_unused_one() {
    let (mut full, shares) = armed(0, 8, 8);
    for share in &shares[..7] {
        full.hear(&wipe(share));
    }
    let bytes = full.encode();
    let values = |place: &[u8]| place.iter().collect::<HashSet<_>>().len();
    let places: Vec<_> = bytes[1_152..1_152 + 16 * 400].chunks(400).collect();
    // 400 random bytes have 202 different values on average, with a deviation below 7.
    assert!(places.iter().all(|place| (160..245).contains(&values(place))));
    let repeats = |place: &[u8]| place.chunks(16).collect::<HashSet<_>>().len();
    assert!(places.iter().all(|place| repeats(place) == 25), "no 16 bytes appear twice");
    assert_eq!(bytes.len(), fresh().encode().len());
}

#[test]
fn a_torn_file_reads_as_what_was_before_or_after() {
    let (before, _) = armed(0, 1, 1);
    let mut after = written_and_read(&before);
    after.set_term(48).unwrap();
    let (old, new) = (before.encode(), after.encode());
    // The second copy is written first.
    for cut in (0..=COPY_BYTES).step_by(97) {
        let torn = [&old[..COPY_BYTES], &new[COPY_BYTES..][..cut], &old[COPY_BYTES + cut..]];
        assert_eq!(Tripwire::decode(&torn.concat()).unwrap(), before);
        let torn = [&new[..cut], &old[cut..COPY_BYTES], &new[COPY_BYTES..]];
        let read = Tripwire::decode(&torn.concat()).unwrap();
        assert!(read == after || (cut < 128 && read == before));
    }
}

#[test]
fn a_newer_or_foreign_file_is_told_apart() {
    assert_eq!(Tripwire::decode(&[]), Err(TripwireError::Damaged));
    assert_eq!(Tripwire::decode(&[7; FILE_BYTES]), Err(TripwireError::Damaged));
    let mut tripwire = fresh();
    tripwire.put_version(2);
    let newer = Err(TripwireError::Newer { found: 2 });
    assert_eq!(Tripwire::decode(&tripwire.encode()), newer);
}

#[test]
fn a_switch_needs_two_clocks_that_agree() {
    let run = |since| Moment { boot: [1; 16], since };
    const BEGUN: Millis = 1_800_000_000_000;
    let dead_man = DeadMan { hours: 48, unlocked: BEGUN, moment: run(500) };
    let at = |clock, moment, network| dead_man.is_due(Sources { clock, moment, network });
    let over = BEGUN + 48 * HOUR;
    assert!(at(over, Moment::default(), Some(over)), "the network agrees");
    assert!(at(over, run(500 + 48 * HOUR), None), "this run agrees");
    assert!(!at(over - 1, run(500 + 48 * HOUR), Some(over)), "not yet by the device's clock");
    assert!(!at(over, run(500 + 48 * HOUR - 1), Some(over - 1)), "a clock that jumped");
    assert!(!at(Millis::MAX, Moment { boot: [2; 16], since: Millis::MAX }, None), "another run");
    assert!(!at(over, run(500 + 48 * HOUR - 1), Some(over)), "it has not run for so long");
    let off = DeadMan { hours: 0, ..dead_man };
    let late = Sources { clock: over, moment: run(over), network: Some(over) };
    assert!(!off.is_due(late));
    let unknown_run = DeadMan { moment: Moment::default(), ..dead_man };
    let since_start = Moment { boot: [0; 16], since: Millis::MAX };
    assert!(!unknown_run.is_due(Sources { clock: over, moment: since_start, network: None }));
}

#[test]
fn a_clock_that_was_behind_when_somebody_unlocked_wipes_nothing() {
    const NOW: Millis = 1_800_000_000_000;
    let run = |boot, since| Moment { boot: [boot; 16], since };
    let in_2020 = DeadMan { hours: 48, unlocked: 1_580_000_000_000, moment: run(1, 500) };
    let at = |dead_man: DeadMan, moment| {
        dead_man.is_due(Sources { clock: NOW, moment, network: Some(NOW) })
    };
    assert!(
        !at(in_2020, run(1, 600)) && !at(in_2020, run(2, 5)),
        "no clock that was right says so"
    );
    let behind = DeadMan { unlocked: NOW - 1_000 * HOUR, ..in_2020 };
    assert!(!at(behind, run(1, 500 + HOUR)), "it was an hour ago in this run");
    let corrected = behind.corrected(run(1, 500 + HOUR), NOW).unwrap();
    assert_eq!(corrected.unlocked, NOW - HOUR);
    assert!(!at(corrected, run(2, 5)), "after another start, too");
    assert_eq!(corrected.corrected(run(1, 500 + HOUR), NOW), None);
    assert_eq!(behind.corrected(run(2, 500 + HOUR), NOW), None, "another run says nothing");
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    for (threshold, count) in [(1, 0), (1, MOST_FRIENDS + 1), (0, 3), (4, 3)] {
        assert!(Verifier::draw(threshold, count, &mut SystemEntropy).is_err());
    }
    let mut tripwire = fresh();
    assert_eq!(tripwire.disarm(PLACES, &mut SystemEntropy), Err(TripwireError::Place));
    assert_eq!(tripwire.set_term(LONGEST_HOURS + 1), Err(TripwireError::Term));
    let long = "x".repeat(MOST_NETWORK_BYTES + 1);
    assert_eq!(tripwire.set_network(&long), Err(TripwireError::Network));
    assert_eq!(tripwire.network(), None);
}

/// Bytes that any other program reads alike; `spec/tripwire.md` shows the same.
#[test]
fn the_layouts_are_those_of_the_specification() {
    let share = FriendShare {
        set: SetId([1, 2, 3, 4, 5, 6, 7, 8]),
        threshold: 2,
        count: 3,
        number: 1,
        secret: Secret::from_slice(&[9; 32]).unwrap(),
    };
    let nines = "09".repeat(32);
    assert_eq!(hex(share.encode().expose()), format!("0102030405060708020301{nines}"));
    let order = wipe(&share);
    assert_eq!(hex(order.encode().expose()), format!("010101020304050607080201{nines}"));
    let test = Order::of(&share, Action::Test).encode();
    assert_eq!(hex(&test.expose()[..12]), "010201020304050607080201");
    // BLAKE2b-32, key 32 times 09, of "warren tripwire proof v1" and 01..08 02 01, by another program.
    assert_eq!(
        hex(&test.expose()[12..]),
        "09a3a4762e9ecc47089437dff839733a7085b02df5949713d7cdf18aca99e4a7"
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

proptest! {
    #[test]
    fn any_bytes_read_as_an_order_that_writes_the_same_or_as_none(bytes: [u8; ORDER_BYTES], sound: bool) {
        let mut bytes = bytes;
        if sound {
            let action = 1 + bytes[1] % 2;
            bytes[..2].copy_from_slice(&[1, action]);
            let numbers = [1 + bytes[10] % 8, 1 + bytes[11] % 8];
            bytes[10..12].copy_from_slice(&numbers);
        }
        let order = Order::decode(&bytes);
        prop_assert!(order.is_some() || !sound);
        if let Some(order) = order {
            prop_assert_eq!(*order.encode().expose(), bytes);
        }
        prop_assert!(Order::decode(&bytes[1..]).is_none());
    }

    #[test]
    fn any_bytes_read_as_a_share_that_writes_the_same_or_as_none(
        bytes: [u8; SHARE_BYTES], numbers in [0_u8..10, 0_u8..10, 0_u8..10]
    ) {
        let mut bytes = bytes;
        bytes[8..11].copy_from_slice(&numbers);
        let [threshold, count, number] = numbers;
        let sound = (1..=8).contains(&count) && (1..=count).contains(&threshold) && (1..=count).contains(&number);
        let share = FriendShare::decode(&bytes);
        prop_assert_eq!(share.is_some(), sound);
        if let Some(share) = share {
            prop_assert_eq!(*share.encode().expose(), bytes);
        }
        prop_assert!(FriendShare::decode(&bytes[1..]).is_none());
    }

    #[test]
    fn a_file_survives_being_written_and_read_and_damage_is_seen(
        hours in 0..=LONGEST_HOURS, unlocked: u64, boot: [u8; 16], since: u64,
        network in "[ -~]{0,1022}", flipped in 0..COPY_BYTES, bit in 0_u32..8,
    ) {
        let mut tripwire = fresh();
        let moment = Moment { boot, since };
        tripwire.set_term(hours).unwrap();
        tripwire.note_unlocked(unlocked, moment);
        tripwire.set_network(&network).unwrap();
        let mut bytes = tripwire.encode();
        let read = Tripwire::decode(&bytes).unwrap();
        prop_assert_eq!(read.dead_man(), DeadMan { hours, unlocked, moment });
        prop_assert_eq!(read.network().unwrap_or_default(), network);
        prop_assert_eq!(read.inbox(), tripwire.inbox());
        bytes[flipped] ^= 1 << bit;
        prop_assert_eq!(Tripwire::decode(&bytes).unwrap(), read, "the other copy is whole");
        bytes[COPY_BYTES + flipped] ^= 1 << bit;
        prop_assert!(Tripwire::decode(&bytes).is_err());
    }

    #[test]
    fn any_bytes_read_as_a_file_or_as_an_error(bytes in proptest::collection::vec(any::<u8>(), COPY_BYTES)) {
        prop_assert!(Tripwire::decode(&[bytes.as_slice(), &bytes].concat()).is_err());
        prop_assert!(Tripwire::decode(&bytes).is_err());
    }
}
