//! The tripwire of a home that a daemon serves: friends' orders are heard and the dead man's switch is
//! looked after, whether the home is locked or not, and whether there is a vault or none yet.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedMutexGuard, watch};
use tokio::task::block_in_place;
use tokio::time::{sleep, timeout};
use warren_client::ClientError;
use warren_client::tripwire::{
    HeardTest, Inbox, TripwireFile, USE_INTERVAL, correct, is_overdue, note_use,
};
use warren_client::vault::{VaultError, wipe};
use warren_wire::Millis;

use super::work::jittered;
use crate::api::session::Home;

/// How long a node is asked to hold a request for orders.
const HELD: Duration = Duration::from_secs(20);
/// How long lies between two requests at least, where a node does not wait as asked.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);
/// The pause after a first failure; it doubles from then on.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two tries while the network cannot be reached.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often it is looked whether the home was told a network.
const NETWORK_INTERVAL: Duration = Duration::from_secs(5);
/// How often the dead man's switch is looked at.
const TERM_INTERVAL: Duration = Duration::from_secs(30);
/// How long a command that fetches without a daemon waits for the inbox.
const LOOK: Duration = Duration::from_secs(20);

/// Lets one task read the inbox, and whoever changes what lies beneath it have it closed meanwhile.
#[derive(Default)]
pub struct Gate {
    closers: watch::Sender<usize>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Nobody reads the inbox while this is there.
pub struct Closed {
    closer: Closer,
    _turn: OwnedMutexGuard<()>,
}

struct Closer(Arc<Gate>);

impl Drop for Closer {
    fn drop(&mut self) {
        self.0.closers.send_modify(|closers| *closers = closers.saturating_sub(1));
    }
}

impl Gate {
    /// Has the inbox closed, and waits until it is.
    pub async fn close(self: &Arc<Self>) -> Closed {
        self.closers.send_modify(|closers| *closers += 1);
        let closer = Closer(Arc::clone(self));
        let turn = Arc::clone(&self.turn).lock_owned().await;
        Closed { closer, _turn: turn }
    }

    /// Waits until somebody wants it closed, or nobody does.
    async fn until(&self, closed: bool) {
        let mut closers = self.closers.subscribe();
        // The sender lives as long as the gate.
        let _ = closers.wait_for(|closers| (*closers > 0) == closed).await;
    }
}

impl Closed {
    /// Nobody reads it any more.
    pub fn for_good(self) {
        self.closer.0.closers.send_modify(|closers| *closers += 1);
    }
}

/// Hears orders and looks at the term until the daemon stops. A wipe goes through at once; the daemon
/// goes on, as one of a fresh install.
pub async fn keep(home: Arc<Home>) {
    loop {
        home.inbox.until(false).await;
        let turn = home.inbox.turn.lock().await;
        if wipe::is_begun(home.folder()) {
            home.lock().await;
            // Where the disk fails, it is tried again.
            let _ = block_in_place(|| wipe::finish_under_daemon(home.folder()));
        }
        let wipes = tokio::select! {
            biased;
            () = home.inbox.until(true) => false,
            () = until_wiped(&home) => true,
        };
        if wipes && become_fresh(&home).await.is_err() {
            // It is tried again: an order is read again from the beginning, and a term stays over.
            sleep(FIRST_PAUSE).await;
        }
        drop(turn);
    }
}

/// Looks into the inbox once, for a command that fetches without a daemon.
///
/// # Errors
/// [`VaultError::Missing`] where friends had the home wiped, which it is when this returns. A network
/// that cannot be reached is none.
pub async fn look(home: &Home) -> Result<(), ClientError> {
    let Ok(Some(inbox)) = Inbox::open(home.folder()) else { return Ok(()) };
    let Ok(Ok(heard)) = timeout(LOOK, inbox.hear(Duration::ZERO)).await else { return Ok(()) };
    tell(home, &heard.tests);
    let network = inbox.network_time();
    drop(inbox);
    if heard.wipes || is_overdue(home.folder(), network).unwrap_or(false) {
        block_in_place(|| wipe::wipe(home.folder()))?;
        return Err(VaultError::Missing.into());
    }
    Ok(())
}

/// Waits until enough friends said so or the term is over.
async fn until_wiped(home: &Home) {
    let network = Mutex::new(None);
    tokio::select! {
        () = until_ordered(home, &network) => {}
        () = until_overdue(home, &network) => {}
    }
}

async fn until_ordered(home: &Home, network: &Mutex<Option<Millis>>) {
    loop {
        // Where the disk fails, it is tried again.
        if let Ok(Some(inbox)) = Inbox::open(home.folder())
            && is_ordered(home, &inbox, network).await
        {
            return;
        }
        sleep(jittered(NETWORK_INTERVAL)).await;
    }
}

/// Listens for as long as the home has this inbox; whether it is to be wiped.
async fn is_ordered(home: &Home, inbox: &Inbox, network: &Mutex<Option<Millis>>) -> bool {
    let (mut pause, mut wait) = (FIRST_PAUSE, Duration::ZERO);
    while inbox.is_current() {
        let asked = Instant::now();
        let heard = inbox.hear(wait).await;
        *network.lock().unwrap_or_else(PoisonError::into_inner) = inbox.network_time();
        match heard {
            Ok(heard) if heard.wipes => return true,
            Ok(heard) => {
                tell(home, &heard.tests);
                sleep(LEAST_INTERVAL.saturating_sub(asked.elapsed())).await;
                (pause, wait) = (FIRST_PAUSE, HELD);
            }
            // A database that another process emptied is made anew.
            Err(ClientError::Database(_)) => return false,
            Err(_) => {
                sleep(jittered(pause)).await;
                (pause, wait) = ((pause * 2).min(LONGEST_PAUSE), Duration::ZERO);
            }
        }
    }
    false
}

/// Has friends told that their tests arrived, where somebody has unlocked. While nobody has, nothing is
/// kept of them: whoever unlocks reads the inbox from its beginning.
fn tell(home: &Home, tests: &[HeardTest]) {
    if tests.is_empty() {
        return;
    }
    if let Ok(session) = home.session() {
        // Where a database fails, the next unlock finds them again.
        let _ = session.tell_tested(tests);
    }
}

async fn until_overdue(home: &Home, network: &Mutex<Option<Millis>>) {
    loop {
        if home.session().is_ok() && home.idle() < Duration::from_millis(USE_INTERVAL) {
            // Where the disk fails, it is noted the next time.
            let _ = note_use(home.folder());
        }
        let network = *network.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = network {
            // Where the disk fails, it is made up for the next time.
            let _ = correct(home.folder(), network);
        }
        // Where the file cannot be read, it is looked at again.
        if is_overdue(home.folder(), network).unwrap_or(false) {
            return;
        }
        sleep(TERM_INTERVAL).await;
    }
}

/// Destroys the slots, drops every key, deletes what is there and makes another tripwire.
async fn become_fresh(home: &Home) -> Result<(), ClientError> {
    match block_in_place(|| wipe::destroy(home.folder())) {
        // There was nothing that anybody could have opened.
        Ok(()) | Err(VaultError::Missing) => {}
        Err(error) => return Err(error.into()),
    }
    home.lock().await;
    block_in_place(|| wipe::finish_under_daemon(home.folder()))?;
    TripwireFile::of(home.folder())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_wants_the_inbox_closed_waits_for_its_reader_and_keeps_it_closed() {
        let gate = Arc::new(Gate::default());
        gate.until(false).await;
        let turn = gate.turn.lock().await;
        let mut closing = std::pin::pin!(gate.close());
        tokio::select! {
            biased;
            _ = &mut closing => panic!("somebody reads"),
            () = gate.until(true) => {}
        }
        drop(turn);
        let closed = closing.await;
        assert!(gate.turn.try_lock().is_err());
        drop(closed);
        gate.until(false).await;
        // Who gave up waiting keeps nothing closed.
        let turn = gate.turn.lock().await;
        assert!(timeout(Duration::from_millis(10), gate.close()).await.is_err());
        drop(turn);
        gate.until(false).await;
        gate.close().await.for_good();
        assert!(timeout(Duration::from_millis(10), gate.until(false)).await.is_err());
    }
}
