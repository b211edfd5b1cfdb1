//! What a guess should cost on this machine.

use std::time::{Duration, Instant};

use warren_crypto::password::{Cost, SALT_BYTES, derive_key};

/// What unlocking should take, about.
const AIM: Duration = Duration::from_millis(750);
/// What it should not take longer than, where less memory is possible.
const MOST_TIME: Duration = Duration::from_secs(1);
/// The most memory, in KiB.
const MOST_MEMORY: u32 = 256 * 1024;
/// The most passes; more memory is better than more passes.
const MOST_PASSES: u32 = 10;

/// What a guess costs here, and how long that takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calibration {
    /// The cost.
    pub cost: Cost,
    /// What one guess took when it was measured.
    pub time: Duration,
}

/// Measures: as much memory as a quarter of what is free, 256 MiB at most, and as many passes as
/// take about three quarters of a second. Never below [`Cost::DEFAULT`]. Takes some seconds.
pub fn calibrate() -> Calibration {
    let mut memory_kib = most_memory();
    loop {
        let pass = time_of(Cost { passes: 1, memory_kib });
        let three = pass * Cost::DEFAULT.passes;
        let halved = memory_kib / 2;
        if three > MOST_TIME && halved >= Cost::DEFAULT.memory_kib {
            memory_kib = halved;
            continue;
        }
        let passes = AIM.as_nanos() / pass.as_nanos().max(1);
        let passes = u32::try_from(passes).unwrap_or(u32::MAX);
        let cost = Cost { passes: passes.clamp(Cost::DEFAULT.passes, MOST_PASSES), memory_kib };
        return Calibration { cost, time: time_of(cost) };
    }
}

/// How long one guess takes.
pub fn time_of(cost: Cost) -> Duration {
    let began = Instant::now();
    // Where there is too little memory, it fails at once, and less will be asked for.
    let made = derive_key(b"calibration", &[0; SALT_BYTES], cost);
    if made.is_ok() { began.elapsed() } else { Duration::MAX / 16 }
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
    use super::*;

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
}
