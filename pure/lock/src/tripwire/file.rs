//! The file `tripwire`: of one size and one look on every install, readable without a code.

use warren_crypto::Secret;
use warren_crypto::entropy::{Entropy, random};
use warren_crypto::hash::blake2b;
use warren_wire::Millis;

use super::dead_man::{DeadMan, LONGEST_HOURS};
use super::order::{Action, Order};
use super::set::{HASH_BYTES, MOST_FRIENDS, SALT_BYTES, SECRET_BYTES, SetId, Verifier, proof};
use crate::attempts::Moment;

/// Bytes of the file.
pub const FILE_BYTES: usize = 2 * COPY_BYTES;
/// Bytes of each of its two copies.
pub const COPY_BYTES: usize = 8_192;
/// How many sets a device can have.
pub const PLACES: usize = 16;
/// The longest text that says which network to ask, in bytes.
pub const MOST_NETWORK_BYTES: usize = NETWORK_BYTES - 2;
/// The version this program writes.
pub const VERSION: u8 = 1;

const MAGIC: [u8; 8] = *b"WRNTRIPW";
const FRIENDS: usize = MOST_FRIENDS as usize;
const NETWORK_BYTES: usize = 1_024;
const CHECKSUM_BYTES: usize = 32;
const CHECKS_BYTES: usize = FRIENDS * HASH_BYTES;
const PLACE_BYTES: usize = SALT_BYTES + CHECKS_BYTES + FRIENDS * SECRET_BYTES;

const VERSION_AT: usize = 8;
const SEED_AT: usize = 16;
const HOURS_AT: usize = 48;
const UNLOCKED_AT: usize = 52;
const BOOT_AT: usize = 60;
const SINCE_AT: usize = 76;
const HEADER_END: usize = 84;
const NETWORK_AT: usize = 128;
const PLACES_AT: usize = NETWORK_AT + NETWORK_BYTES;
const CHECKSUM_AT: usize = COPY_BYTES - CHECKSUM_BYTES;

/// Why bytes are no tripwire, or something cannot be put into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TripwireError {
    /// Neither copy is what was written.
    #[error("the file tripwire is damaged")]
    Damaged,
    /// Written by a newer version.
    #[error("the file tripwire has version {found}, this program knows {VERSION}: update Warren")]
    Newer {
        /// Which.
        found: u8,
    },
    /// The text that names the network does not fit.
    #[error("what names the network has more than {MOST_NETWORK_BYTES} bytes")]
    Network,
    /// There is no such place.
    #[error("a device has room for {PLACES} sets of friends: revoke one first")]
    Place,
    /// A term that no one means.
    #[error("the term is longer than ten years")]
    Term,
}

/// What an order meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Nothing: forged, stale, revoked, for another device, or known already.
    Nothing,
    /// A friend tried whether this device hears them.
    Test {
        /// In which place their set stands.
        place: usize,
        /// Which friend of the set, from 1.
        number: u8,
    },
    /// A share that is kept, and too few yet. The file is to be written.
    Share {
        /// In which place its set stands.
        place: usize,
        /// How many are here.
        have: u8,
        /// How many it takes.
        need: u8,
    },
    /// Enough friends said so: wipe.
    Wipe,
}

/// One copy of the file.
#[derive(PartialEq, Eq)]
pub struct Tripwire(Box<[u8; COPY_BYTES]>);

impl Tripwire {
    /// What an install has from its first start: an inbox of its own, and nobody's sets.
    pub fn fresh(now: Millis, moment: Moment, entropy: &mut dyn Entropy) -> Self {
        let mut tripwire = Self(Box::new(random(entropy)));
        tripwire.put(0, &MAGIC);
        tripwire.put(VERSION_AT, &[VERSION, 0, 0, 0, 0, 0, 0, 0]);
        tripwire.put(HEADER_END, &[0; NETWORK_AT - HEADER_END]);
        tripwire.put(NETWORK_AT, &[0; NETWORK_BYTES]);
        tripwire.put_dead_man(DeadMan { hours: 0, unlocked: now, moment });
        tripwire.sum();
        tripwire
    }

    /// Reads the file: the first copy whose checksum holds.
    ///
    /// # Errors
    /// Where neither does, or a newer version wrote it.
    pub fn decode(file: &[u8]) -> Result<Self, TripwireError> {
        if file.len() != FILE_BYTES {
            return Err(TripwireError::Damaged);
        }
        let copies = [0, COPY_BYTES].map(|at| file.get(at..)?.first_chunk::<COPY_BYTES>());
        let mut outcome = Err(TripwireError::Damaged);
        for copy in copies.into_iter().flatten().map(|copy| Self(Box::new(*copy))) {
            let [version] = copy.at(VERSION_AT);
            match version {
                _ if !copy.is_whole() => {}
                VERSION if copy.network_length() <= MOST_NETWORK_BYTES => return Ok(copy),
                newer if newer > VERSION => outcome = Err(TripwireError::Newer { found: newer }),
                _ => {}
            }
        }
        outcome
    }

    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        [self.0.as_slice(), self.0.as_slice()].concat()
    }

    /// The seed of the inbox: an account of the device alone, that nobody but trusted friends hears of.
    pub fn inbox(&self) -> Secret<32> {
        Secret::take(&mut self.at(SEED_AT))
    }

    /// Which network to ask; `None` before the device was told one.
    pub fn network(&self) -> Option<&str> {
        let text = self.0.get(NETWORK_AT + 2..)?.get(..self.network_length())?;
        std::str::from_utf8(text).ok().filter(|text| !text.is_empty())
    }

    /// Says so.
    ///
    /// # Errors
    /// Where the text is longer than [`MOST_NETWORK_BYTES`].
    pub fn set_network(&mut self, network: &str) -> Result<(), TripwireError> {
        if network.len() > MOST_NETWORK_BYTES {
            return Err(TripwireError::Network);
        }
        let length = u16::try_from(network.len()).map_err(|_| TripwireError::Network)?;
        self.put(NETWORK_AT, &[0; NETWORK_BYTES]);
        self.put(NETWORK_AT, &length.to_le_bytes());
        self.put(NETWORK_AT + 2, network.as_bytes());
        self.sum();
        Ok(())
    }

    /// When it was last unlocked, and after how long it is wiped.
    pub fn dead_man(&self) -> DeadMan {
        let moment =
            Moment { boot: self.at(BOOT_AT), since: Millis::from_le_bytes(self.at(SINCE_AT)) };
        let unlocked = Millis::from_le_bytes(self.at(UNLOCKED_AT));
        DeadMan { hours: u32::from_le_bytes(self.at(HOURS_AT)), unlocked, moment }
    }

    /// Says after how many hours without unlocking the device is wiped; 0 for never.
    ///
    /// # Errors
    /// Where that is more than ten years.
    pub fn set_term(&mut self, hours: u32) -> Result<(), TripwireError> {
        if hours > LONGEST_HOURS {
            return Err(TripwireError::Term);
        }
        self.put_dead_man(DeadMan { hours, ..self.dead_man() });
        self.sum();
        Ok(())
    }

    /// Notes that the device was unlocked.
    pub fn note_unlocked(&mut self, now: Millis, moment: Moment) {
        self.put_dead_man(DeadMan { unlocked: now, moment, ..self.dead_man() });
        self.sum();
    }

    /// Puts a set into a place, over whatever was there.
    ///
    /// # Errors
    /// Where there is no such place.
    pub fn arm(
        &mut self,
        place: usize,
        verifier: &Verifier,
        entropy: &mut dyn Entropy,
    ) -> Result<(), TripwireError> {
        self.disarm(place, entropy)?;
        let at = place_at(place)?;
        self.put(at, &verifier.salt);
        self.put(at + SALT_BYTES, verifier.checks.as_flattened());
        self.sum();
        Ok(())
    }

    /// Makes a place random: no share of the set that stood there does anything from then on.
    ///
    /// # Errors
    /// Where there is no such place.
    pub fn disarm(&mut self, place: usize, entropy: &mut dyn Entropy) -> Result<(), TripwireError> {
        self.put(place_at(place)?, &random::<PLACE_BYTES>(entropy));
        self.sum();
        Ok(())
    }

    /// Hears an order. A share is kept in the file, which the caller writes.
    pub fn hear(&mut self, order: &Order) -> Heard {
        let verifies = |place: &usize| {
            self.verifier(*place).is_some_and(|known| known.verifies(order.number, &order.proof()))
        };
        let Some(place) = (0..PLACES).find(verifies) else { return Heard::Nothing };
        let Order { set, threshold, number, .. } = *order;
        if order.action == Action::Test {
            return Heard::Test { place, number };
        }
        let was_here = self.is_here(place, set, threshold, number);
        if let Some(at) = share_at(place, number) {
            self.put(at, order.value.expose());
            self.sum();
        }
        let here = (1..=MOST_FRIENDS).filter(|one| self.is_here(place, set, threshold, *one));
        let have = u8::try_from(here.count()).unwrap_or(0);
        match have {
            _ if have >= threshold => Heard::Wipe,
            _ if was_here => Heard::Nothing,
            _ => Heard::Share { place, have, need: threshold },
        }
    }

    /// Whether the share of a number lies in a place. What lies there is random or a share, and only
    /// the check tells.
    fn is_here(&self, place: usize, set: SetId, threshold: u8, number: u8) -> bool {
        let kept = share_at(place, number).map(|at| Secret::take(&mut self.at(at)));
        let verifier = self.verifier(place);
        kept.zip(verifier).is_some_and(|(kept, verifier)| {
            verifier.verifies(number, &proof(&kept, set, threshold, number))
        })
    }

    fn verifier(&self, place: usize) -> Option<Verifier> {
        let at = place_at(place).ok()?;
        let flat: [u8; CHECKS_BYTES] = self.at(at + SALT_BYTES);
        let mut checks = [[0; HASH_BYTES]; FRIENDS];
        checks.as_flattened_mut().copy_from_slice(&flat);
        Some(Verifier { salt: self.at(at), checks })
    }

    fn put_dead_man(&mut self, dead_man: DeadMan) {
        self.put(HOURS_AT, &dead_man.hours.to_le_bytes());
        self.put(UNLOCKED_AT, &dead_man.unlocked.to_le_bytes());
        self.put(BOOT_AT, &dead_man.moment.boot);
        self.put(SINCE_AT, &dead_man.moment.since.to_le_bytes());
    }

    fn network_length(&self) -> usize {
        usize::from(u16::from_le_bytes(self.at(NETWORK_AT)))
    }

    fn is_whole(&self) -> bool {
        self.at(0) == MAGIC && self.at(CHECKSUM_AT) == self.checksum()
    }

    fn sum(&mut self) {
        let sum = self.checksum();
        self.put(CHECKSUM_AT, &sum);
    }

    fn checksum(&self) -> [u8; CHECKSUM_BYTES] {
        let covered = self.0.get(..CHECKSUM_AT).unwrap_or_default();
        // 32 is a length BLAKE2b has, so there is no error to tell.
        blake2b(&[covered]).unwrap_or_default()
    }

    fn at<const N: usize>(&self, at: usize) -> [u8; N] {
        self.0.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
    }

    #[cfg(test)]
    pub(super) fn put_version(&mut self, version: u8) {
        self.put(VERSION_AT, &[version]);
        self.sum();
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.0.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len())) {
            place.copy_from_slice(bytes);
        }
    }
}

impl std::fmt::Debug for Tripwire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tripwire(..)")
    }
}

fn place_at(place: usize) -> Result<usize, TripwireError> {
    if place < PLACES { Ok(PLACES_AT + place * PLACE_BYTES) } else { Err(TripwireError::Place) }
}

fn share_at(place: usize, number: u8) -> Option<usize> {
    let number = usize::from(number).checked_sub(1).filter(|number| *number < FRIENDS)?;
    Some(place_at(place).ok()? + SALT_BYTES + CHECKS_BYTES + number * SECRET_BYTES)
}

const _: () = assert!(PLACES_AT + PLACES * PLACE_BYTES <= CHECKSUM_AT, "the places fit");
