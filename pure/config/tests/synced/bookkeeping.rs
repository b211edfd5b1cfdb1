//! Which messages are current, obsolete, or to be pushed again (libsession's test_bugs and
//! test_config_determinism).

use warren_config::base::State;
use warren_config::{ConfigError, Contact, Contacts, GroupInfo, Signing, Synced, UserProfile};

use super::*;

fn name(contacts: &mut Contacts, digits: &str, name: &str) {
    let id = id(&format!("05{digits:1<64}"));
    contacts.set(&Contact { name: name.to_owned(), ..Contact::new(id) }).unwrap();
}

/// Contacts that were pushed once, and as many devices that have the same.
fn devices<const N: usize>() -> (Contacts, [Contacts; N]) {
    let mut first = Contacts::new(seed()).unwrap();
    name(&mut first, "0", "alfonso");
    assert_eq!(pushed(&mut first, "fakehash1").obsolete, Vec::<String>::new());
    let dump = first.dump(NOW).unwrap();
    let others = std::array::from_fn(|_| Contacts::load(seed(), &dump, NOW).unwrap());
    (first, others)
}

#[test]
fn a_change_after_a_merge_goes_into_the_same_message() {
    let (mut one, [mut two, mut three]) = devices();
    name(&mut two, "a", "barney");
    name(&mut three, "b", "chalmondeley");
    let (second, third) = (two.push(NOW).unwrap(), three.push(NOW).unwrap());
    assert_eq!((second.seqno, third.seqno), (2, 2));
    assert_eq!((obsolete(&second), obsolete(&third)), (set(["fakehash1"]), set(["fakehash1"])));
    let good = merged(&mut one, &[("fakehash2", &second), ("fakehash3", &third)]);
    assert_eq!(good, set(["fakehash2", "fakehash3"]));
    assert_eq!(one.config().state(), State::Dirty);
    name(&mut one, "c", "elly");
    let push = one.push(NOW).unwrap();
    assert_eq!((push.seqno, one.config().state()), (3, State::Waiting));
    assert_eq!(obsolete(&push), set(["fakehash1", "fakehash2", "fakehash3"]));
    assert_eq!(one.len(), 4);
}

#[test]
fn a_configuration_merged_into_itself_stays_current() {
    let mut one = Contacts::new(seed()).unwrap();
    name(&mut one, "0", "alfonso");
    let push = pushed(&mut one, "fakehash1");
    one.dump(NOW).unwrap();
    assert_eq!(merged(&mut one, &[("fakehash1", &push)]), set(["fakehash1"]));
    assert!(!one.needs_push() && one.take_obsolete().is_empty());
    assert_eq!(one.config().current_hashes(), &set(["fakehash1"]));
}

#[test]
fn the_same_change_made_twice_is_taken_over_without_a_new_number() {
    let (mut one, [mut two, mut three]) = devices();
    for contacts in [&mut one, &mut two, &mut three] {
        name(contacts, "a", "barney");
    }
    let second = pushed(&mut two, "fakehash2");
    assert_eq!(merged(&mut one, &[("fakehash2", &second)]), set(["fakehash2"]));
    assert_eq!(one.config().state(), State::Clean);
    assert_eq!(one.config().current_hashes(), &set(["fakehash2"]));
    name(&mut two, "b", "carl");
    let third = pushed(&mut two, "fakehash3");
    assert_eq!(third.seqno, 3);
    assert_eq!(merged(&mut one, &[("fakehash3", &third)]), set(["fakehash3"]));
    assert_eq!(one.config().state(), State::Clean);
    name(&mut one, "c", "dora");
    let push = one.push(NOW).unwrap();
    assert_eq!(push.seqno, 4);
    assert_eq!(obsolete(&push), set(["fakehash1", "fakehash2", "fakehash3"]));

    let good = merged(&mut three, &[("fakehash2", &second), ("fakehash3", &third)]);
    assert_eq!(good, set(["fakehash2", "fakehash3"]));
    assert_eq!(three.config().state(), State::Clean);
    assert_eq!(three.config().current_hashes(), &set(["fakehash3"]));
    name(&mut three, "d", "edgar");
    assert_eq!(three.push(NOW).unwrap().seqno, 4);
}

#[test]
fn changes_beyond_those_merged_stay_to_be_pushed_and_what_is_too_old_is_not_merged() {
    let (mut one, [mut two]) = devices();
    name(&mut one, "a", "barney2");
    name(&mut one, "b", "barney3");
    name(&mut two, "a", "barney2");
    let second = pushed(&mut two, "fakehash2");
    merged(&mut one, &[("fakehash2", &second)]);
    assert_eq!((one.config().state(), one.len()), (State::Dirty, 3));
    for number in 4..20 {
        name(&mut one, &format!("c{number}"), "barney");
        pushed(&mut one, &format!("fakehash{number}"));
        assert_eq!(one.config().state(), State::Clean);
    }
    name(&mut two, "d", "barney50");
    let late = two.push(NOW).unwrap();
    name(&mut one, "e", "barney40");
    let before = one.len();
    assert_eq!(merged(&mut one, &[("fakehash21", &late)]), set(["fakehash21"]));
    assert_eq!((one.len(), one.config().state()), (before, State::Dirty));
    assert!(obsolete(&one.push(NOW).unwrap()).contains("fakehash21"));
}

#[test]
fn a_configuration_changed_and_merged_before_it_is_pushed_can_be_changed_again() {
    let (mut one, [mut two]) = devices();
    name(&mut one, "a", "one");
    let push = pushed(&mut one, "hash2");
    name(&mut two, "b", "two");
    merged(&mut two, &[("hash2", &push)]);
    assert!(two.needs_push());
    name(&mut two, "c", "three");
    let push = pushed(&mut two, "hash3");
    assert_eq!(push.seqno, 3);
    assert!(!two.needs_push());
    two.dump(NOW).unwrap();
    assert!(!two.needs_dump());
}

#[test]
fn a_dump_is_due_after_each_change() {
    let mut contacts = Contacts::new(seed()).unwrap();
    assert!(!contacts.needs_dump());
    for text in ["a", "b"] {
        name(&mut contacts, "0", text);
        assert!(contacts.needs_dump());
    }
    contacts.dump(NOW).unwrap();
    assert!(!contacts.needs_dump());
    name(&mut contacts, "0", "c");
    assert!(contacts.needs_dump());
}

#[test]
fn a_dirty_configuration_is_dirty_after_a_restart_under_a_new_number() {
    let (mut one, _) = devices::<0>();
    name(&mut one, "a", "barney");
    let dump = one.dump(NOW).unwrap();
    let mut back = Contacts::load(seed(), &dump, NOW).unwrap();
    assert_eq!(back.config().state(), State::Dirty);
    let push = back.push(NOW).unwrap();
    assert_eq!((push.seqno, back.len()), (3, 2));
    assert_eq!(obsolete(&push), set(["fakehash1"]));
}

#[test]
fn changes_with_a_reload_between_each_make_one_message() {
    let (mut whole, _) = devices::<0>();
    let mut parted = Contacts::load(seed(), &whole.suspend(NOW).unwrap(), NOW).unwrap();
    for id in ["a", "b", "c", "d", "e", "f", "a"] {
        name(&mut whole, id, "barney");
        name(&mut parted, id, "barney");
        parted = Contacts::load(seed(), &parted.suspend(NOW).unwrap(), NOW).unwrap();
    }
    assert_eq!(parted.config().state(), State::Dirty);
    assert_eq!(parted.push(NOW).unwrap(), whole.push(NOW).unwrap());
    // What was handed out has its number.
    let mut back = Contacts::load(seed(), &parted.suspend(NOW).unwrap(), NOW).unwrap();
    assert_eq!(back.config().state(), State::Waiting);
    name(&mut back, "b", "fred");
    assert_eq!(back.push(NOW).unwrap().seqno, whole.config().seqno() + 1);
}

#[test]
fn a_push_confirmed_after_another_change_confirms_nothing() {
    let mut contacts = Contacts::new(seed()).unwrap();
    name(&mut contacts, "0", "a");
    let push = contacts.push(NOW).unwrap();
    name(&mut contacts, "0", "b");
    contacts.confirm_pushed(push.seqno, vec!["hash1".to_owned()]);
    assert_eq!(contacts.config().state(), State::Dirty);
    assert_eq!(contacts.push(NOW).unwrap().seqno, 2);
}

#[test]
fn the_same_state_pushed_again_is_the_same_bytes_on_every_device_and_after_a_restart() {
    let mut one = UserProfile::new(seed()).unwrap();
    one.set_name("Determinism", NOW).unwrap();
    let push = pushed(&mut one, "fakehash1");
    let mut two = UserProfile::new(seed()).unwrap();
    merged(&mut two, &[("fakehash1", &push)]);
    for profile in [&mut one, &mut two] {
        let dump = profile.dump(NOW).unwrap();
        let mut back = UserProfile::load(seed(), &dump, NOW).unwrap();
        for _ in 0..3 {
            assert!(!back.needs_push());
            let again = back.push(NOW).unwrap();
            assert_eq!((again.seqno, &again.messages), (push.seqno, &push.messages));
            assert!(again.obsolete.is_empty());
        }
    }
}

#[test]
fn a_push_of_a_clean_state_hands_over_what_is_obsolete_once() {
    let mut one = UserProfile::new(seed()).unwrap();
    one.set_name("First", NOW).unwrap();
    let first = pushed(&mut one, "fakehash1");
    one.set_name("Second", NOW).unwrap();
    let second = pushed(&mut one, "fakehash2");
    let mut two = UserProfile::new(seed()).unwrap();
    merged(&mut two, &[("fakehash1", &first), ("fakehash2", &second)]);
    assert!(!two.needs_push());
    let again = two.push(NOW).unwrap();
    assert_eq!((again.seqno, &again.messages), (2, &second.messages));
    assert_eq!(obsolete(&again), set(["fakehash1"]));
    assert!(two.push(NOW).unwrap().obsolete.is_empty());
}

#[test]
fn a_member_stores_again_what_an_admin_signed_after_a_restart() {
    let key = || secret(&"a".repeat(64));
    let mut admin = GroupInfo::new(Signing::Sign(group_key())).unwrap();
    admin.config_mut().add_key(key(), true);
    admin.set_name("First").unwrap();
    let first = pushed(&mut admin, "fakehash1");
    admin.set_name("Second").unwrap();
    let push = pushed(&mut admin, "fakehash2");
    let verify = || Signing::Verify(group_key().verifying_key());
    let mut member = GroupInfo::new(verify()).unwrap();
    member.config_mut().add_key(key(), true);
    merged(&mut member, &[("fakehash1", &first), ("fakehash2", &push)]);
    let dump = member.dump(NOW).unwrap();
    let mut back = GroupInfo::load(verify(), &dump, NOW).unwrap();
    back.config_mut().add_key(key(), true);
    assert_eq!(back.name().unwrap(), "Second");
    let again = back.push(NOW).unwrap();
    assert_eq!((again.seqno, &again.messages), (2, &push.messages));
    assert!(again.obsolete.is_empty());
    let mut other = GroupInfo::new(verify()).unwrap();
    other.config_mut().add_key(key(), true);
    assert_eq!(merged(&mut other, &[("fakehash2", &again)]), set(["fakehash2"]));
}

#[test]
fn an_admin_who_restarts_before_the_confirmation_goes_on_from_the_signed_message() {
    let key = || secret(&"a".repeat(64));
    let sign = || Signing::Sign(group_key());
    let mut admin = GroupInfo::new(sign()).unwrap();
    admin.config_mut().add_key(key(), true);
    admin.set_name("First").unwrap();
    let first = admin.push(NOW).unwrap();
    let dump = admin.dump(NOW).unwrap();
    let mut back = GroupInfo::load(sign(), &dump, NOW).unwrap();
    back.config_mut().add_key(key(), true);
    assert_eq!(back.push(NOW).unwrap().messages, first.messages);
    back.confirm_pushed(1, vec!["hash1".to_owned()]);
    back.set_name("Second").unwrap();
    let second = pushed(&mut back, "hash2");
    let mut other = GroupInfo::new(sign()).unwrap();
    other.config_mut().add_key(key(), true);
    merged(&mut other, &[("hash1", &first), ("hash2", &second)]);
    assert_eq!(other.config().state(), State::Clean);
    assert_eq!(other.name().unwrap(), "Second");
}

#[test]
fn without_a_key_nothing_is_pushed_or_merged() {
    let mut info = GroupInfo::new(Signing::Sign(group_key())).unwrap();
    info.set_name("Group").unwrap();
    assert_eq!(info.push(NOW), Err(ConfigError::NoKey));
    assert_eq!(info.merge(&[], NOW), Err(ConfigError::NoKey));
}

#[test]
fn a_new_first_key_pushes_again_and_a_new_last_one_does_not() {
    let key = |digit: &str| secret(&digit.repeat(64));
    let mut info = GroupInfo::new(Signing::Sign(group_key())).unwrap();
    info.config_mut().add_key(key("a"), true);
    info.set_name("Group").unwrap();
    pushed(&mut info, "hash1");
    info.config_mut().replace_keys(vec![key("a"), key("b")], true).unwrap();
    assert!(!info.needs_push());
    info.config_mut().replace_keys(vec![key("b"), key("a")], true).unwrap();
    assert!(info.needs_push());
    let push = info.push(NOW).unwrap();
    assert_eq!(push.seqno, 2);
    assert!(seal::open(&push.messages[0], &key("b"), "groups::Info").is_ok());
}

#[test]
fn what_is_pushed_again_under_another_key_takes_the_place_of_what_was_there() {
    let (mut one, []) = devices();
    let again = one.push(NOW).unwrap();
    assert_eq!(again.obsolete, Vec::<String>::new());
    one.confirm_pushed(again.seqno, vec!["fakehash1".to_owned()]);
    assert!(one.take_obsolete().is_empty());
    one.confirm_pushed(again.seqno, vec!["otherhash".to_owned()]);
    assert_eq!(one.config().current_hashes(), &set(["otherhash"]));
    assert!(one.needs_dump() && !one.needs_push());
    assert_eq!(one.take_obsolete(), ["fakehash1"]);
}
