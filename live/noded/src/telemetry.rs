//! What is counted, under which names. No label holds an account or a person's address.
//!
//! Counting costs next to nothing where nobody exports: the recorder is installed by the program,
//! and only where numbers are served. `docs/operating/metrics.md` explains each name.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use warren_node::answer::MemberResult;
use warren_wire::NodeId;
use warren_wire::rpc::Request;

/// Every number: its name, its kind and what it says.
pub const NAMES: [(&str, Kind, &str); 29] = [
    ("warren_requests_total", Kind::Counter, "HTTP requests by route and class of status"),
    ("warren_request_seconds", Kind::Seconds, "Time to answer an HTTP request, by route"),
    (
        "warren_rpc_total",
        Kind::Counter,
        "Requests of the storage RPC by method and class of status",
    ),
    (
        "warren_rpc_seconds",
        Kind::Seconds,
        "Time to carry out a request of the storage RPC, by method",
    ),
    ("warren_store_seconds", Kind::Seconds, "Time of the storage engine, by operation"),
    ("warren_store_failures_total", Kind::Counter, "Failures of the storage engine, by kind"),
    ("warren_onion_layers_total", Kind::Counter, "Onion layers peeled, by what was inside"),
    ("warren_relay_failures_total", Kind::Counter, "Onions that could not be passed on, by reason"),
    ("warren_replication_total", Kind::Counter, "Requests to other members, by node and outcome"),
    ("warren_quorum_failures_total", Kind::Counter, "Stores and orders that too few members took"),
    (
        "warren_reconciliation_rounds_total",
        Kind::Counter,
        "Comparisons with other members, by outcome",
    ),
    ("warren_reconciliation_records_total", Kind::Counter, "Records taken over from other members"),
    ("warren_put_off_total", Kind::Counter, "Requests refused for their number, by reason"),
    ("warren_proofs_total", Kind::Counter, "Proofs of work checked, by outcome"),
    ("warren_log_lines_left_out_total", Kind::Counter, "Lines of the log left out as repetitions"),
    ("warren_messages", Kind::Gauge, "Messages kept"),
    ("warren_orders", Kind::Gauge, "Orders of owners kept"),
    ("warren_disk_free_bytes", Kind::Gauge, "Room on the disk of the data folder"),
    ("warren_held_requests", Kind::Gauge, "Requests held open until a message arrives"),
    ("warren_connections", Kind::Gauge, "Connections open"),
    ("warren_requests_under_way", Kind::Gauge, "Requests being answered"),
    ("warren_body_room_free_bytes", Kind::Gauge, "Room for bodies of requests"),
    ("warren_answer_room_free_bytes", Kind::Gauge, "Room for answers that were not read yet"),
    ("warren_list_nodes", Kind::Gauge, "Nodes on the list"),
    ("warren_list_age_seconds", Kind::Gauge, "Age of the list"),
    ("warren_swarm_members", Kind::Gauge, "Nodes of this node's swarm, itself included"),
    ("warren_ready", Kind::Gauge, "1 where the node is ready, else 0"),
    ("warren_caught_up", Kind::Gauge, "1 where the node has what its swarm has, else 0"),
    ("warren_start_time_seconds", Kind::Gauge, "When the node started, Unix time"),
];

/// What kind of number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only ever grows.
    Counter,
    /// As it is at the time.
    Gauge,
    /// A histogram of seconds.
    Seconds,
}

/// From half a millisecond to half a minute.
const BUCKETS: [f64; 12] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Starts counting for this process.
///
/// # Errors
/// Where something else counts already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let builder = PrometheusBuilder::new();
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let handle = builder.set_buckets_for_metric(seconds, &BUCKETS)?.install_recorder()?;
    for (name, kind, text) in NAMES {
        match kind {
            Kind::Counter => describe_counter!(name, text),
            Kind::Gauge => describe_gauge!(name, text),
            Kind::Seconds => describe_histogram!(name, Unit::Seconds, text),
        }
    }
    Ok(handle)
}

/// An HTTP request was answered.
pub fn request(route: &'static str, status: u16, took: Duration) {
    let class = class(status);
    counter!("warren_requests_total", "route" => route, "status" => class).increment(1);
    histogram!("warren_request_seconds", "route" => route).record(took);
}

/// A request of the storage RPC was carried out.
pub fn rpc(method: &'static str, status: u16, took: Duration) {
    let class = class(status);
    counter!("warren_rpc_total", "method" => method, "status" => class).increment(1);
    histogram!("warren_rpc_seconds", "method" => method).record(took);
}

/// The name of a request's method among the numbers.
pub const fn method_of(request: &Request) -> &'static str {
    match request {
        Request::Store(_) => "store",
        Request::Retrieve(_) => "retrieve",
        Request::Order(_) => "order",
        Request::GetExpiries(_) => "get_expiries",
        Request::Revoked(_) => "revoked",
        Request::GetSwarm(_) => "get_swarm",
        Request::Info => "info",
        Request::Directory(_) | Request::ActiveNodes => "directory",
        Request::Batch(_) => "batch",
        Request::IfElse(_) => "ifelse",
    }
}

/// The storage engine did something.
pub fn store(operation: &'static str, took: Duration) {
    histogram!("warren_store_seconds", "operation" => operation).record(took);
}

/// The storage engine failed.
pub fn store_failed(kind: &'static str) {
    counter!("warren_store_failures_total", "kind" => kind).increment(1);
}

/// An onion was peeled: `relay`, `deliver`, `server`, `malformed` or `refused`.
pub fn onion(kind: &'static str) {
    counter!("warren_onion_layers_total", "kind" => kind).increment(1);
}

/// An onion could not be passed on.
pub fn relay_failed(reason: &'static str) {
    counter!("warren_relay_failures_total", "reason" => reason).increment(1);
}

/// Another member was asked to keep or change something.
pub fn replication(peer: &NodeId, result: &MemberResult) {
    let outcome = match result {
        MemberResult::Done(_) => "done",
        MemberResult::TimedOut => "timed_out",
        MemberResult::Unreachable => "unreachable",
        MemberResult::Refused(..) => "refused",
        MemberResult::StorageFailed => "storage_failed",
    };
    let peer = peer.to_string();
    counter!("warren_replication_total", "peer" => peer, "outcome" => outcome).increment(1);
}

/// Too few members took a store or an order.
pub fn quorum_failed() {
    counter!("warren_quorum_failures_total").increment(1);
}

/// A comparison with another member ended, and so many records were taken over.
pub fn reconciled(outcome: &'static str, records: usize) {
    let records = u64::try_from(records).unwrap_or(u64::MAX);
    counter!("warren_reconciliation_rounds_total", "outcome" => outcome).increment(1);
    counter!("warren_reconciliation_records_total").increment(records);
}

/// A request was refused for its number: `client`, `node`, `mailbox`, `body_share` or
/// `answer_room`.
pub fn put_off(reason: &'static str) {
    counter!("warren_put_off_total", "reason" => reason).increment(1);
}

/// A proof of work was checked.
pub fn proof(outcome: &'static str) {
    counter!("warren_proofs_total", "outcome" => outcome).increment(1);
}

/// A line of the log was left out.
pub fn line_left_out() {
    counter!("warren_log_lines_left_out_total").increment(1);
}

/// Sets a number that is as it is at the time; numbers beyond 2^53 lose their last digits.
pub fn set(name: &'static str, value: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float in Prometheus")]
    gauge!(name).set(value as f64);
}

const fn class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
