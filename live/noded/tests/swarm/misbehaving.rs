//! Nodes that are on the list and do not keep to the rules.

use std::time::Duration;

use futures_util::future::join_all;
use warren_node::{SwarmRequest, accept};
use warren_store::MailStore;
use warren_wire::rpc::member::{Call, Compared, Taken};
use warren_wire::{Positions, Stamp};

use crate::world::{Person, World, id, list};

const LOW: u64 = 1 << 62;
const HIGH: u64 = 3 << 62;

fn two_swarms() -> World {
    World::new(&[(1, LOW), (2, LOW), (3, HIGH), (4, HIGH)])
}

#[tokio::test(start_paused = true)]
async fn records_are_taken_from_those_alone_who_keep_or_kept_their_mailboxes() {
    let (mut world, low) = (two_swarms(), Person::in_upper_half(false, 100));
    tokio::time::sleep(Duration::from_secs(2 * 60 * 60)).await;
    let request = low.store("x", world.now());
    let record = request.record(Stamp::at(world.now())).unwrap();
    let written = accept::give(record).unwrap().encode().unwrap();
    let call = || Call::Records(vec![written.clone()]);
    let taken = |(status, body): (u16, Vec<u8>)| {
        assert_eq!(status, 200);
        Taken::decode(&body).unwrap()
    };
    assert_eq!(taken(world.call(3, 1, call()).await), [Taken::Refused]);
    assert_eq!(taken(world.call(2, 1, call()).await), [Taken::Kept]);
    // What it was to keep by an earlier list it brings, however late it comes.
    world.adopt(&[(1, HIGH), (2, LOW), (3, LOW), (4, HIGH)]);
    world.adopt(&[(1, LOW), (2, LOW), (3, HIGH), (4, HIGH)]);
    tokio::time::sleep(Duration::from_secs(2 * 60 * 60)).await;
    assert_eq!(taken(world.call(3, 2, call()).await), [Taken::Kept]);
    assert_eq!(taken(world.call(4, 2, call()).await), [Taken::Refused]);
}

#[tokio::test(start_paused = true)]
async fn a_comparison_is_of_what_one_of_the_two_keeps_and_not_of_very_much() {
    let mut world = two_swarms();
    world.pace.slice_items = 4;
    let store = world.nodes[&1].store.clone();
    world.start(1, store, 0);
    for number in 100..140 {
        let person = Person::new(number);
        let keeper = if warren_wire::swarm::position(&person.id) < 1 << 63 { 1 } else { 3 };
        assert!(world.by(keeper, &person.store("x", world.now())).await.agreed);
    }
    let message = Vec::new();
    let all = world.call(3, 1, Call::Reconcile(Positions::ALL, message.clone())).await;
    assert_eq!(all.0, 401);
    let stretches = world.member(1).placement().stretches().to_vec();
    let widest = stretches.into_iter().max_by_key(|it| it.last - it.first).unwrap();
    let (status, body) = world.call(2, 1, Call::Reconcile(widest, message)).await;
    assert_eq!(status, 200);
    // Not how many there are, but that they are more than it looks at.
    assert_eq!(Compared::decode(&body).unwrap(), Compared::TooMany(17));
    assert_eq!(world.call(2, 1, Call::Fetch(widest, Vec::new())).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn what_a_member_refuses_of_what_it_missed_is_compared_once_more() {
    let (mut world, person) = (World::swarm(3), Person::in_upper_half(false, 100));
    world.settle().await;
    world.cut_off(3);
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    // It goes by a list that has it keep other mail.
    let right = std::mem::replace(&mut world.list, list(&[(1, LOW), (2, LOW), (3, HIGH)]));
    let store = world.nodes[&3].store.clone();
    world.start(3, store, 0);
    world.back(3);
    tokio::time::sleep(Duration::from_secs(5)).await;
    world.member(1).hand_off_once().await;
    world.member(1).reconcile_due().await;
    assert!(world.by(1, &person.store("y", world.now())).await.agreed);
    world.member(1).hand_off_once().await;
    assert!(world.nodes[&1].store.missed(id(3), 10).await.unwrap().is_empty());
    world.member(3).adopt(right);
    world.member(1).reconcile_due().await;
    assert_eq!(world.has(3, &person).await, ["x", "y"]);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_hangs_keeps_nobody_from_catching_up_or_comparing() {
    let (mut world, person) = (World::swarm(5), Person::new(100));
    world.settle().await;
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    // Those that are asked first.
    let mut others = [1, 2, 3, 4];
    others.sort_by_key(|number| id(*number));
    world.silence(others[0]);
    world.pace.comparison = Duration::from_secs(2);
    world.restart(5, true);
    let member = world.member(5).clone();
    let gathering = tokio::spawn(async move { member.gather_once().await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(world.member(5).is_caught_up());
    gathering.abort();
    world.pace.peers_per_round = 4;
    let store = world.nodes[&5].store.clone();
    world.start(5, store, 0);
    let before = tokio::time::Instant::now();
    world.member(5).reconcile_once().await;
    assert!(before.elapsed() < Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn what_one_member_gives_as_nonsense_is_still_taken_from_the_others() {
    let (world, person) = (World::swarm(3), Person::new(100));
    world.settle().await;
    world.cut_off(3);
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    world.back(3);
    world.garble(2);
    let compare = async |number: u8| {
        let peer = world.list.get(&id(number)).unwrap();
        world.member(3).reconcile_all_with(peer).await.unwrap()
    };
    assert_eq!(compare(2).await.refused, 1);
    // That one is not asked again.
    assert_eq!(compare(2).await.refused, 0);
    assert_eq!(compare(1).await.taken, 1);
    assert_eq!(world.has(3, &person).await, ["x"]);
}

#[tokio::test(start_paused = true)]
async fn a_member_whose_records_are_refused_has_not_told_what_is_in_a_mailbox() {
    let (mut world, person) = (World::swarm(3), Person::new(100));
    world.settle().await;
    world.cut_off(2);
    assert!(world.by(1, &person.store("x", world.now())).await.agreed);
    world.back(2);
    world.restart(3, true);
    world.garble(1);
    assert_eq!(world.read(3, &person).await, Err(503));
}

#[tokio::test(start_paused = true)]
async fn very_many_mailboxes_asked_for_at_once_wait_for_their_turn() {
    let (mut world, person) = (World::swarm(2), Person::new(100));
    world.settle().await;
    world.restart_slow(1, Duration::ZERO, Duration::from_millis(50));
    let mailboxes = (0..500).map(|_| world.call(2, 1, Call::Mailbox(person.id, None)));
    let latest = (0..500).map(|_| world.call(2, 1, Call::Latest(person.id)));
    let (mailboxes, latest) =
        futures_util::future::join(join_all(mailboxes), join_all(latest)).await;
    assert!(mailboxes.iter().chain(&latest).all(|(status, _)| *status == 200));
    // What nobody waits for is put off.
    let position = warren_wire::swarm::position(&person.id);
    let here = Positions::at(position);
    let compared = (0..500).map(|_| world.call(2, 1, Call::Fetch(here, Vec::new())));
    let compared = join_all(compared).await;
    assert_eq!(compared.iter().filter(|(status, _)| *status == 200).count(), 64);
}

#[tokio::test(start_paused = true)]
async fn mail_that_nobody_takes_is_offered_ever_more_rarely() {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let (world, low) = (two_swarms(), Person::in_upper_half(false, 100));
    tokio::time::sleep(2 * HOUR).await;
    let request = low.store("x", world.now());
    let record = request.record(Stamp::at(world.now())).unwrap();
    world.nodes[&3].store.merge(vec![record], world.now()).await.unwrap();
    world.member(3).gather_once().await;
    let running = tokio::spawn(world.member(3).clone().run_reconciliation());
    tokio::time::sleep(Duration::from_secs(20)).await;
    let soon = world.calls_of(3);
    tokio::time::sleep(2 * HOUR).await;
    let later = world.calls_of(3);
    tokio::time::sleep(2 * HOUR).await;
    running.abort();
    assert!(world.member(3).may_hold_foreign_mail());
    assert_eq!(world.has(3, &low).await, ["x"]);
    // A few calls in each of 120 rounds, and in each of some 12 offers.
    assert!(
        soon > 10 && world.calls_of(3) - later < 2_000,
        "{soon}, {later}, {}",
        world.calls_of(3)
    );
}
