//! Routes, sizes and the kinds of client that speak to a node.

use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::process::Command;

use warren_wire::directory::NodeRecord;

use crate::network::{Client, TestNetwork};
use crate::person::Person;

const TEN_MIB: usize = 10 * 1024 * 1024;

#[tokio::test]
async fn what_is_no_route_is_not_found() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let node = network.record(0);
    for path in ["/", "/onion_req/v1", "/Storage_rpc/v1", "/storage_rpc/v1/", "/json_rpc/"] {
        let response = client.post(&node, path, "{}").await;
        assert_eq!(response.said(), (404, format!("POST {path} Not Found")));
        assert_eq!(response.content_type, "text/plain");
    }
    for path in ["/storage_rpc/v1", "/onion_req/v2", "/swarm/v1", "/ping_test/v1", "/x?y=z"] {
        let response = client.get(&node, path).await.unwrap();
        let path = path.split('?').next().unwrap();
        assert_eq!(response.said(), (404, format!("GET {path} Not Found")));
    }
}

#[tokio::test]
async fn a_node_tells_that_it_is_there_and_its_version() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let node = network.record(0);
    let ping = say(&node, "POST /ping_test/v1 HTTP/1.0\n", "").await;
    let key = STANDARD.encode(node.id.as_bytes());
    assert!(ping.starts_with("HTTP/1.0 200 OK\r\n") && ping.ends_with("\r\n\r\n"), "{ping}");
    assert!(ping.contains(&format!("x-oxen-snode-pubkey: {key}\r\n")), "{ping}");
    for said in [ping, say(&node, "GET /nothing HTTP/1.0\n", "").await] {
        assert!(said.contains("\r\nserver: Warren\r\n"), "{said}");
    }
    let stats = client.get(&node, "/get_stats/v1").await.unwrap();
    assert_eq!(stats.content_type, "application/json");
    assert_eq!(stats.json(), json!({ "version": "2.11.0" }));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_announced_or_not() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let node = network.record(0);
    let refusal = (413, "Request body too large".to_owned());
    for path in ["/storage_rpc/v1", "/onion_req/v2", "/swarm/v1"] {
        let announced = client.post(&node, path, vec![b'x'; TEN_MIB + 1]).await;
        assert_eq!(announced.said(), refusal, "{path}");
        let pieces = (0..=TEN_MIB / 65_536).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 65_536]));
        let growing = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
        assert_eq!(client.post(&node, path, growing).await.said(), refusal, "{path}");
    }
    let largest = client.post(&node, "/storage_rpc/v1", vec![b' '; TEN_MIB]).await;
    assert_eq!(largest.said(), (400, "invalid json".to_owned()));
}

#[tokio::test]
async fn a_body_beyond_what_is_in_memory_already_finds_the_node_busy() {
    let (network, client) = (TestNetwork::start(4), Client::new());
    let node = network.record(0);
    let mut held = Vec::new();
    while let Ok(body) = network.node(0).bodies.read(vec![b'x'; TEN_MIB].into(), TEN_MIB).await {
        held.push(body);
    }
    let largest = client.post(&node, "/storage_rpc/v1", vec![b' '; TEN_MIB]).await;
    assert_eq!(largest.said(), (503, "Server busy, try again later".to_owned()));
    held.pop();
    let largest = client.post(&node, "/storage_rpc/v1", vec![b' '; TEN_MIB]).await;
    assert_eq!(largest.said(), (400, "invalid json".to_owned()));
}

#[tokio::test]
async fn what_members_pass_on_is_bounded_more_closely() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let node = network.record(0);
    let said = client.post(&node, "/swarm/v1", vec![b'x'; 6 * 1024 * 1024]).await.said();
    assert_eq!(said, (400, "malformed swarm request".to_owned()));
    let said = client.post(&node, "/swarm/v1", vec![b'x'; 6 * 1024 * 1024 + 1]).await.said();
    assert_eq!(said, (413, "Request body too large".to_owned()));
}

#[tokio::test]
async fn many_small_values_are_no_request() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let zeros = vec!["0"; 5_000_000].join(",");
    let body = format!(r#"{{"method":"info","params":{{"a":[{zeros}]}}}}"#);
    let said = client.post(&network.record(0), "/storage_rpc/v1", body).await.said();
    assert_eq!(said, (400, "invalid json".to_owned()));
}

#[tokio::test]
async fn a_client_that_wants_to_wait_for_messages_is_told_to_upgrade() {
    let network = TestNetwork::shared();
    let node = network.record(0);
    let ask = async |value: &str| {
        let head = format!("POST /storage_rpc/v1 HTTP/1.0\nX-Loki-Long-Poll: {value}\n");
        say(&node, &head, "").await
    };
    let refusal = ask("1").await;
    assert!(refusal.starts_with("HTTP/1.0 410 Gone\r\n"), "{refusal}");
    let text = "long polling is no longer supported, client upgrade required";
    assert!(refusal.ends_with(text), "{refusal}");
    assert!(ask("").await.ends_with("\r\ninvalid json"));
}

/// Sends a head and part of a body over a socket, with OpenSSL, and gives all that comes until the
/// node closes the connection.
async fn say(node: &NodeRecord, head: &str, part: &str) -> String {
    const SCRIPT: &str = "
import socket, ssl, sys
address, port, head, part = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
plain = socket.create_connection((address, port), timeout=10)
connection = ssl._create_unverified_context().wrap_socket(plain)
connection.sendall((head.replace('\\n', '\\r\\n') + '\\r\\n' + part).encode())
while received := connection.recv(65536):
    sys.stdout.write(received.decode())
";
    let output = Command::new("python3")
        .args(["-c", SCRIPT, &node.ip.to_string(), &node.port.to_string(), head, part])
        .stderr(Stdio::inherit())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{head}: the connection stays open");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_connection_whose_request_was_not_read_to_its_end_is_closed() {
    let network = TestNetwork::shared();
    let node = network.record(0);
    for (length, line, text) in [
        ("10485761", "HTTP/1.1 413 Payload Too Large\r\n", "Request body too large"),
        ("99999999999999999999", "HTTP/1.1 400 Bad Request\r\n", ""),
    ] {
        let head = format!("POST /storage_rpc/v1 HTTP/1.1\nHost: a\nContent-Length: {length}\n");
        let answer = say(&node, &head, "{").await;
        assert!(answer.starts_with(line) && answer.ends_with(text), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_of_http_1_serves_request_after_request() {
    let (network, client, person) = (TestNetwork::shared(), Client::http1(), Person::new());
    let node = network.record(0);
    for n in 0..20 {
        client.done(&node, "store", person.store(&[b'a' + n])).await;
        let bad = client.post(&node, "/storage_rpc/v1", "{").await;
        assert_eq!(bad.said(), (400, "invalid json".to_owned()));
    }
    assert_eq!(person.messages(&client, &node, 0).await.len(), 20);
}

/// Another TLS library and another HTTP stack than ours.
#[tokio::test]
async fn a_client_with_openssl_is_served_in_tls_1_2_and_1_3() {
    const SCRIPT: &str = "
import http.client, json, ssl, sys
context = ssl._create_unverified_context()
context.minimum_version = context.maximum_version = ssl.TLSVersion[sys.argv[3]]
connection = http.client.HTTPSConnection(sys.argv[1], int(sys.argv[2]), context=context)
for _ in range(3):
    connection.request('POST', '/storage_rpc/v1', '{\"method\":\"info\",\"params\":{}}')
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    print(json.loads(answer.read())['version'])
";
    let network = TestNetwork::shared();
    let node = network.record(0);
    for version in ["TLSv1_2", "TLSv1_3"] {
        let output = Command::new("python3")
            .args(["-c", SCRIPT, &node.ip.to_string(), &node.port.to_string(), version])
            .stderr(Stdio::inherit())
            .output()
            .await
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "[2, 11, 0]\n".repeat(3), "{version}");
    }
}
