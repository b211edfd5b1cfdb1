//! One writer at a time: a sealed note at the place, renewed while its writer lives.

use std::time::Duration;

use tokio::task::JoinHandle;
use warren_archive::lock::{Lock, RENEW_AFTER};
use warren_archive::{Kind, ObjectName, object};
use warren_crypto::SystemEntropy;

use crate::archive::Archive;
use crate::error::BackupError;
use crate::memory::Alone;

/// The right to write.
pub(crate) struct Held {
    archive: Archive,
    name: ObjectName,
    renewing: JoinHandle<()>,
    _alone: Option<Alone>,
}

impl Archive {
    /// Takes the right to write, or gives way.
    pub(crate) async fn lock(&self) -> Result<Held, BackupError> {
        let alone = self.memory.as_ref().map(|memory| memory.be_alone()).transpose()?;
        let (name, _) = self.put_new(Kind::Lock, &self.note()).await?;
        if let Err(error) = self.give_way(&name).await {
            self.place.remove(Kind::Lock, &name).await?;
            return Err(error);
        }
        let renewing = tokio::spawn(self.clone().renew(name));
        Ok(Held { archive: self.clone(), name, renewing, _alone: alone })
    }

    /// Removes this device's notes, after a run that was stopped halfway.
    ///
    /// # Errors
    /// Where the place fails.
    pub async fn unlock(&self) -> Result<(), BackupError> {
        for name in self.place.list(Kind::Lock).await?.into_keys() {
            if self.note_of(&name).await?.is_some_and(|lock| lock.device == self.device) {
                self.place.remove(Kind::Lock, &name).await?;
            }
        }
        Ok(())
    }

    fn note(&self) -> Vec<u8> {
        Lock { device: self.device, said: self.now() }.encode()
    }

    /// A note; `None` where it is gone or none.
    async fn note_of(&self, name: &ObjectName) -> Result<Option<Lock>, BackupError> {
        let sealed = self.place.get(Kind::Lock, name).await?;
        let content = sealed.and_then(|s| object::open(&self.keys, Kind::Lock, name, &s).ok());
        Ok(content.and_then(|content| Lock::decode(&content).ok()))
    }

    /// Refuses where another device writes; removes what the dead left.
    ///
    /// An own note is of a run that was killed: another run of this device would hold the file.
    async fn give_way(&self, own: &ObjectName) -> Result<(), BackupError> {
        let names = self.place.list(Kind::Lock).await?;
        for name in names.keys().filter(|name| *name != own) {
            let now = self.now();
            match self.note_of(name).await? {
                Some(lock) if lock.device != self.device && lock.is_fresh(now) => {
                    let minutes = lock.said.abs_diff(now) / 60_000;
                    return Err(BackupError::Locked { minutes });
                }
                _ => self.place.remove(Kind::Lock, name).await?,
            }
        }
        Ok(())
    }

    async fn renew(self, name: ObjectName) {
        loop {
            tokio::time::sleep(Duration::from_millis(RENEW_AFTER)).await;
            let sealed =
                object::seal(&self.keys, Kind::Lock, &name, &self.note(), &mut SystemEntropy);
            if let Ok(sealed) = sealed {
                // What is missed once is said five minutes later; the note is good for thirty.
                let _ = self.place.put(Kind::Lock, &name, sealed).await;
            }
        }
    }
}

impl Held {
    /// That nobody took the note away.
    pub(crate) async fn check(&self) -> Result<(), BackupError> {
        match self.archive.note_of(&self.name).await? {
            Some(_) => Ok(()),
            None => Err(BackupError::LockLost),
        }
    }

    /// Gives the right back.
    pub(crate) async fn release(self) -> Result<(), BackupError> {
        self.renewing.abort();
        self.archive.place.remove(Kind::Lock, &self.name).await
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}
