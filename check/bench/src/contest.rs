//! Ours and its opponents, run in turns, so that what disturbs one disturbs the other.

use std::time::Duration;

use crate::Outcome;
use crate::stopwatch::{Processor, Spent, Stopwatch};

/// How long and how often everything runs.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// How many times each contestant has its turn.
    pub rounds: usize,
    /// How long a turn of small operations lasts.
    pub turn: Duration,
    /// How many operations a turn of slow operations has.
    pub burst: usize,
    /// How many messages are sent one after the other through the whole network.
    pub messages: usize,
    /// How many messages a member missed that is back.
    pub missed: usize,
    /// How many requests a node holds open.
    pub held: usize,
    /// How many messages a full store holds.
    pub full_store: usize,
    /// How many messages a person's database holds.
    pub database: usize,
    /// How many messages came while a device was away.
    pub behind: usize,
    /// How many MiB are backed up.
    pub backup_mib: usize,
}

impl Effort {
    /// Enough for figures to be compared.
    pub const FULL: Self = Self {
        rounds: 31,
        turn: Duration::from_millis(10),
        burst: 4_096,
        messages: 400,
        missed: 100_000,
        held: 10_000,
        full_store: 1_000_000,
        database: 100_000,
        behind: 10_000,
        backup_mib: 512,
    };
    /// Enough to see that everything runs.
    pub const QUICK: Self = Self {
        rounds: 3,
        turn: Duration::from_millis(1),
        burst: 256,
        messages: 20,
        missed: 2_000,
        held: 200,
        full_store: 20_000,
        database: 4_000,
        behind: 300,
        backup_mib: 16,
    };

    /// Fewer rounds, for contestants whose turns are long.
    #[must_use]
    pub fn with_rounds(self, most: usize) -> Self {
        Self { rounds: self.rounds.min(most), ..self }
    }
}

/// Carries out so many operations.
type Turn<'a> = Box<dyn FnMut(usize) -> Outcome<()> + 'a>;

/// One of those who are compared.
pub struct Contestant<'a> {
    /// As the table names it.
    pub name: &'static str,
    turn: Turn<'a>,
    /// Another process that does the work, or part of it.
    process: Option<u32>,
}

impl<'a> Contestant<'a> {
    /// One whose operations are done one after the other.
    pub fn each<T>(name: &'static str, mut operation: impl FnMut() -> Outcome<T> + 'a) -> Self {
        let turn = move |count| {
            for _ in 0..count {
                std::hint::black_box(operation()?);
            }
            Ok(())
        };
        Self { name, turn: Box::new(turn), process: None }
    }

    /// One that is told how many operations to do and may do them at the same time.
    pub fn burst(name: &'static str, turn: impl FnMut(usize) -> Outcome<()> + 'a) -> Self {
        Self { name, turn: Box::new(turn), process: None }
    }

    /// Counts the processor time of this process too.
    #[must_use]
    pub const fn with_process(mut self, id: u32) -> Self {
        self.process = Some(id);
        self
    }
}

/// What each operation of a contestant took, by round.
pub struct Result {
    /// As the table names it.
    pub name: &'static str,
    /// One for each round: the mean of its turn.
    pub rounds: Vec<Spent>,
}

/// Runs small operations on this thread; each turn has as many as fill [`Effort::turn`].
///
/// # Errors
/// Whatever a contestant fails with.
pub fn of_small(effort: Effort, contestants: Vec<Contestant<'_>>) -> Outcome<Vec<Result>> {
    let mut counted = Vec::new();
    for mut contestant in contestants {
        let count = calibrate(effort.turn, &mut contestant)?;
        counted.push((contestant, count));
    }
    run(effort.rounds, Processor::Thread, counted)
}

/// Runs bursts of [`Effort::burst`] operations on whatever threads they start.
///
/// # Errors
/// Whatever a contestant fails with.
pub fn of_bursts(effort: Effort, contestants: Vec<Contestant<'_>>) -> Outcome<Vec<Result>> {
    let mut counted = Vec::new();
    for mut contestant in contestants {
        (contestant.turn)(effort.burst.min(64))?;
        counted.push((contestant, effort.burst));
    }
    run(effort.rounds, Processor::Process, counted)
}

/// How many operations fill a turn; the caches are warm afterwards.
fn calibrate(turn: Duration, contestant: &mut Contestant<'_>) -> Outcome<usize> {
    let mut count = 1;
    loop {
        let watch = Stopwatch::start(Processor::Thread);
        (contestant.turn)(count)?;
        if watch.read().wall >= turn.as_secs_f64() / 2.0 {
            return Ok(count);
        }
        count *= 2;
    }
}

fn run(
    rounds: usize,
    processor: Processor,
    mut contestants: Vec<(Contestant<'_>, usize)>,
) -> Outcome<Vec<Result>> {
    let mut results: Vec<Result> = contestants
        .iter()
        .map(|(contestant, _)| Result { name: contestant.name, rounds: Vec::new() })
        .collect();
    for round in 0..rounds {
        // Every other round in reverse, so that nobody always comes after the same neighbour.
        let mut turns: Vec<_> = contestants.iter_mut().zip(&mut results).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for ((contestant, count), result) in turns {
            let watch = Stopwatch::start(processor).with_process(contestant.process);
            (contestant.turn)(*count)?;
            result.rounds.push(watch.read().per(*count));
        }
    }
    Ok(results)
}
