//! A group as its members see it: keys, information and list of members together, over one swarm.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use warren_account::{Account, Group, group};
use warren_config::group_keys::{Loaded, Reader};
use warren_config::{GroupInfo, GroupKeys, GroupMembers, Member, Signing, Synced};
use warren_crypto::Secret;
use warren_crypto::ed25519::SigningKey;
use warren_wire::{AccountId, Millis};

const NOW: Millis = 1_700_000_000_000;

/// What a swarm keeps of a group, in the order in which it came.
#[derive(Default)]
struct Swarm {
    keys: Vec<(String, Vec<u8>, Millis)>,
    info: Vec<(String, Vec<u8>)>,
    members: Vec<(String, Vec<u8>)>,
}

/// One device of a member.
struct Device {
    account: Account,
    admin: Option<Group>,
    keys: GroupKeys,
    info: GroupInfo,
    members: GroupMembers,
}

impl Device {
    fn new(number: u8, id: AccountId, admin: Option<Group>) -> Self {
        let account = Account::from_seed32(Secret::from_slice(&[number; 32]).unwrap()).unwrap();
        Self {
            account,
            keys: GroupKeys::new(id).unwrap(),
            info: GroupInfo::new(signing(&id, admin.as_ref())).unwrap(),
            members: GroupMembers::new(signing(&id, admin.as_ref())).unwrap(),
            admin,
        }
    }

    fn fetch(&mut self, swarm: &Swarm) {
        for (hash, message, time) in &swarm.keys {
            let reader = self.admin.as_ref().map_or(Reader::Member(&self.account), Reader::Admin);
            self.keys.load(reader, hash, message, *time).unwrap();
        }
        self.keys.hand_to(&mut self.info, false).unwrap();
        self.keys.hand_to(&mut self.members, false).unwrap();
        let _ = self.info.merge(&swarm.info, NOW);
        let _ = self.members.merge(&swarm.members, NOW);
    }

    fn rekey(&mut self, swarm: &mut Swarm) {
        let present: Vec<AccountId> = self.members.iter().map(|member| member.id).collect();
        let admin = self.admin.as_ref().unwrap();
        let message = self.keys.rekey(admin, &present).unwrap().to_vec();
        self.keys.hand_to(&mut self.info, true).unwrap();
        self.keys.hand_to(&mut self.members, true).unwrap();
        let number = swarm.keys.len();
        swarm.keys.push((
            format!("keys {number}"),
            message,
            NOW + Millis::try_from(number).unwrap(),
        ));
        self.push(swarm);
        self.fetch(swarm);
    }

    fn push(&mut self, swarm: &mut Swarm) {
        push(&mut self.info, &mut swarm.info, "info");
        push(&mut self.members, &mut swarm.members, "members");
    }

    fn add(&mut self, id: AccountId) {
        let mut member = Member::new(id);
        member.name = "somebody".to_owned();
        self.members.set(&member).unwrap();
    }

    fn sees(&self, id: AccountId) -> bool {
        self.members.get(&id).is_some()
    }
}

fn push(config: &mut impl Synced, drawer: &mut Vec<(String, Vec<u8>)>, name: &str) {
    if !config.needs_push() {
        return;
    }
    let push = config.push(NOW).unwrap();
    let mut hashes = Vec::new();
    for message in push.messages {
        let hash = format!("{name} {}", drawer.len());
        drawer.push((hash.clone(), message));
        hashes.push(hash);
    }
    config.confirm_pushed(push.seqno, hashes);
}

fn signing(id: &AccountId, admin: Option<&Group>) -> Signing {
    match admin {
        Some(admin) => Signing::Sign(SigningKey::from_seed(admin.seed().duplicate()).unwrap()),
        None => Signing::Verify(group::verifying_key(id).unwrap()),
    }
}

fn admins_key() -> Group {
    Group::from_seed(Secret::from_slice(&[200; 32]).unwrap()).unwrap()
}

/// A group of an admin and two members, all of whom have fetched.
fn begun() -> (Swarm, Device, Device, Device) {
    let id = admins_key().id();
    let mut swarm = Swarm::default();
    let mut admin = Device::new(1, id, Some(admins_key()));
    let (mut anna, mut ben) = (Device::new(2, id, None), Device::new(3, id, None));
    for account in [&admin.account, &anna.account, &ben.account].map(Account::id) {
        admin.add(account);
    }
    admin.info.set_name("before").unwrap();
    admin.rekey(&mut swarm);
    for device in [&mut anna, &mut ben] {
        device.fetch(&swarm);
        assert_eq!(device.info.name().as_deref(), Some("before"));
        assert_eq!(device.members.len(), 3);
    }
    (swarm, admin, anna, ben)
}

#[test]
fn who_was_removed_learns_nothing_of_what_the_group_becomes() {
    let (mut swarm, mut admin, mut anna, mut ben) = begun();
    let gone = ben.account.id();
    assert!(admin.members.erase(&gone).unwrap());
    admin.rekey(&mut swarm);
    admin.info.set_name("after").unwrap();
    admin.push(&mut swarm);
    anna.fetch(&swarm);
    ben.fetch(&swarm);
    assert_eq!(anna.info.name().as_deref(), Some("after"));
    assert!(!anna.sees(gone));
    assert_eq!(ben.info.name().as_deref(), Some("before"));
    assert!(ben.sees(gone));
    assert_ne!(ben.keys.current(), admin.keys.current());
}

#[test]
fn who_is_added_with_a_supplement_reads_what_there_was_and_what_comes() {
    let (mut swarm, mut admin, _, _) = begun();
    let mut carla = Device::new(4, admins_key().id(), None);
    carla.fetch(&swarm);
    assert_eq!(carla.info.name(), None);
    admin.add(carla.account.id());
    let supplement = admin.keys.supplement(&admins_key(), &[carla.account.id()]).unwrap();
    swarm.keys.push(("supplement".to_owned(), supplement, NOW));
    admin.push(&mut swarm);
    carla.fetch(&swarm);
    assert_eq!(carla.info.name().as_deref(), Some("before"));
    assert!(carla.sees(carla.account.id()));
    admin.rekey(&mut swarm);
    admin.info.set_name("after").unwrap();
    admin.push(&mut swarm);
    carla.fetch(&swarm);
    assert_eq!(carla.info.name().as_deref(), Some("after"));
}

#[test]
fn who_is_added_with_a_new_key_alone_reads_nothing_of_before() {
    let (mut swarm, mut admin, _, _) = begun();
    let old = admin.keys.current().unwrap().duplicate();
    let mut carla = Device::new(4, admins_key().id(), None);
    admin.add(carla.account.id());
    admin.rekey(&mut swarm);
    carla.fetch(&swarm);
    assert_eq!(carla.info.name().as_deref(), Some("before"), "written again under the new key");
    assert_eq!(carla.keys.keys().count(), 1);
    assert!(carla.keys.keys().all(|key| *key != old));
}

#[test]
fn who_is_promoted_changes_the_group_and_the_others_see_it() {
    let (mut swarm, mut admin, mut anna, mut ben) = begun();
    assert!(anna.info.set_name("mine").is_err());
    let mut promoted = Device::new(2, admins_key().id(), Some(admins_key()));
    promoted.fetch(&swarm);
    promoted.info.set_name("ours").unwrap();
    promoted.push(&mut swarm);
    for device in [&mut admin, &mut anna, &mut ben] {
        device.fetch(&swarm);
        assert_eq!(device.info.name().as_deref(), Some("ours"));
    }
}

#[test]
fn two_admins_who_remove_different_members_at_once_agree_in_the_end() {
    let (mut swarm, mut one, mut anna, mut ben) = begun();
    let mut two = Device::new(5, admins_key().id(), Some(admins_key()));
    two.fetch(&swarm);
    let (first, second) = (anna.account.id(), ben.account.id());
    one.members.erase(&first).unwrap();
    two.members.erase(&second).unwrap();
    let mut elsewhere = Swarm::default();
    one.rekey(&mut swarm);
    two.rekey(&mut elsewhere);
    for (number, (_, message, time)) in elsewhere.keys.into_iter().enumerate() {
        swarm.keys.push((format!("two's keys {number}"), message, time));
    }
    swarm.info.extend(elsewhere.info.into_iter().map(|(hash, message)| (hash + "'", message)));
    swarm
        .members
        .extend(elsewhere.members.into_iter().map(|(hash, message)| (hash + "'", message)));

    one.fetch(&swarm);
    assert!(one.keys.needs_rekey());
    one.rekey(&mut swarm);
    for device in [&mut one, &mut two, &mut anna, &mut ben] {
        device.fetch(&swarm);
    }
    assert!(!one.keys.needs_rekey() && !two.keys.needs_rekey());
    assert_eq!(one.keys.current(), two.keys.current());
    for device in [&one, &two] {
        assert!(!device.sees(first) && !device.sees(second));
        assert!(device.sees(one.account.id()));
    }
    for device in [&anna, &ben] {
        assert_ne!(device.keys.current(), one.keys.current());
    }
}

#[test]
fn a_key_message_that_comes_twice_is_kept_once() {
    let (swarm, mut admin, mut anna, _) = begun();
    let before = anna.keys.keys().count();
    let (hash, message, time) = swarm.keys[0].clone();
    let again = {
        let reader = Reader::Member(&anna.account);
        anna.keys.load(reader, &hash, &message, time + 1)
    };
    assert_eq!(again, Ok(Loaded::Keys));
    assert_eq!(anna.keys.keys().count(), before);
    admin.fetch(&swarm);
    assert_eq!(admin.keys.active_hashes().len(), 1);
}
