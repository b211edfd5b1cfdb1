//! One run: a swarm, people, faults, and what must hold when all is healed.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use warren_store::{MailStore, Query};
use warren_wire::record::{Item, Positions};
use warren_wire::{MessageHash, Millis, Namespace};

use crate::chance::Chance;
use crate::faults::{self, Plan};
use crate::forgery;
use crate::journal::{Asked, Journal, Verdict};
use crate::people::{self, Person, Wish};
use crate::seat::Seat;
use crate::world::World;

/// How many members there are.
const MEMBERS: usize = 7;
/// How many mailboxes.
const PEOPLE: usize = 3;
/// How many ask at once.
const WORKERS: usize = 3;
/// For how long things are asked and done.
const LENGTH: Duration = Duration::from_secs(45);
/// How long members may take until they agree: three rounds of comparing, and the pauses between.
const SETTLE: Duration = Duration::from_secs(260);
/// How long a person waits for an answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// How many members a person asks for one thing.
const TRIES: usize = 3;
const DAY: Millis = 86_400_000;

/// What a run was like.
#[derive(Debug, Clone, Copy, Default)]
pub struct Report {
    /// How many requests were acknowledged.
    pub acknowledged: usize,
    /// How many messages had to be there in the end.
    pub kept: usize,
    /// How many had to be gone.
    pub gone: usize,
    /// How many faults there were.
    pub faults: usize,
}

/// Runs a seed in time that stands still while something is done.
///
/// # Errors
/// What did not hold, in words, with the faults of the run.
pub fn run(seed: u64) -> Result<Report, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    let chance = Chance::new(seed);
    let plan = Plan::draw(&chance, MEMBERS, LENGTH);
    let told = plan.clone();
    let outcome = runtime.block_on(live(chance, plan));
    outcome.map_err(|what| format!("seed {seed}: {what}\nfaults: {:#?}", told.faults))
}

async fn live(chance: Chance, plan: Plan) -> Result<Report, String> {
    let world = World::new(MEMBERS, &chance);
    if let Some(joining) = plan.joining {
        let others: Vec<usize> = (0..MEMBERS).filter(|number| *number != joining).collect();
        world.relist(&others);
    }
    for number in (0..MEMBERS).filter(|number| Some(*number) != plan.joining) {
        world.start(number);
    }
    let people: Arc<Vec<Person>> = Arc::new((0..PEOPLE).map(|_| Person::new(&chance)).collect());
    let journal = Arc::new(Mutex::new(Journal::default()));
    let began = Instant::now();
    let forger =
        tokio::spawn(forgery::forge(Arc::clone(&world), Arc::clone(&people), Arc::clone(&journal)));
    let mut all: Vec<_> = plan
        .faults
        .iter()
        .map(|fault| tokio::spawn(faults::happen(Arc::clone(&world), *fault, began)))
        .collect();
    all.extend((0..WORKERS).map(|_| {
        let (world, people, journal) =
            (Arc::clone(&world), Arc::clone(&people), Arc::clone(&journal));
        tokio::spawn(ask_things(world, people, journal, began + LENGTH))
    }));
    for task in all {
        task.await.map_err(|error| error.to_string())?;
    }
    forger.abort();
    heal(&world);
    settle(&world, &journal, &people, plan.faults.len()).await
}

/// Everything is well again, but clocks stay off and liars lie on.
fn heal(world: &Arc<World>) {
    world.wires.heal();
    for seat in &world.seats {
        seat.ailment.slow.store(0, Ordering::Relaxed);
        seat.ailment.full.store(false, Ordering::Relaxed);
        world.start(seat.number);
    }
}

/// Asks for one thing after the other.
async fn ask_things(
    world: Arc<World>,
    people: Arc<Vec<Person>>,
    journal: Arc<Mutex<Journal>>,
    end: Instant,
) {
    while Instant::now() < end {
        sleep(world.chance.time(Duration::from_secs(4))).await;
        let (person, wish) = {
            let journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
            draw_wish(&world, &journal)
        };
        let asked = ask(&world, &people, person, wish).await;
        journal.lock().unwrap_or_else(PoisonError::into_inner).note(asked);
    }
}

fn draw_wish(world: &World, journal: &Journal) -> (usize, Wish) {
    let chance = &world.chance;
    let standing = journal.standing();
    let deleted = journal.deleted();
    let person = chance.below(PEOPLE);
    match chance.below(20) {
        0..=3 if !standing.is_empty() => {
            let (person, hash, _) = standing[chance.below(standing.len())];
            (person, Wish::Delete(hash))
        }
        4 | 5 if !standing.is_empty() => {
            let (person, hash, _) = standing[chance.below(standing.len())];
            let days = Millis::try_from(2 + chance.below(20)).unwrap_or(2);
            (person, Wish::Expire(hash, world.clock.read() + days * DAY))
        }
        6 if chance.happens(50) => (person, Wish::DeleteAll),
        // The same bytes once more: a new message.
        7 if !deleted.is_empty() => {
            let (person, data) = deleted[chance.below(deleted.len())].clone();
            (person, Wish::Store(data, DAY))
        }
        8 if !standing.is_empty() => {
            let (person, _, data) = standing[chance.below(standing.len())].clone();
            (person, Wish::Store(data, DAY))
        }
        _ => {
            let ttl = if chance.happens(10) { 15_000 } else { DAY };
            let size = 1 + chance.below(60);
            (person, Wish::Store(chance.bytes(size), ttl))
        }
    }
}

/// Asks one member after the other until one says that it is done.
async fn ask(world: &World, people: &[Person], person: usize, wish: Wish) -> Asked {
    let owner = &people[person];
    let begun = world.clock.read();
    let hash = match &wish {
        Wish::Store(data, _) => Some(owner.hash(data)),
        Wish::Delete(hash) | Wish::Expire(hash, _) => Some(*hash),
        Wish::DeleteAll => None,
    };
    let (method, params) = owner.request(&wish, begun);
    let (mut agreed, mut through) = (false, Vec::new());
    for _ in 0..TRIES {
        let seat = &world.seats[world.chance.below(MEMBERS)];
        through.push(seat.number);
        let Some(member) = seat.member() else { continue };
        let Ok(request) = people::check(method, &params, seat.clock.read()) else { continue };
        if !member.placement().keeps(request.owner()) {
            continue;
        }
        let done = seat.run(async move { member.carry_out(request.as_ref()).await.agreed });
        if let Ok(Ok(true)) = timeout(PATIENCE, done).await {
            agreed = true;
            break;
        }
    }
    // What begins later has a later time.
    sleep(Duration::from_millis(1)).await;
    Asked { person, wish, hash, begun, ended: world.clock.read(), through, agreed }
}

/// Waits until honest members agree, then compares them with what was acknowledged.
async fn settle(
    world: &World,
    journal: &Mutex<Journal>,
    people: &[Person],
    faults: usize,
) -> Result<Report, String> {
    let honest: Vec<&Seat> = world.seats.iter().filter(|seat| seat.lie().is_none()).collect();
    let healed = Instant::now();
    while !agree(world, &honest).await {
        if healed.elapsed() > SETTLE {
            return Err("members do not agree in the end".to_owned());
        }
        sleep(Duration::from_secs(5)).await;
    }
    // Nobody asks any more.
    let journal = std::mem::take(&mut *journal.lock().unwrap_or_else(PoisonError::into_inner));
    let mut report = Report { acknowledged: journal.agreed(), faults, ..Report::default() };
    let messages = journal.messages();
    for seat in honest {
        let kept = kept_by(world, seat, people).await?;
        if let Some(stranger) =
            kept.iter().find(|(person, hash, _)| !messages.contains(&(*person, *hash)))
        {
            return Err(format!("member {} keeps what nobody stored: {stranger:?}", seat.number));
        }
        (report.kept, report.gone) = (0, 0);
        for (person, hash) in &messages {
            let here = kept.iter().find(|(who, what, _)| who == person && what == hash);
            match journal.verdict(*person, hash, world.clock.read()) {
                Verdict::Kept if here.is_none() => {
                    let story = journal.story(*person, hash);
                    return Err(format!("member {} lost {hash} of {person}:{story}", seat.number));
                }
                Verdict::Gone if here.is_some() => {
                    let story = journal.story(*person, hash);
                    return Err(format!("{hash} of {person} came back at {}:{story}", seat.number));
                }
                Verdict::Kept => report.kept += 1,
                Verdict::Gone => report.gone += 1,
                Verdict::Open => {}
            }
            if let (Some(expected), Some((_, _, found))) = (journal.expiry(*person, hash), here)
                && expected != *found
            {
                let number = seat.number;
                let story = journal.story(*person, hash);
                return Err(format!(
                    "{hash} expires at {found} at {number}, not at {expected}:{story}"
                ));
            }
        }
    }
    Ok(report)
}

/// Whether all keep the same messages and orders, in the same state.
async fn agree(world: &World, honest: &[&Seat]) -> bool {
    let now = world.clock.read();
    let mut all: BTreeSet<Vec<Item>> = BTreeSet::new();
    for seat in honest {
        match seat.disk().items(Positions::ALL, now).await {
            Ok(items) => drop(all.insert(items)),
            Err(_) => return false,
        }
    }
    all.len() <= 1
}

/// Everything that one member serves.
async fn kept_by(
    world: &World,
    seat: &Seat,
    people: &[Person],
) -> Result<Vec<(usize, MessageHash, Millis)>, String> {
    let mut kept = Vec::new();
    for (number, person) in people.iter().enumerate() {
        for namespace in [Namespace::DIRECT, Namespace::new(5)] {
            let query = Query {
                owner: person.id(),
                namespace,
                after: None,
                max_count: None,
                max_size: usize::MAX,
                newest_first: false,
            };
            let page = seat.disk().retrieve(query, world.clock.read()).await;
            let page = page.map_err(|error| error.to_string())?;
            for message in page.messages {
                if MessageHash::compute(&person.id(), namespace, &message.data) != Ok(message.hash)
                {
                    return Err(format!("{} is not what its name says", message.hash));
                }
                kept.push((number, message.hash, message.expiry));
            }
        }
    }
    Ok(kept)
}
