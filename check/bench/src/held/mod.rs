//! Memory of requests that are held open, beside connections that nginx keeps alive.
//!
//! The nodes run in a process of their own, whose memory is read before and while thousands wait.

pub mod client;
pub mod delivery;
mod nginx;
pub mod server;

use std::path::Path;

use tokio::runtime::Runtime;

use self::client::Crowd;
use self::nginx::Nginx;
use self::server::Nodes;
use crate::row::Goal;
use crate::{Effort, Outcome, Row};

const NGINX: &str = "nginx, TLS kept alive, HTTP/1.1";
const BOUND: &str = "bound: 10,000 in 1 GB";
const DESTINATION: &str = "part: the destination alone";
/// A gigabyte for ten thousand.
const BOUND_BYTES: f64 = 1e9 / 1e4;
/// How many wait before memory is first read: what is allocated once is not counted.
const WARM_UP: usize = 64;
/// The names of the rows.
pub const MEMORY_ROWS: [&str; 4] =
    ["held-memory", "held-memory-each", "held-memory-each-h2", "held-memory-onion"];
/// How many requests share a connection of HTTP/2.
pub(crate) const SHARED: usize = 200;

/// Measures bytes per held request. `program` is this program, which is started again with `--serve`.
///
/// # Errors
/// Where the nodes do not start or a request is refused.
pub fn memory_rows(effort: Effort, scratch: &Path, program: &Path) -> Outcome<Vec<Row>> {
    client::raise_file_limit();
    let runtime = Runtime::new()?;
    let folder = tempfile::tempdir_in(scratch)?;
    let measure = |name: &str, crowd: Crowd| -> Outcome<f64> {
        let mut nodes = Nodes::start(program, &folder.path().join(name))?;
        let bytes = runtime.block_on(held_bytes(effort.held, &mut nodes, crowd));
        nodes.stop()?;
        bytes
    };
    let shared = measure("shared", Crowd::Shared)?;
    let http1 = measure("http1", Crowd::EachHttp1)?;
    let http2 = measure("http2", Crowd::EachHttp2)?;
    let onion = measure("onion", Crowd::Onion)?;
    let mut beside = vec![(BOUND, BOUND_BYTES)];
    match Nginx::start(folder.path())? {
        Some(nginx) => {
            let bytes = runtime.block_on(nginx.bytes_each(effort.held));
            nginx.stop();
            beside.insert(0, (NGINX, bytes?));
        }
        None => eprintln!("nginx is not installed: nobody is beside the held requests"),
    }
    let row = |name, what, bytes| {
        Row::of_memory(name, what, bytes, &beside)
            .with_goal(NGINX, Goal::at_most("P8", 2.0))
            .with_goal(BOUND, Goal::at_most("P8", 1.0))
    };
    Ok(vec![
        row("held-memory", "a held retrieve, 200 on a connection of HTTP/2", shared),
        row("held-memory-each", "a held retrieve, a connection of HTTP/1.1 each", http1),
        row("held-memory-each-h2", "a held retrieve, a connection of HTTP/2 each", http2),
        Row::of_memory(
            "held-memory-onion",
            "a held retrieve through 3 hops, all four nodes",
            onion,
            &[(DESTINATION, shared)],
        ),
    ])
}

/// Bytes that each request takes of the nodes' memory.
async fn held_bytes(count: usize, nodes: &mut Nodes, crowd: Crowd) -> Outcome<f64> {
    let target = nodes.target()?;
    let mut waiting = client::wait(&target, crowd, WARM_UP)?;
    nodes.until_held(WARM_UP, &mut waiting).await?;
    let before = nodes.memory()?;
    let mut more = client::wait(&target, crowd, count)?;
    nodes.until_held(WARM_UP + count, &mut more).await?;
    let after = nodes.memory()?;
    drop((waiting, more));
    Ok(after.saturating_sub(before) as f64 / count as f64)
}
