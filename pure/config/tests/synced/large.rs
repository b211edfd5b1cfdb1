//! Configurations too large for one message (libsession's test_config_contacts).

use warren_config::{Contact, Contacts, Synced};
use warren_wire::limits::DAY;

use super::*;

/// What twelve thousand contacts come to in a dump, as published.
const BIG_DUMP: usize = 1_597_004;

fn with(ids: impl Iterator<Item = (usize, AccountId)>, width: usize) -> Contacts {
    let mut contacts = Contacts::new(seed()).unwrap();
    for (number, id) in ids {
        contacts
            .set(&Contact {
                nickname: format!("My friend {number:0width$}"),
                approved: true,
                approved_me: true,
                ..Contact::new(id)
            })
            .unwrap();
    }
    contacts
}

/// Ids that do not compress: those of the seeds 0, 1, 2...
fn people(count: usize) -> impl Iterator<Item = (usize, AccountId)> {
    (0..count).map(|number| {
        let mut seed = [0; 32];
        seed[..2].copy_from_slice(&u16::try_from(number).unwrap().to_le_bytes());
        let key = SigningKey::from_seed(Secret::take(&mut seed)).unwrap();
        (number, AccountId::person(&key.verifying_key().to_x25519().unwrap()))
    })
}

fn messages(push: &Push) -> Vec<(String, Vec<u8>)> {
    let hash = |at| format!("fakehash{at:02}");
    push.messages.iter().enumerate().map(|(at, message)| (hash(at), message.clone())).collect()
}

fn hashes(messages: &[(String, Vec<u8>)]) -> BTreeSet<String> {
    messages.iter().map(|(hash, _)| hash.clone()).collect()
}

#[test]
fn what_compresses_well_is_one_message_of_the_published_size() {
    let ids = (0..12_000_u16)
        .map(|number| (usize::from(number), id(&format!("05{}{number:04x}", "0".repeat(60)))));
    let mut contacts = with(ids, 0);
    let push = contacts.push(NOW).unwrap();
    assert_eq!((push.seqno, push.messages.len(), push.messages[0].len()), (1, 1, 56_320));
    assert_eq!(contacts.dump(NOW).unwrap().len(), BIG_DUMP);
    contacts.confirm_pushed(1, vec!["fakehash1".to_owned()]);
    assert_eq!(contacts.dump(NOW).unwrap().len(), BIG_DUMP + 11);
}

#[test]
fn what_does_not_is_pushed_in_parts_of_the_published_sizes_and_joined_in_any_order() {
    let friend = people(43).last().unwrap().1;
    let mut contacts = with(people(12_000), 0);
    let push = contacts.push(NOW).unwrap();
    let sizes: Vec<usize> = push.messages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [[76_800; 11].as_slice(), &[1_040]].concat());
    let base = BIG_DUMP + 35 + 2 + 6 + 18;
    assert_eq!(contacts.dump(NOW).unwrap().len(), base);
    let parts = messages(&push);
    contacts.confirm_pushed(push.seqno, hashes(&parts).into_iter().collect());
    assert_eq!(contacts.active_hashes(NOW), hashes(&parts));
    assert_eq!(contacts.dump(NOW).unwrap().len(), base + 12 * 13);

    let mut other = Contacts::new(seed()).unwrap();
    let mut shuffled = parts.clone();
    shuffled.reverse();
    shuffled.swap(2, 9);
    let (first, rest) = shuffled.split_at(8);
    assert_eq!(other.merge(first, NOW).unwrap(), hashes(first));
    assert!(other.needs_dump() && !other.needs_push() && other.get(&friend).is_none());
    assert_eq!(other.active_hashes(NOW), hashes(first));
    let dump = other.dump(NOW).unwrap();
    let mut other = Contacts::load(seed(), &dump, NOW).unwrap();
    assert!(!other.needs_dump());
    assert_eq!(other.merge(rest, NOW).unwrap(), hashes(rest));
    assert_eq!(other.active_hashes(NOW), hashes(&parts));
    assert_eq!(other.get(&friend).unwrap().nickname, "My friend 42");
    assert!(!other.needs_push());
    assert_eq!(other.dump(NOW).unwrap().len(), base + 12 * 13);
    assert_eq!(other.push(NOW).unwrap().messages, push.messages);
}

#[test]
fn parts_wait_a_week_and_a_joined_set_is_remembered_for_two() {
    let mut contacts = with(people(2_000), 4);
    let push = pushed(&mut contacts, "unused");
    let sizes: Vec<usize> = push.messages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [76_800, 35_980]);
    let parts = messages(&push);
    let mut other = Contacts::new(seed()).unwrap();
    other.merge(&parts[..1], NOW).unwrap();
    let size = other.dump(NOW).unwrap().len();
    assert!((76_710..77_000).contains(&size), "{size}");

    let later = NOW + 7 * DAY + 1;
    assert!(other.dump(later).unwrap().len() < 200);
    other.merge(&parts[1..], later).unwrap();
    assert_eq!(other.config().seqno(), 0);
    let size = other.dump(later).unwrap().len();
    assert!((35_890..36_200).contains(&size), "{size}");
    other.merge(&parts[..1], later).unwrap();
    assert_eq!((other.config().seqno(), other.len()), (1, 2_000));
    let full = other.dump(later).unwrap().len();
    assert!((266_000..266_300).contains(&full), "{full}");

    assert_eq!(other.merge(&parts[..1], later).unwrap(), hashes(&parts[..1]));
    assert!(!other.needs_dump());
    assert_eq!(other.dump(later + 14 * DAY).unwrap().len(), full);
    let much_later = later + 14 * DAY + 1;
    assert_eq!(other.dump(much_later).unwrap().len(), full - (35 + 26));
    other.merge(&parts[..1], much_later).unwrap();
    assert!(other.needs_dump());
    assert_eq!(other.merge(&parts, much_later).unwrap(), hashes(&parts));
    assert_eq!(other.config().seqno(), 1);
    assert_eq!(other.dump(much_later).unwrap().len(), full + 35 + 26 - (35 + 26));
}

#[test]
fn parts_that_contradict_each_other_are_not_taken() {
    let mut contacts = with(people(2_000), 4);
    let push = contacts.push(NOW).unwrap();
    let plain = seal::open(&push.messages[0], &seed(), "Contacts").unwrap();
    let altered = |at: usize, byte: u8| {
        let mut part = plain.clone();
        part[at] = byte;
        ("altered".to_owned(), seal::seal(&part, &seed(), "Contacts").unwrap())
    };
    // m l 32: hash 1: index 1: count ...
    let (index, count) = (1 + 1 + 3 + 32 + 2, 1 + 1 + 3 + 32 + 2 + 3);
    assert_eq!((plain[index], plain[count]), (0, 2));
    let mut other = Contacts::new(seed()).unwrap();
    for (at, byte) in [(index, 2), (index, 255), (count, 1), (count, 0), (1, b'd'), (4, b'9')] {
        assert_eq!(other.merge(&[altered(at, byte)], NOW).unwrap(), set([]), "{at} {byte}");
    }
    assert_eq!(other.merge(&messages(&push)[..1], NOW).unwrap(), set(["fakehash00"]));
    assert_eq!(other.merge(&[altered(count, 3)], NOW).unwrap(), set([]));
    // A second part that is not the one that was cut.
    let second = seal::open(&push.messages[1], &seed(), "Contacts").unwrap();
    let mut wrong = second;
    wrong[1000] ^= 1;
    let wrong = ("wrong".to_owned(), seal::seal(&wrong, &seed(), "Contacts").unwrap());
    assert_eq!(other.merge(&[wrong], NOW).unwrap(), set([]));
    assert_eq!(other.config().seqno(), 0);
    assert_eq!(other.merge(&messages(&push), NOW).unwrap(), hashes(&messages(&push)));
    assert_eq!(other.len(), 2_000);
}
