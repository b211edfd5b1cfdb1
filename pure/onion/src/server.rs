//! A packet for a server behind the last node of a path, and the server's end of it.
//!
//! The last node finds `{"host", "port", "protocol", "target", "ephemeral_key", "enc_type"}` in its
//! layer and posts the whole layer to the server, which opens the blob with the last two:
//!
//! ```text
//! last node opens    N | blob | {"host", ..., "ephemeral_key", "enc_type"}
//!                        |
//!   server opens         the request itself
//! ```

use std::fmt;

use serde_json::json;
use warren_crypto::Entropy;
use warren_crypto::x25519::{PublicKey, SecretKey};
use warren_wire::NodeId;

use crate::build::{BuildError, Hop, Layer, check_route, enclose};
use crate::framing;
use crate::header::OuterHeader;
use crate::layer::{Cipher, LayerKey};
use crate::peel::PeelError;
use crate::reply::{RelayFailure, Reply, ReplyError, ReplyKey, read_reply};
use crate::request::ServerResponse;

/// A server as the last node of a path needs it, and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `https` or `http`.
    pub protocol: String,
    /// Where it takes onions: `/oxen/v4/lsrpc`.
    pub target: String,
    /// The X25519 key its layer is sealed to.
    pub key: PublicKey,
}

/// A packet on its way to a server, and the keys to its answer.
pub struct ServerPacket {
    /// The body to POST to the first node of the path.
    pub packet: Vec<u8>,
    /// Opens the server's answer.
    server: ReplyKey,
    /// Opens the last node's refusal to pass the request on.
    last_node: ReplyKey,
}

/// Why there is no answer of the server's.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ServerReplyError {
    /// A node on the path failed, or the answer is none of the server's.
    #[error(transparent)]
    Path(#[from] ReplyError),
    /// The last node does not pass the request on.
    #[error("the last node of the path refused to ask the server: {}", .0.body)]
    Refused(Reply),
}

/// Wraps `payload` for a server: a request as [`crate::ServerRequest::encode`] writes it.
///
/// # Errors
/// Where the path is empty, too long or names a node twice, a key is unusable or the packet would
/// be too large: all layers together add less than 4 KiB.
pub fn build_for_server(
    path: &[Hop],
    server: &Server,
    payload: &[u8],
    cipher: Cipher,
    entropy: &mut dyn Entropy,
) -> Result<ServerPacket, BuildError> {
    // Errors name the node in front of the server where the server's own key is of no use.
    let (last, before) = path.split_last().ok_or(BuildError::EmptyPath)?;
    let end = Hop { id: NodeId::from_bytes(*server.key.as_bytes()), key: server.key };
    let route: Vec<_> = path.iter().chain([&end]).map(|hop| (*hop, cipher)).collect();
    check_route(&route)?;
    let inside = Layer::seal(end, cipher, payload, entropy)?;
    let frame = framing::join(&inside.sealed, &server_header(server, &inside.header))?;
    let layer = Layer::seal(*last, cipher, &frame, entropy)?;
    let before: Vec<_> = before.iter().map(|hop| (*hop, cipher)).collect();
    let (packet, last_node) = enclose(&before, layer, last.id, entropy)?;
    Ok(ServerPacket {
        packet,
        server: ReplyKey::new(inside.key),
        last_node: ReplyKey::new(last_node),
    })
}

fn server_header(server: &Server, layer: &OuterHeader) -> String {
    json!({
        "host": server.host,
        "port": server.port,
        "protocol": server.protocol,
        "target": server.target,
        "method": "POST",
        "ephemeral_key": hex::encode(layer.ephemeral.as_bytes()),
        "enc_type": layer.cipher.name(),
    })
    .to_string()
}

impl ServerPacket {
    /// Opens the body that came back: the server's v4 answer.
    ///
    /// # Errors
    /// Where a node on the path reports a failure or the last one a refusal, the bytes open under
    /// neither key, or what the server sealed is no answer.
    pub fn open(&self, body: &[u8]) -> Result<ServerResponse, ServerReplyError> {
        if let Some(failure) = RelayFailure::recognise(body) {
            return Err(ReplyError::Relay(failure).into());
        }
        if let Ok(answer) = self.server.open(body) {
            return ServerResponse::parse(answer).map_err(|_| ReplyError::Malformed.into());
        }
        let refusal = self.last_node.open(body).map_err(|_| ReplyError::Unreadable)?;
        let refusal = read_reply(&refusal).ok_or(ReplyError::Malformed)?;
        Err(ServerReplyError::Refused(refusal))
    }
}

impl fmt::Debug for ServerPacket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerPacket({} bytes)", self.packet.len())
    }
}

/// The server's end: opens what the last node passed on. Gives the request and the key that seals
/// its answer.
///
/// The caller bounds the size of `body` (`limits::MAX_BODY_BYTES`).
///
/// # Errors
/// Where the outside is malformed or the blob does not open.
pub fn peel_at_server(body: &[u8], own: &SecretKey) -> Result<(Vec<u8>, ReplyKey), PeelError> {
    let frame = framing::split(body)?;
    let header = OuterHeader::parse(frame.json)?;
    let key = LayerKey::for_node(header.cipher, own, &header.ephemeral)
        .map_err(|_| PeelError::Ciphertext)?;
    let request = key.open(frame.blob).map_err(|_| PeelError::Ciphertext)?;
    Ok((request, ReplyKey::new(key)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use warren_wire::limits::MAX_BODY_BYTES;

    use super::*;
    use crate::request::ServerRequest;
    use crate::tests::{BOTH, Network, Replay};
    use crate::{Peeled, ProxyRequest, ReplyForm, peel};

    fn server(network: &Network) -> Server {
        Server {
            host: "files.example".to_owned(),
            port: 80,
            protocol: "http".to_owned(),
            target: "/oxen/v4/lsrpc".to_owned(),
            key: network.secret(3).public_key(),
        }
    }

    fn request(body: &[u8]) -> ServerRequest {
        ServerRequest {
            method: "POST".to_owned(),
            endpoint: "/file".to_owned(),
            headers: vec![("X-FS-TTL".to_owned(), "60".to_owned())],
            body: body.to_vec(),
        }
    }

    /// Takes the packet through its nodes; what the last one is to pass on.
    fn carry(network: &Network, packet: &[u8]) -> ProxyRequest {
        let mut packet = packet.to_vec();
        for node in 0..2 {
            let Peeled::Relay { packet: inner, .. } = peel(&packet, network.secret(node)).unwrap()
            else {
                panic!("node {node} relays")
            };
            packet = inner;
        }
        let Peeled::Proxy(proxy) = peel(&packet, network.secret(2)).unwrap() else {
            panic!("the last node passes on")
        };
        proxy
    }

    #[test]
    fn a_request_reaches_the_server_through_three_nodes_and_its_answer_comes_back() {
        let network = Network::new("server", 4);
        let mut entropy = Replay::new("server");
        for cipher in BOTH {
            let payload = request(b"content").encode();
            let way = &network.hops()[..3];
            let sent =
                build_for_server(way, &server(&network), &payload, cipher, &mut entropy).unwrap();
            let proxy = carry(&network, &sent.packet);
            assert_eq!((proxy.host.as_str(), proxy.port), ("files.example", 80));
            assert_eq!((proxy.protocol.as_str(), proxy.method.as_str()), ("http", "POST"));
            let (opened, key) = peel_at_server(&proxy.body, network.secret(3)).unwrap();
            assert_eq!(ServerRequest::parse(opened), Ok(request(b"content")));
            let answer = ServerResponse { code: 206, headers: Vec::new(), body: vec![7; 100] };
            for base64 in [false, true] {
                let sealed = key.seal_bytes(&answer.encode(), base64, &mut entropy).unwrap();
                assert_eq!(sent.open(&sealed), Ok(answer.clone()));
            }
            let form = ReplyForm { json: false, base64: true };
            let refusal = proxy.reply.seal(403, "no", form, &mut entropy).unwrap();
            let refused = Reply { status: 403, body: "no".into() };
            assert_eq!(sent.open(&refusal), Err(ServerReplyError::Refused(refused)));
            let failed = sent.open(RelayFailure::TimedOut.to_string().as_bytes());
            assert_eq!(failed, Err(ReplyError::Relay(RelayFailure::TimedOut).into()));
            assert_eq!(sent.open(b"<html>"), Err(ReplyError::Unreadable.into()));
        }
    }

    #[test]
    fn all_layers_together_add_less_than_four_kib() {
        let network = Network::new("overhead", 4);
        let mut entropy = Replay::new("overhead");
        let way = &network.hops()[..3];
        let mut build = |bytes: usize| {
            let payload = vec![0; bytes];
            build_for_server(way, &server(&network), &payload, Cipher::XChaCha20, &mut entropy)
        };
        assert!(build(MAX_BODY_BYTES - 4096).is_ok());
        assert_eq!(build(MAX_BODY_BYTES).unwrap_err(), BuildError::TooLarge);
    }

    #[test]
    fn a_path_to_a_server_has_at_least_one_node() {
        let network = Network::new("empty", 4);
        let mut entropy = Replay::new("empty");
        let built = build_for_server(&[], &server(&network), b"", Cipher::AesGcm, &mut entropy);
        assert_eq!(built.unwrap_err(), BuildError::EmptyPath);
    }

    proptest! {
        #[test]
        fn any_bytes_open_at_a_server_to_an_error(bytes: Vec<u8>) {
            let network = Network::new("any", 1);
            prop_assert!(peel_at_server(&bytes, network.secret(0)).is_err());
        }
    }
}
