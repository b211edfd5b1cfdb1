//! Section `[limits]`: how much one node takes on, in all and from one client.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use warren_wire::work::MOST;

/// How much one node takes on. A client is an IPv4 address or an IPv6 /64; all clients of an IPv6 /48
/// together have what eight of them have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Whether clients are told apart by their address. Off, nobody is put off: for networks in
    /// which everybody has one address.
    pub tell_clients_apart: bool,
    /// Requests that a client may make at once, on each route.
    pub client_burst: NonZeroU32,
    /// Requests that a client may make each second from then on.
    pub client_per_second: NonZeroU32,
    /// As `client_burst`, for a node of the list: it brings the requests of many clients.
    pub node_burst: NonZeroU32,
    /// As `client_per_second`, for a node of the list.
    pub node_per_second: NonZeroU32,
    /// Connections open at once; the files that the process may have open bound them too.
    pub connections: NonZeroU32,
    /// Connections that one client may have open at once.
    pub client_connections: NonZeroU32,
    /// Connections that one client may open each second; ten times as many at once.
    pub client_new_connections_per_second: NonZeroU32,
    /// Requests held open and sockets open until a message arrives; one client may have a 16th.
    pub held_requests: NonZeroU32,
    /// Memory for the bodies of requests, in MiB.
    pub body_room_mib: NonZeroU32,
    /// What one client may take of it, in MiB.
    pub client_body_mib: NonZeroU32,
    /// Memory for answers that their clients have not read, in MiB.
    pub answer_room_mib: NonZeroU32,
    /// What answers to one client may take of it, in MiB.
    pub client_answer_mib: NonZeroU32,
    /// After so many seconds without a byte taken, a client that does not read is cut off.
    pub write_seconds: NonZeroU32,
    /// Messages without the owner's signature that one mailbox takes at once from all whose address
    /// is not known, because they come as onions.
    pub mailbox_burst: NonZeroU32,
    /// How many of those it takes each second from then on; more cost their sender a proof of work.
    pub mailbox_per_second: NonZeroU32,
    /// Messages without the owner's signature that one mailbox takes at once from one client.
    pub mailbox_client_burst: NonZeroU32,
    /// How many of those it takes each second from then on; more cost the client a proof of work.
    pub mailbox_client_per_second: NonZeroU32,
    /// What such a proof costs.
    pub proof: ProofConfig,
}

/// What a proof of work costs its maker; checking one costs the node a 2^bits-th of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProofConfig {
    /// Memory of one guess, in KiB (Argon2id).
    pub memory_kib: NonZeroU32,
    /// Passes over the memory of one guess.
    pub passes: NonZeroU32,
    /// 2^bits guesses are needed on average; 0 to 8.
    pub bits: u8,
    /// How long a challenge may be answered, in seconds.
    pub seconds: NonZeroU32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            tell_clients_apart: true,
            client_burst: count(600),
            client_per_second: count(300),
            node_burst: count(6_000),
            node_per_second: count(3_000),
            connections: count(65_536),
            client_connections: count(256),
            client_new_connections_per_second: count(50),
            held_requests: count(20_000),
            body_room_mib: count(256),
            client_body_mib: count(16),
            answer_room_mib: count(256),
            client_answer_mib: count(32),
            write_seconds: count(30),
            mailbox_burst: count(50_000),
            mailbox_per_second: count(1_000),
            mailbox_client_burst: count(20_000),
            mailbox_client_per_second: count(50),
            proof: ProofConfig::default(),
        }
    }
}

impl Default for ProofConfig {
    fn default() -> Self {
        Self { memory_kib: count(8 * 1024), passes: count(1), bits: 5, seconds: count(120) }
    }
}

const fn count(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl LimitsConfig {
    /// What cannot work.
    pub(super) fn problems(&self, found: &mut impl FnMut(&str, String)) {
        let proof = &self.proof;
        let (most, most_bits) = MOST;
        if proof.memory_kib.get() > most.memory_kib || proof.memory_kib.get() < 8 {
            found("limits.proof.memory_kib", format!("take 8 to {}", most.memory_kib));
        }
        if proof.passes.get() > most.passes {
            found("limits.proof.passes", format!("take 1 to {}", most.passes));
        }
        if proof.bits > most_bits {
            found("limits.proof.bits", format!("take 0 to {most_bits}: clients do no more"));
        }
        if self.body_room_mib.get() < 11 {
            found("limits.body_room_mib", "the largest request is 10 MiB: take 11 or more".into());
        }
        if self.client_body_mib.get() < 11 {
            found(
                "limits.client_body_mib",
                "the largest request is 10 MiB: take 11 or more".into(),
            );
        }
        if self.answer_room_mib.get() < 33 {
            found("limits.answer_room_mib", "take 33 or more: an answer may be large".into());
        }
    }
}
