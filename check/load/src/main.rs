//! `warren-load`: traffic for the members of one swarm, and an audit of what they keep of it.
//!
//! `run` stores, deletes and moves expiries through whichever member answers and writes down what
//! was acknowledged. `audit` reads every mailbox at every member and says what is missing, what came
//! back and where members differ. Between the two somebody may do to the nodes whatever they like.

mod audit;
mod events;
mod mailbox;
mod node_call;
mod traffic;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};
use warren_wire::directory::{NodeJson, NodeRecord};

/// Traffic for a swarm, and an audit of what its members keep of it.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Stores, deletes and moves expiries, and writes down what was acknowledged
    Run(traffic::Run),
    /// Compares what every member keeps with what was acknowledged
    Audit(audit::Audit),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match cli.command {
        Command::Run(run) => runtime.block_on(run.execute()),
        Command::Audit(audit) => runtime.block_on(audit.execute()),
    }
}

/// Reads the nodes' records, as `warren-node init --json` prints each.
fn read_nodes(path: &PathBuf) -> anyhow::Result<Vec<NodeRecord>> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let nodes: Vec<NodeJson> = serde_json::from_slice(&text).context("not a list of records")?;
    nodes.into_iter().map(|node| NodeRecord::try_from(node).map_err(Into::into)).collect()
}
