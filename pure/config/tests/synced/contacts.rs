//! Contacts (libsession's test_config_contacts).

use warren_config::{
    BlindedContact, ConfigError, Contact, Contacts, Expiration, Notify, ProfilePicture, Synced,
};

use super::*;

const CREATED: u64 = 1_680_064_059;

fn names(contacts: &Contacts) -> Vec<(AccountId, String)> {
    contacts.iter().map(|contact| (contact.id, contact.nickname)).collect()
}

#[test]
fn contacts_survive_dump_push_and_conflict() {
    let real = same("05", '0');
    let mut one = Contacts::new(seed()).unwrap();
    assert!(one.get(&real).is_none() && one.is_empty());
    assert_eq!(one.get_or_new(&real), Contact::new(real));
    one.set(&Contact {
        name: "Joe".to_owned(),
        nickname: "Joey".to_owned(),
        approved: true,
        approved_me: true,
        created: CREATED * 1_000,
        notify: Notify::All,
        mute_until: (NOW / 1000 + 1800) * 1_000_000,
        ..Contact::new(real)
    })
    .unwrap();
    let push = pushed(&mut one, "fakehash1");
    assert_eq!(push.seqno, 1);
    let dump = one.dump(NOW).unwrap();
    let mut two = Contacts::load(seed(), &dump, NOW).unwrap();
    assert!(!two.needs_push() && !two.needs_dump() && !one.needs_dump());
    let joe = two.get(&real).unwrap();
    assert_eq!((joe.name.as_str(), joe.nickname.as_str()), ("Joe", "Joey"));
    assert!(joe.approved && joe.approved_me && !joe.blocked);
    assert_eq!((joe.created, joe.mute_until), (CREATED, NOW / 1000 + 1800));
    assert_eq!((joe.notify, joe.picture), (Notify::All, None));

    let another = same("05", '1');
    two.set(&Contact::new(another)).unwrap();
    let push = pushed(&mut two, "fakehash2");
    assert_eq!(push.seqno, 2);
    merged(&mut one, &[("fakehash2", &push)]);
    assert!(!one.needs_push());
    assert_eq!(obsolete(&one.push(NOW).unwrap()), set(["fakehash1"]));
    assert_eq!(names(&one), [(real, "Joey".to_owned()), (another, String::new())]);

    assert!(one.erase(&real).unwrap() && !one.erase(&real).unwrap());
    let third = same("05", '2');
    two.set(&Contact {
        nickname: "Nickname 3".to_owned(),
        approved: true,
        blocked: true,
        picture: Some(ProfilePicture {
            url: "http://example.com/huge.bmp".to_owned(),
            key: Secret::from_slice(b"qwerty78901234567890123456789012").unwrap(),
        }),
        ..Contact::new(third)
    })
    .unwrap();
    let (first, second) = (pushed(&mut one, "fakehash3a"), pushed(&mut two, "fakehash3b"));
    assert_eq!(first.seqno, second.seqno);
    assert_ne!(first.messages, second.messages);
    assert_eq!((obsolete(&first), obsolete(&second)), (set(["fakehash2"]), set(["fakehash2"])));
    merged(&mut one, &[("fakehash3b", &second)]);
    merged(&mut two, &[("fakehash3a", &first)]);
    let (first, second) = (pushed(&mut one, "fakehash4"), pushed(&mut two, "fakehash4"));
    assert_eq!(first.seqno, 4);
    assert_eq!(first.messages, second.messages);
    assert_eq!(obsolete(&first), set(["fakehash3a", "fakehash3b"]));
    assert_eq!(obsolete(&second), set(["fakehash3a", "fakehash3b"]));
    assert!(!one.needs_push() && !two.needs_push());
    assert_eq!(names(&one), [(another, String::new()), (third, "Nickname 3".to_owned())]);
    assert_eq!(names(&two), names(&one));
}

#[test]
fn every_field_of_a_contact_has_the_key_that_other_clients_use() {
    let mut contacts = Contacts::new(seed()).unwrap();
    contacts
        .set(&Contact {
            name: "n".to_owned(),
            nickname: "N".to_owned(),
            picture: Some(ProfilePicture {
                url: "u".to_owned(),
                key: Secret::from_slice(&[b'k'; 32]).unwrap(),
            }),
            profile_updated: 5,
            approved: true,
            approved_me: true,
            blocked: true,
            priority: -1,
            notify: Notify::Mentions,
            mute_until: 6,
            expiration: Expiration::AfterRead(7),
            created: 8,
            features: 0b101,
            ..Contact::new(same("05", '4'))
        })
        .unwrap();
    let push = contacts.push(NOW).unwrap();
    let plain = opened(&contacts, &push, &seed());
    let id = format!("33:\\x05{}", "D".repeat(32));
    let entry = format!(
        "1:cd{id}d1:!i6e1:+i-1e1:@i1e1:Ai1e1:Ei7e1:N1:N1:ai1e1:bi1e1:ei2e1:fli0ei2ee1:ji8e\
         1:n1:n1:p1:u1:q32:{}1:ti5eee",
        "k".repeat(32)
    );
    assert!(plain.contains(&entry), "{plain}");
    let contact = contacts.iter().next().unwrap();
    assert_eq!((contact.notify, contact.expiration), (Notify::All, Expiration::AfterRead(7)));
    assert_eq!((contact.features, contact.priority), (0b101, -1));
}

#[test]
fn what_no_client_would_read_is_refused() {
    let mut contacts = Contacts::new(seed()).unwrap();
    let mut contact = Contact::new(same("05", '4'));
    contact.nickname = "1234567890".repeat(10) + "A";
    assert_eq!(contacts.set(&contact), Err(ConfigError::Value));
    assert_eq!(contacts.set(&Contact::new(same("03", '4'))), Err(ConfigError::Value));
    assert!(!contacts.needs_push());
}

#[test]
fn a_contact_without_timer_mode_or_with_a_bad_one_expires_nothing() {
    let mut contacts = Contacts::new(seed()).unwrap();
    let id = same("05", '4');
    contacts.set(&Contact::new(id)).unwrap();
    for (mode, timer, expected) in [
        (0, 30, Expiration::Off),
        (1, 0, Expiration::Off),
        (2, -5, Expiration::Off),
        (3, 30, Expiration::Off),
        (1, 30, Expiration::AfterSend(30)),
    ] {
        contacts.config_mut().set(&[b"c", id.as_bytes(), b"e"], mode.into()).unwrap();
        contacts.config_mut().set(&[b"c", id.as_bytes(), b"E"], timer.into()).unwrap();
        assert_eq!(contacts.get(&id).unwrap().expiration, expected);
    }
}

#[test]
fn people_of_communities_are_kept_by_server() {
    let mut contacts = Contacts::new(seed()).unwrap();
    let (old, new) = (same("15", 'a'), same("25", 'b'));
    for id in [old, new] {
        let mut contact = BlindedContact::new(id, "http://Example.ORG:80/", [9; 32]).unwrap();
        contact.name = "Somebody".to_owned();
        contact.created = 77;
        contacts.set_blinded(&contact).unwrap();
    }
    let push = pushed(&mut contacts, "hash1");
    let plain = opened(&contacts, &push, &seed());
    assert!(plain.contains("1:bd18:http://example.orgd1:#32:"), "{plain}");
    let entry = format!("1:Rd64:{}d1:ji77e1:n8:Somebody1:yi1ee", "a".repeat(64));
    assert!(plain.contains(&entry), "{plain}");
    let found: Vec<AccountId> = contacts.blinded().map(|contact| contact.id).collect();
    assert_eq!(found, [old, new]);
    assert_eq!(contacts.get_blinded(&new).unwrap().base_url, "http://example.org");
    assert!(contacts.erase_blinded("http://example.org", &old).unwrap());
    assert!(contacts.get_blinded(&old).is_none() && contacts.is_empty());
    assert!(BlindedContact::new(same("05", 'a'), "http://example.org", [9; 32]).is_err());
    assert!(BlindedContact::new(old, "ftp://example.org", [9; 32]).is_err());
}

#[test]
fn what_a_newer_client_notes_of_a_contact_is_kept() {
    let mut newer = Contacts::new(seed()).unwrap();
    let person = same("05", '7');
    newer.set(&Contact::new(person)).unwrap();
    let path: [&[u8]; 3] = [b"c", person.as_bytes(), b"Z"];
    newer.config_mut().set(&path, "unknown".into()).unwrap();
    let push = pushed(&mut newer, "hash1");
    let mut older = Contacts::new(seed()).unwrap();
    merged(&mut older, &[("hash1", &push)]);
    let mut contact = older.get(&person).unwrap();
    contact.approved = true;
    older.set(&contact).unwrap();
    assert_eq!(older.config().get(&path), Some(&"unknown".into()));
}
