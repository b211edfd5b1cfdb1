//! A thousand runs of a swarm under faults: nothing acknowledged is lost, nothing deleted comes back.
//!
//! `SIM_SEEDS` is how many (default 1,000) and `SIM_FROM` the first (default 0).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

#[test]
fn whatever_befalls_a_swarm_nothing_acknowledged_is_lost_and_nothing_deleted_returns() {
    let from = setting("SIM_FROM", 0);
    let end = from + setting("SIM_SEEDS", 1_000);
    let (next, failures) = (AtomicU64::new(from), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    if let Err(what) = warren_sim::run(seed) {
                        failures.lock().unwrap().push(what);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} seeds failed:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [3, 11] {
        let runs = [warren_sim::run(seed).unwrap(), warren_sim::run(seed).unwrap()];
        assert_eq!(format!("{:?}", runs[0]), format!("{:?}", runs[1]));
    }
}
