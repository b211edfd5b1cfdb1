//! `/metrics`, `/healthz` and `/readyz` on a port of their own, for the operator alone.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use warren_wire::limits::SECOND;

use crate::disk;
use crate::http::response;
use crate::node::{Node, NodeError, bind, now};
use crate::telemetry;

/// How often numbers are gathered that nobody counts.
const GATHER_EVERY: Duration = Duration::from_secs(15);
/// What Prometheus reads.
const EXPOSITION: &str = "text/plain; version=0.0.4";

struct Admin {
    node: Arc<Node>,
    numbers: PrometheusHandle,
    data: PathBuf,
}

/// The operator's port, which serves until it is dropped.
pub struct RunningAdmin {
    address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl RunningAdmin {
    /// Starts serving the numbers and the health of a node, whose files lie under `data`.
    ///
    /// # Errors
    /// Where the port is not to be had.
    pub fn start(
        listen: SocketAddr,
        node: Arc<Node>,
        numbers: PrometheusHandle,
        data: PathBuf,
    ) -> Result<Self, NodeError> {
        Self::serve(bind(listen)?, listen, node, numbers, data)
    }

    fn serve(
        listener: TcpListener,
        listen: SocketAddr,
        node: Arc<Node>,
        numbers: PrometheusHandle,
        data: PathBuf,
    ) -> Result<Self, NodeError> {
        let refused = |error| NodeError::Listen(listen, error);
        let listener = tokio::net::TcpListener::from_std(listener).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        telemetry::set("warren_start_time_seconds", now() / SECOND);
        let admin = Arc::new(Admin { node, numbers, data });
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(async || response(200, "text/plain", "alive\n")))
            .route("/readyz", get(ready))
            .with_state(Arc::clone(&admin));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the operator's port ended");
            }
        });
        Ok(Self { address, tasks: vec![serving, tokio::spawn(gather_often(admin))] })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for RunningAdmin {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    admin.gather();
    response(200, EXPOSITION, admin.numbers.render())
}

async fn ready(State(admin): State<Arc<Admin>>) -> Response {
    let why = admin.node.unready();
    let body = json!({ "ready": why.is_empty(), "why": why }).to_string();
    response(if why.is_empty() { 200 } else { 503 }, "application/json", body)
}

async fn gather_often(admin: Arc<Admin>) {
    let mut ticks = interval(GATHER_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        admin.numbers.run_upkeep();
        // Counting may read all of a database, so it is not done at each request for numbers.
        if let Ok(counts) = admin.node.store.counts().await {
            telemetry::set("warren_messages", counts.messages);
            telemetry::set("warren_orders", counts.orders);
        }
    }
}

impl Admin {
    /// Takes the numbers that nobody counts.
    fn gather(&self) {
        let node = &self.node;
        if let Ok(free) = disk::free(&self.data) {
            telemetry::set("warren_disk_free_bytes", free);
        }
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        telemetry::set("warren_held_requests", count(node.held.requests()));
        telemetry::set("warren_connections", count(node.limits.doors.connections()));
        telemetry::set("warren_requests_under_way", count(node.under_way.count()));
        telemetry::set("warren_body_room_free_bytes", count(node.bodies.free()));
        telemetry::set("warren_answer_room_free_bytes", count(node.limits.answers.free()));
        let placement = node.placement();
        let list = placement.list();
        telemetry::set("warren_list_nodes", count(list.nodes().len()));
        let own = list.get(&node.identity.id()).map(|record| record.swarm);
        let members = own.map_or(0, |swarm| list.members(swarm).count());
        telemetry::set("warren_swarm_members", count(members));
        if let Some(header) = &node.published().header {
            let age = now().saturating_sub(header.times.valid_after) / SECOND;
            telemetry::set("warren_list_age_seconds", age);
        }
        telemetry::set("warren_ready", node.unready().is_empty().into());
        telemetry::set("warren_caught_up", node.member.is_caught_up().into());
    }
}
