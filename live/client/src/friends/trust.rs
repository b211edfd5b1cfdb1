//! The owner's side: friends are chosen who can wipe this device, and the choice is taken back.

use warren_crypto::SystemEntropy;
use warren_lock::tripwire::{FriendShare, SetId, Verifier};
use warren_message::content::tripwire::{Offer, TripwireMessage};
use warren_wire::{AccountId, AccountKind, Millis};

use super::send;
use crate::database::{TrustedFriend, TrustedSet, Tx};
use crate::device::Device;
use crate::error::ClientError;
use crate::events::Event;
use crate::messenger::Messenger;

/// Whom to trust with this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The friends.
    pub friends: Vec<AccountId>,
    /// Whether the account's own other devices are one friend more, whose share each of them has.
    pub own_devices: bool,
    /// How many of the friends together wipe the device.
    pub threshold: u8,
    /// What the friends are told that the device is called.
    pub device: String,
}

impl Device {
    /// Makes a set: what verifies its shares goes into the tripwire, then the shares to the friends,
    /// and nothing of them stays here. A friend can wipe once their app says that it keeps the share,
    /// see [`TrustedFriend::standing`].
    ///
    /// # Errors
    /// Where the numbers make no sense, a friend is named twice or is no other person, there is no room
    /// for one more set, or the disk fails. A network that fails is no error: the messages wait.
    pub fn trust(&self, messenger: &Messenger, trust: &Trust) -> Result<TrustedSet, ClientError> {
        let mut friends = trust.friends.clone();
        friends.extend(trust.own_devices.then_some(messenger.account.id()));
        check(messenger, trust)?;
        let count = u8::try_from(friends.len()).unwrap_or(u8::MAX);
        let (verifier, shares) = Verifier::draw(trust.threshold, count, &mut SystemEntropy)?;
        let set = shares.first().map(|share| share.set).ok_or(ClientError::TrustedFriends)?;
        self.tidy(messenger)?;
        let (place, inbox) = self.arm(messenger.account.id(), set, &verifier)?;
        let trusted = friends.iter().zip(&shares).map(|(friend, share)| TrustedFriend {
            friend: *friend,
            number: share.number,
            taken_at: None,
            declined_at: None,
            tested_at: None,
        });
        let made = TrustedSet {
            set,
            inbox,
            place,
            threshold: trust.threshold,
            device: trust.device.clone(),
            created: messenger.now(),
            friends: trusted.collect(),
        };
        messenger.offer(&made, &shares).inspect_err(|_| {
            // Where this fails too, the next set that is made takes the place back.
            drop(self.tidy(messenger));
        })?;
        Ok(made)
    }

    /// Has the shares of a set do nothing any more, then tells the friends so.
    ///
    /// # Errors
    /// Where there is no such set or the disk fails.
    pub fn revoke_trust(
        &self,
        messenger: &Messenger,
        set: &SetId,
    ) -> Result<TrustedSet, ClientError> {
        let known = messenger.trusted_set(set)?;
        self.disarm(|used| used.set == *set)?;
        messenger.revoke(&known)?;
        Ok(known)
    }

    /// Makes a new set of the same friends in the place of one, which is revoked.
    ///
    /// # Errors
    /// As [`Device::trust`] and [`Device::revoke_trust`].
    pub fn reissue_trust(
        &self,
        messenger: &Messenger,
        set: &SetId,
    ) -> Result<TrustedSet, ClientError> {
        let known = messenger.trusted_set(set)?;
        let own = messenger.account.id();
        let mut friends: Vec<_> = known.friends.iter().map(|friend| friend.friend).collect();
        let own_devices = friends.contains(&own);
        friends.retain(|friend| *friend != own);
        let (threshold, device) = (known.threshold, known.device);
        let made = self.trust(messenger, &Trust { friends, own_devices, threshold, device })?;
        self.revoke_trust(messenger, set)?;
        Ok(made)
    }

    fn tidy(&self, messenger: &Messenger) -> Result<(), ClientError> {
        let sets = messenger.db.with(|db| db.trusted_sets())?;
        let sets: Vec<_> = sets.iter().map(|known| known.set).collect();
        self.tidy_places(&messenger.account.id(), &sets)
    }
}

fn check(messenger: &Messenger, trust: &Trust) -> Result<(), ClientError> {
    let own = messenger.account.id();
    let mut different = trust.friends.clone();
    different.sort_unstable();
    different.dedup();
    let is_other = |id: &AccountId| id.kind() == AccountKind::Person && *id != own;
    if different.len() != trust.friends.len() || !different.iter().all(is_other) {
        return Err(ClientError::TrustedFriends);
    }
    Ok(())
}

impl Messenger {
    /// Notes that the device heard a friend's test, and tells them; whether that is news of a set of
    /// this account.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn tell_tested(&self, set: &SetId, number: u8, at: Millis) -> Result<bool, ClientError> {
        let now = self.now();
        let tell = |tx: &Tx<'_>| {
            let Some(friend) = tx.note_test_heard(set, number, at)? else { return Ok(None) };
            let tested = TripwireMessage::Tested { set: *set, number, at };
            send(tx, &self.account, &friend, tested, now)?;
            Ok::<_, ClientError>(Some(friend))
        };
        let friend = self.db.with(|db| db.transact(tell))?;
        if let Some(contact) = friend {
            self.publish(Event::ContactChanged { contact });
        }
        Ok(friend.is_some())
    }

    fn trusted_set(&self, set: &SetId) -> Result<TrustedSet, ClientError> {
        let mut sets = self.db.with(|db| db.trusted_sets())?.into_iter();
        sets.find(|known| known.set == *set).ok_or(ClientError::NoTrustedSet)
    }

    fn offer(&self, made: &TrustedSet, shares: &[FriendShare]) -> Result<(), ClientError> {
        let (now, profile) = (made.created, self.own_profile());
        let offer = |tx: &Tx<'_>| {
            tx.note_trusted_set(made)?;
            for (friend, share) in made.friends.iter().zip(shares) {
                self.approve(tx, &friend.friend, profile.clone(), now)?;
                let offer = Offer::new(share.duplicate(), made.inbox, &made.device);
                send(tx, &self.account, &friend.friend, TripwireMessage::Offer(offer), now)?;
            }
            Ok(())
        };
        self.db.with(|db| db.transact(offer))
    }

    fn revoke(&self, known: &TrustedSet) -> Result<(), ClientError> {
        let now = self.now();
        let set = known.set;
        let revoke = |tx: &Tx<'_>| {
            tx.note_revoked_set(&set, now)?;
            for friend in &known.friends {
                // No two messages of one author have one time, and an offer may go at this one.
                let at = now.saturating_add(1);
                send(tx, &self.account, &friend.friend, TripwireMessage::Revoked { set }, at)?;
            }
            Ok(())
        };
        self.db.with(|db| db.transact(revoke))
    }
}
