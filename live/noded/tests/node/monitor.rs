//! `/monitor/v1`: subscriptions over a WebSocket, with a client that others wrote.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, client_async};
use warren_noded::node::now;
use warren_transport::pin::{Pin, client_config};
use warren_wire::directory::{NodeList, NodeRecord};
use warren_wire::rpc::monitor::{MonitorRequest, Push, Watched, signed_text};
use warren_wire::{Namespace, Value, bencode};

use crate::network::{Client, TestNetwork};
use crate::person::{Person, with};

/// Longer than anything takes that comes at all.
const LONG: Duration = Duration::from_secs(30);

struct Socket(WebSocketStream<TlsStream<TcpStream>>);

impl Socket {
    async fn open(node: &NodeRecord) -> Self {
        let mut tls = client_config(Pin::Any).unwrap();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let stream = TcpStream::connect(node.address()).await.unwrap();
        let name = "node.invalid".try_into().unwrap();
        let stream = TlsConnector::from(Arc::new(tls)).connect(name, stream).await.unwrap();
        let url = format!("wss://{}/monitor/v1", node.address());
        Self(client_async(url, stream).await.unwrap().0)
    }

    async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// The next frame that is no ping.
    async fn next(&mut self) -> Message {
        loop {
            match timeout(LONG, self.0.next()).await.unwrap().unwrap().unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                other => return other,
            }
        }
    }

    async fn push(&mut self) -> Push {
        Push::decode(&self.next().await.into_data()).unwrap()
    }

    async fn closed(&mut self) -> Option<CloseFrame> {
        loop {
            match self.next().await {
                Message::Close(frame) => return frame,
                _ => continue,
            }
        }
    }

    /// Asks in bencode and gives the answer.
    async fn ask(&mut self, request: &Value) -> Value {
        self.send(Message::binary(bencode::encode(request).unwrap())).await;
        bencode::decode(&self.next().await.into_data()).unwrap()
    }

    async fn subscribe(&mut self, request: &MonitorRequest) {
        let answer = self.ask(&Value::Dict(request.to_dict())).await;
        assert_eq!(answer, Value::dict([("success", 1_u64.into())]));
    }

    async fn ask_json(&mut self, request: Json) -> Json {
        self.send(Message::text(request.to_string())).await;
        serde_json::from_str(self.next().await.to_text().unwrap()).unwrap()
    }
}

fn subscription(person: &Person, namespaces: &[i16], want_data: bool) -> MonitorRequest {
    let namespaces: Vec<_> = namespaces.iter().map(|number| Namespace::new(*number)).collect();
    let signed_at = i64::try_from(now() / 1000).unwrap();
    let signature = person.sign(&signed_text(&person.id, signed_at, want_data, &namespaces));
    let ed25519 = hex::decode(person.ed25519()).unwrap().try_into().unwrap();
    MonitorRequest {
        watched: Watched::Person(ed25519),
        subaccount: None,
        namespaces,
        want_data,
        signed_at,
        signature: STANDARD.decode(signature).unwrap().try_into().unwrap(),
    }
}

#[tokio::test]
async fn a_subscriber_is_told_of_messages_stored_at_any_member() {
    let (network, client, person) = (TestNetwork::start(4), Client::new(), Person::new());
    let mut socket = Socket::open(&network.record(0)).await;
    socket.subscribe(&subscription(&person, &[0, 5], true)).await;
    for (n, taker) in network.records().iter().enumerate() {
        let text = format!("by {n}");
        let stored = client.done(taker, "store", person.store(text.as_bytes())).await;
        let push = socket.push().await;
        assert_eq!((push.account, push.namespace), (person.id, Namespace::DIRECT));
        assert_eq!(push.hash.to_string(), stored["hash"].as_str().unwrap());
        assert_eq!(push.data.as_deref(), Some(text.as_bytes()));
        assert!(push.timestamp <= now() && push.expiry > now());
    }
    // The same again and a drawer nobody asked for are no news; the other drawer is.
    let node = network.record(1);
    client.done(&node, "store", person.store(b"by 1")).await;
    let elsewhere = with(person.store(b"elsewhere"), json!({ "namespace": 10 }));
    client.done(&node, "store", elsewhere).await;
    client.done(&node, "store", person.store_signed(5, now(), b"mine")).await;
    assert_eq!(socket.push().await.namespace, Namespace::new(5));
}

#[tokio::test]
async fn several_accounts_share_a_socket_and_renew_with_other_wishes() {
    let (network, client) = (TestNetwork::start(4), Client::new());
    let (first, second) = (Person::new(), Person::new());
    let node = network.record(0);
    let mut socket = Socket::open(&node).await;
    let both = [subscription(&first, &[0], true), subscription(&second, &[0], false)];
    let both: Vec<_> = both.iter().map(|request| Value::Dict(request.to_dict())).collect();
    let success = Value::dict([("success", 1_u64.into())]);
    let answer = socket.ask(&Value::List(both)).await;
    assert_eq!(answer, Value::List(vec![success.clone(), success]));
    client.done(&node, "store", first.store(b"x")).await;
    assert_eq!(socket.push().await.data.unwrap(), b"x");
    client.done(&node, "store", second.store(b"x")).await;
    assert_eq!(socket.push().await.data, None);

    socket.subscribe(&subscription(&first, &[10], false)).await;
    client.done(&node, "store", first.store(b"unwanted")).await;
    client.done(&node, "store", with(first.store(b"y"), json!({ "namespace": 10 }))).await;
    let push = socket.push().await;
    assert_eq!((push.namespace.number(), push.data), (10, None));
}

#[tokio::test]
async fn a_client_that_writes_json_is_answered_in_json() {
    let (network, client, person) = (TestNetwork::start(4), Client::new(), Person::new());
    let node = network.record(0);
    let mut socket = Socket::open(&node).await;
    let signed_at = now() / 1000;
    let signature = person.sign(&format!("MONITOR{}{signed_at}10", person.id));
    let request =
        json!({ "P": person.ed25519(), "n": [0], "d": true, "t": signed_at, "s": signature });
    assert_eq!(socket.ask_json(request.clone()).await, json!({ "success": 1 }));
    assert_eq!(socket.ask_json(json!([request])).await, json!([{ "success": 1 }]));
    let stored = client.done(&node, "store", person.store(b"hello")).await;
    let push: Json = serde_json::from_str(socket.next().await.to_text().unwrap()).unwrap();
    assert_eq!(push["@"], person.id.to_string());
    assert_eq!((&push["h"], &push["n"]), (&stored["hash"], &json!(0)));
    assert_eq!(push["~"], STANDARD.encode("hello"));
    let answer = socket.ask_json(json!("hello")).await;
    assert_eq!(answer["errcode"], 1);
}

#[tokio::test]
async fn what_may_not_be_watched_is_refused_with_the_reference_nodes_numbers() {
    let (network, client) = (TestNetwork::start(14), Client::new());
    let list = NodeList::new(network.records()).unwrap();
    let here = || loop {
        let person = Person::new();
        if list.swarm_of(&person.id) == Some(list.nodes()[0].swarm) {
            return person;
        }
    };
    let (person, other) = (here(), here());
    let stranger = loop {
        let person = Person::new();
        if list.swarm_of(&person.id) != Some(list.nodes()[0].swarm) {
            break person;
        }
    };
    let node = &list.nodes()[0];
    let mut socket = Socket::open(node).await;
    let good = || subscription(&person, &[0], true);
    let forged = MonitorRequest { want_data: false, ..good() };
    let foreign = MonitorRequest { watched: subscription(&other, &[0], true).watched, ..good() };
    let old = MonitorRequest { signed_at: 1_600_000_000, ..good() };
    let twice = MonitorRequest { namespaces: vec![Namespace::DIRECT; 2], ..good() };
    let cases =
        [(twice, 3), (old, 4), (forged, 5), (foreign, 5), (subscription(&stranger, &[0], true), 6)];
    for (request, code) in cases {
        let answer = socket.ask(&Value::Dict(request.to_dict())).await;
        assert_eq!(answer.get("errcode"), Some(&Value::Integer(code)), "{answer:?}");
    }
    assert_eq!(socket.ask(&Value::dict([])).await.get("errcode"), Some(&Value::Integer(1)));
    socket.subscribe(&good()).await;
    client.done(node, "store", person.store(b"after all")).await;
    assert_eq!(socket.push().await.data.unwrap(), b"after all");
}

#[tokio::test]
async fn a_frame_of_many_forged_subscriptions_is_not_read_to_its_end() {
    let (network, person) = (TestNetwork::shared(), Person::new());
    let mut socket = Socket::open(&network.record(0)).await;
    let forged = MonitorRequest { want_data: false, ..subscription(&person, &[0], true) };
    let forged = |count| Value::List(vec![Value::Dict(forged.to_dict()); count]);
    let Value::List(answers) = socket.ask(&forged(20)).await else { panic!("no list") };
    assert_eq!(answers.len(), 20);
    assert!(answers.iter().all(|answer| answer.get("errcode") == Some(&Value::Integer(5))));
    socket.send(Message::binary(bencode::encode(&forged(100)).unwrap())).await;
    assert_eq!(u16::from(socket.closed().await.unwrap().code), 1013);
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_is_dropped() {
    let (network, client, person) = (TestNetwork::start(4), Client::new(), Person::new());
    let node = network.record(0);
    let mut socket = Socket::open(&node).await;
    socket.subscribe(&subscription(&person, &[0], true)).await;
    // Far more than the buffers of both systems and what the node keeps for it.
    let mut taken = 0;
    while network.node(0).held.requests() > 0 && taken < 1_500 {
        for n in 0..20_u32 {
            let data = [&(taken + n).to_be_bytes()[..], &[0; 76_000]].concat();
            client.done(&node, "store", person.store(&data)).await;
        }
        taken += 20;
    }
    assert!(taken < 1_500, "it is still subscribed");
}

#[tokio::test]
async fn a_socket_that_goes_gives_its_place_back_and_a_stop_closes_it() {
    let (network, person) = (TestNetwork::start(4), Person::new());
    let node = network.record(0);
    let mut leaving = Socket::open(&node).await;
    leaving.subscribe(&subscription(&person, &[0], true)).await;
    assert_eq!(network.node(0).held.requests(), 1);
    drop(leaving);
    while network.node(0).held.requests() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut staying = Socket::open(&node).await;
    staying.subscribe(&subscription(&person, &[0], true)).await;
    let stop = tokio::task::spawn_blocking(move || drop(network));
    assert_eq!(u16::from(staying.closed().await.unwrap().code), 1001);
    stop.await.unwrap();
}

#[tokio::test]
async fn a_subscription_ends_when_other_nodes_keep_the_mailbox() {
    let (network, person) = (TestNetwork::start(4), Person::new());
    let mut socket = Socket::open(&network.record(0)).await;
    socket.subscribe(&subscription(&person, &[0], true)).await;
    let larger = TestNetwork::start(4);
    network.node(0).adopt(larger.node(0).published());
    let told = bencode::decode(&socket.next().await.into_data()).unwrap();
    assert_eq!(told.get("errcode"), Some(&Value::Integer(6)));
    assert_eq!(told.get("@"), Some(&Value::Bytes(person.id.as_bytes().to_vec())));
    let again = Value::Dict(subscription(&person, &[0], true).to_dict());
    assert_eq!(socket.ask(&again).await.get("errcode"), Some(&Value::Integer(6)));
}

#[tokio::test]
async fn what_is_no_websocket_is_told_so() {
    let (network, client) = (TestNetwork::shared(), Client::http1());
    let response = client.get(&network.record(0), "/monitor/v1").await.unwrap();
    assert!((400..500).contains(&response.status), "{response}");
}
