//! What a group's mailbox can do to a device where a node or a member lies, page by page.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use tempfile::TempDir;
use warren_account::Group;
use warren_config::group_keys::kicked;
use warren_config::{GroupMembers, Member, Removal};
use warren_crypto::SystemEntropy;
use warren_message::content::admin::Unverified;
use warren_message::content::data::{Data, What};
use warren_message::content::group::{
    GroupUpdate, InfoChange, Invite, MemberChange, MemberChangeKind,
};
use warren_message::content::visible::Visible;
use warren_message::{Content, content::body::Body};
use warren_wire::limits::DAY;
use warren_wire::rpc::reply::RetrievedMessage;
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use super::configs::{Configs, Part, change};
use super::invite::MOST_UNANSWERED;
use crate::configs::kept;
use crate::database::{self, Filter, GroupState, Purpose, SealedCopy, Task, Tx};
use crate::incoming::arrival::Opened;
use crate::mailbox::fetch::Page;
use crate::notice::Notice;
use crate::vault::Cost;
use crate::{Device, Messenger};

const HOUR: Millis = DAY / 24;
const MEMBERS: Namespace = GroupMembers::KIND.namespace;

/// A device that reaches nobody.
struct Person {
    _home: TempDir,
    words: String,
    at: Messenger,
}

impl Person {
    fn new(name: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut device =
            Device::create(&home.path().join("home"), "passphrase", Cost::LEAST).unwrap();
        let (_, words) = device.create_account(name, Some(name)).unwrap();
        let words = words.expose().to_owned();
        Self { words, at: device.messenger(None).unwrap(), _home: home }
    }

    fn second_device(&self) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut device =
            Device::create(&home.path().join("home"), "passphrase", Cost::LEAST).unwrap();
        device.restore_account(&self.words, "second", None).unwrap();
        Self { words: self.words.clone(), at: device.messenger(None).unwrap(), _home: home }
    }

    fn id(&self) -> AccountId {
        self.at.account.id()
    }

    fn change<T>(&self, work: impl FnOnce(&Tx<'_>) -> T) -> T {
        let work = |tx: &Tx<'_>| Ok::<_, crate::ClientError>(work(tx));
        self.at.db.with(|db| db.transact(work)).unwrap()
    }

    fn configs(&self, group: &AccountId) -> Configs {
        self.at.db.with(|db| Configs::read(db, group, self.at.now())).unwrap()
    }

    fn configure(&self, group: &AccountId, work: impl FnOnce(&mut Configs)) {
        let work = |configs: &mut Configs| {
            work(configs);
            Ok(())
        };
        self.change(|tx| change(tx, group, self.at.now(), work)).unwrap();
    }

    /// Keeps what a node brings under the name of something else.
    fn keep_at(
        &self,
        group: &AccountId,
        namespace: Namespace,
        messages: &[(Vec<u8>, Millis)],
        now: Millis,
    ) {
        let message = |(data, timestamp): &(Vec<u8>, Millis)| RetrievedMessage {
            hash: a_lie(group),
            timestamp: *timestamp,
            expiration: Millis::MAX,
            data: data.clone(),
        };
        let messages = messages.iter().map(message).collect();
        let page = Page { namespace, messages, more: false, refused: None };
        self.change(|tx| self.at.keep_group_page(tx, group, &page, now)).unwrap();
    }

    fn keep(&self, group: &AccountId, namespace: Namespace, data: Vec<u8>) {
        let now = self.at.now();
        self.keep_at(group, namespace, &[(data, now)], now);
    }

    /// What this person says under the keys of `keys`' device.
    fn says(&self, keys: &Configs, update: What, time: Millis) -> (Vec<u8>, Millis) {
        let content = Content::from(Data::from(update));
        (self.at.seal_with(&keys.keys, &content, time).unwrap().data, time)
    }

    fn notices(&self, group: &AccountId) -> Vec<Notice> {
        let filter = Filter { conversation: Some(*group), unread: false };
        let page = self.at.db.with(|db| db.messages(&filter, None, 100)).unwrap();
        let notice = |message: database::Message| match message.content {
            database::Content::Control(json) => Notice::from_json(&json),
            _ => None,
        };
        page.messages.into_iter().filter_map(notice).collect()
    }

    fn texts(&self, group: &AccountId) -> Vec<String> {
        let filter = Filter { conversation: Some(*group), unread: false };
        let page = self.at.db.with(|db| db.messages(&filter, None, 100)).unwrap();
        let text = |message: database::Message| match message.content {
            database::Content::Text(text) => Some(text),
            _ => None,
        };
        page.messages.into_iter().rev().filter_map(text).collect()
    }

    fn member(&self, group: &AccountId, id: &AccountId) -> Option<Member> {
        self.configs(group).members.get(id)
    }

    fn stores(&self, target: &AccountId) -> usize {
        let jobs = self.at.db.with(|db| db.due_jobs(Millis::MAX, usize::MAX)).unwrap();
        let to = |task: &Task| matches!(task, Task::Store { copy, .. } if copy.target == *target);
        jobs.iter().filter(|job| to(&job.task)).count()
    }
}

fn a_lie(group: &AccountId) -> MessageHash {
    MessageHash::compute(group, Namespace::GROUP_MESSAGES, b"another message").unwrap()
}

fn text(text: &str) -> What {
    What::Visible(Visible::text(Body::new(text).unwrap()))
}

/// A group of Alice's, whose members joined and whose first key is in its swarm, and that key's message.
async fn group_of(alice: &Person, members: &[&Person]) -> (AccountId, Vec<u8>) {
    let ids: Vec<AccountId> = members.iter().map(|member| member.id()).collect();
    // No network is there to tell.
    let _ = alice.at.create_group("walkers", &ids).await;
    let group = alice.at.db.with(|db| db.groups()).unwrap()[0].id;
    alice.configure(&group, |configs| {
        for id in &ids {
            let mut member = configs.members.get(id).unwrap();
            member.accept_invitation();
            configs.members.set(&member).unwrap();
        }
    });
    (group, push_keys(alice, &group))
}

fn push_keys(admin: &Person, group: &AccountId) -> Vec<u8> {
    let data = admin.configs(group).keys.pending_message().unwrap().to_vec();
    admin.keep(group, Namespace::GROUP_KEYS, data.clone());
    data
}

fn push<P: Part>(admin: &Person, group: &AccountId) -> Vec<u8> {
    let now = admin.at.now();
    admin.change(|tx| {
        let mut configs = Configs::read(tx, group, now).unwrap();
        let part = P::of(&mut configs);
        let mut push = part.push(now).unwrap();
        let data = push.messages.remove(0);
        let name = MessageHash::compute(group, part.namespace(), &data).unwrap();
        part.confirm_pushed(push.seqno, vec![name.to_string()]);
        kept::write(tx, group, part, Some(now), now).unwrap();
        data
    })
}

/// Has a device be in the group as its owner's other device, or its admin, said.
fn join(person: &Person, group: &AccountId, seed: Option<&Person>) {
    let seed = seed.map(|admin| admin.configs(group).admin().unwrap().seed().duplicate());
    let row = database::Group {
        id: *group,
        name: "walkers".to_owned(),
        auth: None,
        admin_seed: seed,
        state: GroupState::Joined,
        invited_by: None,
        joined_at: person.at.now(),
    };
    person
        .change(|tx| {
            tx.put_group(&row)?;
            tx.ensure_conversation(group, row.joined_at)
        })
        .unwrap();
}

#[tokio::test]
async fn the_name_that_a_node_gives_is_not_what_is_renewed_or_deleted() {
    let (alice, bob) = (Person::new("Alice"), Person::new("Bob"));
    let (group, keys) = group_of(&alice, &[&bob]).await;
    let laptop = alice.second_device();
    join(&laptop, &group, Some(&alice));
    laptop.keep(&group, Namespace::GROUP_KEYS, keys.clone());
    let members = push::<GroupMembers>(&alice, &group);
    laptop.keep(&group, MEMBERS, members.clone());
    assert!(laptop.member(&group, &bob.id()).is_some());
    for (namespace, data) in [(Namespace::GROUP_KEYS, keys), (MEMBERS, members)] {
        let state = laptop.at.db.with(|db| db.config(&group, namespace)).unwrap().unwrap();
        let name = MessageHash::compute(&group, namespace, &data).unwrap();
        assert_eq!(state.hashes, [name]);
    }
}

#[tokio::test]
async fn a_node_that_claims_the_future_delays_no_renewal() {
    let (alice, bob) = (Person::new("Alice"), Person::new("Bob"));
    let (group, keys) = group_of(&alice, &[&bob]).await;
    let laptop = alice.second_device();
    join(&laptop, &group, Some(&alice));
    let (members, now) = (push::<GroupMembers>(&alice, &group), alice.at.now());
    for (namespace, data) in [(Namespace::GROUP_KEYS, keys), (MEMBERS, members)] {
        laptop.keep_at(&group, namespace, &[(data, 1 << 60)], now);
        let state = laptop.at.db.with(|db| db.config(&group, namespace)).unwrap().unwrap();
        assert_eq!(state.pushed_at, Some(now));
    }
}

#[tokio::test]
async fn a_node_that_lies_about_time_has_no_key_forgotten() {
    let (alice, bob) = (Person::new("Alice"), Person::new("Bob"));
    let (group, first) = group_of(&alice, &[&bob]).await;
    let mut messages = vec![first];
    for _ in 0..2 {
        alice.configure(&group, |configs| configs.rekey().unwrap());
        messages.push(push_keys(&alice, &group));
    }
    join(&bob, &group, None);
    let times = [0, 0, 1 << 60];
    let page: Vec<_> = messages.into_iter().zip(times).collect();
    let now = bob.at.now();
    bob.keep_at(&group, Namespace::GROUP_KEYS, &page[1..], now);
    bob.keep_at(&group, Namespace::GROUP_KEYS, &page[..1], now + HOUR);
    assert_eq!(bob.configs(&group).keys.keys().count(), 3);
}

#[tokio::test]
async fn who_came_back_is_not_removed_for_an_old_word_of_leaving() {
    let (alice, bob) = (Person::new("Alice"), Person::new("Bob"));
    let (group, _) = group_of(&alice, &[&bob]).await;
    let (configs, now) = (alice.configs(&group), alice.at.now());
    let left = |time| bob.says(&configs, What::Group(GroupUpdate::MemberLeft), time);
    let joined = |time| {
        bob.says(&configs, What::Group(GroupUpdate::InviteResponse { approved: true }), time)
    };
    let removal = || alice.member(&group, &bob.id()).unwrap().removal;
    let came =
        |page: &[(Vec<u8>, Millis)]| alice.keep_at(&group, Namespace::GROUP_MESSAGES, page, now);

    came(&[left(now - 9_000), joined(now - 8_000)]);
    assert_eq!(removal(), None);
    came(&[left(now - 8_500)]);
    assert_eq!(removal(), None);
    came(&[left(now - 7_000)]);
    assert_eq!(removal(), Some(Removal::Member));
    // An admin's word that they are added again does as well.
    let claim = MemberChange {
        kind: MemberChangeKind::Added { with_history: false },
        members: vec![bob.id()],
    };
    let admin = configs.admin().unwrap();
    let signed = Unverified::sign(claim, admin.signing_key(), now - 6_000).unwrap();
    let added = alice.says(&configs, What::Group(GroupUpdate::MemberChange(signed)), now - 6_000);
    came(&[added]);
    assert_eq!(removal(), None);
    // What an admin decided, no answer takes back.
    alice.configure(&group, |configs| {
        let mut member = configs.members.get(&bob.id()).unwrap();
        member.remove(Removal::Member);
        configs.members.set(&member).unwrap();
    });
    came(&[left(now - 5_000), joined(now - 4_000)]);
    assert_eq!(removal(), Some(Removal::Member));
}

#[tokio::test]
async fn an_invitation_is_sent_once_and_after_the_keys_that_go_with_it() {
    let (alice, bob) = (Person::new("Alice"), Person::new("Bob"));
    let (group, _) = group_of(&alice, &[]).await;
    alice.configure(&group, |configs| configs.members.set(&Member::new(bob.id())).unwrap());
    let copy = SealedCopy {
        purpose: Purpose::Recipient,
        target: group,
        namespace: Namespace::GROUP_KEYS,
        data: vec![1],
        timestamp: 1,
        ttl: DAY,
    };
    let keys = alice.change(|tx| tx.add_job(&Task::Store { message: None, copy }, &[], 1)).unwrap();
    let configs = alice.configs(&group);
    let admin = configs.admin().unwrap();
    for _ in 0..2 {
        // Both read the plan before either sent anything.
        alice.at.send_invitation(&configs, &admin, &bob.id(), false).unwrap();
    }
    assert_eq!(alice.stores(&bob.id()), 0);
    alice.change(|tx| tx.job_done(keys, None, 1)).unwrap();
    assert_eq!(alice.stores(&bob.id()), 1);
}

#[tokio::test]
async fn who_is_invited_again_during_a_removal_stays() {
    let (alice, bob, carol) = (Person::new("Alice"), Person::new("Bob"), Person::new("Carol"));
    let (group, _) = group_of(&alice, &[&bob, &carol]).await;
    let planned = [bob.id(), carol.id()];
    alice.configure(&group, |configs| {
        let mut member = configs.members.get(&carol.id()).unwrap();
        member.remove(Removal::WithMessages);
        configs.members.set(&member).unwrap();
    });
    let before = alice.stores(&group);
    alice.change(|tx| alice.at.finish_removals(tx, &group, &planned, None)).unwrap();
    assert!(alice.member(&group, &bob.id()).is_some());
    assert!(alice.member(&group, &carol.id()).is_none());
    // Those who have her messages are told in the same transaction.
    assert_eq!(alice.stores(&group), before + 1);
    assert!(alice.configs(&group).keys.pending_message().is_some());
}

#[tokio::test]
async fn an_old_word_of_removal_does_not_remove_who_was_invited_again() {
    let (alice, bob) = (Person::new("Alice"), Person::new("Bob"));
    let (group, keys) = group_of(&alice, &[&bob]).await;
    let state = || bob.at.db.with(|db| db.group(&group)).unwrap().unwrap().state;
    let word = |generation| {
        let admin = alice.configs(&group).admin().unwrap();
        let word = kicked::seal(&admin, &[bob.id()], generation, &mut SystemEntropy).unwrap();
        bob.keep(&group, Namespace::GROUP_REMOVALS, word);
    };
    join(&bob, &group, None);
    bob.keep(&group, Namespace::GROUP_KEYS, keys);
    word(0);
    assert_eq!(state(), GroupState::Kicked);
    join(&bob, &group, None);
    word(0);
    assert_eq!(state(), GroupState::Joined);
    word(1);
    assert_eq!(state(), GroupState::Kicked);
}

#[tokio::test]
async fn an_admins_words_are_not_shown_out_of_anothers_mouth() {
    let (alice, bob) = (Person::new("Alice"), Person::new("Bob"));
    let (group, _) = group_of(&alice, &[&bob]).await;
    let (configs, now) = (alice.configs(&group), alice.at.now());
    let admin = configs.admin().unwrap();
    let renamed = |name: &str, time| {
        let claim = InfoChange::Name(name.to_owned());
        let signed = Unverified::sign(claim, admin.signing_key(), time).unwrap();
        What::Group(GroupUpdate::InfoChange(signed))
    };
    let before = alice.notices(&group).len();
    let forged = bob.says(&configs, renamed("mine", now - 1_000), now - 1_000);
    let real = alice.says(&configs, renamed("ours", now - 1_001), now - 1_001);
    alice.keep_at(&group, Namespace::GROUP_MESSAGES, &[forged, real], now);
    let shown = alice.notices(&group);
    assert!(shown.contains(&Notice::GroupName { name: "ours".to_owned() }));
    assert_eq!(shown.len(), before + 1);
}

#[tokio::test]
async fn who_was_removed_is_not_heard_with_a_key_of_long_ago() {
    let (alice, bob, carol) = (Person::new("Alice"), Person::new("Bob"), Person::new("Carol"));
    let (group, _) = group_of(&alice, &[&bob, &carol]).await;
    let (old, now) = (alice.configs(&group), alice.at.now());
    alice.configure(&group, |configs| {
        configs.members.erase(&bob.id()).unwrap();
        configs.rekey().unwrap();
    });
    push_keys(&alice, &group);
    let came = |message, at| alice.keep_at(&group, Namespace::GROUP_MESSAGES, &[message], at);
    came(bob.says(&old, text("on its way"), now), now + HOUR);
    came(bob.says(&old, text("still here"), now + 1), now + 2 * DAY);
    came(carol.says(&old, text("late"), now + 2), now + 2 * DAY);
    assert_eq!(alice.texts(&group), ["on its way", "late"]);
}

#[tokio::test]
async fn invitations_by_strangers_wait_in_limited_number() {
    let bob = Person::new("Bob");
    let stranger = Person::new("Mallory");
    let now = bob.at.now();
    let mut last = None;
    for number in (0..).take(MOST_UNANSWERED + 3) {
        let admin = Group::random(&mut SystemEntropy).unwrap();
        let rights = warren_account::subaccount::MEMBER_RIGHTS;
        let auth = admin.member_auth(&bob.id(), rights).unwrap();
        let member_auth = warren_crypto::Secret::from_slice(auth.as_bytes()).unwrap();
        let invite = Invite { group: admin.id(), name: "win".to_owned(), member_auth };
        let (time, key) = (now + number, admin.signing_key());
        let signed = Unverified::<Invite>::invite(invite, key, &bob.id(), time).unwrap();
        let mail = Opened {
            hash: a_lie(&admin.id()),
            conversation: stranger.id(),
            author: stranger.id(),
            timestamp: time,
            received_at: now,
            content: Content::from(Data::from(What::Group(GroupUpdate::Invite(signed)))),
            raw: Vec::new(),
        };
        bob.change(|tx| bob.at.take_group_mail(tx, mail)).unwrap();
        last = Some(admin.id());
    }
    let groups = bob.at.db.with(|db| db.groups()).unwrap();
    assert_eq!(groups.len(), MOST_UNANSWERED);
    assert!(groups.iter().any(|group| Some(group.id) == last));
    assert!(groups.iter().all(|group| group.state == GroupState::Invited));
}
