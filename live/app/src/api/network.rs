//! The network: where its list of nodes comes from, the path in use, fetching.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::{ClientError, Event, Listener};
use warren_transport::Seed;
use warren_wire::AccountId;
use warren_wire::directory::NodeRecord;

use super::extract::{Given, InSession, OfAccount};
use super::failure::ErrorBody;
use super::session::Home;
use crate::daemon::tripwire;
use crate::failure::Failure;

/// The longest wait for new messages in one request.
const LONGEST_WAIT: u64 = 60;
/// How long a fetch may go on reading once a first message was saved.
const GRACE: Duration = Duration::from_secs(5);

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(show, change)).routes(routes!(path)).routes(routes!(sync))
}

/// The network this device belongs to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Network {
    /// Where the list of nodes comes from and what signs it, `URL#KEYS`; absent where nobody said.
    pub seed: Option<String>,
}

/// The network this device is to belong to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NewSeed {
    /// Where the list of nodes comes from and what signs it, `URL#KEYS`.
    pub seed: String,
}

/// A node, as its list names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hop {
    /// Its address.
    pub ip: String,
    /// Its port.
    pub port: u16,
    /// Its key, 64 hexadecimal digits.
    pub node_id: String,
    /// Which swarm it belongs to, 16 hexadecimal digits.
    pub swarm_id: String,
}

/// The nodes that requests pass through.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PathInUse {
    /// The nodes, the guard first.
    pub hops: Vec<Hop>,
    /// Since when.
    pub since: u64,
}

/// How to fetch.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Sync {
    /// Where nothing is new, wait for it: at most so many seconds, never more than 60.
    pub wait: u64,
}

/// What was fetched.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Synced {
    /// How many new messages.
    pub new: usize,
}

/// Shows the network this device belongs to.
#[utoipa::path(
    get, path = "/network", tag = "network",
    responses((status = 200, body = Network), (status = "default", body = ErrorBody)),
)]
async fn show(InSession(session): InSession) -> Result<Json<Network>, Failure> {
    let seed = session.device(|device| device.seed())?;
    Ok(Json(Network { seed: seed.map(|seed| seed.to_string()) }))
}

/// Says which network this device belongs to. Accounts begin their work anew.
#[utoipa::path(
    put, path = "/network", tag = "network", request_body = NewSeed,
    responses((status = 200, body = Network), (status = "default", body = ErrorBody)),
)]
async fn change(
    InSession(session): InSession,
    Given(given): Given<NewSeed>,
) -> Result<Json<Network>, Failure> {
    let seed: Seed = given.seed.parse().map_err(Failure::Seed)?;
    let is_other = session.device(|device| {
        let is_other = device.seed()?.as_ref() != Some(&seed);
        if is_other {
            device.use_seed(&seed)?;
        }
        Ok::<_, ClientError>(is_other)
    })?;
    if is_other {
        session.restart()?;
    }
    Ok(Json(Network { seed: Some(seed.to_string()) }))
}

/// The path in use, proven by a question that travels it.
#[utoipa::path(
    get, path = "/accounts/{account}/path", tag = "network",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = PathInUse), (status = "default", body = ErrorBody)),
)]
async fn path(of: OfAccount) -> Result<Json<PathInUse>, Failure> {
    let path = of.path().await?;
    Ok(Json(PathInUse { hops: path.hops.iter().map(Hop::from).collect(), since: path.since }))
}

/// Fetches what is new. Without waiting, what waits is sent too, and the owner's other devices are
/// told what changed.
#[utoipa::path(
    post, path = "/accounts/{account}/sync", tag = "network", request_body = Sync,
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = Synced), (status = "default", body = ErrorBody)),
)]
async fn sync(
    State(home): State<Arc<Home>>,
    of: OfAccount,
    Given(given): Given<Sync>,
) -> Result<Json<Synced>, Failure> {
    if given.wait == 0 {
        let delivering = of.session.delivering(&of.account().id);
        let _alone = delivering.lock().await;
        if home.is_daemon() {
            return Ok(Json(Synced { new: of.sync().await? }));
        }
        // Nobody else looks for friends' orders.
        let (synced, looked) = tokio::join!(of.sync(), tripwire::look(&home));
        looked?;
        let new = synced?;
        // Friends whose tests were found are told so.
        of.deliver_waiting().await?;
        return Ok(Json(Synced { new }));
    }
    let mut listener = of.session.events().listen();
    let wait = Duration::from_secs(given.wait.min(LONGEST_WAIT));
    let mut fetching = std::pin::pin!(of.receive_waiting(wait));
    let new = tokio::select! {
        biased;
        fetched = &mut fetching => fetched?,
        // Saved by this fetch, which reads on, or by another that runs.
        () = message(&mut listener, of.account().id) => match timeout(GRACE, fetching).await {
            Ok(fetched) => fetched?.max(1),
            Err(_) => 1,
        },
    };
    Ok(Json(Synced { new }))
}

/// Waits for a message of an account.
async fn message(listener: &mut Listener, account: AccountId) {
    while let Some(notice) = listener.next().await {
        let is_message = matches!(notice.event, Event::MessageNew { .. });
        if notice.event == Event::Missed || (is_message && notice.account == Some(account)) {
            return;
        }
    }
}

impl From<&NodeRecord> for Hop {
    fn from(node: &NodeRecord) -> Self {
        Self {
            ip: node.ip.to_string(),
            port: node.port,
            node_id: node.id.to_string(),
            swarm_id: format!("{:016x}", node.swarm.0),
        }
    }
}
