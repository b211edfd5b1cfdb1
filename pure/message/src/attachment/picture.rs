//! Profile pictures in the format that every client reads: AES-256-GCM in one piece.
//!
//! ```text
//! stored = nonce12 || AES-256-GCM(key32, nonce, picture)
//! ```
//!
//! Newer clients also write pictures in the format of [`super::stream`]; the mark of an address says
//! so. Source: session-desktop
//! `ts/util/crypto/profileEncrypter.ts`.

use warren_crypto::aead::{GCM_NONCE_BYTES, gcm_open, gcm_seal};
use warren_crypto::entropy::random;
use warren_crypto::{Entropy, Secret};

use super::FileError;
use crate::content::profile::Picture;

/// Seals a picture under a key that is fresh, for a server to store.
///
/// # Errors
/// Never for pictures below 64 GiB; the library's result is passed on.
pub fn seal_legacy(
    key: &Secret<32>,
    picture: &[u8],
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, FileError> {
    let nonce: [u8; GCM_NONCE_BYTES] = random(entropy);
    let mut stored = nonce.to_vec();
    stored.extend(gcm_seal(key, &nonce, picture)?);
    Ok(stored)
}

/// Opens a stored picture; the whole of it is in memory, so mind how much was fetched.
///
/// # Errors
/// [`FileError::Corrupt`] where it was altered, cut short or has another key.
pub fn open_legacy(picture: &Picture, stored: &[u8]) -> Result<Vec<u8>, FileError> {
    let (nonce, sealed) =
        stored.split_first_chunk::<GCM_NONCE_BYTES>().ok_or(FileError::Corrupt)?;
    Ok(gcm_open(picture.key(), nonce, sealed)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_entropy::Seeded;

    /// AES-256-GCM, test case 14 of McGrew and Viega's "The Galois/Counter Mode of Operation".
    #[test]
    fn a_published_ciphertext_opens() {
        let picture = Picture::new("http://h/file/1", Secret::take(&mut [0; 32])).unwrap();
        let sealed = "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919";
        let stored = [vec![0; 12], hex::decode(sealed).unwrap()].concat();
        assert_eq!(open_legacy(&picture, &stored), Ok(vec![0; 16]));
    }

    proptest! {
        #[test]
        fn a_picture_opens_with_its_key_alone(bytes: Vec<u8>, seed: u64) {
            let key = Secret::take(&mut [7; 32]);
            let stored = seal_legacy(&key, &bytes, &mut Seeded(seed)).unwrap();
            prop_assert_eq!(stored.len(), 12 + bytes.len() + 16);
            let picture = Picture::new("http://h/file/1", key).unwrap();
            prop_assert_eq!(open_legacy(&picture, &stored), Ok(bytes));
            let other = Picture::new("http://h/file/1", Secret::take(&mut [8; 32])).unwrap();
            prop_assert_eq!(open_legacy(&other, &stored), Err(FileError::Corrupt));
        }

        #[test]
        fn any_bytes_open_to_an_error(bytes: Vec<u8>) {
            let picture = Picture::new("http://h/file/1", Secret::take(&mut [7; 32])).unwrap();
            prop_assert_eq!(open_legacy(&picture, &bytes), Err(FileError::Corrupt));
        }
    }
}
