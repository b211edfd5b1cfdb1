//! What becomes of a packet that someone on the way altered.

use warren_crypto::Entropy;
use warren_crypto::entropy::{random, random_index};
use warren_crypto::x25519::SecretKey;

use super::{BOTH, Network, Replay};
use crate::framing::{self, PREFIX_BYTES};
use crate::header::OuterHeader;
use crate::{Cipher, Peeled, build, peel};

/// The packet as each node of a 3-hop path and its destination receives it.
fn stages(network: &Network, cipher: Cipher) -> Vec<Vec<u8>> {
    let hops = network.hops();
    let mut entropy = Replay::new("tampering");
    let built = build(&hops[..3], &hops[3], b"{\"method\":1}", cipher, &mut entropy).unwrap();
    let mut stages = vec![built.packet];
    for at in 0..3 {
        let Ok(Peeled::Relay { packet, .. }) = peel(&stages[at], network.secret(at)) else {
            panic!("no relay");
        };
        stages.push(packet);
    }
    stages
}

fn flipped(packet: &[u8], at: usize, mask: u8) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet[at] ^= mask;
    packet
}

#[test]
fn one_inverted_byte_anywhere_is_an_error_at_the_node_that_receives_it() {
    let network = Network::new("inverted", 4);
    for cipher in BOTH {
        for (node, packet) in stages(&network, cipher).iter().enumerate() {
            for at in 0..packet.len() {
                let refused = peel(&flipped(packet, at, 0xff), network.secret(node));
                assert!(refused.is_err(), "{cipher:?}, node {node}, byte {at}");
            }
        }
    }
}

#[test]
fn one_flipped_bit_of_the_length_or_the_sealed_layer_is_an_error() {
    let network = Network::new("bits", 4);
    for cipher in BOTH {
        for (node, packet) in stages(&network, cipher).iter().enumerate() {
            let sealed = PREFIX_BYTES + framing::split(packet).ok().unwrap().blob.len();
            for at in 0..sealed {
                let mask = 1 << (at % 8);
                let refused = peel(&flipped(packet, at, mask), network.secret(node));
                assert!(refused.is_err(), "{cipher:?}, node {node}, byte {at}");
            }
        }
    }
}

/// The header beside a layer is not authenticated: a flip either breaks it or opens the same layer.
#[test]
fn one_flipped_bit_of_the_header_is_an_error_or_changes_nothing_of_the_layer() {
    let network = Network::new("header bits", 4);
    for cipher in BOTH {
        let packet = &stages(&network, cipher)[0];
        let blob = framing::split(packet).ok().unwrap().blob;
        let Ok(Peeled::Relay { next, packet: inner, .. }) = peel(packet, network.secret(0)) else {
            panic!("no relay");
        };
        let inner_blob = framing::split(&inner).ok().unwrap().blob;
        for at in PREFIX_BYTES + blob.len()..packet.len() {
            for bit in 0..8 {
                let altered = flipped(packet, at, 1 << bit);
                let Ok(peeled) = peel(&altered, network.secret(0)) else { continue };
                let Peeled::Relay { next: to, packet, .. } = peeled else { panic!("{peeled:?}") };
                assert_eq!(to, next);
                assert_eq!(framing::split(&packet).ok().unwrap().blob, inner_blob);
            }
        }
    }
}

#[test]
fn an_xchacha_layer_is_bound_to_the_exact_one_time_key() {
    // X25519 ignores the top bit of a coordinate; the key derivation does not.
    let network = Network::new("top bit", 4);
    for (cipher, opens) in [(Cipher::XChaCha20, false), (Cipher::AesGcm, true)] {
        let packet = &stages(&network, cipher)[0];
        let frame = framing::split(packet).ok().unwrap();
        let mut header = OuterHeader::parse(frame.json).unwrap();
        let mut key = *header.ephemeral.as_bytes();
        key[31] ^= 0x80;
        header.ephemeral = warren_crypto::x25519::PublicKey::from_bytes(key);
        let altered = framing::join(frame.blob, &header.to_json()).unwrap();
        assert_eq!(peel(&altered, network.secret(0)).is_ok(), opens);
    }
}

#[test]
fn six_thousand_mutated_packets_peel_to_a_value_or_an_error() {
    let network = Network::new("mutations", 4);
    let mut entropy = Replay::new("mutation");
    let all: Vec<_> =
        BOTH.iter().flat_map(|cipher| stages(&network, *cipher).into_iter().enumerate()).collect();
    for round in 0..6_000 {
        let (node, packet) = &all[round % all.len()];
        let mutated = mutate(packet.clone(), &mut entropy);
        let _ = peel(&mutated, network.secret(*node));
    }
}

/// The same for what lies behind the seal, which only a client that seals it can alter.
#[test]
fn five_thousand_mutated_layers_peel_to_a_value() {
    let network = Network::new("inner mutations", 4);
    let mut entropy = Replay::new("inner mutation");
    let hop = network.hops()[0];
    let ephemeral = SecretKey::random(&mut entropy).unwrap();
    let key = crate::layer::LayerKey::for_client(Cipher::AesGcm, &ephemeral, &hop.key).unwrap();
    let header = OuterHeader { ephemeral: ephemeral.public_key(), cipher: Cipher::AesGcm, hop: 0 };
    let packet = &stages(&network, Cipher::AesGcm)[0];
    let blob = framing::split(packet).ok().unwrap().blob;
    let relay = {
        let outer = OuterHeader::parse(framing::split(packet).ok().unwrap().json).unwrap();
        let own = network.secret(0);
        let key = crate::layer::LayerKey::for_node(outer.cipher, own, &outer.ephemeral).unwrap();
        key.open(blob).unwrap()
    };
    let deliver = framing::join(b"{}", r#"{"headers":"","json":true,"base64":true}"#).unwrap();
    let proxy =
        framing::join(b"{}", r#"{"host":"a","target":"/loki/v3/lsrpc","port":80}"#).unwrap();
    for round in 0..5_100 {
        let layer = [&relay, &deliver, &proxy][round % 3].clone();
        let sealed = key.seal(&mutate(layer, &mut entropy), &mut entropy).unwrap();
        let body = framing::join(&sealed, &header.to_json()).unwrap();
        assert!(peel(&body, network.secret(0)).is_ok());
    }
}

/// Alters bytes, cuts, doubles or inserts, one to four times.
fn mutate(mut packet: Vec<u8>, entropy: &mut dyn Entropy) -> Vec<u8> {
    for _ in 0..=random_index(entropy, 4).unwrap() {
        let at = random_index(entropy, packet.len()).unwrap_or(0);
        let [kind, byte] = random(entropy);
        match kind % 6 {
            0 | 1 if !packet.is_empty() => packet[at] ^= byte | 1,
            2 => packet.truncate(at),
            3 => packet.insert(at, byte),
            4 => packet.extend_from_within(at..),
            5 if at >= PREFIX_BYTES => {
                packet.remove(at);
            }
            _ => {
                packet.splice(..at.min(PREFIX_BYTES), random::<4>(entropy));
            }
        }
    }
    packet
}
