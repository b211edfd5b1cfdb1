//! What the tests share: randomness that repeats, and a network of nodes with known keys.

mod round_trip;
mod tampering;
mod vectors;

use std::net::Ipv4Addr;

use warren_crypto::hash::blake2b;
use warren_crypto::x25519::SecretKey;
use warren_crypto::{Entropy, Secret};
use warren_wire::directory::{NodeRecord, Roles};
use warren_wire::{NodeId, SwarmId};

use crate::build::Hop;
use crate::framing;
use crate::header::OuterHeader;
use crate::layer::{Cipher, LayerKey};
use crate::reply::ReplyKey;

/// Both ciphers.
pub(crate) const BOTH: [Cipher; 2] = [Cipher::XChaCha20, Cipher::AesGcm];

/// Bytes that follow from a seed: `BLAKE2b-32(seed, counter)`.
pub(crate) struct Replay {
    seed: [u8; 32],
    count: u64,
}

impl Replay {
    pub(crate) fn new(seed: &str) -> Self {
        Self { seed: blake2b(&[seed.as_bytes()]).unwrap(), count: 0 }
    }
}

impl Entropy for Replay {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let block: [u8; 32] = blake2b(&[&self.seed, &self.count.to_le_bytes()]).unwrap();
            self.count += 1;
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// Nodes, each in a /24 of its own.
pub(crate) struct Network {
    secrets: Vec<SecretKey>,
    ids: Vec<NodeId>,
}

impl Network {
    pub(crate) fn new(seed: &str, nodes: usize) -> Self {
        let mut entropy = Replay::new(seed);
        let secrets = (0..nodes).map(|_| SecretKey::random(&mut entropy).unwrap()).collect();
        let ids = (0..nodes)
            .map(|_| NodeId::from_bytes(*Secret::<32>::random(&mut entropy).expose()))
            .collect();
        Self { secrets, ids }
    }

    pub(crate) fn secret(&self, node: usize) -> &SecretKey {
        &self.secrets[node]
    }

    pub(crate) fn secret_of(&self, id: NodeId) -> &SecretKey {
        self.secret(self.ids.iter().position(|known| *known == id).unwrap())
    }

    pub(crate) fn hops(&self) -> Vec<Hop> {
        self.records().iter().map(Hop::from).collect()
    }

    pub(crate) fn records(&self) -> Vec<NodeRecord> {
        let nodes = self.secrets.iter().zip(&self.ids).zip(1_u8..);
        nodes
            .map(|((secret, id), number)| NodeRecord {
                id: *id,
                x25519: secret.public_key(),
                ip: Ipv4Addr::new(10, 1, number, 1),
                port: 22021,
                swarm: SwarmId(u64::from(number)),
                certificate: None,
                roles: Roles::default(),
            })
            .collect()
    }
}

/// A body of one layer with any content, and the client's key to the reply.
pub(crate) fn seal_layer(
    hop: &Hop,
    cipher: Cipher,
    blob: &[u8],
    json: &str,
) -> (Vec<u8>, ReplyKey) {
    let mut entropy = Replay::new("one layer");
    let ephemeral = SecretKey::random(&mut entropy).unwrap();
    let key = LayerKey::for_client(cipher, &ephemeral, &hop.key).unwrap();
    let sealed = key.seal(&framing::join(blob, json).unwrap(), &mut entropy).unwrap();
    let header = OuterHeader { ephemeral: ephemeral.public_key(), cipher, hop: 0 };
    (framing::join(&sealed, &header.to_json()).unwrap(), ReplyKey::new(key))
}
