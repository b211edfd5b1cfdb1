//! The envelope of a request, `{"method": ..., "params": {...}}`, and the methods there are.

use super::fields::{FieldError, Fields, missing};
use super::{
    GetExpiriesRequest, IfElse, OrderRequest, RetrieveRequest, RevokedRequest, StoreRequest,
};
use crate::bencode;
use crate::id::AccountId;
use crate::limits::MAX_BATCH;
use crate::value::{Dict, Value};

/// How a request is written; its answer is written the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JSON, bytes in base64.
    Json,
    /// Bencode, bytes raw.
    Bencode,
}

impl Encoding {
    /// What a body is written in: bencode where it begins as a dictionary of that.
    pub const fn of(body: &[u8]) -> Self {
        match body {
            [b'd', ..] => Self::Bencode,
            _ => Self::Json,
        }
    }
}

/// Why a request is not understood. Every one is answered with status 400 and this text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The body is neither JSON nor bencode.
    #[error("invalid json")]
    NotJson,
    /// No text under `method`.
    #[error("invalid json: no `method` field")]
    NoMethod,
    /// No dictionary under `params`.
    #[error("invalid json: no `params` field")]
    NoParams,
    /// A method this node does not have.
    #[error("no method {0}")]
    UnknownMethod(String),
    /// A parameter is missing or malformed.
    #[error("invalid request: {0}")]
    Field(#[from] FieldError),
}

/// One request, its form read, its claims unchecked.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Leave a message.
    Store(StoreRequest),
    /// Read a mailbox.
    Retrieve(RetrieveRequest),
    /// Change what is in a mailbox.
    Order(OrderRequest),
    /// When do messages expire?
    GetExpiries(GetExpiriesRequest),
    /// Which subaccounts are revoked?
    Revoked(RevokedRequest),
    /// Which nodes keep this account's mail?
    GetSwarm(AccountId),
    /// Version and clock of the node.
    Info,
    /// A question to the directory.
    Directory(DirectoryQuestion),
    /// All nodes, 51 bytes for each.
    ActiveNodes,
    /// Several requests at once.
    Batch(Batch),
    /// One of two requests.
    IfElse(IfElse),
}

/// A question to the directory, which the reference node passes on to its chain's daemon.
#[derive(Debug, Clone, PartialEq)]
pub enum DirectoryQuestion {
    /// Who the nodes are; the dictionary says which fields are wanted.
    ServiceNodes(Dict),
    /// Which account has a name.
    ResolveName(Dict),
}

/// Several requests: all of them, or up to the first that fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// 1 to 20 requests, none of them a batch.
    pub requests: Vec<Request>,
    /// Stop at the first that fails.
    pub stop_at_failure: bool,
}

impl Request {
    /// Reads a body, in whichever encoding it is.
    ///
    /// # Errors
    /// Where the body or a parameter is malformed, or the method is unknown.
    pub fn from_body(body: &[u8]) -> Result<Self, RequestError> {
        match Encoding::of(body) {
            Encoding::Json => Self::from_json(body),
            Encoding::Bencode => {
                let body = bencode::decode(body).map_err(|_| RequestError::NotJson)?;
                Self::from_value(&body, Encoding::Bencode)
            }
        }
    }

    /// Reads a JSON body.
    ///
    /// # Errors
    /// Where the body or a parameter is malformed, or the method is unknown.
    pub fn from_json(body: &[u8]) -> Result<Self, RequestError> {
        let body = Value::from_json(body).map_err(|_| RequestError::NotJson)?;
        Self::from_value(&body, Encoding::Json)
    }

    fn from_value(body: &Value, encoding: Encoding) -> Result<Self, RequestError> {
        let method = match body.get("method") {
            Some(method @ (Value::Text(_) | Value::Bytes(_))) => method.as_text(),
            _ => None,
        };
        let method = method.ok_or(RequestError::NoMethod)?;
        let params = body.get("params").and_then(Value::as_dict).ok_or(RequestError::NoParams)?;
        let fields = match encoding {
            Encoding::Json => Fields::json(params),
            Encoding::Bencode => Fields::new(params),
        };
        Self::read_any(method, fields)?
            .ok_or_else(|| RequestError::UnknownMethod(method.to_owned()))
    }

    /// Reads one method's parameters, as bencode has them.
    ///
    /// # Errors
    /// Where a parameter is malformed or the method is unknown.
    pub fn read(method: &str, params: &Dict) -> Result<Self, RequestError> {
        Self::read_any(method, Fields::new(params))?
            .ok_or_else(|| RequestError::UnknownMethod(method.to_owned()))
    }

    /// Reads the parameters of any method; `None` where there is no such method.
    ///
    /// # Errors
    /// Where a parameter is malformed.
    pub fn read_any(method: &str, fields: Fields<'_>) -> Result<Option<Self>, FieldError> {
        Ok(Some(match method {
            "store" => Self::Store(StoreRequest::read(fields)?),
            "retrieve" => Self::Retrieve(RetrieveRequest::read(fields)?),
            "get_expiries" => Self::GetExpiries(GetExpiriesRequest::read(fields)?),
            "revoked_subaccounts" => Self::Revoked(RevokedRequest::read(fields)?),
            "get_swarm" | "get_snodes_for_pubkey" => {
                Self::GetSwarm(fields.account_or("Pubkey must be 66 hex digits/33 bytes long")?)
            }
            "info" => Self::Info,
            "oxend_request" => Self::Directory(read_question(fields)?),
            "active_nodes_bin" => Self::ActiveNodes,
            "batch" | "sequence" => Self::Batch(Batch {
                requests: read_batch(fields)?,
                stop_at_failure: method == "sequence",
            }),
            "ifelse" => Self::IfElse(IfElse::read(fields)?),
            _ => return Ok(OrderRequest::read(method, fields)?.map(Self::Order)),
        }))
    }
}

fn read_question(fields: Fields<'_>) -> Result<DirectoryQuestion, FieldError> {
    let endpoint = fields.text("endpoint")?.ok_or_else(|| missing("endpoint"))?;
    let question = match endpoint {
        "get_service_nodes" => DirectoryQuestion::ServiceNodes,
        "ons_resolve" => DirectoryQuestion::ResolveName,
        other => return Err(FieldError(format!("Invalid oxend endpoint '{other}'"))),
    };
    let unreadable = "oxend_request params field does not contain valid json";
    Ok(question(match fields.get("params") {
        Some(Value::Dict(dict)) => dict.clone(),
        // In bencode they are JSON in a string.
        Some(Value::Bytes(json)) => {
            let json = Value::from_json(json).map_err(|_| FieldError::from(unreadable))?;
            json.as_dict().cloned().unwrap_or_default()
        }
        _ => Dict::new(),
    }))
}

fn read_batch(fields: Fields<'_>) -> Result<Vec<Request>, FieldError> {
    if fields.is_bencode() {
        return read_bencoded_batch(fields);
    }
    let complaint = |text: &str| FieldError(text.to_owned());
    let requests = match fields.get("requests") {
        Some(Value::List(requests)) if !requests.is_empty() => requests,
        _ => return Err(complaint("Invalid batch request: no valid \"requests\" field")),
    };
    if requests.len() > MAX_BATCH {
        return Err(complaint("Invalid batch request: subrequest limit exceeded"));
    }
    requests.iter().map(|request| read_subrequest(fields, request)).collect()
}

fn read_subrequest(outer: Fields<'_>, value: &Value) -> Result<Request, FieldError> {
    let complaint = |text: &str| FieldError(text.to_owned());
    if value.as_dict().is_none() {
        return Err(complaint("Invalid batch request: requests must be objects"));
    }
    let method = value.get("method").and_then(Value::as_text);
    let params = value.get("params").and_then(Value::as_dict);
    let (Some(method), Some(params)) = (method, params) else {
        return Err(complaint("Invalid batch request: subrequests must have method/params keys"));
    };
    read_method(outer, method, params)
}

/// What is wrong inside comes first. Levels end with those of the encoding.
fn read_method(outer: Fields<'_>, method: &str, params: &Dict) -> Result<Request, FieldError> {
    let complaint = |text: &str| FieldError(text.to_owned());
    match Request::read_any(method, outer.within(params))? {
        Some(Request::Batch(_) | Request::IfElse(_)) => {
            Err(complaint("Invalid batch subrequest: subrequests may not contain meta-requests"))
        }
        Some(request) => Ok(request),
        None => Err(unknown_method(method)),
    }
}

/// In bencode the reference node reads a batch item by item, and words its complaints otherwise.
fn read_bencoded_batch(fields: Fields<'_>) -> Result<Vec<Request>, FieldError> {
    let complaint = |text: &str| FieldError(format!("Invalid batch request: {text}"));
    let Some(Value::List(items)) = fields.get("requests") else {
        return Err(complaint("no valid \"requests\" field"));
    };
    let mut requests = Vec::new();
    for item in items {
        if item.as_dict().is_none() {
            return Err(complaint("requests must be dicts"));
        }
        if requests.len() >= MAX_BATCH {
            return Err(complaint("subrequest limit exceeded"));
        }
        let method = item.get("method").and_then(Value::as_text);
        let method = method.ok_or_else(|| complaint("subrequests must have a method"))?;
        let Some(params) = item.get("params").and_then(Value::as_dict) else {
            return Err(if is_method(method) {
                complaint("subrequests must have a params dict")
            } else {
                unknown_method(method)
            });
        };
        requests.push(read_method(fields, method, params)?);
    }
    if requests.is_empty() {
        return Err(complaint("empty \"requests\" list"));
    }
    Ok(requests)
}

/// Whether there is such a method. One that wants parameters complains of having none.
pub(super) fn is_method(name: &str) -> bool {
    !matches!(Request::read_any(name, Fields::new(&Dict::new())), Ok(None))
}

fn unknown_method(method: &str) -> FieldError {
    FieldError(format!("Invalid batch subrequest: invalid method \"{method}\""))
}

/// The body a client sends for one method.
pub fn encode(method: &str, params: &Value) -> Vec<u8> {
    let body = serde_json::json!({ "method": method, "params": params.to_json() });
    body.to_string().into_bytes()
}
