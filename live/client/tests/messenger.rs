//! What people do in conversations, on two devices each, through a real local network.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use warren_client::database::{
    Content, Direction, Expiry, ExpiryMode, Filter, Listing, Message, Notify, Setting,
};
use warren_client::notice::{Notice, TimerMode};
use warren_client::vault::Cost;
use warren_client::{DeleteFor, Device, Draft, Messenger};
use warren_noded::LocalNetwork;
use warren_noded::local_network::Plan;
use warren_wire::AccountId;

struct World {
    folder: TempDir,
    network: LocalNetwork,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("net");
        let plan = Plan { nodes: 5, data, seed_port: 0, node_port: 0 };
        let network = LocalNetwork::start(&plan).await.unwrap();
        Self { folder, network }
    }

    fn device(&self, home: &Path) -> Device {
        let mut device = Device::create(home, "passphrase", Cost::LEAST).unwrap();
        device.use_seed(&self.network.seed().parse().unwrap()).unwrap();
        device
    }

    fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Somebody with two devices.
    fn person(&self, name: &str) -> Person {
        let mut device = self.device(&self.home(name));
        let (entry, words) = device.create_account(name, Some(name)).unwrap();
        let mut second = self.device(&self.home(&format!("{name}-2")));
        second.restore_account(words.expose(), name, None).unwrap();
        Person {
            id: entry.id,
            phone: device.messenger(None).unwrap(),
            laptop: second.messenger(None).unwrap(),
        }
    }
}

struct Person {
    id: AccountId,
    phone: Messenger,
    laptop: Messenger,
}

fn messages(messenger: &Messenger, conversation: &AccountId) -> Vec<Message> {
    let filter = Filter { conversation: Some(*conversation), unread: false };
    let page = messenger.db().with(|db| db.messages(&filter, None, 100)).unwrap();
    page.messages.into_iter().rev().collect()
}

/// All but notices.
fn said(messenger: &Messenger, conversation: &AccountId) -> Vec<Message> {
    let mut messages = messages(messenger, conversation);
    messages.retain(|message| !matches!(message.content, Content::Control(_)));
    messages
}

fn words(message: &Message) -> String {
    match &message.content {
        Content::Text(text) => text.clone(),
        Content::Control(json) => format!("{:?}", Notice::from_json(json).unwrap()),
        Content::Unknown(_) => "unknown".to_owned(),
        Content::Deleted => "deleted".to_owned(),
    }
}

fn texts(messenger: &Messenger, conversation: &AccountId) -> Vec<String> {
    messages(messenger, conversation).iter().map(words).collect()
}

async fn sync(messengers: &[&Messenger]) {
    // What the first pushes the last has seen, and the other way round.
    for _ in 0..2 {
        for messenger in messengers {
            messenger.sync().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_reactions_edits_and_deletions_reach_every_device() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let all = [&alice.phone, &alice.laptop, &bob.phone, &bob.laptop];

    alice.phone.send(&bob.id, "shall we met?").await.unwrap();
    sync(&all).await;
    let asked = messages(&bob.laptop, &alice.id)[0].id;
    let answer = Draft { reply_to: Some(asked), ..Draft::text("yes") };
    bob.laptop.save_draft(&alice.id, &answer).unwrap();
    bob.laptop.react(asked, "👍", true).unwrap();
    sync(&all).await;
    let own = messages(&alice.phone, &bob.id)[0].id;
    alice.phone.edit(own, "shall we meet?").unwrap();
    sync(&all).await;

    for (device, other) in [
        (&alice.phone, &bob.id),
        (&alice.laptop, &bob.id),
        (&bob.phone, &alice.id),
        (&bob.laptop, &alice.id),
    ] {
        let both = said(device, other);
        assert_eq!(both.iter().map(words).collect::<Vec<_>>(), ["shall we meet?", "yes"]);
        assert!(both[0].edited_at.is_some());
        let quote = both[1].quote.as_ref().unwrap();
        assert_eq!((quote.author, quote.timestamp), (alice.id, both[0].timestamp));
        assert_eq!(quote.text.as_deref(), Some("shall we met?"));
        let reactions = device.db().with(|db| db.reactions(both[0].id)).unwrap();
        let found: Vec<_> = reactions.iter().map(|it| (it.author, it.emoji.as_str())).collect();
        assert_eq!(found, [(bob.id, "👍")]);
    }

    bob.laptop.react(asked, "👍", false).unwrap();
    let yes = said(&bob.laptop, &alice.id)[1].id;
    bob.laptop.delete(&[yes], DeleteFor::Everyone).unwrap();
    sync(&all).await;
    for (device, other) in [(&alice.laptop, &bob.id), (&bob.phone, &alice.id)] {
        let both = said(device, other);
        assert_eq!(both.iter().map(words).collect::<Vec<_>>(), ["shall we meet?", "deleted"]);
        let first = both[0].id;
        assert!(device.db().with(|db| db.reactions(first)).unwrap().is_empty());
    }

    let first = messages(&alice.laptop, &bob.id)[0].id;
    alice.laptop.delete(&[first], DeleteFor::MyDevices).unwrap();
    sync(&all).await;
    // One's own devices cannot tell for whom else it was deleted.
    let left = said(&alice.phone, &bob.id);
    assert_eq!(left.iter().map(words).collect::<Vec<_>>(), ["deleted", "deleted"]);
    assert_eq!(said(&bob.phone, &alice.id).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_what_somebody_else_wrote() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    alice.phone.send(&bob.id, "mine").await.unwrap();
    bob.phone.sync().await.unwrap();
    let hers = messages(&bob.phone, &alice.id)[0].id;
    assert!(bob.phone.edit(hers, "his").is_err());
    assert!(bob.phone.delete(&[hers], DeleteFor::Everyone).is_err());
    assert_eq!(texts(&bob.phone, &alice.id), ["mine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_apart_until_it_is_accepted_or_answered() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let all = [&alice.phone, &bob.phone, &bob.laptop];
    alice.phone.send(&bob.id, "it is me").await.unwrap();
    sync(&all).await;
    let list = |device: &Messenger, which| {
        let list = device.db().with(|db| db.conversations(which, None, 10)).unwrap();
        list.into_iter().map(|one| one.id).filter(|id| *id != bob.id).collect::<Vec<_>>()
    };
    assert_eq!(list(&bob.phone, Listing::Requests), [alice.id]);
    assert_eq!(list(&bob.phone, Listing::Inbox), []);
    bob.phone.accept_request(&alice.id).unwrap();
    sync(&all).await;
    assert_eq!(list(&bob.laptop, Listing::Inbox), [alice.id]);
    assert_eq!(list(&bob.laptop, Listing::Requests), []);
    assert_eq!(texts(&alice.phone, &bob.id), ["it is me", "RequestAccepted"]);
    let contact = alice.phone.db().with(|db| db.contact(&bob.id)).unwrap().unwrap();
    assert!(contact.approved && contact.approved_me);
    assert_eq!(contact.name, "Bob");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_on_one_device_holds_on_the_other() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let all = [&alice.phone, &alice.laptop];
    bob.phone.send(&alice.id, "one").await.unwrap();
    bob.phone.send(&alice.id, "two").await.unwrap();
    sync(&all).await;
    let expiry = Expiry { mode: ExpiryMode::AfterRead, seconds: 3_600 };
    alice.phone.set_nickname(&bob.id, Some("Bobby")).unwrap();
    alice.phone.set_conversation(&bob.id, &Setting::Priority(1)).unwrap();
    alice.phone.set_conversation(&bob.id, &Setting::Notify(Notify::Nothing)).unwrap();
    alice.phone.set_timer(&bob.id, Some(expiry)).unwrap();
    alice.phone.set_display_name("Alice L.").unwrap();
    let first = messages(&alice.phone, &bob.id)[0].id;
    alice.phone.mark_read_up_to(first).unwrap();
    sync(&all).await;
    let laptop = &alice.laptop;
    let contact = laptop.db().with(|db| db.contact(&bob.id)).unwrap().unwrap();
    assert_eq!(contact.petname.as_deref(), Some("Bobby"));
    let conversation = laptop.db().with(|db| db.conversation(&bob.id)).unwrap().unwrap();
    assert_eq!((conversation.priority, conversation.notify), (1, Notify::Nothing));
    assert_eq!(conversation.expiry, Some(expiry));
    assert_eq!(conversation.unread, 1);
    assert_eq!(laptop.display_name().as_deref(), Some("Alice L."));

    // The other side is told, and keeps its own setting.
    sync(&[&bob.phone]).await;
    let timer = Notice::Timer { mode: Some(TimerMode::AfterRead), seconds: 3_600 };
    assert_eq!(texts(&bob.phone, &alice.id).last(), Some(&format!("{timer:?}")));
    let his = bob.phone.db().with(|db| db.conversation(&alice.id)).unwrap().unwrap();
    assert_eq!(his.expiry, None);

    alice.laptop.set_blocked(&bob.id, true).unwrap();
    sync(&all).await;
    bob.phone.send(&alice.id, "three").await.unwrap();
    sync(&all).await;
    assert!(!texts(&alice.phone, &bob.id).contains(&"three".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_that_change_things_offline_agree_in_the_end() {
    let world = World::new().await;
    let (alice, bob, carol) = (world.person("Alice"), world.person("Bob"), world.person("Carol"));
    let all = [&alice.phone, &alice.laptop];
    sync(&all).await;
    alice.phone.set_nickname(&bob.id, Some("B")).unwrap();
    alice.laptop.set_nickname(&carol.id, Some("C")).unwrap();
    alice.laptop.set_display_name("Al").unwrap();
    sync(&all).await;
    sync(&all).await;
    for device in all {
        let names: Vec<_> = device.db().with(|db| db.contacts()).unwrap();
        let mut names: Vec<_> = names.into_iter().filter_map(|one| one.petname).collect();
        names.sort();
        assert_eq!(names, ["B", "C"]);
        assert_eq!(device.display_name().as_deref(), Some("Al"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_to_be_told_is_told_of_reading() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    bob.phone.set_tells(true, false).unwrap();
    alice.phone.send(&bob.id, "hello").await.unwrap();
    sync(&[&bob.phone]).await;
    let hello = messages(&bob.phone, &alice.id)[0].id;
    // A stranger is told nothing.
    bob.phone.mark_read_up_to(hello).unwrap();
    sync(&[&bob.phone, &alice.phone]).await;
    let sent = messages(&alice.phone, &bob.id)[0].id;
    assert!(alice.phone.db().with(|db| db.receipts(sent)).unwrap().is_empty());
    bob.phone.accept_request(&alice.id).unwrap();
    alice.phone.send(&bob.id, "hello again").await.unwrap();
    sync(&[&bob.phone]).await;
    let again = messages(&bob.phone, &alice.id).last().unwrap().id;
    bob.phone.mark_read_up_to(again).unwrap();
    sync(&[&bob.phone, &alice.phone, &alice.laptop]).await;
    for device in [&alice.phone, &alice.laptop] {
        let sent = said(device, &bob.id)[1].id;
        let receipts = device.db().with(|db| db.receipts(sent)).unwrap();
        assert_eq!(receipts.iter().map(|it| it.reader).collect::<Vec<_>>(), [bob.id]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_to_oneself_are_on_both_devices() {
    let world = World::new().await;
    let alice = world.person("Alice");
    alice.phone.send(&alice.id, "milk").await.unwrap();
    sync(&[&alice.laptop]).await;
    let notes = messages(&alice.laptop, &alice.id);
    assert_eq!(notes[0].direction, Direction::Outgoing);
    assert_eq!(texts(&alice.laptop, &alice.id), ["milk"]);
}
