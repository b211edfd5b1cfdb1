//! `retrieve` with `wait`: held open until a message arrives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use warren_noded::LocalNetwork;
use warren_noded::held::Share;
use warren_noded::local_network::Plan;
use warren_noded::node::NodeOptions;
use warren_onion::{Built, Cipher, open_reply};
use warren_wire::directory::NodeRecord;

use crate::network::{Client, TestNetwork};
use crate::onion::wrap;
use crate::person::{Person, with};

/// Longer than any test waits for what should come at once.
const LONG: u64 = 20_000;
/// Long enough for a request to be held, on a loaded machine.
const WHILE: Duration = Duration::from_millis(400);

fn waiting(person: &Person, namespace: i16, wait: u64) -> Value {
    with(person.retrieve(namespace), json!({ "wait": wait }))
}

/// Waits until a node holds so many requests.
async fn held(network: &TestNetwork, number: usize, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while network.node(number).held.requests() != count {
        assert!(Instant::now() < deadline, "{} held", network.node(number).held.requests());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn messages(answer: &Value) -> usize {
    answer["messages"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_message_stored_at_any_member_is_delivered_at_once() {
    let (network, client) = (TestNetwork::start(4), Client::new());
    let node = network.record(0);
    let began = Instant::now();
    for taker in network.records() {
        let person = Person::new();
        let (answer, ()) =
            tokio::join!(client.done(&node, "retrieve", waiting(&person, 0, LONG)), async {
                held(&network, 0, 1).await;
                client.done(&taker, "store", person.store(b"at once")).await;
            },);
        assert_eq!(messages(&answer), 1);
    }
    assert!(began.elapsed() < Duration::from_millis(LONG));
    assert_eq!(network.node(0).held.requests(), 0);
}

#[tokio::test]
async fn nodes_and_who_shares_their_address_wait_on_nobodys_account() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { nodes: 4, data: folder.path().to_owned(), seed_port: 0, node_port: 0 };
    let network = LocalNetwork::start_with(&plan, &NodeOptions::default()).await.unwrap();
    let node = network.nodes()[0].node();
    assert!(node.limits.tells_clients_apart());
    let share = |address: &str| node.share_of(Some(address.parse().unwrap()));
    assert!(share("127.0.0.1:1") == Share::Unknown);
    assert!(matches!(share("192.0.2.7:1"), Share::Client(_)));
    network.stop().await;
}

#[tokio::test]
async fn a_wait_ends_on_time_with_the_ordinary_empty_answer() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    let ordinary = client.done(&node, "retrieve", person.retrieve(0)).await;
    let began = Instant::now();
    let answer = client.done(&node, "retrieve", waiting(&person, 0, 700)).await;
    assert!(began.elapsed() >= Duration::from_millis(700));
    assert!(began.elapsed() < Duration::from_secs(15));
    let names = |answer: &Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&answer), names(&ordinary));
    assert_eq!((messages(&answer), &answer["more"]), (0, &json!(false)));
    // Its clock is that of the answer, not of the question.
    assert!(answer["t"].as_u64().unwrap() >= ordinary["t"].as_u64().unwrap() + 700);
}

#[tokio::test]
async fn nobody_waits_for_what_is_there_or_refused() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    client.done(&node, "store", person.store(b"here")).await;
    let began = Instant::now();
    let answer = client.done(&node, "retrieve", waiting(&person, 0, LONG)).await;
    assert_eq!(messages(&answer), 1);
    let forged = with(waiting(&person, 0, LONG), json!({ "timestamp": 1_700_000_000_000_u64 }));
    assert_eq!(client.ask(&node, "retrieve", forged).await.status, 406);
    for wait in [json!(0), json!(null)] {
        let params = with(Person::new().retrieve(0), json!({ "wait": wait }));
        assert_eq!(messages(&client.done(&node, "retrieve", params).await), 0);
    }
    assert!(began.elapsed() < Duration::from_millis(LONG));
}

#[tokio::test]
async fn only_what_comes_behind_the_last_known_message_ends_a_wait() {
    let (network, client, person) = (TestNetwork::start(4), Client::new(), Person::new());
    let node = network.record(0);
    let known = client.done(&node, "store", person.store(b"known")).await;
    let params = with(waiting(&person, 0, LONG), json!({ "last_hash": known["hash"] }));
    let (answer, ()) = tokio::join!(client.done(&node, "retrieve", params), async {
        held(&network, 0, 1).await;
        // Known already, and another drawer.
        client.done(&node, "store", person.store(b"known")).await;
        let elsewhere = with(person.store(b"elsewhere"), json!({ "namespace": 10 }));
        client.done(&node, "store", elsewhere).await;
        tokio::time::sleep(WHILE).await;
        held(&network, 0, 1).await;
        client.done(&node, "store", person.store(b"new")).await;
    });
    assert_eq!(messages(&answer), 1);
    assert_ne!(answer["messages"][0]["hash"], known["hash"]);
}

#[tokio::test]
async fn a_batch_is_answered_as_a_whole_when_one_of_its_mailboxes_gets_a_message() {
    let (network, client) = (TestNetwork::start(4), Client::new());
    let (first, second, third) = (Person::new(), Person::new(), Person::new());
    let node = network.record(0);
    for method in ["batch", "sequence"] {
        let request = |method: &str, params: Value| json!({ "method": method, "params": params });
        let batch = json!({ "requests": [
            request("retrieve", waiting(&first, 0, LONG)),
            request("store", third.store(method.as_bytes())),
            request("retrieve", waiting(&second, 0, LONG)),
            request("retrieve", first.retrieve(5)),
        ] });
        let (answer, ()) = tokio::join!(client.done(&node, method, batch), async {
            held(&network, 0, 1).await;
            // What else it asks for is done before it waits.
            assert!(third.texts(&client, &node, 0).await.contains(&method.to_owned()));
            client.done(&node, "store", second.store(b"x")).await;
        });
        let results = answer["results"].as_array().unwrap();
        assert!(results.iter().all(|result| result["code"] == 200), "{answer}");
        let counts = [0, 2, 3].map(|at: usize| messages(&results[at]["body"]));
        assert_eq!(counts, [0, 1, 0]);
        assert_eq!(results[1]["body"]["hash"].as_str().unwrap().len(), 43);
        let hash = results[2]["body"]["messages"][0]["hash"].as_str().unwrap();
        client.done(&node, "delete", second.delete(&[hash])).await;
    }
}

#[tokio::test]
async fn a_batch_with_a_failure_or_a_message_is_not_held() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let (person, other) = (Person::new(), Person::new());
    let node = network.record(0);
    client.done(&node, "store", other.store(b"here")).await;
    let began = Instant::now();
    for beside in [other.retrieve(0), json!({ "pubkey": other.id.to_string() })] {
        let batch = json!({ "requests": [
            { "method": "retrieve", "params": waiting(&person, 0, LONG) },
            { "method": "retrieve", "params": beside },
        ] });
        let answer = client.done(&node, "batch", batch).await;
        assert_eq!(answer["results"].as_array().unwrap().len(), 2);
    }
    assert!(began.elapsed() < Duration::from_millis(LONG));
}

/// Through three nodes to the fourth.
async fn through(client: &Client, way: &[NodeRecord], params: &Value) -> Value {
    let Built { packet, reply_key } = wrap(way, Cipher::XChaCha20, "retrieve", params);
    let response = client.post(&way[0], "/onion_req/v2", packet).await;
    let reply = open_reply(&reply_key, &response.body).unwrap();
    assert_eq!(reply.status, 200);
    reply.body
}

#[tokio::test]
async fn a_message_is_delivered_at_once_through_three_hops() {
    let (network, client, person) = (TestNetwork::start(5), Client::new(), Person::new());
    let way = &network.records()[..4];
    let began = Instant::now();
    let params = waiting(&person, 0, LONG);
    let (answer, ()) = tokio::join!(through(&client, way, &params), async {
        held(&network, 3, 1).await;
        client.done(&network.record(4), "store", person.store(b"through")).await;
    });
    assert_eq!(messages(&answer), 1);
    let answer = through(&client, way, &waiting(&Person::new(), 0, 300)).await;
    assert_eq!(messages(&answer), 0);
    assert!(began.elapsed() < Duration::from_millis(LONG));
}

#[tokio::test]
async fn hundreds_who_wait_through_one_relay_keep_nobody_from_storing_through_it() {
    // More than the 256 requests that a node takes on one connection.
    const CROWD: usize = 400;
    let (network, client) = (TestNetwork::start(4), Client::new());
    let way = network.records();
    let people: Vec<_> = (0..CROWD).map(|_| Arc::new(Person::new())).collect();
    let mut waits = tokio::task::JoinSet::new();
    for crowd in people.chunks(150) {
        let client = Client::new();
        for person in crowd {
            let (person, client, way) = (Arc::clone(person), client.clone(), way.clone());
            waits.spawn(async move {
                // On a busy machine some wait out their time before all have begun.
                while messages(&through(&client, &way, &waiting(&person, 0, LONG)).await) == 0 {}
            });
        }
    }
    while network.node(3).held.requests() <= 256 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (some, rest) = people.split_at(20);
    for person in some {
        let Built { packet, reply_key } =
            wrap(&way, Cipher::XChaCha20, "store", &person.store(b"x"));
        let response = client.post(&way[0], "/onion_req/v2", packet).await;
        assert_eq!(open_reply(&reply_key, &response.body).unwrap().status, 200);
    }
    for person in rest {
        client.done(&way[1], "store", person.store(b"x")).await;
    }
    while let Some(ended) = waits.join_next().await {
        ended.unwrap();
    }
    assert_eq!(network.node(3).held.requests(), 0);
}

#[tokio::test]
async fn a_client_that_goes_away_gives_its_place_back() {
    let (network, person) = (TestNetwork::start(4), Person::new());
    for client in [Client::new(), Client::http1()] {
        let node = network.record(0);
        let params = waiting(&person, 0, LONG);
        let asking = tokio::spawn(async move { client.done(&node, "retrieve", params).await });
        held(&network, 0, 1).await;
        asking.abort();
        held(&network, 0, 0).await;
    }
    // Also one that is behind three others.
    let (client, way) = (Client::new(), network.records());
    let params = waiting(&person, 0, LONG);
    let asking = tokio::spawn(async move { through(&client, &way, &params).await });
    held(&network, 3, 1).await;
    asking.abort();
    held(&network, 3, 0).await;
}

#[tokio::test]
async fn a_node_that_stops_answers_those_who_wait() {
    let (network, client, person) = (TestNetwork::start(4), Client::new(), Person::new());
    let (way, node) = (network.records(), network.record(3));
    let direct = {
        let (client, params) = (client.clone(), waiting(&person, 0, LONG));
        tokio::spawn(async move { client.done(&node, "retrieve", params).await })
    };
    held(&network, 3, 1).await;
    let relayed = {
        let params = waiting(&person, 0, LONG);
        tokio::spawn(async move { through(&client, &way, &params).await })
    };
    held(&network, 3, 2).await;
    let began = Instant::now();
    tokio::task::spawn_blocking(move || drop(network)).await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(LONG));
    assert_eq!(messages(&direct.await.unwrap()), 0);
    assert_eq!(messages(&relayed.await.unwrap()), 0);
}
