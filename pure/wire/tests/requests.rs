//! How a request is read: every malformed one gets the reference node's text, and none stops the reader.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use warren_wire::bencode;
use warren_wire::rpc::member::MAX_RECORDS_BYTES;
use warren_wire::rpc::{Request, peer};
use warren_wire::{NodeId, Value};

const PERSON: &str = "05ffba630924aa1224bb930dde21c0d11bf004608f2812217f8ac812d6c7e3ad48";
const NOW: u64 = 1_700_000_000_000;

fn complaint(body: &Json) -> String {
    Request::from_json(body.to_string().as_bytes()).unwrap_err().to_string()
}

fn store() -> Json {
    json!({ "pubkey": PERSON, "timestamp": NOW, "ttl": 60_000, "data": "aGVsbG8=" })
}

fn without(mut params: Json, name: &str) -> Json {
    params.as_object_mut().unwrap().remove(name);
    params
}

fn with(mut params: Json, name: &str, value: Json) -> Json {
    params[name] = value;
    params
}

fn call(method: &str, params: &Json) -> Json {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

#[test]
fn a_malformed_envelope_is_named() {
    assert_eq!(Request::from_json(b"").unwrap_err().to_string(), "invalid json");
    assert_eq!(Request::from_json(b"d1:ai1ee").unwrap_err().to_string(), "invalid json");
    assert_eq!(complaint(&json!([])), "invalid json: no `method` field");
    assert_eq!(complaint(&json!({"method": 5})), "invalid json: no `method` field");
    assert_eq!(complaint(&json!({"method": "x"})), "invalid json: no `params` field");
    assert_eq!(complaint(&json!({"method": "x", "params": []})), "invalid json: no `params` field");
    assert_eq!(complaint(&call("frob", &json!({}))), "no method frob");
}

#[test]
fn a_store_is_refused_for_each_missing_or_malformed_parameter() {
    let long = "A".repeat(102_404);
    for (params, text) in [
        (without(store(), "pubkey"), "Required field 'pubkey' missing"),
        (without(store(), "data"), "Required field 'data' missing"),
        (without(store(), "timestamp"), "Required field 'timestamp' missing"),
        (without(store(), "ttl"), "Required field 'expiry' or 'ttl' missing"),
        (with(store(), "pubKey", json!(PERSON)), "Cannot specify both 'pubkey' and 'pubKey'"),
        (with(store(), "expiry", json!(NOW)), "Cannot specify both 'expiry' and 'ttl'"),
        (with(store(), "pubkey", json!("05ab")), "Pubkey must be 66 hex digits (33 bytes) long"),
        (with(store(), "data", json!("!!")), "Invalid 'data' value: not base64 encoded"),
        (with(store(), "data", json!(5)), "Invalid value given for 'data': expected string"),
        (
            with(store(), "data", json!(long)),
            "Message body exceeds maximum allowed length of 76800 bytes",
        ),
        (with(store(), "ttl", json!("abc")), "Invalid value given for 'ttl': \"abc\""),
        (
            with(store(), "ttl", json!(1.5)),
            "Invalid value given for 'ttl': expected positive integer",
        ),
        (
            with(store(), "namespace", json!("0")),
            "Invalid value given for 'namespace': expected 16-bit integer",
        ),
        (
            with(store(), "namespace", json!(40_000)),
            "Invalid value given for 'namespace': value out of range",
        ),
        (
            with(store(), "signature", json!("AAAA")),
            "invalid signature: expected base64 encoded Ed25519 signature",
        ),
    ] {
        assert_eq!(complaint(&call("store", &params)), format!("invalid request: {text}"));
    }
}

#[test]
fn old_clients_may_write_numbers_as_text_and_pubkey_in_camel_case() {
    let params = json!({
        "pubKey": PERSON, "timestamp": NOW.to_string(), "ttl": "60000", "data": "aGVsbG8",
        "pubkeyEd25519": "junk", "nonce": 7,
    });
    let Request::Store(store) =
        Request::from_json(call("store", &params).to_string().as_bytes()).unwrap()
    else {
        panic!("no store")
    };
    assert_eq!((store.timestamp, store.expiry), (NOW, NOW + 60_000));
    assert_eq!(store.data, b"hello");
}

#[test]
fn a_retrieve_takes_last_hash_in_both_spellings_and_ignores_unknown_limits() {
    let hash = "A".repeat(43);
    let params = json!({ "pubkey": PERSON, "lastHash": hash, "maxSize": -2 });
    let Request::Retrieve(read) =
        Request::from_json(call("retrieve", &params).to_string().as_bytes()).unwrap()
    else {
        panic!("no retrieve")
    };
    assert_eq!(read.after.unwrap().to_string(), hash);
    assert_eq!((read.max_size, read.auth), (None, None));

    let both = json!({ "pubkey": PERSON, "lastHash": hash, "last_hash": hash });
    for (params, text) in [
        (both, "Cannot specify both 'last_hash' and 'lastHash'"),
        (
            json!({ "pubkey": PERSON, "last_hash": "short" }),
            "Invalid last_hash: expected base64 (43 chars)",
        ),
        (json!({ "pubkey": PERSON, "namespace": 0 }), "Required field 'signature' missing"),
        (
            json!({ "pubkey": PERSON, "timestamp": NOW.to_string() }),
            "Invalid value given for 'timestamp': expected integer timestamp (in milliseconds)",
        ),
    ] {
        assert_eq!(complaint(&call("retrieve", &params)), format!("invalid request: {text}"));
    }
}

#[test]
fn a_batch_is_refused_whole_for_one_bad_part() {
    let batch = |requests: Json| call("batch", &json!({ "requests": requests }));
    let info = json!({ "method": "info", "params": {} });
    for (requests, text) in [
        (json!([]), "Invalid batch request: no valid \"requests\" field"),
        (json!({}), "Invalid batch request: no valid \"requests\" field"),
        (json!(vec![info.clone(); 21]), "Invalid batch request: subrequest limit exceeded"),
        (json!([5]), "Invalid batch request: requests must be objects"),
        (
            json!([{ "method": "info" }]),
            "Invalid batch request: subrequests must have method/params keys",
        ),
        (
            json!([{ "method": "nope", "params": {} }]),
            "Invalid batch subrequest: invalid method \"nope\"",
        ),
        (
            json!([{ "method": "batch", "params": { "requests": [info] } }]),
            "Invalid batch subrequest: subrequests may not contain meta-requests",
        ),
        (json!([info, { "method": "store", "params": {} }]), "Required field 'timestamp' missing"),
    ] {
        assert_eq!(complaint(&batch(requests)), format!("invalid request: {text}"));
    }
}

#[test]
fn a_deletion_may_name_tens_of_thousands_of_messages_and_travels_to_members() {
    let names: Vec<String> = (0..60_000).map(|number| format!("{number:043}")).collect();
    let signature = "A".repeat(86);
    let params = json!({ "pubkey": PERSON, "signature": signature, "messages": names });
    let body = call("delete", &params).to_string();
    let Ok(Request::Order(order)) = Request::from_json(body.as_bytes()) else { panic!() };
    let travels = bencode::encode(&order.to_value()).unwrap();
    assert!(travels.len() < MAX_RECORDS_BYTES);
    let Ok(Value::Dict(params)) = bencode::decode(&travels) else { panic!() };
    assert_eq!(Request::read("delete", &params), Ok(Request::Order(order)));
}

#[test]
fn a_deletion_needs_a_signature_and_real_hashes() {
    let signature = format!("{}==", "A".repeat(86));
    for (params, text) in [
        (json!({ "pubkey": PERSON, "messages": [] }), "Required field 'signature' missing".into()),
        (
            json!({ "pubkey": PERSON, "signature": signature }),
            "Required field 'messages' missing".into(),
        ),
        (
            json!({ "pubkey": PERSON, "signature": signature, "messages": [] }),
            "messages does not contain any message hashes".into(),
        ),
        (
            json!({ "pubkey": PERSON, "signature": signature, "messages": ["x"] }),
            String::from("invalid message hash: x"),
        ),
    ] as [(Json, String); 4]
    {
        assert_eq!(complaint(&call("delete", &params)), format!("invalid request: {text}"));
    }
}

#[test]
fn types_are_checked_by_name_before_anything_is_missed() {
    let of = |name: &str, what: &str| format!("Invalid value given for '{name}': expected {what}");
    let all_wrong = json!({
        "data": 1, "expiry": 1.5, "namespace": "x", "pubKey": 1, "pubkey": 1, "pubkey_ed25519": 1,
        "sig_timestamp": "x", "signature": 1, "subaccount": 1, "subaccount_sig": 1,
        "timestamp": [], "ttl": [], "messages": 1, "required": 7, "last_hash": 1, "lastHash": 1,
        "max_count": "x", "max_size": "x",
    });
    let time = "integer timestamp (in milliseconds)";
    let keys = [("pubKey", "string"), ("pubkey", "string"), ("pubkey_ed25519", "string")];
    let signatures =
        [("signature", "string"), ("subaccount", "string"), ("subaccount_sig", "string")];
    let store = [
        &[("data", "string"), ("expiry", time), ("namespace", "16-bit integer")][..],
        &keys,
        &[("sig_timestamp", time)],
        &signatures,
        &[("timestamp", "integer"), ("ttl", "positive integer")],
    ];
    let retrieve = [
        &[("lastHash", "string"), ("last_hash", "string")][..],
        &[("max_count", "integer"), ("max_size", "integer"), ("namespace", "16-bit integer")],
        &keys,
        &signatures,
        &[("timestamp", time)],
    ];
    let delete =
        [&[("messages", "string array")][..], &keys[1..], &[("required", "boolean")], &signatures];
    for (method, order) in
        [("store", store.concat()), ("retrieve", retrieve.concat()), ("delete", delete.concat())]
    {
        let mut params = all_wrong.clone();
        for (name, what) in order {
            let text = format!("invalid request: {}", of(name, what));
            assert_eq!(complaint(&call(method, &params)), text, "{method}");
            params = without(params, name);
        }
    }
}

#[test]
fn a_batch_inside_a_batch_is_refused_for_what_is_wrong_inside_it_first() {
    let meta = "Invalid batch subrequest: subrequests may not contain meta-requests";
    let inner = |requests: &Json| json!({ "method": "batch", "params": { "requests": requests } });
    let info = json!({ "method": "info", "params": {} });
    let bad = json!({ "method": "delete", "params": {} });
    for (requests, text) in [
        (json!([]), "Invalid batch request: no valid \"requests\" field"),
        (json!([bad]), "Required field 'pubkey' missing"),
        (json!([inner(&json!([bad]))]), "Required field 'pubkey' missing"),
        (json!([info]), meta),
        (json!([inner(&json!([info]))]), meta),
    ] {
        let body = call("sequence", &json!({ "requests": [inner(&requests)] }));
        assert_eq!(complaint(&body), format!("invalid request: {text}"));
    }
    let mut deep = info;
    for _ in 0..30 {
        deep = inner(&json!([deep]));
    }
    assert_eq!(complaint(&call("batch", &deep["params"])), format!("invalid request: {meta}"));
}

fn signed(token: Json, token_signature: Json) -> Json {
    let params = with(store(), "signature", json!(format!("{}==", "A".repeat(86))));
    with(with(params, "subaccount", token), "subaccount_sig", token_signature)
}

#[test]
fn a_malformed_subaccount_is_named() {
    let signature = json!(format!("{}==", "A".repeat(86)));
    let token = "invalid subaccount: expected base64 or hex-encoded subaccount token";
    for (params, text) in [
        (
            signed(json!("A".repeat(48)), Json::Null),
            "invalid subaccount: subaccount_sig is required when using subaccount",
        ),
        (signed(json!("A".repeat(47)), signature.clone()), token),
        (signed(json!("z".repeat(72)), signature.clone()), token),
        (signed(json!("ab".repeat(35)), signature), token),
        (
            signed(json!("ab".repeat(36)), json!("AAAA")),
            "invalid subaccount signature: expected base64 encoded Ed25519 signature",
        ),
    ] {
        assert_eq!(complaint(&call("store", &params)), format!("invalid request: {text}"));
    }
}

#[test]
fn what_a_subaccount_signed_is_passed_on_with_its_token() {
    let signature = json!(format!("{}==", "A".repeat(86)));
    for token in ["A".repeat(48), "ab".repeat(36)] {
        let params = signed(json!(token), signature.clone());
        let body = call("store", &params).to_string();
        let Request::Store(read) = Request::from_json(body.as_bytes()).unwrap() else {
            panic!("no store")
        };
        assert!(read.auth.as_ref().unwrap().subaccount.is_some());
        let Value::Dict(written) = read.to_value() else { panic!("no dictionary") };
        assert_eq!(Request::read("store", &written).unwrap(), Request::Store(read));
    }
}

#[test]
fn only_the_list_of_nodes_may_be_asked_of_the_directory() {
    assert_eq!(
        complaint(&call("oxend_request", &json!({ "endpoint": "stop_daemon" }))),
        "invalid request: Invalid oxend endpoint 'stop_daemon'"
    );
}

#[test]
fn a_stores_time_may_be_negative_or_text_in_json_and_any_number_in_bencode() {
    let time = |value: Json| {
        let body = call("store", &with(store(), "timestamp", value));
        match Request::from_json(body.to_string().as_bytes()) {
            Ok(Request::Store(store)) => Ok(store.timestamp),
            Ok(_) => panic!("no store"),
            Err(error) => Err(error.to_string()),
        }
    };
    let invalid =
        |what: &str| Err(format!("invalid request: Invalid value given for 'timestamp': {what}"));
    for value in [json!(1.5), json!(true), json!(1e20), json!([NOW])] {
        assert_eq!(time(value.clone()), invalid("expected integer"), "{value}");
    }
    for (value, read) in [(json!(-5), 0), (json!("-5"), 0), (json!("007"), 7), (json!(7), 7)] {
        assert_eq!(time(value.clone()), Ok(read), "{value}");
    }
    assert_eq!(time(json!(u64::MAX)), Ok(0));
    for text in ["", "+5", " 5", "5 ", "1.5", "18446744073709551615"] {
        assert_eq!(time(json!(text)), invalid(&json!(text).to_string()));
    }
    let bencoded = |value: &str| {
        let body = format!(
            "d6:method5:store6:paramsd4:data1:x6:pubkey66:{PERSON}9:timestamp{value}3:ttli60000eee"
        );
        match Request::from_body(body.as_bytes()) {
            Ok(Request::Store(store)) => Ok(store.timestamp),
            Ok(_) => panic!("no store"),
            Err(error) => Err(error.to_string()),
        }
    };
    assert_eq!((bencoded("i-5e"), bencoded("i7e")), (Ok(0), Ok(7)));
    assert_eq!(bencoded("1:7"), invalid("expected integer timestamp (in milliseconds)"));
}

#[test]
fn small_times_pass_in_bencode_only() {
    let signature = "s".repeat(64);
    let body = format!(
        "d6:method19:revoked_subaccounts6:paramsd6:pubkey66:{PERSON}9:signature64:{signature}\
         9:timestampi5eee"
    );
    let Ok(Request::Revoked(request)) = Request::from_body(body.as_bytes()) else { panic!() };
    assert_eq!(request.timestamp, 5);
    let text =
        "invalid request: Invalid timestamp for 'timestamp': timestamp must be in milliseconds";
    for time in [json!(5), json!(u64::MAX)] {
        let signature = "A".repeat(86);
        let params = json!({ "pubkey": PERSON, "signature": signature, "timestamp": time });
        assert_eq!(complaint(&call("revoked_subaccounts", &params)), text);
    }
}

#[test]
fn bencode_has_complaints_of_its_own() {
    let complaint = |method: &str, params: &str| {
        let body = format!("d6:method{}:{method}6:params{params}e", method.len());
        let text = Request::from_body(body.as_bytes()).unwrap_err().to_string();
        text.strip_prefix("invalid request: ").unwrap().to_owned()
    };
    let info = "d6:method4:info6:paramsdee";
    for (items, text) in [
        ("le", "empty \"requests\" list"),
        ("de", "no valid \"requests\" field"),
        ("li5ee", "requests must be dicts"),
        ("ldee", "subrequests must have a method"),
        ("ld6:methodi5eee", "subrequests must have a method"),
        ("ld6:method4:infoee", "subrequests must have a params dict"),
        ("ld6:method5:store6:params0:ee", "subrequests must have a params dict"),
        (&format!("l{}e", info.repeat(21)), "subrequest limit exceeded"),
        (&format!("l{}i5ee", info.repeat(20)), "requests must be dicts"),
    ] {
        let said = complaint("batch", &format!("d8:requests{items}e"));
        assert_eq!(said, format!("Invalid batch request: {text}"));
    }
    let said = complaint("batch", "d8:requestsld6:method1:xeee");
    assert_eq!(said, "Invalid batch subrequest: invalid method \"x\"");
    for (params, text) in [
        ("d4:elsei5ee", ": else must be a dict"),
        ("d4:elsedee", ": else missing method"),
        ("d4:elsed6:method1:xee", " method \"else\""),
        ("d4:elsed6:method4:infoee", ": else missing params"),
        ("d4:elsed6:method4:info6:paramsdeee", ": no valid \"if\" field"),
        ("d2:ifd15:height_at_leasti1eee", ": at least one of \"then\"/\"else\" required"),
        ("d2:ifde4:theni5ee", ": must specify at least one \"if\" condition"),
    ] {
        assert_eq!(complaint("ifelse", params), format!("Invalid ifelse request{text}"));
    }
    let params = format!("d4:data1:x9:namespacei99999e6:pubkey66:{PERSON}e");
    let text = "Invalid value given for 'namespace': expected 16-bit integer";
    assert_eq!(complaint("store", &params), text);
}

fn json_tree() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,70}".prop_map(Json::from),
        Just(Json::from(PERSON)),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::btree_map("[a-z_]{0,9}", inner, 0..5)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

fn known_names() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "pubkey",
        "pubKey",
        "timestamp",
        "ttl",
        "expiry",
        "data",
        "namespace",
        "signature",
        "pubkey_ed25519",
        "sig_timestamp",
        "subaccount",
        "subaccount_sig",
        "last_hash",
        "lastHash",
        "max_count",
        "max_size",
        "messages",
        "required",
        "endpoint",
        "params",
        "requests",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn any_parameters_read_as_a_request_or_an_error(
        method in prop::sample::select(vec![
            "store", "retrieve", "delete", "get_swarm", "info", "oxend_request", "batch", "sequence",
        ]),
        params in prop::collection::btree_map(known_names(), json_tree(), 0..8),
    ) {
        let params = Json::Object(params.into_iter().collect());
        let _ = Request::from_json(call(method, &params).to_string().as_bytes());
    }

    #[test]
    fn any_bytes_read_as_a_request_or_an_error(bytes: Vec<u8>) {
        let _ = Request::from_json(&bytes);
        let _ = peer::open(&bytes, &NodeId::from_bytes([0; 32]), NOW);
    }

    #[test]
    fn a_store_means_the_same_in_json_and_in_bencode(
        data in prop::collection::vec(any::<u8>(), 0..300),
        namespace: i16,
        signature in prop::option::of(prop::array::uniform32(any::<u8>())),
    ) {
        let mut params = with(store(), "namespace", json!(namespace));
        params["data"] = Value::Bytes(data).to_json();
        if let Some(half) = signature {
            params["signature"] = Value::Bytes([half, half].concat()).to_json();
        }
        let Request::Store(read) =
            Request::from_json(call("store", &params).to_string().as_bytes()).unwrap()
        else {
            panic!("no store")
        };
        let bencoded = bencode::decode(&bencode::encode(&read.to_value()).unwrap()).unwrap();
        let again = Request::read("store", bencoded.as_dict().unwrap()).unwrap();
        prop_assert_eq!(&again, &Request::Store(read.clone()));
        let json = call("store", &read.to_value().to_json()).to_string();
        prop_assert_eq!(Request::from_json(json.as_bytes()).unwrap(), Request::Store(read));
    }
}
