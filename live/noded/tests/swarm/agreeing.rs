//! When a request counts as done, and what the members say of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use warren_node::SwarmRequest;
use warren_node::answer::MemberResult;
use warren_store::MailStore;
use warren_wire::Stamp;
use warren_wire::limits::CLOCK_TOLERANCE;
use warren_wire::record::Record;

use crate::world::{Person, World, id};

fn done(outcome: &warren_noded::swarm::Outcome) -> usize {
    outcome.members.iter().filter(|(_, result)| result.is_done()).count()
}

#[tokio::test(start_paused = true)]
async fn a_message_reaches_every_member_and_each_signs_for_it() {
    let (world, person) = (World::swarm(7), Person::new(100));
    let outcome = world.by(3, &person.store("hello", world.now())).await;
    assert!(outcome.agreed);
    assert_eq!(done(&outcome), 7);
    assert_eq!(outcome.members[0].0, id(3));
    for number in 1..=7 {
        assert_eq!(world.has(number, &person).await, ["hello"]);
        assert_eq!(world.nodes[&number].told.0.load(Ordering::SeqCst), 1);
    }
    let again = world.by(4, &person.store("hello", world.now())).await;
    assert_eq!(done(&again), 7);
    assert_eq!(world.nodes[&5].told.0.load(Ordering::SeqCst), 1, "known messages arrive once");
}

#[tokio::test(start_paused = true)]
async fn without_a_quorum_nothing_is_agreed_and_with_one_it_is() {
    let (world, person) = (World::swarm(7), Person::new(100));
    for number in [5, 6, 7] {
        world.cut_off(number);
    }
    assert!(world.by(1, &person.store("four of seven", world.now())).await.agreed);
    world.cut_off(4);
    let outcome = world.by(1, &person.store("three of seven", world.now())).await;
    assert!(!outcome.agreed);
    assert_eq!(done(&outcome), 3);
    assert_eq!(outcome.members.len(), 7);
    let deletion = world.by(1, &person.delete(&["four of seven"], world.now())).await;
    assert!(!deletion.agreed);
}

#[tokio::test(start_paused = true)]
async fn a_quorum_without_the_coordinators_own_store_is_one() {
    let (world, person) = (World::swarm(5), Person::new(100));
    world.nodes[&1].store.close().await;
    let outcome = world.by(1, &person.store("kept by four", world.now())).await;
    assert!(outcome.agreed);
    assert_eq!(outcome.members[0], (id(1), MemberResult::StorageFailed));
    assert_eq!(world.has(2, &person).await, ["kept by four"]);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_hangs_is_waited_for_a_moment_and_then_not_at_all() {
    let (world, person) = (World::swarm(5), Person::new(100));
    world.silence(5);
    let before = Instant::now();
    assert!(world.by(1, &person.store("one", world.now())).await.agreed);
    assert!(before.elapsed() < Duration::from_millis(1_500));
    // The call that was given up says nothing yet of the member's health; one that ends does.
    world.member(1).reconcile_once().await;
    world.member(1).reconcile_once().await;
    let before = Instant::now();
    assert!(world.by(1, &person.store("two", world.now())).await.agreed);
    assert!(before.elapsed() < Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn a_member_whose_signature_does_not_hold_has_not_stored() {
    let (world, person) = (World::swarm(5), Person::new(100));
    world.lie(4);
    let outcome = world.by(1, &person.store("x", world.now())).await;
    assert!(outcome.agreed);
    let liar = outcome.members.iter().find(|(member, _)| *member == id(4)).unwrap();
    assert_eq!(liar.1, MemberResult::Unreachable);
    assert_eq!(done(&outcome), 4);
}

#[tokio::test(start_paused = true)]
async fn what_comes_later_prevails_though_the_clocks_are_minutes_apart() {
    let (mut world, person) = (World::swarm(5), Person::new(100));
    world.start(2, Arc::default(), 600_000);
    world.start(3, Arc::default(), -600_000);
    // Taken in by the one whose clock is ahead, deleted through the one whose clock is behind.
    assert!(world.by(2, &person.store("x", world.now())).await.agreed);
    let late = world.by(3, &person.delete(&["x"], world.now())).await;
    assert!(late.agreed);
    for number in 1..=5 {
        assert!(world.has(number, &person).await.is_empty(), "{number}");
    }
    // And the other way round.
    assert!(world.by(2, &person.delete(&["y"], world.now())).await.agreed);
    assert!(world.by(3, &person.store("y", world.now())).await.agreed);
    for number in 1..=5 {
        assert_eq!(world.has(number, &person).await, ["y"], "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_claims_to_have_something_later_keeps_nothing_from_being_agreed() {
    let (mut world, person) = (World::swarm(5), Person::new(100));
    for behind in [2, 3, 4] {
        world.start(behind, Arc::default(), -5_000);
    }
    let latest = Stamp::at(world.now() + CLOCK_TOLERANCE);
    world.claim_later(5, latest);
    assert!(world.by(1, &person.store("one", world.now())).await.agreed);
    assert!(world.by(1, &person.store("two", world.now())).await.agreed);
    assert!(world.by(2, &person.delete(&["one"], world.now())).await.agreed);
    for number in 1..=4 {
        assert_eq!(world.has(number, &person).await, ["two"], "{number}");
    }
    assert!(world.by(1, &person.delete_all(world.now())).await.agreed);
    for number in 1..=4 {
        assert!(world.has(number, &person).await.is_empty(), "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_copy_that_is_later_is_enough_for_a_deletion_to_be_stamped_after_it() {
    let (world, person) = (World::swarm(5), Person::new(100));
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    // One member alone has a later copy, some minutes ahead, and another claims what it likes.
    let request = person.store("x", world.now());
    let late = Stamp::at(world.now() + 300_000);
    let Record::Message(copy) = SwarmRequest::record(&request, late).unwrap() else {
        panic!("no message")
    };
    world.nodes[&3].store.store(copy, world.now()).await.unwrap();
    world.claim_later(5, Stamp::at(world.now() + CLOCK_TOLERANCE));
    assert!(world.by(1, &person.delete(&["x"], world.now())).await.agreed);
    world.settle().await;
    world.rounds(2).await;
    for number in 1..=5 {
        assert!(world.has(number, &person).await.is_empty(), "{number}");
    }
}
