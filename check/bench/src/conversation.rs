//! From sending to reading: two clients and a network in one process, one message at a time.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Runtime;
use warren_account::Account;
use warren_client::{Delivery, Device, Messenger};
use warren_crypto::SystemEntropy;
use warren_crypto::password::Cost;
use warren_noded::LocalNetwork;
use warren_transport::Seed;

use crate::contest::Result;
use crate::node::{Direct, start};
use crate::row::{Basis, Row};
use crate::stopwatch::{Processor, Stopwatch};
use crate::{Effort, Outcome};

/// Messages before the first that counts: connections are opened, a path is chosen.
const WARM_UP: usize = 3;
const TEXT: &str = "The meadow at nine, as always; bring the blue scarf and nothing else.";
const ONE_REQUEST: &str = "part: one request through 3 hops";
const STRAIGHT: &str = "floor: store + read, straight over TLS";

/// Measures messages sent through three hops, kept by a swarm of four, fetched through three hops
/// and opened, while nothing else goes on.
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
        let what = "text sent, kept by 4, fetched, opened";
        Row::of_percentiles(name, what, Basis::Wall, percent, &results)
    };
    Ok(vec![row("send-to-read-p50", 50), row("send-to-read-p99", 99)])
}

async fn measure(effort: Effort, network: &LocalNetwork, folder: &Path) -> Outcome<Vec<Result>> {
    let mut sender = messenger(network, &folder.join("sender"))?;
    let mut reader = messenger(network, &folder.join("reader"))?;
    let straight = Direct::new(network)?;
    let mut results = ["warren", ONE_REQUEST, STRAIGHT]
        .map(|name| Result { name, rounds: Vec::with_capacity(effort.messages) });
    for at in 0..WARM_UP + effort.messages {
        let watch = Stopwatch::start(Processor::Process);
        send_and_read(&mut sender, &mut reader).await?;
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

fn messenger(network: &LocalNetwork, home: &Path) -> Outcome<Messenger> {
    let mut device = Device::create(home, "measured", Cost::LEAST)?;
    device.use_seed(&network.seed().parse::<Seed>()?)?;
    device.create_account("measured", None)?;
    Ok(device.messenger(None)?)
}

async fn send_and_read(sender: &mut Messenger, reader: &mut Messenger) -> Outcome<()> {
    let to = reader.account().id;
    if let Delivery::Waiting(reason) = sender.send(&to, TEXT).await?.state {
        return Err(format!("a message was not delivered: {reason}").into());
    }
    match reader.receive().await? {
        1 => Ok(()),
        found => Err(format!("{found} messages were read where one was sent").into()),
    }
}
