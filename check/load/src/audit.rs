//! `warren-load audit`: what every member keeps, beside what was acknowledged.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use futures_util::future::join_all;
use serde_json::{Value, json};
use warren_transport::Connections;
use warren_wire::Millis;
use warren_wire::directory::NodeRecord;

use crate::events::{self, Fates};
use crate::mailbox::Mailbox;
use crate::node_call::{self, Outcome};
use crate::read_nodes;

/// Between two looks at members that differ.
const PAUSE: Duration = Duration::from_millis(500);
/// How many differences are shown.
const SHOWN: usize = 10;

/// Compares what every member keeps with what was acknowledged; fails where something is missing,
/// came back, or members still differ at the end.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// JSON list of the members' records
    #[arg(long, value_name = "FILE")]
    nodes: PathBuf,
    /// The events that `run` wrote
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// What the mailboxes' keys follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long members may take until they agree
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    settle: u64,
}

/// What one member keeps: expiry by mailbox and hash.
type Kept = BTreeMap<(usize, String), Millis>;

impl Audit {
    /// Looks until all members agree with what was acknowledged, or time is up.
    pub(crate) async fn execute(self) -> anyhow::Result<()> {
        let nodes = read_nodes(&self.nodes)?;
        let fates = events::read(&self.events).context("cannot read the events")?;
        let connections = Connections::new();
        let started = Instant::now();
        loop {
            let looks = nodes.iter().map(|node| self.look(&connections, node, &fates));
            let complaints =
                match join_all(looks).await.into_iter().collect::<anyhow::Result<Vec<_>>>() {
                    Ok(kept) => complaints(&nodes, &kept, &fates),
                    Err(error) => vec![format!("{error:#}")],
                };
            if complaints.is_empty() {
                let settled = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                println!("{}", verdict(&fates, settled));
                return Ok(());
            }
            if started.elapsed() > Duration::from_secs(self.settle) {
                let shown = complaints.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n  ");
                bail!("{} complaints:\n  {shown}", complaints.len());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Reads every mailbox at one member.
    async fn look(
        &self,
        connections: &Connections,
        node: &NodeRecord,
        fates: &Fates,
    ) -> anyhow::Result<Kept> {
        let mut kept = Kept::new();
        let mut numbers: Vec<usize> = fates.keys().map(|(mailbox, _)| *mailbox).collect();
        numbers.dedup();
        let skew = clock_of(connections, node).await?;
        for number in numbers {
            let mailbox = Mailbox::new(self.seed, number)?;
            let mut after = String::new();
            loop {
                let request = mailbox.retrieve(&after, skew)?;
                let page = match node_call::call(connections, node, &request).await {
                    Outcome::Done(page) => page,
                    other => bail!("{} does not answer: {other:?}", node.ip),
                };
                let messages = page.get("messages").and_then(Value::as_array);
                for message in messages.context("no messages in the answer")? {
                    let hash = message.get("hash").and_then(Value::as_str).unwrap_or_default();
                    let expiry = message.get("expiration").and_then(Value::as_u64);
                    hash.clone_into(&mut after);
                    kept.insert((number, hash.to_owned()), expiry.unwrap_or_default());
                }
                if page.get("more").and_then(Value::as_bool) != Some(true) {
                    break;
                }
            }
        }
        Ok(kept)
    }
}

/// How far a node's clock is ahead of this one, in milliseconds.
async fn clock_of(connections: &Connections, node: &NodeRecord) -> anyhow::Result<i64> {
    let request = json!({ "method": "info", "params": {} });
    match node_call::call(connections, node, &request).await {
        Outcome::Done(body) => {
            let theirs = body.get("t").and_then(Value::as_i64).context("no time in the answer")?;
            Ok(theirs.saturating_sub_unsigned(crate::mailbox::now()))
        }
        other => bail!("{} does not answer: {other:?}", node.ip),
    }
}

/// What is wrong, in words.
fn complaints(nodes: &[NodeRecord], kept: &[Kept], fates: &Fates) -> Vec<String> {
    let mut complaints = Vec::new();
    for (node, kept) in nodes.iter().zip(kept) {
        for ((mailbox, hash), fate) in fates {
            let here = kept.get(&(*mailbox, hash.clone()));
            if fate.stored && !fate.deletion_asked && here.is_none() {
                complaints.push(format!("{}: {hash} of mailbox {mailbox} is lost", node.ip));
            }
            if fate.deleted && here.is_some() {
                complaints.push(format!("{}: {hash} of mailbox {mailbox} came back", node.ip));
            }
            if let (Some(expected), Some(found)) = (fate.expiry, here)
                && expected != *found
            {
                complaints.push(format!(
                    "{}: {hash} of mailbox {mailbox} expires at {found}, not {expected}",
                    node.ip
                ));
            }
        }
        for (mailbox, hash) in kept.keys() {
            if !fates.contains_key(&(*mailbox, hash.clone())) {
                complaints.push(format!("{}: nobody stored {hash}", node.ip));
            }
        }
    }
    if let Some((first, others)) = kept.split_first() {
        for (node, other) in nodes.iter().skip(1).zip(others) {
            if other != first {
                complaints.push(format!("{} keeps other messages than the first member", node.ip));
            }
        }
    }
    complaints
}

fn verdict(fates: &Fates, settled: u64) -> Value {
    let count = |test: fn(&events::Fate) -> bool| fates.values().filter(|fate| test(fate)).count();
    json!({
        "stored": count(|fate| fate.stored && !fate.deletion_asked),
        "deleted": count(|fate| fate.deleted),
        "unknown": count(|fate| !fate.stored || (fate.deletion_asked && !fate.deleted)),
        "settled_ms": settled,
    })
}
