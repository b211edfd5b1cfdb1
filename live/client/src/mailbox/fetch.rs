//! Several drawers of a mailbox read at once, by one request that is held open where nothing is new.

use std::time::Duration;

use warren_onion::Reply;
use warren_wire::directory::NodeRecord;
use warren_wire::rpc::reply::{RetrieveReply, RetrievedMessage};
use warren_wire::rpc::{RetrieveRequest, request, signed};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, NodeId, Value};

use super::Access;
use super::members::{malformed, refusal, require_success, swarm_members};
use crate::error::ClientError;
use crate::messenger::now;
use crate::network::Network;
use crate::network::road::Question;

/// What one member of a swarm has for several drawers.
#[derive(Debug)]
pub(crate) struct Pages {
    /// The member.
    pub(crate) node: NodeRecord,
    /// A page for each drawer, in the order that was asked for.
    pub(crate) pages: Vec<Page>,
}

/// What is new in one drawer at one member.
#[derive(Debug)]
pub(crate) struct Page {
    /// The drawer.
    pub(crate) namespace: Namespace,
    /// The messages, the oldest first.
    pub(crate) messages: Vec<RetrievedMessage>,
    /// Whether there is more behind them.
    pub(crate) more: bool,
    /// The status where the node refused this drawer; then there are no messages.
    pub(crate) refused: Option<u16>,
}

/// How far a member's drawer was read.
pub(crate) type ReadTo<'a> =
    dyn Fn(&NodeId, Namespace) -> Result<Option<MessageHash>, ClientError> + Sync + 'a;

impl Network {
    /// The members of a mailbox's swarm, in random order.
    pub(crate) async fn members_of(
        &self,
        owner: &AccountId,
    ) -> Result<Vec<NodeRecord>, ClientError> {
        swarm_members(&*self.nodes().await?, owner)
    }

    /// Reads the drawers from the first of `members` that answers, each from where it was read to.
    /// Where nothing is new, the member is asked to wait as long for something.
    ///
    /// # Errors
    /// Where no member answers, or all drawers are refused; the first refusal is told.
    pub(crate) async fn retrieve(
        &self,
        access: &Access,
        namespaces: &[Namespace],
        members: &[NodeRecord],
        wait: Duration,
        read_to: &ReadTo<'_>,
    ) -> Result<Pages, ClientError> {
        let ask = |node: &NodeRecord| {
            let body = batch(access, namespaces, &node.id, wait, read_to)?.into();
            Ok(Question { node: node.clone(), body, wait })
        };
        let questions = members.iter().map(ask).collect::<Result<_, ClientError>>()?;
        let judge = |_: &NodeRecord, reply: &Reply| {
            require_success(reply)?;
            read_batch(namespaces, &reply.body)
        };
        let (node, pages) = self.ask(questions, judge).await?;
        Ok(Pages { node, pages })
    }
}

fn batch(
    access: &Access,
    namespaces: &[Namespace],
    node: &NodeId,
    wait: Duration,
    read_to: &ReadTo<'_>,
) -> Result<Vec<u8>, ClientError> {
    let timestamp = now();
    let wait = Millis::try_from(wait.as_millis()).ok().filter(|wait| *wait > 0);
    let mut requests = Vec::with_capacity(namespaces.len());
    for namespace in namespaces {
        let auth = access.authorise(signed::retrieve(*namespace, timestamp).as_bytes())?;
        let params = RetrieveRequest {
            account: access.owner(),
            namespace: *namespace,
            after: read_to(node, *namespace)?,
            max_count: None,
            max_size: None,
            newest_first: false,
            wait,
            auth: Some((auth, timestamp)),
        };
        let params = params.to_value();
        requests.push(Value::dict([("method", "retrieve".into()), ("params", params)]));
    }
    Ok(request::encode("batch", &Value::dict([("requests", Value::List(requests))])))
}

fn read_batch(
    namespaces: &[Namespace],
    body: &serde_json::Value,
) -> Result<Vec<Page>, ClientError> {
    let results = body.get("results").and_then(|results| results.as_array());
    let results = results.filter(|results| results.len() == namespaces.len());
    let results = results.ok_or_else(malformed)?;
    let pages: Vec<Page> =
        namespaces.iter().zip(results).map(|(ns, one)| read_page(*ns, one)).collect();
    if let (Some(first), true) = (results.first(), pages.iter().all(|page| page.refused.is_some()))
    {
        let status = status_of(first);
        return Err(match status {
            406 => ClientError::Clock,
            200 => malformed(),
            _ => refusal(status, first.get("body").unwrap_or(&serde_json::Value::Null)),
        });
    }
    Ok(pages)
}

fn read_page(namespace: Namespace, result: &serde_json::Value) -> Page {
    let status = status_of(result);
    let reply = result.get("body").filter(|_| status == 200);
    match reply.and_then(|body| RetrieveReply::from_json(body).ok()) {
        Some(reply) => {
            Page { namespace, messages: reply.messages, more: reply.more, refused: None }
        }
        None => Page { namespace, messages: Vec::new(), more: false, refused: Some(status) },
    }
}

fn status_of(result: &serde_json::Value) -> u16 {
    let code = result.get("code").and_then(serde_json::Value::as_u64);
    code.and_then(|code| u16::try_from(code).ok()).unwrap_or(500)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DRAWERS: [Namespace; 2] = [Namespace::DIRECT, Namespace::new(3)];

    fn message(data: &str) -> serde_json::Value {
        let hash = "4sMyAuaZlMwww3oFvfhazfw7ASx/7TDtO+TVc8aAjHs";
        json!({ "hash": hash, "timestamp": 5, "expiration": 9, "data": data })
    }

    #[test]
    fn a_drawer_that_is_refused_keeps_no_other_from_being_read() {
        let read = json!({ "messages": [message("aGk=")], "more": true });
        let body = json!({ "results": [
            { "code": 401, "body": "no" }, { "code": 200, "body": read },
        ] });
        let pages = read_batch(&DRAWERS, &body).unwrap();
        assert_eq!(pages[0].refused, Some(401));
        assert_eq!((pages[1].messages.len(), pages[1].more, pages[1].refused), (1, true, None));
    }

    #[test]
    fn a_mailbox_that_is_refused_whole_is_an_error() {
        let refused = json!({ "code": 421, "body": "elsewhere" });
        let body = json!({ "results": [refused.clone(), refused] });
        let error = read_batch(&DRAWERS, &body).unwrap_err();
        assert!(matches!(error, ClientError::Refused { status: 421, .. }));
    }

    #[test]
    fn an_answer_that_does_not_fit_the_question_is_none() {
        for body in [json!(null), json!({ "results": [] }), json!({ "results": "x" })] {
            assert!(read_batch(&DRAWERS, &body).is_err());
        }
    }
}
