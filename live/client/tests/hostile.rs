//! What strangers, people who are blocked and damaged state can do to a person: little.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod people;

use people::{Person, World, listed, messages, named, said, sync, texts, words};
use warren_account::Account;
use warren_client::database::{
    ConfigState, Listing, Purpose, SealedCopy, Setting, Task, tombstones::TOMBSTONE_LIFE,
};
use warren_client::vault::Cost;
use warren_client::{ClientError, Device, Draft};
use warren_crypto::SystemEntropy;
use warren_message::content::body::Body;
use warren_message::content::data::{Data, What};
use warren_message::content::visible::{Quote, Visible};
use warren_message::{Content, seal_direct};
use warren_wire::limits::MESSAGE_TTL;
use warren_wire::{AccountId, Millis, Namespace};

/// Has a person's phone store what no Warren would write: another time than it is.
async fn send_as_of(from: &Person, to: &AccountId, visible: Visible, author_says: Millis) {
    let account = Account::from_mnemonic(&from.words).unwrap();
    let content = Content::from(Data::from(What::Visible(visible)));
    let entropy = &mut SystemEntropy;
    let data = seal_direct(&account, to, &content, author_says, author_says, entropy).unwrap();
    let now = from.phone.now();
    let (purpose, target, namespace) = (Purpose::Recipient, *to, Namespace::DIRECT);
    let copy = SealedCopy { purpose, target, namespace, data, timestamp: now, ttl: MESSAGE_TTL };
    let task = Task::Store { message: None, copy };
    from.phone.db().with(|db| db.add_job(&task, &[], now)).unwrap();
    from.phone.deliver_all().await.unwrap();
}

fn text(text: &str) -> Visible {
    Visible::text(Body::new(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_from_the_future_keeps_no_place_and_has_not_read_what_is_to_come() {
    let world = World::new().await;
    let (alice, bob, carol) = (world.person("Alice"), world.person("Bob"), world.person("Carol"));
    alice.phone.accept_request(&bob.id).unwrap();
    alice.phone.accept_request(&carol.id).unwrap();
    send_as_of(&bob, &alice.id, text("from the future"), 1 << 60).await;
    sync(&[&alice.phone, &alice.laptop]).await;
    carol.phone.send(&alice.id, "later").await.unwrap();
    sync(&[&alice.phone, &alice.laptop]).await;
    let mut times = Vec::new();
    for device in [&alice.phone, &alice.laptop] {
        let list = listed(device, Listing::Inbox);
        assert_eq!(list.iter().find(|id| **id != alice.id), Some(&carol.id));
        let future = named(device, &bob.id, "from the future");
        assert!(future.timestamp <= device.now());
        times.push(future.timestamp);
    }
    assert_eq!(times[0], times[1]);
    let future = named(&alice.phone, &bob.id, "from the future").id;
    alice.phone.mark_read_up_to(future).unwrap();
    bob.phone.send(&alice.id, "now").await.unwrap();
    sync(&[&alice.phone, &alice.laptop]).await;
    for device in [&alice.phone, &alice.laptop] {
        assert_eq!(texts(device, &bob.id), ["from the future", "now"]);
        assert!(named(device, &bob.id, "from the future").read);
        assert!(!named(device, &bob.id, "now").read);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_again_after_its_deletion_was_forgotten_does_not_come_back() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let now = alice.phone.now();
    send_as_of(&bob, &alice.id, text("of old"), now - TOMBSTONE_LIFE - 60_000).await;
    send_as_of(&bob, &alice.id, text("of late"), now - TOMBSTONE_LIFE + 600_000).await;
    sync(&[&alice.phone]).await;
    assert_eq!(texts(&alice.phone, &bob.id), ["of late"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_declined_is_gone_from_all_devices_and_may_come_again() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let both = [&alice.phone, &alice.laptop];
    for text in ["one", "two"] {
        bob.phone.send(&alice.id, text).await.unwrap();
        sync(&both).await;
        for device in both {
            assert_eq!(listed(device, Listing::Requests), [bob.id]);
            assert_eq!(texts(device, &bob.id), [text]);
        }
        alice.phone.decline_request(&bob.id, false).unwrap();
        sync(&both).await;
        for device in both {
            assert!(!listed(device, Listing::All).contains(&bob.id));
        }
    }
    bob.phone.send(&alice.id, "three").await.unwrap();
    sync(&both).await;
    alice.laptop.accept_request(&bob.id).unwrap();
    sync(&both).await;
    for device in both {
        assert!(listed(device, Listing::Inbox).contains(&bob.id));
        assert_eq!(texts(device, &bob.id), ["three"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_declined_and_blocked_is_blocked_on_all_devices() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let both = [&alice.phone, &alice.laptop];
    bob.phone.send(&alice.id, "one").await.unwrap();
    sync(&both).await;
    alice.phone.decline_request(&bob.id, true).unwrap();
    sync(&both).await;
    bob.phone.send(&alice.id, "two").await.unwrap();
    sync(&both).await;
    for device in both {
        assert!(!listed(device, Listing::All).contains(&bob.id));
        assert!(device.db().with(|db| db.is_blocked(&bob.id)).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_wrote_while_they_were_blocked_does_not_come_later() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    alice.phone.set_blocked(&bob.id, true).unwrap();
    bob.phone.send(&alice.id, "unheard").await.unwrap();
    sync(&[&alice.phone]).await;
    alice.phone.set_blocked(&bob.id, false).unwrap();
    bob.phone.send(&alice.id, "heard").await.unwrap();
    // Every fifth time another member of the swarm is asked too, from its first message on.
    for _ in 0..20 {
        alice.phone.receive().await.unwrap();
    }
    assert_eq!(texts(&alice.phone, &bob.id), ["heard"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_quotes_its_own_conversation_and_puts_no_words_into_a_mouth() {
    let world = World::new().await;
    let (alice, bob, carol) = (world.person("Alice"), world.person("Bob"), world.person("Carol"));
    carol.phone.send(&alice.id, "between us").await.unwrap();
    alice.phone.send(&bob.id, "nice weather").await.unwrap();
    sync(&[&alice.phone, &bob.phone]).await;
    let secret = named(&alice.phone, &carol.id, "between us").id;
    let draft = Draft { reply_to: Some(secret), ..Draft::text("look") };
    let refused = alice.phone.save_draft(&bob.id, &draft).unwrap_err();
    assert!(matches!(refused, ClientError::OtherConversation));

    let said_at = named(&alice.phone, &bob.id, "nice weather").timestamp;
    let lie = Quote { text: Some("I hate you".to_owned()), ..Quote::of(said_at, alice.id) };
    let unknown = Quote { text: Some("I never said".to_owned()), ..Quote::of(7, alice.id) };
    send_as_of(&bob, &alice.id, text("see").with_quote(lie), bob.phone.now()).await;
    send_as_of(&bob, &alice.id, text("and see").with_quote(unknown), bob.phone.now()).await;
    sync(&[&alice.phone]).await;
    let quoted = |text| named(&alice.phone, &bob.id, text).quote.unwrap().text;
    assert_eq!(quoted("see").as_deref(), Some("nice weather"));
    assert_eq!(quoted("and see"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_to_a_stranger_makes_no_contact_of_them() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    sync(&[&alice.phone]).await;
    assert!(!alice.phone.has_configs_to_push().unwrap());
    for setting in [Setting::Draft("hel".to_owned()), Setting::Archived(true)] {
        alice.phone.set_conversation(&bob.id, &setting).unwrap();
    }
    assert!(!alice.phone.has_configs_to_push().unwrap());
    assert_eq!(alice.phone.db().with(|db| db.contact(&bob.id)).unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_contact_is_called_anew_goes_to_the_other_devices() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    alice.phone.accept_request(&bob.id).unwrap();
    bob.phone.send(&alice.id, "it is me").await.unwrap();
    sync(&[&alice.phone]).await;
    assert!(!alice.phone.has_configs_to_push().unwrap());
    bob.phone.set_display_name("Robert").unwrap();
    bob.phone.send(&alice.id, "I have another name").await.unwrap();
    alice.phone.receive().await.unwrap();
    assert!(alice.phone.has_configs_to_push().unwrap());
    sync(&[&alice.phone]).await;
    bob.phone.send(&alice.id, "which stays").await.unwrap();
    alice.phone.receive().await.unwrap();
    assert!(!alice.phone.has_configs_to_push().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_damaged_keeps_no_message_back() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    alice.laptop.set_nickname(&bob.id, Some("B")).unwrap();
    sync(&[&alice.laptop]).await;
    bob.phone.send(&alice.id, "hello").await.unwrap();
    let damaged = ConfigState {
        owner: alice.id,
        namespace: Namespace::new(3),
        dump: b"no dump".to_vec().into(),
        needs_push: false,
        seqno: 1,
        hashes: Vec::new(),
        pushed_at: None,
    };
    alice.phone.db().with(|db| db.put_config(&damaged)).unwrap();
    assert!(matches!(alice.phone.receive().await.unwrap_err(), ClientError::Config(_)));
    assert_eq!(said(&alice.phone, &bob.id).iter().map(words).collect::<Vec<_>>(), ["hello"]);
    assert_eq!(messages(&alice.phone, &bob.id).len(), 1);
}

#[test]
fn a_name_that_nobody_could_be_told_makes_no_account() {
    let home = tempfile::tempdir().unwrap();
    let mut device = Device::create(home.path(), "passphrase", Cost::LEAST).unwrap();
    let long = "ß".repeat(51);
    assert!(matches!(
        device.create_account("me", Some(&long)).unwrap_err(),
        ClientError::Config(_)
    ));
    assert_eq!(device.accounts().unwrap(), []);
    device.create_account("me", Some(&"ß".repeat(50))).unwrap();
}
