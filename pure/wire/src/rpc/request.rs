//! The envelope of a request, `{"method": ..., "params": {...}}`, and the methods there are.

use super::fields::{FieldError, Fields};
use super::{DeleteRequest, RetrieveRequest, StoreRequest};
use crate::id::AccountId;
use crate::limits::MAX_BATCH;
use crate::value::{Dict, Value};

/// Why a request is not understood. Every one is answered with status 400 and this text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The body is no JSON.
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
    /// Remove messages.
    Delete(DeleteRequest),
    /// Which nodes keep this account's mail?
    GetSwarm(AccountId),
    /// Version and clock of the node.
    Info,
    /// The directory's list of nodes; the dictionary says which fields are wanted.
    GetServiceNodes(Dict),
    /// Several requests at once.
    Batch(Batch),
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
    /// Reads a JSON body.
    ///
    /// # Errors
    /// Where the body or a parameter is malformed, or the method is unknown.
    pub fn from_json(body: &[u8]) -> Result<Self, RequestError> {
        let body = Value::from_json(body).map_err(|_| RequestError::NotJson)?;
        let method = match body.get("method") {
            Some(Value::Text(method)) => method,
            _ => return Err(RequestError::NoMethod),
        };
        let params = body.get("params").and_then(Value::as_dict).ok_or(RequestError::NoParams)?;
        Self::read(method, params)
    }

    /// Reads one method's parameters.
    ///
    /// # Errors
    /// Where a parameter is malformed or the method is unknown.
    pub fn read(method: &str, params: &Dict) -> Result<Self, RequestError> {
        let fields = Fields::new(params);
        match method {
            "batch" | "sequence" => {
                let requests = read_batch(fields)?;
                Ok(Self::Batch(Batch { requests, stop_at_failure: method == "sequence" }))
            }
            _ => Self::read_single(method, fields)?
                .ok_or_else(|| RequestError::UnknownMethod(method.to_owned())),
        }
    }

    /// Reads a method that is no batch; `None` where there is no such method.
    fn read_single(method: &str, fields: Fields<'_>) -> Result<Option<Self>, FieldError> {
        Ok(Some(match method {
            "store" => Self::Store(StoreRequest::read(fields)?),
            "retrieve" => Self::Retrieve(RetrieveRequest::read(fields)?),
            "delete" => Self::Delete(DeleteRequest::read(fields)?),
            "get_swarm" | "get_snodes_for_pubkey" => {
                Self::GetSwarm(fields.account_or("Pubkey must be 66 hex digits/33 bytes long")?)
            }
            "info" => Self::Info,
            "oxend_request" => Self::GetServiceNodes(read_oxend(fields)?),
            _ => return Ok(None),
        }))
    }
}

fn read_oxend(fields: Fields<'_>) -> Result<Dict, FieldError> {
    fields.required("endpoint")?;
    match fields.text("endpoint")?.unwrap_or_default() {
        "get_service_nodes" => {
            Ok(fields.get("params").and_then(Value::as_dict).cloned().unwrap_or_default())
        }
        other => Err(FieldError(format!("Invalid oxend endpoint '{other}'"))),
    }
}

fn read_batch(fields: Fields<'_>) -> Result<Vec<Request>, FieldError> {
    let complaint = |text: &str| FieldError(text.to_owned());
    let requests = match fields.get("requests") {
        Some(Value::List(requests)) if !requests.is_empty() => requests,
        _ => return Err(complaint("Invalid batch request: no valid \"requests\" field")),
    };
    if requests.len() > MAX_BATCH {
        return Err(complaint("Invalid batch request: subrequest limit exceeded"));
    }
    requests.iter().map(read_subrequest).collect()
}

fn read_subrequest(value: &Value) -> Result<Request, FieldError> {
    let complaint = |text: &str| FieldError(text.to_owned());
    if value.as_dict().is_none() {
        return Err(complaint("Invalid batch request: requests must be objects"));
    }
    let method = value.get("method").and_then(Value::as_text);
    let params = value.get("params").and_then(Value::as_dict);
    let (Some(method), Some(params)) = (method, params) else {
        return Err(complaint("Invalid batch request: subrequests must have method/params keys"));
    };
    if matches!(method, "batch" | "sequence") {
        // What is wrong inside comes first. Levels end with those of the encoding.
        read_batch(Fields::new(params))?;
    }
    if matches!(method, "batch" | "sequence" | "ifelse") {
        return Err(complaint(
            "Invalid batch subrequest: subrequests may not contain meta-requests",
        ));
    }
    Request::read_single(method, Fields::new(params))?
        .ok_or_else(|| FieldError(format!("Invalid batch subrequest: invalid method \"{method}\"")))
}

/// The body a client sends for one method.
pub fn encode(method: &str, params: &Value) -> Vec<u8> {
    let body = serde_json::json!({ "method": method, "params": params.to_json() });
    body.to_string().into_bytes()
}
