//! Groups and communities of an account (libsession's test_config_user_groups).

use std::collections::BTreeMap;

use warren_config::{
    Community, Group, LegacyGroup, Lost, Membership, Notify, Room, Synced, UserGroups,
};

use super::*;

const CREATED: u64 = 1_680_064_059;
const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn server() -> [u8; 32] {
    hex::decode(KEY).unwrap().try_into().unwrap()
}

fn community(url: &str, token: &str, priority: i32) -> Community {
    Community {
        room: Room::new(url, token).unwrap(),
        server_key: server(),
        membership: Membership { priority, ..Membership::default() },
    }
}

#[test]
fn addresses_of_rooms_have_one_form() {
    for (url, base, token) in [
        (format!("https://example.com/SomeRoom?public_key={KEY}"), "https://example.com", "SomeRoom"),
        (
            format!("HTTPS://EXAMPLE.COM/sOMErOOM?public_key={}", KEY.to_uppercase()),
            "https://example.com",
            "sOMErOOM",
        ),
        (
            format!("HTTPS://EXAMPLE.COM/r/someroom?public_key={KEY}"),
            "https://example.com",
            "someroom",
        ),
        (
            format!("http://example.com/r/someroom?public_key={KEY}"),
            "http://example.com",
            "someroom",
        ),
        (
            format!("HTTPS://EXAMPLE.com:443/r/someroom?public_key={KEY}"),
            "https://example.com",
            "someroom",
        ),
        (
            format!("HTTP://EXAMPLE.com:80/r/someroom?public_key={KEY}"),
            "http://example.com",
            "someroom",
        ),
        (
            "http://example.com:80/r/someroom?public_key=ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8"
                .to_owned(),
            "http://example.com",
            "someroom",
        ),
        (
            "http://example.com:80/r/someroom?public_key=\
             yrtwk3hjixg66yjdeiuauk6p7hy1gtm8tgih55abrpnsxnpm3zzo"
                .to_owned(),
            "http://example.com",
            "someroom",
        ),
    ] {
        let (room, key) = Room::from_url(&url).unwrap();
        assert_eq!((room.base_url(), room.token(), key), (base, token, Some(server())), "{url}");
        assert_eq!(room.key(), "someroom");
        assert_eq!(Room::from_url(&room.to_url(&server())).unwrap().0, room);
    }
    for bad in ["bad-url", "ftp://example.com", "https://ab", "https://a..b", "https://x.y/z", ""] {
        assert!(Room::new(bad, "room").is_err(), "{bad}");
    }
    for bad in ["", "bad room name", "r/x", &"x".repeat(65)] {
        assert!(Room::new("https://example.com", bad).is_err(), "{bad}");
    }
    for bad in ["00", "zz", &"0".repeat(52), &"=".repeat(44)] {
        let url = format!("https://example.com/room?public_key={bad}");
        assert!(Room::from_url(&url).is_err(), "{bad}");
    }
}

#[test]
fn groups_of_all_kinds_survive_dump_push_and_merge() {
    let real = id(&format!("055{}", "0".repeat(63)));
    let users: Vec<AccountId> = ('0'..='6').map(|digit| same("05", digit)).collect();
    let mut one = UserGroups::new(seed()).unwrap();
    let keys = SigningKey::from_seed(secret(
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    ))
    .unwrap();
    let mut legacy = LegacyGroup {
        name: "Englishmen".to_owned(),
        timer: 3600,
        keys: Some((*keys.verifying_key().as_bytes(), keys.seed().duplicate())),
        members: BTreeMap::from([(users[0], false), (users[1], false), (users[2], true)]),
        membership: Membership {
            priority: 3,
            joined_at: CREATED * 1000,
            notify: Notify::Mentions,
            mute_until: CREATED + 3600,
            invited: false,
        },
        ..LegacyGroup::new(real)
    };
    one.set_legacy_group(&legacy).unwrap();
    one.set_community(&community("http://Example.ORG:5678", "SudokuRoom", 14)).unwrap();
    let fake = id(&format!("03{}", "01".repeat(32)));
    one.set_group(&Group::new(fake)).unwrap();
    let first = pushed(&mut one, "fakehash1");
    let dump = one.dump(NOW).unwrap();
    let mut two = UserGroups::load(seed(), &dump, NOW).unwrap();
    assert!(!two.needs_push());
    assert_eq!(two.config().current_hashes(), &set(["fakehash1"]));
    legacy.membership.joined_at = CREATED;
    assert_eq!(two.legacy_group(&real).unwrap(), legacy);
    assert_eq!(two.groups().map(|group| group.id).collect::<Vec<_>>(), [fake]);

    let room = Room::new("http://EXAMPLE.org:5678", "sudokuRoom").unwrap();
    let mut found = two.community(&room).unwrap();
    assert_eq!((found.room.token(), found.room.key().as_str()), ("SudokuRoom", "sudokuroom"));
    assert_eq!((found.server_key, found.membership.priority), (server(), 14));
    two.set_community(&found).unwrap();
    assert!(!two.needs_push());
    found.room = room.clone();
    two.set_community(&found).unwrap();
    let second = pushed(&mut two, "fakehash2");
    assert_eq!(obsolete(&second), set(["fakehash1"]));
    merged(&mut one, &[("fakehash2", &second)]);
    assert_eq!(one.community(&room).unwrap().room.token(), "sudokuRoom");

    legacy.members.remove(&users[1]);
    legacy.members.extend([(users[4], false), (users[5], true), (users[6], true)]);
    two.set_legacy_group(&legacy).unwrap();
    let shouted = Room::new("http://exAMple.ORG:5678/", "sudokuROOM").unwrap();
    assert!(two.erase_community(&shouted).unwrap() && !two.erase_community(&shouted).unwrap());
    let third = pushed(&mut two, "fakehash3");
    assert_eq!((third.seqno, obsolete(&third)), (3, set(["fakehash2"])));
    merged(&mut one, &[("fakehash3", &third)]);
    assert_eq!(one.communities().count(), 0);
    for (priority, token) in ["fee", "fi", "fo", "fum"].into_iter().enumerate() {
        let priority = i32::try_from(priority).unwrap();
        one.set_community(&community("http://jacksbeanstalk.org", token, priority)).unwrap();
    }
    let fourth = pushed(&mut one, "fakehash4");
    assert_eq!(fourth.seqno, 4);
    assert_eq!(obsolete(&fourth), set(["fakehash1", "fakehash2", "fakehash3"]));
    merged(
        &mut two,
        &[
            ("fakehash10", &third),
            ("fakehash11", &first),
            ("fakehash12", &second),
            ("fakehash4", &fourth),
        ],
    );
    assert!(two.needs_dump() && !two.needs_push());
    assert_eq!(two.config().current_hashes(), &set(["fakehash4"]));
    let again = two.push(NOW).unwrap();
    assert_eq!(again.seqno, 4);
    let old = set(["fakehash10", "fakehash11", "fakehash12", "fakehash3"]);
    assert_eq!(obsolete(&again), old);
    for groups in [&one, &two] {
        let tokens: Vec<String> =
            groups.communities().map(|community| community.room.to_string()).collect();
        let expected = ["fee", "fi", "fo", "fum"];
        assert_eq!(tokens, expected.map(|token| format!("http://jacksbeanstalk.org/r/{token}")));
        assert_eq!(groups.legacy_groups().next().unwrap(), legacy);
    }
    assert!(one.erase_legacy_group(&real).unwrap() && one.legacy_group(&real).is_none());
}

#[test]
fn a_groups_seed_is_kept_where_it_is_the_groups_and_a_members_right_elsewhere() {
    let mut one = UserGroups::new(seed()).unwrap();
    let not_mine = id(&format!("035{}", "0".repeat(63)));
    let owner = SigningKey::from_seed(seed()).unwrap();
    let mine = id(&format!("03{}", hex::encode(owner.verifying_key().as_bytes())));
    let right = || Secret::from_slice(&[[1, 2, 3, 4, 5].as_slice(), &[0; 95]].concat());
    one.set_group(&Group { seed: Some(seed()), member_auth: right(), ..Group::new(not_mine) })
        .unwrap();
    let found = one.group(&not_mine).unwrap();
    assert_eq!((found.seed, found.member_auth), (None, right()));
    one.set_group(&Group {
        seed: Some(seed()),
        member_auth: right(),
        name: "Magic Special Room".to_owned(),
        membership: Membership {
            priority: 123,
            joined_at: 1_234_567_890_000,
            notify: Notify::Mentions,
            mute_until: 456_789_012_000_000,
            invited: true,
        },
        ..Group::new(mine)
    })
    .unwrap();
    let push = pushed(&mut one, "hash1");
    let mut two = UserGroups::new(seed()).unwrap();
    merged(&mut two, &[("hash1", &push)]);
    let mut found = two.group(&mine).unwrap();
    assert_eq!((&found.seed, &found.member_auth), (&Some(seed()), &None));
    assert_eq!(found.membership.joined_at, 1_234_567_890);
    assert_eq!(found.membership.mute_until, 456_789_012);
    assert!(found.membership.invited);
    assert_eq!(found.name, "Magic Special Room");

    found.mark_removed();
    assert_eq!((&found.seed, found.lost), (&None, Some(Lost::Removed)));
    two.set_group(&found).unwrap();
    assert_eq!(two.group(&mine).unwrap(), found);
    found.mark_invited();
    assert_eq!(found.lost, None);
    found.mark_removed();
    found.mark_destroyed();
    found.mark_removed();
    found.mark_invited();
    assert_eq!(found.lost, Some(Lost::Destroyed));
    two.set_group(&found).unwrap();
    let push = two.push(NOW).unwrap();
    let plain = opened(&two, &push, &seed());
    assert!(plain.contains("1:K0:1:ii1e1:ji1234567890e1:n18:Magic Special Room1:ri2ee"), "{plain}");
    assert!(two.erase_group(&mine).unwrap() && !two.erase_group(&mine).unwrap());
}

#[test]
fn a_legacy_group_without_members_of_a_kind_stays_as_it_was() {
    let mut groups = UserGroups::new(seed()).unwrap();
    let admins = BTreeMap::from(['0', '1', '2'].map(|digit| (same("05", digit), true)));
    let mut group = LegacyGroup { members: admins, ..LegacyGroup::new(same("05", 'a')) };
    groups.set_legacy_group(&group).unwrap();
    pushed(&mut groups, "fakehash1");
    groups.set_legacy_group(&group).unwrap();
    assert!(!groups.needs_push());
    group.members.insert(same("05", '3'), false);
    groups.set_legacy_group(&group).unwrap();
    pushed(&mut groups, "fakehash2");
    group.members.remove(&same("05", '3'));
    groups.set_legacy_group(&group).unwrap();
    assert!(groups.needs_push());
    groups.push(NOW).unwrap();
    assert_eq!(groups.legacy_group(&group.id).unwrap(), group);
}

#[test]
fn times_that_another_client_stored_in_the_wrong_unit_are_seconds() {
    let published = "64313a21693165313a243231303a64313a23693165313a2664313a676433333a031234567890abcdef\
         1234\
         567890abcdef1234567890abcdef1234567890abcdef64313a21693137333339373935303335323037\
         3830\
         65313a4b303a313a6a693137333339373935303335323065656565313a3c6c6c69306533323aea173b\
         57be\
         ca8af18c3519a7bbf69c3e7a05d1c049fa9558341d8ebb48b0c96564656565313a3d64313a67643333\
         3a03\
         1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef64313a21303a313a4b\
         303a\
         313a6a303a65656565313a28303a313a296c6565";
    let mut groups = UserGroups::load(seed(), &hex::decode(published).unwrap(), NOW).unwrap();
    let group = id("031234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef");
    let membership = groups.group(&group).unwrap().membership;
    assert_eq!((membership.joined_at, membership.mute_until), (1_733_979_503, 1_733_979_503));
    assert!(groups.needs_push());
    assert_eq!(groups.push(NOW).unwrap().seqno, 2);
}
