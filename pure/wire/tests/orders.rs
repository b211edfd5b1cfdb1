//! How orders, questions about a mailbox and conditions are read: the reference node's texts, and the same meaning in both encodings.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use warren_wire::record::{Drawers, ExpireMode, SubaccountToken};
use warren_wire::rpc::{
    Circumstances, DeleteAllRequest, DeleteBeforeRequest, DeleteRequest, ExpireAllRequest,
    ExpireRequest, GetExpiriesRequest, OrderRequest, Request, RevokeRequest, RevokedRequest,
    SignedToken, UnverifiedAuth,
};
use warren_wire::{AccountId, MessageHash, Namespace, Value, bencode};

const GROUP: &str = "03ffba630924aa1224bb930dde21c0d11bf004608f2812217f8ac812d6c7e3ad48";
const NOW: u64 = 1_700_000_000_000;

fn read(method: &str, params: &Json) -> Result<Request, String> {
    let body = json!({ "method": method, "params": params }).to_string();
    Request::from_body(body.as_bytes()).map_err(|error| error.to_string())
}

fn hash() -> String {
    "A".repeat(43)
}

fn token() -> String {
    "ab".repeat(36)
}

/// Well-made parameters of every method that an owner signs.
fn good(method: &str) -> Json {
    let mut params = match method {
        "delete" => json!({ "messages": [hash()] }),
        "delete_before" => json!({ "before": NOW }),
        "expire" => json!({ "messages": [hash()], "expiry": NOW }),
        "expire_all" => json!({ "expiry": NOW }),
        "get_expiries" => json!({ "messages": [hash()], "timestamp": NOW }),
        "revoke_subaccount" => json!({ "revoke": [token()], "timestamp": NOW }),
        "unrevoke_subaccount" => json!({ "unrevoke": token(), "timestamp": NOW }),
        _ => json!({ "timestamp": NOW }),
    };
    params["pubkey"] = GROUP.into();
    params["signature"] = format!("{}==", "A".repeat(86)).into();
    params
}

const SIGNED: [&str; 9] = [
    "delete",
    "delete_all",
    "delete_before",
    "expire",
    "expire_all",
    "get_expiries",
    "revoke_subaccount",
    "unrevoke_subaccount",
    "revoked_subaccounts",
];

#[test]
fn what_every_signed_request_needs_is_asked_for_first() {
    let keyed = "pubkey_ed25519 is only permitted for 05[...] pubkeys";
    for method in SIGNED {
        assert!(read(method, &good(method)).is_ok(), "{method}");
        for (name, value, text) in [
            ("pubkey", Json::Null, "Required field 'pubkey' missing"),
            ("pubkey", json!("03ab"), "Pubkey must be 66 hex digits (33 bytes) long"),
            ("pubkey", json!(3), "Invalid value given for 'pubkey': expected string"),
            ("signature", Json::Null, "Required field 'signature' missing"),
            (
                "signature",
                json!("A".repeat(87)),
                "invalid signature: expected base64 encoded Ed25519 signature",
            ),
            ("pubkey_ed25519", json!("00".repeat(32)), keyed),
        ] {
            let mut params = good(method);
            params[name] = value;
            assert_eq!(read(method, &params), Err(format!("invalid request: {text}")), "{method}");
        }
    }
}

#[test]
fn each_methods_own_parameters_are_asked_for_in_the_reference_nodes_words() {
    let time = "expected integer timestamp (in milliseconds)";
    let seconds =
        |name: &str| format!("Invalid timestamp for '{name}': timestamp must be in milliseconds");
    let drawer = "Invalid value given for 'namespace': expected integer or \"all\"";
    let missing = |name: &str| format!("Required field '{name}' missing");
    let wrong = |name: &str, what: &str| format!("Invalid value given for '{name}': {what}");
    let no_messages = "messages does not contain any message hashes".to_owned();
    let cases: Vec<(&str, &str, Json, String)> = vec![
        ("delete", "messages", Json::Null, missing("messages")),
        ("delete", "required", json!(1), wrong("required", "expected boolean")),
        ("delete_all", "timestamp", Json::Null, missing("timestamp")),
        ("delete_all", "timestamp", json!(-1), wrong("timestamp", time)),
        ("delete_all", "timestamp", json!(999_999_999), seconds("timestamp")),
        ("delete_all", "namespace", json!("some"), drawer.to_owned()),
        ("delete_all", "namespace", json!(1.5), drawer.to_owned()),
        ("delete_all", "namespace", json!(32_768), wrong("namespace", "value out of range")),
        ("delete_before", "before", Json::Null, missing("before")),
        ("delete_before", "before", json!("x"), wrong("before", time)),
        ("expire", "expiry", Json::Null, missing("expiry")),
        (
            "expire",
            "expiry",
            json!([]),
            "'expiry' does not contain any expiration timestamps".to_owned(),
        ),
        ("expire", "expiry", json!(["x"]), wrong("expiry", "expected timestamp array")),
        ("expire", "expiry", json!(-5), wrong("expiry", "expected timestamp array")),
        (
            "expire",
            "expiry",
            json!([NOW, NOW]),
            "'expiry' must be a single expiry, or the same length as 'messages'".to_owned(),
        ),
        ("expire", "messages", Json::Null, missing("messages")),
        ("expire", "messages", json!([]), no_messages.clone()),
        ("expire", "messages", json!(["-x-"]), "invalid message hash: -x-".to_owned()),
        ("expire", "messages", json!([1]), wrong("messages", "expected string array")),
        ("expire", "extend", json!("yes"), wrong("extend", "expected boolean")),
        ("expire_all", "expiry", Json::Null, missing("expiry")),
        ("expire_all", "expiry", json!([NOW]), wrong("expiry", time)),
        ("get_expiries", "timestamp", Json::Null, missing("timestamp")),
        ("get_expiries", "messages", Json::Null, missing("messages")),
        ("get_expiries", "messages", json!([]), no_messages),
        ("revoke_subaccount", "revoke", Json::Null, missing("revoke")),
        (
            "revoke_subaccount",
            "revoke",
            json!(["short"]),
            "invalid revoke: expected base64 or hex-encoded subaccount tag".to_owned(),
        ),
        (
            "revoke_subaccount",
            "revoke",
            json!(vec![token(); 51]),
            "invalid revoke: cannot revoke more than 50 subaccounts at once".to_owned(),
        ),
        ("revoke_subaccount", "timestamp", Json::Null, missing("timestamp")),
        ("unrevoke_subaccount", "timestamp", Json::Null, missing("timestamp")),
        ("unrevoke_subaccount", "unrevoke", Json::Null, missing("unrevoke")),
        (
            "unrevoke_subaccount",
            "unrevoke",
            json!("z".repeat(72)),
            "invalid unrevoke: expected base64 or hex-encoded subaccount tag".to_owned(),
        ),
        ("revoked_subaccounts", "timestamp", Json::Null, missing("timestamp")),
    ];
    for (method, name, value, text) in cases {
        let mut params = good(method);
        params[name] = value;
        assert_eq!(
            read(method, &params),
            Err(format!("invalid request: {text}")),
            "{method} {name}"
        );
    }
    let mut both = good("expire");
    (both["shorten"], both["extend"]) = (true.into(), true.into());
    let text = "invalid request: cannot specify both 'shorten' and 'extend'";
    assert_eq!(read("expire", &both), Err(text.to_owned()));
}

#[test]
fn types_are_checked_by_name_before_anything_is_missed() {
    let time = "integer timestamp (in milliseconds)";
    let drawer = ("namespace", "integer or \"all\"");
    let keys = [("pubkey", "string"), ("pubkey_ed25519", "string")];
    let signature = ("signature", "string");
    let subaccount = [signature, ("subaccount", "string"), ("subaccount_sig", "string")];
    let messages = ("messages", "string array");
    let stamp = ("timestamp", time);
    let order = |parts: &[&[(&'static str, &'static str)]]| parts.concat();
    for (method, order) in [
        ("delete_all", order(&[&[drawer], &keys, &subaccount, &[stamp]])),
        ("delete_before", order(&[&[("before", time), drawer], &keys, &subaccount])),
        ("expire_all", order(&[&[("expiry", time), drawer], &keys, &subaccount])),
        (
            "expire",
            order(&[
                &[("expiry", "timestamp array"), ("extend", "boolean"), messages],
                &keys,
                &[("shorten", "boolean")],
                &subaccount,
            ]),
        ),
        ("get_expiries", order(&[&[messages], &keys, &subaccount, &[stamp]])),
        ("revoke_subaccount", order(&[&keys, &[("revoke", "string array"), signature, stamp]])),
        ("unrevoke_subaccount", order(&[&keys, &[signature, stamp, ("unrevoke", "string array")]])),
        ("revoked_subaccounts", order(&[&keys, &[signature, stamp]])),
    ] {
        let mut params: Json =
            order.iter().map(|(name, _)| ((*name).to_owned(), json!({}))).collect();
        for (name, what) in order {
            let text =
                format!("invalid request: Invalid value given for '{name}': expected {what}");
            assert_eq!(read(method, &params), Err(text), "{method}");
            params.as_object_mut().unwrap().remove(name);
        }
    }
}

#[test]
fn a_condition_is_refused_for_each_malformed_part() {
    let info = json!({ "method": "info", "params": {} });
    let hf = json!({ "hf_at_least": [19] });
    let one = "Invalid ifelse request: must specify at least one \"if\" condition";
    let keys = "Invalid ifelse request: then must have method/params keys";
    for (params, text) in [
        (json!({}), "Invalid ifelse request: no valid \"if\" field"),
        (json!({ "if": [] }), "Invalid ifelse request: no valid \"if\" field"),
        (json!({ "if": {}, "then": info }), one),
        (json!({ "if": { "hf_before": [] }, "then": info }), one),
        (
            json!({ "if": { "hf_before": "19" }, "then": info }),
            "Invalid value given for 'hf_before': expected integer array",
        ),
        (
            json!({ "if": { "height_before": [1] }, "then": info }),
            "Invalid value given for 'height_before': expected integer",
        ),
        (json!({ "if": hf }), "Invalid ifelse request: at least one of \"then\"/\"else\" required"),
        (json!({ "if": hf, "then": null }), "Invalid ifelse request: then must be an object"),
        (json!({ "if": hf, "else": 5 }), "Invalid ifelse request: else must be an object"),
        (json!({ "if": hf, "then": { "method": "info" } }), keys),
        (json!({ "if": hf, "then": { "params": {} } }), keys),
        (
            json!({ "if": hf, "then": { "method": "nope", "params": {} } }),
            "Invalid ifelse request method \"then\"",
        ),
        (
            json!({ "if": hf, "else": { "method": "delete", "params": [] } }),
            "Required field 'pubkey' missing",
        ),
    ] {
        assert_eq!(read("ifelse", &params), Err(format!("invalid request: {text}")));
    }
    let batched =
        json!({ "requests": [{ "method": "ifelse", "params": { "if": hf, "then": info } }] });
    let text =
        "invalid request: Invalid batch subrequest: subrequests may not contain meta-requests";
    assert_eq!(read("batch", &batched), Err(text.to_owned()));
}

#[test]
fn missing_numbers_of_a_version_are_zeros_and_more_than_enough_are_ignored() {
    let circumstances = Circumstances { hard_fork: [19, 6], version: [2, 11, 0], height: 500 };
    for (condition, expected) in [
        (json!({ "hf_at_least": [19] }), true),
        (json!({ "hf_at_least": [19, 6, 9] }), true),
        (json!({ "hf_at_least": [19, 7] }), false),
        (json!({ "hf_before": [19, 6] }), false),
        (json!({ "hf_before": 20 }), true),
        (json!({ "v_at_least": [2, 11], "v_before": [2, 11, 1] }), true),
        (json!({ "v_at_least": [2, 11], "v_before": [2, 11] }), false),
        (json!({ "height_at_least": 500, "height_before": 501 }), true),
        (json!({ "height_at_least": -1, "height_before": -1 }), false),
    ] {
        let params = json!({ "if": condition, "else": { "method": "info", "params": {} } });
        let Ok(Request::IfElse(read)) = read("ifelse", &params) else { panic!("no condition") };
        assert_eq!(read.condition.holds(&circumstances), expected, "{condition}");
    }
}

#[test]
fn the_directory_answers_two_questions() {
    let ask = |params: Json| read("oxend_request", &params);
    assert!(ask(json!({ "endpoint": "get_service_nodes", "params": null })).is_ok());
    assert!(ask(json!({ "endpoint": "ons_resolve", "params": { "type": 0 } })).is_ok());
    let text = "invalid request: Invalid oxend endpoint 'stop_daemon'";
    assert_eq!(ask(json!({ "endpoint": "stop_daemon" })), Err(text.to_owned()));
    let bencoded = b"d6:method13:oxend_request6:paramsd8:endpoint11:ons_resolve6:params3:{]}ee";
    assert_eq!(
        Request::from_body(bencoded).unwrap_err().to_string(),
        "invalid request: oxend_request params field does not contain valid json"
    );
}

fn auth() -> impl Strategy<Value = UnverifiedAuth> {
    let subaccount = prop::option::of(any::<([u8; 32], [u8; 32])>());
    (any::<[u8; 32]>(), subaccount).prop_map(|(half, subaccount)| UnverifiedAuth {
        signature: [half, half].concat().try_into().unwrap(),
        ed25519: None,
        subaccount: subaccount.map(|(key, half)| SignedToken {
            token: SubaccountToken([&[3, 7, 0, 0][..], &key].concat().try_into().unwrap()),
            signature: [half, half].concat().try_into().unwrap(),
        }),
    })
}

fn drawers() -> impl Strategy<Value = Drawers> {
    prop_oneof![
        Just(Drawers::All),
        any::<i16>().prop_map(|number| Drawers::One(Namespace::new(number))),
    ]
}

fn order() -> impl Strategy<Value = OrderRequest> {
    let account: AccountId = GROUP.parse().unwrap();
    let hashes = prop::collection::vec(any::<[u8; 32]>(), 1..6);
    let time = 1_000_000_000..u64::from(u32::MAX) * 1_000;
    let mode = prop::sample::select(vec![ExpireMode::Set, ExpireMode::Extend, ExpireMode::Shorten]);
    (0..8, auth(), drawers(), hashes, time, mode, any::<bool>()).prop_map(
        move |(kind, auth, drawers, hashes, time, mode, flag)| {
            let owner = UnverifiedAuth { subaccount: None, ..auth.clone() };
            let names: Vec<_> =
                hashes.iter().map(|hash| MessageHash::from_bytes(*hash).into()).collect();
            let tokens = hashes
                .iter()
                .map(|key| SubaccountToken([&[3, 1, 0, 0][..], key].concat().try_into().unwrap()));
            let revoke =
                RevokeRequest { account, tokens: tokens.collect(), timestamp: time, auth: owner };
            let times = if flag { vec![time; names.len()] } else { vec![time] };
            match kind {
                0 => OrderRequest::Delete(DeleteRequest {
                    account,
                    messages: names,
                    auth,
                    required: flag,
                }),
                1 => OrderRequest::DeleteAll(DeleteAllRequest {
                    account,
                    drawers,
                    timestamp: time,
                    auth,
                }),
                2 => OrderRequest::DeleteBefore(DeleteBeforeRequest {
                    account,
                    drawers,
                    before: time,
                    auth,
                }),
                3 | 4 => OrderRequest::Expire(ExpireRequest {
                    account,
                    messages: names,
                    expiries: times,
                    mode,
                    auth,
                }),
                5 => OrderRequest::ExpireAll(ExpireAllRequest {
                    account,
                    drawers,
                    expiry: time,
                    auth,
                }),
                6 => OrderRequest::Revoke(revoke),
                _ => OrderRequest::Unrevoke(revoke),
            }
        },
    )
}

proptest! {
    #[test]
    fn an_order_means_the_same_in_json_in_bencode_and_in_its_proof(order in order()) {
        let expected = Request::Order(order.clone());
        let json = json!({ "method": order.method(), "params": order.to_value().to_json() });
        prop_assert_eq!(&Request::from_json(json.to_string().as_bytes()).unwrap(), &expected);
        let body = Value::dict([("method", order.method().into()), ("params", order.to_value())]);
        let body = bencode::encode(&body).unwrap();
        prop_assert_eq!(&Request::from_body(&body).unwrap(), &expected);
        let proof = bencode::decode(&order.proof().unwrap()).unwrap();
        let params = proof.get("p").and_then(Value::as_dict).unwrap();
        let method = proof.get("m").and_then(Value::as_text).unwrap();
        prop_assert_eq!(&Request::read(method, params).unwrap(), &expected);
        let Request::Order(again) = Request::read(method, params).unwrap() else { panic!() };
        prop_assert_eq!(again.proof().unwrap(), order.proof().unwrap());
    }

    #[test]
    fn questions_about_a_mailbox_mean_the_same_in_json_and_in_bencode(
        auth in auth(),
        messages in prop::collection::vec("[ -~]{0,50}", 1..5),
        timestamp in 1_000_000_000..u64::from(u32::MAX) * 1_000,
    ) {
        let account: AccountId = GROUP.parse().unwrap();
        let owner = UnverifiedAuth { subaccount: None, ..auth.clone() };
        let expiries = GetExpiriesRequest { account, messages, timestamp, auth };
        let revoked = RevokedRequest { account, timestamp, auth: owner };
        for (method, params, expected) in [
            ("get_expiries", expiries.to_value(), Request::GetExpiries(expiries)),
            ("revoked_subaccounts", revoked.to_value(), Request::Revoked(revoked)),
        ] {
            let json = json!({ "method": method, "params": params.to_json() }).to_string();
            prop_assert_eq!(&Request::from_json(json.as_bytes()).unwrap(), &expected);
            let body = Value::dict([("method", method.into()), ("params", params)]);
            let body = bencode::encode(&body).unwrap();
            prop_assert_eq!(&Request::from_body(&body).unwrap(), &expected);
        }
    }

    #[test]
    fn any_bytes_read_as_a_request_or_an_error(bytes: Vec<u8>, method in prop::sample::select(SIGNED.to_vec())) {
        let _ = Request::from_body(&bytes);
        let mut params = good(method);
        params["signature"] = STANDARD.encode(&bytes).into();
        let _ = read(method, &params);
        let framed = [b"d6:method6:delete6:paramsd8:messages".as_slice(), &bytes, b"ee"].concat();
        let _ = Request::from_body(&framed);
    }
}
