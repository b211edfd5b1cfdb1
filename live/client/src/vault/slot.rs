//! One key slot: a master key wrapped under a key that a passphrase derives.
//!
//! ```text
//! offset  bytes
//!      0      8  "WRNVAULT"
//!      8      1  version, 1
//!      9      4  Argon2id passes, little-endian
//!     13      4  Argon2id memory in KiB, little-endian
//!     17     16  salt
//!     33     24  nonce
//!     57     48  XChaCha20-Poly1305(slot key, nonce, master key), associated data: bytes 0..33
//!    105     16  BLAKE2b-16 over bytes 0..105
//! ```
//!
//! The checksum tells a damaged file from a wrong passphrase; it protects nothing.

use warren_crypto::aead::{TAG_BYTES, XCHACHA_NONCE_BYTES, xchacha_open, xchacha_seal};
use warren_crypto::entropy::random;
use warren_crypto::hash::blake2b;
use warren_crypto::password::{Cost, SALT_BYTES, derive_key};
use warren_crypto::{Entropy, Secret};

/// The version written here.
pub(super) const VERSION: u8 = 1;
const MAGIC: &[u8; 8] = b"WRNVAULT";
const WRAPPED_BYTES: usize = 32 + TAG_BYTES;
const CHECKSUM_BYTES: usize = 16;

/// Why a slot does not open.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SlotError {
    Damaged,
    Newer { found: u8 },
    Cost,
    WrongPassphrase,
}

/// A slot as it lies on the disk.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slot {
    cost: Cost,
    salt: [u8; SALT_BYTES],
    nonce: [u8; XCHACHA_NONCE_BYTES],
    wrapped: Vec<u8>,
}

impl Slot {
    /// Wraps `master` under a key that `passphrase` derives with a fresh salt.
    pub(super) fn seal(
        master: &Secret<32>,
        passphrase: &str,
        cost: Cost,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, SlotError> {
        let salt = random(entropy);
        let nonce = random(entropy);
        let key = derive_key(passphrase.as_bytes(), &salt, cost).map_err(|_| SlotError::Cost)?;
        let wrapped = xchacha_seal(&key, &nonce, master.expose(), &header(cost, &salt))
            .map_err(|_| SlotError::Cost)?;
        Ok(Self { cost, salt, nonce, wrapped })
    }

    /// Unwraps the master key.
    pub(super) fn open(&self, passphrase: &str) -> Result<Secret<32>, SlotError> {
        let key = derive_key(passphrase.as_bytes(), &self.salt, self.cost)
            .map_err(|_| SlotError::Cost)?;
        let associated = header(self.cost, &self.salt);
        let mut master = xchacha_open(&key, &self.nonce, &self.wrapped, &associated)
            .map_err(|_| SlotError::WrongPassphrase)?;
        let master: &mut [u8; 32] =
            master.as_mut_slice().try_into().map_err(|_| SlotError::Damaged)?;
        Ok(Secret::take(master))
    }

    /// The bytes of the file.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = header(self.cost, &self.salt);
        bytes.extend_from_slice(&self.nonce);
        bytes.extend_from_slice(&self.wrapped);
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);
        bytes
    }

    /// Reads the bytes of a file that may be anything.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, SlotError> {
        let mut rest = bytes;
        if take(&mut rest)? != *MAGIC {
            return Err(SlotError::Damaged);
        }
        let [version] = take(&mut rest)?;
        if version > VERSION {
            return Err(SlotError::Newer { found: version });
        }
        let passes = u32::from_le_bytes(take(&mut rest)?);
        let memory_kib = u32::from_le_bytes(take(&mut rest)?);
        let slot = Self {
            cost: Cost { passes, memory_kib },
            salt: take(&mut rest)?,
            nonce: take(&mut rest)?,
            wrapped: take::<WRAPPED_BYTES>(&mut rest)?.to_vec(),
        };
        let sum: [u8; CHECKSUM_BYTES] = take(&mut rest)?;
        let whole = version == VERSION && rest.is_empty();
        let covered = bytes.len().checked_sub(CHECKSUM_BYTES).and_then(|end| bytes.get(..end));
        if whole && covered.is_some_and(|covered| checksum(covered) == sum) {
            Ok(slot)
        } else {
            Err(SlotError::Damaged)
        }
    }
}

fn header(cost: Cost, salt: &[u8; SALT_BYTES]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(VERSION);
    bytes.extend_from_slice(&cost.passes.to_le_bytes());
    bytes.extend_from_slice(&cost.memory_kib.to_le_bytes());
    bytes.extend_from_slice(salt);
    bytes
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    // 16 is a length BLAKE2b has, so there is no error to tell.
    blake2b(&[bytes]).unwrap_or_default()
}

/// Takes the leading `N` bytes off a slice.
fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], SlotError> {
    let (head, tail) = rest.split_first_chunk().ok_or(SlotError::Damaged)?;
    *rest = tail;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use warren_crypto::SystemEntropy;

    use super::*;

    proptest! {
        #[test]
        fn a_slot_survives_being_written_and_read(key: [u8; 32], passphrase in ".+") {
            let master = Secret::from_slice(&key).unwrap();
            let slot =
                Slot::seal(&master, &passphrase, Cost::LEAST, &mut SystemEntropy).unwrap();
            let read = Slot::decode(&slot.encode()).unwrap();
            prop_assert_eq!(&read, &slot);
            prop_assert_eq!(read.open(&passphrase).unwrap(), master);
        }

        #[test]
        fn any_bytes_read_as_a_slot_or_an_error(bytes: Vec<u8>, tail: Vec<u8>) {
            let _ = Slot::decode(&bytes);
            let _ = Slot::decode(&[MAGIC.as_slice(), &[VERSION], &tail].concat());
        }
    }

    #[test]
    fn a_lowered_cost_is_noticed_even_with_its_checksum_put_right() {
        let cost = Cost { passes: 2, ..Cost::LEAST };
        let master = Secret::from_slice(&[7; 32]).unwrap();
        let mut slot = Slot::seal(&master, "x", cost, &mut SystemEntropy).unwrap();
        slot.cost = Cost::LEAST;
        let read = Slot::decode(&slot.encode()).unwrap();
        assert_eq!(read.open("x").unwrap_err(), SlotError::WrongPassphrase);
    }
}
