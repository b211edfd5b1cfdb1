//! A node is believed by its pinned certificate alone.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use warren_crypto::x25519;
use warren_transport::{Certificate, Connections, Reply, TransportError};
use warren_wire::directory::{NodeRecord, Roles};
use warren_wire::{NodeId, SwarmId};

async fn serve(certificate: &Certificate) -> SocketAddr {
    let handle = Handle::new();
    let config = RustlsConfig::from_config(certificate.server_config().unwrap());
    let app = Router::new().route("/echo", post(|body: String| async { body }));
    let server = axum_server::bind_rustls(([127, 0, 0, 1], 0).into(), config)
        .handle(handle.clone())
        .serve(app.into_make_service());
    tokio::spawn(server);
    handle.listening().await.unwrap()
}

fn record(address: SocketAddr, certificate: Option<[u8; 32]>) -> NodeRecord {
    NodeRecord {
        id: NodeId::from_bytes([1; 32]),
        x25519: x25519::PublicKey::from_bytes([1; 32]),
        ip: [127, 0, 0, 1].into(),
        port: address.port(),
        swarm: SwarmId(0),
        certificate,
        roles: Roles::default(),
    }
}

#[tokio::test]
async fn the_pinned_certificate_is_believed_and_no_other() {
    let certificate = Certificate::generate().unwrap();
    let address = serve(&certificate).await;
    let connections = Connections::new();
    let ask = async |pin| {
        let node = record(address, pin);
        connections.post(&node, "/echo", b"hello".to_vec(), Duration::from_secs(5)).await
    };
    let answer = Ok(Reply { status: 200, body: b"hello".to_vec() });
    assert_eq!(ask(Some(certificate.fingerprint().unwrap())).await, answer);
    assert_eq!(ask(None).await, answer);
    let other = Certificate::generate().unwrap().fingerprint().unwrap();
    assert_eq!(ask(Some(other)).await, Err(TransportError::Unreachable));
}

#[tokio::test]
async fn a_node_that_is_down_is_named_unreachable() {
    let node = record(([127, 0, 0, 1], 1).into(), None);
    let answer = Connections::new().post(&node, "/", Vec::new(), Duration::from_secs(5)).await;
    assert_eq!(answer, Err(TransportError::Unreachable));
}
