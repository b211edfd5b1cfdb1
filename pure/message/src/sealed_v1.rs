//! The v1 sealed message: signed by one person, readable by one other (wire spec, section 2).
//!
//! ```text
//! sealed    = sealed box to RecipientX of ( padded || SenderEd(32) || Sig(64) )
//! Sig       = Ed25519(sender, padded || SenderEd || RecipientX)
//! ```
//!
//! `RecipientX` is signed and not sent, so that a recipient cannot seal the message to a third
//! person as if the sender had written to them.

use std::fmt;

use warren_account::Account;
use warren_crypto::ed25519::{SIGNATURE_BYTES, SigningKey, VerifyingKey};
use warren_crypto::{CryptoError, Secret, hash, sealed_box};
use warren_wire::AccountId;

/// Bytes of the sender's Ed25519 key.
const KEY_BYTES: usize = 32;
/// What sealing adds to the padded content: the box (48), the sender's key (32), the signature (64).
pub const OVERHEAD_BYTES: usize = sealed_box::OVERHEAD_BYTES + KEY_BYTES + SIGNATURE_BYTES;
/// The BLAKE2b key that sets the deterministic ephemeral key apart from other hashes.
const EPHEMERAL_DOMAIN: &[u8] = b"SessionBoxEphemeralHashKey";

/// Signs `padded` as `sender` and seals it to `recipient`, with a one-time `ephemeral` secret.
///
/// # Errors
/// Where the recipient's key is a point of low order, which is nobody's.
pub fn seal(
    sender: &Account,
    recipient: &AccountId,
    padded: &[u8],
    ephemeral: Secret<32>,
) -> Result<Vec<u8>, CryptoError> {
    let recipient = recipient.x25519();
    let key = sender.signing_key().verifying_key();
    let signature = sender.signing_key().sign(&signed_form(padded, &key, recipient.as_bytes()))?;
    let plaintext = [padded, key.as_bytes(), &signature].concat();
    sealed_box::seal(&plaintext, &recipient, ephemeral)
}

/// As [`seal`], with an ephemeral secret that follows from all the rest: equal messages give equal
/// bytes, so that a node keeps one copy of what two devices of an account both stored.
///
/// ```text
/// seed      = BLAKE2b-32(sender seed32 || RecipientX || padded, key = "SessionBoxEphemeralHashKey")
/// ephemeral = SHA-512(seed)[0..32]
/// ```
///
/// # Errors
/// Where the recipient's key is a point of low order, which is nobody's.
pub fn seal_deterministic(
    sender: &Account,
    recipient: &AccountId,
    padded: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let mut seed = hash::blake2b_keyed(
        EPHEMERAL_DOMAIN,
        &[sender.seed32().expose(), &recipient.key_bytes(), padded],
    )?;
    // The map from an Ed25519 seed to an X25519 secret is SHA-512, cut and clamped.
    let ephemeral = SigningKey::from_seed(Secret::take(&mut seed))?.to_x25519()?;
    seal(sender, recipient, padded, ephemeral.secret().duplicate())
}

/// What was in a sealed box. Who wrote it is a claim until [`UncheckedLetter::check`].
pub struct UncheckedLetter {
    padded: Vec<u8>,
    sender_key: VerifyingKey,
    signature: [u8; SIGNATURE_BYTES],
}

impl UncheckedLetter {
    /// Opens the box with the recipient's key.
    ///
    /// # Errors
    /// Where the box is for another account, was altered, or holds too little.
    pub fn open(recipient: &Account, sealed: &[u8]) -> Result<Self, CryptoError> {
        let mut plaintext = sealed_box::open(sealed, recipient.x25519())?;
        let (rest, signature) = plaintext.split_last_chunk().ok_or(CryptoError)?;
        let (rest, sender_key) = rest.split_last_chunk::<KEY_BYTES>().ok_or(CryptoError)?;
        let (signature, sender_key) = (*signature, VerifyingKey::from_bytes(*sender_key));
        let length = rest.len();
        plaintext.truncate(length);
        Ok(Self { padded: plaintext, sender_key, signature })
    }

    /// Verifies that the claimed sender wrote this, and wrote it to `recipient`.
    ///
    /// # Errors
    /// Where the signature does not verify or the key is nobody's.
    pub fn check(self, recipient: &AccountId) -> Result<Letter, CryptoError> {
        let signed = signed_form(&self.padded, &self.sender_key, &recipient.key_bytes());
        self.sender_key.verify(&signed, &self.signature)?;
        let sender = AccountId::person(&self.sender_key.to_x25519()?);
        Ok(Letter { sender, padded: self.padded })
    }
}

impl fmt::Debug for UncheckedLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UncheckedLetter(..)")
    }
}

/// A letter whose sender is known.
pub struct Letter {
    /// Who signed: the id that belongs to the Ed25519 key inside the box.
    pub sender: AccountId,
    /// The content, still padded.
    pub padded: Vec<u8>,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter(..)")
    }
}

/// `padded || SenderEd || RecipientX`
fn signed_form(padded: &[u8], sender: &VerifyingKey, recipient: &[u8; 32]) -> Vec<u8> {
    [padded, sender.as_bytes(), recipient].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::test_entropy::{Seeded, account};

    #[derive(Deserialize)]
    struct Vectors {
        deterministic: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        sender_seed: String,
        recipient: String,
        message: String,
        sealed: String,
    }

    fn open(recipient: &Account, sealed: &[u8]) -> Result<Letter, CryptoError> {
        UncheckedLetter::open(recipient, sealed)?.check(&recipient.id())
    }

    fn ephemeral() -> Secret<32> {
        Secret::random(&mut Seeded(9))
    }

    #[test]
    fn the_published_deterministic_box_comes_out_bit_for_bit() {
        let text = include_str!("../../../spec/vectors/message-v1.json");
        for vector in serde_json::from_str::<Vectors>(text).unwrap().deterministic {
            let seed = Secret::from_slice(&hex::decode(vector.sender_seed).unwrap()).unwrap();
            let sender = Account::from_seed32(seed).unwrap();
            let recipient: AccountId = vector.recipient.parse().unwrap();
            let message = hex::decode(vector.message).unwrap();
            let sealed = seal_deterministic(&sender, &recipient, &message).unwrap();
            assert_eq!(hex::encode(sealed), vector.sealed);
        }
    }

    #[test]
    fn content_of_one_block_is_sealed_to_303_bytes() {
        let (alice, bob) = (account(1), account(2));
        let padded = crate::padding::pad(b"hello".to_vec());
        let sealed = seal(&alice, &bob.id(), &padded, ephemeral()).unwrap();
        assert_eq!(sealed.len(), 48 + 96 + 159);
        assert_eq!(sealed.len(), padded.len() + OVERHEAD_BYTES);
        let letter = open(&bob, &sealed).unwrap();
        assert_eq!((letter.sender, letter.padded), (alice.id(), padded));
    }

    #[test]
    fn altering_any_byte_of_a_sealed_message_is_noticed() {
        let (alice, bob) = (account(1), account(2));
        let sealed = seal(&alice, &bob.id(), &[7; 159], ephemeral()).unwrap();
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut altered = sealed.clone();
                altered[at] ^= 1 << bit;
                assert!(open(&bob, &altered).is_err(), "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn nobody_but_the_recipient_opens_a_sealed_message() {
        let (alice, bob, carol) = (account(1), account(2), account(3));
        let sealed = seal(&alice, &bob.id(), b"for bob", ephemeral()).unwrap();
        assert!(open(&carol, &sealed).is_err());
        assert!(open(&alice, &sealed).is_err());
    }

    #[test]
    fn a_recipient_cannot_pass_a_letter_on_as_if_written_to_another() {
        let (alice, bob, carol) = (account(1), account(2), account(3));
        let sealed = seal(&alice, &bob.id(), b"for bob", ephemeral()).unwrap();
        let plaintext = sealed_box::open(&sealed, bob.x25519()).unwrap();
        let resealed = sealed_box::seal(&plaintext, &carol.id().x25519(), ephemeral()).unwrap();
        let letter = UncheckedLetter::open(&carol, &resealed).unwrap();
        assert!(letter.check(&carol.id()).is_err());
    }

    #[test]
    fn a_letter_claiming_another_persons_key_is_refused() {
        let (alice, bob, mallory) = (account(1), account(2), account(4));
        let claimed = alice.signing_key().verifying_key();
        let signed = signed_form(b"text", &claimed, &bob.id().key_bytes());
        let signature = mallory.signing_key().sign(&signed).unwrap();
        let plaintext = [b"text".as_slice(), claimed.as_bytes(), &signature].concat();
        let sealed = sealed_box::seal(&plaintext, &bob.id().x25519(), ephemeral()).unwrap();
        assert!(open(&bob, &sealed).is_err());
    }

    #[test]
    fn a_box_with_less_than_key_and_signature_is_refused() {
        let bob = account(2);
        for length in [0, 1, 95] {
            let sealed =
                sealed_box::seal(&vec![1; length], &bob.id().x25519(), ephemeral()).unwrap();
            assert!(UncheckedLetter::open(&bob, &sealed).is_err());
        }
    }

    proptest! {
        #[test]
        fn sealed_messages_open_to_what_was_sealed(message: Vec<u8>, seed: u64) {
            let (alice, bob) = (account(1), account(2));
            let ephemeral = Secret::random(&mut Seeded(seed));
            let sealed = seal(&alice, &bob.id(), &message, ephemeral).unwrap();
            let letter = open(&bob, &sealed).unwrap();
            prop_assert_eq!((letter.sender, letter.padded), (alice.id(), message));
        }
    }
}
