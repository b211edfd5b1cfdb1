//! The daemon locks by itself: when nobody asks for anything, once the machine slept, and when what is
//! open was destroyed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use warren_client::AutoLock;

use crate::api::session::Home;

/// How often to look.
const TICK: Duration = Duration::from_secs(1);
/// By how much the machine's clock must have run on while it stood still for programs. Two clocks
/// that are read one after the other differ by less.
const SLEPT: Duration = Duration::from_secs(1);

/// Locks a home whenever its settings say so. Runs for ever.
pub async fn keep(home: Arc<Home>) {
    let mut slept_before = slept();
    loop {
        sleep(TICK).await;
        let slept_now = slept();
        let settings = home.session().ok().map(|session| session.auto_lock());
        let asleep = slept_now.saturating_sub(slept_before);
        let is_gone = || {
            let session = home.session();
            session.is_ok_and(|session| !session.device(|device| device.vault().is_there()))
        };
        // Another process may have destroyed what is open here.
        if settings.is_some_and(|settings| locks(settings, home.idle(), asleep)) || is_gone() {
            home.lock().await;
        }
        slept_before = slept_now;
    }
}

fn locks(settings: AutoLock, idle: Duration, asleep: Duration) -> bool {
    let is_idle = settings.idle.is_some_and(|longest| idle >= longest);
    is_idle || (settings.on_suspend && asleep >= SLEPT)
}

/// How long this machine has slept since its start: the clock that runs on in sleep, less the one that
/// does not.
#[cfg(target_os = "linux")]
fn slept() -> Duration {
    use rustix::time::{ClockId, Timespec, clock_gettime};
    let duration = |time: Timespec| {
        let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
        Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
    };
    let awake = duration(clock_gettime(ClockId::Monotonic));
    duration(clock_gettime(ClockId::Boottime)).saturating_sub(awake)
}

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
const fn slept() -> Duration {
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn it_locks_when_idle_for_as_long_as_was_said_and_not_before() {
        let settings = AutoLock { idle: Some(15 * MINUTE), on_suspend: false };
        assert!(!locks(settings, 15 * MINUTE - TICK, Duration::ZERO));
        assert!(locks(settings, 15 * MINUTE, Duration::ZERO));
        let never = AutoLock { idle: None, ..settings };
        assert!(!locks(never, 10_000 * MINUTE, MINUTE));
    }

    #[test]
    fn it_locks_once_the_machine_slept_unless_that_was_turned_off() {
        let settings = AutoLock { idle: None, on_suspend: true };
        assert!(locks(settings, Duration::ZERO, Duration::from_secs(3)));
        assert!(!locks(settings, MINUTE, Duration::from_millis(5)));
        let off = AutoLock { on_suspend: false, ..settings };
        assert!(!locks(off, Duration::ZERO, MINUTE));
    }

    #[test]
    fn a_machine_that_is_awake_has_not_slept_between_two_looks() {
        let before = slept();
        assert!(slept().saturating_sub(before) < SLEPT);
    }
}
