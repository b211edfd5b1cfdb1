//! A node over TLS, 64 requests at once: a store that its swarm of seven keeps, one that a node alone
//! keeps, and a signed read.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::Runtime;
use warren_account::Account;
use warren_crypto::{SystemEntropy, entropy, x25519};
use warren_noded::LocalNetwork;
use warren_noded::local_network::Plan;
use warren_transport::Connections;
use warren_wire::directory::NodeRecord;
use warren_wire::limits::MESSAGE_TTL;
use warren_wire::rpc::{RetrieveRequest, StoreRequest, UnverifiedAuth, request, signed};
use warren_wire::{AccountId, Millis, Namespace, Value};

use crate::contest::{self, Contestant};
use crate::nodes::{Nodes, options};
use crate::redis::{REDIS, Redis};
use crate::row::{Basis, Goal};
use crate::store::{MAILBOX, MESSAGE_BYTES, side_by_side};
use crate::{Effort, Outcome, Row};

const TIMEOUT: Duration = Duration::from_secs(20);
const FLOOR: &str = "floor: `info`, the emptiest request";

/// A drawer that only its owner may store to.
const OWNERS_ONLY: Namespace = Namespace::new(2);
/// How many are the swarm.
const SWARM: usize = 7;
/// How many mailboxes share what their owners sign.
const OWNERS: usize = 64;

/// Measures one node of a swarm of seven in this process, client and network together.
///
/// # Errors
/// Where the network does not start or refuses a request.
pub fn rows(effort: Effort, scratch: &Path) -> Outcome<Vec<Row>> {
    let folder = tempfile::tempdir_in(scratch)?;
    let runtime = Runtime::new()?;
    let network = runtime.block_on(start(folder.path(), SWARM))?;
    let client = Direct::new(&network)?;
    let effort = Effort { burst: effort.burst / 4, ..effort }.with_rounds(7);
    let info = || Contestant::burst(FLOOR, |count| runtime.block_on(client.info_all(count)));
    let stored = contest::of_bursts(
        effort,
        vec![
            Contestant::burst("warren", |count| runtime.block_on(client.store_all(count))),
            info(),
        ],
    )?;
    runtime.block_on(client.fill())?;
    let read = contest::of_bursts(
        effort,
        vec![
            Contestant::burst("warren", |count| runtime.block_on(client.retrieve_all(count))),
            info(),
        ],
    )?;
    runtime.block_on(network.stop());
    Ok(vec![
        Row::of_contest("tls-store", "1 KiB, kept by a swarm of 7", Basis::Rate, &stored),
        Row::of_contest("tls-retrieve", "signed, mailbox of 20 x 1 KiB", Basis::Rate, &read),
    ])
}

/// Measures a node that is a swarm by itself; each store is signed by the mailbox's owner.
///
/// # Errors
/// As [`rows`].
pub fn alone(effort: Effort, scratch: &Path) -> Outcome<Vec<Row>> {
    let folder = tempfile::tempdir_in(scratch)?;
    let runtime = Runtime::new()?;
    let nodes = runtime.block_on(Nodes::start(folder.path(), vec![options()]))?;
    let client = Direct::to(nodes.record(0)?.clone())?;
    let owners = (0..OWNERS).map(|_| Account::random(&mut SystemEntropy).map(Arc::new));
    let owners: Vec<Arc<Account>> = owners.collect::<Result<_, _>>()?;
    let owners: Arc<[Arc<Account>]> = owners.into();
    let redis = runtime.block_on(Redis::start(&folder.path().join("redis")))?;
    let signed = |count| runtime.block_on(client.store_signed_all(&owners, count));
    let mut contestants = vec![
        Contestant::burst("warren", signed),
        Contestant::burst(FLOOR, |count| runtime.block_on(client.info_all(count))),
    ];
    if let Some(redis) = &redis {
        let store = |count| runtime.block_on(redis.store_all(count));
        contestants.push(Contestant::burst(REDIS, store).with_process(redis.id()));
    }
    let results = contest::of_bursts(effort.with_rounds(7), contestants)?;
    runtime.block_on(nodes.stop());
    let what = "1 KiB, signed, durable at one node";
    let row = Row::of_contest("tls-store-alone", what, Basis::Rate, &results);
    Ok(vec![row.with_goal(REDIS, Goal::at_least("P6", 0.8))])
}

/// Starts a network of so many nodes, on free ports.
pub(crate) async fn start(data: &Path, nodes: usize) -> Outcome<LocalNetwork> {
    let plan = Plan { nodes, data: data.join("network"), seed_port: 0, node_port: 0 };
    Ok(LocalNetwork::start(&plan).await?)
}

/// A client that asks one node straight, without an onion.
#[derive(Clone)]
pub(crate) struct Direct {
    connections: Arc<Connections>,
    node: Arc<NodeRecord>,
    /// Whose mailbox is read.
    owner: Arc<Account>,
}

impl Direct {
    pub(crate) fn new(network: &LocalNetwork) -> Outcome<Self> {
        let node = network.nodes().first().ok_or("the network has no node")?;
        let placement = node.node().placement();
        Self::to(placement.list().nodes().first().ok_or("the list has no node")?.clone())
    }

    /// A client of this node.
    pub(crate) fn to(node: NodeRecord) -> Outcome<Self> {
        Ok(Self {
            connections: Arc::new(Connections::new()),
            node: Arc::new(node),
            owner: Arc::new(Account::random(&mut SystemEntropy)?),
        })
    }

    /// The same connections, and another mailbox to read.
    pub(crate) fn for_mailbox_of(&self, owner: Arc<Account>) -> Self {
        Self { owner, ..self.clone() }
    }

    /// The same client on connections of its own.
    pub(crate) fn with_connections(self, connections: Arc<Connections>) -> Self {
        Self { connections, ..self }
    }

    /// The emptiest request.
    pub(crate) async fn info(&self) -> Outcome<()> {
        self.ask("info", &Value::Dict([].into()), TIMEOUT).await.map(|_| ())
    }

    async fn info_all(&self, count: usize) -> Outcome<()> {
        side_by_side(self, count, |client, _| async move { client.info().await }).await
    }

    async fn store_signed_all(&self, owners: &Arc<[Arc<Account>]>, count: usize) -> Outcome<()> {
        let context = (self.clone(), Arc::clone(owners));
        side_by_side(&context, count, |(client, owners), at| async move {
            let owner = owners.get(at % owners.len().max(1)).ok_or("no mailbox")?;
            client.store_signed(owner).await
        })
        .await
    }

    async fn store_all(&self, count: usize) -> Outcome<()> {
        side_by_side(self, count, |client, _| async move {
            let owner = x25519::PublicKey::from_bytes(entropy::random(&mut SystemEntropy));
            client.store(AccountId::person(&owner)).await
        })
        .await
    }

    async fn retrieve_all(&self, count: usize) -> Outcome<()> {
        side_by_side(self, count, |client, _| async move {
            match client.retrieve().await? {
                MAILBOX => Ok(()),
                found => Err(format!("{found} messages of {MAILBOX}").into()),
            }
        })
        .await
    }

    /// Fills the mailbox that is read.
    async fn fill(&self) -> Outcome<()> {
        for _ in 0..MAILBOX {
            self.store_own().await?;
        }
        Ok(())
    }

    /// Leaves one message in the mailbox that is read.
    pub(crate) async fn store_own(&self) -> Outcome<()> {
        self.store(self.owner.id()).await
    }

    /// Stores 1 KiB that was not there before.
    async fn store(&self, owner: AccountId) -> Outcome<()> {
        let request = message_to(owner, Namespace::DIRECT)?;
        self.ask("store", &request.to_value(), TIMEOUT).await.map(|_| ())
    }

    /// Stores 1 KiB where only the owner may.
    async fn store_signed(&self, owner: &Account) -> Outcome<()> {
        let request = message_to(owner.id(), OWNERS_ONLY)?;
        let auth = sign(owner, &signed::store(OWNERS_ONLY, request.signed_at))?;
        let request = StoreRequest { auth: Some(auth), ..request };
        self.ask("store", &request.to_value(), TIMEOUT).await.map(|_| ())
    }

    /// Reads the own mailbox and says how many messages lie there.
    pub(crate) async fn retrieve(&self) -> Outcome<usize> {
        self.retrieve_waiting(Duration::ZERO).await
    }

    /// As [`Direct::retrieve`]; where there is nothing, the node waits so long for a message.
    pub(crate) async fn retrieve_waiting(&self, wait: Duration) -> Outcome<usize> {
        let now = now()?;
        let auth = sign(&self.owner, &signed::retrieve(Namespace::DIRECT, now))?;
        let request = RetrieveRequest {
            account: self.owner.id(),
            namespace: Namespace::DIRECT,
            after: None,
            max_count: None,
            max_size: None,
            newest_first: false,
            wait: (!wait.is_zero()).then(|| u64::try_from(wait.as_millis())).transpose()?,
            auth: Some((auth, now)),
        };
        let answer = self.ask("retrieve", &request.to_value(), TIMEOUT + wait).await?;
        let messages = answer.get("messages").and_then(serde_json::Value::as_array);
        Ok(messages.ok_or("the answer holds no messages")?.len())
    }

    async fn ask(
        &self,
        method: &str,
        params: &Value,
        timeout: Duration,
    ) -> Outcome<serde_json::Value> {
        let body = request::encode(method, params);
        let reply = self.connections.post(&self.node, "/storage_rpc/v1", body, timeout).await?;
        if reply.status != 200 {
            let reason = String::from_utf8_lossy(&reply.body).into_owned();
            return Err(format!("{method} was refused with {}: {reason}", reply.status).into());
        }
        Ok(serde_json::from_slice(&reply.body)?)
    }
}

/// 1 KiB that was not there before.
fn message_to(account: AccountId, namespace: Namespace) -> Outcome<StoreRequest> {
    let now = now()?;
    let unique: [u8; 32] = entropy::random(&mut SystemEntropy);
    Ok(StoreRequest {
        account,
        namespace,
        timestamp: now,
        expiry: now + MESSAGE_TTL,
        data: unique.repeat(MESSAGE_BYTES / unique.len()),
        auth: None,
        signed_at: now,
        work: None,
    })
}

fn sign(owner: &Account, text: &str) -> Outcome<UnverifiedAuth> {
    let key = owner.signing_key();
    Ok(UnverifiedAuth {
        signature: key.sign(text.as_bytes())?,
        ed25519: Some(*key.verifying_key().as_bytes()),
        subaccount: None,
    })
}

fn now() -> Outcome<Millis> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}
