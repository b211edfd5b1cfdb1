//! What a guess should cost on this machine.

use std::time::Duration;

use warren_crypto::password::{Cost, SALT_BYTES, derive_key};

/// What unlocking should take, about.
const AIM: Duration = Duration::from_millis(750);
/// What it should not take longer than, where less memory is possible.
const MOST_TIME: Duration = Duration::from_secs(1);
/// The most memory, in KiB.
const MOST_MEMORY: u32 = 256 * 1024;
/// The most passes; more memory is better than more passes.
const MOST_PASSES: u32 = Cost::MOST.passes;
/// The least memory, in KiB, where no more is to be had: with as many more passes as it takes to touch
/// as much memory as [`Cost::DEFAULT`] does.
const LEAST_MEMORY: u32 = 16 * 1024;
/// How often each cost is measured. Only the shortest counts: what else runs here can make a guess
/// longer, and never shorter.
const MEASUREMENTS: usize = 3;

/// What a guess costs here, and how long that takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calibration {
    /// The cost.
    pub cost: Cost,
    /// What one guess took of a processor when it was measured.
    pub time: Duration,
}

/// Measures: as much memory as a quarter of what is free, 256 MiB at most, and as many passes as
/// take about three quarters of a second of a processor. Never below [`Cost::DEFAULT`], the second
/// choice of RFC 9106, section 4; where the machine has no 64 MiB to spare, as many more passes over
/// less. Takes some seconds.
pub fn calibrate() -> Calibration {
    fitting(most_memory(), measured)
}

/// The cost that fits by what `measure` says a guess takes; `None` says that there is too little
/// memory for it.
fn fitting(most_kib: u32, mut measure: impl FnMut(Cost) -> Option<Duration>) -> Calibration {
    let mut shortest = |cost| (0..MEASUREMENTS).filter_map(|_| measure(cost)).min();
    let mut memory_kib = most_kib;
    loop {
        let halved = memory_kib / 2;
        let pass = shortest(Cost { passes: 1, memory_kib });
        let is_long = pass.is_some_and(|pass| pass * Cost::DEFAULT.passes > MOST_TIME);
        let can_halve = |least| halved >= least;
        if is_long && can_halve(Cost::DEFAULT.memory_kib)
            || pass.is_none() && can_halve(LEAST_MEMORY)
        {
            memory_kib = halved;
            continue;
        }
        let least = least_passes(memory_kib);
        let passes = pass.map_or(0, |pass| AIM.as_nanos() / pass.as_nanos().max(1));
        let passes = u32::try_from(passes).unwrap_or(u32::MAX).min(MOST_PASSES).max(least);
        let cost = Cost { passes, memory_kib };
        return Calibration { cost, time: shortest(cost).unwrap_or_default() };
    }
}

/// How many passes over so much memory touch as much as [`Cost::DEFAULT`] does, and no fewer than it
/// has.
fn least_passes(memory_kib: u32) -> u32 {
    let all = Cost::DEFAULT.passes * Cost::DEFAULT.memory_kib;
    all.div_ceil(memory_kib.max(1)).max(Cost::DEFAULT.passes)
}

/// How long one guess takes one processor.
pub fn time_of(cost: Cost) -> Duration {
    measured(cost).unwrap_or(Duration::MAX / 16)
}

/// As [`time_of`]; `None` where there is too little memory.
fn measured(cost: Cost) -> Option<Duration> {
    let began = processor_time();
    derive_key(b"calibration", &[0; SALT_BYTES], cost).ok()?;
    Some(processor_time().saturating_sub(began))
}

/// What this thread, which computes the one lane, had of a processor. How much the others have of it
/// says nothing of how long a guess takes.
#[cfg(unix)]
fn processor_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The clock on the wall: the shortest of several measurements comes close.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

fn most_memory() -> u32 {
    let quarter = available_kib().map_or(0, |free| u32::try_from(free / 4).unwrap_or(u32::MAX));
    // A power of two, so that two measurements differ little.
    let rounded = quarter.checked_ilog2().map_or(0, |log| 1_u32 << log);
    rounded.clamp(Cost::DEFAULT.memory_kib, MOST_MEMORY)
}

/// Memory that programs can still have, where the system says.
fn available_kib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::Instant;

    use super::*;

    /// A machine that takes so long for one pass over a mebibyte.
    fn machine(pass_over_mib: Duration) -> impl Fn(Cost) -> Option<Duration> {
        move |cost| Some(pass_over_mib * cost.passes * (cost.memory_kib / 1024))
    }

    fn passes_and_mib(calibration: Calibration) -> (u32, u32) {
        (calibration.cost.passes, calibration.cost.memory_kib / 1024)
    }

    #[test]
    fn a_faster_machine_asks_for_more_and_none_for_less_than_the_recommendation() {
        let of =
            |micros| passes_and_mib(fitting(MOST_MEMORY, machine(Duration::from_micros(micros))));
        assert_eq!(of(10), (16, 256));
        assert_eq!(of(500), (5, 256));
        assert_eq!(of(900), (3, 256));
        assert_eq!(of(1_500), (3, 128), "less memory before it takes longer than a second");
        assert_eq!(of(4_000), (3, 64));
        assert_eq!(of(1_000_000), (3, 64), "however slow it is");
        let on_little = fitting(Cost::DEFAULT.memory_kib, machine(Duration::from_micros(900)));
        assert_eq!(passes_and_mib(on_little), (13, 64), "passes in the place of memory");
    }

    #[test]
    fn disturbances_do_not_lower_the_cost() {
        let quiet = machine(Duration::from_micros(500));
        let turn = Cell::new(0_u32);
        let disturbed = |cost| {
            turn.set(turn.get() + 1);
            // Two of three measurements take many times as long as they should.
            quiet(cost).map(|time| if turn.get() % 3 == 2 { time } else { time * 20 })
        };
        assert_eq!(fitting(MOST_MEMORY, disturbed), fitting(MOST_MEMORY, &quiet));
    }

    #[test]
    fn where_memory_is_short_as_much_is_touched_in_more_passes() {
        let of = |mib: u32| {
            let quiet = machine(Duration::from_millis(4));
            let short =
                move |cost: Cost| (cost.memory_kib <= mib * 1024).then(|| quiet(cost)).flatten();
            passes_and_mib(fitting(MOST_MEMORY, short))
        };
        assert_eq!((of(100), of(40), of(20)), ((3, 64), (6, 32), (12, 16)));
        assert_eq!(of(1), (12, 16), "and no less, whatever comes of it");
    }

    #[test]
    fn a_guess_never_costs_less_than_the_recommendation_nor_more_than_a_slot_may_ask_for() {
        let Calibration { cost, time } = calibrate();
        assert!(
            cost.passes >= Cost::DEFAULT.passes && cost.passes <= Cost::MOST.passes,
            "{cost:?}"
        );
        let memory = Cost::DEFAULT.memory_kib..=MOST_MEMORY;
        assert!(memory.contains(&cost.memory_kib), "{cost:?}");
        assert!(time < Duration::from_secs(60), "{time:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_others_have_of_the_processors_does_not_count() {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let many = thread::available_parallelism().unwrap().get() * 4;
            for _ in 0..many {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                });
            }
            let began = Instant::now();
            let busy = measured(Cost::DEFAULT).unwrap();
            let wall = began.elapsed();
            stop.store(true, Ordering::Relaxed);
            assert!(busy * 2 < wall, "{busy:?} of {wall:?}, beside {many} others");
        });
    }
}
