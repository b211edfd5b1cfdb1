//! One writer at a time, as far as a place without locks of its own allows.
//!
//! Whoever writes puts a sealed note at the place, looks for notes of others, and takes its own away
//! where it finds a fresh one. Two that come at once may both give way. Packs are never changed and
//! never named twice, so writers that missed each other's notes still lose nothing; only removing
//! what no snapshot needs must be alone.

use prost::Message;
use warren_wire::Millis;

use crate::ArchiveError;
use crate::snapshot::DeviceId;
use crate::wire::LockMessage;

/// A note that was not renewed for so long is of somebody who died.
pub const STALE_AFTER: Millis = 30 * 60 * 1000;
/// How often a note is renewed.
pub const RENEW_AFTER: Millis = 5 * 60 * 1000;

/// A note of a writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// Who.
    pub device: DeviceId,
    /// When they last said that they write.
    pub said: Millis,
}

impl Lock {
    /// The content of its object.
    pub fn encode(&self) -> Vec<u8> {
        LockMessage { device: self.device.to_vec(), said: self.said }.encode_to_vec()
    }

    /// Reads the content of an object that opened.
    ///
    /// # Errors
    /// Where it is no note.
    pub fn decode(content: &[u8]) -> Result<Self, ArchiveError> {
        let message = LockMessage::decode(content);
        let message = message.map_err(|_| ArchiveError::Content("no protobuf"))?;
        let device = message.device.try_into().map_err(|_| ArchiveError::Content("no device"))?;
        Ok(Self { device, said: message.said })
    }

    /// Whether its writer is to be given way to. Clocks may differ, either way.
    pub const fn is_fresh(&self, now: Millis) -> bool {
        self.said.abs_diff(now) < STALE_AFTER
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_note_is_stale_after_half_an_hour_whichever_clock_is_ahead() {
        let lock = Lock { device: [1; 16], said: STALE_AFTER };
        assert!(lock.is_fresh(1) && lock.is_fresh(2 * STALE_AFTER - 1));
        assert!(!lock.is_fresh(0) && !lock.is_fresh(2 * STALE_AFTER));
    }

    proptest! {
        #[test]
        fn a_note_comes_back_and_any_bytes_are_one_or_an_error(device: [u8; 16], said: u64, bytes: Vec<u8>) {
            let lock = Lock { device, said };
            prop_assert_eq!(Lock::decode(&lock.encode()), Ok(lock));
            let _ = Lock::decode(&bytes);
        }
    }
}
