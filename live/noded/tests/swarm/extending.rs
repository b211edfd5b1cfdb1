//! Extensions: kept where they matter, by a quorum where any of it is acknowledged.

use std::time::Duration;

use warren_node::SwarmRequest;
use warren_store::MailStore;
use warren_wire::Stamp;
use warren_wire::record::Record;

use crate::world::{Person, World};

const DAY: u64 = 86_400_000;

#[tokio::test(start_paused = true)]
async fn an_acknowledged_extension_outlives_the_members_that_had_the_message() {
    let (world, person) = (World::swarm(5), Person::new(100));
    world.settle().await;
    assert!(world.by(1, &person.store("long", world.now())).await.agreed);
    let late = world.now() + 5 * DAY;
    assert!(world.by(1, &person.extend(&["long"], late, world.now())).await.agreed);
    for number in [4, 5] {
        world.cut_off(number);
    }
    assert!(world.by(1, &person.store("short", world.now())).await.agreed);
    for number in [2, 3] {
        world.cut_off(number);
    }
    for number in [4, 5] {
        world.back(number);
    }
    // Two of the three that hear of it lack the one that matters, and have the other for long enough.
    let extended = person.extend(&["long", "short"], late, world.now());
    assert!(world.by(1, &extended).await.agreed);
    world.cut_off(1);
    for number in [2, 3] {
        world.back(number);
    }
    world.rounds(3).await;
    tokio::time::sleep(Duration::from_millis(DAY)).await;
    for number in 2..=5 {
        assert_eq!(world.has(number, &person).await, ["long", "short"], "node {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_keeps_an_extension_of_messages_that_nobody_has() {
    let (world, person) = (World::swarm(5), Person::new(100));
    world.settle().await;
    let extended = person.extend(&["never stored"], world.now() + DAY, world.now());
    let outcome = world.by(1, &extended).await;
    assert!(outcome.agreed);
    assert_eq!(outcome.members.iter().filter(|(_, result)| result.is_done()).count(), 5);
    for number in 1..=5 {
        assert!(world.items(number).await.is_empty(), "node {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_extension_that_adds_too_little_is_answered_and_kept_by_nobody() {
    let (world, person) = (World::swarm(5), Person::new(100));
    world.settle().await;
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    let before = world.items(3).await;
    let soon = world.now() + DAY + 1_000;
    assert!(world.by(2, &person.extend(&["x", "y"], soon, world.now())).await.agreed);
    assert_eq!(world.items(3).await, before);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_catches_up_keeps_an_extension_of_what_it_lacks() {
    let (mut world, person) = (World::swarm(5), Person::new(100));
    world.settle().await;
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    world.restart(5, true);
    let late = world.now() + 5 * DAY;
    assert!(world.by(1, &person.extend(&["x"], late, world.now())).await.agreed);
    assert_eq!(world.items(5).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_extension_that_something_later_withstands_is_repeated_by_all() {
    let (world, person) = (World::swarm(5), Person::new(100));
    world.settle().await;
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    let request = person.store("x", world.now());
    let later = Stamp::at(world.now() + 60_000);
    let Record::Message(copy) = request.record(later).unwrap() else { panic!("no message") };
    world.nodes[&3].store.store(copy, world.now()).await.unwrap();
    let late = world.now() + 5 * DAY;
    assert!(world.by(1, &person.extend(&["x"], late, world.now())).await.agreed);
    for number in 1..=5 {
        let items = world.items(number).await;
        assert!(items.iter().any(|item| item.stamp > later), "node {number}");
    }
}
