//! The nodes in a process of their own, and how it is asked for its memory.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use warren_transport::Seed;
use warren_wire::directory::NodeRecord;

use crate::Outcome;
use crate::node::{now, start};

/// How long thousands may take to be held: requests that end meanwhile are made again.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the nodes say of themselves when they are asked.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    /// The directory, `URL#KEY`.
    seed: String,
    /// How many requests are held, on the node that has most.
    held: usize,
}

/// Runs a network of four and says, line by line for each line read, how many requests are held.
///
/// # Errors
/// Where the network does not start.
pub fn serve(data: &Path) -> Outcome<()> {
    let runtime = Runtime::new()?;
    let network = runtime.block_on(start(data))?;
    for line in std::io::stdin().lines() {
        line?;
        let held = network.nodes().iter().map(|node| node.node().held.requests()).max();
        let said = Said { seed: network.seed(), held: held.unwrap_or(0) };
        println!("{}", serde_json::to_string(&said)?);
    }
    runtime.block_on(network.stop());
    Ok(())
}

/// That process, from outside.
pub(crate) struct Nodes {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Nodes {
    pub(crate) fn start(program: &Path, data: &Path) -> Outcome<Self> {
        let mut child = Command::new(program)
            .arg("--serve")
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take().ok_or("no stdin")?;
        let stdout = child.stdout.take().ok_or("no stdout")?;
        Ok(Self { child, stdin, lines: BufReader::new(stdout).lines() })
    }

    fn ask(&mut self) -> Outcome<Said> {
        self.stdin.write_all(b"\n")?;
        let line = self.lines.next().ok_or("the nodes ended")??;
        Ok(serde_json::from_str(&line)?)
    }

    /// All four nodes, as their directory lists them.
    pub(crate) fn target(&mut self) -> Outcome<Vec<NodeRecord>> {
        let seed: Seed = self.ask()?.seed.parse()?;
        let now = now()?;
        let fetch =
            async move { seed.fetch(None, now).await.map(|(list, _)| list.nodes.nodes().to_vec()) };
        // The caller may be within an executor, where none may be blocked on.
        let fetched = std::thread::spawn(move || Runtime::new().map(|it| it.block_on(fetch)));
        Ok(fetched.join().map_err(|_| "the directory was not asked")???)
    }

    /// Waits until so many requests are held on one node.
    pub(crate) async fn until_held(
        &mut self,
        count: usize,
        clients: &mut JoinSet<Outcome<()>>,
    ) -> Outcome<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let held = self.ask()?.held;
            if held >= count {
                return Ok(());
            }
            if let Some(ended) = clients.try_join_next() {
                ended??;
                return Err("a client ended before its time".into());
            }
            if Instant::now() > deadline {
                return Err(format!("{held} of {count} requests are held").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Bytes of memory in use.
    pub(crate) fn memory(&self) -> Outcome<u64> {
        memory_of(self.child.id())
    }

    pub(crate) fn stop(mut self) -> Outcome<()> {
        drop(self.stdin);
        self.child.wait()?;
        Ok(())
    }
}

/// The resident memory of a process that is its own: shared libraries count by their share.
pub(crate) fn memory_of(process: u32) -> Outcome<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).ok_or("no memory figure")?;
    Ok(kib.parse::<u64>()? * 1_024)
}
