//! Floods: who is put off, what it costs to be served all the same, and what honest clients notice.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::iter;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::MissedTickBehavior;
use warren_crypto::SystemEntropy;
use warren_crypto::hash::blake2b;
use warren_node::listing::Published;
use warren_node::swarm_request::COUNTED;
use warren_noded::config::LimitsConfig;
use warren_noded::local_network::Plan;
use warren_noded::node::{NodeOptions, bind, now};
use warren_noded::{Identity, LocalNetwork, Node, RunningNode};
use warren_transport::pin::{Pin, client_config};
use warren_wire::directory::{NodeList, NodeRecord, Roles};
use warren_wire::rpc::member::Call;
use warren_wire::rpc::peer;
use warren_wire::work::Terms;
use warren_wire::{MessageHash, Namespace, Stamp, SwarmId};

use crate::network::Client;
use crate::person::Person;

/// The swarm of the node that is tried.
const OWN_SWARM: SwarmId = SwarmId(7);

/// One node with limits of its own, which listens on loopback and says that it is elsewhere, so
/// that nobody here counts as a node.
struct Alone {
    node: RunningNode,
    /// Where it is reached.
    record: NodeRecord,
    _data: TempDir,
}

impl Alone {
    async fn start(limits: LimitsConfig) -> Self {
        Self::start_among(limits, Vec::new()).await
    }

    /// Beside nodes that do not run.
    async fn start_among(limits: LimitsConfig, mut listed: Vec<NodeRecord>) -> Self {
        let data = tempfile::tempdir().unwrap();
        let identity = Identity::load_or_create(data.path()).unwrap();
        let listener = bind(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        listed.push(identity.record(Ipv4Addr::new(192, 0, 2, 1), port, OWN_SWARM));
        let record = identity.record(Ipv4Addr::LOCALHOST, port, OWN_SWARM);
        let list = NodeList::new(listed).unwrap();
        let published = Arc::new(Published::unsigned(Arc::new(list)));
        let options = NodeOptions { limits, ..NodeOptions::default() };
        let folder = data.path().to_owned();
        let node = Node::start_on(identity, folder, listener, published, options).await.unwrap();
        Self { node, record, _data: data }
    }
}

fn limits(change: impl FnOnce(&mut LimitsConfig)) -> LimitsConfig {
    let mut limits = LimitsConfig::default();
    limits.proof.memory_kib = 64.try_into().unwrap();
    limits.proof.bits = 2;
    change(&mut limits);
    limits
}

/// A client that comes from an address of its own.
fn client_from(last: u8) -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(client_config(Pin::Any).unwrap())
        .local_address(IpAddr::from(Ipv4Addr::new(127, 0, 0, last)))
        .timeout(Duration::from_secs(30))
        .no_proxy()
        .build()
        .unwrap()
}

fn terms(value: &Value) -> Terms {
    let value = warren_wire::Value::from_json(value.to_string().as_bytes()).unwrap();
    Terms::read(&value).unwrap()
}

fn hash_of(person: &Person, data: &[u8]) -> MessageHash {
    MessageHash::compute(&person.id, Namespace::DIRECT, data).unwrap()
}

#[tokio::test]
async fn a_flooded_mailbox_takes_more_for_work_alone_and_its_owner_is_not_put_off() {
    let alone = Alone::start(limits(|it| {
        it.mailbox_client_burst = 3.try_into().unwrap();
        it.mailbox_client_per_second = 1.try_into().unwrap();
        it.proof.seconds = 600.try_into().unwrap();
    }))
    .await;
    let (client, person) = (Client::new(), Person::new());
    let store = async |params: Value| client.ask(&alone.record, "store", params).await;
    let mut refused = None;
    for number in 0..20_u8 {
        let answer = store(person.store(&[number])).await;
        if answer.status == 429 {
            refused = Some((number, answer.json()));
            break;
        }
    }
    let (number, refusal) = refused.unwrap();
    assert!(number >= 3, "{refusal}");
    let reason = refusal["reason"].as_str().unwrap();
    assert_eq!(reason, "this mailbox gets too many messages: send again with a proof of work");

    let terms = terms(&refusal["challenge"]);
    let target = hash_of(&person, b"worked for");
    let proof = terms.solve(target.as_bytes(), &mut SystemEntropy).unwrap();
    let with = |data: &[u8]| {
        let mut params = person.store(data);
        params["proof"] = proof.to_value().to_json();
        params
    };
    // The bucket fills while the work is done.
    while store(person.store(b"filler")).await.status == 200 {}
    let other = store(with(b"another message")).await;
    assert_eq!(other.status, 429);
    assert_eq!(other.json()["reason"], "the proof of work does not hold");
    assert_eq!(store(with(b"worked for")).await.status, 200);
    let again = store(with(b"worked for")).await;
    assert!(again.status == 200 || again.json()["reason"] == "the challenge was used", "{again}");
    let texts = person.texts(&client, &alone.record, 0).await;
    assert!(texts.contains(&"worked for".to_owned()), "{texts:?}");

    for number in 0..10 {
        let signed = store(person.store_signed(1, now() + number, b"own")).await;
        assert_eq!(signed.status, 200, "{signed}");
    }
    assert_eq!(store(Person::new().store(b"x")).await.status, 200);
    alone.node.stop().await;
}

#[tokio::test]
async fn a_mailbox_that_is_flooded_through_all_its_members_has_one_bucket_and_not_one_of_each() {
    const BURST: u32 = 25;
    let folder = tempfile::tempdir().unwrap();
    let limits = limits(|it| {
        it.tell_clients_apart = false;
        it.mailbox_burst = BURST.try_into().unwrap();
        it.mailbox_per_second = 1.try_into().unwrap();
    });
    let plan = Plan { nodes: 4, data: folder.path().to_owned(), seed_port: 0, node_port: 0 };
    let options = NodeOptions { limits, ..NodeOptions::default() };
    let network = LocalNetwork::start_with(&plan, &options).await.unwrap();
    let records = network.nodes()[0].node().placement().list().nodes().to_vec();
    let (client, person, began) = (Client::new(), Person::new(), Instant::now());
    let mut taken = 0;
    for number in 0..4 * BURST {
        let record = &records[usize::try_from(number % 4).unwrap()];
        let answer = client.ask(record, "store", person.store(&number.to_le_bytes())).await;
        assert!([200, 429].contains(&answer.status), "{answer}");
        taken += u64::from(answer.status == 200);
    }
    let allowed = u64::from(BURST) + began.elapsed().as_secs() + 1;
    assert!((u64::from(BURST)..=allowed).contains(&taken), "{taken} of {allowed}");
    // What the owner signs and what others are sent is not counted there.
    for record in &records {
        let signed = person.store_signed(1, now(), record.id.to_string().as_bytes());
        assert_eq!(client.ask(record, "store", signed).await.status, 200);
        assert_eq!(client.ask(record, "store", Person::new().store(b"x")).await.status, 200);
    }
    network.stop().await;
}

#[tokio::test]
async fn what_a_member_had_from_known_clients_takes_nothing_from_hidden_ones_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let member = Identity::load_or_create(folder.path()).unwrap();
    let listed = vec![member.record(Ipv4Addr::new(192, 0, 2, 2), 1, OWN_SWARM)];
    let limits = limits(|it| {
        it.mailbox_burst = 5.try_into().unwrap();
        it.mailbox_per_second = 1.try_into().unwrap();
    });
    let alone = Alone::start_among(limits, listed).await;
    let (node, client, person) = (alone.node.node(), client_from(66), Person::new());
    let url = format!("https://{}/swarm/v1", alone.record.address());
    let pass_on = async |number: u32, counted: bool| {
        let params = person.store(&number.to_le_bytes()).to_string();
        let mut params = warren_wire::Value::from_json(params.as_bytes()).unwrap();
        if let (true, warren_wire::Value::Dict(params)) = (counted, &mut params) {
            params.insert(COUNTED.to_owned(), true.into());
        }
        let (stamp, key) = (Some(Stamp::at(now())), member.signing_key());
        let envelope = peer::seal("store", params, stamp, &alone.record.id, now(), key).unwrap();
        client.post(&url).body(envelope).send().await.unwrap().status().as_u16()
    };
    for number in 0..40 {
        assert_eq!(pass_on(number, false).await, 200);
    }
    let taken = (0..5).filter(|_| node.limits.admit_mail(&person.id)).count();
    assert_eq!(taken, 5);
    for number in 40..80 {
        assert_eq!(pass_on(number, true).await, 200);
    }
    assert!(!node.limits.admit_mail(&person.id));
    alone.node.stop().await;
}

#[tokio::test]
async fn a_batch_describes_all_nodes_twice_and_no_more() {
    let key = |number: u16| warren_crypto::hash::sha256(&number.to_be_bytes());
    let listed = (0..300).map(|number| NodeRecord {
        id: warren_wire::NodeId::from_bytes(key(number)),
        x25519: warren_crypto::x25519::PublicKey::from_bytes(key(number)),
        ip: Ipv4Addr::new(192, 0, 2, 9),
        port: number + 1,
        swarm: OWN_SWARM,
        certificate: None,
        roles: Roles::default(),
    });
    let alone = Alone::start_among(limits(|_| {}), listed.collect()).await;
    let ask = async |params: Value, times: usize| -> Vec<u64> {
        let params = json!({ "endpoint": "get_service_nodes", "params": params });
        let request = json!({ "method": "oxend_request", "params": params });
        let batch = json!({ "requests": vec![request; times] });
        let answer = Client::new().done(&alone.record, "batch", batch).await;
        let results = answer["results"].as_array().unwrap();
        results.iter().map(|result| result["code"].as_u64().unwrap()).collect()
    };
    let all = ask(json!({ "fields": ["public_ip"] }), 20).await;
    assert_eq!((&all[..2], &all[2..]), (&[200; 2][..], &[413; 18][..]));
    assert_eq!(ask(json!({ "limit": 30 }), 20).await, [200; 20]);
    alone.node.stop().await;
}

#[tokio::test]
async fn another_node_has_a_bucket_by_its_key_and_members_of_the_swarm_have_none() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [member, other] = folders.each_ref().map(|it| Identity::load_or_create(it.path()).unwrap());
    let elsewhere = |last| Ipv4Addr::new(192, 0, 2, last);
    let listed = vec![
        member.record(elsewhere(2), 1, OWN_SWARM),
        other.record(elsewhere(3), 1, SwarmId(u64::MAX / 2)),
    ];
    let limits = limits(|it| {
        it.node_burst = 20.try_into().unwrap();
        it.node_per_second = 1.try_into().unwrap();
        it.client_burst = 30.try_into().unwrap();
        it.client_per_second = 1.try_into().unwrap();
    });
    let alone = Alone::start_among(limits, listed).await;
    let url = format!("https://{}/swarm/v1", alone.record.address());
    let ask = async |client: &reqwest::Client, sender: &Identity| {
        let (method, params) = (Call::Ready.method(), Call::Ready.into_params());
        let key = sender.signing_key();
        let envelope = peer::seal(method, params, None, &alone.record.id, now(), key).unwrap();
        client.post(&url).body(envelope).send().await.unwrap().status().as_u16()
    };
    let count = async |client: reqwest::Client, sender: &Identity, times: usize| {
        let statuses: Vec<u16> = iter(0..times).then(|_| ask(&client, sender)).collect().await;
        assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
        statuses.iter().filter(|status| **status == 200).count()
    };
    // From two addresses, neither of which asks too much for an address.
    let began = Instant::now();
    let served =
        count(client_from(66), &other, 20).await + count(client_from(67), &other, 20).await;
    let allowed = 20 + usize::try_from(began.elapsed().as_secs()).unwrap() + 1;
    assert!((20..=allowed).contains(&served), "{served} of {allowed}");
    assert_eq!(count(client_from(68), &member, 200).await, 200);
    alone.node.stop().await;
}

#[tokio::test]
async fn a_client_that_floods_a_mailbox_takes_nothing_from_others_who_write_there() {
    let alone = Alone::start(limits(|it| {
        it.mailbox_burst = 3.try_into().unwrap();
        it.mailbox_client_burst = 30.try_into().unwrap();
        it.mailbox_client_per_second = 1.try_into().unwrap();
    }))
    .await;
    let (flooder, other, person) = (client_from(66), client_from(67), Person::new());
    let store = async |client: &reqwest::Client, number: u8| {
        let url = format!("https://{}/storage_rpc/v1", alone.record.address());
        let body = json!({ "method": "store", "params": person.store(&[number]) }).to_string();
        client.post(url).body(body).send().await.unwrap().status().as_u16()
    };
    let mut refused = 0;
    for number in 0..100 {
        refused += u8::from(store(&flooder, number).await == 429);
    }
    assert!(refused > 0, "the flooder was not put off");
    for number in 100..125 {
        assert_eq!(store(&other, number).await, 200, "{number}");
    }
    alone.node.stop().await;
}

#[tokio::test]
async fn other_nodes_are_heard_where_clients_have_taken_all_room_for_bodies() {
    let folder = tempfile::tempdir().unwrap();
    let other = Identity::load_or_create(folder.path()).unwrap();
    // With a node on loopback in the list, whoever asks from there may be one.
    let listed = vec![other.record(Ipv4Addr::LOCALHOST, 1, OWN_SWARM)];
    let limits = limits(|it| it.body_room_mib = 11.try_into().unwrap());
    let alone = Alone::start_among(limits, listed).await;
    let node = alone.node.node();
    let all = vec![0; node.bodies.free()];
    let _taken = node.bodies.read(all.into(), usize::MAX).await.unwrap();
    let client = client_from(66);
    let ask = async |path: &str| {
        let url = format!("https://{}{path}", alone.record.address());
        client.post(url).body("{}").send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask("/storage_rpc/v1").await, 503);
    assert_eq!(ask("/swarm/v1").await, 400);
    alone.node.stop().await;
}

#[tokio::test]
async fn every_route_is_bounded_for_one_client_and_work_buys_a_request() {
    let alone = Alone::start(limits(|it| {
        it.client_burst = 20.try_into().unwrap();
        it.client_per_second = 1.try_into().unwrap();
    }))
    .await;
    let (flooder, other) = (client_from(66), client_from(67));
    let ask = async |client: &reqwest::Client, path: &str, proof: Option<String>| {
        let url = format!("https://{}{path}", alone.record.address());
        let request = client.post(url).body("{}");
        let request = match proof {
            Some(proof) => request.header("x-warren-proof", proof),
            None => request,
        };
        request.send().await.unwrap()
    };
    for path in ["/storage_rpc/v1", "/onion_req/v2", "/json_rpc", "/swarm/v1"] {
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(ask(&flooder, path, None).await.status().as_u16());
        }
        let served = statuses.iter().filter(|status| **status != 429).count();
        assert!((20..35).contains(&served), "{path}: {served}");
        assert_ne!(ask(&other, path, None).await.status().as_u16(), 429, "{path}");
    }
    let refusal = loop {
        let answer = ask(&flooder, "/storage_rpc/v1", None).await;
        if answer.status().as_u16() == 429 {
            break answer;
        }
    };
    let challenge = refusal.headers()["x-warren-challenge"].to_str().unwrap();
    let challenge: Value = serde_json::from_slice(&STANDARD.decode(challenge).unwrap()).unwrap();
    let proof = terms(&challenge).solve(b"request", &mut SystemEntropy).unwrap();
    let proof = STANDARD.encode(proof.to_value().to_json().to_string());
    while ask(&flooder, "/storage_rpc/v1", None).await.status().as_u16() != 429 {}
    let stolen = ask(&other, "/storage_rpc/v1", Some(proof.clone())).await;
    assert_eq!(stolen.status().as_u16(), 400, "who is not put off needs no proof");
    assert_eq!(ask(&flooder, "/storage_rpc/v1", Some(proof)).await.status().as_u16(), 400);
    alone.node.stop().await;
}

#[tokio::test]
async fn a_connection_that_does_not_stop_asking_is_closed() {
    let alone = Alone::start(limits(|it| it.client_burst = 5.try_into().unwrap())).await;
    let flooder = client_from(66);
    let url = format!("https://{}/storage_rpc/v1", alone.record.address());
    let asked = iter(0..2_000).map(|_| flooder.post(&url).body("{}").send());
    let asked: Vec<_> = asked.buffer_unordered(64).collect().await;
    assert!(asked.iter().any(Result::is_err), "no connection was closed");
    let others = Client::new().ask(&alone.record, "info", json!({})).await;
    assert_eq!(others.status, 200);
    alone.node.stop().await;
}

/// What became of the requests of a flood.
#[derive(Default)]
struct Flood {
    stop: AtomicBool,
    served: AtomicU64,
    /// Put off, or cut off with its connection.
    refused: AtomicU64,
}

/// What became of the stores of honest clients.
#[derive(Debug, Default)]
struct Honest {
    taken: u64,
    /// Answered with 429.
    put_off: u64,
    /// Not answered: closed or too slow.
    lost: u64,
}

/// Four honest clients that store one message after the other, and again where one was not taken,
/// until each has had so many taken and `enough` says so.
async fn honest_stores(record: &NodeRecord, each: u64, enough: impl Fn() -> bool) -> Honest {
    let enough = &enough;
    let clients = (1..=4_u8).map(|number| async move {
        let (client, person) = (client_from(number), Person::new());
        let url = format!("https://{}/storage_rpc/v1", record.address());
        let mut honest = Honest::default();
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while honest.taken < each || !enough() {
            ticks.tick().await;
            let data = blake2b::<32>(&[&now().to_le_bytes(), &[number]]).unwrap();
            let body = json!({ "method": "store", "params": person.store(&data) }).to_string();
            match client.post(&url).body(body).send().await.map(|it| it.status().as_u16()) {
                Ok(200) => honest.taken += 1,
                Ok(429) => honest.put_off += 1,
                Ok(status) => panic!("{status}"),
                Err(_) => honest.lost += 1,
            }
        }
        honest
    });
    join_all(clients).await.into_iter().fold(Honest::default(), |sum, one| Honest {
        taken: sum.taken + one.taken,
        put_off: sum.put_off + one.put_off,
        lost: sum.lost + one.lost,
    })
}

/// Asks from one address without a pause until told to stop; on threads of its own, as it would on a
/// machine of its own.
fn flood(record: &NodeRecord, flood: &Arc<Flood>) -> std::thread::JoinHandle<()> {
    let url = format!("https://{}/storage_rpc/v1", record.address());
    let flood = Arc::clone(flood);
    std::thread::spawn(move || {
        // A flooder has a machine of its own: here it takes what the others leave.
        let thread = std::fs::read_link("/proc/thread-self").unwrap();
        let number = thread.file_name().unwrap().to_owned();
        let reniced = Command::new("renice").args(["-n", "19", "-p"]).arg(number).output();
        assert!(reniced.unwrap().status.success());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            while !flood.stop.load(Ordering::Relaxed) {
                let flooder = client_from(66);
                let asked = iter(0..500).map(|_| flooder.post(&url).body("{}").send());
                let count = async |answer: reqwest::Result<reqwest::Response>| {
                    let served = answer.is_ok_and(|it| it.status().as_u16() != 429);
                    let count = if served { &flood.served } else { &flood.refused };
                    count.fetch_add(1, Ordering::Relaxed);
                };
                asked.buffer_unordered(128).for_each(count).await;
            }
        });
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_from_one_source_is_put_off_and_honest_clients_go_on() {
    const BURST: u32 = 100;
    const PER_SECOND: u32 = 40;
    let alone = Alone::start(limits(|it| {
        it.client_burst = BURST.try_into().unwrap();
        it.client_per_second = PER_SECOND.try_into().unwrap();
    }))
    .await;
    let (flooded, began) = (Arc::new(Flood::default()), Instant::now());
    let flooding: Vec<_> = (0..2).map(|_| flood(&alone.record, &flooded)).collect();
    // However slow the machine is: over as long as it takes the flood to be one.
    let is_flood = || flooded.refused.load(Ordering::Relaxed) >= 3_000;
    let stores = honest_stores(&alone.record, 50, is_flood);
    let honest = tokio::time::timeout(Duration::from_secs(180), stores).await;
    flooded.stop.store(true, Ordering::Relaxed);
    for thread in flooding {
        thread.join().unwrap();
    }
    let honest = honest.expect("honest clients came to nothing, or nobody was put off");
    assert_eq!(honest.put_off, 0, "{honest:?}");
    assert!(honest.taken >= 200 && honest.lost * 20 <= honest.taken, "{honest:?}");
    let served = flooded.served.load(Ordering::Relaxed);
    let allowed = u64::from(BURST) + u64::from(PER_SECOND) * (began.elapsed().as_secs() + 1);
    assert!(served <= allowed, "{served} of {allowed}");
    alone.node.stop().await;
}
