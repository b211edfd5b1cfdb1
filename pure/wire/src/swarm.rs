//! Which swarm keeps whose mail: an account's position on a ring of 64-bit swarm ids.

use crate::id::AccountId;

/// A swarm's place on the ring. `u64::MAX` is never a swarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SwarmId(pub u64);

/// The id of no swarm.
pub const INVALID_SWARM: SwarmId = SwarmId(u64::MAX);

/// The account's position: XOR of the key's four 8-byte chunks, big-endian (wire spec, section 4).
pub fn position(account: &AccountId) -> u64 {
    account.key_bytes().chunks_exact(8).fold(0, |position, chunk| {
        position ^ chunk.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte))
    })
}

/// The swarm nearest to a position, the one to the left where two are equally near.
///
/// Distances wrap around the ring. `None` where there is no swarm.
pub fn nearest(position: u64, swarms: impl IntoIterator<Item = SwarmId>) -> Option<SwarmId> {
    let mut ids: Vec<u64> =
        swarms.into_iter().filter(|id| *id != INVALID_SWARM).map(|id| id.0).collect();
    ids.sort_unstable();
    let at = ids.partition_point(|id| *id < position);
    let right = *ids.get(at).or(ids.first())?;
    let left = *at.checked_sub(1).and_then(|before| ids.get(before)).or(ids.last())?;
    let to_right = right.wrapping_sub(position);
    let to_left = position.wrapping_sub(left);
    Some(SwarmId(if to_right < to_left { right } else { left }))
}

/// The swarm that keeps an account's mail.
pub fn of_account(
    account: &AccountId,
    swarms: impl IntoIterator<Item = SwarmId>,
) -> Option<SwarmId> {
    nearest(position(account), swarms)
}
