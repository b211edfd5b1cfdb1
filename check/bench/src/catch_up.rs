//! A device that was away catches up: everything fetched through three hops, opened, proven and kept.

use std::path::Path;

use tokio::runtime::Runtime;
use warren_account::Account;
use warren_client::database::Contact;
use warren_client::{Device, Messenger};
use warren_crypto::SystemEntropy;
use warren_crypto::password::Cost;
use warren_message::{Content, open_direct, seal_direct};
use warren_noded::LocalNetwork;
use warren_noded::local_network::FEWEST_NODES;
use warren_noded::node::now;
use warren_transport::Seed;
use warren_wire::limits::MESSAGE_TTL;
use warren_wire::record::{MessageRecord, Record};
use warren_wire::{MessageHash, Millis, Namespace, Stamp};

use crate::chatter::text;
use crate::contest::Result;
use crate::node::start;
use crate::row::Basis;
use crate::stopwatch::{Processor, Stopwatch};
use crate::{Effort, Outcome, Row};

/// How often a new device catches up.
const ROUNDS: usize = 3;
/// Who writes.
const SENDERS: usize = 20;
/// How many messages are put into a node's store at once.
const BATCH: usize = 1_000;
/// The time between two messages.
const BETWEEN: Millis = 1_000;
const OPENED: &str = "part: opened and proven alone, kept nowhere";

/// Measures [`Effort::behind`] messages that lie in a swarm of four when a device comes back.
///
/// # Errors
/// Where the network does not start, or a message is not read.
pub fn rows(effort: Effort, scratch: &Path) -> Outcome<Vec<Row>> {
    let folder = tempfile::tempdir_in(scratch)?;
    let account = Account::random(&mut SystemEntropy)?;
    let senders = (0..SENDERS).map(|_| Account::random(&mut SystemEntropy));
    let senders = senders.collect::<std::result::Result<Vec<_>, _>>()?;
    let sealed = seal(&account, &senders, effort.behind)?;
    let mut results = ["warren", OPENED].map(|name| Result { name, rounds: Vec::new() });
    Runtime::new()?.block_on(async {
        let network = start(folder.path(), FEWEST_NODES).await?;
        keep(&network, &account, &sealed).await?;
        for round in 0..effort.rounds.min(ROUNDS) {
            let home = folder.path().join(format!("device-{round}"));
            let reader = device(&network, &account, &senders, &home)?;
            // The list of nodes and a path are there.
            reader.path().await?;
            let watch = Stopwatch::start(Processor::Process);
            let mut read = 0;
            while read < sealed.len() {
                match reader.receive().await? {
                    0 => return Err(format!("{read} of {} messages came", sealed.len()).into()),
                    new => read += new,
                }
            }
            let ours = watch.read();
            let watch = Stopwatch::start(Processor::Process);
            for data in &sealed {
                std::hint::black_box(open_direct(&account, data)?);
            }
            for (result, spent) in results.iter_mut().zip([ours, watch.read()]) {
                result.rounds.push(spent.per(sealed.len()));
            }
        }
        network.stop().await;
        Outcome::Ok(())
    })?;
    let what = format!("{} messages fetched, opened, kept", effort.behind);
    Ok(vec![Row::of_contest("catch-up", what, Basis::Rate, &results)])
}

/// Messages of all senders in turn, the last of them sealed for this moment.
fn seal(to: &Account, senders: &[Account], count: usize) -> Outcome<Vec<Vec<u8>>> {
    let end = now();
    let mut sealed = Vec::new();
    for (number, sender) in (0..u64::try_from(count)?).zip(senders.iter().cycle()) {
        let time = end - (u64::try_from(count)? - number) * BETWEEN;
        let content = Content::text(text(number))?;
        sealed.push(seal_direct(sender, &to.id(), &content, time, time, &mut SystemEntropy)?);
    }
    Ok(sealed)
}

/// Puts the messages into the store of every node, as if they had been sent.
async fn keep(network: &LocalNetwork, to: &Account, sealed: &[Vec<u8>]) -> Outcome<()> {
    let owner = to.id();
    let time = now();
    for batch in sealed.chunks(BATCH) {
        let record = |data: &Vec<u8>| -> Outcome<Record> {
            Ok(Record::Message(MessageRecord {
                owner,
                namespace: Namespace::DIRECT,
                hash: MessageHash::compute(&owner, Namespace::DIRECT, data)?,
                timestamp: time,
                expiry: time + MESSAGE_TTL,
                stored: Stamp::at(time),
                data: data.clone(),
                proof: None,
            }))
        };
        for node in network.nodes() {
            let records = batch.iter().map(record).collect::<Outcome<_>>()?;
            node.node().store.merge(records, time).await?;
        }
    }
    Ok(())
}

/// A new device of the account, to which the senders are known.
fn device(
    network: &LocalNetwork,
    account: &Account,
    senders: &[Account],
    home: &Path,
) -> Outcome<Messenger> {
    let mut device = Device::create(home, "measured", Cost::LEAST)?;
    device.use_seed(&network.seed().parse::<Seed>()?)?;
    device.restore_account(account.mnemonic().expose(), "measured", None)?;
    let messenger = device.messenger(None)?;
    for sender in senders {
        let contact =
            Contact { approved: true, approved_me: true, ..Contact::new(sender.id(), now()) };
        messenger.db().with(|db| db.put_contact(&contact))?;
    }
    Ok(messenger)
}
