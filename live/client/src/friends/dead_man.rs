//! The dead man's switch: after how long without unlocking this device wipes itself.

use crate::device::Device;
use crate::error::ClientError;
use crate::tripwire::file::clocks;

impl Device {
    /// After how many hours without unlocking the device is wiped; 0 for never.
    ///
    /// # Errors
    /// Where the tripwire cannot be read.
    pub fn dead_man_hours(&self) -> Result<u32, ClientError> {
        Ok(self.tripwire()?.read()?.dead_man().hours)
    }

    /// Says so. The time runs from here: whoever sets it has it unlocked. The term lies in the tripwire
    /// in the open, as a locked device must go by it.
    ///
    /// # Errors
    /// Where it is longer than ten years, or the disk fails.
    pub fn set_dead_man(&self, hours: u32) -> Result<(), ClientError> {
        let now = clocks();
        Ok(self.tripwire()?.change(|tripwire| {
            tripwire.set_term(hours)?;
            tripwire.note_unlocked(now.clock, now.moment);
            Ok(())
        })?)
    }
}
