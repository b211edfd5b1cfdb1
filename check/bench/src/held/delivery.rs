//! From sending to delivery: a reader whose request is held open, beside one that asks every second.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use warren_client::{Delivery, Messenger};
use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;
use warren_noded::LocalNetwork;

use crate::contest::Result;
use crate::conversation::{TEXT, messenger};
use crate::node::start;
use crate::row::{Basis, Row};
use crate::stopwatch::Spent;
use crate::{Effort, Outcome};

const POLLING: &str = "a reader that asks every second";
const SENDING: &str = "part: sending alone, through 3 hops";
/// How long the reader waits between two questions, in milliseconds, where it polls.
const INTERVAL: usize = 1_000;
/// A poll takes half a second on average: one message in so many is polled for.
const POLLED: usize = 10;

/// Measures from the start of sending until the text is opened and saved by its reader, both through
/// three hops, while nothing else goes on.
///
/// # Errors
/// Where the network does not start, or a message is not delivered or not read.
pub fn rows(effort: Effort, scratch: &Path) -> Outcome<Vec<Row>> {
    let folder = tempfile::tempdir_in(scratch)?;
    let runtime = Runtime::new()?;
    let results = runtime.block_on(async {
        let network = start(folder.path()).await?;
        let results = measure(effort, &network, folder.path()).await;
        network.stop().await;
        results
    })?;
    let row = |name, percent| {
        let what = "text sent until a waiting reader has it";
        Row::of_percentiles(name, what, Basis::Wall, percent, &results)
    };
    Ok(vec![row("held-delivery-p50", 50), row("held-delivery-p99", 99)])
}

async fn measure(effort: Effort, network: &LocalNetwork, folder: &Path) -> Outcome<Vec<Result>> {
    let mut sender = messenger(network, &folder.join("sender"))?;
    let waiting = messenger(network, &folder.join("waiting"))?;
    let mut polling = messenger(network, &folder.join("polling"))?;
    let to = waiting.account().id;
    let (news, mut arrivals) = mpsc::channel(1);
    let listening = tokio::spawn(listen(waiting, news));
    let mut results = ["warren", POLLING, SENDING]
        .map(|name| Result { name, rounds: Vec::with_capacity(effort.messages) });
    let [held, polled, sent] = &mut results;
    for at in 0..effort.messages {
        held_again(network).await;
        let began = Instant::now();
        send(&mut sender, &to).await?;
        sent.rounds.push(since(began));
        let arrived = arrivals.recv().await.ok_or("nobody listens")??;
        let took = arrived.saturating_duration_since(began);
        held.rounds.push(Spent { wall: took.as_secs_f64(), cpu: 0.0 });
        if at % POLLED == 0 {
            polled.rounds.push(poll(&mut sender, &mut polling).await?);
        }
    }
    listening.abort();
    Ok(results.into())
}

/// Waits until the reader's next request is held.
async fn held_again(network: &LocalNetwork) {
    let held = || network.nodes().iter().map(|node| node.node().held.requests()).sum::<usize>();
    while held() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn listen(mut reader: Messenger, news: mpsc::Sender<Outcome<Instant>>) {
    loop {
        let arrived = match reader.receive_waiting(Duration::from_secs(20)).await {
            Ok(0) => continue,
            Ok(_) => Ok(Instant::now()),
            Err(error) => Err(error.into()),
        };
        if news.send(arrived).await.is_err() {
            return;
        }
    }
}

/// Sends at any moment between two questions of a reader that asks every second.
async fn poll(sender: &mut Messenger, reader: &mut Messenger) -> Outcome<Spent> {
    let to = reader.account().id;
    let first = random_index(&mut SystemEntropy, INTERVAL).unwrap_or(0);
    let began = Instant::now();
    let mut next = began + Duration::from_millis(u64::try_from(first)?);
    send(sender, &to).await?;
    loop {
        tokio::time::sleep_until(next.into()).await;
        if reader.receive().await? > 0 {
            return Ok(since(began));
        }
        next += Duration::from_millis(u64::try_from(INTERVAL)?);
    }
}

async fn send(sender: &mut Messenger, to: &warren_wire::AccountId) -> Outcome<()> {
    match sender.send(to, TEXT).await?.state {
        Delivery::Waiting(reason) => Err(format!("a message was not delivered: {reason}").into()),
        _ => Ok(()),
    }
}

fn since(began: Instant) -> Spent {
    Spent { wall: began.elapsed().as_secs_f64(), cpu: 0.0 }
}
