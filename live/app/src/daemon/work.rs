//! An account at work: fetching by its notification mode, sending what waits.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use warren_client::{ClientError, Event, Events, Messenger, NotificationMode};
use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;

use crate::wording::now;

/// How long a node is asked to hold a request for new messages.
const HELD: Duration = Duration::from_secs(20);
/// The pause after a first failure; it doubles from then on.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two tries while the network cannot be reached.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often mail is fetched in the slow mode, about.
const SLOW: Duration = Duration::from_secs(15 * 60);
/// How often the clock is looked at.
const CLOCK_INTERVAL: Duration = Duration::from_secs(10);
/// By how much the clock must have run on while this program did not, for it to have slept.
const SLEPT: Duration = Duration::from_secs(20);
/// How often the outbox is looked at, where nothing is heard of it.
const OUTBOX_INTERVAL: Duration = Duration::from_secs(60);
/// How often pictures are looked after, where nothing is heard of them.
const PICTURES_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// How often it is looked for what is due to disappear, where nothing is heard of it.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(20);
/// How soon it is looked for that again at most.
const SHORTEST_EXPIRY: Duration = Duration::from_millis(100);

/// An account and what its work needs.
pub struct AtWork {
    /// The account.
    pub messenger: Arc<Messenger>,
    /// Held by whoever sends for it.
    pub delivering: Arc<tokio::sync::Mutex<()>>,
    /// Where its events are told.
    pub events: Events,
}

impl AtWork {
    /// Works until the mode's sender is gone.
    pub async fn keep(self, mode: watch::Receiver<NotificationMode>) {
        tokio::select! {
            () = self.fetch(mode) => {}
            () = self.send() => {}
            () = self.expire() => {}
            () = self.look_after_pictures() => {}
        }
    }

    /// Removes what is due when it is, and what begins to disappear is heard of.
    async fn expire(&self) {
        let mut events = self.events.listen();
        loop {
            // Where the database fails, whoever reads is told.
            let next = self.messenger.expire_due().ok().flatten();
            let pause = next.map_or(EXPIRY_INTERVAL, |next| {
                Duration::from_millis(next.saturating_sub(self.messenger.now()))
            });
            let begun = async {
                while let Some(notice) = events.next().await {
                    let begins = matches!(
                        notice.event,
                        Event::MessageNew { .. }
                            | Event::Delivery { .. }
                            | Event::ConversationChanged { .. }
                            | Event::Missed
                    );
                    if begins {
                        return;
                    }
                }
            };
            // Time over, or something to look at. A clock that was set is noticed within an interval.
            let _ = timeout(pause.clamp(SHORTEST_EXPIRY, EXPIRY_INTERVAL), begun).await;
        }
    }

    /// Fetches as the mode says. After this machine slept, what was missed is fetched in one go:
    /// a request held since before would wait for an answer that never comes.
    async fn fetch(&self, mut mode: watch::Receiver<NotificationMode>) {
        let mut state = Reachable { known: None };
        loop {
            let current = *mode.borrow_and_update();
            tokio::select! {
                changed = mode.changed() => if changed.is_err() { return },
                () = slept() => {}
                () = self.fetch_in(current, &mut state) => {}
            }
        }
    }

    async fn fetch_in(&self, mode: NotificationMode, state: &mut Reachable) {
        match mode {
            NotificationMode::Instant => self.fetch_instantly(state).await,
            NotificationMode::Slow => loop {
                let fetched = self.messenger.receive().await;
                self.heard(&fetched, state);
                self.push().await;
                sleep(jittered(SLOW)).await;
            },
            // Nothing is fetched, and what the owner sets goes to their other devices all the same.
            NotificationMode::Manual => loop {
                let mut events = self.events.listen();
                self.push().await;
                let set = async {
                    while let Some(notice) = events.next().await {
                        if may_be_set(&notice.event) {
                            return;
                        }
                    }
                };
                // Time over, or something to look at.
                let _ = timeout(OUTBOX_INTERVAL, set).await;
            },
        }
    }

    async fn fetch_instantly(&self, state: &mut Reachable) {
        let mut pause = FIRST_PAUSE;
        let mut wait = Duration::ZERO;
        loop {
            let fetched = self.messenger.receive_waiting(wait).await;
            self.heard(&fetched, state);
            if fetched.is_ok() {
                self.push().await;
                (pause, wait) = (FIRST_PAUSE, HELD);
            } else {
                sleep(jittered(pause)).await;
                (pause, wait) = ((pause * 2).min(LONGEST_PAUSE), Duration::ZERO);
            }
        }
    }

    /// Tells the owner's other devices what changed. What fails is tried again next time. Whoever
    /// sends meanwhile does so too.
    async fn push(&self) {
        if let Ok(_alone) = self.delivering.try_lock() {
            let _ = self.messenger.push_configs().await;
        }
    }

    /// Fetches pictures as they become known, and keeps the owner's at their server. Mail waits for
    /// none of them.
    async fn look_after_pictures(&self) {
        let mut events = self.events.listen();
        loop {
            let _ = self.messenger.tend_pictures().await;
            let known = async {
                while let Some(notice) = events.next().await {
                    if may_be_set(&notice.event) {
                        return;
                    }
                }
            };
            // Time over, or something to look at; several at once are looked at together.
            let _ = timeout(PICTURES_INTERVAL, known).await;
            sleep(FIRST_PAUSE).await;
        }
    }

    /// Tells where the network began or ceased to answer.
    fn heard(&self, fetched: &Result<usize, ClientError>, state: &mut Reachable) {
        let connected = fetched.is_ok();
        if state.known.replace(connected) != Some(connected) {
            self.messenger.publish(Event::Network { connected });
        }
    }

    /// Sends what is due, and what is written as soon as it is.
    async fn send(&self) {
        let mut events = self.events.listen();
        loop {
            // The outcome of each message is told by its own event.
            let alone = self.delivering.lock().await;
            let _ = self.messenger.deliver_waiting().await;
            if self.messenger.has_configs_to_push().unwrap_or(false) {
                let _ = self.messenger.push_configs().await;
            }
            drop(alone);
            let next = self.messenger.db().with(|db| db.next_attempt()).ok().flatten();
            let pause = next.map_or(OUTBOX_INTERVAL, |next| {
                Duration::from_millis(next.saturating_sub(now())).max(FIRST_PAUSE)
            });
            let written = async {
                while let Some(notice) = events.next().await {
                    if may_be_to_send(&notice.event) {
                        return;
                    }
                }
            };
            // Time over, or something to look at.
            let _ = timeout(pause.min(OUTBOX_INTERVAL), written).await;
        }
    }
}

/// Whether what happened may be something that others are to be told.
const fn may_be_to_send(event: &Event) -> bool {
    !matches!(
        event,
        Event::Typing { .. }
            | Event::Delivery { .. }
            | Event::Transfer { .. }
            | Event::Network { .. }
            | Event::Locked
    )
}

/// Whether what happened may be something that the owner's other devices are to be told.
const fn may_be_set(event: &Event) -> bool {
    matches!(
        event,
        Event::AccountChanged
            | Event::ContactChanged { .. }
            | Event::ConversationChanged { .. }
            | Event::Missed
    )
}

/// Whether the network answered when last asked.
struct Reachable {
    known: Option<bool>,
}

/// Waits until this machine has slept: the clock ran on, and this program did not.
async fn slept() {
    loop {
        let before = SystemTime::now();
        sleep(CLOCK_INTERVAL).await;
        if has_slept(before, SystemTime::now()) {
            return;
        }
    }
}

fn has_slept(before: SystemTime, after: SystemTime) -> bool {
    // A clock that was set back says nothing.
    after.duration_since(before).is_ok_and(|passed| passed > CLOCK_INTERVAL + SLEPT)
}

/// Between three quarters and five quarters of a time, so that nobody can tell a device by its
/// rhythm.
pub(super) fn jittered(time: Duration) -> Duration {
    let span = usize::try_from(time.as_millis() / 2).unwrap_or(usize::MAX);
    let drawn = random_index(&mut SystemEntropy, span).unwrap_or(0);
    time * 3 / 4 + Duration::from_millis(u64::try_from(drawn).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_fetches_keep_no_rhythm_and_stay_near_a_quarter_of_an_hour() {
        let times: Vec<Duration> = (0..50).map(|_| jittered(SLOW)).collect();
        assert!(times.iter().all(|time| (SLOW * 3 / 4..SLOW * 5 / 4).contains(time)));
        assert!(times.iter().any(|time| *time != times[0]));
    }

    #[test]
    fn a_clock_that_ran_on_means_sleep_and_one_that_was_set_back_does_not() {
        let before = SystemTime::now();
        assert!(!has_slept(before, before + CLOCK_INTERVAL + Duration::from_secs(5)));
        assert!(has_slept(before, before + Duration::from_secs(3600)));
        assert!(!has_slept(before, before - Duration::from_secs(3600)));
    }
}
