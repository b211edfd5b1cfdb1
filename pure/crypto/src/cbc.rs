//! AES-256 in CBC mode with PKCS #7 padding, piece by piece: for files in Session's older format.
//!
//! CBC authenticates nothing. What [`Decryptor`] gives out is worth nothing until a code over the
//! ciphertext was checked, and that before [`Decryptor::finish`]: whether its padding is right must
//! tell nobody anything.

use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptionContext, StreamingDecryptingKey, StreamingEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;

use crate::{CryptoError, Secret};

/// Bytes of a block, and of an initialisation vector.
pub const BLOCK_BYTES: usize = 16;

/// `AES-256-CBC(key, iv, plaintext || padding)` (NIST SP 800-38A, RFC 5652 section 6.3).
pub struct Encryptor(StreamingEncryptingKey);

impl Encryptor {
    /// Starts a message. The vector must not be foreseen by whoever chooses the plaintext.
    ///
    /// # Errors
    /// Never for 32 bytes; the library's result is passed on.
    pub fn new(key: &Secret<32>, iv: &[u8; BLOCK_BYTES]) -> Result<Self, CryptoError> {
        let context = EncryptionContext::Iv128(FixedLength::from(*iv));
        StreamingEncryptingKey::less_safe_cbc_pkcs7(unbound(key)?, context)
            .map(Self)
            .map_err(|_| CryptoError)
    }

    /// The ciphertext of what is whole blocks by now.
    ///
    /// # Errors
    /// Never for pieces below 2 GiB.
    pub fn update(&mut self, piece: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut out = vec![0; piece.len() + BLOCK_BYTES];
        let length = self.0.update(piece, &mut out).map_err(|_| CryptoError)?.written().len();
        out.truncate(length);
        Ok(out)
    }

    /// The last block, with the padding.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub fn finish(self) -> Result<Vec<u8>, CryptoError> {
        let mut out = vec![0; BLOCK_BYTES];
        let (_, last) = self.0.finish(&mut out).map_err(|_| CryptoError)?;
        Ok(last.written().to_vec())
    }
}

/// Undoes what [`Encryptor`] did.
pub struct Decryptor(StreamingDecryptingKey);

impl Decryptor {
    /// Starts a message.
    ///
    /// # Errors
    /// Never for 32 bytes; the library's result is passed on.
    pub fn new(key: &Secret<32>, iv: &[u8; BLOCK_BYTES]) -> Result<Self, CryptoError> {
        let context = DecryptionContext::Iv128(FixedLength::from(*iv));
        StreamingDecryptingKey::cbc_pkcs7(unbound(key)?, context).map(Self).map_err(|_| CryptoError)
    }

    /// The plaintext of what is whole blocks by now, but for the last.
    ///
    /// # Errors
    /// Never for pieces below 2 GiB.
    pub fn update(&mut self, piece: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut out = vec![0; piece.len() + BLOCK_BYTES];
        let length = self.0.update(piece, &mut out).map_err(|_| CryptoError)?.written().len();
        out.truncate(length);
        Ok(out)
    }

    /// The rest, without the padding.
    ///
    /// # Errors
    /// Where the ciphertext is no whole blocks, or ends in no padding.
    pub fn finish(self) -> Result<Vec<u8>, CryptoError> {
        let mut out = vec![0; BLOCK_BYTES];
        let last = self.0.finish(&mut out).map_err(|_| CryptoError)?;
        Ok(last.written().to_vec())
    }
}

fn unbound(key: &Secret<32>) -> Result<UnboundCipherKey, CryptoError> {
    UnboundCipherKey::new(&AES_256, key.expose()).map_err(|_| CryptoError)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blocks_match_nist_sp_800_38a_f_2_5() {
        let key = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
        let key = Secret::from_slice(&hex::decode(key).unwrap()).unwrap();
        let iv: [u8; 16] = std::array::from_fn(|at| at.to_le_bytes()[0]);
        let plaintext = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
        let mut cipher = Encryptor::new(&key, &iv).unwrap();
        let blocks = cipher.update(&hex::decode(plaintext).unwrap()).unwrap();
        assert_eq!(
            hex::encode(blocks),
            "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
        );
    }

    #[test]
    fn what_is_no_whole_block_or_has_no_padding_is_refused() {
        let (key, iv) = (Secret::take(&mut [1; 32]), [2; 16]);
        for length in [0, 15, 17] {
            let mut cipher = Decryptor::new(&key, &iv).unwrap();
            cipher.update(&vec![3; length]).unwrap();
            assert_eq!(cipher.finish(), Err(CryptoError), "{length}");
        }
    }

    proptest! {
        #[test]
        fn pieces_decrypt_to_what_was_encrypted(
            key: [u8; 32], iv: [u8; 16], plaintext: Vec<u8>, cut: proptest::sample::Index,
        ) {
            let key = Secret::from_slice(&key).unwrap();
            let (head, tail) = plaintext.split_at(cut.index(plaintext.len() + 1));
            let mut cipher = Encryptor::new(&key, &iv).unwrap();
            let mut sealed = cipher.update(head).unwrap();
            sealed.extend(cipher.update(tail).unwrap());
            sealed.extend(cipher.finish().unwrap());
            prop_assert_eq!(sealed.len(), plaintext.len() / BLOCK_BYTES * BLOCK_BYTES + BLOCK_BYTES);
            let (head, tail) = sealed.split_at(cut.index(sealed.len() + 1));
            let mut cipher = Decryptor::new(&key, &iv).unwrap();
            let mut opened = cipher.update(head).unwrap();
            opened.extend(cipher.update(tail).unwrap());
            opened.extend(cipher.finish().unwrap());
            prop_assert_eq!(opened, plaintext);
        }
    }
}
