//! How far conversations are read (libsession's test_config_convo_info_volatile).

use warren_config::convo_info_volatile::ProState;
use warren_config::{ConfigError, Conversation, ConversationId, ConvoInfoVolatile, Room, Synced};
use warren_wire::limits::DAY;

use super::*;

const SERVER: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn server() -> [u8; 32] {
    hex::decode(SERVER).unwrap().try_into().unwrap()
}

fn room(token: &str) -> ConversationId {
    ConversationId::Room(Room::new("http://Example.ORG:5678", token).unwrap())
}

fn real() -> ConversationId {
    ConversationId::Person(id(&format!("055{}", "0".repeat(63))))
}

fn group() -> ConversationId {
    ConversationId::Group(id("030111101001001000101010011011010010101010111010000110100001210000"))
}

fn blinded(prefix: &str) -> ConversationId {
    ConversationId::Blinded(id(&format!(
        "{prefix}0000000000000000000000000000000000101010111010000110100001210000"
    )))
}

fn read(id: ConversationId, last_read: u64, unread: bool) -> Conversation {
    let server_key = matches!(id, ConversationId::Room(_)).then(server);
    Conversation { last_read, unread, server_key, ..Conversation::new(id) }
}

fn ids(conversations: impl Iterator<Item = Conversation>) -> Vec<ConversationId> {
    conversations.map(|conversation| conversation.id).collect()
}

#[test]
fn what_was_read_on_one_device_is_read_on_another() {
    let mut one = ConvoInfoVolatile::new(seed()).unwrap();
    assert!(one.get(&real()).is_none());
    for conversation in [
        read(real(), NOW, false),
        read(room("SudokuRoom"), NOW, true),
        read(group(), NOW, true),
        read(blinded("15"), NOW, true),
        read(blinded("25"), NOW, true),
    ] {
        one.set(&conversation, NOW).unwrap();
    }
    pushed(&mut one, "hash1");
    let dump = one.dump(NOW).unwrap();
    let mut two = ConvoInfoVolatile::load(seed(), &dump, NOW).unwrap();
    assert!(!two.needs_push() && !two.needs_dump());
    let sudoku = two.get(&room("sudokuRoom")).unwrap();
    assert_eq!((sudoku.last_read, sudoku.unread, sudoku.server_key), (NOW, true, Some(server())));
    assert_eq!(two.get(&group()).unwrap(), read(group(), NOW, true));

    let another = ConversationId::Person(same("05", '1'));
    let legacy = ConversationId::LegacyGroup(same("05", 'c'));
    two.set(&read(another.clone(), 0, true), NOW).unwrap();
    two.set(&read(legacy.clone(), NOW - 50, false), NOW).unwrap();
    let push = pushed(&mut two, "hash2");
    assert_eq!(push.seqno, 2);
    merged(&mut one, &[("hash2", &push)]);
    assert!(!one.needs_push() && one.needs_dump());
    let expected = [
        another.clone(),
        real(),
        group(),
        room("sudokuroom"),
        legacy,
        blinded("15"),
        blinded("25"),
    ];
    assert_eq!(ids(one.iter()), expected);
    assert_eq!(ids(two.iter()), expected);

    assert!(!one.erase(&ConversationId::Person(same("05", '2'))).unwrap());
    assert!(!one.needs_push());
    assert!(one.erase(&another).unwrap() && one.erase(&room("SUDOKUROOM")).unwrap());
    assert!(one.needs_push());
    assert_eq!(one.config().get(&[b"o"]).map(|value| value.is_empty_container()), Some(true));
    assert_eq!(one.iter().count(), 5);
}

#[test]
fn every_field_of_a_conversation_has_the_key_that_other_clients_use() {
    let mut conversations = ConvoInfoVolatile::new(seed()).unwrap();
    let pro = Some(ProState { generation: [b'g'; 32], expiry: NOW + 5 });
    let mut person = read(ConversationId::Person(same("05", '4')), NOW, true);
    person.pro = pro;
    conversations.set(&person, NOW).unwrap();
    let mut old = read(ConversationId::Blinded(same("15", '4')), NOW, false);
    old.pro = pro;
    conversations.set(&old, NOW).unwrap();
    conversations.set(&read(room("Abc"), NOW, false), NOW).unwrap();
    let push = conversations.push(NOW).unwrap();
    let plain = opened(&conversations, &push, &seed());
    let (ids, generation) = ("D".repeat(32), "g".repeat(32));
    let data = format!(
        "1:&d1:1d33:\\x05{ids}d1:ei{}e1:g32:{generation}1:ri{NOW}e1:ui1eee\
         1:bd33:\\x15{ids}d1:ei{}e1:g32:{generation}1:ri{NOW}e1:yi1eee\
         1:od23:http://example.org:5678d1:#32:",
        NOW + 5,
        NOW + 5
    );
    assert!(plain.contains(&data), "{plain}");
    assert!(plain.contains(&format!("1:Rd3:abcd1:ri{NOW}eeee")), "{plain}");
    assert_eq!(conversations.get(&person.id).unwrap(), person);
    assert_eq!(conversations.get(&old.id).unwrap(), old);
}

#[test]
fn what_was_read_long_ago_stays_on_this_device_and_what_is_unread_does_not() {
    let mut one = ConvoInfoVolatile::new(seed()).unwrap();
    let days_ago = |days: u64| NOW - days * DAY;
    let at = |number: u64| match number % 3 {
        0 => ConversationId::Person(id(&format!("05{number:064x}"))),
        1 => ConversationId::LegacyGroup(id(&format!("05{number:064x}"))),
        _ => room(&format!("room{number}")),
    };
    for number in 0..=65 {
        one.set(&read(at(number), days_ago(number), number % 5 == 0), NOW).unwrap();
    }
    // 0 to 30 are recent; 35, 40 ... 65 are marked unread.
    assert_eq!(one.iter().count(), 31 + 7);
    assert_eq!(one.archived().count(), 66 - 38);
    assert_eq!(one.get(&at(32)).unwrap().last_read, days_ago(32));
    assert!(!ids(one.iter()).contains(&at(32)));

    let dump = one.dump(NOW).unwrap();
    let mut back = ConvoInfoVolatile::load(seed(), &dump, NOW).unwrap();
    assert_eq!(ids(back.archived()), ids(one.archived()));
    back.push(NOW).unwrap();

    // Time passes: what becomes old leaves the configuration with the next push.
    pushed(&mut one, "hash1");
    let later = NOW + 10 * DAY;
    let push = one.push(later).unwrap();
    assert_eq!(push.seqno, 2);
    assert_eq!(one.iter().count(), 21 + 9);
    assert_eq!(one.get(&at(24)).unwrap().last_read, days_ago(24));

    // Reading on brings one back, here and on other devices.
    one.set(&read(at(32), later, false), later).unwrap();
    assert!(ids(one.iter()).contains(&at(32)) && !ids(one.archived()).contains(&at(32)));
    let push = one.push(later).unwrap();
    back.merge(&[("hash3".to_owned(), push.messages[0].clone())], later).unwrap();
    assert!(!ids(back.archived()).contains(&at(32)));
    assert_eq!(back.get(&at(32)).unwrap().last_read, later);
    assert!(back.erase(&at(47)).unwrap() && back.get(&at(47)).is_none());
}

#[test]
fn an_id_of_another_kind_is_refused() {
    let mut conversations = ConvoInfoVolatile::new(seed()).unwrap();
    for id in [
        ConversationId::Person(same("03", '1')),
        ConversationId::Group(same("05", '1')),
        ConversationId::LegacyGroup(same("15", '1')),
        ConversationId::Blinded(same("05", '1')),
    ] {
        let refused = conversations.set(&read(id, NOW, false), NOW);
        assert_eq!(refused, Err(ConfigError::Value));
    }
    let nowhere = Conversation::new(room("room"));
    let nowhere = Conversation { unread: true, ..nowhere };
    assert_eq!(conversations.set(&nowhere, NOW), Err(ConfigError::Value));
    assert!(!conversations.needs_push());
}
