//! The keys of an archive, all of which follow from an account's seed.
//!
//! ```text
//! root      = BLAKE2b-32(key = seed32, "warren backup archive v1")
//! folder    = BLAKE2b-16(key = root, "folder")     where it lies at a place, in hexadecimal
//! file name = BLAKE2b-16(key = root, "file name") what a device keeps for itself, likewise
//! chunk ids = BLAKE2b-32(key = root, "chunk ids")
//! sealing   = BLAKE2b-32(key = root, "sealing")
//! cutting   = BLAKE2b-32(key = root, "cutting")    its first 8 bytes, little-endian
//! ```
//!
//! Nothing at a place says whose archive it is, and the recovery words alone lead to it.

use std::fmt;

use warren_crypto::hash::blake2b_keyed;
use warren_crypto::{CryptoError, Secret};

/// What opens an archive.
pub struct ArchiveKeys {
    folder: [u8; 16],
    file_name: [u8; 16],
    pub(crate) chunk_ids: Secret<32>,
    pub(crate) sealing: Secret<32>,
    cutting: Secret<32>,
}

impl ArchiveKeys {
    /// The keys of the archive of the account with this Ed25519 seed.
    ///
    /// # Errors
    /// Never; the hash library's result is passed on.
    pub fn of_seed(seed32: &Secret<32>) -> Result<Self, CryptoError> {
        let mut root = blake2b_keyed(seed32.expose(), &[b"warren backup archive v1"])?;
        let root: Secret<32> = Secret::take(&mut root);
        let subkey = |label: &[u8]| -> Result<Secret<32>, CryptoError> {
            Ok(Secret::take(&mut blake2b_keyed(root.expose(), &[label])?))
        };
        Ok(Self {
            folder: blake2b_keyed(root.expose(), &[b"folder"])?,
            file_name: blake2b_keyed(root.expose(), &[b"file name"])?,
            chunk_ids: subkey(b"chunk ids")?,
            sealing: subkey(b"sealing")?,
            cutting: subkey(b"cutting")?,
        })
    }

    /// The folder of the archive at any place: 32 hexadecimal digits.
    pub fn folder(&self) -> String {
        hex::encode(self.folder)
    }

    /// What a device calls what it keeps of the archive for itself: 32 hexadecimal digits, which do
    /// not lead to the folder.
    pub fn file_name(&self) -> String {
        hex::encode(self.file_name)
    }

    /// What decides where streams are cut.
    pub(crate) fn cutting_seed(&self) -> u64 {
        let bytes = self.cutting.expose().first_chunk().copied().unwrap_or_default();
        u64::from_le_bytes(bytes)
    }
}

impl fmt::Debug for ArchiveKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArchiveKeys(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by Python's hashlib.
    #[test]
    fn the_folder_follows_from_the_seed() {
        let keys = ArchiveKeys::of_seed(&Secret::take(&mut [7; 32])).unwrap();
        assert_eq!(keys.folder(), "8fa35b0ea61baa73727f9664a7bfb393");
        assert_eq!(keys.cutting_seed(), 0xd473_c73e_c568_6a58);
        let other = ArchiveKeys::of_seed(&Secret::take(&mut [8; 32])).unwrap();
        assert_ne!(keys.folder(), other.folder());
        assert_eq!(format!("{keys:?}"), "ArchiveKeys(..)");
    }
}
