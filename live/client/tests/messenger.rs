//! What people do in conversations, on two devices each, through a real local network.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod people;

use people::{World, messages, said, shown, sync, words};
use warren_client::database::{Direction, Expiry, ExpiryMode, Listing, Notify, Setting};
use warren_client::notice::{Notice, TimerMode};
use warren_client::{DeleteFor, Draft, Event, Messenger};

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
    assert_eq!(shown(&bob.phone, &alice.id), ["mine"]);
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
    assert_eq!(shown(&alice.phone, &bob.id), ["it is me", "RequestAccepted"]);
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
    assert_eq!(shown(&bob.phone, &alice.id).last(), Some(&format!("{timer:?}")));
    let his = bob.phone.db().with(|db| db.conversation(&alice.id)).unwrap().unwrap();
    assert_eq!(his.expiry, None);

    alice.laptop.set_blocked(&bob.id, true).unwrap();
    sync(&all).await;
    bob.phone.send(&alice.id, "three").await.unwrap();
    sync(&all).await;
    assert!(!shown(&alice.phone, &bob.id).contains(&"three".to_owned()));
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
    assert_eq!(shown(&alice.laptop, &alice.id), ["milk"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_is_told_where_the_owner_wants_it_and_to_contacts_alone() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    alice.phone.send(&bob.id, "are you there?").await.unwrap();
    sync(&[&bob.phone, &alice.phone]).await;
    let mut heard = alice.phone.events().listen();
    let mut tells = async || {
        bob.phone.typing(&alice.id, true).unwrap();
        bob.phone.deliver_waiting().await.unwrap();
        alice.phone.receive().await.unwrap();
        alice.phone.publish(Event::AccountChanged);
        let mut told = false;
        loop {
            match heard.next().await.unwrap().event {
                Event::Typing { conversation, author, typing } => {
                    assert_eq!((conversation, author, typing), (bob.id, bob.id, true));
                    told = true;
                }
                Event::AccountChanged => return told,
                _ => {}
            }
        }
    };
    assert!(!tells().await, "nobody said that it is wanted");
    bob.phone.set_tells(false, true).unwrap();
    assert!(!tells().await, "a stranger is told nothing");
    bob.phone.accept_request(&alice.id).unwrap();
    assert!(tells().await);
    bob.phone.set_tells(false, false).unwrap();
    assert!(!tells().await);
}
