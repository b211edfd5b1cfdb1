//! What friends send to a device's inbox through a real local network, and what it does to a home that
//! nobody has unlocked.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod people;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use people::World;
use warren_account::Account;
use warren_client::database::{Purpose, SealedCopy, Task};
use warren_client::tripwire::{Heard, Inbox, TripwireFile, inbox_id, is_overdue};
use warren_client::vault::{CodeKind, DuressOrders, wipe};
use warren_client::{Device, Messenger};
use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random;
use warren_lock::Moment;
use warren_lock::tripwire::order::Action;
use warren_lock::tripwire::{FriendShare, Order, Verifier};
use warren_message::content::body::Body;
use warren_message::content::data::{Data, What};
use warren_message::content::tripwire::{CarriedOrder, TripwireMessage};
use warren_message::content::visible::Visible;
use warren_message::{Content, Kind, seal_direct};
use warren_wire::limits::MESSAGE_TTL;
use warren_wire::{AccountId, Millis, Namespace};

const HOUR: Millis = 60 * 60 * 1_000;

/// A home that nobody has unlocked, and somebody who can send to it.
struct Scene {
    world: World,
    home: PathBuf,
    sender: Messenger,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let home = world.home("owner");
        let mut owner = world.device(&home);
        owner.create_account("owner", Some("Owner of it all")).unwrap();
        drop(owner);
        let mut device = world.device(&world.home("sender"));
        device.create_account("sender", None).unwrap();
        let sender = device.messenger(None).unwrap();
        Self { world, home, sender }
    }

    fn file(&self) -> TripwireFile {
        TripwireFile::of(&self.home).unwrap()
    }

    fn inbox_id(&self) -> AccountId {
        inbox_id(&self.file().read().unwrap()).unwrap()
    }

    fn inbox(&self) -> Inbox {
        Inbox::open(&self.home).unwrap().unwrap()
    }

    /// Puts a set into a place, of whose friends any `threshold` wipe.
    fn arm(&self, place: usize, threshold: u8, count: u8) -> Vec<FriendShare> {
        let (verifier, shares) = Verifier::draw(threshold, count, &mut SystemEntropy).unwrap();
        self.file().change(|tripwire| tripwire.arm(place, &verifier, &mut SystemEntropy)).unwrap();
        shares
    }

    async fn store(&self, target: AccountId, data: Vec<u8>) {
        self.queue(target, data);
        self.sender.deliver_all().await.unwrap();
    }

    fn queue(&self, target: AccountId, data: Vec<u8>) {
        let (timestamp, purpose) = (self.sender.now(), Purpose::Recipient);
        let (namespace, ttl) = (Namespace::DIRECT, MESSAGE_TTL);
        let copy = SealedCopy { purpose, target, namespace, data, timestamp, ttl };
        let task = Task::Store { message: None, copy };
        self.sender.db().with(|db| db.add_job(&task, &[], timestamp)).unwrap();
    }

    async fn send(&self, share: &FriendShare, action: Action) {
        self.store(self.inbox_id(), self.sealed(Order::of(share, action))).await;
    }

    /// An order as a friend's app sends it: from an account that is thrown away.
    fn sealed(&self, order: Order) -> Vec<u8> {
        let message = TripwireMessage::Order(CarriedOrder(order));
        self.sealed_content(&Content::from(Kind::Tripwire(message)))
    }

    fn sealed_content(&self, content: &Content) -> Vec<u8> {
        let entropy = &mut SystemEntropy;
        let thrown_away = Account::random(entropy).unwrap();
        let now = self.sender.now();
        seal_direct(&thrown_away, &self.inbox_id(), content, now, now, entropy).unwrap()
    }

    fn opens(&self) -> bool {
        Device::unlock(&self.home, "passphrase").is_ok()
    }
}

async fn hear(inbox: &Inbox) -> Heard {
    inbox.hear(Duration::ZERO).await.unwrap()
}

fn entries(home: &Path) -> Vec<String> {
    let entries = fs::read_dir(home).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_friends_order_wipes_a_home_that_nobody_has_unlocked_and_does_nothing_afterwards() {
    let scene = Scene::new().await;
    let share = scene.arm(3, 1, 1).remove(0);
    let (inbox, was) = (scene.inbox(), scene.inbox_id());
    assert_eq!(hear(&inbox).await, Heard::default());
    let order = || scene.sealed(Order::of(&share, Action::Wipe));
    scene.store(was, order()).await;
    assert!(hear(&inbox).await.wipes);
    drop(inbox);
    wipe::wipe(&scene.home).unwrap();
    assert_eq!(entries(&scene.home), Vec::<String>::new());

    // The same order again, to the inbox of before and to the one that the fresh install has.
    drop(scene.world.device(&scene.home));
    assert!(scene.inbox_id() != was);
    let inbox = scene.inbox();
    scene.store(was, order()).await;
    scene.store(inbox.id(), order()).await;
    assert_eq!(hear(&inbox).await, Heard::default());
    assert!(scene.opens());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_held_open_is_answered_as_soon_as_an_order_arrives() {
    let scene = Scene::new().await;
    let share = scene.arm(0, 1, 2).remove(1);
    let inbox = scene.inbox();
    hear(&inbox).await;
    let began = std::time::Instant::now();
    let (heard, ()) = tokio::join!(inbox.hear(Duration::from_secs(20)), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        scene.send(&share, Action::Wipe).await;
    });
    assert!(heard.unwrap().wipes);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_takes_as_many_different_friends_as_were_said_over_any_number_of_starts() {
    let scene = Scene::new().await;
    let shares = scene.arm(7, 3, 5);
    for share in [&shares[4], &shares[1], &shares[4], &shares[1]] {
        scene.send(share, Action::Wipe).await;
        assert_eq!(hear(&scene.inbox()).await, Heard::default());
        assert!(scene.opens());
    }
    // Shares of another set of the same device are no help.
    let others = scene.arm(8, 2, 2);
    scene.send(&others[0], Action::Wipe).await;
    assert!(!hear(&scene.inbox()).await.wipes);
    scene.send(&shares[2], Action::Wipe).await;
    assert!(hear(&scene.inbox()).await.wipes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_was_revoked_wipes_nothing_also_with_a_share_that_arrived_before() {
    let scene = Scene::new().await;
    let shares = scene.arm(1, 2, 2);
    scene.send(&shares[0], Action::Wipe).await;
    assert!(!hear(&scene.inbox()).await.wipes);
    scene.file().change(|tripwire| tripwire.disarm(1, &mut SystemEntropy)).unwrap();
    for share in &shares {
        scene.send(share, Action::Wipe).await;
    }
    assert_eq!(hear(&scene.inbox()).await, Heard::default());
    let again = scene.arm(1, 2, 2);
    assert_eq!(hear(&scene.inbox()).await, Heard::default());
    for share in &again {
        scene.send(share, Action::Wipe).await;
    }
    assert!(hear(&scene.inbox()).await.wipes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_wipes_nothing_writes_nothing_and_is_found_again_by_whoever_unlocks_later() {
    let scene = Scene::new().await;
    let shares = scene.arm(2, 1, 3);
    let before = fs::read(scene.home.join("tripwire")).unwrap();
    scene.send(&shares[0], Action::Test).await;
    scene.send(&shares[2], Action::Test).await;
    let locked = hear(&scene.inbox()).await;
    assert!(fs::read(scene.home.join("tripwire")).unwrap() == before);
    let inbox = scene.inbox();
    let unlocked = hear(&inbox).await;
    assert_eq!(unlocked, locked, "the same tests, of the same time");
    assert!(!unlocked.wipes);
    let mut heard: Vec<_> =
        unlocked.tests.iter().map(|test| (test.place, test.set, test.number)).collect();
    heard.sort_by_key(|(_, _, number)| *number);
    assert_eq!(heard, [(2, shares[0].set, 1), (2, shares[0].set, 3)]);
    assert_eq!(hear(&inbox).await, Heard::default(), "and nothing twice in one run");
    scene.send(&shares[0], Action::Test).await;
    let newer = hear(&inbox).await.tests.remove(0);
    assert!(newer.number == 1 && unlocked.tests.iter().all(|test| test.at < newer.at));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_hundreds_of_forged_stale_and_broken_messages_none_is_obeyed_and_the_right_one_is() {
    let scene = Scene::new().await;
    let shares = scene.arm(0, 2, 4);
    let (_, foreign) = Verifier::draw(1, 4, &mut SystemEntropy).unwrap();
    let inbox = scene.inbox_id();
    let before = fs::read(scene.home.join("tripwire")).unwrap();
    for round in 0..40_u8 {
        let number = round % 4 + 1;
        let forged = |threshold: u8, value: [u8; 32]| {
            let set = shares[0].set.0;
            let bytes = [&[1, 1], &set[..], &[threshold, number], &value].concat();
            Order::decode(&bytes).unwrap()
        };
        // A guess, the right share under a lower threshold, a proof in place of the share, another
        // device's share, and the share as a test.
        let of = &shares[usize::from(number - 1)];
        scene.queue(inbox, scene.sealed(forged(2, random(&mut SystemEntropy))));
        scene.queue(inbox, scene.sealed(forged(1, *of.secret.expose())));
        scene.queue(inbox, scene.sealed(forged(2, *of.proof().expose())));
        let other = &foreign[usize::from(number - 1)];
        scene.queue(inbox, scene.sealed(Order::of(other, Action::Wipe)));
        // What is no order, and no message.
        let words =
            Content::from(Data::from(What::Visible(Visible::text(Body::new("hi").unwrap()))));
        scene.queue(inbox, scene.sealed_content(&words));
        let mut cut = scene.sealed(Order::of(of, Action::Wipe));
        cut.truncate(usize::from(round) * 3);
        scene.queue(inbox, [cut, vec![round]].concat());
        let mut flipped = scene.sealed(Order::of(of, Action::Wipe));
        // In the midst of what is sealed.
        let at = flipped.len() / 2 + usize::from(round);
        flipped[at] ^= 1;
        scene.queue(inbox, flipped);
    }
    while scene.sender.deliver_all().await.unwrap() > 0 {}
    let reader = scene.inbox();
    assert_eq!(hear(&reader).await, Heard::default());
    assert!(fs::read(scene.home.join("tripwire")).unwrap() == before, "and nothing is written");
    for share in &shares[2..] {
        scene.send(share, Action::Wipe).await;
    }
    assert!(hear(&reader).await.wipes, "280 messages hide no order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_nobody_unlocks_for_its_term_is_due_by_two_clocks_that_agree_and_by_none_alone() {
    let scene = Scene::new().await;
    let inbox = scene.inbox();
    hear(&inbox).await;
    let network = inbox.network_time();
    let now = scene.sender.now();
    assert!(network.is_some_and(|time| time <= now && now - time < HOUR));
    let unlocked = |ago: Millis, term: u32| {
        scene
            .file()
            .change(|tripwire| {
                tripwire.set_term(term)?;
                tripwire.note_unlocked(now - ago, Moment { boot: [7; 16], since: 0 });
                Ok(())
            })
            .unwrap();
    };
    unlocked(3 * HOUR, 2);
    assert!(!is_overdue(&scene.home, None).unwrap(), "its clock alone may have been set");
    assert!(!is_overdue(&scene.home, Some(now - 2 * HOUR)).unwrap(), "the network disagrees");
    assert!(is_overdue(&scene.home, network).unwrap());
    unlocked(0, 2);
    assert!(!is_overdue(&scene.home, Some(now + 24 * HOUR)).unwrap(), "the network alone may lie");
    unlocked(3 * HOUR, 0);
    assert!(!is_overdue(&scene.home, network).unwrap(), "no term");
    unlocked(3 * HOUR, 2);
    assert!(scene.opens(), "who comes in time by what the device knows opens it");
    assert!(!is_overdue(&scene.home, network).unwrap(), "and begins the term anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_that_is_made_anew_starts_with_a_database_of_its_own_in_the_same_file() {
    let scene = Scene::new().await;
    let inbox = scene.inbox();
    hear(&inbox).await;
    let was = inbox.id();
    assert!(inbox.is_current());
    drop(inbox);
    let device = Device::unlock(&scene.home, "passphrase").unwrap();
    let kind = CodeKind::Pin;
    let master = device.other_master().unwrap();
    let orders = DuressOrders::default();
    device.vault().set_duress("passphrase", (kind, "2580"), master, &orders).unwrap();
    drop(device);
    let names = entries(&scene.home);
    drop(Device::unlock(&scene.home, "2580").unwrap());
    assert_eq!(entries(&scene.home), names);
    assert!(scene.inbox_id() != was);
    assert!(Inbox::open(&scene.home).unwrap().is_none(), "the store that opened knows no network");
    let mut empty = Device::unlock(&scene.home, "2580").unwrap();
    empty.use_seed(&scene.world.network.seed().parse().unwrap()).unwrap();
    drop(empty);
    let inbox = scene.inbox();
    assert_eq!(hear(&inbox).await, Heard::default());
}
