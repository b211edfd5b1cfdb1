//! A configuration too large for one stored message: cut into parts, and joined again.
//!
//! ```text
//! part = 'm' || l hash32 index1 count1 chunk e || zeros
//! ```
//!
//! `hash32` is BLAKE2b-32 of the padded body that the chunks add up to; index (from 0) and count
//! (from 2) are one byte each. Each part is encrypted on its own. Zeros fill up what the length of the
//! last chunk, having fewer digits, leaves.

use std::collections::BTreeMap;

use warren_crypto::CryptoError;
use warren_crypto::hash::blake2b;
use warren_wire::Millis;
use warren_wire::limits::{DAY, MAX_DATA_BYTES};

use super::bt::{self, Bt, BtError};
use super::message::Hash;
use super::seal::OVERHEAD;

/// The first byte of a part.
pub(crate) const PART: u8 = b'm';

/// Bytes of a part around a chunk whose length has five digits.
const FRAME: usize = 1 + 2 + 35 + 3 + 3 + 6;

/// The most bytes of body in one part.
const MAX_CHUNK: usize = MAX_DATA_BYTES - FRAME - OVERHEAD;

/// How long parts wait for the others.
const MAX_WAIT: Millis = 7 * DAY;

/// How long a set that was complete is remembered, so that its parts are not collected again.
const MAX_REMEMBER: Millis = 14 * DAY;

/// How many sets may be incomplete at once; the one that has waited longest makes room.
const MAX_OPEN: usize = 8;

/// Why a part is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PartError {
    /// Not the list that a part is, or its numbers contradict those of other parts.
    #[error(transparent)]
    Malformed(#[from] BtError),
    /// All parts are there, and they are not what their hash says.
    #[error("the parts do not add up")]
    Hash,
    /// The library refused to hash.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// A body whose parts are all there.
pub(crate) struct Joined {
    /// The storage hashes of the parts, in order.
    pub(crate) hashes: Vec<String>,
    /// The padded body.
    pub(crate) body: Vec<u8>,
}

#[derive(Default)]
struct Set {
    /// How many parts there will be; 0 once they were all there.
    count: u8,
    expiry: Millis,
    /// Storage hash and chunk by index.
    parts: BTreeMap<u8, (String, Vec<u8>)>,
}

/// Sets of parts, by the hash of what they add up to.
#[derive(Default)]
pub(crate) struct Parts(BTreeMap<Hash, Set>);

impl Parts {
    /// Takes a part in; returns the body where it was the last one missing.
    pub(crate) fn take(
        &mut self,
        hash: &str,
        part: &[u8],
        now: Millis,
    ) -> Result<(bool, Option<Joined>), PartError> {
        let (whole, index, count, chunk) = read_part(part)?;
        self.make_room(&whole);
        let set = self.0.entry(whole).or_default();
        if set.expiry != 0 && set.count == 0 {
            return Ok((false, None));
        }
        if set.parts.is_empty() {
            set.count = count;
        } else if set.count != count {
            return Err(BtError.into());
        }
        if set.parts.contains_key(&index) {
            return Ok((false, None));
        }
        set.parts.insert(index, (hash.to_owned(), chunk.to_vec()));
        set.expiry = now.saturating_add(MAX_WAIT).max(1);
        if set.parts.len() < usize::from(count) {
            return Ok((true, None));
        }
        let (hashes, chunks): (Vec<_>, Vec<_>) =
            std::mem::take(&mut set.parts).into_values().unzip();
        let body = chunks.concat();
        if blake2b::<32>(&[&body])? != whole {
            self.0.remove(&whole);
            return Err(PartError::Hash);
        }
        self.finish(whole, now);
        Ok((true, Some(Joined { hashes, body })))
    }

    /// Remembers that a set was complete.
    fn finish(&mut self, whole: Hash, now: Millis) {
        let expiry = now.saturating_add(MAX_REMEMBER).max(1);
        self.0.insert(whole, Set { count: 0, expiry, parts: BTreeMap::new() });
    }

    fn make_room(&mut self, whole: &Hash) {
        let open = || self.0.iter().filter(|(_, set)| set.count > 0);
        if !self.0.contains_key(whole) && open().count() >= MAX_OPEN {
            let oldest = open().min_by_key(|(_, set)| set.expiry).map(|(hash, _)| *hash);
            oldest.and_then(|hash| self.0.remove(&hash));
        }
    }

    /// Forgets what has waited, or was remembered, for too long.
    pub(crate) fn expire(&mut self, now: Millis) {
        self.0.retain(|_, set| set.expiry >= now);
    }

    /// The storage hashes of parts that wait for others.
    pub(crate) fn waiting(&self, now: Millis) -> impl Iterator<Item = &String> {
        let open = self.0.values().filter(move |set| set.expiry > now);
        open.flat_map(|set| set.parts.values().map(|(hash, _)| hash))
    }

    /// Cuts a padded body into parts, each to be encrypted.
    pub(crate) fn cut(&mut self, body: &[u8], now: Millis) -> Result<Vec<Vec<u8>>, CryptoError> {
        let whole = blake2b(&[body])?;
        let count = u8::try_from(body.len().div_ceil(MAX_CHUNK)).map_err(|_| CryptoError)?;
        self.finish(whole, now);
        let parts = body.chunks(MAX_CHUNK).zip(0..count);
        Ok(parts.map(|(chunk, index)| write_part(&whole, index, count, chunk)).collect())
    }

    /// Writes all sets for the dump.
    pub(crate) fn dump(&self, out: &mut Vec<u8>, now: Millis) {
        out.push(b'd');
        for (whole, set) in self.0.iter().filter(|(_, set)| set.expiry >= now) {
            bt::write_bytes(out, whole);
            out.extend_from_slice(b"d1:#");
            bt::write_integer(out, set.count);
            bt::write_bytes(out, b"T");
            bt::write_integer(out, set.expiry);
            if set.count > 0 {
                out.extend_from_slice(b"1:pl");
                for (index, (hash, chunk)) in &set.parts {
                    out.extend_from_slice(b"d1:#");
                    bt::write_integer(out, *index);
                    bt::write_bytes(out, b"M");
                    bt::write_bytes(out, hash.as_bytes());
                    bt::write_bytes(out, b"d");
                    bt::write_bytes(out, chunk);
                    out.push(b'e');
                }
                out.push(b'e');
            }
            out.push(b'e');
        }
        out.push(b'e');
    }

    /// Reads the sets of a dump that have not expired.
    pub(crate) fn load(dump: &Bt<'_>, now: Millis) -> Result<Self, BtError> {
        let mut sets = BTreeMap::new();
        for (whole, set) in dump.dict()? {
            let whole: Hash = (*whole).try_into().map_err(|_| BtError)?;
            let expiry = set.get(b"T").ok_or(BtError)?.integer()?;
            let expiry = Millis::try_from(expiry).map_err(|_| BtError)?;
            let count = byte(set.get(b"#").ok_or(BtError)?)?;
            let mut parts = BTreeMap::new();
            if count > 0 {
                for part in set.get(b"p").ok_or(BtError)?.list()? {
                    let index = byte(part.get(b"#").ok_or(BtError)?)?;
                    let hash = part.get(b"M").ok_or(BtError)?.bytes()?;
                    let hash = String::from_utf8(hash.to_vec()).map_err(|_| BtError)?;
                    let chunk = part.get(b"d").ok_or(BtError)?.bytes()?;
                    parts.insert(index, (hash, chunk.to_vec()));
                }
            }
            if expiry >= now {
                sets.insert(whole, Set { count, expiry: expiry.max(1), parts });
            }
        }
        Ok(Self(sets))
    }
}

fn byte(value: &Bt<'_>) -> Result<u8, BtError> {
    u8::try_from(value.integer()?).map_err(|_| BtError)
}

/// Reads a part: the hash of the whole, index, count, chunk.
fn read_part(part: &[u8]) -> Result<(Hash, u8, u8, &[u8]), BtError> {
    let Some((&PART, list)) = part.split_first() else { return Err(BtError) };
    let list = Bt::read_prefix(list)?;
    let [whole, index, count, chunk] = list.list()? else { return Err(BtError) };
    let whole = whole.bytes()?.try_into().map_err(|_| BtError)?;
    let ([index], [count]) = (index.bytes()?, count.bytes()?) else { return Err(BtError) };
    let chunk = chunk.bytes()?;
    if *count < 2 || index >= count || chunk.is_empty() {
        return Err(BtError);
    }
    Ok((whole, *index, *count, chunk))
}

fn write_part(whole: &Hash, index: u8, count: u8, chunk: &[u8]) -> Vec<u8> {
    let mut part = vec![PART, b'l'];
    bt::write_bytes(&mut part, whole);
    bt::write_bytes(&mut part, &[index]);
    bt::write_bytes(&mut part, &[count]);
    bt::write_bytes(&mut part, chunk);
    part.push(b'e');
    part.resize(chunk.len() + FRAME, 0);
    part
}
