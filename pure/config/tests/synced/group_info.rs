//! What a group is (libsession's test_group_info).

use warren_config::base::State;
use warren_config::{ConfigError, GroupInfo, ProfilePicture, Signing, Synced};
use warren_wire::Namespace;

use super::*;

fn key(digit: char) -> Secret<32> {
    secret(&digit.to_string().repeat(64))
}

fn info(signing: Signing, keys: &str) -> GroupInfo {
    let mut info = GroupInfo::new(signing).unwrap();
    for digit in keys.chars() {
        info.config_mut().add_key(key(digit), false);
    }
    info
}

fn admin(keys: &str) -> GroupInfo {
    info(Signing::Sign(group_key()), keys)
}

fn member(keys: &str) -> GroupInfo {
    info(Signing::Verify(group_key().verifying_key()), keys)
}

fn picture() -> ProfilePicture {
    let key = secret(&"abcd".repeat(16));
    ProfilePicture { url: "http://example.com/12345".to_owned(), key }
}

#[test]
fn what_one_admin_says_another_reads_once_they_have_the_key() {
    let (mut one, mut two) = (admin("a"), admin("bacd"));
    assert_eq!(one.namespace(), Namespace::new(13));
    one.set_name("GROUP Name").unwrap();
    let first = pushed(&mut one, "fakehash1");
    assert_eq!((first.seqno, first.messages[0].len()), (1, 256));
    assert_eq!(merged(&mut two, &[("fakehash1", &first)]), set(["fakehash1"]));
    assert_eq!(two.name().unwrap(), "GROUP Name");

    const CREATED: u64 = 1_682_529_839;
    const DAY: u64 = 86_400;
    two.set_picture(Some(&picture())).unwrap();
    two.set_expiry_timer(Some(3600)).unwrap();
    two.set_created(Some(CREATED)).unwrap();
    two.set_delete_before(Some((CREATED + 50 * DAY) * 1_000_000)).unwrap();
    two.set_delete_attachments_before(Some((CREATED + 70 * DAY) * 1_000)).unwrap();
    two.set_description("Described").unwrap();
    two.destroy().unwrap();
    let second = pushed(&mut two, "fakehash2");
    assert_eq!((second.seqno, second.messages[0].len()), (2, 512));
    assert_eq!(obsolete(&second), set(["fakehash1"]));

    one.set_name("Better name!").unwrap();
    assert_eq!(merged(&mut one, &[("fakehash2", &second)]), set([]));
    one.config_mut().add_key(key('b'), true);
    one.config_mut().add_key(key('c'), false);
    assert_eq!(merged(&mut one, &[("fakehash2", &second)]), set(["fakehash2"]));
    let third = pushed(&mut one, "fakehash3");
    assert_eq!(merged(&mut two, &[("fakehash3", &third)]), set(["fakehash3"]));
    for info in [&one, &two] {
        assert_eq!(info.name().unwrap(), "Better name!");
        assert_eq!(info.description().unwrap(), "Described");
        assert_eq!(info.picture().unwrap(), picture());
        assert_eq!(info.expiry_timer(), Some(3600));
        assert_eq!(info.created(), Some(CREATED));
        assert_eq!(info.delete_before(), Some(CREATED + 50 * DAY));
        assert_eq!(info.delete_attachments_before(), Some(CREATED + 70 * DAY));
        assert!(info.is_destroyed());
    }
    assert_eq!(one.set_name(&"1".repeat(101)), Err(ConfigError::Value));
    assert_eq!(one.set_description(&"1".repeat(2001)), Err(ConfigError::Value));
}

#[test]
fn a_member_changes_nothing_and_believes_the_groups_key_alone() {
    let mut member = member("a");
    assert_eq!(member.set_name("Super Group!"), Err(ConfigError::ReadOnly));
    assert_eq!(member.config().state(), State::Clean);
    let mut one = admin("a");
    one.set_name("Super Group!!").unwrap();
    let first = pushed(&mut one, "fakehash1");
    assert_eq!(merged(&mut member, &[("fakehash1", &first)]), set(["fakehash1"]));
    assert_eq!(member.name().unwrap(), "Super Group!!");
    assert_eq!(member.set_name("Super Group11"), Err(ConfigError::ReadOnly));
    assert_eq!(member.set_name("Super Group!!"), Ok(()));

    let other = SigningKey::from_seed(secret(
        "0023456789abcdef0123456789abcdeffedcba9876543210fedcba9876543210",
    ));
    let mut impostor = info(Signing::Sign(other.unwrap()), "a");
    impostor.set_name("Bad name, BAD!").unwrap();
    let bad = impostor.push(NOW).unwrap();
    assert_eq!(merged(&mut member, &[("badhash1", &bad)]), set([]));
    assert_eq!(merged(&mut one, &[("badhash1", &bad)]), set([]));
    let mut unsigned = info(Signing::None, "a");
    unsigned.set_name("Nobody").unwrap();
    let bare = unsigned.push(NOW).unwrap();
    assert_eq!(merged(&mut member, &[("badhash2", &bare)]), set([]));
    assert_eq!(member.name().unwrap(), "Super Group!!");
}

#[test]
fn of_two_admins_who_disagree_a_member_takes_one_until_they_agree() {
    let (mut one, mut two, mut member) = (admin("a"), admin("a"), member("a"));
    one.set_name("Super Group!!").unwrap();
    let first = pushed(&mut one, "fakehash1");
    merged(&mut two, &[("fakehash1", &first)]);
    merged(&mut member, &[("fakehash1", &first)]);
    two.set_name("Super Group 2").unwrap();
    two.set_created(Some(12_345)).unwrap();
    one.set_name("Super Group 3").unwrap();
    one.set_expiry_timer(Some(365 * 86_400)).unwrap();
    let (second, third) = (two.push(NOW).unwrap(), one.push(NOW).unwrap());
    assert_eq!((second.seqno, third.seqno), (2, 2));
    let both = [("fakehash2", &second), ("fakehash3", &third)];
    let good = set(["fakehash2", "fakehash3"]);
    for info in [&mut member, &mut one, &mut two] {
        assert_eq!(merged(info, &both), good);
    }
    assert_eq!(member.config().state(), State::Clean);
    let (joined, same) = (pushed(&mut one, "fakehash23"), pushed(&mut two, "fakehash23"));
    assert_eq!(joined, same);
    for info in [&mut member, &mut one, &mut two] {
        assert_eq!(merged(info, &[("fakehash23", &joined)]), set(["fakehash23"]));
        assert!(!info.needs_push());
        // As published: that message has the greater hash.
        assert_eq!(info.name().unwrap(), "Super Group 2");
        assert_eq!((info.created(), info.expiry_timer()), (Some(12_345), Some(365 * 86_400)));
    }
    let again = member.push(NOW).unwrap();
    assert_eq!((&again.messages, again.obsolete.len()), (&joined.messages, 0));

    let mut third = admin("ba");
    merged(&mut third, &[("fakehash23", &joined)]);
    let sealed_anew = third.push(NOW).unwrap();
    assert_eq!(sealed_anew.messages[0].len(), joined.messages[0].len());
    assert_ne!(sealed_anew.messages, joined.messages);
    third.set_picture(Some(&picture())).unwrap();
    let fourth = pushed(&mut third, "fakehash7");
    assert_eq!((fourth.seqno, obsolete(&fourth)), (joined.seqno + 1, set(["fakehash23"])));
    assert_eq!(merged(&mut member, &[("fakehash7", &fourth)]), set([]));
    member.config_mut().add_key(key('b'), true);
    assert_eq!(merged(&mut member, &[("fakehash7", &fourth)]), set(["fakehash7"]));
    assert_eq!(member.picture().unwrap(), picture());
}

#[test]
fn a_member_ends_with_the_same_of_two_messages_whichever_came_first() {
    let (mut one, mut two) = (admin("a"), admin("a"));
    one.set_name("One").unwrap();
    two.set_name("Two").unwrap();
    let (first, second) = (one.push(NOW).unwrap(), two.push(NOW).unwrap());
    let names = [[&first, &second], [&second, &first]].map(|order| {
        let mut member = member("a");
        for push in order {
            merged(&mut member, &[("hash", push)]);
        }
        member.name()
    });
    assert_eq!(names[0], names[1]);
}
