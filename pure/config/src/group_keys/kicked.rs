//! Telling members that they were removed: namespace -11, which a revoked member still reads.
//!
//! ```text
//! copy for X = X(32) || decimal generation of the newest key when X was removed
//! ```
//!
//! Source: session-desktop `GroupPendingRemovalsJob.ts`, `libSessionMessageHandler`.

use warren_account::{Account, Group, group};
use warren_crypto::{CryptoError, Entropy};
use warren_wire::{AccountId, AccountKind};

use super::copies;

/// What sets this message apart from others between the same keys.
const DOMAIN: &[u8] = b"SessionGroupKickedMessage";
/// More digits than an `i64` has are none.
const MAX_DIGITS: usize = 20;

/// Says to each of `removed` that they are no longer in the group; `generation` is that of
/// [`super::GroupKeys::generation`] before the key is changed.
///
/// # Errors
/// Where an id is no person's.
pub fn seal(
    admin: &Group,
    removed: &[AccountId],
    generation: i64,
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, CryptoError> {
    if removed.iter().any(|member| member.kind() != AccountKind::Person) {
        return Err(CryptoError);
    }
    let texts: Vec<_> = removed
        .iter()
        .map(|member| {
            let text = [&member.key_bytes(), generation.to_string().as_bytes()].concat();
            (member.x25519(), text)
        })
        .collect();
    copies::seal(admin.x25519(), DOMAIN, &texts, 0, entropy)
}

/// Reads whether `account` was removed, and at which generation of the group's keys.
///
/// A removal at a generation below the one that the device knows is from before it came back, and
/// means nothing: see [`holds`].
///
/// # Errors
/// Where no admin of the group said so to this account.
pub fn open(group: &AccountId, account: &Account, stored: &[u8]) -> Result<i64, CryptoError> {
    let sender = group::verifying_key(group)?.to_x25519()?;
    let text = copies::open(account.x25519(), &sender, DOMAIN, stored)?;
    let (key, digits) = text.split_first_chunk::<32>().ok_or(CryptoError)?;
    let decimal = !digits.is_empty() && digits.len() <= MAX_DIGITS;
    if *key != account.id().key_bytes() || !decimal || !digits.iter().all(u8::is_ascii_digit) {
        return Err(CryptoError);
    }
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or(CryptoError)
}

/// Whether a removal at generation `removed` concerns a device whose newest key is of `known`.
pub fn holds(removed: i64, known: i64) -> bool {
    removed >= known
}
