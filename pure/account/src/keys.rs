//! The keys of an account, all of which follow from one seed (wire spec, section 1).

use std::fmt;

use warren_crypto::ed25519::SigningKey;
use warren_crypto::x25519;
use warren_crypto::{CryptoError, Entropy, Secret};
use warren_wire::AccountId;

use crate::mnemonic::{Mnemonic, MnemonicError, Seed};

/// Why there is no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The typed recovery phrase is none; the owner can mend it.
    #[error(transparent)]
    Mnemonic(#[from] MnemonicError),
    /// The cryptographic library refused the seed, which it does for none.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// A person's account: the Ed25519 key that signs, the X25519 key of the same person, the id.
///
/// ```text
/// Ed25519 = keypair(seed32)      X25519 = SHA-512(seed32)[0..32], clamped
/// id      = 05 || X25519 public
/// ```
pub struct Account {
    signing_key: SigningKey,
    x25519: x25519::SecretKey,
    id: AccountId,
}

impl Account {
    /// A fresh account with a 16-byte seed, so that its phrase has 13 words.
    ///
    /// # Errors
    /// Never; the cryptographic library's result is passed on.
    pub fn random(entropy: &mut dyn Entropy) -> Result<Self, CryptoError> {
        Self::from_seed(&Seed::Short(Secret::random(entropy)))
    }

    /// The account of a recovery phrase of 13 words (or 12, 24, 25).
    ///
    /// # Errors
    /// [`AccountError::Mnemonic`] where the text is no recovery phrase.
    pub fn from_mnemonic(text: &str) -> Result<Self, AccountError> {
        Ok(Self::from_seed(&Mnemonic::parse(text)?)?)
    }

    /// The account of a seed read from a phrase.
    ///
    /// # Errors
    /// Never; the cryptographic library's result is passed on.
    pub fn from_seed(seed: &Seed) -> Result<Self, CryptoError> {
        Self::from_seed32(seed.to_seed32())
    }

    /// The account of a 32-byte Ed25519 seed, as [`Account::seed32`] gave it.
    ///
    /// # Errors
    /// Never; the cryptographic library's result is passed on.
    pub fn from_seed32(seed: Secret<32>) -> Result<Self, CryptoError> {
        let signing_key = SigningKey::from_seed(seed)?;
        let x25519 = signing_key.to_x25519()?;
        let id = AccountId::person(&x25519.public_key());
        Ok(Self { signing_key, x25519, id })
    }

    /// The account's id, `05...`.
    pub fn id(&self) -> AccountId {
        self.id
    }

    /// The phrase that brings this account back: 13 words, or 25 for a seed longer than 16 bytes.
    pub fn mnemonic(&self) -> Mnemonic {
        Mnemonic::encode(&Seed::from_seed32(self.seed32()))
    }

    /// The 32-byte seed, for a sealed file.
    pub fn seed32(&self) -> &Secret<32> {
        self.signing_key.seed()
    }

    /// The key this account signs with.
    pub fn signing_key(&self) -> &SigningKey {
        &self.signing_key
    }

    /// The key this account is written to with.
    pub fn x25519(&self) -> &x25519::SecretKey {
        &self.x25519
    }
}

impl fmt::Debug for Account {
    /// Not even the id: it would name a person in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        accounts: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        mnemonic: String,
        seed: String,
        ed25519_public: String,
        x25519_secret: Option<String>,
        account_id: String,
    }

    /// Replays one block over and over.
    struct Replay(u8);

    impl Entropy for Replay {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    fn vectors() -> Vec<Vector> {
        let text = include_str!("../../../spec/vectors/account.json");
        serde_json::from_str::<Vectors>(text).unwrap().accounts
    }

    #[test]
    fn published_phrases_lead_to_the_published_keys_and_ids() {
        for vector in vectors() {
            let account = Account::from_mnemonic(&vector.mnemonic).unwrap();
            let mut seed32 = hex::decode(&vector.seed).unwrap();
            seed32.resize(32, 0);
            assert_eq!(account.seed32().expose().as_slice(), seed32);
            assert_eq!(
                hex::encode(account.signing_key().verifying_key().as_bytes()),
                vector.ed25519_public
            );
            assert_eq!(account.id().to_string(), vector.account_id);
            assert_eq!(account.mnemonic().expose(), vector.mnemonic);
            if let Some(secret) = vector.x25519_secret {
                let mut scalar = *account.x25519().secret().expose();
                // RFC 7748, section 5: the vector shows the scalar clamped.
                scalar[0] &= 248;
                scalar[31] = (scalar[31] & 127) | 64;
                assert_eq!(hex::encode(scalar), secret);
            }
        }
    }

    #[test]
    fn a_fresh_account_has_thirteen_words_and_comes_back_from_them() {
        let account = Account::random(&mut Replay(0x5a)).unwrap();
        assert_eq!(account.mnemonic().words().count(), 13);
        let again = Account::from_mnemonic(account.mnemonic().expose()).unwrap();
        assert_eq!(again.id(), account.id());
    }

    #[test]
    fn a_mistyped_phrase_names_the_place_and_no_account_is_printed() {
        assert_eq!(
            Account::from_mnemonic("love love").unwrap_err(),
            AccountError::Mnemonic(MnemonicError::Count { found: 2 })
        );
        let account = Account::random(&mut Replay(1)).unwrap();
        assert_eq!(format!("{account:?}"), "Account(..)");
    }

    proptest! {
        #[test]
        fn every_seed_comes_back_from_storage_and_from_its_phrase(seed: [u8; 32]) {
            let account = Account::from_seed32(Secret::take(&mut seed.clone())).unwrap();
            let stored = Account::from_seed32(account.seed32().duplicate()).unwrap();
            prop_assert_eq!(stored.id(), account.id());
            let typed = Account::from_mnemonic(account.mnemonic().expose()).unwrap();
            prop_assert_eq!(typed.id(), account.id());
        }
    }
}
