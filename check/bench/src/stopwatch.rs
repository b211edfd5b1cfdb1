//! Time spent: on the wall, and by processors.

use std::time::{Duration, Instant};

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
    wall: Instant,
    cpu: Duration,
}

impl Stopwatch {
    /// Starts.
    pub fn start(processor: Processor) -> Self {
        Self { processor, wall: Instant::now(), cpu: processor_time(processor) }
    }

    /// What was spent since it started.
    pub fn read(&self) -> Spent {
        let cpu = processor_time(self.processor).saturating_sub(self.cpu);
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
