//! A node over TLS, 64 requests at once: a store that its swarm of four keeps, and a signed read.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::Runtime;
use warren_account::Account;
use warren_crypto::{SystemEntropy, entropy, x25519};
use warren_noded::LocalNetwork;
use warren_noded::local_network::{FEWEST_NODES, Plan};
use warren_transport::Connections;
use warren_wire::directory::NodeRecord;
use warren_wire::limits::MESSAGE_TTL;
use warren_wire::rpc::{RetrieveRequest, StoreRequest, UnverifiedAuth, request, signed};
use warren_wire::{AccountId, Millis, Namespace, Value};

use crate::contest::{self, Contestant};
use crate::row::Basis;
use crate::store::{MAILBOX, MESSAGE_BYTES, side_by_side};
use crate::{Effort, Outcome, Row};

const TIMEOUT: Duration = Duration::from_secs(20);
const FLOOR: &str = "floor: `info`, the emptiest request";

/// Measures one node of a network of four in this process, client and network together.
///
/// # Errors
/// Where the network does not start or refuses a request.
pub fn rows(effort: Effort, scratch: &Path) -> Outcome<Vec<Row>> {
    let folder = tempfile::tempdir_in(scratch)?;
    let runtime = Runtime::new()?;
    let network = runtime.block_on(start(folder.path()))?;
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
        Row::of_contest("tls-store", "1 KiB, kept by 4 of 4 nodes", Basis::Rate, &stored),
        Row::of_contest("tls-retrieve", "signed, mailbox of 20 x 1 KiB", Basis::Rate, &read),
    ])
}

/// Starts the smallest network, on free ports.
pub(crate) async fn start(data: &Path) -> Outcome<LocalNetwork> {
    let plan = Plan { nodes: FEWEST_NODES, data: data.join("network"), seed_port: 0, node_port: 0 };
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
        let node = placement.list().nodes().first().ok_or("the list has no node")?.clone();
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

    async fn info_all(&self, count: usize) -> Outcome<()> {
        side_by_side(self, count, |client, _| async move {
            client.ask("info", &Value::Dict([].into())).await.map(|_| ())
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
        let now = now()?;
        let unique: [u8; 32] = entropy::random(&mut SystemEntropy);
        let request = StoreRequest {
            account: owner,
            namespace: Namespace::DIRECT,
            timestamp: now,
            expiry: now + MESSAGE_TTL,
            data: unique.repeat(MESSAGE_BYTES / unique.len()),
            auth: None,
            signed_at: now,
            work: None,
        };
        self.ask("store", &request.to_value()).await.map(|_| ())
    }

    /// Reads the own mailbox and says how many messages lie there.
    pub(crate) async fn retrieve(&self) -> Outcome<usize> {
        let now = now()?;
        let key = self.owner.signing_key();
        let text = signed::retrieve(Namespace::DIRECT, now);
        let auth = UnverifiedAuth {
            signature: key.sign(text.as_bytes())?,
            ed25519: Some(*key.verifying_key().as_bytes()),
            subaccount: None,
        };
        let request = RetrieveRequest {
            account: self.owner.id(),
            namespace: Namespace::DIRECT,
            after: None,
            max_count: None,
            max_size: None,
            newest_first: false,
            wait: None,
            auth: Some((auth, now)),
        };
        let answer = self.ask("retrieve", &request.to_value()).await?;
        let messages = answer.get("messages").and_then(serde_json::Value::as_array);
        Ok(messages.ok_or("the answer holds no messages")?.len())
    }

    async fn ask(&self, method: &str, params: &Value) -> Outcome<serde_json::Value> {
        let body = request::encode(method, params);
        let reply = self.connections.post(&self.node, "/storage_rpc/v1", body, TIMEOUT).await?;
        if reply.status != 200 {
            let reason = String::from_utf8_lossy(&reply.body).into_owned();
            return Err(format!("{method} was refused with {}: {reason}", reply.status).into());
        }
        Ok(serde_json::from_slice(&reply.body)?)
    }
}

fn now() -> Outcome<Millis> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}
