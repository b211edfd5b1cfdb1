//! The packets of two mixnets, with the same request inside: bytes in, bytes out, as ours.

use nym_outfox::packet::OutfoxPacket;
use sphinx_packet::crypto::{PrivateKey, PublicKey};
use sphinx_packet::header::delays::{Delay, generate_from_nanos};
use sphinx_packet::payload::PAYLOAD_OVERHEAD_SIZE;
use sphinx_packet::route::{Destination, DestinationAddressBytes, Node, NodeAddressBytes};
use sphinx_packet::{ProcessedPacketData, SphinxPacket, SphinxPacketBuilder};
use sphinx_packet_of_outfox::crypto as outfox_keys;
use sphinx_packet_of_outfox::route as outfox_route;

use crate::Outcome;
use crate::onion::REQUEST_BYTES;

pub(crate) const SPHINX: &str = "sphinx-packet 0.8, 4 nodes";
pub(crate) const SPHINX_SHORTER: &str = "sphinx-packet 0.8, 3 nodes";
pub(crate) const OUTFOX: &str = "nym-outfox 1.21, 4 nodes";

/// What the routes say of every node and of the destination; nothing depends on it.
const ADDRESS: [u8; 32] = [3; 32];

/// A route of nodes that speak Sphinx.
pub(crate) struct Sphinx {
    guard: PrivateKey,
    route: Vec<Node>,
    destination: Destination,
    delays: Vec<Delay>,
    request: Vec<u8>,
}

impl Sphinx {
    pub(crate) fn new(nodes: usize) -> Self {
        let guard = PrivateKey::random();
        let others = std::iter::repeat_with(PrivateKey::random).take(nodes.saturating_sub(1));
        let keys = std::iter::once(PublicKey::from(&guard))
            .chain(others.map(|secret| PublicKey::from(&secret)));
        let route = keys.map(|key| Node::new(NodeAddressBytes::from_bytes(ADDRESS), key));
        Self {
            route: route.collect(),
            guard,
            destination: Destination::new(DestinationAddressBytes::from_bytes(ADDRESS), [4; 16]),
            delays: generate_from_nanos(nodes, 1),
            request: vec![b'x'; REQUEST_BYTES],
        }
    }

    pub(crate) fn build(&self) -> Outcome<Vec<u8>> {
        let packet = SphinxPacketBuilder::new()
            .with_payload_size(REQUEST_BYTES + PAYLOAD_OVERHEAD_SIZE)
            .build_packet(&self.request, &self.route, &self.destination, &self.delays)?;
        Ok(packet.to_bytes())
    }

    pub(crate) fn peel(&self, packet: &[u8]) -> Outcome<Vec<u8>> {
        match SphinxPacket::from_bytes(packet)?.process(&self.guard)?.data {
            ProcessedPacketData::ForwardHop { next_hop_packet, .. } => {
                Ok(next_hop_packet.to_bytes())
            }
            ProcessedPacketData::FinalHop { .. } => Err("the guard is not the final hop".into()),
        }
    }
}

/// A route of nodes that speak Outfox.
pub(crate) struct Outfox {
    guard: outfox_keys::PrivateKey,
    route: [outfox_route::Node; 4],
    destination: outfox_route::Destination,
    request: Vec<u8>,
}

impl Outfox {
    pub(crate) fn new() -> Self {
        let [guard, second, third, last] =
            std::array::from_fn(|_| outfox_keys::PrivateKey::random());
        let route = [&guard, &second, &third, &last].map(|secret| {
            let address = outfox_route::NodeAddressBytes::from_bytes(ADDRESS);
            outfox_route::Node::new(address, outfox_keys::PublicKey::from(secret))
        });
        let address = outfox_route::DestinationAddressBytes::from_bytes(ADDRESS);
        let destination = outfox_route::Destination::new(address, [4; 16]);
        Self { guard, route, destination, request: vec![b'x'; REQUEST_BYTES] }
    }

    pub(crate) fn build(&self) -> Outcome<Vec<u8>> {
        let size = Some(REQUEST_BYTES);
        let packet = OutfoxPacket::build(&self.request, &self.route, &self.destination, size)?;
        Ok(packet.to_bytes()?)
    }

    pub(crate) fn peel(&self, packet: &[u8]) -> Outcome<Vec<u8>> {
        let mut packet = OutfoxPacket::try_from(packet)?;
        packet.decode_next_layer(&self.guard)?;
        Ok(packet.to_bytes()?)
    }
}
