//! A client wraps a request: one layer for every node on the path and one for the destination.

use std::fmt;

use warren_crypto::x25519::{PublicKey, SecretKey};
use warren_crypto::{CryptoError, Entropy};
use warren_wire::NodeId;
use warren_wire::directory::NodeRecord;
use warren_wire::limits::{MAX_BODY_BYTES, MAX_HOPS};

use crate::framing::{self, BlobTooLong};
use crate::header::{InnerHeader, OuterHeader};
use crate::layer::{Cipher, LayerKey};
use crate::reply::ReplyKey;

/// A node as a packet needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// Its name, which the node before it reads.
    pub id: NodeId,
    /// The key its layer is sealed to.
    pub key: PublicKey,
}

impl From<&NodeRecord> for Hop {
    fn from(node: &NodeRecord) -> Self {
        Self { id: node.id, key: node.x25519 }
    }
}

/// How a packet is sealed and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The cipher of every layer, and of the reply.
    pub cipher: Cipher,
    /// Whether the reply comes in base64, which any carrier survives, or raw, a quarter shorter.
    pub base64: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { cipher: Cipher::XChaCha20, base64: true }
    }
}

/// A packet on its way out, and the key to its answer.
pub struct Built {
    /// The body to POST to the first node of the path.
    pub packet: Vec<u8>,
    /// Opens the one reply to this packet.
    pub reply_key: ReplyKey,
}

impl fmt::Debug for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Built({} bytes)", self.packet.len())
    }
}

/// Why a packet was not built. All but [`BuildError::NodeKey`] are misuse by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// No node between the client and the destination.
    #[error("an onion needs at least one node before its destination")]
    EmptyPath,
    /// More nodes than the protocol lets a packet pass.
    #[error("an onion passes at most {MAX_HOPS} nodes, the path has {0}")]
    PathTooLong(usize),
    /// A node twice on the path, or the destination on it.
    #[error("node {0} stands twice on the path: choose another path")]
    Repeated(NodeId),
    /// The directory lists a key for this node that no one can agree on a secret with.
    #[error("the directory's X25519 key of node {0} is unusable: choose another node")]
    NodeKey(NodeId),
    /// The packet would exceed what a node accepts.
    #[error("the request makes a packet of more than {MAX_BODY_BYTES} bytes: send less at once")]
    TooLarge,
    /// A primitive refused well-formed input.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl From<BlobTooLong> for BuildError {
    fn from(_: BlobTooLong) -> Self {
        Self::TooLarge
    }
}

/// Wraps `payload` (a JSON request, `{"method", "params"}`) for `destination`, sealed with
/// `cipher`, answered in base64.
///
/// Every layer has a fresh one-time key, so nothing links two packets or two layers.
///
/// # Errors
/// Where the path is empty, too long or names a node twice, a node's key is unusable or the packet
/// would be too large.
pub fn build(
    path: &[Hop],
    destination: &Hop,
    payload: &[u8],
    cipher: Cipher,
    entropy: &mut dyn Entropy,
) -> Result<Built, BuildError> {
    build_with(path, destination, payload, Options { cipher, ..Options::default() }, entropy)
}

/// As [`build`], with a say in how the reply is written.
///
/// # Errors
/// As [`build`].
pub fn build_with(
    path: &[Hop],
    destination: &Hop,
    payload: &[u8],
    options: Options,
    entropy: &mut dyn Entropy,
) -> Result<Built, BuildError> {
    let route: Vec<_> =
        path.iter().chain([destination]).map(|hop| (*hop, options.cipher)).collect();
    check_route(&route)?;
    wrap(&route, payload, options.base64, entropy)
}

/// Refuses a way that is too short, too long or comes back to a node. The last hop may be a server.
pub(crate) fn check_route(route: &[(Hop, Cipher)]) -> Result<(), BuildError> {
    let hops = route.len().saturating_sub(1);
    if hops == 0 {
        return Err(BuildError::EmptyPath);
    }
    if hops > usize::from(MAX_HOPS) {
        return Err(BuildError::PathTooLong(hops));
    }
    let mut seen = Vec::with_capacity(route.len());
    for (hop, _) in route {
        if seen.contains(&hop.id) {
            return Err(BuildError::Repeated(hop.id));
        }
        seen.push(hop.id);
    }
    Ok(())
}

/// Wraps from the inside out. The last hop of `route` is the destination; each hop has its cipher.
pub(crate) fn wrap(
    route: &[(Hop, Cipher)],
    payload: &[u8],
    base64: bool,
    entropy: &mut dyn Entropy,
) -> Result<Built, BuildError> {
    let (&(destination, cipher), path) = route.split_last().ok_or(BuildError::EmptyPath)?;
    let header = InnerHeader::Deliver { json: true, base64 };
    let request = framing::join(payload, &header.to_json())?;
    let layer = Layer::seal(destination, cipher, &request, entropy)?;
    let (packet, key) = enclose(path, layer, destination.id, entropy)?;
    Ok(Built { packet, reply_key: ReplyKey::new(key) })
}

/// Puts the layers of a path's nodes around one that is for `addressee`; gives the packet and the
/// key of the layer that was enclosed.
pub(crate) fn enclose(
    path: &[(Hop, Cipher)],
    inside: Layer,
    addressee: NodeId,
    entropy: &mut dyn Entropy,
) -> Result<(Vec<u8>, LayerKey), BuildError> {
    let Layer { mut header, mut sealed, key } = inside;
    let mut next = addressee;
    for &(hop, cipher) in path.iter().rev() {
        let relay = InnerHeader::Relay { next, ephemeral: header.ephemeral, cipher: header.cipher };
        let frame = framing::join(&sealed, &relay.to_json())?;
        Layer { header, sealed, .. } = Layer::seal(hop, cipher, &frame, entropy)?;
        next = hop.id;
    }
    let packet = framing::join(&sealed, &header.to_json())?;
    if packet.len() > MAX_BODY_BYTES {
        return Err(BuildError::TooLarge);
    }
    Ok((packet, key))
}

/// A sealed layer and what its node must be told to open it.
pub(crate) struct Layer {
    pub(crate) header: OuterHeader,
    pub(crate) sealed: Vec<u8>,
    pub(crate) key: LayerKey,
}

impl Layer {
    pub(crate) fn seal(
        hop: Hop,
        cipher: Cipher,
        plaintext: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<Self, BuildError> {
        let ephemeral = SecretKey::random(entropy)?;
        let key = LayerKey::for_client(cipher, &ephemeral, &hop.key)
            .map_err(|_| BuildError::NodeKey(hop.id))?;
        let sealed = key.seal(plaintext, entropy)?;
        let header = OuterHeader { ephemeral: ephemeral.public_key(), cipher, hop: 0 };
        Ok(Self { header, sealed, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Network, Replay};

    fn refusal(path: &[Hop], destination: &Hop, payload: &[u8]) -> BuildError {
        let mut entropy = Replay::new("refusals");
        build(path, destination, payload, Cipher::XChaCha20, &mut entropy).unwrap_err()
    }

    #[test]
    fn a_path_is_neither_empty_nor_too_long_nor_visits_a_node_twice() {
        let network = Network::new("build", 17);
        let hops = network.hops();
        let (path, destination) = (&hops[..16], &hops[16]);
        assert_eq!(refusal(&[], destination, b""), BuildError::EmptyPath);
        assert_eq!(refusal(path, destination, b""), BuildError::PathTooLong(16));
        assert_eq!(refusal(&hops[..3], &hops[1], b""), BuildError::Repeated(hops[1].id));
        let twice = [hops[0], hops[2], hops[0]];
        assert_eq!(refusal(&twice, destination, b""), BuildError::Repeated(hops[0].id));
        let mut entropy = Replay::new("longest");
        assert!(build(&path[..15], destination, b"", Cipher::AesGcm, &mut entropy).is_ok());
    }

    #[test]
    fn an_unusable_key_names_its_node_and_a_request_too_large_is_refused() {
        let mut hops = Network::new("build", 4).hops();
        assert_eq!(refusal(&hops[..3], &hops[3], &vec![0; MAX_BODY_BYTES]), BuildError::TooLarge);
        hops[1].key = PublicKey::from_bytes([0; 32]);
        assert_eq!(refusal(&hops[..3], &hops[3], b""), BuildError::NodeKey(hops[1].id));
    }

    #[test]
    fn two_packets_of_one_request_share_no_key_and_the_client_writes_no_hop_number() {
        let hops = Network::new("build", 4).hops();
        let mut entropy = Replay::new("fresh");
        let mut outer = || {
            let built = build(&hops[..3], &hops[3], b"x", Cipher::XChaCha20, &mut entropy).unwrap();
            let frame = framing::split(&built.packet).ok().unwrap();
            assert!(!String::from_utf8_lossy(frame.json).contains("hop_no"));
            OuterHeader::parse(frame.json).unwrap()
        };
        assert_ne!(outer().ephemeral, outer().ephemeral);
    }
}
