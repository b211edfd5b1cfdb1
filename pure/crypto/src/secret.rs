//! Bytes that are wiped on drop, compared without haste and never printed.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::entropy::{Entropy, random};

/// `N` secret bytes on the heap, so that a move leaves no copy on the stack.
///
/// Not `Clone`: a second copy is a decision, made with [`Secret::duplicate`].
pub struct Secret<const N: usize>(Place<N>);

enum Place<const N: usize> {
    Heap(Box<[u8; N]>),
    Page(Box<Page<N>>),
}

/// Pages that hold nothing else, as memory is locked by the page.
#[repr(C, align(4096))]
struct Page<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes the bytes over and wipes the argument.
    pub fn take(bytes: &mut [u8; N]) -> Self {
        let secret = Self(Place::Heap(Box::new(*bytes)));
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

    /// The same secret on a page of its own, which the system is asked to write neither to swap nor
    /// into a core dump (libsodium `sodium_mlock`). For keys that live long: each takes 4 KiB of what
    /// a process may lock. Where that is used up, the page is an ordinary one.
    #[must_use]
    pub fn kept_from_swap(self) -> Self {
        let mut page = Box::new(Page([0; N]));
        // Without it the secret is as well protected as it was.
        let _ = libsodium_rs::utils::mlock(&mut page.0);
        page.0.copy_from_slice(self.expose());
        Self(Place::Page(page))
    }

    /// The bytes, for handing to a primitive.
    pub fn expose(&self) -> &[u8; N] {
        match &self.0 {
            Place::Heap(bytes) => bytes,
            Place::Page(page) => &page.0,
        }
    }

    /// A second copy of the secret.
    pub fn duplicate(&self) -> Self {
        let mut copy = Box::new([0; N]);
        copy.copy_from_slice(self.expose());
        Self(Place::Heap(copy))
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        match &mut self.0 {
            Place::Heap(bytes) => bytes.zeroize(),
            Place::Page(page) => {
                page.0.zeroize();
                // A page that was never locked cannot be unlocked, which is no loss.
                let _ = libsodium_rs::utils::munlock(&mut page.0);
            }
        }
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

/// Wipes what calls that have returned left on this thread's stack (libsodium `sodium_stackzero`). To
/// be called after work on keys that live long.
pub fn clean_stack() {
    const BYTES: usize = 16 * 1024;
    libsodium_rs::utils::stackzero(BYTES);
}

/// Secret bytes of any number, for what holds secrets among other things. Wiped on drop, never
/// printed. With room made beforehand they never move; what grew while it was written may have left
/// copies behind.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// None yet, with room for so many.
    pub fn with_capacity(most: usize) -> Self {
        Self(Vec::with_capacity(most))
    }

    /// Takes further bytes in; `false`, and takes none, where there is no room for them.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        let fits = self.0.capacity() - self.0.len() >= bytes.len();
        if fits {
            self.0.extend_from_slice(bytes);
        }
        fits
    }

    /// Takes a vector over, which never moved.
    pub fn take(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
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
    fn a_secret_kept_from_swap_is_the_same_and_has_its_page_to_itself() {
        let secret = Secret::<32>::from_slice(&[5; 32]).unwrap();
        let kept = secret.duplicate().kept_from_swap();
        assert_eq!(kept, secret);
        assert_eq!(kept.expose().as_ptr().align_offset(4096), 0);
        assert_eq!(size_of::<Page<32>>(), 4096);
        drop(kept);
    }

    #[test]
    fn secret_bytes_take_no_more_than_there_is_room_for() {
        let mut secret = SecretBytes::with_capacity(3);
        assert!(secret.push(b"ab") && !secret.push(b"cd") && secret.push(b"c"));
        assert_eq!(secret.expose(), b"abc");
        assert_eq!(format!("{secret:?}"), "SecretBytes");
    }

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
