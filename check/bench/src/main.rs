//! `make bench`: everything measured, one table printed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use warren_bench::{
    Effort, Outcome, Row, at_rest, backup, catch_up, conversation, database, file, growth, held,
    message, node, onion, recovery, recovery_phrase, store, table, unlock,
};

const CONVERSATION: [&str; 4] =
    ["send-to-read-p50", "send-to-read-p99", "send-to-held-p50", "send-to-held-p99"];
const UNLOCK: [&str; 4] = ["unlock-p50", "unlock-p99", "keys-gone-p50", "keys-gone-p99"];
const DATABASE: [&str; 7] = [
    "record",
    "chat-list-cold",
    "chat-list",
    "message-page",
    "search",
    "search-best",
    "database-size",
];

const BACKUP: [&str; 4] = ["backup", "backup-cpu", "backup-unchanged", "backup-restore"];

/// Measures Warren beside its opponents and prints one table.
#[derive(Debug, Parser)]
#[command(name = "warren-bench")]
struct Arguments {
    /// Only rows whose name contains this, such as `onion`, `store`, `send-to-read`.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Few and short rounds: shows that everything runs; the figures mean little.
    #[arg(long)]
    quick: bool,
    /// The rows as JSON, times in seconds for one operation.
    #[arg(long)]
    json: bool,
    /// Where the stores write: on a disk, for on a RAM disk durability costs nothing.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    scratch: PathBuf,
    /// How many messages a member missed that is back.
    #[arg(long, value_name = "COUNT")]
    missed: Option<usize>,
    /// How many requests a node holds open.
    #[arg(long, value_name = "COUNT")]
    held: Option<usize>,
    /// How many messages the full store holds, 1 KiB each: 10000000 take 25 GB of disk.
    #[arg(long, value_name = "COUNT")]
    full_store: Option<usize>,
    /// How many messages a person's database holds.
    #[arg(long, value_name = "COUNT")]
    database: Option<usize>,
    /// How many messages came while a device was away.
    #[arg(long, value_name = "COUNT")]
    behind: Option<usize>,
    /// Is the node that another process measures.
    #[arg(long, hide = true, value_name = "DIR")]
    be_node: Option<PathBuf>,
    /// Is the program with an account open that another process measures.
    #[arg(long, hide = true, value_name = "DIR")]
    be_client: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("warren-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Arguments {
    fn effort(&self) -> Effort {
        let effort = if self.quick { Effort::QUICK } else { Effort::FULL };
        Effort {
            missed: self.missed.unwrap_or(effort.missed),
            held: self.held.unwrap_or(effort.held),
            full_store: self.full_store.unwrap_or(effort.full_store),
            database: self.database.unwrap_or(effort.database),
            behind: self.behind.unwrap_or(effort.behind),
            ..effort
        }
    }
}

fn run(arguments: &Arguments) -> Outcome<()> {
    if let Some(folder) = &arguments.be_node {
        return held::be_node(folder);
    }
    if let Some(home) = &arguments.be_client {
        return at_rest::be_client(home);
    }
    let effort = arguments.effort();
    let scratch = &arguments.scratch;
    let program = std::env::current_exe()?;
    let rows = [
        group(arguments, &["phrase-encode", "phrase-parse"], || recovery_phrase::rows(effort))?,
        group(arguments, &["message-seal", "message-open"], || message::rows(effort))?,
        group(arguments, &["onion-build", "onion-peel", "onion-peel-gcm"], || onion::rows(effort))?,
        group(arguments, &["store", "retrieve"], || store::rows(effort, scratch))?,
        group(arguments, &["store-growth", "retrieve-growth"], || growth::rows(effort, scratch))?,
        group(arguments, &["tls-store", "tls-retrieve"], || node::rows(effort, scratch))?,
        group(arguments, &["tls-store-alone"], || node::alone(effort, scratch))?,
        group(arguments, &["recovery-handoff", "recovery-wiped"], || {
            recovery::rows(effort, scratch)
        })?,
        group(arguments, &["file-download", "file-upload"], || file::rows(effort, scratch))?,
        group(arguments, &BACKUP, || backup::rows(effort, scratch))?,
        group(arguments, &["held-alone", "held-relayed"], || {
            held::rows(effort, scratch, &program)
        })?,
        group(arguments, &CONVERSATION, || conversation::rows(effort, scratch))?,
        group(arguments, &["catch-up"], || catch_up::rows(effort, scratch))?,
        group(arguments, &DATABASE, || database::rows(effort, scratch))?,
        group(arguments, &["memory-at-rest"], || at_rest::rows(effort, scratch, &program))?,
        group(arguments, &UNLOCK, || unlock::rows(effort, scratch))?,
    ]
    .concat();
    if rows.is_empty() {
        return Err("no row's name contains what --only asks for".into());
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print!("{}", table::format(&rows));
    }
    Ok(())
}

/// Measures rows that are measured together, if any of them is wanted.
fn group(
    arguments: &Arguments,
    names: &[&str],
    measure: impl FnOnce() -> Outcome<Vec<Row>>,
) -> Outcome<Vec<Row>> {
    let wanted = |name: &str| arguments.only.as_ref().is_none_or(|only| name.contains(only));
    if !names.iter().any(|name| wanted(name)) {
        return Ok(Vec::new());
    }
    eprintln!("measuring {} ...", names.join(", "));
    let rows = measure()?;
    Ok(rows.into_iter().filter(|row| wanted(row.name)).collect())
}
