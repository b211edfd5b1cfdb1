//! What a member missed, brought back: handed off by the one that noted it, or gathered by one that
//! has lost everything; over TLS, every record checked as the request it was.

use std::path::Path;
use std::time::Duration;

use tokio::runtime::Runtime;
use warren_crypto::{SystemEntropy, entropy, x25519};
use warren_noded::node::{NodeOptions, now};
use warren_noded::swarm::Pace;
use warren_store::mail::RECORDS_ITEMS;
use warren_store::{EmbeddedStore, MailStore, Options};
use warren_wire::limits::MESSAGE_TTL;
use warren_wire::record::{Item, MessageRecord, Record};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Positions, Stamp};

use crate::contest::Result;
use crate::nodes::{Nodes, options};
use crate::row::Basis;
use crate::stopwatch::{Processor, Spent, Stopwatch};
use crate::store::{MAILBOX, MESSAGE_BYTES};
use crate::{Effort, Outcome, Row};

/// How often everything is done anew.
const ROUNDS: usize = 3;
/// How many records are kept, or noted as missed, at once.
const BATCH: usize = 1_000;
/// How often is looked whether a member is done.
const LOOK: Duration = Duration::from_millis(5);
/// How long a member may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(600);
/// Nothing is handed off or compared but when it is asked for.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);
const FLOOR: &str = "floor: the same records copied from store to store";

/// Who has the messages.
const KEEPER: usize = 0;
/// Who missed them.
const MISSING: usize = 1;

/// Measures how fast a member that is back gets [`Effort::missed`] messages of 1 KiB, in folders
/// under `scratch`.
///
/// # Errors
/// Where nodes do not start, the disk fails, or the member ends without all of them.
pub fn rows(effort: Effort, scratch: &Path) -> Outcome<Vec<Row>> {
    let runtime = Runtime::new()?;
    let mut handed = Result { name: "warren", rounds: Vec::new() };
    let mut gathered = Result { name: "warren", rounds: Vec::new() };
    let mut copied = [Vec::new(), Vec::new()];
    for _ in 0..effort.rounds.min(ROUNDS) {
        let folder = tempfile::tempdir_in(scratch)?;
        let round = runtime.block_on(round(effort.missed, folder.path()))?;
        handed.rounds.push(round.handed);
        gathered.rounds.push(round.gathered);
        copied.iter_mut().for_each(|rounds| rounds.push(round.copied));
    }
    let what = |how| format!("{} x 1 KiB {how}", effort.missed);
    let row = |name, how, ours, rounds| {
        let floor = Result { name: FLOOR, rounds };
        Row::of_contest(name, what(how), Basis::Rate, &[ours, floor])
    };
    let [beside_handed, beside_gathered] = copied;
    Ok(vec![
        row("recovery-handoff", "noted as missed, handed off", handed, beside_handed),
        row("recovery-wiped", "gathered by a wiped member", gathered, beside_gathered),
    ])
}

/// What each way took for one message.
struct Round {
    handed: Spent,
    gathered: Spent,
    copied: Spent,
}

async fn round(missed: usize, folder: &Path) -> Outcome<Round> {
    let pace = Pace { handoff: NEVER, round: NEVER, ..Pace::default() };
    let options = NodeOptions { pace, ..options() };
    let mut nodes = Nodes::start(folder, vec![options.clone(), options]).await?;
    // Both have gathered, so that what comes next comes by notes alone.
    caught_up(&nodes, KEEPER).await?;
    caught_up(&nodes, MISSING).await?;
    miss(&nodes, missed).await?;

    let watch = Stopwatch::start(Processor::Process);
    nodes.node(KEEPER)?.member.hand_off_once().await;
    let handed = watch.read();
    expect(&nodes, missed).await?;

    nodes.wipe(MISSING).await?;
    let watch = Stopwatch::start(Processor::Process);
    nodes.start_again(MISSING).await?;
    caught_up(&nodes, MISSING).await?;
    let gathered = watch.read();
    expect(&nodes, missed).await?;

    let copied = copy(&nodes, &folder.join("copy"), missed).await?;
    nodes.stop().await;
    Ok(Round {
        handed: handed.per(missed),
        gathered: gathered.per(missed),
        copied: copied.per(missed),
    })
}

/// Puts messages into one member's store and notes that the other missed them, mailbox after
/// mailbox in turn, as they would come in.
async fn miss(nodes: &Nodes, missed: usize) -> Outcome<()> {
    let store = &nodes.node(KEEPER)?.store;
    let peer = nodes.record(MISSING)?.id;
    let owner = |_| {
        let key = x25519::PublicKey::from_bytes(entropy::random(&mut SystemEntropy));
        AccountId::person(&key)
    };
    let owners: Vec<AccountId> = (0..missed.div_ceil(MAILBOX)).map(owner).collect();
    let numbers: Vec<usize> = (0..missed).collect();
    for batch in numbers.chunks(BATCH) {
        let time = now();
        let owner = |n: &usize| owners.get(n % owners.len().max(1)).ok_or("no mailbox");
        let messages: Vec<MessageRecord> =
            batch.iter().map(|n| message(*owner(n)?, time)).collect::<Outcome<_>>()?;
        let items: Vec<Item> = messages.iter().map(item).collect::<Outcome<_>>()?;
        store.merge(messages.into_iter().map(Record::Message).collect(), time).await?;
        store.note_missed(peer, items).await?;
    }
    Ok(())
}

/// A message that members believe: they compute its hash themselves.
fn message(owner: AccountId, time: Millis) -> Outcome<MessageRecord> {
    let unique: [u8; 32] = entropy::random(&mut SystemEntropy);
    let data = unique.repeat(MESSAGE_BYTES / unique.len());
    Ok(MessageRecord {
        owner,
        namespace: Namespace::DIRECT,
        hash: MessageHash::compute(&owner, Namespace::DIRECT, &data)?,
        timestamp: time,
        expiry: time + MESSAGE_TTL,
        data,
        stored: Stamp::at(time),
        proof: None,
    })
}

fn item(message: &MessageRecord) -> Outcome<Item> {
    let MessageRecord { owner, namespace, hash, stored, expiry, .. } = message;
    Ok(Item::message(owner, *namespace, hash, *stored, *expiry)?)
}

async fn caught_up(nodes: &Nodes, number: usize) -> Outcome<()> {
    let member = &nodes.node(number)?.member;
    let wait = async {
        while !member.is_caught_up() {
            tokio::time::sleep(LOOK).await;
        }
    };
    Ok(tokio::time::timeout(PATIENCE, wait).await.map_err(|_| "a member does not catch up")?)
}

async fn expect(nodes: &Nodes, missed: usize) -> Outcome<()> {
    let kept = nodes.node(MISSING)?.store.counts().await?.messages;
    match kept == u64::try_from(missed)? {
        true => Ok(()),
        false => Err(format!("the member has {kept} of {missed} messages").into()),
    }
}

/// The least that there is to do: reading the records and making them durable in a second store.
async fn copy(nodes: &Nodes, folder: &Path, missed: usize) -> Outcome<Spent> {
    let from = &nodes.node(KEEPER)?.store;
    let to = EmbeddedStore::open(folder, Options::default())?;
    let watch = Stopwatch::start(Processor::Process);
    let items = from.items(Positions::ALL, now()).await?;
    let read = async |at: usize| {
        let batch = items.iter().skip(at).take(RECORDS_ITEMS).copied().collect();
        let (records, looked_at) = from.records(batch).await?;
        Outcome::Ok((records, at + looked_at.max(1)))
    };
    let (mut records, mut next) = read(0).await?;
    while !records.is_empty() {
        // The next are read while those are kept.
        let (kept, following) = tokio::join!(to.merge(records, now()), read(next));
        kept?;
        (records, next) = following?;
    }
    let spent = watch.read();
    let kept = to.counts().await?.messages;
    to.close().await;
    match kept == u64::try_from(missed)? {
        true => Ok(spent),
        false => Err(format!("the copy has {kept} of {missed} messages").into()),
    }
}
