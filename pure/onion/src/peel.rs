//! A node takes one layer off: what is inside is for the next node, for itself, or for a server.

use std::fmt;

use warren_crypto::x25519::SecretKey;
use warren_wire::NodeId;
use warren_wire::limits::MAX_HOPS;

use crate::framing::{self, FrameError, PREFIX_BYTES};
use crate::header::{HeaderError, InnerHeader, OuterHeader, ProxyHeader};
use crate::layer::LayerKey;
use crate::reply::ReplyKey;

/// What a layer held.
pub enum Peeled {
    /// Another node's: to be sent on as it is.
    Relay {
        /// Whose it is.
        next: NodeId,
        /// The body for the next node's `/onion_req/v2`, with the count of hops raised.
        packet: Vec<u8>,
        /// The count that `packet` carries: 1 where this node is the guard.
        hop: u8,
    },
    /// A request to this node.
    Deliver {
        /// The request as the client wrote it, unchecked: should be `{"method", "params"}`.
        payload: Vec<u8>,
        /// Seals the answer.
        reply: ReplyKey,
        /// Whether an answer that is JSON is embedded as such.
        json: bool,
        /// Whether the sealed answer is written in base64.
        base64: bool,
    },
    /// A request to a server outside the network.
    Proxy(ProxyRequest),
    /// The layer opened and made no sense: the node seals 400 "Invalid json", in base64.
    Malformed {
        /// Seals the answer.
        reply: ReplyKey,
    },
}

/// A request that the client wants passed on to a server, parsed and not otherwise checked.
pub struct ProxyRequest {
    /// Host name.
    pub host: String,
    /// 443 where the client named none.
    pub port: u16,
    /// `https` where the client named none.
    pub protocol: String,
    /// Path of the URL. The reference passes on only what starts with `/loki/` or `/oxen/`, ends
    /// with `/lsrpc` and has no `?`.
    pub target: String,
    /// `POST` where the client named none; the reference ignores it.
    pub method: String,
    /// The body for the server: the whole opened layer, header included, which the server parses
    /// for itself.
    pub body: Vec<u8>,
    /// Seals this node's refusal; a server's answer goes back as it came.
    pub reply: ReplyKey,
}

/// Why a packet was not peeled: its sender's fault, HTTP status 400. The text is the plain answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeelError {
    /// The bytes are no frame.
    #[error("Error parsing onion request: {0}")]
    Frame(#[from] FrameError),
    /// The JSON beside the layer is not understood.
    #[error("Error parsing onion request: {0}")]
    Header(#[from] HeaderError),
    /// The layer does not open: for another node, altered, or a key of low order.
    #[error("Invalid ciphertext")]
    Ciphertext,
    /// The packet says it has passed more than 15 nodes.
    #[error("onion request max path length exceeded")]
    TooManyHops,
}

/// Opens the layer of `body` that is sealed to `own`: one X25519, one decryption, and for a relay
/// no further copy, since the next node's body is made in the buffer the layer was opened into.
///
/// The caller bounds the size of `body` (`limits::MAX_BODY_BYTES`).
///
/// # Errors
/// Where the outside is malformed or the layer does not open. What is wrong behind a layer that
/// opened is no error but [`Peeled::Malformed`], for it is answered under that layer's key.
pub fn peel(body: &[u8], own: &SecretKey) -> Result<Peeled, PeelError> {
    let frame = framing::split(body)?;
    let header = OuterHeader::parse(frame.json)?;
    if header.hop > MAX_HOPS {
        return Err(PeelError::TooManyHops);
    }
    let key = LayerKey::for_node(header.cipher, own, &header.ephemeral)
        .map_err(|_| PeelError::Ciphertext)?;
    let layer = key.open(frame.blob).map_err(|_| PeelError::Ciphertext)?;
    Ok(read_layer(layer, header.hop, ReplyKey::new(key)))
}

fn read_layer(mut layer: Vec<u8>, hop: u8, reply: ReplyKey) -> Peeled {
    let Ok(frame) = framing::split(&layer) else { return Peeled::Malformed { reply } };
    let Ok(header) = InnerHeader::parse(frame.json) else { return Peeled::Malformed { reply } };
    let end = PREFIX_BYTES + frame.blob.len();
    match header {
        InnerHeader::Relay { next, ephemeral, cipher } => {
            let hop = hop.saturating_add(1);
            layer.truncate(end);
            let header = OuterHeader { ephemeral, cipher, hop };
            layer.extend_from_slice(header.to_json().as_bytes());
            Peeled::Relay { next, packet: layer, hop }
        }
        InnerHeader::Deliver { json, base64 } => {
            layer.truncate(end);
            layer.drain(..PREFIX_BYTES);
            Peeled::Deliver { payload: layer, reply, json, base64 }
        }
        InnerHeader::Proxy(to) => Peeled::Proxy(ProxyRequest::new(to, layer, reply)),
    }
}

impl ProxyRequest {
    fn new(to: ProxyHeader, body: Vec<u8>, reply: ReplyKey) -> Self {
        let ProxyHeader { host, port, protocol, target, method } = to;
        Self { host, port, protocol, target, method, body, reply }
    }
}

impl fmt::Debug for Peeled {
    /// Names the kind alone: what a packet holds is in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relay { .. } => "Relay",
            Self::Deliver { .. } => "Deliver",
            Self::Proxy(_) => "Proxy",
            Self::Malformed { .. } => "Malformed",
        })
    }
}

impl fmt::Debug for ProxyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyRequest(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use warren_crypto::x25519::PublicKey;

    use super::*;
    use crate::layer::Cipher;
    use crate::reply::open_reply;
    use crate::tests::{BOTH, Network, Replay, seal_layer};

    #[test]
    fn a_packet_that_passed_too_many_nodes_is_refused() {
        let network = Network::new("hops", 1);
        let body = |hop: &str| {
            let (packet, _) = seal_layer(&network.hops()[0], Cipher::AesGcm, b"{}", "{}");
            let frame = framing::split(&packet).ok().unwrap();
            let json = String::from_utf8(frame.json.to_vec()).unwrap();
            framing::join(frame.blob, &json.replace('}', &format!(r#","hop_no":{hop}}}"#))).unwrap()
        };
        assert!(peel(&body("15"), network.secret(0)).is_ok());
        let refused = peel(&body("16"), network.secret(0)).unwrap_err();
        assert_eq!(refused, PeelError::TooManyHops);
        assert_eq!(refused.to_string(), "onion request max path length exceeded");
        assert!(peel(&body("99999999999"), network.secret(0)).is_err());
    }

    #[test]
    fn outer_failures_speak_the_words_of_the_reference() {
        let network = Network::new("words", 1);
        let refusal = |body: &[u8]| peel(body, network.secret(0)).unwrap_err().to_string();
        assert_eq!(
            refusal(b"abc"),
            "Error parsing onion request: Unexpected payload size; expected ciphertext size"
        );
        assert_eq!(
            refusal(b"\0\0\0\0{}"),
            "Error parsing onion request: [json.exception.out_of_range.403] key 'ephemeral_key' \
             not found"
        );
        let header = |key: [u8; 32]| OuterHeader {
            ephemeral: PublicKey::from_bytes(key),
            cipher: Cipher::AesGcm,
            hop: 0,
        };
        for key in [[0; 32], [9; 32]] {
            let body = framing::join(&[7; 100], &header(key).to_json()).unwrap();
            assert_eq!(refusal(&body), "Invalid ciphertext");
        }
    }

    #[test]
    fn what_is_malformed_behind_an_opened_layer_can_be_answered_under_its_key() {
        let network = Network::new("inner", 1);
        let key = "ab".repeat(32);
        for json in [
            "",
            "[]",
            "{}",
            r#"{"headers":"","json":"yes"}"#,
            r#"{"host":"example.org"}"#,
            r#"{"host":"example.org","target":"/","port":65536}"#,
            &format!(r#"{{"destination":"{key}"}}"#),
            &format!(r#"{{"destination":"{key}","ephemeral_key":"{key}","enc_type":"aes-cbc"}}"#),
        ] {
            for cipher in BOTH {
                let (packet, client) = seal_layer(&network.hops()[0], cipher, b"blob", json);
                let Peeled::Malformed { reply } = peel(&packet, network.secret(0)).unwrap() else {
                    panic!("{json} was understood");
                };
                let text = reply.seal_malformed(&mut Replay::new("reply")).unwrap();
                let read = open_reply(&client, &text).unwrap();
                assert_eq!((read.status, read.body), (400, "Invalid json".into()));
            }
        }
    }

    #[test]
    fn a_request_for_a_server_is_parsed_whole() {
        let network = Network::new("proxy", 1);
        let json = r#"{"host":"example.org","target":"/oxen/v4/lsrpc","extra":1}"#;
        let (packet, _) = seal_layer(&network.hops()[0], Cipher::XChaCha20, b"blob", json);
        let Peeled::Proxy(request) = peel(&packet, network.secret(0)).unwrap() else {
            panic!("no proxy request");
        };
        assert_eq!((request.host.as_str(), request.port), ("example.org", 443));
        assert_eq!((request.protocol.as_str(), request.method.as_str()), ("https", "POST"));
        assert_eq!(request.target, "/oxen/v4/lsrpc");
        assert_eq!(request.body, framing::join(b"blob", json).unwrap());
    }

    proptest! {
        #[test]
        fn any_bytes_peel_to_an_error_and_any_sealed_bytes_to_a_value(bytes: Vec<u8>, gcm: bool) {
            let network = Network::new("any", 1);
            prop_assert!(peel(&bytes, network.secret(0)).is_err());
            let cipher = if gcm { Cipher::AesGcm } else { Cipher::XChaCha20 };
            let text = String::from_utf8_lossy(&bytes);
            let (packet, _) = seal_layer(&network.hops()[0], cipher, &bytes, &text);
            prop_assert!(peel(&packet, network.secret(0)).is_ok());
        }
    }
}
