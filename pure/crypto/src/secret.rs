//! Bytes that are wiped on drop, compared without haste and never printed.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::entropy::{Entropy, random};

/// `N` secret bytes on the heap, so that a move leaves no copy on the stack.
///
/// Not `Clone`: a second copy is a decision, made with [`Secret::duplicate`].
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>(Box<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Takes the bytes over and wipes the argument.
    pub fn take(bytes: &mut [u8; N]) -> Self {
        let secret = Self(Box::new(*bytes));
        bytes.zeroize();
        secret
    }

    /// Copies a slice of exactly `N` bytes; `None` for any other length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut copy: [u8; N] = bytes.try_into().ok()?;
        Some(Self::take(&mut copy))
    }

    /// `N` fresh random bytes.
    pub fn random(entropy: &mut dyn Entropy) -> Self {
        Self::take(&mut random(entropy))
    }

    /// The bytes, for handing to a primitive.
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// A second copy of the secret.
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret<{N}>")
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        libsodium_rs::utils::memcmp(self.expose(), other.expose())
    }
}

impl<const N: usize> Eq for Secret<N> {}

/// Secret bytes of any number, for what holds secrets among other things. Wiped on drop; what grew
/// while it was written may have left copies behind.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// The bytes, for handing on.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBytes {
    /// Takes the bytes over, without a copy.
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes")
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && libsodium_rs::utils::memcmp(&self.0, &other.0)
    }
}

impl Eq for SecretBytes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_a_secret_wipes_the_source_and_printing_it_shows_nothing() {
        let mut bytes = [7_u8; 4];
        let secret = Secret::take(&mut bytes);
        assert_eq!(bytes, [0; 4]);
        assert_eq!(format!("{secret:?}"), "Secret<4>");
        assert_eq!(secret, secret.duplicate());
    }

    #[test]
    fn secret_bytes_show_nothing_and_equal_their_like() {
        let secret = SecretBytes::from(vec![1, 2, 3]);
        assert_eq!(format!("{secret:?}"), "SecretBytes");
        assert_eq!(secret, SecretBytes::from(vec![1, 2, 3]));
        assert_ne!(secret, SecretBytes::from(vec![1, 2]));
        assert_eq!(SecretBytes::from(Vec::new()).expose(), [0; 0]);
    }
}
