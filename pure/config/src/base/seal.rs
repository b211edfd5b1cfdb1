//! How a configuration is made small, brought to a common size and encrypted.
//!
//! ```text
//! body  = 'z' || zstd(message) if that is shorter, else message
//! plain = zeros || body, so that plain || tag || nonce has one of few sizes
//! key   = BLAKE2b-32(key32 || u64be(|plain|) || domain)
//! nonce = BLAKE2b-24(plain, key = "libsessionutil-config-encrypted-" || domain)
//! out   = XChaCha20-Poly1305(key, nonce, plain) || nonce
//! ```
//!
//! The nonce follows from the plain text, so equal states give equal bytes and a swarm keeps one
//! (wire spec, section 2).

use warren_crypto::aead::{TAG_BYTES, XCHACHA_NONCE_BYTES, xchacha_open, xchacha_seal};
use warren_crypto::hash::{blake2b, blake2b_keyed};
use warren_crypto::{CryptoError, Secret};
use zstd::zstd_safe;

/// Bytes that encryption adds: a tag and the nonce.
pub const OVERHEAD: usize = TAG_BYTES + XCHACHA_NONCE_BYTES;

const NONCE_LABEL: &[u8] = b"libsessionutil-config-encrypted-";

/// The first byte of a compressed body.
const COMPRESSED: u8 = b'z';

/// Fast, and what all clients use: others would give other bytes for the same state.
const COMPRESSION_LEVEL: i32 = 1;

/// The most bytes a compressed message may unfold to.
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// The largest window a compressed message may ask for, as a power of two: that of its size.
const MAX_WINDOW_LOG: u32 = 24;

/// How many bytes a plain text of `size` has with padding, if `overhead` bytes join it later.
pub const fn padded_size(size: usize, overhead: usize) -> usize {
    let total = size + overhead;
    let step = match total {
        0..5_120 => 256,
        5_120..20_480 => 1_024,
        20_480..40_960 => 2_048,
        _ => 5_120,
    };
    total.div_ceil(step) * step - overhead
}

/// Puts zeros before a body up to its padded size.
pub(crate) fn pad(body: &[u8]) -> Vec<u8> {
    let size = padded_size(body.len(), OVERHEAD);
    let mut padded = vec![0; size.saturating_sub(body.len())];
    padded.extend_from_slice(body);
    padded
}

/// The body behind the zeros.
pub(crate) fn unpad(padded: &[u8]) -> &[u8] {
    let zeros = padded.iter().take_while(|byte| **byte == 0).count();
    padded.get(zeros..).unwrap_or_default()
}

/// The body of a message: compressed where that makes it shorter.
pub(crate) fn compress(message: Vec<u8>) -> Vec<u8> {
    let mut packed: Vec<u8> = Vec::with_capacity(zstd_safe::compress_bound(message.len()));
    match zstd_safe::compress(&mut packed, &message, COMPRESSION_LEVEL) {
        Ok(size) if size + 1 < message.len() => {
            packed.insert(0, COMPRESSED);
            packed
        }
        _ => message,
    }
}

/// The message of a body; `None` where it is of an unknown kind or does not unfold.
pub(crate) fn decompress(body: &[u8]) -> Option<Vec<u8>> {
    let message = match body.split_first()? {
        (&COMPRESSED, packed) => unfold(packed)?,
        _ => body.to_vec(),
    };
    message.first().is_some_and(|first| *first == b'd').then_some(message)
}

/// Unfolds what zstd packed, up to [`MAX_MESSAGE_BYTES`].
fn unfold(packed: &[u8]) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut decoder = zstd::stream::read::Decoder::new(packed).ok()?;
    decoder.window_log_max(MAX_WINDOW_LOG).ok()?;
    let limit = u64::try_from(MAX_MESSAGE_BYTES).ok()?;
    let mut message = Vec::new();
    decoder.take(limit + 1).read_to_end(&mut message).ok()?;
    (message.len() <= MAX_MESSAGE_BYTES).then_some(message)
}

/// Encrypts a plain text under the key of a domain.
///
/// # Errors
/// Never for domains of up to 32 bytes.
pub fn seal(plain: &[u8], key: &Secret<32>, domain: &str) -> Result<Vec<u8>, CryptoError> {
    let label = [NONCE_LABEL, domain.as_bytes()].concat();
    let nonce = blake2b_keyed(&label, &[plain])?;
    let mut sealed = xchacha_seal(&key_for(key, plain.len(), domain)?, &nonce, plain, b"")?;
    sealed.extend_from_slice(&nonce);
    Ok(sealed)
}

/// Opens what [`seal`] made.
///
/// # Errors
/// Where key, domain or bytes are others.
pub fn open(sealed: &[u8], key: &Secret<32>, domain: &str) -> Result<Vec<u8>, CryptoError> {
    let (sealed, nonce) = sealed.split_last_chunk().ok_or(CryptoError)?;
    let size = sealed.len().checked_sub(TAG_BYTES).ok_or(CryptoError)?;
    xchacha_open(&key_for(key, size, domain)?, nonce, sealed, b"")
}

fn key_for(key: &Secret<32>, size: usize, domain: &str) -> Result<Secret<32>, CryptoError> {
    let size = u64::try_from(size).map_err(|_| CryptoError)?.to_be_bytes();
    Ok(Secret::take(&mut blake2b(&[key.expose(), &size, domain.as_bytes()])?))
}
