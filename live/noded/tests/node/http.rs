//! Routes, sizes and the kinds of client that speak to a node.

use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::network::{Client, TestNetwork};
use crate::person::Person;

const TEN_MIB: usize = 10 * 1024 * 1024;

#[tokio::test]
async fn what_is_no_route_is_not_found() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let node = network.record(0);
    for path in ["/", "/onion_req/v1", "/Storage_rpc/v1", "/storage_rpc/v1/", "/json_rpc"] {
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
    assert_eq!(client.post(&node, "/ping_test/v1", "").await.said(), (200, String::new()));
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
