//! Bytes that follow from a seed and look random to everyone who does not know it.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};

use crate::Secret;

/// The nonce that libsodium fixes for [`expand`].
const NONCE: &[u8; 12] = b"LibsodiumDRG";

/// The first `length` bytes of `ChaCha20(seed, "LibsodiumDRG")`, from block 0 (RFC 8439).
///
/// The same as libsodium's `randombytes_buf_deterministic`. At most 256 GiB; for one purpose a seed.
pub fn expand(seed: &Secret<32>, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    ChaCha20::new(seed.expose().into(), NONCE.into()).apply_keystream(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// libsodium's `test/default/randombytes.exp`.
    #[test]
    fn the_bytes_are_those_of_libsodium() {
        let seed: Vec<u8> = (0..32).collect();
        let bytes = expand(&Secret::from_slice(&seed).unwrap(), 100);
        assert_eq!(
            hex::encode(bytes),
            "0d8e6cc68715648926732e7ea73250cfaf2d58422083904c841a8ba33b986111\
             f346ba50723a68ae283524a6bded09f83be6b80595856f72e25b86918e8b114b\
             afb94bc8abedd73daab454576b7c5833eb0bf982a1bb4587a5c970ff0810ca3b\
             791d7e12"
        );
    }
}
