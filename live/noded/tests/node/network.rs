//! A network that tests share, and a client that speaks plain HTTPS to its nodes.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use warren_noded::local_network::Plan;
use warren_noded::{LocalNetwork, Node};
use warren_transport::pin::{Pin, client_config};
use warren_wire::directory::NodeRecord;

/// A network on an executor of its own, so that it outlives the test that started it.
pub(crate) struct TestNetwork {
    running: Option<(Runtime, LocalNetwork)>,
    _data: TempDir,
}

static SHARED: Mutex<Weak<TestNetwork>> = Mutex::new(Weak::new());

impl TestNetwork {
    /// The seven nodes that all tests running at this time share.
    pub(crate) fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let network = Arc::new(Self::start(7));
            *shared = Arc::downgrade(&network);
            network
        })
    }

    /// A network of one test's own.
    pub(crate) fn start(nodes: usize) -> Self {
        let data = tempfile::tempdir().unwrap();
        let plan = Plan { nodes, data: data.path().to_owned(), seed_port: 0, node_port: 0 };
        let start = move || {
            let runtime = Runtime::new().unwrap();
            let network = runtime.block_on(LocalNetwork::start(&plan)).unwrap();
            (runtime, network)
        };
        // A test's thread already drives an executor and cannot wait on a second one.
        let running = std::thread::spawn(start).join().unwrap();
        Self { running: Some(running), _data: data }
    }

    fn network(&self) -> &LocalNetwork {
        &self.running.as_ref().unwrap().1
    }

    /// `http://IP:PORT` of the directory.
    pub(crate) fn seed_url(&self) -> String {
        self.network().seed_url()
    }

    /// The directory's URL and key, as clients are given them.
    pub(crate) fn seed(&self) -> String {
        self.network().seed()
    }

    /// All nodes, in the order of the list: a node's number is its place there.
    pub(crate) fn records(&self) -> Vec<NodeRecord> {
        self.network().nodes()[0].node().placement().list().nodes().to_vec()
    }

    /// The node with this number, from 0.
    pub(crate) fn record(&self, number: usize) -> NodeRecord {
        self.records()[number].clone()
    }

    /// The running node with this number.
    pub(crate) fn node(&self, number: usize) -> &Arc<Node> {
        let id = self.record(number).id;
        let nodes = self.network().nodes().iter().map(|running| running.node());
        nodes.into_iter().find(|node| node.identity.id() == id).unwrap()
    }

    /// What the node with this number signs with.
    pub(crate) fn signing_key(&self, number: usize) -> &warren_crypto::ed25519::SigningKey {
        self.node(number).identity.signing_key()
    }
}

impl Drop for TestNetwork {
    fn drop(&mut self) {
        let Some((runtime, network)) = self.running.take() else { return };
        let stop = move || runtime.block_on(network.stop());
        std::thread::spawn(stop).join().unwrap();
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    /// HTTP status.
    pub(crate) status: u16,
    /// `Content-Type`, whole.
    pub(crate) content_type: String,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self}"))
    }

    /// Status and body as text.
    pub(crate) fn said(&self) -> (u16, String) {
        (self.status, String::from_utf8_lossy(&self.body).into_owned())
    }
}

impl std::fmt::Display for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (status, text) = self.said();
        write!(f, "{status} {text}")
    }
}

/// A client that believes any certificate, as the other clients of this network do.
#[derive(Clone)]
pub(crate) struct Client(reqwest::Client);

impl Client {
    /// Speaks HTTP/2 where it is offered.
    pub(crate) fn new() -> Self {
        Self::build(|builder| builder)
    }

    /// Speaks HTTP/1.1.
    pub(crate) fn http1() -> Self {
        Self::build(reqwest::ClientBuilder::http1_only)
    }

    fn build(choose: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> Self {
        let tls = client_config(Pin::Any).unwrap();
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(Duration::from_secs(30))
            .no_proxy();
        Self(choose(builder).build().unwrap())
    }

    /// Posts bytes to a path of a node.
    pub(crate) async fn post(
        &self,
        node: &NodeRecord,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> Response {
        let url = format!("https://{}{path}", node.address());
        self.send(self.0.post(url).body(body)).await.unwrap()
    }

    /// Gets a path of a node; the error is that there was no answer.
    pub(crate) async fn get(
        &self,
        node: &NodeRecord,
        path: &str,
    ) -> Result<Response, reqwest::Error> {
        self.send(self.0.get(format!("https://{}{path}", node.address()))).await
    }

    /// Posts bytes to any URL.
    pub(crate) async fn post_url(&self, url: &str, body: impl Into<reqwest::Body>) -> Response {
        self.send(self.0.post(url).body(body)).await.unwrap()
    }

    /// Asks a node by its storage RPC.
    pub(crate) async fn ask(&self, node: &NodeRecord, method: &str, params: Value) -> Response {
        let body = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        self.post(node, "/storage_rpc/v1", body.to_string()).await
    }

    /// As [`Client::ask`], for what must succeed.
    pub(crate) async fn done(&self, node: &NodeRecord, method: &str, params: Value) -> Value {
        let response = self.ask(node, method, params).await;
        assert_eq!(response.status, 200, "{method}: {response}");
        assert_eq!(response.content_type, "application/json");
        response.json()
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, reqwest::Error> {
        let response = request.send().await?;
        let content_type = response.headers().get("content-type");
        let content_type = content_type.map(|value| value.to_str().unwrap().to_owned());
        Ok(Response {
            status: response.status().as_u16(),
            content_type: content_type.unwrap_or_default(),
            body: response.bytes().await?.to_vec(),
        })
    }
}
