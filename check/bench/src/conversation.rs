//! From sending to reading: two clients and a network in one process, one message at a time.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use warren_account::Account;
use warren_client::{Delivery, Device, Messenger};
use warren_crypto::SystemEntropy;
use warren_crypto::password::Cost;
use warren_noded::LocalNetwork;
use warren_noded::local_network::FEWEST_NODES;
use warren_transport::Seed;

use crate::contest::Result;
use crate::node::{Direct, start};
use crate::row::{Basis, Row};
use crate::stopwatch::{Processor, Spent, Stopwatch};
use crate::{Effort, Outcome};

/// Messages before the first that counts: connections are opened, a path is chosen.
const WARM_UP: usize = 3;
const TEXT: &str = "The meadow at nine, as always; bring the blue scarf and nothing else.";
/// How long a reader waits; far longer than a text takes.
const WAIT: Duration = Duration::from_secs(20);
/// How often is looked whether its request is held.
const LOOK: Duration = Duration::from_millis(1);
const ONE_REQUEST: &str = "part: one request through 3 hops";
const STRAIGHT: &str = "floor: store + read, straight over TLS";

/// Measures messages sent through three hops, kept by a swarm of four, fetched through three hops
/// and opened, while nothing else goes on; and the same to a reader whose request is held open.
///
/// # Errors
/// Where the network does not start, or a message is not delivered or not read.
pub fn rows(effort: Effort, scratch: &Path) -> Outcome<Vec<Row>> {
    let folder = tempfile::tempdir_in(scratch)?;
    let runtime = Runtime::new()?;
    let (asked, waited) = runtime.block_on(async {
        let network = start(folder.path(), FEWEST_NODES).await?;
        let asked = measure(effort, &network, folder.path()).await?;
        let waited = measure_waiting(effort, &network, folder.path()).await?;
        network.stop().await;
        Outcome::Ok((asked, waited))
    })?;
    let asking = "text sent, kept by 4, fetched, opened";
    let waiting = "text sent, delivered to a held request";
    let row = |name, what: &str, percent, results: &[Result]| {
        Row::of_percentiles(name, what, Basis::Wall, percent, results)
    };
    Ok(vec![
        row("send-to-read-p50", asking, 50, &asked),
        row("send-to-read-p99", asking, 99, &asked),
        row("send-to-held-p50", waiting, 50, &waited),
        row("send-to-held-p99", waiting, 99, &waited),
    ])
}

async fn measure(effort: Effort, network: &LocalNetwork, folder: &Path) -> Outcome<Vec<Result>> {
    let sender = messenger(network, &folder.join("sender"))?;
    let reader = messenger(network, &folder.join("reader"))?;
    let straight = Direct::new(network)?;
    let mut results = ["warren", ONE_REQUEST, STRAIGHT]
        .map(|name| Result { name, rounds: Vec::with_capacity(effort.messages) });
    for at in 0..WARM_UP + effort.messages {
        let watch = Stopwatch::start(Processor::Process);
        send_and_read(&sender, &reader).await?;
        let ours = watch.read();
        let watch = Stopwatch::start(Processor::Process);
        sender.path().await?;
        let one = watch.read();
        let mailbox = straight.for_mailbox_of(Arc::new(Account::random(&mut SystemEntropy)?));
        let watch = Stopwatch::start(Processor::Process);
        mailbox.store_own().await?;
        mailbox.retrieve().await?;
        let floor = watch.read();
        if at >= WARM_UP {
            for (result, spent) in results.iter_mut().zip([ours, one, floor]) {
                result.rounds.push(spent);
            }
        }
    }
    Ok(results.into())
}

/// The reader's request is held at a node when the sender begins; what counts ends when the reader
/// has saved the text, which may be before all members have told the sender that they keep it.
async fn measure_waiting(
    effort: Effort,
    network: &LocalNetwork,
    folder: &Path,
) -> Outcome<Vec<Result>> {
    let sender = messenger(network, &folder.join("waited-for"))?;
    let mut reader = messenger(network, &folder.join("waiting"))?;
    let to = reader.account().id;
    let mut results = ["warren", ONE_REQUEST]
        .map(|name| Result { name, rounds: Vec::with_capacity(effort.messages) });
    for at in 0..WARM_UP + effort.messages {
        let waiting = tokio::spawn(async move {
            let read = reader.receive_waiting(WAIT).await;
            (reader, read, Instant::now())
        });
        held(network).await?;
        let watch = Stopwatch::start(Processor::Process);
        let begun = Instant::now();
        sender.send(&to, TEXT).await?;
        let (back, read, ended) = waiting.await?;
        let spent = watch.read();
        reader = back;
        if read? != 1 {
            return Err("a text did not end the wait".into());
        }
        let ours = Spent { wall: ended.duration_since(begun).as_secs_f64(), ..spent };
        let watch = Stopwatch::start(Processor::Process);
        sender.path().await?;
        let one = watch.read();
        if at >= WARM_UP {
            for (result, spent) in results.iter_mut().zip([ours, one]) {
                result.rounds.push(spent);
            }
        }
    }
    Ok(results.into())
}

/// Until a node holds the one request.
async fn held(network: &LocalNetwork) -> Outcome<()> {
    let end = Instant::now() + WAIT;
    while !network.nodes().iter().any(|node| node.node().held.requests() > 0) {
        if Instant::now() > end {
            return Err("no node holds the reader's request".into());
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

fn messenger(network: &LocalNetwork, home: &Path) -> Outcome<Messenger> {
    let mut device = Device::create(home, "measured", Cost::LEAST)?;
    device.use_seed(&network.seed().parse::<Seed>()?)?;
    device.create_account("measured", None)?;
    Ok(device.messenger(None)?)
}

async fn send_and_read(sender: &Messenger, reader: &Messenger) -> Outcome<()> {
    let to = reader.account().id;
    if let Delivery::Waiting(reason) = sender.send(&to, TEXT).await?.state {
        return Err(format!("a message was not delivered: {reason}").into());
    }
    match reader.receive().await? {
        1 => Ok(()),
        found => Err(format!("{found} messages were read where one was sent").into()),
    }
}
