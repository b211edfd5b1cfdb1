//! An onion packet built and one of its layers peeled, beside Sphinx, Outfox and the primitives alone.

use warren_crypto::aead::{XCHACHA_NONCE_BYTES, xchacha_open, xchacha_seal};
use warren_crypto::hash::blake2b;
use warren_crypto::x25519::SecretKey;
use warren_crypto::{CryptoError, Secret, SystemEntropy, entropy};
use warren_onion::{Cipher, Hop, build, peel};
use warren_wire::NodeId;

use crate::contest::{self, Contestant};
use crate::onion_opponents::{OUTFOX, Outfox, SPHINX, SPHINX_SHORTER, Sphinx};
use crate::row::{Basis, Goal};
use crate::{Effort, Outcome, Row};

/// Bytes of the request inside.
pub(crate) const REQUEST_BYTES: usize = 2_048;
/// Three hops and the destination, each with a layer.
const LAYERS: usize = 4;
const FLOOR: &str = "floor: X25519 + BLAKE2b + XChaCha20";

/// Measures building a packet of four layers and peeling the outermost.
///
/// # Errors
/// Where a packet just built does not peel.
pub fn rows(effort: Effort) -> Outcome<Vec<Row>> {
    let nodes = Nodes::random()?;
    Ok(vec![
        build_row(effort, &nodes)?,
        peel_row(effort, &nodes, "onion-peel", "one hop peeled, 2 KiB", Cipher::XChaCha20)?,
        peel_row(effort, &nodes, "onion-peel-gcm", "the same under AES-GCM", Cipher::AesGcm)?,
    ])
}

fn build_row(effort: Effort, nodes: &Nodes) -> Outcome<Row> {
    let sphinx = Sphinx::new(LAYERS);
    let shorter = Sphinx::new(LAYERS - 1);
    let outfox = Outfox::new();
    let results = contest::of_small(
        effort,
        vec![
            Contestant::each("warren", || nodes.packet(Cipher::XChaCha20)),
            Contestant::each(SPHINX, || sphinx.build()),
            Contestant::each(SPHINX_SHORTER, || shorter.build()),
            Contestant::each(OUTFOX, || outfox.build()),
            Contestant::each(FLOOR, || Ok(nodes.seal_alone()?)),
        ],
    )?;
    let what = "3 hops + destination built, 2 KiB";
    Ok(Row::of_contest("onion-build", what, Basis::Cpu, &results)
        .with_goal(SPHINX, Goal::at_most("P2", 0.5)))
}

fn peel_row(
    effort: Effort,
    nodes: &Nodes,
    name: &'static str,
    what: &'static str,
    cipher: Cipher,
) -> Outcome<Row> {
    let packet = nodes.packet(cipher)?;
    let sphinx = Sphinx::new(LAYERS);
    let outfox = Outfox::new();
    let (their_sphinx, their_outfox) = (sphinx.build()?, outfox.build()?);
    let lone = LoneLayer::seal(nodes)?;
    let results = contest::of_small(
        effort,
        vec![
            Contestant::each("warren", || Ok(peel(&packet, nodes.guard()?)?)),
            Contestant::each(SPHINX, || sphinx.peel(&their_sphinx)),
            Contestant::each(OUTFOX, || outfox.peel(&their_outfox)),
            Contestant::each(FLOOR, || Ok(lone.open(nodes.guard()?)?)),
        ],
    )?;
    Ok(Row::of_contest(name, what, Basis::Cpu, &results)
        .with_goal(SPHINX, Goal::at_most("P1", 0.45))
        .with_goal(OUTFOX, Goal::at_most("P1", 0.8)))
}

/// Three hops and a destination, with their private keys.
struct Nodes {
    secrets: Vec<SecretKey>,
    hops: Vec<Hop>,
    request: Vec<u8>,
}

impl Nodes {
    fn random() -> Result<Self, CryptoError> {
        let keys = (0..LAYERS).map(|_| SecretKey::random(&mut SystemEntropy));
        let secrets = keys.collect::<Result<Vec<_>, _>>()?;
        let hops = secrets.iter().map(|secret| {
            let id = NodeId::from_bytes(entropy::random(&mut SystemEntropy));
            Hop { id, key: secret.public_key() }
        });
        Ok(Self { hops: hops.collect(), request: vec![b'x'; REQUEST_BYTES], secrets })
    }

    fn guard(&self) -> Result<&SecretKey, CryptoError> {
        self.secrets.first().ok_or(CryptoError)
    }

    fn packet(&self, cipher: Cipher) -> Outcome<Vec<u8>> {
        let (destination, path) = self.hops.split_last().ok_or(CryptoError)?;
        Ok(build(path, destination, &self.request, cipher, &mut SystemEntropy)?.packet)
    }

    /// What no builder of this protocol can do without: a one-time key, an agreement, a hash and a
    /// seal for each layer.
    fn seal_alone(&self) -> Result<Vec<u8>, CryptoError> {
        let mut sealed = Vec::new();
        for hop in &self.hops {
            let ephemeral = SecretKey::random(&mut SystemEntropy)?;
            let shared = ephemeral.agree(&hop.key)?;
            let key = layer_key(&shared, &[ephemeral.public_key().as_bytes(), hop.key.as_bytes()])?;
            let nonce: [u8; XCHACHA_NONCE_BYTES] = entropy::random(&mut SystemEntropy);
            sealed = xchacha_seal(&key, &nonce, &self.request, &[])?;
        }
        Ok(sealed)
    }
}

/// A request sealed to one node, without any frame.
struct LoneLayer {
    ephemeral: SecretKey,
    nonce: [u8; XCHACHA_NONCE_BYTES],
    sealed: Vec<u8>,
}

impl LoneLayer {
    fn seal(nodes: &Nodes) -> Result<Self, CryptoError> {
        let ephemeral = SecretKey::random(&mut SystemEntropy)?;
        let guard = nodes.guard()?.public_key();
        let key = layer_key(
            &ephemeral.agree(&guard)?,
            &[ephemeral.public_key().as_bytes(), guard.as_bytes()],
        )?;
        let nonce = entropy::random(&mut SystemEntropy);
        let sealed = xchacha_seal(&key, &nonce, &nodes.request, &[])?;
        Ok(Self { ephemeral, nonce, sealed })
    }

    fn open(&self, node: &SecretKey) -> Result<Vec<u8>, CryptoError> {
        let client = self.ephemeral.public_key();
        let shared = node.agree(&client)?;
        let key = layer_key(&shared, &[client.as_bytes(), node.public_key().as_bytes()])?;
        xchacha_open(&key, &self.nonce, &self.sealed, &[])
    }
}

fn layer_key(shared: &Secret<32>, keys: &[&[u8]; 2]) -> Result<Secret<32>, CryptoError> {
    let [client, node] = keys;
    let mut key = blake2b(&[shared.expose(), client, node])?;
    Ok(Secret::take(&mut key))
}
