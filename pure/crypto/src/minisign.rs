//! Signatures of files as the program `minisign` makes them.

use minisign_verify::{PublicKey, Signature};

use crate::CryptoError;

/// A key that signs files.
pub struct ReleaseKey(PublicKey);

impl ReleaseKey {
    /// Reads a public key as minisign writes it: 56 letters of Base64, with or without the comment line.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).ok_or(CryptoError)?;
        PublicKey::from_base64(line).map(Self).map_err(|_| CryptoError)
    }

    /// Whether `signature`, the text of a `.minisig` file, is this key's of `content`:
    /// `Ed25519(BLAKE2b-512(content))`, and the trusted comment under the same key
    /// (minisign, "Signature format"). The older form without the hash is refused.
    ///
    /// # Errors
    /// Where it is not, or is no signature.
    pub fn verify(&self, content: &[u8], signature: &str) -> Result<(), CryptoError> {
        let signature = Signature::decode(signature).map_err(|_| CryptoError)?;
        self.0.verify(content, &signature, false).map_err(|_| CryptoError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by minisign 0.11.
    const CONTENT: &[u8] = include_bytes!("../../../spec/vectors/update/manifest.json");
    const SIGNATURE: &str = include_str!("../../../spec/vectors/update/manifest.json.minisig");
    const OTHER: &str = include_str!("../../../spec/vectors/update/stranger.minisig");

    fn key() -> ReleaseKey {
        ReleaseKey::parse(include_str!("../../../spec/vectors/update/release.pub")).unwrap()
    }

    #[test]
    fn a_signature_by_minisign_holds_and_another_keys_does_not() {
        assert_eq!(key().verify(CONTENT, SIGNATURE), Ok(()));
        assert_eq!(key().verify(CONTENT, OTHER), Err(CryptoError));
    }

    #[test]
    fn altered_or_cut_content_signature_and_comment_are_refused() {
        for at in 0..CONTENT.len() {
            let mut altered = CONTENT.to_vec();
            altered[at] ^= 1;
            assert!(key().verify(&altered, SIGNATURE).is_err(), "byte {at}");
        }
        assert!(key().verify(&CONTENT[1..], SIGNATURE).is_err());
        let comment = SIGNATURE.replace("warren 0.2.0", "warren 9.9.9");
        assert!(key().verify(CONTENT, &comment).is_err());
        for end in 0..SIGNATURE.trim_end().len() {
            assert!(key().verify(CONTENT, &SIGNATURE[..end]).is_err(), "{end} bytes");
        }
        assert!(ReleaseKey::parse("").is_err());
        assert!(ReleaseKey::parse("RWQ").is_err());
    }
}
