//! Time spent: on the wall, and by processors.

use std::time::{Duration, Instant};

use rustix::param::clock_ticks_per_second;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// Whose processor time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processor {
    /// This thread's.
    Thread,
    /// That of all threads of this process.
    Process,
}

/// Seconds spent, usually on one operation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spent {
    /// By the clock on the wall.
    pub wall: f64,
    /// By processors, user and system.
    pub cpu: f64,
}

impl Spent {
    /// An equal share for each of so many operations.
    #[must_use]
    pub fn per(self, operations: usize) -> Self {
        let share = 1.0 / f64::from(u32::try_from(operations.max(1)).unwrap_or(u32::MAX));
        Self { wall: self.wall * share, cpu: self.cpu * share }
    }
}

/// Runs from when it is made.
pub struct Stopwatch {
    processor: Processor,
    process: Option<u32>,
    wall: Instant,
    cpu: Duration,
}

impl Stopwatch {
    /// Starts.
    pub fn start(processor: Processor) -> Self {
        Self { processor, process: None, wall: Instant::now(), cpu: processor_time(processor) }
    }

    /// Counts another process too, to a hundredth of a second.
    #[must_use]
    pub fn with_process(self, process: Option<u32>) -> Self {
        let cpu = self.cpu + process.map_or(Duration::ZERO, other_process);
        Self { process, cpu, ..self }
    }

    /// What was spent since it started.
    pub fn read(&self) -> Spent {
        let other = self.process.map_or(Duration::ZERO, other_process);
        let cpu = (processor_time(self.processor) + other).saturating_sub(self.cpu);
        Spent { wall: self.wall.elapsed().as_secs_f64(), cpu: cpu.as_secs_f64() }
    }
}

fn processor_time(processor: Processor) -> Duration {
    let clock = match processor {
        Processor::Thread => ClockId::ThreadCPUTime,
        Processor::Process => ClockId::ProcessCPUTime,
    };
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What Linux says of another process; nothing where it has ended.
fn other_process(id: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name of the program, in brackets, may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    // User and system time are the fields 14 and 15, of which the first two are cut off.
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<u64>().ok());
    let per_second = clock_ticks_per_second().max(1);
    Duration::from_millis(ticks.sum::<u64>() * 1_000 / per_second)
}
