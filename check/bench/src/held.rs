//! What a node needs in memory for a request that it holds open, the node in a process of its own.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use warren_account::Account;
use warren_crypto::SystemEntropy;
use warren_transport::Connections;
use warren_wire::directory::{NodeJson, NodeRecord};

use crate::node::Direct;
use crate::nodes::{Nodes, options};
use crate::row::Basis;
use crate::stopwatch::Spent;
use crate::{Effort, Outcome, Row};

/// How long a request waits; the node lets none wait longer.
const WAIT: Duration = Duration::from_secs(25);
/// How many connections are opened at a time.
const OPENING: usize = 64;
/// Requests before memory is looked at first: what is allocated once is there then.
const WARM_UP: usize = 256;
/// How often is looked whether all are held, and for how long.
const LOOK: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(300);
/// Files that are no connections of clients; a node keeps as many back for itself.
const OTHER_FILES: u64 = 5_000;
const IDLE: &str = "part: the connection alone, idle";
const OWN: &str = "each on a TLS connection of its own";

/// What the clients do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Each waits on a connection of its own, as clients do.
    WaitingAlone,
    /// All wait on the fewest connections that take them, as behind relays.
    WaitingTogether,
    /// Each has a connection of its own and asks for nothing.
    Idle,
}

/// Measures [`Effort::held`] requests held by one node. `program` is the `warren-bench` that is to
/// be the node.
///
/// # Errors
/// Where the node does not start or refuses a request.
pub fn rows(effort: Effort, scratch: &Path, program: &Path) -> Outcome<Vec<Row>> {
    let count = as_many_as_files_allow(effort.held);
    let measure = |doing| -> Outcome<Spent> {
        let folder = tempfile::tempdir_in(scratch)?;
        let mut node = NodeProcess::start(program, folder.path())?;
        Runtime::new()?.block_on(measure(&mut node, doing, count))
    };
    let alone = measure(Doing::WaitingAlone)?;
    let idle = measure(Doing::Idle)?;
    let together = measure(Doing::WaitingTogether)?;
    let what = |how| format!("{count} requests held, {how}");
    let row =
        |name, how, ours, beside| Row::of_single(name, what(how), Basis::Memory, ours, &[beside]);
    Ok(vec![
        row("held-alone", OWN, alone, (IDLE, idle)),
        row("held-relayed", "200 to a connection", together, (OWN, alone)),
    ])
}

/// Both processes may open files for all connections; where they may not, fewer are measured.
fn as_many_as_files_allow(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let files = if raised.is_ok() { maximum } else { current };
    let free = files.map_or(u64::MAX, |files| files.saturating_sub(OTHER_FILES));
    let count = wanted.min(usize::try_from(free).unwrap_or(usize::MAX)).max(1);
    if count < wanted {
        eprintln!("only {count} connections: this process may open no more files");
    }
    count
}

async fn measure(node: &mut NodeProcess, doing: Doing, count: usize) -> Outcome<Spent> {
    let shared = Direct::to(node.record.clone())?;
    for _ in 0..WARM_UP {
        shared.info().await?;
    }
    let before = node.look()?;
    let opening = Arc::new(Semaphore::new(OPENING));
    let mut clients = JoinSet::new();
    for _ in 0..count {
        let mut client = shared.for_mailbox_of(Arc::new(Account::random(&mut SystemEntropy)?));
        if doing != Doing::WaitingTogether {
            client = client.with_connections(Arc::new(Connections::new()));
        }
        let opening = Arc::clone(&opening);
        clients.spawn(async move { keep(&client, doing, &opening).await });
    }
    let (end, wanted) = (Instant::now() + PATIENCE, count - count / 100);
    let after = loop {
        let seen = node.look()?;
        let number = if doing == Doing::Idle { seen.connections } else { seen.held };
        if number >= wanted {
            break Seen { held: number, ..seen };
        }
        if let Some(ended) = clients.try_join_next() {
            ended??;
            return Err("a client ended by itself".into());
        }
        if Instant::now() > end {
            return Err(format!("only {number} of {count} are held").into());
        }
        tokio::time::sleep(LOOK).await;
    };
    clients.shutdown().await;
    let grown = after.resident.saturating_sub(before.resident);
    let wall = f64::from(u32::try_from(grown / 1_024)?) * 1_024.0;
    Ok(Spent { wall, cpu: 0.0 }.per(after.held))
}

/// Connects when it is its turn, and then waits again and again.
async fn keep(client: &Direct, doing: Doing, opening: &Semaphore) -> Outcome<()> {
    {
        let _turn = opening.acquire().await?;
        client.info().await?;
    }
    if doing == Doing::Idle {
        std::future::pending::<()>().await;
    }
    loop {
        client.retrieve_waiting(WAIT).await?;
    }
}

/// A node in a process of its own; ended with this.
struct NodeProcess {
    process: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    record: NodeRecord,
}

/// What the node's process says of itself.
struct Seen {
    held: usize,
    connections: usize,
    /// Bytes of memory in use.
    resident: u64,
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl NodeProcess {
    fn start(program: &Path, folder: &Path) -> Outcome<Self> {
        let mut process = Command::new(program)
            .arg("--be-node")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = process.stdin.take().ok_or("no way to ask the node")?;
        let answers = process.stdout.take().ok_or("no way to hear the node")?;
        let mut answers = BufReader::new(answers).lines();
        let record = answers.next().ok_or("the node did not start")??;
        let record: NodeJson = serde_json::from_str(&record)?;
        Ok(Self { process, questions, answers, record: record.try_into()? })
    }

    fn look(&mut self) -> Outcome<Seen> {
        self.questions.write_all(b"\n")?;
        let line = self.answers.next().ok_or("the node ended")??;
        let mut numbers = line.split(' ').map(str::parse::<u64>);
        let mut next = || numbers.next().ok_or("the node says too little");
        Ok(Seen {
            held: usize::try_from(next()??)?,
            connections: usize::try_from(next()??)?,
            resident: next()??,
        })
    }
}

/// What the other process does: runs one node and says, for each line it reads, how many requests
/// are held, how many connections are open, and how much memory is in use. Ends when the questions do.
///
/// # Errors
/// Where the node does not start.
pub fn be_node(folder: &Path) -> Outcome<()> {
    let runtime = Runtime::new()?;
    let nodes = runtime.block_on(Nodes::start(folder, vec![options()]))?;
    println!("{}", serde_json::to_string(&NodeJson::from(nodes.record(0)?))?);
    let node = nodes.node(0)?;
    for line in std::io::stdin().lines() {
        line?;
        let (held, open) = (node.held.requests(), node.limits.doors.connections());
        println!("{held} {open} {}", resident()?);
    }
    Ok(())
}

/// Bytes of this process in memory.
pub(crate) fn resident() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.ok_or("no VmRSS")?.trim().trim_end_matches(" kB").parse::<u64>()?;
    Ok(kibibytes * 1_024)
}
