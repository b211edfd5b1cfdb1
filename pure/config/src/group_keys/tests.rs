//! A group's keys: published bytes, who can read what, and admins who do not wait for each other.

use proptest::prelude::*;
use serde_json::Value as Json;
use warren_crypto::Entropy;
use warren_wire::bencode;
use warren_wire::limits::DAY;
use warren_wire::value::Value;

use super::*;

/// Bytes that are the same in every run.
struct Seeded(u8);

impl Entropy for Seeded {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            self.0 = self.0.wrapping_mul(5).wrapping_add(11);
            *byte = self.0;
        }
    }
}

/// Replays given bytes.
struct Replay(Vec<u8>);

impl Entropy for Replay {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.0);
    }
}

fn vectors() -> Json {
    serde_json::from_str(include_str!("../../../../spec/vectors/group-keys.json")).unwrap()
}

fn bytes(value: &Json) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn secret(value: &Json) -> Secret<32> {
    Secret::from_slice(&bytes(value)).unwrap()
}

fn group() -> Group {
    Group::from_seed(Secret::from_slice(&[200; 32]).unwrap()).unwrap()
}

fn person(number: u8) -> Account {
    Account::from_seed32(Secret::from_slice(&[number; 32]).unwrap()).unwrap()
}

fn ids(people: &[&Account]) -> Vec<AccountId> {
    people.iter().map(|person| person.id()).collect()
}

fn keys() -> GroupKeys {
    GroupKeys::new(group().id()).unwrap()
}

fn list(keys: &GroupKeys) -> Vec<[u8; 32]> {
    keys.keys().map(|key| *key.expose()).collect()
}

/// An admin's keys after one rekey for `members` that came back from the swarm on `day`.
fn rekeyed(keys: &mut GroupKeys, members: &[AccountId], hash: &str, day: Millis) -> Vec<u8> {
    let message = keys.rekey(&group(), members).unwrap().to_vec();
    assert_eq!(keys.load(Reader::Admin(&group()), hash, &message, day * DAY), Ok(Loaded::Keys));
    assert_eq!(keys.pending_message(), None);
    message
}

#[test]
fn what_admins_make_is_what_an_independent_implementation_makes() {
    let vectors = vectors();
    let admin = Group::from_seed(secret(&vectors["group_seed"])).unwrap();
    let own = Account::from_seed32(secret(&vectors["admin_seed"])).unwrap().id();
    let ids = vectors["member_ids"].as_array().unwrap().iter();
    let ids: Vec<AccountId> = ids.map(|id| id.as_str().unwrap().parse().unwrap()).collect();
    let mut keys = GroupKeys::new(admin.id()).unwrap();
    let members = [&ids[..4], &[own]].concat();
    for (name, key, members, hash) in
        [("rekey_0", "key_0", vec![own], "keyhash0"), ("rekey_1", "key_1", members, "keyhash1")]
    {
        let message = keys.rekey(&admin, &members).unwrap().to_vec();
        assert_eq!(message, bytes(&vectors[name]["message"]));
        assert_eq!(keys.current().unwrap().expose().as_slice(), bytes(&vectors[key]));
        let timestamp = vectors[name]["timestamp"].as_u64().unwrap();
        keys.load(Reader::Admin(&admin), hash, &message, timestamp).unwrap();
    }
    let supplement = keys.supplement(&admin, &ids[4..6]).unwrap();
    assert_eq!(supplement, bytes(&vectors["supplement"]["message"]));
    let mut nonce = Replay(bytes(&vectors["kicked"]["nonce"]));
    let kicked = kicked::seal(&admin, &ids[..2], 1, &mut nonce).unwrap();
    assert_eq!(kicked, bytes(&vectors["kicked"]["message"]));
    assert_eq!(keys.dump().unwrap(), bytes(&vectors["dump"]));
}

#[test]
fn what_an_independent_implementation_makes_is_read_by_whom_it_is_for() {
    let vectors = vectors();
    let admin = Group::from_seed(secret(&vectors["group_seed"])).unwrap();
    let (old, new) = (bytes(&vectors["key_0"]), bytes(&vectors["key_1"]));
    for (number, seed) in vectors["member_seeds"].as_array().unwrap().iter().enumerate() {
        let member = Account::from_seed32(secret(seed)).unwrap();
        let mut keys = GroupKeys::new(admin.id()).unwrap();
        let mut load = |name: &str| {
            let message = bytes(&vectors[name]["message"]);
            let timestamp = vectors[name]["timestamp"].as_u64().unwrap_or(0);
            keys.load(Reader::Member(&member), name, &message, timestamp).unwrap()
        };
        assert_eq!(load("rekey_0"), Loaded::Nothing);
        let present = load("rekey_1") == Loaded::Keys;
        let added = load("supplement") == Loaded::Keys;
        assert_eq!((present, added), (number < 4, number >= 4));
        let known: Vec<_> = list(&keys).iter().map(|key| key.to_vec()).collect();
        assert_eq!(known, if added { vec![new.clone(), old.clone()] } else { vec![new.clone()] });
        let kicked = bytes(&vectors["kicked"]["message"]);
        assert_eq!(kicked::open(&admin.id(), &member, &kicked).ok(), (number < 2).then_some(1));
    }
    let dumped = GroupKeys::from_dump(admin.id(), &bytes(&vectors["dump"])).unwrap();
    assert_eq!(list(&dumped).concat(), [new, old].concat());
}

/// The course of libsession's `tests/test_group_keys.cpp`, "Group Keys - C++ API".
#[test]
fn keys_and_hashes_are_those_of_libsessions_own_test() {
    let (mut admin1, mut admin2) = (keys(), keys());
    let members: Vec<Account> = (1..=4).map(person).collect();
    let mut known: Vec<GroupKeys> = members.iter().map(|_| keys()).collect();
    let own = person(100).id();
    let all: Vec<AccountId> = members.iter().map(Account::id).chain([own]).collect();
    let mut messages = Vec::new();
    for (number, present) in
        [vec![own], all.clone(), all.clone(), [&all[..2], &[own]].concat()].iter().enumerate()
    {
        let hash = format!("keyhash{}", number + 1);
        let message = rekeyed(&mut admin1, present, &hash, 0);
        admin2.load(Reader::Admin(&group()), &hash, &message, 0).unwrap();
        for (keys, member) in known.iter_mut().zip(&members) {
            keys.load(Reader::Member(member), &hash, &message, 0).unwrap();
        }
        messages.push(message);
    }
    assert_eq!(list(&admin1), list(&admin2));
    let hashes = |keys: &GroupKeys| keys.active_hashes().into_iter().collect::<String>();
    assert_eq!(hashes(&admin1), "keyhash1keyhash2keyhash3keyhash4");
    for (number, keys) in known.iter().enumerate() {
        assert_eq!(keys.keys().count(), if number < 2 { 3 } else { 2 });
        assert_eq!(hashes(keys), "keyhash2keyhash3keyhash4");
    }

    let added = person(5);
    let supplement = admin1.supplement(&group(), &[members[1].id(), added.id()]).unwrap();
    let load = |keys: &mut GroupKeys, reader: Reader<'_>| {
        keys.load(reader, "keyhash5", &supplement, 0).unwrap()
    };
    assert_eq!(load(&mut admin1, Reader::Admin(&group())), Loaded::Nothing);
    assert_eq!(load(&mut known[0], Reader::Member(&members[0])), Loaded::Nothing);
    assert_eq!(load(&mut known[1], Reader::Member(&members[1])), Loaded::Keys);
    let mut newcomer = keys();
    assert_eq!(load(&mut newcomer, Reader::Member(&added)), Loaded::Keys);
    assert_eq!([&known[0], &known[1], &newcomer].map(|keys| keys.keys().count()), [3, 4, 4]);
    assert_eq!(hashes(&known[1]), "keyhash2keyhash3keyhash4keyhash5");
    assert_eq!(hashes(&newcomer), "keyhash5");

    // Rekeyed after 10 days, then after 71: of all before, nothing is left.
    let present = [&all[..2], &[own, added.id()]].concat();
    rekeyed(&mut admin1, &present, "keyhash6", 10);
    assert_eq!(admin1.active_hashes().len(), 6);
    rekeyed(&mut admin1, &present, "keyhash7", 71);
    assert_eq!(hashes(&admin1), "keyhash6keyhash7");
    assert_eq!(admin1.keys().count(), 2);
}

#[test]
fn a_member_who_was_removed_reads_no_further_and_is_told_so() {
    let (anna, ben) = (person(1), person(2));
    let mut admin = keys();
    let before = rekeyed(&mut admin, &ids(&[&anna, &ben]), "a", 0);
    let generation = admin.generation();
    let after = rekeyed(&mut admin, &ids(&[&anna]), "b", 1);
    for (member, expected) in [(&anna, 2), (&ben, 1)] {
        let mut keys = keys();
        keys.load(Reader::Member(member), "a", &before, 0).unwrap();
        keys.load(Reader::Member(member), "b", &after, DAY).unwrap();
        assert_eq!(keys.keys().count(), expected);
        assert_eq!(list(&keys).contains(admin.current().unwrap().expose()), expected == 2);
    }
    let kicked = kicked::seal(&group(), &[ben.id()], generation, &mut Seeded(1)).unwrap();
    assert_eq!(kicked::open(&group().id(), &ben, &kicked), Ok(0));
    assert!(kicked::open(&group().id(), &anna, &kicked).is_err());
    assert!(kicked::holds(0, 0));
    assert!(!kicked::holds(0, admin.generation()), "a removal from before the member came back");
}

#[test]
fn two_admins_who_change_the_group_alike_make_the_same_bytes() {
    let people = [person(1), person(2), person(3)].map(|person| person.id());
    let reversed: Vec<_> = people.iter().rev().copied().collect();
    let (mut one, mut two) = (keys(), keys());
    assert_eq!(one.rekey(&group(), &people).unwrap(), two.rekey(&group(), &reversed).unwrap());
    let with_repetition = [people, people].concat();
    assert_eq!(one.rekey(&group(), &with_repetition), two.rekey(&group(), &people));
}

#[test]
fn two_admins_who_rekey_at_once_see_the_collision_and_converge() {
    let people = [person(1), person(2), person(3)];
    let (mut one, mut two) = (keys(), keys());
    let admin = group();
    let first = rekeyed(&mut one, &ids(&[&people[0], &people[1], &people[2]]), "a", 0);
    two.load(Reader::Admin(&admin), "a", &first, 0).unwrap();
    let ones = one.rekey(&admin, &ids(&[&people[0], &people[1]])).unwrap().to_vec();
    let twos = two.rekey(&admin, &ids(&[&people[0], &people[2]])).unwrap().to_vec();
    for (keys, order) in [
        (&mut one, [("b", &ones, 1), ("c", &twos, 2)]),
        (&mut two, [("c", &twos, 2), ("b", &ones, 1)]),
    ] {
        for (hash, message, day) in order {
            keys.load(Reader::Admin(&admin), hash, message, day * DAY).unwrap();
        }
        assert!(keys.needs_rekey());
        assert_eq!(keys.pending_message(), None);
    }
    assert_eq!(list(&one), list(&two));
    let both = ids(&[&people[0]]);
    let third = one.rekey(&admin, &both).unwrap().to_vec();
    assert_eq!(third, two.rekey(&admin, &both).unwrap());
    for keys in [&mut one, &mut two] {
        keys.load(Reader::Admin(&admin), "d", &third, 3 * DAY).unwrap();
        assert!(!keys.needs_rekey());
        assert_eq!(keys.generation(), 2);
    }
    assert_eq!(list(&one), list(&two));
}

#[test]
fn a_pending_key_is_written_with_until_it_or_a_later_one_comes_back() {
    let (admin, members) = (group(), ids(&[&person(1)]));
    let (mut one, mut two) = (keys(), keys());
    let first = one.rekey(&admin, &members).unwrap().to_vec();
    assert_eq!((one.keys().count(), one.generation()), (1, 0));
    assert!(one.current().is_some());
    assert!(one.supplement(&admin, &members).is_err(), "a pending key is not handed on");
    rekeyed(&mut two, &members, "a", 0);
    let second = rekeyed(&mut two, &members, "b", 1);
    one.load(Reader::Admin(&admin), "b", &second, DAY).unwrap();
    assert_eq!(one.pending_message(), None);
    one.load(Reader::Admin(&admin), "a", &first, 0).unwrap();
    assert_eq!(list(&one), list(&two));
}

#[test]
fn a_hundred_members_read_a_key_and_nobody_counts_them() {
    let people: Vec<Account> = (1..=100).map(person).collect();
    let members: Vec<AccountId> = people.iter().map(Account::id).collect();
    let mut admin = keys();
    let message = rekeyed(&mut admin, &members, "a", 0);
    assert!(message.len() < 76_800);
    for (number, member) in people.iter().enumerate().step_by(33) {
        let mut keys = keys();
        let loaded = keys.load(Reader::Member(member), "a", &message, 0).unwrap();
        assert_eq!((loaded, list(&keys)), (Loaded::Keys, list(&admin)), "member {number}");
    }
    let mut stranger = keys();
    let loaded = stranger.load(Reader::Member(&person(101)), "a", &message, 0);
    assert_eq!(loaded, Ok(Loaded::Nothing));
    assert_eq!(copies_in(&message), 135);
    assert_eq!(copies_in(keys().rekey(&group(), &members[..90]).unwrap()), 90);
    assert_eq!(copies_in(keys().rekey(&group(), &members[..1]).unwrap()), COPIES_MULTIPLE);
    assert_eq!(copies_in(keys().rekey(&group(), &[]).unwrap()), 0);
}

fn copies_in(message: &[u8]) -> usize {
    match bencode::decode(message).unwrap().get("k") {
        Some(Value::List(copies)) => copies.len(),
        _ => panic!("a rekey has copies"),
    }
}

#[test]
fn whoever_is_promoted_reads_as_an_admin_and_loses_nothing() {
    let member = person(1);
    let mut admin = keys();
    let hidden = rekeyed(&mut admin, &[], "a", 0);
    let shown = rekeyed(&mut admin, &[member.id()], "b", 1);
    let mut keys = keys();
    for (hash, message) in [("a", &hidden), ("b", &shown)] {
        keys.load(Reader::Member(&member), hash, message, DAY).unwrap();
    }
    assert_eq!(keys.keys().count(), 1);
    let promoted = Group::promoted(&group().id(), group().seed().expose()).unwrap();
    keys.load(Reader::Admin(&promoted), "a", &hidden, 0).unwrap();
    assert_eq!(list(&keys), list(&admin));
    assert!(keys.rekey(&promoted, &[member.id()]).is_ok());
}

#[test]
fn messages_that_no_admin_of_the_group_signed_change_nothing() {
    let member = person(1);
    let other = Group::from_seed(Secret::from_slice(&[201; 32]).unwrap()).unwrap();
    let mut foreign = GroupKeys::new(other.id()).unwrap();
    let message = foreign.rekey(&other, &[member.id()]).unwrap().to_vec();
    let mut keys = keys();
    let read =
        |keys: &mut GroupKeys, message: &[u8]| keys.load(Reader::Member(&member), "a", message, 0);
    assert_eq!(read(&mut keys, &message), Err(KeysError::Signature));
    assert_eq!(keys.load(Reader::Admin(&other), "a", &message, 0), Err(KeysError::OtherGroup));
    assert_eq!(keys.rekey(&other, &[]).unwrap_err(), KeysError::OtherGroup);
    assert_eq!(keys.supplement(&other, &[]).unwrap_err(), KeysError::OtherGroup);
    assert_eq!(keys.supplement(&group(), &[member.id()]).unwrap_err(), KeysError::NoKeys);
    assert!(!keys.needs_dump());
    assert!(matches!(GroupKeys::new(member.id()), Err(KeysError::OtherGroup)));
}

#[test]
fn signed_messages_of_another_form_are_refused() {
    let signed = |changes: &dyn Fn(&mut warren_wire::value::Dict)| {
        let message = keys().rekey(&group(), &[person(1).id()]).unwrap().to_vec();
        let Value::Dict(mut dict) = bencode::decode(&message).unwrap() else {
            panic!("a dictionary")
        };
        dict.remove("~");
        changes(&mut dict);
        message::write(&group(), dict).unwrap()
    };
    let read = |message: &[u8]| keys().load(Reader::Member(&person(1)), "a", message, 0);
    assert_eq!(read(&signed(&|_| ())), Ok(Loaded::Keys));
    for field in ["#", "G", "K", "k"] {
        let message = signed(&|dict| drop(dict.remove(field)));
        assert_eq!(read(&message), Err(KeysError::Malformed), "{field}");
    }
    let short = || Value::Bytes(vec![0; 47]);
    for (field, value) in [
        ("#", short()),
        ("G", Value::Integer(-1)),
        ("G", Value::Integer(i128::from(i64::MAX) + 1)),
        ("K", short()),
        ("k", Value::List(vec![short()])),
        ("k", short()),
        ("+", Value::List(vec![short()])),
        ("\u{e9}", short()),
    ] {
        let message = signed(&|dict| drop(dict.insert(field.to_owned(), value.clone())));
        assert_eq!(read(&message), Err(KeysError::Malformed), "{field} {value:?}");
    }
    let admin = signed(&|dict| drop(dict.insert("K".to_owned(), Value::Bytes(vec![0; 48]))));
    let read = keys().load(Reader::Admin(&group()), "a", &admin, 0);
    assert_eq!(read, Err(KeysError::AdminCopy));
    let last = i128::from(i64::MAX);
    let last = signed(&|dict| drop(dict.insert("G".to_owned(), Value::Integer(last))));
    let mut keys = keys();
    keys.load(Reader::Admin(&group()), "a", &last, 0).unwrap();
    assert_eq!(keys.rekey(&group(), &[]).unwrap_err(), KeysError::NoGeneration);
}

#[test]
fn copies_are_those_of_the_published_vector() {
    let person = |middle: &str| {
        let seed = format!("0123456789abcdef{middle}00000000000000000000000000000000");
        Account::from_seed32(Secret::from_slice(&hex::decode(seed).unwrap()).unwrap()).unwrap()
    };
    let sender = person("0123456789abcdef");
    let recipients = ["0000000000000000", "1111111111111111", "2222222222222222"].map(person);
    let texts: Vec<_> = recipients
        .iter()
        .zip(["hello", "cruel", "world"])
        .map(|(person, text)| (person.x25519().public_key(), text.as_bytes().to_vec()))
        .collect();
    let nonce = hex::decode("32ab4bb45d6df5cc14e1c330fb1a8b68ea3826a8c2213a49").unwrap();
    let sealed =
        copies::seal(sender.x25519(), b"test suite", &texts, 0, &mut Replay(nonce.clone()));
    // libsession `tests/test_multi_encrypt.cpp`, "simpler interface".
    let expected = [
        b"d1:#24:".as_slice(),
        &nonce,
        b"1:el21:",
        &hex::decode("e64937e5ea201b84f4e88a976dad900d91caaf6a17").unwrap(),
        b"21:",
        &hex::decode("bcb642c49c6da03f70cdaab2ed6666721318afd631").unwrap(),
        b"21:",
        &hex::decode("1ecee2215d226817edfdb097f05037eb799309103a").unwrap(),
        b"ee",
    ];
    assert_eq!(sealed.unwrap(), expected.concat());
    let padded = copies::seal(sender.x25519(), b"x", &texts, 4, &mut Seeded(1)).unwrap();
    let Some(Value::List(list)) = bencode::decode(&padded).unwrap().get("e").cloned() else {
        panic!("a list");
    };
    assert_eq!(list.len(), 4);
    let open = |domain: &[u8]| {
        let sender = sender.x25519().public_key();
        copies::open(recipients[2].x25519(), &sender, domain, &padded)
    };
    assert_eq!(open(b"x").unwrap(), b"world");
    assert!(open(b"y").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_order_and_repetition_of_messages_gives_the_same_keys(
        order in Just((0..5_usize).chain(0..5).collect::<Vec<_>>()).prop_shuffle(),
        days in prop::collection::vec(0..200_u64, 4),
    ) {
        let member = person(1);
        let mut admin = keys();
        let mut days = days;
        days.sort_unstable();
        let mut messages: Vec<_> = days
            .iter()
            .enumerate()
            .map(|(n, day)| (rekeyed(&mut admin, &[member.id()], &n.to_string(), *day), *day))
            .collect();
        messages.push((admin.supplement(&group(), &[member.id()]).unwrap(), 201));
        let mut keys = keys();
        for at in order {
            let (message, day) = &messages[at];
            keys.load(Reader::Member(&member), &at.to_string(), message, day * DAY).unwrap();
        }
        prop_assert_eq!(list(&keys), list(&admin));
    }

    #[test]
    fn state_comes_back_from_its_dump(rekeys in 0..4_u64, pending: bool) {
        let members = [person(1).id()];
        let mut keys = keys();
        for day in 0..rekeys {
            rekeyed(&mut keys, &members, &format!("hash {day}"), day);
        }
        if pending {
            keys.rekey(&group(), &members).unwrap();
        }
        prop_assert_eq!(keys.needs_dump(), pending || rekeys > 0);
        let dump = keys.dump().unwrap();
        prop_assert!(!keys.needs_dump());
        let mut back = GroupKeys::from_dump(group().id(), &dump).unwrap();
        prop_assert_eq!(list(&back), list(&keys));
        prop_assert_eq!(back.active_hashes(), keys.active_hashes());
        prop_assert_eq!(back.pending_message(), keys.pending_message());
        prop_assert_eq!(back.dump().unwrap(), dump);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, generation: i64, timestamp: Millis) {
        let member = person(1);
        let mut keys = keys();
        let _ = keys.load(Reader::Member(&member), "a", &bytes, timestamp);
        let _ = GroupKeys::from_dump(group().id(), &bytes);
        let _ = kicked::open(&group().id(), &member, &bytes);
        let text = Value::dict([("#", Value::Bytes(bytes.clone())), ("+", Value::List(vec![])), ("G", generation.into())]);
        let Value::Dict(dict) = text else { unreachable!() };
        let _ = keys.load(Reader::Member(&member), "a", &message::write(&group(), dict).unwrap(), timestamp);
        let texts = [(member.x25519().public_key(), bytes)];
        let sealed = copies::seal(group().x25519(), b"SessionGroupKickedMessage", &texts, 0, &mut Seeded(1));
        let _ = kicked::open(&group().id(), &member, &sealed.unwrap());
    }

    #[test]
    fn a_flipped_bit_of_a_message_is_noticed(at: prop::sample::Index, bit in 0..8_u32) {
        let mut message = keys().rekey(&group(), &[person(1).id()]).unwrap().to_vec();
        let position = at.index(message.len());
        message[position] ^= 1_u8 << bit;
        prop_assert!(keys().load(Reader::Member(&person(1)), "a", &message, 0).is_err());
        let mut dump = keys();
        rekeyed(&mut dump, &[], "a", 0);
        let mut bytes = dump.dump().unwrap();
        let position = at.index(bytes.len());
        bytes[position] ^= 1_u8 << bit;
        let _ = GroupKeys::from_dump(group().id(), &bytes);
    }
}
