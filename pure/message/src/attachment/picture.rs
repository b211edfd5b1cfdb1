//! Profile pictures in the older format, as contacts may still have them: AES-256-GCM in one piece.
//!
//! ```text
//! stored = nonce12 || AES-256-GCM(key32, nonce, picture)
//! ```
//!
//! It is only read: new pictures are in the format of [`super::stream`], and the mark of their address
//! says so. Source: session-desktop
//! `ts/util/crypto/profileEncrypter.ts`.

use warren_crypto::aead::{GCM_NONCE_BYTES, gcm_open};

use super::FileError;
use crate::content::profile::Picture;

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
    use warren_crypto::Secret;

    use super::*;

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
        fn any_bytes_open_to_an_error(bytes: Vec<u8>) {
            let picture = Picture::new("http://h/file/1", Secret::take(&mut [7; 32])).unwrap();
            prop_assert_eq!(open_legacy(&picture, &bytes), Err(FileError::Corrupt));
        }
    }
}
