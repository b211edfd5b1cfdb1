//! Where the sets of a home's accounts stand in its tripwire.
//!
//! One file serves all accounts of a home, and the index says which places they use. The store of
//! decoys uses none: the code that opens it makes the tripwire anew, and a set that is listed there and
//! works no more would tell that there was another store. A place is noted there before a set is put into it, and forgotten after the set is
//! gone from it, so that whatever is cut off leaves a place that is noted and serves nobody:
//! [`Device::tidy_places`] takes those back.

use warren_crypto::SystemEntropy;
use warren_lock::Tripwire;
use warren_lock::tripwire::file::PLACES;
use warren_lock::tripwire::{SetId, TripwireError as Rule, Verifier};
use warren_wire::AccountId;

use crate::database::places::UsedPlace;
use crate::device::Device;
use crate::error::ClientError;
use crate::tripwire::{TripwireError, TripwireFile, inbox_id};

impl Device {
    /// The inbox of this device.
    ///
    /// # Errors
    /// Where the tripwire cannot be read.
    pub fn inbox(&self) -> Result<AccountId, ClientError> {
        Ok(inbox_id(&self.tripwire()?.read()?)?)
    }

    /// The tripwire of the home.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn tripwire(&self) -> Result<TripwireFile, ClientError> {
        Ok(TripwireFile::of(self.vault.home().root())?)
    }

    /// Puts a set into a free place: which one, and the inbox it belongs to.
    pub(super) fn arm(
        &self,
        account: AccountId,
        set: SetId,
        verifier: &Verifier,
    ) -> Result<(u8, AccountId), ClientError> {
        if self.is_other {
            return Err(ClientError::DecoysTrustNobody);
        }
        self.with_places(|tripwire, used| {
            let is_used = |place: &u8| used.iter().any(|one| one.place == *place);
            let free = (0..=u8::MAX).take(PLACES).find(|place| !is_used(place));
            let place = free.ok_or(TripwireError::Rule(Rule::Place))?;
            used.push(UsedPlace { place, set, account });
            tripwire
                .arm(place.into(), verifier, &mut SystemEntropy)
                .map_err(TripwireError::from)?;
            Ok((place, inbox_id(tripwire)?))
        })
    }

    /// Makes the places random that these sets stand in.
    pub(super) fn disarm(&self, is_gone: impl Fn(&UsedPlace) -> bool) -> Result<(), ClientError> {
        if !self.index.used_places()?.iter().any(&is_gone) {
            return Ok(());
        }
        let file = self.tripwire()?;
        let mut used = self.index.used_places()?;
        file.change(|tripwire| {
            let mut gone = used.iter().filter(|one| is_gone(one));
            gone.try_for_each(|one| tripwire.disarm(one.place.into(), &mut SystemEntropy))
        })?;
        used.retain(|one| !is_gone(one));
        Ok(self.index.set_used_places(&used)?)
    }

    /// Takes places back that an account has no set for: where making or revoking one was cut off.
    pub(super) fn tidy_places(&self, of: &AccountId, sets: &[SetId]) -> Result<(), ClientError> {
        self.disarm(|used| used.account == *of && !sets.contains(&used.set))
    }

    /// Makes the places of an account random that is taken off this device.
    pub(crate) fn disarm_account(&self, id: &AccountId) -> Result<(), ClientError> {
        self.disarm(|used| used.account == *id)
    }

    /// Changes the tripwire and the list of used places while no other process does. The list is on the
    /// disk first.
    fn with_places<T>(
        &self,
        change: impl FnOnce(&mut Tripwire, &mut Vec<UsedPlace>) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut failure = None;
        let changed = self.tripwire()?.change(|tripwire| {
            let changed =
                self.index.used_places().map_err(ClientError::from).and_then(|mut used| {
                    let done = change(tripwire, &mut used)?;
                    self.index.set_used_places(&used)?;
                    Ok(done)
                });
            changed.map_err(|error| {
                failure = Some(error);
                // What is told is the failure.
                Rule::Place
            })
        });
        changed.map_err(|error| failure.unwrap_or_else(|| error.into()))
    }
}
