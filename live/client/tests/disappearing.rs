//! Messages that disappear, by clocks that are stepped, on two devices each, through a real local
//! network.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use warren_client::database::{Content, Expiry, ExpiryMode, Filter, Message};
use warren_client::vault::Cost;
use warren_client::{Clock, Device, Messenger};
use warren_noded::LocalNetwork;
use warren_noded::local_network::Plan;
use warren_wire::AccountId;

/// How far a clock is ahead of this machine's, in milliseconds.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicI64>);

impl Ahead {
    fn step(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let ahead = Arc::clone(&self.0);
        Clock::new(move || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let real = u64::try_from(since.as_millis()).unwrap();
            real.checked_add_signed(ahead.load(Ordering::Relaxed)).unwrap()
        })
    }
}

struct World {
    folder: TempDir,
    network: LocalNetwork,
    ahead: Ahead,
}

struct Person {
    id: AccountId,
    words: String,
    phone: Messenger,
    laptop: Messenger,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("net");
        let plan = Plan { nodes: 5, data, seed_port: 0, node_port: 0 };
        let network = LocalNetwork::start(&plan).await.unwrap();
        Self { folder, network, ahead: Ahead::default() }
    }

    fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn device(&self, home: &Path) -> Device {
        let device = if Device::exists(home) {
            Device::unlock(home, "passphrase").unwrap()
        } else {
            Device::create(home, "passphrase", Cost::LEAST).unwrap()
        };
        let mut device = device.with_clock(self.ahead.clock());
        device.use_seed(&self.network.seed().parse().unwrap()).unwrap();
        device
    }

    fn restored(&self, name: &str, words: &str) -> Messenger {
        let mut device = self.device(&self.home(name));
        device.restore_account(words, name, None).unwrap();
        device.messenger(None).unwrap()
    }

    fn person(&self, name: &str) -> Person {
        let mut device = self.device(&self.home(name));
        let (entry, words) = device.create_account(name, Some(name)).unwrap();
        let words = words.expose().to_owned();
        let laptop = self.restored(&format!("{name}-2"), &words);
        Person { id: entry.id, words, phone: device.messenger(None).unwrap(), laptop }
    }
}

fn messages(messenger: &Messenger, conversation: &AccountId) -> Vec<Message> {
    let filter = Filter { conversation: Some(*conversation), unread: false };
    let page = messenger.db().with(|db| db.messages(&filter, None, 100)).unwrap();
    page.messages.into_iter().rev().collect()
}

/// All but notices.
fn texts(messenger: &Messenger, conversation: &AccountId) -> Vec<String> {
    let text = |message: Message| match message.content {
        Content::Text(text) => Some(text),
        _ => None,
    };
    messages(messenger, conversation).into_iter().filter_map(text).collect()
}

fn named(messenger: &Messenger, conversation: &AccountId, text: &str) -> Message {
    let wanted = Content::Text(text.to_owned());
    let mut all = messages(messenger, conversation);
    all.retain(|message| message.content == wanted);
    all.remove(0)
}

async fn sync(messengers: &[&Messenger]) {
    for _ in 0..2 {
        for messenger in messengers {
            messenger.sync().await.unwrap();
        }
    }
}

fn after(mode: ExpiryMode, seconds: u32) -> Option<Expiry> {
    Some(Expiry { mode, seconds })
}

#[tokio::test(flavor = "multi_thread")]
async fn after_sending_a_message_goes_from_all_devices_and_from_the_swarms() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let all = [&alice.phone, &alice.laptop, &bob.phone, &bob.laptop];
    alice.phone.send(&bob.id, "stays").await.unwrap();
    // None of Session's timers.
    alice.phone.set_timer(&bob.id, after(ExpiryMode::AfterSend, 1_234)).unwrap();
    alice.phone.send(&bob.id, "goes").await.unwrap();
    sync(&all).await;
    let both = ["stays", "goes"];
    let seen = || {
        all.map(|device| {
            let other = if device.account().id == alice.id { &bob.id } else { &alice.id };
            texts(device, other)
        })
    };
    assert!(seen().iter().all(|texts| *texts == both), "{:?}", seen());

    world.ahead.step(1_200);
    assert!(seen().iter().all(|texts| *texts == both), "{:?}", seen());
    world.ahead.step(60);
    assert!(seen().iter().all(|texts| *texts == ["stays"]), "{:?}", seen());

    // The nodes' clocks were not stepped: they have it until they are told to delete it.
    sync(&all).await;
    world.ahead.step(-1_260);
    for (name, person, other) in [("a", &alice, &bob), ("b", &bob, &alice)] {
        let fresh = world.restored(name, &person.words);
        fresh.sync().await.unwrap();
        assert_eq!(texts(&fresh, &other.id), ["stays"]);
    }
    world.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_reading_a_message_goes_at_the_same_time_from_all_of_the_readers_devices() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    alice.phone.set_timer(&bob.id, after(ExpiryMode::AfterRead, 600)).unwrap();
    alice.phone.send(&bob.id, "read").await.unwrap();
    sync(&[&alice.phone, &alice.laptop, &bob.phone, &bob.laptop]).await;
    // Nobody read it at the other side: it stays there, and at its sender's its time is over.
    world.ahead.step(10_000);
    assert_eq!(texts(&alice.phone, &bob.id), [""; 0]);
    assert_eq!(texts(&alice.laptop, &bob.id), [""; 0]);
    assert_eq!(texts(&bob.phone, &alice.id), ["read"]);

    let read = named(&bob.phone, &alice.id, "read");
    bob.phone.mark_read_up_to(read.id).unwrap();
    let goes = named(&bob.phone, &alice.id, "read").expires_at.unwrap();
    bob.phone.sync().await.unwrap();
    // The other device hears of it later, and learns of the swarm when it goes.
    world.ahead.step(300);
    sync(&[&bob.laptop]).await;
    assert_eq!(named(&bob.laptop, &alice.id, "read").expires_at, Some(goes));
    // So does one that has both only then.
    let late = world.restored("late", &bob.words);
    sync(&[&late]).await;
    assert_eq!(named(&late, &alice.id, "read").expires_at, Some(goes));

    world.ahead.step(301);
    for device in [&bob.phone, &bob.laptop, &late] {
        assert_eq!(texts(device, &alice.id), [""; 0]);
    }
    sync(&[&bob.phone, &bob.laptop]).await;
    let fresh = world.restored("fresh", &bob.words);
    sync(&[&fresh]).await;
    assert_eq!(texts(&fresh, &alice.id), [""; 0]);
    world.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ran_out_while_the_app_was_closed_is_gone_before_anything_is_shown() {
    let world = World::new().await;
    let alice = world.person("Alice");
    let (own, home) = (alice.id, world.home("Alice"));
    alice.phone.set_timer(&own, after(ExpiryMode::AfterSend, 100)).unwrap();
    alice.phone.send(&own, "a note").await.unwrap();
    alice.phone.sync().await.unwrap();
    assert_eq!(texts(&alice.phone, &own), ["a note"]);
    drop(alice);
    world.ahead.step(200);
    let again = world.device(&home).messenger(None).unwrap();
    assert_eq!(messages(&again, &own), []);
    // A swarm that still has it does not bring it back.
    again.sync().await.unwrap();
    assert_eq!(messages(&again, &own), []);
    world.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_gives_no_message_a_longer_life() {
    let world = World::new().await;
    let alice = world.person("Alice");
    let (own, home) = (alice.id, world.home("Alice"));
    alice.phone.set_timer(&own, after(ExpiryMode::AfterSend, 1_000)).unwrap();
    alice.phone.send(&own, "a note").await.unwrap();
    world.ahead.step(500);
    assert_eq!(texts(&alice.phone, &own), ["a note"]);
    // While it runs, and while it does not.
    world.ahead.step(-86_400);
    assert_eq!(texts(&alice.phone, &own), ["a note"]);
    world.ahead.step(200);
    assert_eq!(texts(&alice.phone, &own), ["a note"]);
    drop(alice);
    world.ahead.step(-86_400);
    let again = world.device(&home).messenger(None).unwrap();
    world.ahead.step(250);
    assert_eq!(texts(&again, &own), ["a note"]);
    world.ahead.step(60);
    assert_eq!(texts(&again, &own), [""; 0]);
    world.network.stop().await;
}
