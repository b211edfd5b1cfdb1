//! Bad input: status and one line of text, exactly as the reference node's, and nothing changed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use warren_noded::node::now;

use crate::network::{Client, Response, TestNetwork};
use crate::person::{Person, TTL, with};

/// One bad request and the refusal it gets.
type Case = (String, u16, String);

fn case(method: &str, params: &Value, status: u16, text: &str) -> Case {
    let body = json!({ "method": method, "params": params });
    (body.to_string(), status, text.to_owned())
}

/// A parameter is missing or malformed: always 400 with the same words in front.
fn invalid(method: &str, params: &Value, text: &str) -> Case {
    case(method, params, 400, &format!("invalid request: {text}"))
}

/// Sends all cases to all nodes and looks at what every member keeps, before and after.
async fn assert_refused(person: &Person, cases: Vec<Case>) {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let node = network.record(0);
    client.done(&node, "store", person.store(b"kept")).await;
    client.done(&node, "store", person.store_signed(5, now(), b"kept too")).await;
    client.done(&node, "store", person.store_signed(-21, now(), b"public")).await;
    let kept = async || {
        let mut kept = Vec::new();
        for member in network.records() {
            for namespace in [0, 5, -21, 10, 1] {
                kept.push(person.messages(&client, &member, namespace).await);
            }
        }
        kept
    };
    let before = kept().await;
    for (body, status, text) in cases {
        let response: Response = client.post(&node, "/storage_rpc/v1", body.clone()).await;
        assert_eq!(response.said(), (status, text), "{body}");
        assert_eq!(response.content_type, "text/plain", "{body}");
    }
    assert_eq!(kept().await, before);
}

#[tokio::test]
async fn malformed_bodies_are_named() {
    let body = |body: &str, text: &str| (body.to_owned(), 400, text.to_owned());
    let no_method = "invalid json: no `method` field";
    let no_params = "invalid json: no `params` field";
    let cases = vec![
        body("", "invalid json"),
        body("{", "invalid json"),
        body("d6:methode", "invalid json"),
        body("d6:method4:infoe", no_params),
        body("\u{feff}{}", "invalid json"),
        body("{}", no_method),
        body("[]", no_method),
        body("7", no_method),
        body(r#"{"method":7,"params":{}}"#, no_method),
        body(r#"{"method":"info"}"#, no_params),
        body(r#"{"method":"info","params":[]}"#, no_params),
        body(r#"{"method":"info","params":null}"#, no_params),
        body(r#"{"method":"nothing","params":"x"}"#, no_params),
        body(r#"{"method":"nothing","params":{}}"#, "no method nothing"),
        body(r#"{"method":"Store","params":{}}"#, "no method Store"),
    ];
    assert_refused(&Person::new(), cases).await;
}

#[tokio::test]
async fn deeply_nested_and_endless_bodies_are_no_json() {
    let depth = 100_000;
    let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let inside = format!(r#"{{"method":"store","params":{{"data":{nested}}}}}"#);
    let cases = [nested, inside, "9".repeat(1_000_000) + "x", "{\"a\":".repeat(50_000)]
        .map(|body| (body, 400, "invalid json".to_owned()));
    assert_refused(&Person::new(), cases.to_vec()).await;
}

#[tokio::test]
async fn a_bad_store_is_refused() {
    let person = Person::new();
    let good = person.store(b"x");
    let field = |changes: Value, text: &str| invalid("store", &with(good.clone(), changes), text);
    let pubkey = "Pubkey must be 66 hex digits (33 bytes) long";
    let size = "Message body exceeds maximum allowed length of 76800 bytes";
    let cases = vec![
        field(json!({ "pubkey": null }), "Required field 'pubkey' missing"),
        field(json!({ "pubKey": "x" }), "Cannot specify both 'pubkey' and 'pubKey'"),
        field(json!({ "pubkey": "05ab" }), pubkey),
        field(json!({ "pubkey": "zz".repeat(33) }), pubkey),
        field(json!({ "pubkey": 5 }), "Invalid value given for 'pubkey': expected string"),
        field(json!({ "timestamp": null }), "Required field 'timestamp' missing"),
        field(json!({ "timestamp": "soon" }), "Invalid value given for 'timestamp': \"soon\""),
        field(json!({ "timestamp": 1.5 }), "Invalid value given for 'timestamp': expected integer"),
        field(json!({ "ttl": null }), "Required field 'expiry' or 'ttl' missing"),
        field(json!({ "ttl": "abc" }), "Invalid value given for 'ttl': \"abc\""),
        field(json!({ "ttl": -1 }), "Invalid value given for 'ttl': expected positive integer"),
        field(json!({ "expiry": now() + TTL }), "Cannot specify both 'expiry' and 'ttl'"),
        field(
            json!({ "ttl": null, "expiry": 999_999_999 }),
            "Invalid timestamp for 'expiry': timestamp must be in milliseconds",
        ),
        field(json!({ "data": null }), "Required field 'data' missing"),
        field(json!({ "data": "***" }), "Invalid 'data' value: not base64 encoded"),
        field(json!({ "data": {} }), "Invalid value given for 'data': expected string"),
        field(json!({ "data": STANDARD.encode([0; 76_801]) }), size),
        field(json!({ "data": STANDARD.encode([0; 200_000]) }), size),
        field(
            json!({ "namespace": 32_768 }),
            "Invalid value given for 'namespace': value out of range",
        ),
        field(
            json!({ "namespace": "all" }),
            "Invalid value given for 'namespace': expected 16-bit integer",
        ),
        field(
            json!({ "namespace": 1.0 }),
            "Invalid value given for 'namespace': expected 16-bit integer",
        ),
    ];
    assert_refused(&person, cases).await;
}

#[tokio::test]
async fn a_store_with_a_wrong_clock_or_lifetime_is_refused() {
    let person = Person::new();
    let good = person.store(b"x");
    let refused = |changes: Value, status: u16, text: &str| {
        case("store", &with(good.clone(), changes), status, text)
    };
    let ttl = "Provided expiry/TTL is not valid.";
    let clock = "Timestamp error: check your clock";
    let cases = vec![
        refused(json!({ "ttl": 9_999 }), 403, ttl),
        refused(json!({ "ttl": TTL + 1 }), 403, ttl),
        refused(json!({ "ttl": u64::MAX }), 403, ttl),
        refused(json!({ "ttl": null, "expiry": now() - 1 }), 403, ttl),
        refused(json!({ "timestamp": now() + 30_000 }), 406, clock),
        refused(json!({ "timestamp": now() - 60_000, "ttl": 20_000 }), 406, clock),
        refused(json!({ "timestamp": 0, "ttl": 20_000 }), 406, clock),
    ];
    assert_refused(&person, cases).await;
}

#[tokio::test]
async fn a_store_to_a_private_drawer_needs_the_owners_fresh_signature() {
    let (person, other) = (Person::new(), Person::new());
    let good = person.store_signed(1, now(), b"x");
    let refused = |changes: Value, status: u16, text: &str| {
        case("store", &with(good.clone(), changes), status, text)
    };
    let bad = "store signature verification failed";
    let stale = "store signature timestamp too far from current time";
    let old = now() - 70_000;
    let form = "invalid request: invalid signature: expected base64 encoded Ed25519 signature";
    let unsigned = json!({ "signature": null });
    let cases = vec![
        refused(unsigned, 401, "store: signature required to store to namespace 1"),
        refused(json!({ "signature": other.sign("x") }), 401, bad),
        refused(json!({ "pubkey_ed25519": other.ed25519() }), 401, bad),
        refused(json!({ "namespace": 2 }), 401, bad),
        refused(json!({ "signature": "AAAA" }), 400, form),
        refused(json!({ "signature": "*".repeat(88) }), 400, form),
        refused(json!({ "sig_timestamp": old }), 406, stale),
        case("store", &person.store_signed(1, old, b"x"), 406, stale),
        refused(
            json!({ "pubkey_ed25519": "ab" }),
            400,
            "invalid request: Invalid pubkey_ed25519: expected 64 hex char or 32 byte pubkey",
        ),
        refused(
            json!({ "pubkey_ed25519": "z".repeat(64) }),
            400,
            "invalid request: invalid pubkey_ed25519: value is not hex",
        ),
        refused(
            json!({ "pubkey": format!("03{}", other.ed25519()) }),
            400,
            "invalid request: pubkey_ed25519 is only permitted for 05[...] pubkeys",
        ),
        case("store", &other.store_signed(-21, old, b"x"), 406, stale),
    ];
    assert_refused(&person, cases).await;
}

#[tokio::test]
async fn a_bad_retrieve_is_refused() {
    let (person, other) = (Person::new(), Person::new());
    let refused = |changes: Value, status: u16, text: &str| {
        case("retrieve", &with(person.retrieve(0), changes), status, text)
    };
    let missing = "invalid request: Required field 'signature' missing";
    let stale = "retrieve timestamp too far from current time";
    let bad = "retrieve signature verification failed";
    let nobody = json!({ "pubkey": person.id.to_string() });
    let cases = vec![
        case("retrieve", &nobody, 401, "retrieve: request signature required"),
        refused(json!({ "signature": null }), 400, missing),
        case("retrieve", &with(nobody.clone(), json!({ "namespace": 0 })), 400, missing),
        case("retrieve", &with(nobody, json!({ "timestamp": now() })), 400, missing),
        refused(json!({ "signature": other.sign("x") }), 401, bad),
        refused(json!({ "pubkey_ed25519": other.ed25519() }), 401, bad),
        refused(json!({ "pubkey_ed25519": null }), 401, bad),
        refused(json!({ "namespace": 5 }), 401, bad),
        case("retrieve", &person.retrieve_at(0, now() - 70_000), 406, stale),
        case("retrieve", &person.retrieve_at(5, now() + 70_000), 406, stale),
        case("retrieve", &person.retrieve_at(-21, now() - 70_000), 406, stale),
        refused(
            json!({ "timestamp": now().to_string() }),
            400,
            "invalid request: Invalid value given for 'timestamp': expected integer timestamp (in milliseconds)",
        ),
        refused(
            json!({ "last_hash": "abc" }),
            400,
            "invalid request: Invalid last_hash: expected base64 (43 chars)",
        ),
        refused(
            json!({ "last_hash": "*".repeat(43) }),
            400,
            "invalid request: Invalid last_hash: not base64",
        ),
        refused(
            json!({ "last_hash": "", "lastHash": "" }),
            400,
            "invalid request: Cannot specify both 'last_hash' and 'lastHash'",
        ),
        refused(
            json!({ "max_count": "5" }),
            400,
            "invalid request: Invalid value given for 'max_count': expected integer",
        ),
        refused(
            json!({ "namespace": 40_000 }),
            400,
            "invalid request: Invalid value given for 'namespace': value out of range",
        ),
    ];
    assert_refused(&person, cases).await;
}

#[tokio::test]
async fn a_bad_delete_is_refused() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let (person, other) = (Person::new(), Person::new());
    let stored = client.done(&network.record(0), "store", person.store(b"kept")).await;
    let hash = stored["hash"].as_str().unwrap();
    let good = person.delete(&[hash]);
    let field = |changes: Value, text: &str| invalid("delete", &with(good.clone(), changes), text);
    let failed = "delete_msgs signature verification failed";
    let refused = |changes: Value| case("delete", &with(good.clone(), changes), 401, failed);
    let cases = vec![
        field(json!({ "pubkey": null }), "Required field 'pubkey' missing"),
        field(json!({ "signature": null }), "Required field 'signature' missing"),
        field(json!({ "messages": null }), "Required field 'messages' missing"),
        field(json!({ "messages": [] }), "messages does not contain any message hashes"),
        field(json!({ "messages": ["abc"] }), "invalid message hash: abc"),
        field(
            json!({ "messages": [7] }),
            "Invalid value given for 'messages': expected string array",
        ),
        field(json!({ "required": "yes" }), "Invalid value given for 'required': expected boolean"),
        refused(json!({ "signature": other.sign("x") })),
        refused(json!({ "messages": [hash, hash] })),
        refused(json!({ "pubkey_ed25519": other.ed25519() })),
    ];
    assert_refused(&person, cases).await;
}

#[tokio::test]
async fn a_bad_batch_is_refused_whole() {
    let person = Person::new();
    let store = json!({ "method": "store", "params": person.store(b"not to be stored") });
    let batch = |requests: Value, text: &str| {
        ["batch", "sequence"].map(|it| invalid(it, &json!({ "requests": requests }), text))
    };
    let no_requests = "Invalid batch request: no valid \"requests\" field";
    let info = json!({ "method": "info", "params": {} });
    let meta = json!({ "method": "batch", "params": { "requests": [info] } });
    let too_many = vec![store.clone(); 21];
    let cases = [
        batch(Value::Null, no_requests),
        batch(json!([]), no_requests),
        batch(json!({}), no_requests),
        batch(json!(too_many), "Invalid batch request: subrequest limit exceeded"),
        batch(json!([store, 7]), "Invalid batch request: requests must be objects"),
        batch(
            json!([store, { "method": "info" }]),
            "Invalid batch request: subrequests must have method/params keys",
        ),
        batch(
            json!([store, { "method": "nothing", "params": {} }]),
            "Invalid batch subrequest: invalid method \"nothing\"",
        ),
        batch(
            json!([store, meta]),
            "Invalid batch subrequest: subrequests may not contain meta-requests",
        ),
        batch(
            json!([store, { "method": "retrieve", "params": {} }]),
            "Required field 'pubkey' missing",
        ),
    ];
    assert_refused(&person, cases.into_iter().flatten().collect()).await;
}

#[tokio::test]
async fn bad_questions_about_the_network_are_refused() {
    let cases = vec![
        invalid("get_swarm", &json!({}), "Required field 'pubkey' missing"),
        invalid(
            "get_swarm",
            &json!({ "pubkey": "05" }),
            "Pubkey must be 66 hex digits/33 bytes long",
        ),
        invalid("oxend_request", &json!({}), "Required field 'endpoint' missing"),
        invalid(
            "oxend_request",
            &json!({ "endpoint": "get_n_service_nodes" }),
            "Invalid oxend endpoint 'get_n_service_nodes'",
        ),
        invalid(
            "oxend_request",
            &json!({ "endpoint": 1 }),
            "Invalid value given for 'endpoint': expected string",
        ),
    ];
    assert_refused(&Person::new(), cases).await;
}
