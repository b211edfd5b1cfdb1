//! Bytes that nobody meant: messages, parts and dumps, arbitrary or mutated, never break a device.

use proptest::prelude::*;
use warren_config::{Contact, Contacts, ConvoInfoVolatile, GroupInfo, GroupMembers};
use warren_config::{Signing, Synced, UserGroups, UserProfile};

use super::*;

/// All kinds, made from one dump or none.
fn load_all(dump: &[u8]) -> Vec<Box<dyn Synced>> {
    let verify = || Signing::Verify(group_key().verifying_key());
    let mut all: Vec<Option<Box<dyn Synced>>> = vec![
        UserProfile::load(seed(), dump, NOW).ok().map(|config| Box::new(config) as _),
        Contacts::load(seed(), dump, NOW).ok().map(|config| Box::new(config) as _),
        ConvoInfoVolatile::load(seed(), dump, NOW).ok().map(|config| Box::new(config) as _),
        UserGroups::load(seed(), dump, NOW).ok().map(|config| Box::new(config) as _),
    ];
    for signing in [verify(), Signing::Sign(group_key())] {
        all.push(GroupInfo::load(signing, dump, NOW).ok().map(|config| Box::new(config) as _));
    }
    for signing in [verify(), Signing::Sign(group_key())] {
        all.push(GroupMembers::load(signing, dump, NOW).ok().map(|config| Box::new(config) as _));
    }
    all.into_iter()
        .flatten()
        .map(|mut config: Box<dyn Synced>| {
            config.config_mut().add_key(seed(), true);
            config
        })
        .collect()
}

/// Reads everything a configuration offers.
fn read_all(dump: &[u8]) {
    if let Ok(profile) = UserProfile::load(seed(), dump, NOW) {
        let _ = (profile.name(), profile.picture(), profile.updated(), profile.features());
    }
    if let Ok(contacts) = Contacts::load(seed(), dump, NOW) {
        let _ = (contacts.iter().count(), contacts.blinded().count());
    }
    if let Ok(conversations) = ConvoInfoVolatile::load(seed(), dump, NOW) {
        let _ = (conversations.iter().count(), conversations.archived().count());
    }
    if let Ok(groups) = UserGroups::load(seed(), dump, NOW) {
        let _ = (groups.groups().count(), groups.communities().count());
        let _ = groups.legacy_groups().count();
    }
    if let Ok(members) = GroupMembers::load(Signing::None, dump, NOW) {
        for member in members.iter() {
            let _ = members.status(&member);
        }
    }
}

/// A state with something of each sort in it.
fn contacts() -> Contacts {
    let mut contacts = Contacts::new(seed()).unwrap();
    for digit in ['1', '2', '3'] {
        contacts
            .set(&Contact {
                nickname: "Nick".to_owned(),
                features: 7,
                ..Contact::new(same("05", digit))
            })
            .unwrap();
        pushed(&mut contacts, "hash");
    }
    contacts
}

fn plain(push: &Push) -> Vec<u8> {
    seal::open(&push.messages[0], &seed(), "Contacts").unwrap()
}

proptest! {
    #[test]
    fn any_bytes_are_merged_or_left_alone(bytes: Vec<u8>, kind in 0_usize..4) {
        let plain = [[&b""[..], b"d", b"z", b"ml32:"][kind], &bytes].concat();
        for domain in ["UserProfile", "Contacts", "ConvoInfoVolatile", "UserGroups",
            "groups::Info", "groups::Members"]
        {
            let sealed = seal::seal(&plain, &seed(), domain).unwrap();
            for mut config in load_all(b"d1:!i0e1:$23:d1:#i0e1:&de1:<le1:=deee") {
                config.merge(&[("hash".to_owned(), sealed.clone())], NOW).unwrap();
                config.merge(&[("hash".to_owned(), bytes.clone())], NOW).unwrap();
            }
        }
    }

    #[test]
    fn any_bytes_are_a_dump_or_an_error(bytes: Vec<u8>) {
        read_all(&bytes);
        let _ = load_all(&bytes);
    }

    #[test]
    fn a_mutated_message_is_merged_or_left_alone(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut one = contacts();
        let mut bytes = plain(&one.push(NOW).unwrap());
        let start = bytes.iter().position(|byte| *byte != 0).unwrap();
        for (at, byte) in changes {
            let at = start + at.index(bytes.len() - start);
            bytes[at] = byte;
        }
        for bytes in [bytes.clone(), bytes[..start + cut.index(bytes.len() - start)].to_vec()] {
            let sealed = seal::seal(&bytes, &seed(), "Contacts").unwrap();
            let mut two = Contacts::new(seed()).unwrap();
            two.merge(&[("a".to_owned(), sealed.clone())], NOW).unwrap();
            one.merge(&[("a".to_owned(), sealed)], NOW).unwrap();
            for contacts in [&mut one, &mut two] {
                let _ = contacts.iter().count();
                contacts.set(&Contact::new(same("05", '9'))).unwrap();
                contacts.push(NOW).unwrap();
                let dump = contacts.dump(NOW).unwrap();
                prop_assert!(Contacts::load(seed(), &dump, NOW).is_ok());
            }
        }
    }

    #[test]
    fn a_mutated_dump_is_loaded_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = contacts().dump(NOW).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_all(&bytes);
        for mut config in load_all(&bytes) {
            config.push(NOW).unwrap();
            config.dump(NOW).unwrap();
        }
    }
}
