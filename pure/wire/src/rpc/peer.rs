//! What one member of a swarm passes on to another: a signed bencode envelope around a request.
//!
//! ```text
//! envelope = bencode{ "b": body, "f": sender's Ed25519 key (32), "~": signature (64) }
//! body     = bencode{ "m": method, "p": params, "s": stamp, "t": ms,
//!                     "to": receiver's Ed25519 key (32) }
//! ~        = Ed25519("warren swarm request v1\n" || body)
//! ```
//!
//! `s` is there where a client's request is passed on: when the swarm took it in. Times may be as far
//! apart as members' clocks: whoever replays an envelope has things done that were done before.
//!
//! This is Warren's own; the reference nodes speak another protocol among themselves.

use warren_crypto::ed25519::SigningKey;

use crate::bencode::{self, BencodeError};
use crate::id::NodeId;
use crate::limits::{FORWARDED_TOLERANCE, Millis};
use crate::stamp::Stamp;
use crate::value::{Dict, Value};

const SIGNATURE_DOMAIN: &[u8] = b"warren swarm request v1\n";

/// Why a passed-on request is not obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// Not the shape of an envelope.
    #[error("malformed swarm request")]
    Malformed,
    /// Meant for another node.
    #[error("swarm request for another node")]
    WrongReceiver,
    /// The sender's clock and this node's are too far apart.
    #[error("swarm request timestamp too far from current time")]
    Stale,
    /// The signature does not fit the sender's key.
    #[error("swarm request signature verification failed")]
    BadSignature,
}

impl From<BencodeError> for PeerError {
    fn from(_: BencodeError) -> Self {
        Self::Malformed
    }
}

/// A request that a swarm member passes on, its sender proven.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerRequest {
    /// Who passes it on. Whether that is a member of the swarm is the receiver's to check.
    pub from: NodeId,
    /// The method.
    pub method: String,
    /// Its parameters, written anew from what the sender read of the client's.
    pub params: Dict,
    /// When the swarm took the client's request in, where it is one.
    pub stamp: Option<Stamp>,
}

/// Writes and signs an envelope.
///
/// # Errors
/// Where the parameters have no form in bencode.
pub fn seal(
    method: &str,
    params: Value,
    stamp: Option<Stamp>,
    to: &NodeId,
    now: Millis,
    key: &SigningKey,
) -> Result<Vec<u8>, PeerError> {
    let mut body = Dict::from([
        ("m".to_owned(), method.into()),
        ("p".to_owned(), params),
        ("t".to_owned(), now.into()),
        ("to".to_owned(), Value::Bytes(to.as_bytes().to_vec())),
    ]);
    if let Some(Stamp(stamp)) = stamp {
        body.insert("s".to_owned(), stamp.into());
    }
    let body = bencode::encode(&Value::Dict(body))?;
    let signature = key.sign(&signed_bytes(&body)).map_err(|_| PeerError::BadSignature)?;
    Ok(bencode::encode(&Value::dict([
        ("b", Value::Bytes(body)),
        ("f", Value::Bytes(key.verifying_key().as_bytes().to_vec())),
        ("~", Value::Bytes(signature.to_vec())),
    ]))?)
}

/// Reads an envelope and checks receiver, time and signature.
///
/// # Errors
/// Where any of them does not fit.
pub fn open(envelope: &[u8], own: &NodeId, now: Millis) -> Result<PeerRequest, PeerError> {
    let envelope = bencode::decode(envelope)?;
    let body = bytes(&envelope, "b")?;
    let from = NodeId::from_bytes(key(&envelope, "f")?);
    from.verifying_key()
        .verify(&signed_bytes(body), bytes(&envelope, "~")?)
        .map_err(|_| PeerError::BadSignature)?;

    let body = bencode::decode(body)?;
    if key(&body, "to")? != *own.as_bytes() {
        return Err(PeerError::WrongReceiver);
    }
    let sent = body.get("t").and_then(Value::as_integer).ok_or(PeerError::Malformed)?;
    if sent.abs_diff(now.into()) > FORWARDED_TOLERANCE.into() {
        return Err(PeerError::Stale);
    }
    let method = body.get("m").and_then(Value::as_text).ok_or(PeerError::Malformed)?.to_owned();
    let params = body.get("p").and_then(Value::as_dict).ok_or(PeerError::Malformed)?.clone();
    let stamp = body.get("s").map(read_stamp).transpose()?;
    Ok(PeerRequest { from, method, params, stamp })
}

fn read_stamp(value: &Value) -> Result<Stamp, PeerError> {
    let stamp = value.as_integer().and_then(|stamp| u64::try_from(stamp).ok());
    stamp.map(Stamp).ok_or(PeerError::Malformed)
}

fn signed_bytes(body: &[u8]) -> Vec<u8> {
    [SIGNATURE_DOMAIN, body].concat()
}

fn bytes<'a>(value: &'a Value, name: &str) -> Result<&'a [u8], PeerError> {
    match value.get(name) {
        Some(Value::Bytes(bytes)) => Ok(bytes),
        _ => Err(PeerError::Malformed),
    }
}

fn key(value: &Value, name: &str) -> Result<[u8; 32], PeerError> {
    bytes(value, name)?.try_into().map_err(|_| PeerError::Malformed)
}
