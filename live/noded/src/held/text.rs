//! The JSON form of subscriptions: the same keys, accounts and keys in hex, other bytes in base64.

use serde_json::json;
use warren_wire::Value;
use warren_wire::rpc::monitor::{MonitorError, MonitorRequest, MonitorRequests, Push};
use warren_wire::value::Dict;

/// The parts of a request that are bytes.
const BYTES: [&str; 5] = ["P", "S", "T", "p", "s"];

/// Reads a request: one object or a list of them.
///
/// # Errors
/// Where it is neither.
pub fn read(json: &[u8]) -> Result<MonitorRequests, MonitorError> {
    let unparsed = || MonitorError::Arguments("monitor request takes a JSON object or list".into());
    match Value::from_json(json).map_err(|_| unparsed())? {
        Value::Dict(dict) => Ok(MonitorRequests { requests: vec![read_one(dict)], listed: false }),
        Value::List(items) => {
            let requests = items.into_iter().map(|item| match item {
                Value::Dict(dict) => Ok(read_one(dict)),
                _ => Err(unparsed()),
            });
            Ok(MonitorRequests { requests: requests.collect::<Result<_, _>>()?, listed: true })
        }
        _ => Err(unparsed()),
    }
}

fn read_one(mut dict: Dict) -> Result<MonitorRequest, MonitorError> {
    for name in BYTES {
        if let Some(Value::Text(text)) = dict.get(name) {
            let bytes = hex_or_base64(name, text)
                .ok_or_else(|| MonitorError::Arguments(format!("{name}= is no hex or base64")))?;
            dict.insert(name.to_owned(), Value::Bytes(bytes));
        }
    }
    if let Some(Value::Bool(wanted)) = dict.get("d") {
        let wanted = u64::from(*wanted).into();
        dict.insert("d".to_owned(), wanted);
    }
    MonitorRequest::read(&dict)
}

/// Keys are as long in hex as nothing is in base64.
fn hex_or_base64(name: &str, text: &str) -> Option<Vec<u8>> {
    let digits = match name {
        "P" => 64,
        "p" => 66,
        "T" => 72,
        _ => 128,
    };
    if text.len() == digits { hex::decode(text).ok() } else { Value::from(text).to_bytes() }
}

/// Writes the answers in the form of the request.
pub fn replies(replies: Vec<Dict>, listed: bool) -> String {
    let mut replies: Vec<_> = replies.into_iter().map(|dict| Value::Dict(dict).to_json()).collect();
    match (listed, replies.pop()) {
        (false, Some(only)) => only.to_string(),
        (_, last) => {
            replies.extend(last);
            serde_json::Value::Array(replies).to_string()
        }
    }
}

/// Writes word of a message.
pub fn push(push: &Push) -> String {
    let mut told = json!({
        "@": push.account.to_string(), "h": push.hash.to_string(), "n": push.namespace.number(),
        "t": push.timestamp, "z": push.expiry,
    });
    if let (Some(data), Some(told)) = (&push.data, told.as_object_mut()) {
        told.insert("~".to_owned(), Value::Bytes(data.clone()).to_json());
    }
    told.to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_reads_as_requests_or_an_error(text: String, p in "[0-9a-f]{60,70}", s: String) {
            let _ = read(text.as_bytes());
            let json = json!([{ "p": p, "s": s, "n": [0], "d": true, "t": 1 }]);
            let _ = read(json.to_string().as_bytes());
        }
    }

    #[test]
    fn both_ways_to_write_bytes_are_read() {
        let with = |p: String, s: String| {
            let json = json!({ "p": p, "s": s, "n": [-1, 0], "d": true, "t": 9 });
            read(json.to_string().as_bytes()).unwrap().requests.remove(0).unwrap()
        };
        let (p, s) = (["05", &"ab".repeat(32)].concat(), [7_u8; 64]);
        let base64 = |bytes: &[u8]| Value::Bytes(bytes.to_vec()).to_json().as_str().unwrap().into();
        let hex = with(p.clone(), hex::encode(s));
        assert_eq!(hex, with(base64(&hex::decode(p).unwrap()), base64(&s)));
        assert!(hex.want_data && hex.signature == s && hex.namespaces.len() == 2);
    }
}
