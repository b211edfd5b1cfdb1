//! Hashes and message authentication codes.

use aws_lc_rs::{digest, hmac};
use libsodium_rs::crypto_generichash::blake2b;

use crate::CryptoError;

/// `BLAKE2b-N(part0 || part1 || ...)` with the native digest length `N` (16 to 64), RFC 7693.
///
/// # Errors
/// Where `N` lies outside 16..=64.
pub fn blake2b<const N: usize>(parts: &[&[u8]]) -> Result<[u8; N], CryptoError> {
    blake2b_with(None, parts)
}

/// `BLAKE2b-N(parts, key)`, RFC 7693 with a key of 1 to 64 bytes.
///
/// A key shorter than 16 bytes sets purposes apart and authenticates nothing.
///
/// # Errors
/// Where `N` lies outside 16..=64, or the key's length outside 1..=64.
pub fn blake2b_keyed<const N: usize>(key: &[u8], parts: &[&[u8]]) -> Result<[u8; N], CryptoError> {
    if key.is_empty() { Err(CryptoError) } else { blake2b_with(Some(key), parts) }
}

fn blake2b_with<const N: usize>(
    key: Option<&[u8]>,
    parts: &[&[u8]],
) -> Result<[u8; N], CryptoError> {
    let mut state = blake2b::State::new(key, N).map_err(|_| CryptoError)?;
    for part in parts {
        state.update(part);
    }
    state.finalize().try_into().map_err(|_| CryptoError)
}

/// `BLAKE2b-N(part0 || part1 || ..., key, personalisation)` for any `N` of 1 to 64, with a key of 0 to
/// 64 bytes (RFC 7693; the personalisation is left to the paper, section 2.8).
///
/// Through `blake2b_simd`: libsodium computes such hashes too, its Rust wrapper not those below 16
/// bytes. Fewer than 16 bytes find something, as a device among some, and prove nothing.
///
/// # Errors
/// Where `N` lies outside 1..=64 or the key is longer than 64 bytes.
pub fn blake2b_personal<const N: usize>(
    personal: &[u8; 16],
    key: &[u8],
    parts: &[&[u8]],
) -> Result<[u8; N], CryptoError> {
    if !(1..=blake2b_simd::OUTBYTES).contains(&N) || key.len() > blake2b_simd::KEYBYTES {
        return Err(CryptoError);
    }
    let mut parameters = blake2b_simd::Params::new();
    let mut state = parameters.hash_length(N).key(key).personal(personal).to_state();
    for part in parts {
        state.update(part);
    }
    state.finalize().as_bytes().try_into().map_err(|_| CryptoError)
}

/// `BLAKE2b-N` with a salt (RFC 7693 leaves it to the paper, section 2.8), fed piece by piece.
pub struct SaltedBlake2b<const N: usize>(blake2b::State);

impl<const N: usize> SaltedBlake2b<N> {
    /// Starts a hash.
    ///
    /// # Errors
    /// Where `N` lies outside 16..=64.
    pub fn new(salt: &[u8; 16]) -> Result<Self, CryptoError> {
        blake2b::State::new_with_salt_and_personal(None, N, Some(salt), None)
            .map(Self)
            .map_err(|_| CryptoError)
    }

    /// Takes the next piece in.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of all pieces.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub fn finish(mut self) -> Result<[u8; N], CryptoError> {
        self.0.finalize().try_into().map_err(|_| CryptoError)
    }
}

/// `SHA-256(data)`, FIPS 180-4.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    fixed(digest::digest(&digest::SHA256, data).as_ref())
}

/// `SHA-512(part0 || part1 || ...)`, FIPS 180-4.
pub fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    let mut state = digest::Context::new(&digest::SHA512);
    for part in parts {
        state.update(part);
    }
    fixed(state.finish().as_ref())
}

/// `HMAC-SHA-256(key, data)`, RFC 2104.
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    fixed(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref())
}

/// Copies the leading `N` bytes of a digest that the library guarantees to be that long.
fn fixed<const N: usize>(digest: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(digest) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sha256_and_hmac_match_fips_and_rfc_4231_vectors() {
        assert_eq!(
            hex::encode(sha256(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hex::encode(hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn sha512_matches_the_fips_vector_however_the_data_is_cut() {
        assert_eq!(
            hex::encode(sha512(&[b"a", b"", b"bc"])),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        );
    }

    /// Computed by Python's hashlib.
    #[test]
    fn a_keyed_hash_takes_short_keys() {
        assert_eq!(
            hex::encode(blake2b_keyed::<24>(b"SubaccountSig", &[b"abc"]).unwrap()),
            "8e78f467f15f42318ed4172a52a17bca1d9d6f1103a9970c"
        );
    }

    #[test]
    fn blake2b_512_of_abc_matches_rfc_7693_appendix_a() {
        assert_eq!(
            hex::encode(blake2b::<64>(&[b"a", b"bc"]).unwrap()),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
             7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
        );
    }

    /// Computed by Python's hashlib.
    #[test]
    fn a_personal_hash_has_any_length() {
        let person = b"Session-Msg-KISS";
        let two = blake2b_personal::<2>(person, b"key", &[b"a", b"bc"]).unwrap();
        assert_eq!(hex::encode(two), "43af");
        let eight = blake2b_personal::<8>(person, b"", &[b"abc"]).unwrap();
        assert_eq!(hex::encode(eight), "2785fcd16b3774e6");
        let key = [7; 64];
        let long = blake2b_personal::<64>(person, &key, &[b"abc"]).unwrap();
        assert_eq!(
            hex::encode(long),
            "55d2bc382abed442555e4a5e781406c3e123097f3608e7cdf27f57cc8697e9ed\
             f7c395bcfd1bafe263b7939dfd2c93660971a10b9a0784241a50b9b7f298efc5"
        );
        assert_eq!(blake2b_personal::<0>(person, b"", &[]), Err(CryptoError));
        assert_eq!(blake2b_personal::<65>(person, b"", &[]), Err(CryptoError));
        assert_eq!(blake2b_personal::<32>(person, &[0; 65], &[]), Err(CryptoError));
    }

    proptest! {
        #[test]
        fn a_personal_hash_is_that_of_libsodium(data: Vec<u8>, key: [u8; 32], person: [u8; 16]) {
            let ours = blake2b_personal::<24>(&person, &key, &[&data]).unwrap();
            let mut state =
                blake2b::State::new_with_salt_and_personal(Some(&key), 24, None, Some(&person)).unwrap();
            state.update(&data);
            prop_assert_eq!(ours.as_slice(), state.finalize());
        }
    }

    /// Computed by Python's hashlib.
    #[test]
    fn a_salted_hash_is_the_same_however_the_data_is_cut() {
        let data: Vec<u8> = (0..1280_u16).map(|n| n.to_le_bytes()[0]).collect();
        for cut in [0, 1, 500, 1280] {
            let mut hash = SaltedBlake2b::<33>::new(b"SessionFileSvr\0\0").unwrap();
            hash.update(&data[..cut]);
            hash.update(&data[cut..]);
            assert_eq!(
                hex::encode(hash.finish().unwrap()),
                "94c05a75311647826f7c11af2ce6de4bf8fcbbd9420bd7bddd946c23bc889c3a4d"
            );
        }
    }

    #[test]
    fn a_length_outside_the_range_is_refused() {
        assert_eq!(blake2b::<8>(&[b"x"]), Err(CryptoError));
        assert_eq!(blake2b_keyed::<32>(b"", &[b"x"]), Err(CryptoError));
        assert_eq!(blake2b_keyed::<32>(&[1; 65], &[b"x"]), Err(CryptoError));
    }
}
