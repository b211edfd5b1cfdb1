//! Members that were down, cut off or wiped end with what the swarm has.

use std::sync::Arc;
use std::time::Duration;

use warren_store::MailStore;

use crate::world::{Person, World, id};

async fn all_have(world: &World, person: &Person, expected: &[&str]) {
    for number in world.nodes.keys() {
        assert_eq!(world.has(*number, person).await, expected, "node {number}");
    }
    let mut items = Vec::new();
    for number in world.nodes.keys() {
        items.push(world.items(*number).await);
    }
    assert!(items.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test(start_paused = true)]
async fn what_a_member_missed_is_handed_off_though_the_coordinator_started_anew() {
    let (mut world, person) = (World::swarm(5), Person::new(100));
    world.settle().await;
    for text in ["stays", "goes", "shortened"] {
        assert!(world.by(1, &person.store(text, world.now())).await.agreed);
    }
    world.cut_off(5);
    assert!(world.by(1, &person.store("missed", world.now())).await.agreed);
    assert!(world.by(1, &person.delete(&["goes"], world.now())).await.agreed);
    let soon = world.now() + 60_000;
    assert!(world.by(1, &person.expire("shortened", soon, world.now())).await.agreed);
    assert_eq!(world.has(5, &person).await, ["goes", "shortened", "stays"]);
    world.restart(1, false);
    world.back(5);
    world.member(1).hand_off_once().await;
    all_have(&world, &person, &["missed", "shortened", "stays"]).await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    all_have(&world, &person, &["missed", "stays"]).await;
    // Nothing is left to hand off.
    let notes = world.nodes[&1].store.missed(id(5), 10).await.unwrap();
    assert!(notes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_wiped_member_refills_and_does_not_bring_back_what_was_deleted() {
    let (mut world, person) = (World::swarm(5), Person::new(100));
    world.settle().await;
    for number in 0..200 {
        let text = format!("{number:03}");
        assert!(world.by(1, &person.store(&text, world.now())).await.agreed);
    }
    world.cut_off(4);
    for number in 0..199 {
        let text = format!("{number:03}");
        assert!(world.by(2, &person.delete(&[&text], world.now())).await.agreed);
    }
    // The coordinator of the deletions goes for good, with its notes; one that has all messages is
    // back, and one that has nothing begins.
    world.cut_off(2);
    world.back(4);
    world.restart(5, true);
    world.rounds(3).await;
    for number in [1, 3, 4, 5] {
        assert_eq!(world.has(number, &person).await, ["199"], "node {number}");
    }
    world.back(2);
    world.rounds(2).await;
    all_have(&world, &person, &["199"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_is_whole_that_a_wiped_member_serves_before_it_caught_up() {
    let (mut world, person) = (World::swarm(7), Person::new(100));
    world.settle().await;
    for number in [5, 6, 7] {
        world.cut_off(number);
    }
    // Kept by four: the wiped one, and three.
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    for number in [5, 6, 7] {
        world.back(number);
    }
    world.restart(4, true);
    assert!(!world.member(4).is_caught_up());
    assert_eq!(world.read(4, &person).await.unwrap(), ["x"]);
    world.settle().await;
    assert!(world.member(4).is_caught_up());
}

#[tokio::test(start_paused = true)]
async fn an_empty_store_that_hears_nobody_claims_no_empty_mailbox() {
    let (mut world, person) = (World::swarm(3), Person::new(100));
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    world.restart(1, true);
    world.cut_off(1);
    assert_eq!(world.read(1, &person).await, Err(503));
    world.back(1);
    assert_eq!(world.read(1, &person).await.unwrap(), ["x"]);
    // One that kept its mail serves it.
    world.restart(2, false);
    world.cut_off(2);
    assert_eq!(world.read(2, &person).await.unwrap(), ["x"]);
}

#[tokio::test(start_paused = true)]
async fn two_halves_that_were_cut_apart_agree_when_the_cut_ends() {
    let (world, person) = (World::swarm(7), Person::new(100));
    world.settle().await;
    assert!(world.by(1, &person.store("before", world.now())).await.agreed);
    // Three that hear nobody take a store in that is not acknowledged, and four delete.
    for number in [5, 6, 7] {
        world.cut_off(number);
    }
    assert!(!world.by(6, &person.store("minority", world.now())).await.agreed);
    assert!(world.by(1, &person.delete(&["before"], world.now())).await.agreed);
    for number in [5, 6, 7] {
        world.back(number);
    }
    world.rounds(3).await;
    all_have(&world, &person, &["minority"]).await;
}

#[tokio::test(start_paused = true)]
async fn long_running_members_heal_by_themselves() {
    let (mut world, person) = (World::swarm(5), Person::new(100));
    let mut tasks = Vec::new();
    for running in world.nodes.values() {
        tasks.push(tokio::spawn(Arc::clone(&running.member).run_handoff()));
        tasks.push(tokio::spawn(Arc::clone(&running.member).run_reconciliation()));
    }
    world.cut_off(3);
    for number in 0..50 {
        assert!(world.by(1, &person.store(&format!("{number:02}"), world.now())).await.agreed);
    }
    world.back(3);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(world.has(3, &person).await.len(), 50);
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    world.restart(4, true);
    let member = Arc::clone(world.member(4));
    tasks.push(tokio::spawn(member.run_reconciliation()));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(world.member(4).is_caught_up());
    assert_eq!(world.has(4, &person).await.len(), 50);
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn very_many_missed_messages_come_in_slices_and_batches() {
    let mut world = World::swarm(2);
    world.pace.slice_items = 64;
    let store = Arc::clone(&world.nodes[&1].store);
    let people: Vec<_> = (100..140).map(Person::new).collect();
    for person in &people {
        for number in 0..50 {
            let request = person.store(&format!("{number:02}"), world.now());
            let record =
                warren_node::SwarmRequest::record(&request, warren_wire::Stamp::at(world.now()));
            let warren_wire::record::Record::Message(message) = record.unwrap() else {
                panic!("no message")
            };
            store.store(message, world.now()).await.unwrap();
        }
    }
    world.start(1, store, 0);
    world.restart(2, true);
    world.member(2).gather_once().await;
    assert!(world.member(2).is_caught_up());
    assert_eq!(world.items(1).await, world.items(2).await);
    assert_eq!(world.items(2).await.len(), 2_000);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_with_more_than_is_fetched_at_once_comes_in_turns() {
    let (mut world, person) = (World::swarm(2), Person::new(100));
    world.settle().await;
    for number in 0..50 {
        assert!(world.by(1, &person.store(&format!("{number:02}"), world.now())).await.agreed);
    }
    world.pace.most_needed = 20;
    world.restart(2, true);
    world.member(2).gather_once().await;
    assert!(world.member(2).is_caught_up());
    assert_eq!(world.items(2).await, world.items(1).await);
}

/// A message that lives by an order alone, with so much mail between the two that records of both do
/// not come in one part. It was kept by all but one.
async fn extended_beyond_its_own_expiry() -> (World, Person) {
    const HOUR: u64 = 60 * 60;
    let (world, person) = (World::swarm(3), Person::new(100));
    world.settle().await;
    world.cut_off(3);
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    tokio::time::sleep(Duration::from_secs(22 * HOUR)).await;
    for number in 0..80 {
        let long = format!("{number:02}").repeat(30_000);
        assert!(world.by(1, &person.store(&long, world.now())).await.agreed);
    }
    let extended = person.expire("x", world.now() + 20 * 24 * HOUR * 1_000, world.now());
    assert!(world.by(1, &extended).await.agreed);
    tokio::time::sleep(Duration::from_secs(8 * HOUR)).await;
    world.back(3);
    (world, person)
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_read_in_parts_has_what_lives_by_a_later_part_alone() {
    let (mut world, person) = extended_beyond_its_own_expiry().await;
    world.restart(3, true);
    assert!(world.read(3, &person).await.unwrap().contains(&"x".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_comparison_brings_what_lives_by_a_later_batch_alone() {
    let (mut world, person) = extended_beyond_its_own_expiry().await;
    world.restart(3, true);
    world.member(3).gather_once().await;
    assert_eq!(world.has(3, &person).await.len(), 81);
    let (world, person) = extended_beyond_its_own_expiry().await;
    world.member(1).reconcile_all_with(world.list.get(&id(3)).unwrap()).await.unwrap();
    assert_eq!(world.has(3, &person).await.len(), 81);
}

#[tokio::test(start_paused = true)]
async fn part_of_a_mailbox_is_not_served_as_the_whole() {
    let (mut world, person) = (World::swarm(5), Person::new(100));
    world.settle().await;
    world.cut_off(2);
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    world.back(2);
    // Wiped, and hears the one alone that missed it, though that brings it something else.
    world.restart(1, true);
    for number in [3, 4, 5] {
        world.cut_off(number);
    }
    assert!(!world.by(2, &person.store("y", world.now())).await.agreed);
    assert_eq!(world.has(1, &person).await, ["y"]);
    assert_eq!(world.read(1, &person).await, Err(503));
    for number in [3, 4] {
        world.back(number);
    }
    assert_eq!(world.read(1, &person).await.unwrap(), ["x", "y"]);
}

#[tokio::test(start_paused = true)]
async fn a_swarm_that_is_new_is_read_though_some_of_it_never_came_up() {
    for (members, down) in [(3, 1), (5, 1), (5, 2), (7, 3)] {
        let (mut world, person) = (World::swarm(members), Person::new(100));
        let up = members - down;
        for number in up + 1..=members {
            world.cut_off(number);
        }
        for number in 1..=up {
            assert!(world.read(number, &person).await.unwrap().is_empty());
        }
        assert!(world.by(1, &person.store("x", world.now())).await.agreed);
        world.settle().await;
        // Also when one of those that are up is started anew.
        world.restart(2, false);
        world.settle().await;
        tokio::time::sleep(Duration::from_secs(11)).await;
        for number in 1..=up {
            assert_eq!(world.read(number, &person).await.unwrap(), ["x"], "{number} of {members}");
        }
    }
}
