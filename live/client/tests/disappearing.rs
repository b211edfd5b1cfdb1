//! Messages that disappear, by clocks that are stepped, on two devices each, through a real local
//! network.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod people;

use people::{World, messages, named, sync, texts};
use warren_client::database::{Expiry, ExpiryMode};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jitters_shortens_no_life() {
    let world = World::new().await;
    let alice = world.person("Alice");
    let own = alice.id;
    alice.phone.set_timer(&own, after(ExpiryMode::AfterSend, 1_000)).unwrap();
    alice.phone.send(&own, "a note").await.unwrap();
    let goes = named(&alice.phone, &own, "a note").expires_at;
    for _ in 0..5 {
        world.ahead.step(40);
        assert_eq!(named(&alice.phone, &own, "a note").expires_at, goes);
        world.ahead.step(-40);
        assert_eq!(named(&alice.phone, &own, "a note").expires_at, goes);
    }
    world.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_page_that_was_read_elsewhere_the_swarm_is_asked_once_and_of_notices_never() {
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    alice.phone.send(&bob.id, "hello").await.unwrap();
    sync(&[&bob.phone, &bob.laptop]).await;
    for seconds in 600..605 {
        alice.phone.set_timer(&bob.id, after(ExpiryMode::AfterRead, seconds)).unwrap();
    }
    alice.phone.deliver_all().await.unwrap();
    let jobs = || bob.laptop.db().with(|db| db.due_jobs(u64::MAX, 99)).unwrap();
    bob.laptop.receive().await.unwrap();
    assert_eq!(jobs(), []);
    for number in 0..5 {
        alice.phone.send(&bob.id, &number.to_string()).await.unwrap();
    }
    sync(&[&bob.phone]).await;
    let last = named(&bob.phone, &alice.id, "4");
    bob.phone.mark_read_up_to(last.id).unwrap();
    sync(&[&bob.phone]).await;
    bob.laptop.receive().await.unwrap();
    assert_eq!(jobs().len(), 1);
    bob.laptop.sync().await.unwrap();
    for number in 0..5 {
        let on = |device| named(device, &alice.id, &number.to_string()).expires_at;
        assert_eq!(on(&bob.laptop), on(&bob.phone));
    }
    world.network.stop().await;
}
