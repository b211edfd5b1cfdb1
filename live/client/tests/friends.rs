//! Friends who can wipe a device, between people with two devices each, on a real local network.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod people;

use std::time::Duration;

use people::{Person, World, notices, said, sync};
use warren_client::database::{HeldTripwire, Job, Standing, Task, TrustedSet};
use warren_client::friends::trust::Trust;
use warren_client::notice::Notice;
use warren_client::tripwire::{Inbox, TripwireFile};
use warren_client::{ClientError, Device, Messenger};
use warren_lock::tripwire::order::Action;
use warren_lock::tripwire::{FriendShare, Heard, Order};
use warren_wire::AccountId;

const DAY: i64 = 24 * 60 * 60;

/// Somebody with their phone's home open, beside the messenger that works on it.
struct Owner {
    person: Person,
    device: Device,
}

impl Owner {
    fn new(world: &World, name: &str) -> Self {
        let person = world.person(name);
        let device = world.device(&world.home(name));
        Self { person, device }
    }

    fn trust(&self, friends: &[&Person], threshold: u8) -> Result<TrustedSet, ClientError> {
        let trust = Trust {
            friends: friends.iter().map(|friend| friend.id).collect(),
            own_devices: false,
            threshold,
            device: "phone".to_owned(),
        };
        self.device.trust(&self.person.phone, &trust)
    }

    fn sets(&self) -> Vec<TrustedSet> {
        self.person.phone.db().with(|db| db.trusted_sets()).unwrap()
    }

    fn standings(&self) -> Vec<Standing> {
        let sets = self.sets();
        sets.iter().flat_map(|set| &set.friends).map(|friend| friend.standing()).collect()
    }

    /// What the device would make of an order. Nothing is written.
    fn hears(&self, world: &World, share: &FriendShare, action: Action) -> Heard {
        let file = TripwireFile::of(&world.home("alice")).unwrap();
        file.read().unwrap().hear(&Order::of(share, action))
    }
}

fn held(messenger: &Messenger) -> Vec<HeldTripwire> {
    messenger.db().with(|db| db.held_tripwires()).unwrap()
}

fn offered(messenger: &Messenger, owner: &AccountId) -> Vec<bool> {
    let kept = |notice: Notice| match notice {
        Notice::TripwireOffered { kept, .. } => Some(kept),
        _ => None,
    };
    notices(messenger, owner).into_iter().filter_map(kept).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_friend_keeps_a_share_that_the_owner_does_not_and_revoking_ends_it() {
    let world = World::new().await;
    let (alice, bob) = (Owner::new(&world, "alice"), world.person("bob"));
    bob.trusts(&alice.person);
    let made = alice.trust(&[&bob], 1).unwrap();
    assert_eq!(alice.standings(), [Standing::Offered], "nobody has said so yet");
    sync(&[&alice.person.phone, &bob.phone, &bob.laptop, &alice.person.phone]).await;
    assert_eq!(alice.standings(), [Standing::Taken]);
    let kept = held(&bob.phone);
    let [kept] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!((kept.owner, kept.device.as_str()), (alice.person.id, "phone"));
    assert_eq!(kept.inbox, alice.device.inbox().unwrap());
    assert_eq!(held(&bob.laptop).len(), 1, "all devices of the friend can do it");
    assert_eq!(offered(&bob.phone, &alice.person.id), [true]);
    assert!(held(&alice.person.phone).is_empty());
    let heard = alice.hears(&world, &kept.share, Action::Test);
    assert_eq!(heard, Heard::Test { place: made.place.into(), number: 1 });
    assert_eq!(alice.hears(&world, &kept.share, Action::Wipe), Heard::Wipe);

    alice.device.revoke_trust(&alice.person.phone, &made.set).unwrap();
    assert_eq!(alice.hears(&world, &kept.share, Action::Wipe), Heard::Nothing, "at once");
    let again = alice.device.revoke_trust(&alice.person.phone, &made.set);
    assert!(matches!(again, Err(ClientError::NoTrustedSet)));
    sync(&[&alice.person.phone, &bob.phone, &bob.laptop]).await;
    assert!(held(&bob.phone).is_empty() && held(&bob.laptop).is_empty());
    let told = notices(&bob.phone, &alice.person.id);
    assert!(told.contains(&Notice::TripwireRevoked { device: "phone".to_owned() }), "{told:?}");
    assert!(alice.sets().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_is_made_anew_works_in_the_place_of_the_old_one() {
    let world = World::new().await;
    let (alice, bob) = (Owner::new(&world, "alice"), world.person("bob"));
    let carol = world.person("carol");
    for friend in [&bob, &carol] {
        friend.trusts(&alice.person);
    }
    let old = alice.trust(&[&bob, &carol], 2).unwrap();
    sync(&[&alice.person.phone, &bob.phone, &carol.phone]).await;
    let olds: Vec<_> = [&bob, &carol].map(|friend| held(&friend.phone).remove(0).share).into();
    let new = alice.device.reissue_trust(&alice.person.phone, &old.set).unwrap();
    assert!(new.set != old.set && new.place != old.place);
    sync(&[&alice.person.phone, &bob.phone, &carol.phone, &alice.person.phone]).await;
    assert_eq!(alice.standings(), [Standing::Taken, Standing::Taken]);
    for (number, friend) in (1..).zip([&bob, &carol]) {
        let kept = held(&friend.phone);
        let [kept] = &kept[..] else { panic!("{kept:?}") };
        assert_eq!((kept.share.set, kept.share.number), (new.set, number));
        let heard = alice.hears(&world, &kept.share, Action::Wipe);
        assert_eq!(heard, Heard::Share { place: new.place.into(), have: 1, need: 2 });
    }
    for share in &olds {
        assert_eq!(alice.hears(&world, share, Action::Wipe), Heard::Nothing);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_share_is_shown_and_not_kept_and_a_dropped_one_is_told() {
    let world = World::new().await;
    let (alice, bob) = (Owner::new(&world, "alice"), world.person("bob"));
    let first = alice.trust(&[&bob], 1).unwrap();
    sync(&[&alice.person.phone, &bob.phone, &alice.person.phone]).await;
    assert!(held(&bob.phone).is_empty());
    assert_eq!(offered(&bob.phone, &alice.person.id), [false]);
    assert_eq!(alice.standings(), [Standing::Offered]);
    assert!(matches!(bob.phone.test_devices(&alice.person.id, None), Err(ClientError::NoTripwire)));

    // What was offered before is offered anew.
    bob.trusts(&alice.person);
    alice.device.reissue_trust(&alice.person.phone, &first.set).unwrap();
    sync(&[&alice.person.phone, &bob.phone, &bob.laptop, &alice.person.phone]).await;
    assert_eq!(alice.standings(), [Standing::Taken]);
    assert_eq!(bob.phone.drop_devices(&alice.person.id, None).unwrap(), 1);
    sync(&[&bob.phone, &bob.laptop, &alice.person.phone]).await;
    assert!(held(&bob.phone).is_empty() && held(&bob.laptop).is_empty());
    assert_eq!(alice.standings(), [Standing::Declined]);
    let told = notices(&alice.person.phone, &bob.id);
    assert!(told.contains(&Notice::TripwireDeclined { device: "phone".to_owned() }), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_devices_of_an_account_are_one_friend_more_and_this_one_is_not() {
    let world = World::new().await;
    let alice = Owner::new(&world, "alice");
    let trust =
        Trust { friends: Vec::new(), own_devices: true, threshold: 1, device: "phone".to_owned() };
    let made = alice.device.trust(&alice.person.phone, &trust).unwrap();
    sync(&[&alice.person.phone, &alice.person.laptop, &alice.person.phone]).await;
    assert!(held(&alice.person.phone).is_empty(), "what is sent comes back and is not kept");
    let kept = held(&alice.person.laptop);
    let [kept] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!((kept.owner, kept.share.set), (alice.person.id, made.set));
    assert_eq!(alice.standings(), [Standing::Taken]);
    assert_eq!(alice.hears(&world, &kept.share, Action::Wipe), Heard::Wipe);
    alice.device.revoke_trust(&alice.person.phone, &made.set).unwrap();
    sync(&[&alice.person.phone, &alice.person.laptop]).await;
    assert!(held(&alice.person.laptop).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sets_of_different_accounts_stand_in_different_places_and_go_with_their_account() {
    let world = World::new().await;
    let (mut alice, bob) = (Owner::new(&world, "alice"), world.person("bob"));
    let (second, _) = alice.device.create_account("second", None).unwrap();
    let messenger = alice.device.messenger(Some("second")).unwrap();
    let trust = Trust {
        friends: vec![bob.id],
        own_devices: false,
        threshold: 1,
        device: "phone".to_owned(),
    };
    let mut places = vec![alice.device.trust(&messenger, &trust).unwrap().place];
    for _ in 1..16 {
        places.push(alice.trust(&[&bob], 1).unwrap().place);
    }
    places.sort_unstable();
    assert_eq!(places, (0..16).collect::<Vec<_>>());
    let full = alice.trust(&[&bob], 1).unwrap_err();
    assert!(full.to_string().contains("revoke one first"), "{full}");
    assert_eq!(alice.sets().len(), 15);
    drop(messenger);
    alice.device.remove_account(&second.id.to_string()).unwrap();
    assert_eq!(alice.trust(&[&bob], 1).unwrap().place, places[0]);
    // Decoys are what is left once the tripwire was made anew.
    let mut decoys = alice.device.other().unwrap();
    decoys.create_account("decoy", None).unwrap();
    let decoy = decoys.messenger(None).unwrap();
    assert!(matches!(decoys.trust(&decoy, &trust), Err(ClientError::DecoysTrustNobody)));
    let nonsense = [(vec![bob.id, bob.id], 1), (vec![alice.person.id], 1), (vec![bob.id], 2)];
    for (friends, threshold) in nonsense {
        let trust = Trust { friends, own_devices: false, threshold, device: "x".to_owned() };
        let refused = alice.device.trust(&alice.person.phone, &trust);
        assert_eq!(refused.unwrap_err().code(), "bad_friends");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_takes_two_steps_and_is_repeated_until_it_is_stopped() {
    let world = World::new().await;
    let (alice, bob) = (Owner::new(&world, "alice"), world.person("bob"));
    bob.trusts(&alice.person);
    alice.trust(&[&bob], 1).unwrap();
    sync(&[&alice.person.phone, &bob.phone]).await;
    let (owner, phone) = (&alice.person.id, &bob.phone);
    let inbox = alice.device.inbox().unwrap();
    // How many orders wait to be stored, and how many are to be given again.
    let waiting = || {
        let jobs = phone.db().with(|db| db.due_jobs(u64::MAX >> 1, 100)).unwrap();
        let is_order =
            |job: &&Job| matches!(&job.task, Task::Store { copy, .. } if copy.target == inbox);
        let is_again =
            |job: &&Job| matches!(&job.task, Task::Other { target, .. } if *target == Some(inbox));
        (jobs.iter().filter(is_order).count(), jobs.iter().filter(is_again).count())
    };
    assert!(matches!(phone.order_wipe(owner, "ABCDEF"), Err(ClientError::NoWipeCode)));
    assert!(matches!(phone.announce_wipe(owner, Some("tablet")), Err(ClientError::NoTripwire)));
    let announced = phone.announce_wipe(owner, Some("phone")).unwrap();
    assert_eq!(announced.code.code.len(), 6);
    assert!(matches!(phone.order_wipe(owner, "nonsense"), Err(ClientError::WrongWipeCode)));
    world.ahead.step(10 * 60 + 1);
    let late = phone.order_wipe(owner, &announced.code.code);
    assert!(matches!(late, Err(ClientError::WipeCodeExpired)));
    assert_eq!(waiting(), (0, 0));
    world.ahead.step(-(10 * 60 + 1));

    let announced = phone.announce_wipe(owner, None).unwrap();
    let typed = format!(" {} ", announced.code.code.to_lowercase());
    assert_eq!(phone.order_wipe(owner, &typed).unwrap().len(), 1);
    let twice = phone.order_wipe(owner, &typed);
    assert!(matches!(twice, Err(ClientError::NoWipeCode)), "a code is good for once");
    assert_eq!(waiting(), (1, 1));
    phone.deliver_all().await.unwrap();
    assert_eq!(waiting(), (0, 1), "it is with the swarm");
    assert!(held(phone)[0].ordered_at.is_some());

    // Nodes take nothing from the future, so that it waits.
    world.ahead.step(6 * DAY);
    phone.deliver_waiting().await.unwrap();
    assert_eq!(waiting(), (0, 1));
    world.ahead.step(DAY);
    phone.deliver_waiting().await.unwrap_err();
    assert_eq!(waiting(), (1, 1));
    assert_eq!(phone.stop_wipe(owner, None).unwrap(), 1);
    assert!(matches!(phone.stop_wipe(owner, None), Err(ClientError::NothingOrdered)));
    assert_eq!(waiting(), (0, 0));

    let code = phone.announce_wipe(owner, None).unwrap().code.code;
    phone.order_wipe(owner, &code).unwrap();
    world.ahead.step(61 * DAY);
    // What was not sent is too old by then, and is not given again.
    drop(phone.deliver_waiting().await);
    drop(phone.deliver_waiting().await);
    assert_eq!(waiting().1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_and_an_order_reach_the_devices_inbox_and_the_friend_hears_of_the_test() {
    let world = World::new().await;
    let (alice, bob) = (Owner::new(&world, "alice"), world.person("bob"));
    let carol = world.person("carol");
    for friend in [&bob, &carol] {
        friend.trusts(&alice.person);
    }
    let made = alice.trust(&[&bob, &carol], 2).unwrap();
    sync(&[&alice.person.phone, &bob.phone, &carol.phone]).await;
    let owner = &alice.person.id;
    assert_eq!(bob.phone.test_devices(owner, Some("phone")).unwrap(), 1);
    assert!(held(&bob.phone)[0].test_sent_at.is_some());
    bob.phone.deliver_waiting().await.unwrap();
    let inbox = Inbox::open(&world.home("alice")).unwrap().unwrap();
    let heard = inbox.hear(Duration::ZERO).await.unwrap();
    let [test] = heard.tests[..] else { panic!("{heard:?}") };
    assert_eq!((test.set, test.number, heard.wipes), (made.set, 1, false));

    // Whoever unlocks tells it, once, and the friend alone.
    let tell = || alice.person.phone.tell_tested(&test.set, test.number, test.at).unwrap();
    assert_eq!((tell(), tell()), (true, false));
    sync(&[&alice.person.phone, &bob.phone, &carol.phone]).await;
    assert_eq!(alice.sets()[0].friends[0].tested_at, Some(test.at));
    assert_eq!(held(&bob.phone)[0].heard_at, Some(test.at));
    let told = notices(&bob.phone, owner);
    let tested = Notice::TripwireTested { device: "phone".to_owned(), at: test.at };
    assert!(told.contains(&tested), "{told:?}");
    assert_eq!(held(&carol.phone)[0].heard_at, None);

    for (friend, is_enough) in [(&bob, false), (&carol, true)] {
        let code = friend.phone.announce_wipe(owner, None).unwrap().code.code;
        friend.phone.order_wipe(owner, &code).unwrap();
        friend.phone.deliver_waiting().await.unwrap();
        assert_eq!(inbox.hear(Duration::ZERO).await.unwrap().wipes, is_enough);
    }
    // Nothing of it is in a conversation, not even on the friend's other device.
    sync(&[&bob.phone, &bob.laptop]).await;
    assert!(held(&bob.laptop)[0].ordered_at.is_none());
    assert_eq!(said(&bob.laptop, owner).len() + said(&bob.phone, owner).len(), 0);
}
