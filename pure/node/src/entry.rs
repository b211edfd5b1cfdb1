//! A member's entry in the reply to an order: what it did, and what it signs of that.

use std::collections::BTreeMap;

use warren_wire::record::{Drawers, ExpireMode};
use warren_wire::rpc::{ExpireRequest, OrderRequest, RevokeRequest, signed};
use warren_wire::value::Dict;
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Value};

use crate::order::latest_expiry;
use crate::swarm_request::{Changed, Entry};

/// What this node says of an order that it carried out. `time` cuts an expiry too far ahead, where
/// nothing was moved by it.
pub(crate) fn of(request: &OrderRequest, changed: &Changed, time: Millis) -> Entry {
    let owner = request.account();
    match request {
        OrderRequest::Delete(request) => {
            let deleted = sorted(changed.deleted.iter().map(|(_, hash)| *hash));
            let signed = signed::deleted(owner, &request.messages, &deleted).into_bytes();
            Entry { fields: one("deleted", list(&deleted)), signed }
        }
        OrderRequest::DeleteAll(request) => {
            swept(owner, "deleted", request.drawers, request.timestamp, &changed.deleted)
        }
        OrderRequest::DeleteBefore(request) => {
            swept(owner, "deleted", request.drawers, request.before, &changed.deleted)
        }
        OrderRequest::ExpireAll(request) => {
            let updated: Vec<_> =
                changed.updated.iter().map(|(namespace, hash, _)| (*namespace, *hash)).collect();
            swept(owner, "updated", request.drawers, request.expiry, &updated)
        }
        OrderRequest::Expire(request) => expired(request, changed, latest_expiry(time)),
        OrderRequest::Revoke(request) => Entry { fields: Dict::new(), signed: tokens(request) },
        OrderRequest::Unrevoke(request) => {
            Entry { fields: one("count", changed.given_back.into()), signed: tokens(request) }
        }
    }
}

/// What was done to whole drawers: a list where one is meant, a list for each where all are.
fn swept(
    owner: &AccountId,
    name: &str,
    drawers: Drawers,
    time: Millis,
    affected: &[(Namespace, MessageHash)],
) -> Entry {
    let hashes = sorted(affected.iter().map(|(_, hash)| *hash));
    let value = match drawers {
        Drawers::One(_) => list(&hashes),
        Drawers::All => {
            let mut by_drawer: BTreeMap<String, Vec<MessageHash>> = BTreeMap::new();
            for (namespace, hash) in affected {
                by_drawer.entry(namespace.to_string()).or_default().push(*hash);
            }
            let lists = by_drawer.into_iter().map(|(name, hashes)| (name, list(&sorted(hashes))));
            Value::Dict(lists.collect())
        }
    };
    Entry { fields: one(name, value), signed: signed::swept(owner, time, &hashes).into_bytes() }
}

/// One expiry is given back whatever came of it; of several those that were applied.
fn expired(request: &ExpireRequest, changed: &Changed, latest: Millis) -> Entry {
    let by_name = |(hash, _): &(MessageHash, Millis)| hash.to_string();
    let mut updated: Vec<_> =
        changed.updated.iter().map(|(_, hash, time)| (*hash, *time)).collect();
    updated.sort_by_cached_key(by_name);
    let mut unchanged = match request.mode {
        ExpireMode::Set => Vec::new(),
        ExpireMode::Extend | ExpireMode::Shorten => changed.unchanged.clone(),
    };
    unchanged.sort_by_cached_key(by_name);

    let (hashes, applied): (Vec<_>, Vec<_>) = updated.into_iter().unzip();
    let (times, expiry) = match request.expiries.as_slice() {
        [single] => {
            let single = applied.first().copied().unwrap_or_else(|| (*single).min(latest));
            (vec![single], single.into())
        }
        _ => {
            let listed = applied.iter().map(|time| (*time).into()).collect();
            (applied, Value::List(listed))
        }
    };
    let text = signed::expired(&request.account, &times, &request.messages, &hashes, &unchanged);
    let mut fields = one("expiry", expiry);
    fields.insert("updated".to_owned(), list(&hashes));
    if request.mode != ExpireMode::Set {
        let unchanged = unchanged.into_iter().map(|(hash, time)| (hash.to_string(), time.into()));
        fields.insert("unchanged".to_owned(), Value::Dict(unchanged.collect()));
    }
    Entry { fields, signed: text.into_bytes() }
}

/// What another member must have signed to say this; `None` where it says nothing that answers the
/// request.
pub(crate) fn signed_by(request: &OrderRequest, fields: &Dict) -> Option<Vec<u8>> {
    let owner = request.account();
    Some(match request {
        OrderRequest::Delete(request) => {
            let deleted = read_list(fields.get("deleted")?)?;
            let asked = request.hashes();
            let answers = deleted.iter().all(|hash| asked.contains(hash));
            answers.then(|| signed::deleted(owner, &request.messages, &deleted).into_bytes())?
        }
        OrderRequest::DeleteAll(request) => {
            let deleted = read_swept(fields.get("deleted")?, request.drawers)?;
            signed::swept(owner, request.timestamp, &deleted).into_bytes()
        }
        OrderRequest::DeleteBefore(request) => {
            let deleted = read_swept(fields.get("deleted")?, request.drawers)?;
            signed::swept(owner, request.before, &deleted).into_bytes()
        }
        OrderRequest::ExpireAll(request) => {
            let updated = read_swept(fields.get("updated")?, request.drawers)?;
            signed::swept(owner, request.expiry, &updated).into_bytes()
        }
        OrderRequest::Expire(request) => read_expired(request, fields)?.into_bytes(),
        OrderRequest::Revoke(request) => tokens(request),
        OrderRequest::Unrevoke(request) => {
            let count = fields.get("count")?.as_integer()?;
            usize::try_from(count).ok().filter(|count| *count <= request.tokens.len())?;
            tokens(request)
        }
    })
}

fn read_expired(request: &ExpireRequest, fields: &Dict) -> Option<String> {
    let time = |value: &Value| Millis::try_from(value.as_integer()?).ok();
    let updated = read_list(fields.get("updated")?)?;
    let times = match (fields.get("expiry")?, request.expiries.as_slice()) {
        (single, [_]) => vec![time(single)?],
        (Value::List(several), _) => several.iter().map(time).collect::<Option<_>>()?,
        _ => return None,
    };
    let unchanged = match fields.get("unchanged") {
        None if request.mode == ExpireMode::Set => Vec::new(),
        Some(Value::Dict(unchanged)) if request.mode != ExpireMode::Set => unchanged
            .iter()
            .map(|(hash, expiry)| Some((hash.parse().ok()?, time(expiry)?)))
            .collect::<Option<_>>()?,
        _ => return None,
    };
    let asked = request.hashes();
    let named = |hash: &MessageHash| asked.contains(hash);
    let answers = updated.iter().all(named) && unchanged.iter().all(|(hash, _)| named(hash));
    answers
        .then(|| signed::expired(&request.account, &times, &request.messages, &updated, &unchanged))
}

fn read_swept(value: &Value, drawers: Drawers) -> Option<Vec<MessageHash>> {
    match (value, drawers) {
        (Value::List(_), Drawers::One(_)) => read_list(value),
        (Value::Dict(by_drawer), Drawers::All) => {
            let lists: Option<Vec<_>> = by_drawer.values().map(read_list).collect();
            Some(sorted(lists?.into_iter().flatten()))
        }
        _ => None,
    }
}

fn read_list(value: &Value) -> Option<Vec<MessageHash>> {
    match value {
        Value::List(hashes) => hashes.iter().map(|hash| hash.as_text()?.parse().ok()).collect(),
        _ => None,
    }
}

fn tokens(request: &RevokeRequest) -> Vec<u8> {
    signed::revoked(&request.account, request.timestamp, &request.tokens)
}

fn one(name: &str, value: Value) -> Dict {
    Dict::from([(name.to_owned(), value)])
}

/// In the order of their names' ASCII.
fn sorted(hashes: impl IntoIterator<Item = MessageHash>) -> Vec<MessageHash> {
    let mut hashes: Vec<_> = hashes.into_iter().collect();
    hashes.sort_by_cached_key(MessageHash::to_string);
    hashes
}

fn list(hashes: &[MessageHash]) -> Value {
    Value::List(hashes.iter().map(|hash| hash.to_string().into()).collect())
}
