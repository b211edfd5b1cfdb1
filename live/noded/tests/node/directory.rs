//! The list of nodes, from the seed and from any node.

use serde_json::json;

use crate::network::{Client, TestNetwork};

#[tokio::test]
async fn the_seed_answers_over_http_and_https_on_one_port_and_every_node_does_too() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let question = json!({
        "jsonrpc": "2.0", "id": 0, "method": "get_n_service_nodes",
        "params": { "fields": {
            "public_ip": true, "storage_port": true, "pubkey_x25519": true, "pubkey_ed25519": true,
        } },
    });
    let http = network.seed_url();
    let node = format!("https://{}", network.record(3).address());
    for url in [http.clone(), http.replace("http:", "https:"), node] {
        let url = format!("{url}/json_rpc");
        let response = client.post_url(&url, question.to_string()).await;
        assert_eq!((response.status, response.content_type.as_str()), (200, "application/json"));
        let answer = response.json();
        assert_eq!(answer["id"], 0);
        assert_eq!(answer["jsonrpc"], "2.0");
        assert_eq!(answer["result"]["status"], "OK");
        let states = answer["result"]["service_node_states"].as_array().unwrap();
        assert_eq!(states.len(), 7);
        for (state, record) in states.iter().zip(network.records()) {
            let expected = json!({
                "public_ip": record.ip.to_string(), "storage_port": record.port,
                "pubkey_ed25519": record.id.to_string(),
                "pubkey_x25519": hex::encode(record.x25519.as_bytes()),
            });
            assert_eq!(*state, expected);
        }
    }
}

#[tokio::test]
async fn the_seed_answers_nonsense_with_json_rpc_errors() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let url = format!("{}/json_rpc", network.seed_url());
    for (body, code, message) in [
        ("", -32700, "Parse error"),
        ("{", -32700, "Parse error"),
        ("[]", -32600, "Invalid Request"),
        ("{}", -32600, "Invalid Request"),
        (r#"{"method":"get_info"}"#, -32601, "Method not found"),
        (r#"{"method":"get_n_service_nodes","params":[1]}"#, -32602, "Invalid params"),
    ] {
        let response = client.post_url(&url, body).await;
        assert_eq!((response.status, response.content_type.as_str()), (200, "application/json"));
        let expected = json!({ "code": code, "message": message });
        assert_eq!(response.json()["error"], expected, "{body}");
    }
}

#[tokio::test]
async fn any_node_gives_the_list_by_oxend_request() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let params = json!({
        "endpoint": "get_service_nodes",
        "params": { "active_only": true, "fields": ["pubkey_ed25519"], "limit": 3 },
    });
    let answer = client.done(&network.record(5), "oxend_request", params).await;
    assert_eq!(answer["result"]["status"], "OK");
    let states = answer["result"]["service_node_states"].as_array().unwrap();
    assert_eq!(states.len(), 3);
    let ids: Vec<_> = network.records().iter().map(|record| record.id.to_string()).collect();
    for state in states {
        assert_eq!(state.as_object().unwrap().len(), 1);
        assert!(ids.iter().any(|id| state["pubkey_ed25519"] == id.as_str()));
    }
}
