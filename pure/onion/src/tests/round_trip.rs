//! A packet on its whole way: three hops, the destination, and the reply back.

use serde_json::json;
use warren_wire::limits::MAX_HOPS;

use super::{BOTH, Network, Replay};
use crate::build::{Built, Options, build_with, wrap};
use crate::{Cipher, PathRules, PeelError, Peeled, ReplyForm, choose_path, open_reply, peel};

const REQUEST: &[u8] = br#"{"method":"info","params":{}}"#;

/// Sends a packet through `network` from its first node and answers at its end, checking that it
/// passes the nodes in order.
fn travel(network: &Network, built: &Built, hops: usize) {
    let mut entropy = Replay::new("answer");
    let mut packet = built.packet.clone();
    for at in 0..hops {
        let others = (0..=hops).filter(|other| *other != at);
        for other in others {
            let refused = peel(&packet, network.secret(other)).unwrap_err();
            assert_eq!(refused, PeelError::Ciphertext, "node {other} opened node {at}'s layer");
        }
        let peeled = peel(&packet, network.secret(at)).unwrap();
        let Peeled::Relay { next, packet: inner, hop } = peeled else { panic!("{peeled:?}") };
        assert_eq!(next, network.hops()[at + 1].id);
        assert_eq!(usize::from(hop), at + 1);
        assert!(inner.len() < packet.len());
        packet = inner;
    }
    let peeled = peel(&packet, network.secret(hops)).unwrap();
    let Peeled::Deliver { payload, reply, json, base64 } = peeled else { panic!("{peeled:?}") };
    assert_eq!(payload, REQUEST);
    let body = json!({ "t": 1_700_000_000_000_u64 });
    let answer = reply.seal(200, &body, ReplyForm { json, base64 }, &mut entropy).unwrap();
    let read = open_reply(&built.reply_key, &answer).unwrap();
    assert_eq!((read.status, read.body), (200, body));
}

#[test]
fn three_hops_and_a_destination_carry_a_request_and_its_reply_under_either_cipher() {
    let network = Network::new("round trip", 4);
    let hops = network.hops();
    let mut entropy = Replay::new("packets");
    for cipher in BOTH {
        for base64 in [true, false] {
            let options = Options { cipher, base64 };
            let built = build_with(&hops[..3], &hops[3], REQUEST, options, &mut entropy).unwrap();
            travel(&network, &built, 3);
        }
    }
}

#[test]
fn every_mixture_of_ciphers_travels() {
    let network = Network::new("mixture", 4);
    let mut entropy = Replay::new("mixtures");
    for mixture in 0..16 {
        let route: Vec<_> = network
            .hops()
            .into_iter()
            .zip(0..)
            .map(|(hop, at)| (hop, BOTH[(mixture >> at) & 1]))
            .collect();
        let built = wrap(&route, REQUEST, true, &mut entropy).unwrap();
        travel(&network, &built, 3);
    }
}

#[test]
fn the_longest_path_and_the_shortest_travel() {
    let longest = usize::from(MAX_HOPS);
    let network = Network::new("lengths", longest + 1);
    let hops = network.hops();
    let mut entropy = Replay::new("length");
    for length in [1, longest] {
        let (path, destination) = (&hops[..length], &hops[length]);
        let options = Options { cipher: Cipher::XChaCha20, base64: true };
        let built = build_with(path, destination, REQUEST, options, &mut entropy).unwrap();
        travel(&network, &built, length);
    }
}

#[test]
fn a_chosen_path_carries_a_packet_to_its_destination() {
    let network = Network::new("chosen", 8);
    let nodes = network.records();
    let mut entropy = Replay::new("choice");
    let destination = network.hops()[5];
    let path =
        choose_path(&nodes, None, &destination.id, PathRules::default(), &mut entropy).unwrap();
    let hops = path.to_hops();
    let built =
        crate::build(&hops, &destination, REQUEST, Cipher::XChaCha20, &mut entropy).unwrap();
    let mut packet = built.packet;
    let mut at = hops[0].id;
    for _ in &hops {
        let Ok(Peeled::Relay { next, packet: inner, .. }) = peel(&packet, network.secret_of(at))
        else {
            panic!("no relay");
        };
        (packet, at) = (inner, next);
    }
    assert_eq!(at, destination.id);
    assert!(matches!(peel(&packet, network.secret_of(at)), Ok(Peeled::Deliver { .. })));
}
