//! A stream of chunks, each authenticated with its place in the stream: libsodium's
//! `crypto_secretstream_xchacha20poly1305`.
//!
//! libsodium draws the header of a new stream at random. Session's files need one that follows from
//! their content, so writing goes through RustCrypto's `crypto_secretstream`, which takes the source
//! of the header as an argument; reading is libsodium's own. The tests run each against the other.

use crypto_secretstream::aead::{self, rand_core};
use crypto_secretstream::{Key, PushStream, Tag};
use libsodium_rs::crypto_secretstream::xchacha20poly1305 as sodium;

use crate::{CryptoError, Secret};

/// Bytes of the header.
pub const HEADER_BYTES: usize = 24;
/// What each chunk grows by: a tag and a code.
pub const OVERHEAD_BYTES: usize = 17;

/// Writes a stream.
pub struct Push(PushStream);

impl Push {
    /// Starts a stream under `key` and `header`.
    ///
    /// A header must never repeat under one key for another content: derive both from it.
    pub fn new(key: &Secret<32>, header: &[u8; HEADER_BYTES]) -> Self {
        let (_, stream) = PushStream::init(Given(header), &Key::from(*key.expose()));
        Self(stream)
    }

    /// The next chunk; `last` marks the end, under the code.
    ///
    /// # Errors
    /// Never for chunks below 256 GiB.
    pub fn push(&mut self, chunk: &[u8], last: bool) -> Result<Vec<u8>, CryptoError> {
        let mut buffer = Vec::with_capacity(chunk.len() + OVERHEAD_BYTES);
        buffer.extend_from_slice(chunk);
        let tag = if last { Tag::Final } else { Tag::Message };
        self.0.push(&mut buffer, &[], tag).map_err(|_: aead::Error| CryptoError)?;
        Ok(buffer)
    }
}

/// Reads a stream.
pub struct Pull(sodium::PullState);

impl Pull {
    /// Starts a stream.
    ///
    /// # Errors
    /// Never for 32 and 24 bytes; the library's result is passed on.
    pub fn new(key: &Secret<32>, header: &[u8; HEADER_BYTES]) -> Result<Self, CryptoError> {
        let key = sodium::Key::from_bytes(key.expose()).map_err(|_| CryptoError)?;
        sodium::PullState::init_pull(header, &key).map(Self).map_err(|_| CryptoError)
    }

    /// The next chunk, and whether it is the last.
    ///
    /// # Errors
    /// Where it was altered, is not the next one, or comes after the last.
    pub fn pull(&mut self, chunk: &[u8]) -> Result<(Vec<u8>, bool), CryptoError> {
        let (plain, tag) = self.0.pull(chunk, None).map_err(|_| CryptoError)?;
        Ok((plain, tag == sodium::TAG_FINAL))
    }
}

/// Gives the header out where the library asks for random bytes.
struct Given<'a>(&'a [u8; HEADER_BYTES]);

impl rand_core::RngCore for Given<'_> {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        for (to, from) in out.iter_mut().zip(self.0) {
            *to = *from;
        }
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(out);
        Ok(())
    }
}

/// Asked for by the library; the caller of [`Push::new`] answers for the header.
impl rand_core::CryptoRng for Given<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn libsodium_writes_the_same_bytes_under_the_same_header() {
        let key = sodium::Key::from_bytes(&[7; 32]).unwrap();
        let (mut theirs, header) = sodium::PushState::init_push(&key).unwrap();
        let mut ours = Push::new(&Secret::take(&mut [7; 32]), &header);
        for (length, last) in [(0, false), (1, false), (64, false), (32_768, false), (77, true)] {
            let chunk = vec![3; length];
            let tag = if last { sodium::TAG_FINAL } else { sodium::TAG_MESSAGE };
            let expected = theirs.push(&chunk, None, tag).unwrap();
            assert_eq!(ours.push(&chunk, last).unwrap(), expected, "{length}");
        }
    }

    proptest! {
        #[test]
        fn chunks_are_read_in_their_order_or_not_at_all(
            key: [u8; 32], header: [u8; 24], chunks: Vec<Vec<u8>>, at: prop::sample::Index, bit in 0_u8..8,
        ) {
            let key = Secret::from_slice(&key).unwrap();
            let mut push = Push::new(&key, &header);
            let mut pull = Pull::new(&key, &header).unwrap();
            for (number, chunk) in chunks.iter().enumerate() {
                let last = number + 1 == chunks.len();
                let sealed = push.push(chunk, last).unwrap();
                prop_assert_eq!(sealed.len(), chunk.len() + OVERHEAD_BYTES);
                let mut altered = sealed.clone();
                altered[at.index(sealed.len())] ^= 1 << bit;
                prop_assert!(pull.pull(&altered).is_err());
                prop_assert_eq!(pull.pull(&sealed).unwrap(), (chunk.clone(), last));
                prop_assert!(pull.pull(&sealed).is_err());
            }
        }
    }
}
