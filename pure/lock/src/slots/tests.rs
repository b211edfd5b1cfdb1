//! The slots: what opens them, what a damaged or destroyed file still gives, and what it looks like.

#![allow(clippy::disallowed_types, reason = "a test draws from the system")]

use proptest::prelude::*;
use warren_crypto::SystemEntropy;

use super::*;
use crate::payload::SlotKind;

fn code(text: &str) -> Code {
    Code::of(text).unwrap()
}

fn master(byte: u8) -> Secret<32> {
    Secret::from_slice(&[byte; 32]).unwrap()
}

/// Orders as a duress code has them.
fn told() -> DuressOrders {
    let mailboxes = vec![Secret::from_slice(&[9; 128]).unwrap()];
    DuressOrders { network: "http://[::1]:1#00".to_owned(), devices: Vec::new(), mailboxes }
}

/// Slots with an ordinary code and a duress code.
fn two() -> Slots {
    let mut slots = Slots::fresh(Cost::LEAST, &mut SystemEntropy);
    let real = Payload::ordinary(master(1));
    let orders = slots.put_orders(&told(), &mut SystemEntropy).unwrap();
    let duress = Payload { kind: SlotKind::Duress, master: master(2), orders };
    let stretched = |text| slots.stretch(&code(text)).unwrap();
    let (right, other) = (stretched("right"), stretched("duress"));
    slots.seal(5, &right, None, &real, &mut SystemEntropy).unwrap();
    slots.seal(2, &other, None, &duress, &mut SystemEntropy).unwrap();
    slots
}

fn opened(slots: &Slots, text: &str) -> Option<(usize, SlotKind, Secret<32>)> {
    let stretched = slots.stretch(&code(text)).unwrap();
    let opened = slots.open(&stretched, None).unwrap()?;
    Some((opened.at, opened.payload.kind, opened.payload.master))
}

#[test]
fn each_code_opens_its_own_slot_and_another_none() {
    let slots = Slots::decode(&two().encode()).unwrap();
    assert_eq!(opened(&slots, "right"), Some((5, SlotKind::Ordinary, master(1))));
    assert_eq!(opened(&slots, "duress"), Some((2, SlotKind::Duress, master(2))));
    assert_eq!(opened(&slots, "wrong"), None);
}

#[test]
fn orders_open_by_the_key_of_their_own_slot_until_they_are_destroyed() {
    let mut slots = Slots::decode(&two().encode()).unwrap();
    let payload = |text| {
        let stretched = slots.stretch(&code(text)).unwrap();
        slots.open(&stretched, None).unwrap().unwrap().payload
    };
    let (right, duress) = (payload("right"), payload("duress"));
    assert_eq!(slots.orders(&duress.orders), told());
    assert!(slots.orders(&right.orders).is_empty());
    slots.destroy_all_but(Some(2), &mut SystemEntropy);
    assert!(slots.orders(&duress.orders).is_empty());
}

#[test]
fn the_device_secret_takes_part_where_the_slots_are_bound() {
    let (secret, other) = (master(7), master(8));
    let mut slots = Slots::fresh(Cost::LEAST, &mut SystemEntropy);
    assert_eq!(slots.device(), None);
    slots = slots.bound(&[3; DEVICE_BYTES]);
    let stretched = slots.stretch(&code("right")).unwrap();
    let real = Payload::ordinary(master(1));
    slots.seal(0, &stretched, Some(&secret), &real, &mut SystemEntropy).unwrap();
    let slots = Slots::decode(&slots.encode()).unwrap();
    assert_eq!(slots.device(), Some([3; DEVICE_BYTES]));
    assert_eq!(slots.open(&stretched, Some(&secret)).unwrap().unwrap().payload, real);
    assert!(slots.open(&stretched, Some(&other)).unwrap().is_none());
    assert!(slots.open(&stretched, None).unwrap().is_none());
}

#[test]
fn what_is_destroyed_opens_nothing_and_what_is_kept_still_opens() {
    let mut slots = two();
    slots.destroy_all_but(Some(2), &mut SystemEntropy);
    assert_eq!(opened(&slots, "right"), None);
    assert_eq!(opened(&slots, "duress").map(|opened| opened.0), Some(2));
    slots.destroy_all_but(None, &mut SystemEntropy);
    assert_eq!(opened(&slots, "duress"), None);
    assert!(Slots::decode(&slots.encode()).is_ok());
}

#[test]
fn one_damaged_copy_is_made_up_for_by_the_other_and_two_are_not() {
    let whole = two().encode();
    for at in [0, 8, 12, 40, 70, 2000, 4000, 4095, 8191] {
        let mut file = whole.clone();
        file[at] ^= 1;
        assert_eq!(Slots::decode(&file).unwrap().encode(), whole, "first, {at}");
        file[COPY_BYTES + at] ^= 1;
        assert_eq!(Slots::decode(&file).unwrap_err(), SlotsError::Damaged, "both, {at}");
        file[at] ^= 1;
        assert_eq!(Slots::decode(&file).unwrap().encode(), whole, "second, {at}");
    }
}

#[test]
fn a_change_that_was_cut_off_between_its_copies_opens_by_either_code() {
    let before = two();
    let mut after = before.clone();
    after.destroy_all_but(Some(2), &mut SystemEntropy);
    let file = [&before.encode()[..COPY_BYTES], &after.encode()[COPY_BYTES..]].concat();
    assert_eq!(Slots::decode(&file).unwrap(), before);
}

#[test]
fn a_wipe_that_reached_either_copy_is_seen() {
    let (whole, wiped) = (two().encode(), Slots::wiped(&mut SystemEntropy));
    assert_eq!(wiped.len(), FILE_BYTES);
    assert_eq!(Slots::decode(&wiped).unwrap_err(), SlotsError::Wiped);
    let half = |a: &[u8], b: &[u8]| [&a[..COPY_BYTES], &b[COPY_BYTES..]].concat();
    assert_eq!(Slots::decode(&half(&wiped, &whole)).unwrap_err(), SlotsError::Wiped);
    assert_eq!(Slots::decode(&half(&whole, &wiped)).unwrap_err(), SlotsError::Wiped);
    assert_eq!(Slots::decode(&wiped[..8]).unwrap_err(), SlotsError::Wiped);
}

#[test]
fn a_file_of_the_version_before_is_told_from_damage() {
    let file = |start: &[u8], length| [start, &vec![7; length - start.len()]].concat();
    assert_eq!(Slots::decode(&file(b"WRNSLOTS\x01", 8_192)).unwrap_err(), SlotsError::Older);
    for other in [file(b"WRNSLOTS\x01", 8_191), file(b"WRNSLOTS\x02", 8_192)] {
        assert_eq!(Slots::decode(&other).unwrap_err(), SlotsError::Damaged);
    }
}

#[test]
fn a_newer_version_is_told_from_damage() {
    let mut slots = two();
    slots.put(VERSION_AT, &[VERSION + 1]);
    slots.sum();
    assert_eq!(
        Slots::decode(&slots.encode()).unwrap_err(),
        SlotsError::Newer { found: VERSION + 1 }
    );
}

#[test]
fn a_lowered_cost_is_noticed_even_with_its_checksum_put_right() {
    let mut slots = Slots::fresh(Cost { passes: 2, ..Cost::LEAST }, &mut SystemEntropy);
    let stretched = slots.stretch(&code("right")).unwrap();
    slots.seal(0, &stretched, None, &Payload::ordinary(master(1)), &mut SystemEntropy).unwrap();
    slots.put(PASSES_AT, &1_u32.to_le_bytes());
    slots.sum();
    assert!(slots.open(&stretched, None).unwrap().is_none());
}

#[test]
fn used_slots_look_like_unused_ones() {
    // Of 7,136 bytes about 28 have any one value; no value stands out, used or not.
    for slots in [two(), Slots::fresh(Cost::LEAST, &mut SystemEntropy)] {
        let mut counts = [0_u32; 256];
        for byte in &slots.0[SLOTS_AT..CHECKSUM_AT] {
            counts[usize::from(*byte)] += 1;
        }
        assert!(counts.iter().all(|count| *count < 75), "{counts:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_read_as_slots_or_an_error(
        start in proptest::sample::select(vec![&b""[..], b"WRNSLOTS", b"WRNSLOTS\x02", b"WRNWIPED"]),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        length in 0_usize..17_000,
    ) {
        let mut file = [start, &bytes].concat();
        file.resize(length, 0);
        let _ = Slots::decode(&file);
    }

    #[test]
    fn a_flipped_bit_in_one_copy_changes_nothing(at in 0_usize..FILE_BYTES, bit in 0_u32..8) {
        let whole = two().encode();
        let mut file = whole.clone();
        file[at] ^= 1 << bit;
        prop_assert_eq!(Slots::decode(&file).unwrap().encode(), whole);
    }

    #[test]
    fn whatever_is_written_over_both_copies_no_wrong_code_opens_it(
        at in 0_usize..CHECKSUM_AT - 8,
        over in proptest::collection::vec(any::<u8>(), 1..40),
    ) {
        let mut slots = two();
        slots.put(at.max(HEADER_BYTES), &over);
        slots.sum();
        if let Ok(read) = Slots::decode(&slots.encode()) {
            prop_assert_eq!(opened(&read, "wrong"), None);
            if let Some((at, _, key)) = opened(&read, "right") {
                prop_assert_eq!((at, key), (5, master(1)));
            }
        }
    }
}
