//! Orders of an owner: given to one node, carried out and signed for by all five of the swarm.

use serde_json::{Value, json};
use warren_noded::node::now;
use warren_wire::limits::DAY;

use crate::group::{Group, Stored, entries, sorted};
use crate::network::{Client, TestNetwork};

/// Names that no message has; the last character of most says more than a hash holds.
const NOBODYS: [&str; 3] = [
    "///////////////////////////////////////////",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq",
    "garbageYrzcuCXO3fZkmk/h3xkMQ3vCh94i5HzLmj3I",
];

fn names(messages: &[Stored]) -> Vec<String> {
    messages.iter().map(|stored| stored.hash.clone()).collect()
}

async fn left(group: &Group, client: &Client, network: &TestNetwork) -> Vec<usize> {
    let mut counts = Vec::new();
    for node in network.records() {
        counts.push(group.messages(client, &node, 0).await.len());
    }
    counts
}

#[tokio::test]
async fn five_members_keep_what_one_took_and_empty_the_mailbox_on_the_owners_word() {
    let (network, client, group) = (TestNetwork::start(5), Client::new(), Group::new(5));
    let messages = group.store(&client, &network.record(0), 5).await;
    assert_eq!(left(&group, &client, &network).await, [5; 5]);
    let other = group.store_signed(&client, &network.record(1), -42, b"abc").await;

    let time = now();
    let params = group.signed(format!("delete_all{time}"), json!({ "timestamp": time }));
    let answer = client.done(&network.record(3), "delete_all", params).await;
    let gone = sorted(&messages);
    let said = |gone: &[String]| format!("{}{time}{}", group.id, gone.concat()).into_bytes();
    for entry in entries(&network, &answer, |_| said(&gone)) {
        assert_eq!(entry, json!({ "deleted": gone }));
    }
    assert_eq!(left(&group, &client, &network).await, [0; 5]);
    assert_eq!(group.messages(&client, &network.record(4), -42).await.len(), 1);

    let messages = group.store(&client, &network.record(2), 2).await;
    let time = now();
    let params = json!({ "timestamp": time, "namespace": "all" });
    let params = group.signed(format!("delete_allall{time}"), params);
    let answer = client.done(&network.record(4), "delete_all", params).await;
    let mut all = names(&messages);
    all.push(other.clone());
    all.sort();
    let by_drawer = json!({ "deleted": { "-42": [other], "0": sorted(&messages) } });
    let said = format!("{}{time}{}", group.id, all.concat()).into_bytes();
    for entry in entries(&network, &answer, |_| said.clone()) {
        assert_eq!(entry, by_drawer);
    }
}

#[tokio::test]
async fn messages_are_deleted_by_name_and_unknown_names_do_no_harm() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(2));
    let messages = group.store(&client, &network.record(0), 5).await;
    let mut asked: Vec<String> = NOBODYS.map(str::to_owned).to_vec();
    asked.extend([messages[4].hash.clone(), messages[1].hash.clone()]);
    let params = |extra: Value| {
        let params = crate::person::with(json!({ "messages": asked }), extra);
        group.signed(format!("delete{}", asked.concat()), params)
    };
    let required = params(json!({ "required": true }));
    let answer = client.done(&network.record(1), "delete", required.clone()).await;
    let gone = sorted([&messages[1], &messages[4]]);
    let said = format!("{}{}{}", group.id, asked.concat(), gone.concat()).into_bytes();
    for entry in entries(&network, &answer, |_| said.clone()) {
        assert_eq!(entry, json!({ "deleted": gone }));
    }
    assert_eq!(left(&group, &client, &network).await, [3; 7]);

    let again = client.ask(&network.record(2), "delete", required).await;
    assert_eq!(again.status, 404);
    assert!(again.json()["swarm"].is_object());
    let answer = client.done(&network.record(2), "delete", params(json!({}))).await;
    for entry in answer["swarm"].as_object().unwrap().values() {
        assert_eq!(entry["deleted"], json!([]));
    }
}

#[tokio::test]
async fn old_messages_are_deleted_up_to_a_time_and_with_it() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(5));
    let messages = group.store(&client, &network.record(0), 6).await;
    for (before, rest) in [
        (messages[4].timestamp, 4),
        (messages[3].timestamp - 1, 4),
        (messages[1].timestamp, 1),
        (messages[0].timestamp + 1, 0),
    ] {
        let covered: Vec<&Stored> =
            messages.iter().filter(|stored| stored.timestamp <= before).collect();
        let params = group.signed(format!("delete_before{before}"), json!({ "before": before }));
        let answer = client.done(&network.record(1), "delete_before", params).await;
        for entry in entries(&network, &answer, |entry| {
            let gone: Vec<&str> = entry["deleted"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it.as_str().unwrap())
                .collect();
            format!("{}{before}{}", group.id, gone.concat()).into_bytes()
        }) {
            let gone = entry["deleted"].as_array().unwrap();
            assert!(gone.iter().all(|it| covered.iter().any(|stored| stored.hash == *it)));
        }
        assert_eq!(left(&group, &client, &network).await, vec![rest; 7]);
    }
}

#[tokio::test]
async fn orders_signed_at_another_time_are_refused() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(5));
    let node = network.record(0);
    let (past, future) = (now() - 120_000, now() + 120_000);
    let one = json!([NOBODYS[0]]);
    let too_far = "timestamp too far from current time";
    for (method, params, text, refusal) in [
        (
            "delete_all",
            json!({ "timestamp": past }),
            format!("{past}"),
            (406, format!("delete_all {too_far}")),
        ),
        (
            "delete_all",
            json!({ "timestamp": future }),
            format!("{future}"),
            (406, format!("delete_all {too_far}")),
        ),
        (
            "delete_before",
            json!({ "before": future }),
            format!("{future}"),
            (401, "delete_before timestamp too far in the future".to_owned()),
        ),
        (
            "expire_all",
            json!({ "expiry": past }),
            format!("{past}"),
            (406, "expire_all timestamp should be >= current time".to_owned()),
        ),
        (
            "expire",
            json!({ "expiry": past, "messages": one }),
            format!("{past}{}", NOBODYS[0]),
            (401, "expire: timestamp should be >= current time".to_owned()),
        ),
        (
            "get_expiries",
            json!({ "timestamp": past, "messages": one }),
            format!("{past}{}", NOBODYS[0]),
            (406, format!("get_expiries {too_far}")),
        ),
        (
            "revoked_subaccounts",
            json!({ "timestamp": future }),
            format!("{future}"),
            (406, format!("revoked_subaccounts {too_far}")),
        ),
    ] {
        let params = group.signed(format!("{method}{text}"), params);
        assert_eq!(client.ask(&node, method, params).await.said(), refusal, "{method}");
    }
}

#[tokio::test]
async fn whole_drawers_expire_earlier_and_never_later() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(5));
    let messages = group.store(&client, &network.record(0), 5).await;
    let expiry = messages[2].expiry;
    let params = group.signed(format!("expire_all{expiry}"), json!({ "expiry": expiry }));
    let answer = client.done(&network.record(1), "expire_all", params).await;
    let updated = sorted(&messages[..2]);
    let said = format!("{}{expiry}{}", group.id, updated.concat()).into_bytes();
    for entry in entries(&network, &answer, |_| said.clone()) {
        assert_eq!(entry, json!({ "updated": updated }));
    }
    for node in network.records() {
        let found = group.messages(&client, &node, 0).await;
        let expiries: Vec<u64> =
            found.iter().map(|message| message["expiration"].as_u64().unwrap()).collect();
        let (third, fourth, fifth) = (expiry, messages[3].expiry, messages[4].expiry);
        assert_eq!(expiries, [third, third, third, fourth, fifth]);
    }
}

/// An `expire` of these messages.
fn expire(group: &Group, asked: &[String], expiry: &Value, way: &str) -> Value {
    let times = match expiry {
        Value::Array(times) => times.iter().map(ToString::to_string).collect(),
        time => time.to_string(),
    };
    let mut params = json!({ "messages": asked, "expiry": expiry });
    if !way.is_empty() {
        params[way] = true.into();
    }
    group.signed(format!("expire{way}{times}{}", asked.concat()), params)
}

#[tokio::test]
async fn expiries_are_set_extended_and_shortened_as_asked() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(5));
    let node = network.record(0);
    let messages = group.store(&client, &node, 4).await;
    let began = messages[0].timestamp;
    let [soon, later, longest] = [20_000, 45_000, 600_000].map(|life| began + life);
    let mut expiries: Vec<u64> = messages.iter().map(|stored| stored.expiry).collect();
    // Which messages, the new time, the way, and which of them are moved.
    for (range, time, way, moved) in [
        (0..2, soon, "shorten", 0..2),
        (1..4, longest, "shorten", 0..0),
        (0..4, later, "extend", 0..2),
        (2..4, soon, "extend", 0..0),
        (0..4, longest, "", 0..4),
        // Less than a hundredth of ten minutes, and more.
        (0..4, longest + 5_000, "extend", 0..0),
        (0..4, longest + 60_000, "extend", 0..4),
    ] {
        let mut asked = names(&messages[range.clone()]);
        asked.extend(NOBODYS.map(str::to_owned));
        let answer = client.done(&node, "expire", expire(&group, &asked, &time.into(), way)).await;
        moved.clone().for_each(|n| expiries[n] = time);
        let updated = sorted(&messages[moved.clone()]);
        let stayed: std::collections::BTreeMap<String, u64> = range
            .filter(|n| !moved.contains(n))
            .map(|n| (messages[n].hash.clone(), expiries[n]))
            .collect();
        let mut expected = json!({ "expiry": time, "updated": updated });
        let mut said = format!("{}{time}{}{}", group.id, asked.concat(), updated.concat());
        if !way.is_empty() {
            expected["unchanged"] = json!(stayed);
            stayed.iter().for_each(|(hash, expiry)| said.push_str(&format!("{hash}{expiry}")));
        }
        for entry in entries(&network, &answer, |_| said.clone().into_bytes()) {
            assert_eq!(entry, expected, "{way} {time}");
        }
        let known = client.done(&network.record(3), "get_expiries", get(&group, &asked)).await;
        let found: std::collections::BTreeMap<_, _> = asked
            .iter()
            .filter_map(|name| at(&messages, name).map(|n| (name, expiries[n])))
            .collect();
        assert_eq!(known, json!({ "expiries": found }));
    }
    let known = client.done(&node, "get_expiries", get(&group, &["all".to_owned()])).await;
    assert_eq!(known["expiries"].as_object().unwrap().len(), 4);
}

fn get(group: &Group, asked: &[String]) -> Value {
    let time = now();
    let params = json!({ "messages": asked, "timestamp": time });
    group.signed(format!("get_expiries{time}{}", asked.concat()), params)
}

fn at(messages: &[Stored], name: &str) -> Option<usize> {
    messages.iter().position(|stored| stored.hash == name)
}

#[tokio::test]
async fn each_message_may_get_an_expiry_of_its_own_and_none_beyond_thirty_days() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(5));
    let messages = group.store(&client, &network.record(0), 3).await;
    let mut asked = names(&messages);
    asked.push(NOBODYS[2].to_owned());
    let times: Vec<u64> = (1..=4).map(|n| messages[0].expiry + n * 1_000).collect();
    let params = expire(&group, &asked, &json!(times), "");
    let answer = client.done(&network.record(1), "expire", params).await;
    let mut moved: Vec<(&String, u64)> = asked.iter().zip(times).take(3).collect();
    moved.sort();
    let (updated, applied): (Vec<&String>, Vec<u64>) = moved.into_iter().unzip();
    let digits: String = applied.iter().map(ToString::to_string).collect();
    let together: String = updated.iter().map(|name| name.as_str()).collect();
    let said = format!("{}{digits}{}{together}", group.id, asked.concat()).into_bytes();
    for entry in entries(&network, &answer, |_| said.clone()) {
        assert_eq!(entry, json!({ "updated": updated, "expiry": applied }));
    }

    let far = now() + 31 * DAY;
    let params = expire(&group, &asked[..1], &json!([far]), "");
    let answer = client.done(&network.record(2), "expire", params).await;
    let mut applied = Vec::new();
    for entry in entries(&network, &answer, |entry| {
        format!("{}{}{}{}", group.id, entry["expiry"], asked[0], asked[0]).into_bytes()
    }) {
        assert_eq!(entry["updated"], json!([asked[0]]));
        applied.push(entry["expiry"].as_u64().unwrap());
    }
    applied.dedup();
    assert_eq!(applied.len(), 1, "all members cut it at the same time");
    assert!(applied[0].abs_diff(now() + 30 * DAY) < 10_000);
}
