//! The file of fixed size that master keys lie in: eight slots, of which nobody sees how many are used.
//!
//! The layout is that of `spec/keys.md`, "slots".

use warren_crypto::aead::{XCHACHA_NONCE_BYTES, xchacha_open, xchacha_seal};
use warren_crypto::entropy::{Entropy, random, random_index};
use warren_crypto::hash::{blake2b, blake2b_keyed};
use warren_crypto::password::{Cost, SALT_BYTES, derive_key};
use warren_crypto::secret::SecretBytes;
use warren_crypto::{CryptoError, Secret};

use crate::code::Code;
use crate::orders::{DuressOrders, PLAIN_BYTES};
use crate::payload::Payload;

/// Bytes of the file.
pub const FILE_BYTES: usize = 2 * COPY_BYTES;
/// Bytes of each of its two copies.
pub const COPY_BYTES: usize = 8_192;
/// Slots in it.
pub const SLOTS: usize = 8;
/// Bytes of what a device keeps to get its own secret back.
pub const DEVICE_BYTES: usize = 960;
/// The version this program writes.
pub const VERSION: u8 = 2;

/// What the file begins with, unless it was wiped.
pub const MAGIC: [u8; 8] = *b"WRNSLOTS";
const OLDER: &[u8] = b"WRNSLOTS\x01";
const OLDER_BYTES: usize = 8_192;
const WIPED: [u8; 8] = *b"WRNWIPED";
const SLOT_BYTES: usize = 320;
const CHECKSUM_BYTES: usize = 32;
const SLOT_KEY: &[u8] = b"warren slot key v1";

const VERSION_AT: usize = 8;
const BOUND_AT: usize = 9;
const PASSES_AT: usize = 10;
const MEMORY_AT: usize = 14;
const SALT_AT: usize = 18;
const HEADER_BYTES: usize = SALT_AT + SALT_BYTES;
const DEVICE_AT: usize = 64;
const SLOTS_AT: usize = DEVICE_AT + DEVICE_BYTES;
const ORDERS_AT: usize = 4_064;
const CHECKSUM_AT: usize = COPY_BYTES - CHECKSUM_BYTES;
const ORDERS_BYTES: usize = CHECKSUM_AT - ORDERS_AT;

/// Why bytes are no slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotsError {
    /// Neither copy is what was written.
    #[error("the slots are damaged")]
    Damaged,
    /// Written by a newer version.
    #[error("the slots have version {found}")]
    Newer {
        /// Which.
        found: u8,
    },
    /// Written by a version before this one, whose file was shorter.
    #[error("the slots have version 1")]
    Older,
    /// Somebody began to wipe: what is left is to be deleted.
    #[error("the slots were wiped")]
    Wiped,
}

/// A stretched code: what is left of it once it was paid for.
pub struct Stretched(Secret<32>);

/// A slot that a code opened.
#[derive(Debug)]
pub struct Opened {
    /// Which, from 0.
    pub at: usize,
    /// What it holds.
    pub payload: Payload,
}

/// One copy of the file.
#[derive(Clone, PartialEq, Eq)]
pub struct Slots(Box<[u8; COPY_BYTES]>);

impl Slots {
    /// Slots of which none is used, with a fresh salt.
    pub fn fresh(cost: Cost, entropy: &mut dyn Entropy) -> Self {
        let mut slots = Self(Box::new(random(entropy)));
        slots.put(0, &MAGIC);
        slots.put(VERSION_AT, &[VERSION, 0]);
        slots.put(PASSES_AT, &cost.passes.to_le_bytes());
        slots.put(MEMORY_AT, &cost.memory_kib.to_le_bytes());
        slots.put(HEADER_BYTES, &[0; DEVICE_AT - HEADER_BYTES]);
        slots.sum();
        slots
    }

    /// Reads the file: the first copy whose checksum holds.
    ///
    /// # Errors
    /// Where neither does, a newer version wrote it, or it was wiped.
    pub fn decode(file: &[u8]) -> Result<Self, SlotsError> {
        let copies = [0, COPY_BYTES].map(|at| file.get(at..)?.first_chunk::<COPY_BYTES>());
        let starts = [0, COPY_BYTES].map(|at| file.get(at..)?.first_chunk::<8>());
        if starts.contains(&Some(&WIPED)) {
            return Err(SlotsError::Wiped);
        }
        if file.len() != FILE_BYTES {
            let is_older = file.starts_with(OLDER) && file.len() == OLDER_BYTES;
            return Err(if is_older { SlotsError::Older } else { SlotsError::Damaged });
        }
        let copies = copies.into_iter().flatten().map(|copy| Self(Box::new(*copy)));
        let mut outcome = Err(SlotsError::Damaged);
        for copy in copies.filter(Self::is_whole) {
            match copy.version() {
                VERSION if copy.is_plausible() => return Ok(copy),
                newer if newer > VERSION => outcome = Err(SlotsError::Newer { found: newer }),
                _ => {}
            }
        }
        outcome
    }

    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        [self.0.as_slice(), self.0.as_slice()].concat()
    }

    /// The bytes of a file whose slots are destroyed for good: what it belonged to is to be deleted.
    pub fn wiped(entropy: &mut dyn Entropy) -> Vec<u8> {
        let mut copy = Self(Box::new(random(entropy)));
        copy.put(0, &WIPED);
        copy.encode()
    }

    /// What one guess costs.
    pub fn cost(&self) -> Cost {
        let passes = u32::from_le_bytes(self.at(PASSES_AT));
        Cost { passes, memory_kib: u32::from_le_bytes(self.at(MEMORY_AT)) }
    }

    /// What makes this device's codes cost anew.
    pub fn salt(&self) -> [u8; SALT_BYTES] {
        self.at(SALT_AT)
    }

    /// What gets the device secret back, where it takes part.
    pub fn device(&self) -> Option<[u8; DEVICE_BYTES]> {
        (self.at::<1>(BOUND_AT) == [1]).then(|| self.at(DEVICE_AT))
    }

    /// Has a device secret take part in every slot that is sealed from here on.
    #[must_use]
    pub fn bound(mut self, device: &[u8; DEVICE_BYTES]) -> Self {
        self.put(BOUND_AT, &[1]);
        self.put(DEVICE_AT, device);
        self.sum();
        self
    }

    /// Stretches a code. Takes its time.
    ///
    /// # Errors
    /// Where the cost is out of range or memory is short.
    pub fn stretch(&self, code: &Code) -> Result<Stretched, CryptoError> {
        derive_key(code.expose(), &self.salt(), self.cost()).map(Stretched)
    }

    /// The slot that a code opens. All are tried, whichever it is.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub fn open(
        &self,
        stretched: &Stretched,
        secret: Option<&Secret<32>>,
    ) -> Result<Option<Opened>, CryptoError> {
        let key = slot_key(stretched, secret)?;
        let mut opened = None;
        for at in 0..SLOTS {
            let slot = self.at::<SLOT_BYTES>(SLOTS_AT + at * SLOT_BYTES);
            let (nonce, sealed) =
                slot.split_first_chunk::<XCHACHA_NONCE_BYTES>().ok_or(CryptoError)?;
            let plain = xchacha_open(&key, nonce, sealed, &self.header());
            let plain = plain.map(SecretBytes::take);
            let payload = plain.ok().and_then(|plain| Payload::decode(plain.expose()));
            opened = opened.or(payload.map(|payload| Opened { at, payload }));
        }
        Ok(opened)
    }

    /// Puts a payload under a code.
    ///
    /// # Errors
    /// Where `at` is no slot.
    pub fn seal(
        &mut self,
        at: usize,
        stretched: &Stretched,
        secret: Option<&Secret<32>>,
        payload: &Payload,
        entropy: &mut dyn Entropy,
    ) -> Result<(), CryptoError> {
        if at >= SLOTS {
            return Err(CryptoError);
        }
        let plain = payload.encode();
        let nonce = random(entropy);
        let key = slot_key(stretched, secret)?;
        let sealed = xchacha_seal(&key, &nonce, plain.expose(), &self.header())?;
        self.put(SLOTS_AT + at * SLOT_BYTES, &nonce);
        self.put(SLOTS_AT + at * SLOT_BYTES + XCHACHA_NONCE_BYTES, &sealed);
        self.sum();
        Ok(())
    }

    /// Puts orders beside the slots, over whatever was there, and gives the key that opens them.
    ///
    /// # Errors
    /// Where there are more of them than there is room for.
    pub fn put_orders(
        &mut self,
        orders: &DuressOrders,
        entropy: &mut dyn Entropy,
    ) -> Result<Secret<32>, CryptoError> {
        let plain = orders.encode().ok_or(CryptoError)?;
        let (key, nonce) = (Secret::random(entropy), random(entropy));
        let sealed = xchacha_seal(&key, &nonce, plain.expose(), &self.header())?;
        self.put(ORDERS_AT, &nonce);
        self.put(ORDERS_AT + XCHACHA_NONCE_BYTES, &sealed);
        self.sum();
        Ok(key)
    }

    /// The orders that a payload's key opens; none where it opens nothing.
    pub fn orders(&self, key: &Secret<32>) -> DuressOrders {
        let sealed = self.at::<ORDERS_BYTES>(ORDERS_AT);
        let opened =
            sealed.split_first_chunk::<XCHACHA_NONCE_BYTES>().and_then(|(nonce, sealed)| {
                let plain = xchacha_open(key, nonce, sealed, &self.header()).ok()?;
                DuressOrders::decode(SecretBytes::take(plain).expose())
            });
        opened.unwrap_or_default()
    }

    /// Destroys every slot but one, or all, and the orders.
    pub fn destroy_all_but(&mut self, kept: Option<usize>, entropy: &mut dyn Entropy) {
        for at in (0..SLOTS).filter(|at| Some(*at) != kept) {
            self.put(SLOTS_AT + at * SLOT_BYTES, &random::<SLOT_BYTES>(entropy));
        }
        let end = SLOTS_AT + SLOTS * SLOT_BYTES;
        self.put(end, &random::<{ CHECKSUM_AT - SLOTS_AT - SLOTS * SLOT_BYTES }>(entropy));
        self.sum();
    }

    /// A slot at random, other than one.
    pub fn any_slot(besides: Option<usize>, entropy: &mut dyn Entropy) -> usize {
        let others: Vec<usize> = (0..SLOTS).filter(|at| Some(*at) != besides).collect();
        let drawn = random_index(entropy, others.len()).and_then(|drawn| others.get(drawn));
        drawn.copied().unwrap_or(0)
    }

    fn version(&self) -> u8 {
        self.at::<1>(VERSION_AT)[0]
    }

    /// Whether the checksum holds.
    fn is_whole(&self) -> bool {
        self.at::<8>(0) == MAGIC && self.checksum() == self.at(CHECKSUM_AT)
    }

    fn is_plausible(&self) -> bool {
        let unused = self.at::<{ DEVICE_AT - HEADER_BYTES }>(HEADER_BYTES);
        self.at::<1>(BOUND_AT)[0] <= 1 && unused == [0; DEVICE_AT - HEADER_BYTES]
    }

    fn header(&self) -> [u8; HEADER_BYTES] {
        self.at(0)
    }

    fn checksum(&self) -> [u8; CHECKSUM_BYTES] {
        let covered = self.0.get(..CHECKSUM_AT).unwrap_or_default();
        // 32 is a length BLAKE2b has, so there is no error to tell.
        blake2b(&[covered]).unwrap_or_default()
    }

    fn sum(&mut self) {
        let sum = self.checksum();
        self.put(CHECKSUM_AT, &sum);
    }

    /// `N` bytes at a place that lies within, as all places here do.
    fn at<const N: usize>(&self, at: usize) -> [u8; N] {
        let found = self.0.get(at..).and_then(|rest| rest.first_chunk::<N>());
        found.copied().unwrap_or([0; N])
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        for (to, from) in self.0.iter_mut().skip(at).zip(bytes) {
            *to = *from;
        }
    }
}

impl std::fmt::Debug for Slots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slots(..)")
    }
}

impl std::fmt::Debug for Stretched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stretched(..)")
    }
}

/// `BLAKE2b-32(key = stretched, label || device secret)`.
fn slot_key(stretched: &Stretched, secret: Option<&Secret<32>>) -> Result<Secret<32>, CryptoError> {
    let secret = secret.map(|secret| secret.expose().as_slice()).unwrap_or_default();
    let mut key = blake2b_keyed(stretched.0.expose(), &[SLOT_KEY, secret])?;
    Ok(Secret::take(&mut key))
}

const _: () = assert!(ORDERS_BYTES == XCHACHA_NONCE_BYTES + PLAIN_BYTES + 16, "the orders fit");
const _: () = assert!(SLOTS_AT + SLOTS * SLOT_BYTES <= ORDERS_AT, "the slots fit");

#[cfg(test)]
mod tests;
