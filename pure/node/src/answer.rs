//! The shape and text of each reply, as the reference node gives them.

use warren_wire::directory::NodeRecord;
use warren_wire::limits::SECOND;
use warren_wire::record::SubaccountToken;
use warren_wire::rpc::{Circumstances, Encoding, OrderRequest};
use warren_wire::swarm::INVALID_SWARM;
use warren_wire::value::Dict;
use warren_wire::{MessageHash, Millis, NodeId, SwarmId, Value, bencode};

use crate::quorum;

/// The hard fork that clients are told, major and minor: the reference network's.
pub const HARD_FORK: [u64; 2] = [19, 6];
/// The version of the reference node whose RPC this node speaks.
pub const SPOKEN_VERSION: [u64; 3] = [2, 11, 0];

/// A status and what goes with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// What is said.
    pub body: Body,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// `application/json`.
    Json(Value),
    /// `text/plain`: every complaint.
    Text(String),
    /// `application/octet-stream`.
    Binary(Vec<u8>),
}

impl Answer {
    /// Status 200 with a JSON body.
    pub const fn ok(body: Value) -> Self {
        Self { status: 200, body: Body::Json(body) }
    }

    /// A complaint.
    pub fn refuse(status: u16, text: impl Into<String>) -> Self {
        Self { status, body: Body::Text(text.into()) }
    }

    /// Whether the status is 2xx.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The answer as it goes back to whoever asked in that encoding. Complaints are text in both.
    #[must_use]
    pub fn written(self, encoding: Encoding) -> Self {
        match (encoding, self.body) {
            (Encoding::Bencode, Body::Json(value)) => match bencode::encode(&value) {
                Ok(bytes) => Self { status: self.status, body: Body::Binary(bytes) },
                Err(_) => Self::refuse(500, "request failed"),
            },
            (_, body) => Self { status: self.status, body },
        }
    }

    /// One entry of a batch's results.
    pub fn into_batch_entry(self) -> Value {
        let body = match self.body {
            Body::Json(value) => value,
            Body::Text(text) => text.into(),
            Body::Binary(bytes) => Value::Bytes(bytes),
        };
        Value::dict([("code", self.status.into()), ("body", body)])
    }
}

/// How long a block of the reference network's chain takes.
const BLOCK_TIME: Millis = 120 * SECOND;

/// What a condition is held against. There is no chain here: its height is the number of blocks that
/// one would have had since 1970.
pub const fn circumstances(now: Millis) -> Circumstances {
    Circumstances { hard_fork: HARD_FORK, version: SPOKEN_VERSION, height: now / BLOCK_TIME }
}

/// The answer to `ifelse`: whether the condition holds, and what came of the branch, if there is one.
pub fn if_else(circumstances: &Circumstances, condition: bool, result: Option<Answer>) -> Answer {
    let mut dict = Dict::from([
        ("hf".to_owned(), numbers(&circumstances.hard_fork)),
        ("v".to_owned(), numbers(&circumstances.version)),
        ("height".to_owned(), circumstances.height.into()),
        ("condition".to_owned(), condition.into()),
    ]);
    if let Some(result) = result {
        dict.insert("result".to_owned(), result.into_batch_entry());
    }
    Answer::ok(Value::Dict(dict))
}

/// The answer to `get_expiries`, which carries nothing else.
pub fn expiries(expiries: &[(MessageHash, Millis)]) -> Answer {
    let times = expiries.iter().map(|(hash, time)| (hash.to_string(), (*time).into()));
    Answer::ok(Value::dict([("expiries", Value::Dict(times.collect()))]))
}

/// The answer to `revoked_subaccounts`.
pub fn revoked(tokens: &[SubaccountToken], now: Millis) -> Answer {
    let tokens: Vec<Value> = tokens.iter().map(|token| Value::Bytes(token.0.to_vec())).collect();
    Answer::ok(stamped([("revoked_subaccounts", tokens.into())], now))
}

/// The answer to a batch or sequence.
pub fn batch(results: Vec<Answer>) -> Answer {
    let results: Vec<Value> = results.into_iter().map(Answer::into_batch_entry).collect();
    Answer::ok(Value::dict([("results", results.into())]))
}

/// Adds what every reply carries: the hard fork and this node's clock.
fn stamped<const N: usize>(pairs: [(&str, Value); N], now: Millis) -> Value {
    let mut dict: Dict = pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    dict.insert("hf".to_owned(), numbers(&HARD_FORK));
    dict.insert("t".to_owned(), now.into());
    Value::Dict(dict)
}

fn numbers(numbers: &[u64]) -> Value {
    Value::List(numbers.iter().map(|number| (*number).into()).collect())
}

/// The answer to `info`.
pub fn info(now: Millis) -> Answer {
    let version = numbers(&SPOKEN_VERSION);
    Answer::ok(stamped([("timestamp", now.into()), ("version", version)], now))
}

/// The answer to `get_swarm`.
pub fn swarm<'a>(
    swarm: Option<SwarmId>,
    members: impl Iterator<Item = &'a NodeRecord>,
    now: Millis,
) -> Answer {
    Answer::ok(swarm_body(swarm, members, now))
}

/// The answer to a request for an account whose mail other nodes keep: 421, and who they are.
pub fn misdirected<'a>(
    swarm: Option<SwarmId>,
    members: impl Iterator<Item = &'a NodeRecord>,
    now: Millis,
) -> Answer {
    Answer { status: 421, body: Body::Json(swarm_body(swarm, members, now)) }
}

fn swarm_body<'a>(
    swarm: Option<SwarmId>,
    members: impl Iterator<Item = &'a NodeRecord>,
    now: Millis,
) -> Value {
    let snodes: Vec<Value> = members.map(member).collect();
    let swarm = format!("{:x}", swarm.unwrap_or(INVALID_SWARM).0);
    stamped([("snodes", snodes.into()), ("swarm", swarm.into())], now)
}

fn member(node: &NodeRecord) -> Value {
    Value::dict([
        ("address", snode_address(&node.id).into()),
        ("ip", node.ip.to_string().into()),
        ("port", node.port.to_string().into()),
        ("port_https", node.port.into()),
        ("port_omq", node.port.into()),
        ("pubkey_ed25519", node.id.to_string().into()),
        ("pubkey_legacy", node.id.to_string().into()),
        ("pubkey_x25519", hex_of(node.x25519.as_bytes()).into()),
    ])
}

fn hex_of(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// base32z of the node's key with `.snode` behind it: 52 characters and the ending.
fn snode_address(id: &NodeId) -> String {
    let mut alphabet = data_encoding::Specification::new();
    alphabet.symbols.push_str("ybndrfg8ejkmcpqxot1uwisza345h769");
    let name = alphabet.encoding().map_or_else(|_| id.to_string(), |it| it.encode(id.as_bytes()));
    format!("{name}.snode")
}

/// One message of a mailbox, as the storage engine gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxMessage {
    /// Its hash.
    pub hash: MessageHash,
    /// When the sender says it was sent.
    pub timestamp: Millis,
    /// When it vanishes.
    pub expiry: Millis,
    /// The sealed bytes.
    pub data: Vec<u8>,
}

/// The answer to `retrieve`.
pub fn messages(messages: Vec<MailboxMessage>, more: bool, now: Millis) -> Answer {
    let messages: Vec<Value> = messages
        .into_iter()
        .map(|message| {
            Value::dict([
                ("hash", message.hash.to_string().into()),
                ("timestamp", message.timestamp.into()),
                ("expiration", message.expiry.into()),
                ("data", Value::Bytes(message.data)),
            ])
        })
        .collect();
    Answer::ok(stamped([("messages", messages.into()), ("more", more.into())], now))
}

/// What one member of a swarm says of a request that all members carry out.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberResult {
    /// It did as asked; the entry says how.
    Done(Dict),
    /// It did not answer in time.
    TimedOut,
    /// It could not be reached or answered nonsense.
    Unreachable,
    /// It refused with a status and a text.
    Refused(u16, String),
    /// Its own storage failed.
    StorageFailed,
}

impl MemberResult {
    /// Whether the member did as asked.
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    fn into_entry(self) -> Value {
        let failed = ("failed", Value::Bool(true));
        match self {
            Self::Done(entry) => Value::Dict(entry),
            Self::TimedOut => Value::dict([failed, ("timeout", true.into())]),
            Self::Unreachable => Value::dict([failed, ("bad_peer_response", true.into())]),
            Self::StorageFailed => Value::dict([failed, ("query_failure", true.into())]),
            Self::Refused(code, reason) => {
                Value::dict([failed, ("code", code.to_string().into()), ("reason", reason.into())])
            }
        }
    }
}

/// One member's entry for a stored message, to which its signature comes.
pub fn stored_entry(hash: &MessageHash, expiry: Millis, already: bool) -> Dict {
    let mut entry = Dict::from([
        ("hash".to_owned(), hash.to_string().into()),
        ("expiry".to_owned(), expiry.into()),
    ]);
    if already {
        entry.insert("already".to_owned(), true.into());
    }
    entry
}

/// The answer to `store`: what each member says. 500 where fewer than a quorum did as asked.
pub fn stored(
    hash: &MessageHash,
    own: &NodeId,
    members: Vec<(NodeId, MemberResult)>,
    now: Millis,
) -> Answer {
    let own_done = members.iter().any(|(id, result)| id == own && result.is_done());
    let (status, mut swarm) = swarm_entries(members);
    if let Some(Value::Dict(entry)) = swarm.get_mut(&own.to_string()) {
        entry.insert("t".to_owned(), now.into());
    }
    let mut body = stamped([("swarm", Value::Dict(swarm))], now);
    if let (true, Value::Dict(dict)) = (own_done, &mut body) {
        dict.insert("hash".to_owned(), hash.to_string().into());
    }
    Answer { status, body: Body::Json(body) }
}

/// The answer to an order: what each member says. 500 where fewer than a quorum did as asked; 404 where
/// something had to be deleted and nothing was.
pub fn ordered(
    request: &OrderRequest,
    members: Vec<(NodeId, MemberResult)>,
    now: Millis,
) -> Answer {
    let found = members.iter().any(|(_, result)| match result {
        MemberResult::Done(entry) => {
            matches!(entry.get("deleted"), Some(Value::List(list)) if !list.is_empty())
        }
        _ => false,
    });
    let required = matches!(request, OrderRequest::Delete(request) if request.required);
    let (status, swarm) = swarm_entries(members);
    let status = if status == 200 && required && !found { 404 } else { status };
    Answer { status, body: Body::Json(stamped([("swarm", Value::Dict(swarm))], now)) }
}

fn swarm_entries(members: Vec<(NodeId, MemberResult)>) -> (u16, Dict) {
    let done = members.iter().filter(|(_, result)| result.is_done()).count();
    let status = if done >= quorum::to_keep(members.len()) { 200 } else { 500 };
    let entries =
        members.into_iter().map(|(id, result)| (id.to_string(), result.into_entry())).collect();
    (status, entries)
}

/// The answer to `oxend_request`: the directory's result, wrapped.
pub fn directory_result(result: Value, now: Millis) -> Answer {
    Answer::ok(stamped([("result", result)], now))
}
