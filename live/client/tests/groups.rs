//! Groups, from their making to their end, on several devices and through a real local network.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod people;

use std::time::Duration;

use people::{Person, World, listed, notices, said, sync, texts, words};
use warren_client::database::{Direction, Expiry, ExpiryMode, GroupState, Listing, Setting, Task};
use warren_client::groups::members::Standing;
use warren_client::notice::{Notice, TimerMode};
use warren_client::{ClientError, DeleteFor, Draft, Messenger};
use warren_wire::{AccountId, MessageHash};

fn state(messenger: &Messenger, group: &AccountId) -> Option<GroupState> {
    messenger.db().with(|db| db.group(group)).unwrap().map(|group| group.state)
}

fn standing(messenger: &Messenger, group: &AccountId, member: &AccountId) -> Option<Standing> {
    let members = messenger.group_members(group).unwrap();
    members.into_iter().find(|one| one.id == *member).map(|one| one.standing)
}

/// A group of people who know each other, on all their devices.
async fn group_of(admin: &Person, members: &[&Person]) -> AccountId {
    for member in members {
        member.trusts(admin);
    }
    let ids: Vec<AccountId> = members.iter().map(|member| member.id).collect();
    let group = admin.phone.create_group("walkers", &ids).await.unwrap();
    let mut all = vec![&admin.phone, &admin.laptop];
    all.extend(members.iter().flat_map(|member| [&member.phone, &member.laptop]));
    sync(&all).await;
    group
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_contact_invites_is_in_the_group_and_who_is_invited_by_a_stranger_is_asked() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let (carol, dave) = (world.person("Carol"), world.person("Dave"));
    bob.trusts(&alice);
    let others = [bob.id, carol.id, dave.id];
    let group = alice.phone.create_group("walkers", &others).await.unwrap();
    let every = [
        &alice.phone,
        &alice.laptop,
        &bob.phone,
        &bob.laptop,
        &carol.phone,
        &carol.laptop,
        &dave.phone,
        &dave.laptop,
    ];
    sync(&every).await;

    assert_eq!(state(&bob.phone, &group), Some(GroupState::Joined));
    assert_eq!(state(&bob.laptop, &group), Some(GroupState::Joined));
    assert_eq!(state(&carol.phone, &group), Some(GroupState::Invited));
    assert_eq!(state(&carol.laptop, &group), Some(GroupState::Invited));
    assert_eq!(listed(&carol.phone, Listing::Requests), [group]);
    assert!(listed(&bob.phone, Listing::Inbox).contains(&group));
    assert_eq!(standing(&alice.laptop, &group, &alice.id), Some(Standing::Admin));
    assert_eq!(standing(&alice.laptop, &group, &bob.id), Some(Standing::Member));
    assert_eq!(standing(&alice.laptop, &group, &carol.id), Some(Standing::Invited));
    let about = bob.laptop.group_about(&group).unwrap();
    assert_eq!((about.name.as_str(), about.admin), ("walkers", false));

    carol.laptop.accept_invite(&group).await.unwrap();
    dave.phone.decline_invite(&group).unwrap();
    sync(&every).await;
    assert_eq!(state(&carol.phone, &group), Some(GroupState::Joined));
    assert_eq!(listed(&carol.phone, Listing::Requests), []);
    assert_eq!(standing(&bob.phone, &group, &carol.id), Some(Standing::Member));
    assert_eq!(standing(&bob.phone, &group, &dave.id), Some(Standing::Invited));
    for device in [&dave.phone, &dave.laptop] {
        assert_eq!(state(device, &group), None);
        assert_eq!(listed(device, Listing::Requests), []);
    }
    let mut added: Vec<String> = others.iter().map(ToString::to_string).collect();
    added.sort();
    assert_eq!(notices(&bob.laptop, &group), [Notice::MembersAdded { members: added }]);
    let error = bob.phone.rename_group(&group, "mine").await.unwrap_err();
    assert!(matches!(error, ClientError::NotAnAdmin));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_reactions_edits_and_deletions_reach_all_members_on_all_devices() {
    let world = World::new().await;
    let (alice, bob, carol) = (world.person("Alice"), world.person("Bob"), world.person("Carol"));
    let group = group_of(&alice, &[&bob, &carol]).await;
    let every = [&alice.phone, &alice.laptop, &bob.phone, &bob.laptop, &carol.phone, &carol.laptop];

    bob.laptop.send(&group, "shall we met?").await.unwrap();
    sync(&every).await;
    let asked = said(&carol.phone, &group)[0].id;
    let answer = Draft { body: "yes".to_owned(), reply_to: Some(asked), ..Draft::default() };
    carol.phone.save_draft(&group, &answer).unwrap();
    carol.phone.react(asked, "👍", true).unwrap();
    let own = said(&bob.phone, &group)[0].id;
    bob.phone.edit(own, "shall we meet?").unwrap();
    sync(&every).await;
    for device in every {
        let both = said(device, &group);
        assert_eq!(both.iter().map(words).collect::<Vec<_>>(), ["shall we meet?", "yes"]);
        assert_eq!((both[0].author, both[1].author), (bob.id, carol.id));
        let quote = both[1].quote.as_ref().unwrap();
        assert_eq!((quote.author, quote.timestamp), (bob.id, both[0].timestamp));
        let reactions = device.db().with(|db| db.reactions(both[0].id)).unwrap();
        let found: Vec<_> = reactions.iter().map(|it| (it.author, it.emoji.as_str())).collect();
        assert_eq!(found, [(carol.id, "👍")]);
    }
    assert_eq!(said(&bob.phone, &group)[0].direction, Direction::Outgoing);
    assert_eq!(said(&alice.phone, &group)[0].direction, Direction::Incoming);

    // Its author deletes one; a member cannot delete another's, an admin can.
    let his = said(&carol.laptop, &group)[0].id;
    assert!(matches!(
        carol.laptop.delete(&[his], DeleteFor::Everyone).unwrap_err(),
        ClientError::NotYours
    ));
    let own = said(&carol.laptop, &group)[1].id;
    carol.laptop.delete(&[own], DeleteFor::Everyone).unwrap();
    sync(&every).await;
    for device in every {
        assert_eq!(texts(device, &group), ["shall we meet?", "deleted"]);
    }
    let his = said(&alice.laptop, &group)[0].id;
    alice.laptop.delete(&[his], DeleteFor::Everyone).unwrap();
    sync(&every).await;
    for device in every {
        assert_eq!(texts(device, &group), ["deleted", "deleted"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_told_of_a_message_in_a_group() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let group = group_of(&alice, &[&bob]).await;
    bob.phone.receive().await.unwrap();
    let waits = async { bob.phone.receive_waiting(Duration::from_secs(60)).await.unwrap() };
    let speaks = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        alice.phone.send(&group, "anybody?").await.unwrap();
    };
    let (new, ()) = tokio::join!(waits, speaks);
    assert_eq!(new, 1);
    assert_eq!(texts(&bob.phone, &group), ["anybody?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_makes_another_who_then_names_it_and_sets_its_timer() {
    let world = World::new().await;
    let (alice, bob, carol) = (world.person("Alice"), world.person("Bob"), world.person("Carol"));
    let group = group_of(&alice, &[&bob, &carol]).await;
    let every = [&alice.phone, &alice.laptop, &bob.phone, &bob.laptop, &carol.phone, &carol.laptop];
    alice.phone.promote(&group, &[bob.id]).await.unwrap();
    assert_eq!(standing(&alice.phone, &group, &bob.id), Some(Standing::Promoted));
    sync(&every).await;
    for device in every {
        assert_eq!(standing(device, &group, &bob.id), Some(Standing::Admin));
    }
    assert!(bob.laptop.group_about(&group).unwrap().admin);

    bob.laptop.rename_group(&group, "runners").await.unwrap();
    bob.laptop.describe_group(&group, "every Sunday").await.unwrap();
    bob.laptop.set_group_timer(&group, Some(86_400)).await.unwrap();
    sync(&every).await;
    let expiry = Expiry { mode: ExpiryMode::AfterSend, seconds: 86_400 };
    for device in every {
        let about = device.group_about(&group).unwrap();
        assert_eq!(about.name, "runners");
        assert_eq!(about.description.as_deref(), Some("every Sunday"));
        assert_eq!(about.timer, Some(86_400));
        let conversation = device.db().with(|db| db.conversation(&group)).unwrap().unwrap();
        assert_eq!(conversation.expiry, Some(expiry));
        let told = notices(device, &group);
        assert!(told.contains(&Notice::GroupName { name: "runners".to_owned() }));
        let timer = Notice::Timer { mode: Some(TimerMode::AfterSend), seconds: 86_400 };
        assert!(told.contains(&timer));
        let members = vec![bob.id.to_string()];
        assert!(told.contains(&Notice::MembersPromoted { members }));
    }
    carol.phone.send(&group, "soon gone").await.unwrap();
    sync(&[&alice.laptop]).await;
    let gone = &said(&alice.laptop, &group)[0];
    assert_eq!(gone.expiry, Some(expiry));
    assert!(gone.expires_at.is_some());

    // The one admin leaves, the other has them removed.
    alice.phone.leave_group(&group).await.unwrap();
    sync(&every).await;
    assert_eq!(state(&alice.laptop, &group), None);
    assert_eq!(standing(&carol.phone, &group, &alice.id), None);
    assert!(matches!(bob.phone.leave_group(&group).await.unwrap_err(), ClientError::LastAdmin));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_added_later_reads_what_was_said_before_where_the_admin_wants_it() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let (carol, dave) = (world.person("Carol"), world.person("Dave"));
    let group = group_of(&alice, &[&bob]).await;
    bob.phone.send(&group, "before").await.unwrap();
    sync(&[&alice.phone]).await;
    carol.trusts(&alice);
    dave.trusts(&alice);
    alice.phone.invite_to_group(&group, &[carol.id], true).await.unwrap();
    alice.phone.invite_to_group(&group, &[dave.id], false).await.unwrap();
    let every = [&alice.phone, &bob.phone, &carol.phone, &carol.laptop, &dave.phone];
    sync(&every).await;
    bob.phone.send(&group, "after").await.unwrap();
    sync(&every).await;
    assert_eq!(texts(&carol.phone, &group), ["before", "after"]);
    assert_eq!(texts(&carol.laptop, &group), ["before", "after"]);
    assert_eq!(texts(&dave.phone, &group), ["after"]);
    dave.phone.send(&group, "here I am").await.unwrap();
    sync(&every).await;
    for device in [&alice.phone, &bob.phone, &carol.laptop] {
        assert_eq!(texts(device, &group), ["before", "after", "here I am"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_reads_and_writes_no_further_and_may_come_back() {
    let world = World::new().await;
    let (alice, bob, carol) = (world.person("Alice"), world.person("Bob"), world.person("Carol"));
    let group = group_of(&alice, &[&bob, &carol]).await;
    let every = [&alice.phone, &alice.laptop, &bob.phone, &bob.laptop, &carol.phone];
    bob.phone.send(&group, "spam").await.unwrap();
    carol.phone.send(&group, "please stop").await.unwrap();
    sync(&every).await;
    alice.phone.remove_members(&group, &[bob.id], true).await.unwrap();
    sync(&every).await;
    assert_eq!(state(&bob.phone, &group), Some(GroupState::Kicked));
    assert_eq!(state(&bob.laptop, &group), Some(GroupState::Kicked));
    assert!(matches!(
        bob.phone.save_text(&group, "still here").unwrap_err(),
        ClientError::NotAMember
    ));
    assert_eq!(texts(&carol.phone, &group), ["deleted", "please stop"]);
    assert_eq!(texts(&alice.laptop, &group), ["deleted", "please stop"]);
    assert_eq!(standing(&carol.phone, &group, &bob.id), None);
    carol.phone.send(&group, "peace").await.unwrap();
    sync(&every).await;
    assert_eq!(texts(&alice.laptop, &group), ["deleted", "please stop", "peace"]);
    assert!(!texts(&bob.phone, &group).contains(&"peace".to_owned()));

    alice.phone.invite_to_group(&group, &[bob.id], true).await.unwrap();
    sync(&every).await;
    assert_eq!(state(&bob.laptop, &group), Some(GroupState::Joined));
    assert!(texts(&bob.phone, &group).contains(&"peace".to_owned()));
    bob.phone.send(&group, "sorry").await.unwrap();
    sync(&every).await;
    assert_eq!(texts(&carol.phone, &group).last().map(String::as_str), Some("sorry"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_gone_and_an_ended_group_is_over_for_all() {
    let world = World::new().await;
    let (alice, bob, carol) = (world.person("Alice"), world.person("Bob"), world.person("Carol"));
    let group = group_of(&alice, &[&bob, &carol]).await;
    let every = [&alice.phone, &alice.laptop, &bob.phone, &bob.laptop, &carol.phone];
    bob.phone.set_conversation(&group, &Setting::Priority(1)).unwrap();
    sync(&every).await;
    let pinned = bob.laptop.db().with(|db| db.conversation(&group)).unwrap().unwrap();
    assert_eq!(pinned.priority, 1);
    bob.phone.leave_group(&group).await.unwrap();
    sync(&every).await;
    for device in [&bob.phone, &bob.laptop] {
        assert!(!listed(device, Listing::All).contains(&group));
    }
    assert_eq!(standing(&carol.phone, &group, &bob.id), None);
    assert!(notices(&carol.phone, &group).contains(&Notice::MemberLeft));
    alice.laptop.send(&group, "just us").await.unwrap();
    sync(&every).await;
    assert_eq!(texts(&carol.phone, &group), ["just us"]);

    alice.phone.destroy_group(&group).await.unwrap();
    sync(&every).await;
    for device in [&alice.phone, &alice.laptop, &carol.phone] {
        assert_eq!(state(device, &group), Some(GroupState::Destroyed));
        assert!(device.save_text(&group, "anybody?").is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_admins_who_change_a_group_at_once_agree_in_the_end() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let (carol, dave) = (world.person("Carol"), world.person("Dave"));
    let group = group_of(&alice, &[&bob]).await;
    alice.phone.promote(&group, &[bob.id]).await.unwrap();
    let every = [&alice.phone, &bob.phone, &carol.phone, &dave.phone];
    sync(&every).await;
    carol.trusts(&alice);
    dave.trusts(&bob);
    // Each makes a key of the same generation, for other people.
    let (hers, his) = ([carol.id], [dave.id]);
    let (one, other) = tokio::join!(
        alice.phone.invite_to_group(&group, &hers, false),
        bob.phone.invite_to_group(&group, &his, false),
    );
    one.unwrap();
    other.unwrap();
    bob.phone.rename_group(&group, "climbers").await.unwrap();
    for _ in 0..2 {
        sync(&every).await;
    }
    dave.phone.send(&group, "from Dave").await.unwrap();
    carol.phone.send(&group, "from Carol").await.unwrap();
    sync(&every).await;
    for device in every {
        assert_eq!(texts(device, &group), ["from Dave", "from Carol"]);
        assert_eq!(device.group_about(&group).unwrap().name, "climbers");
        let mut members: Vec<_> = device.group_members(&group).unwrap();
        members.sort_by_key(|member| member.id);
        let mut expected = [alice.id, bob.id, carol.id, dave.id];
        expected.sort_unstable();
        assert_eq!(members.iter().map(|member| member.id).collect::<Vec<_>>(), expected);
    }
}

/// Makes a device think that it stored a group's configurations long ago.
fn age(messenger: &Messenger, group: &AccountId) -> Vec<MessageHash> {
    let states = messenger.db().with(|db| db.configs()).unwrap();
    let mut hashes = Vec::new();
    for mut state in states.into_iter().filter(|state| state.owner == *group) {
        hashes.extend(state.hashes.iter().copied());
        state.pushed_at = Some(1);
        messenger.db().with(|db| db.put_config(&state)).unwrap();
    }
    hashes
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_swarm_lost_of_a_group_an_admin_stores_again() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let group = group_of(&alice, &[&bob]).await;
    // Everything that makes up the group runs out in its swarm.
    let hashes = age(&alice.phone, &group);
    assert!(hashes.len() >= 3);
    let soon = alice.phone.now() + 1_000;
    let data = [soon.to_le_bytes().to_vec(), hashes.iter().flat_map(|it| *it.as_bytes()).collect()];
    let name = "shorten".to_owned();
    let task = Task::Other { name, message: None, target: Some(group), data: data.concat() };
    alice.phone.db().with(|db| db.add_job(&task, &[], 1)).unwrap();
    alice.phone.deliver_all().await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let without = world.restored("without", &bob.words);
    sync(&[&without]).await;
    assert!(without.save_text(&group, "anybody?").is_err());

    assert!(alice.phone.has_configs_to_push().unwrap());
    alice.phone.sync().await.unwrap();
    assert!(!alice.phone.has_configs_to_push().unwrap());
    let with = world.restored("with", &bob.words);
    sync(&[&with, &bob.phone, &without]).await;
    for device in [&with, &without] {
        assert_eq!(standing(device, &group, &bob.id), Some(Standing::Member));
        device.send(&group, "here").await.unwrap();
    }
    sync(&[&alice.phone, &bob.phone]).await;
    assert_eq!(texts(&alice.phone, &group), ["here", "here"]);
    assert_eq!(texts(&bob.phone, &group), ["here", "here"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_renews_what_its_swarm_still_has() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let group = group_of(&alice, &[&bob]).await;
    age(&bob.phone, &group);
    assert!(bob.phone.has_configs_to_push().unwrap());
    sync(&[&bob.phone]).await;
    assert!(!bob.phone.has_configs_to_push().unwrap());
    assert_eq!(bob.phone.group_about(&group).unwrap().name, "walkers");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_in_a_group_stays_there_when_an_admin_deletes_it_on_their_own_devices() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let group = group_of(&alice, &[&bob]).await;
    alice.phone.send(&group, "for all").await.unwrap();
    let own = said(&alice.phone, &group)[0].id;
    alice.phone.delete(&[own], DeleteFor::MyDevices).unwrap();
    sync(&[&alice.phone, &bob.phone]).await;
    assert_eq!(texts(&alice.phone, &group), [""; 0]);
    assert_eq!(texts(&bob.phone, &group), ["for all"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_one_device_accepts_is_not_open_again_because_another_took_it_in_too() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let group = alice.phone.create_group("walkers", &[bob.id]).await.unwrap();
    sync(&[&alice.phone]).await;
    for device in [&bob.phone, &bob.laptop] {
        device.receive().await.unwrap();
        assert_eq!(state(device, &group), Some(GroupState::Invited));
    }
    // Neither has heard from the other when one says that there is an invitation, and the other
    // that there was one.
    bob.laptop.accept_invite(&group).await.unwrap();
    bob.phone.push_configs().await.unwrap();
    sync(&[&bob.laptop, &bob.phone, &bob.laptop]).await;
    for device in [&bob.laptop, &bob.phone] {
        assert_eq!(state(device, &group), Some(GroupState::Joined));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_has_a_hundred_members_and_no_more() {
    let world = World::new().await;
    let alice = world.person("Alice");
    let people: Vec<AccountId> = (0..100_u8)
        .map(|number| {
            let mut id = alice.id.as_bytes().to_vec();
            id[20] ^= number + 1;
            AccountId::from_bytes(&id).unwrap()
        })
        .collect();
    // What needs no network is done without one.
    world.network.stop().await;
    let refused = alice.phone.create_group("walkers", &people).await.unwrap_err();
    assert!(matches!(refused, ClientError::TooManyMembers));
    let group = alice.phone.create_group("walkers", &people[..99]).await.unwrap();
    assert_eq!(alice.phone.group_members(&group).unwrap().len(), 100);
    let refused = alice.phone.invite_to_group(&group, &people[99..], false).await.unwrap_err();
    assert!(matches!(refused, ClientError::TooManyMembers));
}
