//! A file to and from a node that keeps files, through three others, beside the same straight over HTTPS.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use warren_crypto::{SystemEntropy, entropy};
use warren_noded::files::FilesOptions;
use warren_noded::node::NodeOptions;
use warren_onion::{Cipher, Hop, Server, ServerRequest, ServerResponse, build_for_server};
use warren_transport::Connections;
use warren_transport::pin::{Pin, client_config};
use warren_wire::FileId;
use warren_wire::directory::NodeRecord;

use crate::contest::{self, Contestant, Result};
use crate::nodes::{Nodes, options};
use crate::row::Basis;
use crate::{Effort, Outcome, Row};

/// Bytes of a file: one that fits into one onion.
const FILE_BYTES: usize = FILE_MEGABYTES * 1_000_000;
const FILE_MEGABYTES: usize = 8;
/// Three hops.
const HOPS: usize = 3;
/// The node behind them.
const KEEPER: usize = HOPS;
const ROUNDS: usize = 7;
const TIMEOUT: Duration = Duration::from_secs(60);
const GET_FLOOR: &str = "floor: the same file straight over HTTPS";
const PUT_FLOOR: &str = "floor: a file straight over HTTPS";

/// Measures one file at a time, one after the other.
///
/// # Errors
/// Where nodes do not start, or a file does not come back as it was.
pub fn rows(effort: Effort, scratch: &Path) -> Outcome<Vec<Row>> {
    let folder = tempfile::tempdir_in(scratch)?;
    let runtime = Runtime::new()?;
    let nodes = runtime.block_on(start(folder.path()))?;
    let client = Client::new(&nodes)?;
    let kept = content();
    let id = runtime.block_on(client.put_straight(kept.clone()))?;
    let files = if effort.rounds < ROUNDS { 1 } else { 4 };
    let effort = Effort { burst: files, ..effort.with_rounds(ROUNDS) };
    let path = format!("/file/{id}");
    let each = |name, count, operation: &dyn Fn() -> Outcome<()>| {
        (0..count).try_for_each(|_| operation()).map_err(|error| format!("{name}: {error}").into())
    };
    let through = || same(&runtime.block_on(client.through("GET", &path, &[]))?.body, &kept);
    let straight = || same(&runtime.block_on(client.get_straight(&path))?, &kept);
    let got = contest::of_bursts(
        effort,
        vec![
            Contestant::burst("warren", |count| each("download", count, &through)),
            Contestant::burst(GET_FLOOR, |count| each(GET_FLOOR, count, &straight)),
        ],
    )?;
    let through = || {
        let content = content();
        expect(&content, &runtime.block_on(client.through("POST", "/file", &content))?.body)
    };
    let straight = || runtime.block_on(client.put_straight(content())).map(|_| ());
    let put = contest::of_bursts(
        effort,
        vec![
            Contestant::burst("warren", |count| each("upload", count, &through)),
            Contestant::burst(PUT_FLOOR, |count| each(PUT_FLOOR, count, &straight)),
        ],
    )?;
    runtime.block_on(nodes.stop());
    let what = |how| format!("{FILE_MEGABYTES} MB {how} through 3 hops");
    let row = |name, how, results| Row::of_contest(name, what(how), Basis::Throughput, results);
    Ok(vec![
        row("file-download", "from a file node", &by_megabyte(got)),
        row("file-upload", "to a file node", &by_megabyte(put)),
    ])
}

async fn start(folder: &Path) -> Outcome<Nodes> {
    let content = folder.join("content");
    let content = content.to_str().ok_or("the folder's name is no text")?;
    let files = FilesOptions { spare_bytes: 0, ..FilesOptions::in_store(content) };
    let keeper = NodeOptions { files: Some(files), ..options() };
    let mut all = vec![options(); HOPS];
    all.push(keeper);
    Nodes::start(folder, all).await
}

fn by_megabyte(mut results: Vec<Result>) -> Vec<Result> {
    for spent in results.iter_mut().flat_map(|result| &mut result.rounds) {
        *spent = spent.per(FILE_MEGABYTES);
    }
    results
}

/// A file that was not there before: nodes keep equal ones once.
fn content() -> Vec<u8> {
    let unique: [u8; 32] = entropy::random(&mut SystemEntropy);
    unique.repeat(FILE_BYTES / unique.len())
}

fn same(got: &[u8], kept: &[u8]) -> Outcome<()> {
    if got == kept { Ok(()) } else { Err("the file came back altered".into()) }
}

/// The answer to an upload names the file by its content.
fn expect(content: &[u8], answer: &[u8]) -> Outcome<()> {
    let (id, expected) = (id(answer)?, FileId::of(content)?.to_string());
    if id == expected { Ok(()) } else { Err("the file is kept under another name".into()) }
}

fn id(answer: &[u8]) -> Outcome<String> {
    let answer: serde_json::Value = serde_json::from_slice(answer)?;
    Ok(answer.get("id").and_then(serde_json::Value::as_str).ok_or("no id")?.to_owned())
}

struct Client {
    way: Vec<NodeRecord>,
    server: Server,
    keeper: NodeRecord,
    connections: Arc<Connections>,
    straight: reqwest::Client,
}

impl Client {
    fn new(nodes: &Nodes) -> Outcome<Self> {
        let keeper = nodes.record(KEEPER)?.clone();
        let server = Server {
            host: keeper.ip.to_string(),
            port: keeper.port,
            protocol: "https".to_owned(),
            target: "/oxen/v4/lsrpc".to_owned(),
            key: keeper.x25519,
        };
        let pin = keeper.certificate.map_or(Pin::Any, Pin::Certificate);
        let straight = reqwest::Client::builder().tls_backend_preconfigured(client_config(pin)?);
        Ok(Self {
            way: nodes.records().into_iter().take(HOPS).collect(),
            server,
            keeper,
            connections: Arc::new(Connections::new()),
            straight: straight.no_proxy().build()?,
        })
    }

    /// Asks the file node through the three others.
    async fn through(&self, method: &str, endpoint: &str, body: &[u8]) -> Outcome<ServerResponse> {
        let (method, endpoint) = (method.to_owned(), endpoint.to_owned());
        let request = ServerRequest { method, endpoint, headers: Vec::new(), body: body.to_vec() };
        let hops: Vec<Hop> = self.way.iter().map(Hop::from).collect();
        let cipher = Cipher::XChaCha20;
        let entropy = &mut SystemEntropy;
        let mut sent = build_for_server(&hops, &self.server, &request.encode(), cipher, entropy)?;
        let packet = std::mem::take(&mut sent.packet);
        let first = self.way.first().ok_or("no first hop")?;
        let reply = self.connections.post(first, "/onion_req/v2", packet, TIMEOUT).await?;
        let answer = sent.open(&reply.body)?;
        match answer.code {
            200 => Ok(answer),
            code => Err(format!("the file node answers {code}").into()),
        }
    }

    async fn get_straight(&self, path: &str) -> Outcome<Vec<u8>> {
        let url = format!("https://{}{path}", self.keeper.address());
        let answer = self.straight.get(url).send().await?.error_for_status()?;
        Ok(answer.bytes().await?.into())
    }

    async fn put_straight(&self, content: Vec<u8>) -> Outcome<String> {
        let url = format!("https://{}/file", self.keeper.address());
        let answer = self.straight.post(url).body(content).send().await?.error_for_status()?;
        id(&answer.bytes().await?)
    }
}
