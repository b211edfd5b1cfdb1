//! Trying whether nodes are where they say, and hold the key they say.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use warren_crypto::{SystemEntropy, entropy};
use warren_transport::Connections;
use warren_wire::directory::exchange::REACH_PATH;
use warren_wire::directory::{Challenge, NodeRecord};

use super::shared::Shared;

/// How long a node may take to prove its key.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How many nodes are tried at once.
const AT_ONCE: usize = 64;
/// The shortest and the longest time between two tries of a node.
const PERIOD: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5 * 60));
/// The longest time in which every newcomer is tried.
const NEWCOMERS_PERIOD: Duration = Duration::from_secs(30);

/// Tries every node over and over, four times for each list; beside that, newcomers, which may be
/// made up and must not hold the others up.
pub(super) async fn run(shared: Arc<Shared>) {
    let period = Duration::from_millis(shared.terms.interval / 4).clamp(PERIOD.0, PERIOD.1);
    let soon = period.min(NEWCOMERS_PERIOD);
    tokio::join!(sweep(&shared, Shared::to_try, period), sweep(&shared, Shared::newcomers, soon));
}

async fn sweep(shared: &Shared, whom: fn(&Shared) -> Vec<NodeRecord>, period: Duration) {
    loop {
        stream::iter(whom(shared))
            .map(async |node| shared.note(&node, is_reached(&node).await))
            .buffer_unordered(AT_ONCE)
            .collect::<()>()
            .await;
        tokio::time::sleep(period).await;
    }
}

/// Tries a node that has just announced itself, unless many others are being tried.
pub(super) fn try_soon(shared: &Arc<Shared>, node: NodeRecord) {
    let Ok(permit) = Arc::clone(&shared.eager_tries).try_acquire_owned() else { return };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let reached = is_reached(&node).await;
        shared.note(&node, reached);
        drop(permit);
    });
}

/// Whether a node answers a challenge with its own key, under the certificate it announced.
///
/// By a connection of its own: one that is open already proves nothing about the address.
async fn is_reached(node: &NodeRecord) -> bool {
    let challenge = Challenge(entropy::random(&mut SystemEntropy));
    let sent = Connections::new().post(node, REACH_PATH, challenge.0.to_vec(), TIMEOUT).await;
    sent.is_ok_and(|reply| reply.status == 200 && challenge.is_answered_by(&reply.body, &node.id))
}
