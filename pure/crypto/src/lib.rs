//! Every primitive Warren uses: the only crate that names a cryptographic dependency.
//!
//! Nothing here is an algorithm of our own. Each function is a thin, typed face over a library,
//! documented as *notation, source, caveat*. Protocols (what is signed, in which order
//! things are hashed) live in the crates that speak them.
//!
//! | module | what | from |
//! |---|---|---|
//! | [`entropy`] | where random bytes come from | libsodium `randombytes` |
//! | [`secret`] | bytes that are wiped on drop and never printed | `zeroize` |
//! | [`hash`] | BLAKE2b, SHA-256, SHA-512, HMAC-SHA-256 | libsodium, `blake2b_simd`, AWS-LC |
//! | [`ed25519`] | signatures, and the birational map to X25519 | libsodium |
//! | [`scalar`] | blinded Ed25519 keys, and signing with them | `curve25519-dalek` |
//! | [`x25519`] | Diffie-Hellman | AWS-LC |
//! | [`aead`] | XChaCha20-Poly1305, AES-256-GCM | libsodium, AWS-LC |
//! | [`cbc`] | AES-256-CBC | AWS-LC |
//! | [`secretstream`] | XChaCha20-Poly1305 over chunks | libsodium, `crypto_secretstream` |
//! | [`incremental`] | hashes over pieces | libsodium, AWS-LC |
//! | [`sealed_box`] | anonymous public-key encryption | libsodium |
//! | [`multi_recipient`] | one message sealed for each of many | AWS-LC, libsodium |
//! | [`expand`](mod@expand) | bytes that follow from a seed | `chacha20` |
//! | [`password`] | Argon2id, PBKDF2 | libsodium, AWS-LC |
//! | [`minisign`] | signatures of releases | `minisign-verify` |
//! | [`shamir`] | a secret in shares | `vsss-rs` |

pub mod aead;
pub mod cbc;
pub mod ed25519;
pub mod entropy;
pub mod expand;
pub mod hash;
pub mod incremental;
pub mod minisign;
pub mod multi_recipient;
pub mod password;
pub mod scalar;
pub mod sealed_box;
pub mod secret;
pub mod secretstream;
pub mod shamir;
pub mod x25519;

pub use entropy::{Entropy, SystemEntropy};
pub use secret::{Secret, SecretBytes};

/// A primitive refused its input.
///
/// Says nothing more on purpose: which check failed is of use to an attacker alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cryptographic check failed")]
pub struct CryptoError;
