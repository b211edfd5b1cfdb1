//! The directory's JSON-RPC: who the nodes are, in the shapes that clients read.

mod rendered;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use warren_crypto::Entropy;
use warren_crypto::entropy::random_index;
use warren_crypto::hash::blake2b;
use warren_wire::directory::{ListHeader, NodeList, NodeRecord, UnverifiedList, VerifiedList};
use warren_wire::rpc::{Circumstances, DirectoryQuestion};
use warren_wire::value::Dict;
use warren_wire::{Millis, NodeId, Value};

use self::rendered::Rendered;
use crate::answer::{self, SPOKEN_VERSION};

/// What a directory publishes: its nodes, and the signed text of the same list.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// The nodes.
    pub list: Arc<NodeList>,
    /// The list's number and times; `None` before there is a list.
    pub header: Option<ListHeader>,
    /// The same, signed; `None` before there is a list.
    pub signed: Option<UnverifiedList>,
    rendered: Arc<Rendered>,
}

impl Published {
    /// A list that was verified, and the form that proves it to others.
    pub fn new(list: VerifiedList, signed: UnverifiedList) -> Self {
        let (header, signed) = (Some(list.header), Some(signed));
        Self { list: list.nodes, header, signed, rendered: Arc::default() }
    }

    /// No list yet: no node is known.
    pub fn none() -> Self {
        Self::default()
    }

    /// These nodes, which nobody signed.
    pub fn unsigned(list: Arc<NodeList>) -> Self {
        Self { list, ..Self::default() }
    }
}

/// Answers one JSON-RPC 2.0 request, in JSON; errors are answers too, with status 200.
///
/// `signed: true` among the parameters adds `signed_list`, from which a client with a pinned key
/// takes its nodes; all else is as the reference directory answers.
pub fn answer(
    body: &[u8],
    published: &Published,
    now: Millis,
    entropy: &mut dyn Entropy,
) -> String {
    let Ok(request) = serde_json::from_slice::<Json>(body) else {
        return error(&Json::Null, -32700, "Parse error");
    };
    let id = request.get("id").cloned().unwrap_or(Json::Null);
    let Some(method) = request.get("method").and_then(Json::as_str) else {
        return error(&id, -32600, "Invalid Request");
    };
    if !matches!(method, "get_n_service_nodes" | "get_service_nodes" | "get_all_service_nodes") {
        return error(&id, -32601, "Method not found");
    }
    let params = match request.get("params") {
        None | Some(Json::Null) => Dict::new(),
        Some(params) => match Value::from(params.clone()) {
            Value::Dict(dict) => dict,
            _ => return error(&id, -32602, "Invalid params"),
        },
    };
    let result = written(&params, published, now, entropy);
    format!("{{\"id\":{id},\"jsonrpc\":\"2.0\",\"result\":{result}}}")
}

fn error(id: &Json, code: i32, message: &str) -> String {
    let error = json!({ "code": code, "message": message });
    json!({ "id": id, "jsonrpc": "2.0", "error": error }).to_string()
}

/// The result of `get_service_nodes` as [`service_nodes`] has it, from what was written before.
fn written(params: &Dict, published: &Published, now: Millis, entropy: &mut dyn Entropy) -> String {
    let Published { list, rendered, signed, .. } = published;
    let wanted = wanted_fields(params.get("fields"));
    let (said, is_unchanged) = chain(params, &wanted, || rendered.hash(list), now);
    let mut members: Vec<String> = Vec::new();
    if !is_unchanged {
        let states = rendered.states(list, &wanted);
        let nodes = picked(params, list, entropy);
        let states: Vec<&str> =
            nodes.into_iter().filter_map(|at| states.get(at).map(String::as_str)).collect();
        members.push(format!("\"service_node_states\":[{}]", states.join(",")));
    }
    if let Some(signed) = signed.as_ref().filter(|_| params.get("signed") == Some(&true.into())) {
        members.push(format!("\"signed_list\":{}", rendered.signed(signed)));
    }
    for (name, value) in said {
        members.push(format!("{}:{}", Json::from(name), value.to_json()));
    }
    format!("{{{}}}", members.join(","))
}

/// What a node answers to a question that it passes on to the directory.
pub fn result(
    question: &DirectoryQuestion,
    list: &NodeList,
    now: Millis,
    entropy: &mut dyn Entropy,
) -> Value {
    match question {
        DirectoryQuestion::ServiceNodes(params) => service_nodes(params, list, now, entropy),
        // No account has a name here; so does the reference daemon answer for one that nobody has.
        DirectoryQuestion::ResolveName(_) => Value::dict([("status", "OK".into())]),
    }
}

/// The result of `get_service_nodes`: `{"service_node_states": [...], "status": "OK"}`, and of the
/// chain what is asked for: its height is that of [`answer::circumstances`], the hash of its last
/// block that of the list, so that whoever polls by it is told of every change.
///
/// `fields` may be a list of names, in which `-name` takes one from `all`, or a dictionary of truths;
/// `service_node_pubkeys` picks those nodes; `limit` above 0 picks that many at random; all are
/// omitted where `poll_block_hash` is the list's hash.
pub fn service_nodes(
    params: &Dict,
    list: &NodeList,
    now: Millis,
    entropy: &mut dyn Entropy,
) -> Value {
    let wanted = wanted_fields(params.get("fields"));
    let (mut result, is_unchanged) = chain(params, &wanted, || hash_of(list), now);
    if !is_unchanged {
        let nodes = picked(params, list, entropy);
        let nodes = nodes.into_iter().filter_map(|at| list.nodes().get(at));
        let states: Vec<Value> = nodes.map(|node| state(node, &wanted)).collect();
        result.insert("service_node_states".to_owned(), states.into());
    }
    Value::Dict(result)
}

/// How many nodes the answer to a question describes at most.
pub fn described(question: &DirectoryQuestion, list: &NodeList) -> usize {
    let DirectoryQuestion::ServiceNodes(params) = question else { return 0 };
    let named = match params.get("service_node_pubkeys") {
        Some(Value::List(keys)) if !keys.is_empty() => keys.len(),
        _ => usize::MAX,
    };
    list.nodes().len().min(named).min(limit(params).unwrap_or(usize::MAX))
}

/// What is said beside the nodes: of the chain that there is not; and whether the list is the one that
/// is known to who polls, so that nothing is said of its nodes.
fn chain(
    params: &Dict,
    wanted: &Wanted,
    hash: impl FnOnce() -> Option<String>,
    now: Millis,
) -> (Dict, bool) {
    let Circumstances { hard_fork: [hard_fork, revision], height, .. } = answer::circumstances(now);
    let mut said: Dict = [
        ("height", height),
        ("target_height", height),
        ("hardfork", hard_fork),
        ("snode_revision", revision),
    ]
    .into_iter()
    .filter(|(name, _)| wanted.contain(name))
    .map(|(name, number)| (name.to_owned(), number.into()))
    .collect();
    said.insert("status".to_owned(), "OK".into());
    let polled = params.get("poll_block_hash").and_then(Value::as_text);
    let is_wanted = wanted.contain("block_hash");
    let hash = if polled.is_some() || is_wanted { hash() } else { None };
    let same = |polled: &str| hash.as_ref().is_some_and(|hash| hash.eq_ignore_ascii_case(polled));
    let is_unchanged = polled.is_some_and(same);
    if polled.is_some() {
        said.insert("unchanged".to_owned(), is_unchanged.into());
    }
    if let Some(hash) = hash.filter(|_| is_wanted || !is_unchanged) {
        said.insert("block_hash".to_owned(), hash.into());
    }
    (said, is_unchanged)
}

/// BLAKE2b-32 over all that is told of the nodes, in hex.
fn hash_of(list: &NodeList) -> Option<String> {
    let nodes: Vec<Vec<u8>> = list
        .nodes()
        .iter()
        .map(|node| {
            let (swarm, port) = (node.swarm.0.to_be_bytes(), node.port.to_be_bytes());
            let (id, x25519) = (node.id.as_bytes(), node.x25519.as_bytes());
            [id.as_slice(), x25519, &swarm, &node.ip.octets(), &port].concat()
        })
        .collect();
    let parts = std::iter::once(b"nodes".as_slice()).chain(nodes.iter().map(Vec::as_slice));
    let hash = blake2b::<32>(&parts.collect::<Vec<_>>()).ok()?;
    Some(data_encoding::HEXLOWER.encode(&hash))
}

/// How many nodes are asked for, where that is said.
fn limit(params: &Dict) -> Option<usize> {
    let limit = params.get("limit").and_then(Value::as_integer).filter(|limit| *limit != 0)?;
    Some(usize::try_from(limit).unwrap_or(usize::MAX))
}

/// The places in the list of the nodes whose keys are named, once each and in that order, of all where
/// none is; so many of them at random as are asked for.
fn picked(params: &Dict, list: &NodeList, entropy: &mut dyn Entropy) -> Vec<usize> {
    let mut nodes: Vec<usize> = match params.get("service_node_pubkeys") {
        Some(Value::List(keys)) if !keys.is_empty() => {
            let places = list.nodes().iter().enumerate().map(|(at, node)| (node.id, at));
            let places: BTreeMap<NodeId, usize> = places.collect();
            let mut seen = BTreeSet::new();
            keys.iter()
                .filter_map(|key| key.as_text()?.parse::<NodeId>().ok())
                .filter_map(|key| places.get(&key).copied())
                .filter(|at| seen.insert(*at))
                .collect()
        }
        _ => (0..list.nodes().len()).collect(),
    };
    if let Some(limit) = limit(params) {
        shuffle(&mut nodes, entropy);
        nodes.truncate(limit);
    }
    nodes
}

/// What `active_nodes_bin` answers: 51 bytes for each node (wire spec, section 4).
///
/// ```text
/// Ed25519 key (32) || swarm id (8) || IPv4 (4) || HTTPS port (2) || its QUIC port (2) || version (3)
/// ```
///
/// Numbers are big-endian. The QUIC port is that of HTTPS: these nodes speak no QUIC.
pub fn active_nodes_bin(list: &NodeList) -> Vec<u8> {
    let mut blob = Vec::with_capacity(list.nodes().len() * 51);
    for node in list.nodes() {
        blob.extend_from_slice(node.id.as_bytes());
        blob.extend_from_slice(&node.swarm.0.to_be_bytes());
        blob.extend_from_slice(&node.ip.octets());
        blob.extend_from_slice(&node.port.to_be_bytes());
        blob.extend_from_slice(&node.port.to_be_bytes());
        blob.extend(SPOKEN_VERSION.iter().map(|part| u8::try_from(*part).unwrap_or(u8::MAX)));
    }
    blob
}

/// The names asked for.
enum Wanted {
    /// All but these.
    AllBut(BTreeSet<String>),
    /// These.
    Only(BTreeSet<String>),
}

impl Wanted {
    fn contain(&self, name: &str) -> bool {
        match self {
            Self::AllBut(names) => !names.contains(name),
            Self::Only(names) => names.contains(name),
        }
    }
}

fn wanted_fields(fields: Option<&Value>) -> Wanted {
    let is_list = matches!(fields, Some(Value::List(_)));
    let names: BTreeSet<String> = match fields {
        Some(Value::List(items)) => {
            items.iter().filter_map(Value::as_text).map(str::to_owned).collect()
        }
        Some(Value::Dict(dict)) => dict
            .iter()
            .filter(|(_, wanted)| **wanted == Value::Bool(true))
            .map(|(name, _)| name.clone())
            .collect(),
        _ => BTreeSet::new(),
    };
    if names.is_empty() || (names.contains("all") && !is_list) {
        return Wanted::AllBut(BTreeSet::new());
    }
    if names.contains("all") {
        let less = names.iter().filter_map(|name| name.strip_prefix('-')).map(str::to_owned);
        return Wanted::AllBut(less.collect());
    }
    Wanted::Only(names)
}

fn state(node: &NodeRecord, wanted: &Wanted) -> Value {
    let version = SPOKEN_VERSION.iter().map(|part| (*part).into()).collect();
    let Value::Dict(mut state) = Value::dict([
        ("active", true.into()),
        ("funded", true.into()),
        ("public_ip", node.ip.to_string().into()),
        ("storage_port", node.port.into()),
        ("storage_lmq_port", node.port.into()),
        ("storage_server_version", Value::List(version)),
        ("service_node_pubkey", node.id.to_string().into()),
        ("pubkey_ed25519", node.id.to_string().into()),
        ("pubkey_x25519", data_encoding::HEXLOWER.encode(node.x25519.as_bytes()).into()),
        ("swarm_id", node.swarm.0.into()),
        ("swarm", format!("{:x}", node.swarm.0).into()),
    ]) else {
        return Value::Null;
    };
    state.retain(|name, _| wanted.contain(name));
    Value::Dict(state)
}

/// Fisher and Yates.
fn shuffle<T>(items: &mut [T], entropy: &mut dyn Entropy) {
    for last in (1..items.len()).rev() {
        if let Some(other) = random_index(entropy, last + 1) {
            items.swap(last, other);
        }
    }
}
