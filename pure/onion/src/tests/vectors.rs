//! Known answers: `spec/vectors/onion.json`, computed by an independent implementation.

use serde::Deserialize;
use warren_crypto::x25519::{PublicKey, SecretKey};
use warren_crypto::{Entropy, Secret};
use warren_wire::id::key_from_hex;

use crate::layer::{Cipher, LayerKey};
use crate::{
    Peeled, ReplyForm, ReplyKey, ServerRequest, ServerResponse, framing, open_reply, peel,
    peel_at_server,
};

#[derive(Deserialize)]
struct Vectors {
    framing: Vec<FramingVector>,
    layers: Vec<LayerVector>,
    packets: Vec<PacketVector>,
    servers: Vec<ServerVector>,
}

#[derive(Deserialize)]
struct ServerVector {
    secret: String,
    body: String,
    method: String,
    endpoint: String,
    content: String,
    answer_nonce: String,
    answer: String,
    sealed_answer: String,
}

#[derive(Deserialize)]
struct FramingVector {
    bytes: String,
    blob: String,
    json: String,
}

#[derive(Deserialize)]
struct LayerVector {
    cipher: String,
    client_secret: String,
    client_public: String,
    node_secret: String,
    node_public: String,
    nonce: String,
    plaintext: String,
    sealed: String,
    reply_nonce: String,
    reply_status: u16,
    reply_body: serde_json::Value,
    reply_base64: String,
}

#[derive(Deserialize)]
struct PacketVector {
    nodes: Vec<NodeVector>,
    packet: String,
    request: String,
    json: bool,
    base64: bool,
}

#[derive(Deserialize)]
struct NodeVector {
    id: String,
    secret: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../../spec/vectors/onion.json")).unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn secret(text: &str) -> SecretKey {
    SecretKey::from_secret(Secret::from_slice(&bytes(text)).unwrap()).unwrap()
}

fn public(text: &str) -> PublicKey {
    PublicKey::from_bytes(key_from_hex(text).unwrap())
}

/// Hands out the bytes it was given, once.
struct Fixed(Vec<u8>);

impl Entropy for Fixed {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&std::mem::take(&mut self.0));
    }
}

#[test]
fn frames_split_as_the_reference_splits_them() {
    for vector in vectors().framing {
        let joined = bytes(&vector.bytes);
        let frame = framing::split(&joined).ok().unwrap();
        assert_eq!(frame.blob, vector.blob.as_bytes());
        assert_eq!(frame.json, vector.json.as_bytes());
        assert_eq!(framing::join(frame.blob, &vector.json).unwrap(), joined);
    }
}

#[test]
fn layers_seal_and_open_as_computed_independently() {
    let vectors = vectors().layers;
    assert_eq!(vectors.len(), 4);
    for vector in vectors {
        let cipher = Cipher::from_name(&vector.cipher).unwrap();
        let (client, node) = (secret(&vector.client_secret), secret(&vector.node_secret));
        assert_eq!(client.public_key(), public(&vector.client_public));
        let ours = LayerKey::for_client(cipher, &client, &public(&vector.node_public)).unwrap();
        let theirs = LayerKey::for_node(cipher, &node, &public(&vector.client_public)).unwrap();
        let (plaintext, sealed) = (bytes(&vector.plaintext), bytes(&vector.sealed));
        for key in [&ours, &theirs] {
            assert_eq!(key.seal(&plaintext, &mut Fixed(bytes(&vector.nonce))).unwrap(), sealed);
            assert_eq!(key.open(&sealed).unwrap(), plaintext);
        }
        let form = ReplyForm { json: true, base64: true };
        let mut nonce = Fixed(bytes(&vector.reply_nonce));
        let reply = ReplyKey::new(theirs);
        let text = reply.seal(vector.reply_status, &vector.reply_body, form, &mut nonce).unwrap();
        assert_eq!(text, vector.reply_base64.as_bytes());
        let read = open_reply(&ReplyKey::new(ours), &text).unwrap();
        assert_eq!((read.status, read.body), (vector.reply_status, vector.reply_body));
    }
}

#[test]
fn packets_built_independently_peel_to_the_request() {
    let vectors = vectors().packets;
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let mut packet = bytes(&vector.packet);
        let (last, path) = vector.nodes.split_last().unwrap();
        for (node, following) in path.iter().zip(&vector.nodes[1..]) {
            let peeled = peel(&packet, &secret(&node.secret)).unwrap();
            let Peeled::Relay { next, packet: inner, .. } = peeled else { panic!("{peeled:?}") };
            assert_eq!(next.to_string(), following.id);
            packet = inner;
        }
        let peeled = peel(&packet, &secret(&last.secret)).unwrap();
        let Peeled::Deliver { payload, json, base64, .. } = peeled else { panic!("{peeled:?}") };
        assert_eq!(payload, vector.request.as_bytes());
        assert_eq!((json, base64), (vector.json, vector.base64));
    }
}

#[test]
fn requests_to_servers_made_independently_open_and_are_answered_alike() {
    let vectors = vectors().servers;
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let (opened, key) = peel_at_server(&bytes(&vector.body), &secret(&vector.secret)).unwrap();
        let request = ServerRequest::parse(opened).unwrap();
        assert_eq!((request.method, request.endpoint), (vector.method, vector.endpoint));
        assert_eq!(request.headers, [("X-FS-TTL".to_owned(), "60".to_owned())]);
        assert_eq!(request.body, bytes(&vector.content));
        let mut nonce = Fixed(bytes(&vector.answer_nonce));
        let sealed = key.seal_bytes(vector.answer.as_bytes(), false, &mut nonce).unwrap();
        assert_eq!(sealed, bytes(&vector.sealed_answer));
        let answer = ServerResponse::parse(vector.answer.into_bytes()).unwrap();
        assert_eq!((answer.code, answer.body.as_slice()), (200, &b"{}"[..]));
    }
}
