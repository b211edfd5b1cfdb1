//! Messages and keys of groups, from each program to the other.

use serde_json::json;
use warren_account::{Account, Group};
use warren_config::GroupKeys;
use warren_config::group_keys::kicked;
use warren_crypto::SystemEntropy;
use warren_message::Content;
use warren_message::group::{open_group, seal_group};
use warren_wire::bencode;
use warren_wire::value::Value;

use super::{NOW, bytes, libsession, random, secret};

fn account() -> (Account, String) {
    let account = Account::random(&mut SystemEntropy).unwrap();
    let seed = hex::encode(account.seed32().expose());
    (account, seed)
}

#[tokio::test]
async fn messages_to_a_group_are_read_by_the_other_program() {
    let mut libsession = libsession();
    let (sender, seed) = account();
    let group = Group::random(&mut SystemEntropy).unwrap().id();
    let (old, key): ([u8; 32], [u8; 32]) = (random(), random());
    for text in ["x".to_owned(), "\u{1f407} ".repeat(400), hex::encode(random::<900>())] {
        let content = Content::text(text).unwrap().encode(NOW);
        let sealed =
            seal_group(&sender, &group, &secret(key), content.clone(), NOW, &mut SystemEntropy);
        let open = json!({
            "command": "group_open", "group": group.to_string(),
            "keys": [hex::encode(old), hex::encode(key)], "sealed": hex::encode(sealed.unwrap()),
        });
        let opened = libsession.ask(open).await;
        assert_eq!(opened["sender"], sender.id().to_string());
        assert_eq!(opened["timestamp"], NOW);
        assert!(bytes(&opened["content"]) == content);

        let seal = json!({
            "command": "group_seal", "seed": seed, "group": group.to_string(),
            "key": hex::encode(key), "content": hex::encode(&content), "timestamp": NOW,
        });
        let sealed = bytes(&libsession.ask(seal).await);
        let opened = open_group(&group, &[secret(old), secret(key)], &sealed).unwrap();
        assert_eq!((opened.sender, opened.timestamp), (sender.id(), Some(NOW)));
        assert!(opened.content == content);
    }
}

#[tokio::test]
async fn the_key_of_a_group_reaches_its_members_in_the_other_program() {
    let mut libsession = libsession();
    let group = Group::random(&mut SystemEntropy).unwrap();
    let members: Vec<_> = (0..3).map(|_| account()).collect();
    let ids: Vec<_> = members.iter().map(|(member, _)| member.id()).collect();
    let mut keys = GroupKeys::new(group.id()).unwrap();
    let message = keys.rekey(&group, &ids).unwrap().to_vec();
    let current = keys.current().unwrap().expose();
    let message = bencode::decode(&message).unwrap();
    let (Some(Value::Bytes(nonce)), Some(Value::List(copies))) =
        (message.get("#"), message.get("k"))
    else {
        panic!("no keys message");
    };
    let copies: Vec<_> = copies.iter().map(|copy| hex::encode(copy.to_bytes().unwrap())).collect();
    for (_, seed) in &members {
        let open = json!({
            "command": "multi_open", "seed": seed, "copies": copies, "nonce": hex::encode(nonce),
            "sender": hex::encode(group.x25519().public_key().as_bytes()),
            "domain": "SessionGroupKeyMemberKey",
        });
        assert_eq!(bytes(&libsession.ask(open).await), current);
    }
    let (_, stranger) = account();
    let open = json!({
        "command": "multi_open", "seed": stranger, "copies": copies, "nonce": hex::encode(nonce),
        "sender": hex::encode(group.x25519().public_key().as_bytes()),
        "domain": "SessionGroupKeyMemberKey",
    });
    assert_eq!(libsession.try_ask(&open).await, Err("no copy opens".to_owned()));
}

#[tokio::test]
async fn that_members_were_removed_is_read_by_the_other_program() {
    let mut libsession = libsession();
    let group = Group::random(&mut SystemEntropy).unwrap();
    let members: Vec<_> = (0..3).map(|_| account()).collect();
    let ids: Vec<_> = members.iter().map(|(member, _)| member.id()).collect();
    let said = kicked::seal(&group, &ids, 12, &mut SystemEntropy).unwrap();
    let parsed = bencode::decode(&said).unwrap();
    let (Some(Value::Bytes(nonce)), Some(Value::List(copies))) = (parsed.get("#"), parsed.get("e"))
    else {
        panic!("no copies");
    };
    let copies: Vec<_> = copies.iter().map(|copy| hex::encode(copy.to_bytes().unwrap())).collect();
    let text = |member: &Account| [&member.id().key_bytes()[..], b"12"].concat();
    for (member, seed) in &members {
        let open = json!({
            "command": "multi_open", "seed": seed, "copies": copies, "nonce": hex::encode(nonce),
            "sender": hex::encode(group.x25519().public_key().as_bytes()),
            "domain": "SessionGroupKickedMessage",
        });
        assert_eq!(bytes(&libsession.ask(open).await), text(member));
    }

    let texts: Vec<_> = members.iter().map(|(member, _)| hex::encode(text(member))).collect();
    let keys: Vec<_> = ids.iter().map(|id| hex::encode(id.key_bytes())).collect();
    for pad in [0, 5] {
        let seal = json!({
            "command": "multi_seal", "seed": hex::encode(group.seed().expose()), "messages": texts,
            "recipients": keys, "domain": "SessionGroupKickedMessage", "pad": pad,
        });
        let said = bytes(&libsession.ask(seal).await);
        for (member, _) in &members {
            assert_eq!(kicked::open(&group.id(), member, &said), Ok(12));
        }
    }
}
