//! What an operator sees of a running node: numbers, health, the end of it, its log, a full disk.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use warren_onion::Cipher;

use crate::network::{Client, Response};
use crate::onion::wrap;
use crate::person::Person;
use crate::program::{Processes, free_port};

/// Nodes of which the first serves numbers, and where.
async fn watched(nodes: u8, more: &[&str]) -> (Processes, String) {
    let mut nodes = Processes::start(nodes).await;
    nodes.end(0).await;
    let admin = format!("127.0.0.1:{}", free_port(Ipv4Addr::LOCALHOST));
    let arguments = [&["--metrics-listen", &admin], more].concat();
    nodes.spawn(0, &arguments);
    nodes.until_serving(0).await;
    (nodes, format!("http://{admin}"))
}

async fn get(url: &str) -> Response {
    let response = reqwest::get(url).await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap().to_vec();
    Response { status, content_type: String::new(), body }
}

/// The sum of a number over all its labels that contain a text.
fn number(numbers: &str, name: &str, label: &str) -> f64 {
    let lines = numbers.lines().filter(|line| line.starts_with(name) && line.contains(label));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

#[tokio::test]
async fn numbers_say_what_a_node_did_and_name_nobody() {
    let (nodes, admin) = watched(4, &[]).await;
    let (client, person) = (Client::new(), Person::new());
    let node = &nodes.records[0];
    client.done(node, "store", person.store(b"x")).await;
    person.texts(&client, node, 0).await;
    assert_eq!(client.ask(node, "store", json!({})).await.status, 400);
    let packet = wrap(&nodes.records, Cipher::XChaCha20, "retrieve", &person.retrieve(0)).packet;
    assert_eq!(client.post(node, "/onion_req/v2", packet).await.status, 200);
    assert_eq!(client.post(node, "/onion_req/v2", "nonsense").await.status, 400);

    assert_eq!(get(&format!("{admin}/healthz")).await.said(), (200, "alive\n".to_owned()));
    let numbers = get(&format!("{admin}/metrics")).await.said().1;
    for (name, label) in [
        ("warren_rpc_total", r#"method="store",status="2xx""#),
        ("warren_rpc_total", r#"method="retrieve",status="2xx""#),
        ("warren_requests_total", r#"route="/storage_rpc/v1",status="4xx""#),
        ("warren_store_seconds_count", r#"operation="store""#),
        ("warren_onion_layers_total", r#"kind="relay""#),
        ("warren_onion_layers_total", r#"kind="refused""#),
        ("warren_disk_free_bytes", ""),
        ("warren_list_nodes", ""),
        ("warren_body_room_free_bytes", ""),
    ] {
        assert!(number(&numbers, name, label) >= 1.0, "{name} {label}: {numbers}");
    }
    let id = person.id.to_string();
    for secret in [&id, &id[2..], &person.ed25519(), "127.0.0.1"] {
        assert!(!numbers.contains(secret), "{numbers}");
    }
}

#[tokio::test]
async fn a_node_that_drains_says_so_and_a_second_signal_ends_it_at_once() {
    let patience = [("WARREN_NODE_DRAIN__UNREADY_SECONDS", "30")];
    let mut nodes = Processes::start(1).await;
    nodes.end(0).await;
    let admin = format!("127.0.0.1:{}", free_port(Ipv4Addr::LOCALHOST));
    nodes.spawn_with(0, &["--metrics-listen", &admin], &patience);
    nodes.until_serving(0).await;
    let ready = format!("http://{admin}/readyz");
    let first = get(&ready).await;
    assert_eq!((first.status, first.json()["ready"].clone()), (200, json!(true)), "{first}");

    nodes.signal(0, "TERM").await;
    let begun = Instant::now();
    let said = loop {
        let said = get(&ready).await;
        if said.status == 503 {
            break said.json();
        }
        assert!(begun.elapsed() < Duration::from_secs(10));
    };
    assert_eq!(said, json!({ "ready": false, "why": ["draining"] }));
    // It serves on meanwhile.
    let person = Person::new();
    Client::new().done(&nodes.records[0], "store", person.store(b"late")).await;
    nodes.signal(0, "TERM").await;
    let status = nodes.ended(0).await;
    assert_eq!(status.code(), Some(1));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(nodes.log(0).contains("ended at once"));
    nodes.restart(0).await;
    assert_eq!(person.texts(&Client::new(), &nodes.records[0], 0).await, ["late"]);
}

#[tokio::test]
async fn a_log_in_json_is_json_and_names_nobody_whatever_was_asked() {
    let mut nodes = Processes::start(4).await;
    for number in 0..4 {
        nodes.end(number).await;
        let json = [
            ("WARREN_NODE_LOG__FORMAT", "json"),
            ("WARREN_NODE_LIMITS__CLIENT_BURST", "200"),
            ("WARREN_NODE_LIMITS__MAILBOX_BURST", "5"),
        ];
        std::fs::write(nodes.path(&format!("{number}.log")), "").unwrap();
        nodes.spawn_with(number, &[], &json);
    }
    for number in 0..4 {
        nodes.until_serving(number).await;
    }
    let (client, person) = (Client::new(), Person::new());
    let id = person.id.to_string();
    let node = &nodes.records[0].clone();
    let signed = |params: Value| {
        [params.clone(), {
            let mut it = params;
            it["signature"] = json!("AAAA");
            it
        }]
    };
    for params in signed(person.retrieve(0))
        .into_iter()
        .chain(signed(person.delete(&["A".repeat(43).as_str()])))
    {
        for method in [
            "store",
            "retrieve",
            "delete",
            "delete_all",
            "expire_all",
            "get_expiries",
            "get_swarm",
            "info",
            &id,
        ] {
            client.ask(node, method, params.clone()).await;
        }
    }
    for number in 0..300_u16 {
        client.ask(node, "store", person.store(&number.to_le_bytes())).await;
    }
    for path in [format!("/{id}"), format!("/onion_req/v2?{id}"), format!("/monitor/v1?{id}")] {
        client.post(node, &path, id.clone()).await;
    }
    let packet = wrap(&nodes.records, Cipher::XChaCha20, "store", &person.store(b"x")).packet;
    client.post(node, "/onion_req/v2", packet).await;
    // A member that is away, so that errors are logged too.
    nodes.kill(3).await;
    client.ask(node, "store", person.store_signed(1, warren_noded::node::now(), b"y")).await;
    for number in 0..4 {
        let log = nodes.log(number);
        assert!(log.contains("node serving"), "{log}");
        for line in log.lines() {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
        }
        for secret in ["127.0.0.1", &id, &id[2..], &person.ed25519()] {
            assert!(!log.contains(secret), "{log}");
        }
    }
}

/// A file system of its own, so small that it can be filled; `None` where nobody may mount one.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let option = format!("size={size},mode=0700");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &option, "tmpfs"]).arg(at).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(at))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_new_mail_and_serves_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    let Some(_mounted) = SmallDisk::mount(&disk, "700m") else {
        eprintln!("no small disk here: only root may mount one");
        return;
    };
    let mut nodes = Processes::start(1).await;
    nodes.end(0).await;
    let place = disk.join("mail");
    let place = [("WARREN_NODE_STORE__URL", place.to_str().unwrap())];
    nodes.spawn_with(0, &[], &place);
    nodes.until_serving(0).await;
    let (client, person, node) = (Client::new(), Person::new(), nodes.records[0].clone());
    let kept = client.done(&node, "store", person.store(b"kept")).await;
    let gone = client.done(&node, "store", person.store(b"gone")).await;

    let filler = disk.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    // The engine stops well before the disk is full, so that room can still be made.
    while warren_noded::disk::free(&disk).unwrap() > 128 * 1024 * 1024 {
        std::io::Write::write_all(&mut file, &[0; 65_536]).unwrap();
    }
    let begun = Instant::now();
    let refusal = loop {
        let data = vec![b'x'; 50_000];
        let answer = client.ask(&node, "store", person.store(&data)).await;
        if answer.status != 200 {
            break answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "a full disk takes everything");
    };
    assert!(refusal.to_string().contains("disk full"), "{refusal}");
    assert!(person.texts(&client, &node, 0).await.contains(&"kept".to_owned()));
    let hash = gone["hash"].as_str().unwrap();
    let deleted = client.ask(&node, "delete", person.delete(&[hash])).await;
    assert_eq!(deleted.status, 200, "{deleted}");
    assert!(!person.texts(&client, &node, 0).await.contains(&"gone".to_owned()));

    drop(file);
    std::fs::remove_file(filler).unwrap();
    let begun = Instant::now();
    while client.ask(&node, "store", person.store(b"again")).await.status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", nodes.log(0));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(kept["hash"].is_string());
    nodes.end(0).await;
}
