//! Lists that change: nodes join and leave, swarms split and merge, and no mail is lost meanwhile.

use std::sync::Arc;
use std::time::Duration;

use warren_noded::swarm::FormerList;

use crate::world::{Person, World, list};

const LOW: u64 = 1 << 62;
const HIGH: u64 = 3 << 62;

#[tokio::test(start_paused = true)]
async fn a_node_that_joins_serves_whole_mailboxes_from_its_first_moment() {
    let (mut world, person) = (World::swarm(5), Person::new(100));
    world.settle().await;
    assert!(world.by(1, &person.store("before", world.now())).await.agreed);
    let grown: Vec<_> = (1..=6).map(|number| (number, 9)).collect();
    world.adopt(&grown);
    world.start(6, Arc::default(), 0);
    assert!(!world.member(6).is_caught_up());
    assert_eq!(world.read(6, &person).await.unwrap(), ["before"]);
    assert!(world.by(6, &person.store("after", world.now())).await.agreed);
    world.settle().await;
    assert!(world.member(6).is_caught_up());
    assert_eq!(world.items(6).await, world.items(1).await);
}

#[tokio::test(start_paused = true)]
async fn a_swarm_that_splits_moves_mail_without_a_gap() {
    let mut world = World::swarm(10);
    world.settle().await;
    let (low, high) = (Person::in_upper_half(false, 100), Person::in_upper_half(true, 100));
    for person in [&low, &high] {
        assert!(world.by(1, &person.store("before", world.now())).await.agreed);
    }
    // One swarm becomes two; those of the upper half had the mail before, and drop the rest.
    let split: Vec<_> =
        (1..=10).map(|number| (number, if number <= 5 { LOW } else { HIGH })).collect();
    world.adopt(&split);
    assert_eq!(world.read(2, &low).await.unwrap(), ["before"]);
    assert_eq!(world.read(7, &high).await.unwrap(), ["before"]);
    assert!(world.by(2, &low.store("after", world.now())).await.agreed);
    assert_eq!(world.by(2, &low.store("after", world.now())).await.members.len(), 5);
    world.settle().await;
    for number in 1..=5 {
        assert_eq!(world.has(number, &low).await, ["after", "before"]);
        assert!(world.has(number, &high).await.is_empty(), "{number} kept what is not its own");
    }
    for number in 6..=10 {
        assert_eq!(world.has(number, &high).await, ["before"]);
        assert!(world.has(number, &low).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn new_keepers_answer_for_mail_that_is_still_on_its_way() {
    // Two swarms; nodes 3 to 5 are needed in the upper one, which lost its own.
    let before: Vec<_> =
        (1..=10).map(|number| (number, if number <= 5 { LOW } else { HIGH })).collect();
    let mut world = World::new(&before);
    world.settle().await;
    let (low, high) = (Person::in_upper_half(false, 100), Person::in_upper_half(true, 100));
    assert!(world.by(6, &high.store("high", world.now())).await.agreed);
    assert!(world.by(1, &low.store("low", world.now())).await.agreed);
    let after: Vec<_> = (1..=10)
        .map(|number| (number, if number <= 2 || number > 8 { LOW } else { HIGH }))
        .collect();
    world.adopt(&after);
    // 3 to 5 never kept the upper mail, 9 and 10 never the lower.
    for number in 3..=8 {
        assert_eq!(world.read(number, &high).await.unwrap(), ["high"], "node {number}");
    }
    for number in [1, 2, 9, 10] {
        assert_eq!(world.read(number, &low).await.unwrap(), ["low"], "node {number}");
    }
    world.settle().await;
    world.settle().await;
    for number in 1..=10 {
        assert!(world.member(number).is_caught_up(), "node {number}");
        assert!(!world.member(number).may_hold_foreign_mail(), "node {number}");
    }
    assert_eq!(world.has(9, &low).await, ["low"]);
    assert!(world.has(9, &high).await.is_empty());
    assert_eq!(world.has(4, &high).await, ["high"]);
    assert!(world.has(4, &low).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_mail_of_a_swarm_that_dissolves_goes_to_its_neighbour_before_it_is_dropped() {
    let before: Vec<_> =
        (1..=6).map(|number| (number, if number <= 3 { LOW } else { HIGH })).collect();
    let mut world = World::new(&before);
    world.settle().await;
    let high = Person::in_upper_half(true, 100);
    assert!(world.by(4, &high.store("x", world.now())).await.agreed);
    let after: Vec<_> = (1..=3).map(|number| (number, LOW)).collect();
    world.cut_off(3);
    world.adopt(&after);
    assert_eq!(world.read(1, &high).await.unwrap(), ["x"]);
    world.settle().await;
    // One of the new keepers lacks it: the former ones hold on to it.
    assert_eq!(world.has(4, &high).await, ["x"]);
    assert_eq!(world.has(2, &high).await, ["x"]);
    world.back(3);
    tokio::time::sleep(Duration::from_secs(120)).await;
    world.settle().await;
    world.settle().await;
    assert_eq!(world.has(3, &high).await, ["x"]);
    for number in 4..=6 {
        assert!(world.has(number, &high).await.is_empty());
        assert!(!world.member(number).may_hold_foreign_mail());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_written_while_the_list_changes_comes_to_those_who_keep_it_by_the_new_one() {
    let mut world = World::new(&[(1, LOW), (2, LOW), (3, HIGH), (4, HIGH)]);
    world.settle().await;
    let low = Person::in_upper_half(false, 100);
    for number in [1, 2] {
        world.restart_slow(number, Duration::from_secs(2), Duration::ZERO);
    }
    world.settle().await;
    assert!(!world.member(1).may_hold_foreign_mail());
    let (member, request) = (Arc::clone(world.member(1)), low.store("x", world.now()));
    let storing = tokio::spawn(async move { member.carry_out(&request).await.agreed });
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.adopt(&[(1, HIGH), (2, HIGH), (3, LOW), (4, LOW)]);
    // Nothing of that mailbox is in a store as yet.
    world.settle().await;
    for number in [1, 2] {
        assert!(world.member(number).may_hold_foreign_mail());
    }
    assert!(storing.await.unwrap());
    world.settle().await;
    for number in [3, 4] {
        assert_eq!(world.has(number, &low).await, ["x"]);
    }
    for number in [1, 2] {
        assert!(world.has(number, &low).await.is_empty());
        assert!(!world.member(number).may_hold_foreign_mail());
    }
    // One that was asked by the earlier list does not write by it.
    assert!(!world.by(1, &low.store("late", world.now())).await.agreed);
    assert!(world.has(1, &low).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_that_is_started_anew_amid_a_change_still_asks_those_who_kept_the_mail_before() {
    let mut world = World::new(&[(1, LOW), (2, LOW), (3, HIGH), (4, HIGH)]);
    world.settle().await;
    let high = Person::in_upper_half(true, 100);
    assert!(world.by(3, &high.store("x", world.now())).await.agreed);
    let former = FormerList { list: Arc::clone(&world.list), replaced: world.now() };
    world.adopt(&[(1, LOW), (2, LOW)]);
    world.restart(1, false);
    world.member(1).remember(vec![former.clone()]);
    assert_eq!(world.read(1, &high).await.unwrap(), ["x"]);
    world.restart(2, false);
    world.member(2).remember(vec![former.clone()]);
    world.settle().await;
    assert!(world.member(2).is_caught_up());
    assert_eq!(world.has(2, &high).await, ["x"]);
    // They are given up as long after the change as without a restart.
    tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    for number in [3, 4] {
        world.cut_off(number);
    }
    world.restart(2, true);
    world.member(2).remember(vec![former]);
    world.settle().await;
    assert!(world.member(2).is_caught_up());
}

#[tokio::test(start_paused = true)]
async fn a_wiped_member_catches_up_though_others_left_for_good_before_it_had() {
    let (mut world, person) = (World::swarm(5), Person::new(100));
    world.settle().await;
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    world.restart(5, true);
    for number in [1, 2] {
        world.cut_off(number);
    }
    world.member(5).gather_once().await;
    assert!(!world.member(5).is_caught_up());
    world.adopt(&[(3, 9), (4, 9), (5, 9), (6, 9), (7, 9)]);
    for number in [6, 7] {
        world.start(number, Arc::default(), 0);
    }
    world.settle().await;
    assert!(world.member(5).is_caught_up());
    assert_eq!(world.read(5, &person).await.unwrap(), ["x"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_starts_without_a_list_still_moves_its_mail_when_it_has_one() {
    let (mut world, person) = (World::swarm(3), Person::new(100));
    world.settle().await;
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    world.list = list(&[]);
    world.restart(1, false);
    world.settle().await;
    world.adopt(&[(2, 9), (3, 9)]);
    assert!(world.member(1).may_hold_foreign_mail());
    world.settle().await;
    assert!(!world.member(1).may_hold_foreign_mail());
    assert!(world.has(1, &person).await.is_empty());
    assert_eq!(world.has(2, &person).await, ["x"]);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_nobody_waits_for_still_counts_until_it_ends() {
    let mut world = World::new(&[(1, LOW), (2, LOW), (5, LOW), (3, HIGH), (4, HIGH)]);
    world.settle().await;
    let low = Person::in_upper_half(false, 100);
    world.restart_slow(1, Duration::from_secs(10), Duration::ZERO);
    world.settle().await;
    // The other two are enough, and the own store takes its time.
    assert!(world.by(1, &low.store("x", world.now())).await.agreed);
    assert!(world.has(1, &low).await.is_empty());
    world.adopt(&[(1, HIGH), (2, LOW), (5, LOW), (3, HIGH), (4, HIGH)]);
    world.settle().await;
    assert!(world.member(1).may_hold_foreign_mail());
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(world.has(1, &low).await, ["x"]);
    world.settle().await;
    assert!(!world.member(1).may_hold_foreign_mail());
    assert!(world.has(1, &low).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_request_is_misdirected_whose_mailbox_went_to_others_and_no_other_is() {
    let mut world = World::new(&[(1, LOW), (2, LOW), (3, HIGH), (4, HIGH)]);
    world.settle().await;
    let low = Person::in_upper_half(false, 100);
    let stored = world.by(1, &low.store("x", world.now())).await;
    assert!(stored.agreed && !stored.is_misdirected());
    world.cut_off(2);
    let stored = world.by(1, &low.store("y", world.now())).await;
    assert!(!stored.agreed && !stored.is_misdirected());
    world.back(2);
    world.adopt(&[(1, HIGH), (2, HIGH), (3, LOW), (4, LOW)]);
    assert!(world.by(1, &low.store("late", world.now())).await.is_misdirected());
    assert!(world.by(1, &low.delete(&["x"], world.now())).await.is_misdirected());
}
