//! Whether what another member brings may be kept: every record is checked as the request it was.

use warren_wire::bencode;
use warren_wire::record::{MessageRecord, Record, UncheckedRecord};
use warren_wire::rpc::{Request, RequestError};
use warren_wire::value::Dict;
use warren_wire::{Millis, Stamp, Value};

use crate::answer::Answer;
use crate::check::{CheckedStore, Origin};
use crate::clock;
use crate::order::CheckedOrder;
use crate::swarm_request::SwarmRequest;

/// Reads and checks a client's request that a member passes on. What it says of times is held
/// against the stamp, the time at which the swarm took it in.
///
/// # Errors
/// The refusal that a client would get, 406 for a stamp far in the future, 400 for a request that
/// members do not pass on.
pub fn read(
    method: &str,
    params: &Dict,
    stamp: Stamp,
    now: Millis,
) -> Result<Box<dyn SwarmRequest>, Answer> {
    check(method, params, stamp, now, Origin::Swarm)
}

/// Checks a record that a member gives, however long ago the swarm took it in.
///
/// # Errors
/// As [`read`]. A message may expire as late as one taken in at its stamp may.
pub fn accept(unchecked: &UncheckedRecord, now: Millis) -> Result<Record, Answer> {
    let UncheckedRecord { method, params, stamp } = unchecked;
    if method == MessageRecord::REPLACEMENT {
        return replacement(params, *stamp, now);
    }
    check(method, params, *stamp, now, Origin::Kept)?.record(*stamp).map_err(|_| unwritable())
}

/// Checks what storing a message in a public outbox did to its drawer: as the store itself, of which
/// there is all but data and expiry.
fn replacement(params: &Dict, stamp: Stamp, now: Millis) -> Result<Record, Answer> {
    let unread = || Answer::refuse(400, "not a message in a public outbox");
    let mut store = match params.get("auth") {
        Some(Value::Bytes(auth)) => match bencode::decode(auth) {
            Ok(Value::Dict(auth)) => auth,
            _ => return Err(unread()),
        },
        _ => return Err(unread()),
    };
    for name in ["pubkey", "namespace", "timestamp"] {
        store.insert(name.to_owned(), params.get(name).ok_or_else(unread)?.clone());
    }
    store.insert("expiry".to_owned(), stamp.time().into());
    store.insert("data".to_owned(), Value::Bytes(Vec::new()));
    let stored = check("store", &store, stamp, now, Origin::Kept)?;
    match stored.record(stamp).map_err(|_| unwritable())? {
        Record::Message(message) => message.replacement().map(Record::Order).ok_or_else(unread),
        Record::Order(_) => Err(unread()),
    }
}

fn check(
    method: &str,
    params: &Dict,
    stamp: Stamp,
    now: Millis,
    origin: Origin,
) -> Result<Box<dyn SwarmRequest>, Answer> {
    clock::admit(stamp, now).map_err(|error| Answer::refuse(406, error.to_string()))?;
    let taken_in = stamp.time();
    let request = Request::read(method, params)
        .map_err(|error: RequestError| Answer::refuse(400, error.to_string()))?;
    Ok(match request {
        Request::Store(request) => Box::new(CheckedStore::check(request, taken_in, origin, &[])?),
        Request::Order(request) => Box::new(CheckedOrder::check(request, taken_in, origin, &[])?),
        _ => return Err(Answer::refuse(400, "not a request that members pass on")),
    })
}

fn unwritable() -> Answer {
    Answer::refuse(500, "request failed")
}

/// Writes a record for another member, who checks it by [`accept`]. `None` for one whose proof is
/// not what [`SwarmRequest::record`] makes.
pub fn give(record: Record) -> Option<UncheckedRecord> {
    match record {
        Record::Message(message) => {
            let stamp = message.stored;
            let params = store_params(message)?;
            Some(UncheckedRecord { method: "store".to_owned(), params, stamp })
        }
        Record::Order(order) => {
            let request = bencode::decode(&order.proof).ok()?;
            let method = request.get("m")?.as_text()?.to_owned();
            let params = request.get("p")?.as_dict()?.clone();
            Some(UncheckedRecord { method, params, stamp: order.stamp })
        }
    }
}

fn store_params(message: MessageRecord) -> Option<Dict> {
    let mut params = match message.proof {
        None => Dict::new(),
        Some(proof) => bencode::decode(&proof).ok()?.as_dict()?.clone(),
    };
    params.extend([
        ("pubkey".to_owned(), message.owner.to_string().into()),
        ("namespace".to_owned(), message.namespace.number().into()),
        ("timestamp".to_owned(), message.timestamp.into()),
        ("expiry".to_owned(), message.expiry.into()),
        ("data".to_owned(), Value::Bytes(message.data)),
    ]);
    Some(params)
}
