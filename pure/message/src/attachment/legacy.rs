//! The older format: AES-256-CBC under a random key, with a code and a digest over all of it.
//!
//! ```text
//! stored = iv16 || AES-256-CBC(aes_key, iv, file || 00...) || HMAC-SHA-256(mac_key, iv || ciphertext)
//! digest = SHA-256(stored)
//! ```
//!
//! The message has both keys (64 bytes), the digest, and the size at which the padding begins. The
//! code is the last thing stored, so nothing is known to be true before the end. Source:
//! session-desktop `ts/util/crypto/attachmentsEncrypter.ts`, `ts/session/crypto/BufferPadding.ts`.

use std::fmt;

use warren_crypto::cbc::{BLOCK_BYTES, Decryptor, Encryptor};
use warren_crypto::entropy::random;
use warren_crypto::incremental::{HmacSha256, Sha256, require_equal};
use warren_crypto::{CryptoError, Entropy, Secret};

use super::FileError;
use super::pointer::FileKey;

/// Bytes of the code.
const MAC_BYTES: usize = 32;
/// The least that a file is padded to.
const MIN_PADDED: u64 = 541;
/// The most that Session's file server takes: padding does not carry a file over it.
const MAX_REGULAR: u64 = 10_000_000;
/// How much longer each size that a file is padded to is than the one before.
const GROWTH: f64 = 1.05;
/// Bytes of padding that are encrypted at a time.
const PADDING_PIECE: usize = 32_768;

/// How long a file of `size` bytes is once padded: the next power of 1.05, and 541 at least.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a power of 1.05 just above a size is in range, and a file is never cut: `max` sees to it"
)]
pub fn padded_len(size: u64) -> u64 {
    let exponent = ((size as f64).ln() / GROWTH.ln()).ceil();
    let padded = (GROWTH.powf(exponent).floor() as u64).max(MIN_PADDED).max(size);
    if size <= MAX_REGULAR { padded.min(MAX_REGULAR) } else { padded }
}

/// Encrypts a file.
pub struct Writer {
    keys: Secret<64>,
    cipher: Encryptor,
    mac: HmacSha256,
    digest: Sha256,
    /// The vector, until it was given out.
    iv: Option<[u8; BLOCK_BYTES]>,
    size: u64,
}

impl Writer {
    /// Starts under random keys.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub fn new(entropy: &mut dyn Entropy) -> Result<Self, CryptoError> {
        Self::with(Secret::random(entropy), random(entropy))
    }

    fn with(keys: Secret<64>, iv: [u8; BLOCK_BYTES]) -> Result<Self, CryptoError> {
        let (aes, mac) = split(&keys)?;
        Ok(Self {
            cipher: Encryptor::new(&aes, &iv)?,
            mac: HmacSha256::new(mac.expose()),
            digest: Sha256::default(),
            iv: Some(iv),
            size: 0,
            keys,
        })
    }

    /// What to store for the next piece of the file.
    ///
    /// # Errors
    /// Never for pieces below 2 GiB.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.size += piece.len() as u64;
        self.encrypt(piece)
    }

    /// Gives the rest to `store`, piece by piece, and returns what opens the file.
    ///
    /// # Errors
    /// Never; the library's results are passed on.
    pub fn finish(mut self, mut store: impl FnMut(Vec<u8>)) -> Result<FileKey, CryptoError> {
        let mut padding = padded_len(self.size) - self.size;
        while padding > 0 {
            let count = usize::try_from(padding).unwrap_or(usize::MAX).min(PADDING_PIECE);
            store(self.encrypt(&vec![0; count])?);
            padding -= count as u64;
        }
        let mut last = self.iv.take().map(|iv| iv.to_vec()).unwrap_or_default();
        last.extend(self.cipher.finish()?);
        self.mac.update(&last);
        last.extend(self.mac.finish()?);
        self.digest.update(&last);
        store(last);
        Ok(FileKey::Legacy { keys: self.keys, digest: self.digest.finish()? })
    }

    fn encrypt(&mut self, piece: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut out = self.iv.take().map(|iv| iv.to_vec()).unwrap_or_default();
        out.extend(self.cipher.update(piece)?);
        self.mac.update(&out);
        self.digest.update(&out);
        Ok(out)
    }
}

/// Opens a file.
///
/// **Nothing that it gives out is true before [`Reader::finish`] has succeeded**: put it aside and
/// show none of it. Where `finish` fails, throw it away.
pub struct Reader {
    aes: Secret<32>,
    cipher: Option<Decryptor>,
    mac: HmacSha256,
    digest: Sha256,
    expected: [u8; 32],
    /// What may be the vector, or the code at the end.
    held: Vec<u8>,
    /// Bytes of the file still to come; what is behind them is padding.
    left: u64,
}

impl Reader {
    /// Starts with the keys, the digest and the size in the message that points to the file. Without
    /// a size, padding is given out as part of the file.
    ///
    /// # Errors
    /// Never for 64 bytes; the library's result is passed on.
    pub fn new(
        keys: &Secret<64>,
        digest: [u8; 32],
        size: Option<u64>,
    ) -> Result<Self, CryptoError> {
        let (aes, mac) = split(keys)?;
        Ok(Self {
            aes,
            cipher: None,
            mac: HmacSha256::new(mac.expose()),
            digest: Sha256::default(),
            expected: digest,
            held: Vec::new(),
            left: size.unwrap_or(u64::MAX),
        })
    }

    /// The next piece of the file, unchecked.
    ///
    /// # Errors
    /// Never for pieces below 2 GiB.
    pub fn push(&mut self, stored: &[u8]) -> Result<Vec<u8>, FileError> {
        self.digest.update(stored);
        self.held.extend_from_slice(stored);
        if self.cipher.is_none() {
            let Some((iv, rest)) = self.held.split_first_chunk::<BLOCK_BYTES>() else {
                return Ok(Vec::new());
            };
            self.cipher = Some(Decryptor::new(&self.aes, iv)?);
            self.mac.update(iv);
            self.held = rest.to_vec();
        }
        let ready = self.held.len().saturating_sub(MAC_BYTES);
        let tail = self.held.split_off(ready);
        let ciphertext = std::mem::replace(&mut self.held, tail);
        self.mac.update(&ciphertext);
        let plain = match &mut self.cipher {
            Some(cipher) => cipher.update(&ciphertext)?,
            None => Vec::new(),
        };
        Ok(self.cut(plain))
    }

    /// Checks the whole of it and gives the last piece out. From here on, all pieces are true.
    ///
    /// # Errors
    /// [`FileError::Corrupt`] where the code or the digest does not fit.
    pub fn finish(mut self) -> Result<Vec<u8>, FileError> {
        let mac = self.held.as_slice().try_into().map_err(|_| FileError::Corrupt)?;
        require_equal(mac, &self.mac.finish()?)?;
        require_equal(&self.expected, &self.digest.finish()?)?;
        let last = self.cipher.take().ok_or(FileError::Corrupt)?.finish()?;
        Ok(last.into_iter().take(usize::try_from(self.left).unwrap_or(usize::MAX)).collect())
    }

    /// Takes the padding off.
    fn cut(&mut self, mut plain: Vec<u8>) -> Vec<u8> {
        plain.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= plain.len() as u64;
        plain
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("legacy::Reader(..)")
    }
}

/// The keys of the cipher and of the code.
fn split(keys: &Secret<64>) -> Result<(Secret<32>, Secret<32>), CryptoError> {
    let (aes, mac) = keys.expose().split_at(32);
    Secret::from_slice(aes).zip(Secret::from_slice(mac)).ok_or(CryptoError)
}

#[cfg(test)]
mod tests;
