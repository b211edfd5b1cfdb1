//! Shares of recovery words between friends: handed out, kept for others, asked for after a loss, given
//! back (decision 0014).
//!
//! ```text
//! owner   hand_out_shares --Keep-->  friend: kept, --Kept--> owner: known to be kept
//! owner, on a new account:  ask_for_shares --Ask-->  friend: a request, which they answer by hand
//! friend  return_shares --Return-->  new account: gathered, until there are enough
//! ```

use warren_account::mnemonic::Seed;
use warren_account::shares::{self, Share};
use warren_account::{Account, Collection};
use warren_crypto::SystemEntropy;
use warren_message::Kind;
use warren_message::content::share::{CarriedShare, ShareMessage};
use warren_wire::{AccountId, AccountKind, Millis};

use crate::database::{GivenShare, KeptShare, ReturnedShare, ShareRequest, Tx};
use crate::error::ClientError;
use crate::events::Event;
use crate::messenger::Messenger;
use crate::notice::Notice;
use crate::outgoing::seal::store_for;

impl Messenger {
    /// Splits the recovery words into as many shares as there are friends, any `threshold` of which
    /// bring them back, and hands each friend one. Their words are kept nowhere here.
    ///
    /// A friend holds a share once their app says so, see [`crate::database::GivenShare::kept_at`].
    ///
    /// # Errors
    /// Where the numbers make no sense, a friend is named twice or is no other person, or the database
    /// fails. A network that fails is no error: the messages wait.
    pub fn hand_out_shares(
        &self,
        friends: &[AccountId],
        threshold: u8,
    ) -> Result<Vec<GivenShare>, ClientError> {
        let mut different = friends.to_vec();
        different.sort_unstable();
        different.dedup();
        if different.len() != friends.len() || !friends.iter().all(|one| self.is_other(one)) {
            return Err(ClientError::NotAFriend);
        }
        let count = u8::try_from(friends.len()).unwrap_or(u8::MAX);
        let seed = Seed::from_seed32(self.account.seed32());
        let shares = shares::split(&seed, threshold, count, &mut SystemEntropy)?;
        let now = self.now();
        let profile = self.own_profile();
        let hand_out = |tx: &Tx<'_>| {
            let mut all = Vec::new();
            for (friend, share) in friends.iter().zip(&shares) {
                let given = given(friend, share, now);
                tx.note_given_share(&given)?;
                self.approve(tx, friend, profile.clone(), now)?;
                let message = ShareMessage::Keep(CarriedShare::new(share));
                send(tx, &self.account, friend, message, now)?;
                all.push(given);
            }
            Ok::<_, ClientError>(all)
        };
        self.db.with(|db| db.transact(hand_out))
    }

    /// Asks people, from this account, for the shares that they keep of one that was lost.
    ///
    /// # Errors
    /// Where somebody is no other person or the database fails.
    pub fn ask_for_shares(
        &self,
        friends: &[AccountId],
        lost: &AccountId,
    ) -> Result<(), ClientError> {
        let are_people = friends.iter().chain([lost]).all(|one| self.is_other(one));
        if !are_people || friends.contains(lost) {
            return Err(ClientError::NotAFriend);
        }
        let now = self.now();
        let profile = self.own_profile();
        let ask = |tx: &Tx<'_>| {
            for friend in friends {
                tx.note_asked_for_shares(friend, lost, now)?;
                self.approve(tx, friend, profile.clone(), now)?;
                send(tx, &self.account, friend, ShareMessage::Ask { account: *lost }, now)?;
            }
            Ok::<_, ClientError>(())
        };
        self.db.with(|db| db.transact(ask))
    }

    /// Gives whoever asked all shares that are kept of `owner`, and keeps them on. To decide that the
    /// two are one person is the owner's of this device, and nothing here can check it.
    ///
    /// # Errors
    /// [`ClientError::NotAsked`] where they did not ask, [`ClientError::NoShares`] where nothing of
    /// `owner` is kept, or where the database fails.
    pub fn return_shares(
        &self,
        asker: &AccountId,
        owner: &AccountId,
    ) -> Result<usize, ClientError> {
        let now = self.now();
        let give_back = |tx: &Tx<'_>| {
            let has_asked = |request: &ShareRequest| request.asker == *asker;
            if !tx.share_requests()?.iter().any(has_asked) {
                return Err(ClientError::NotAsked);
            }
            let mut held = tx.held_shares()?;
            held.retain(|held| held.owner == *owner);
            for (held, at) in held.iter().zip(now..) {
                // It was read when it came.
                let share =
                    Share::parse(held.share.words()).map_err(|_| ClientError::DamagedKey)?;
                let message = ShareMessage::Return(CarriedShare::new(&share));
                // No two messages of one author have one time.
                send(tx, &self.account, asker, message, at)?;
            }
            if held.is_empty() {
                return Err(ClientError::NoShares);
            }
            tx.note_shares_returned(asker, now)?;
            Ok(held.len())
        };
        let returned = self.db.with(|db| db.transact(give_back))?;
        self.publish(Event::ContactChanged { contact: *asker });
        Ok(returned)
    }

    /// What friends gave back, gathered by set; the fullest first. A share that contradicts another
    /// one, or repeats it, is left out.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn gathered_shares(&self) -> Result<Vec<Collection>, ClientError> {
        let mut sets: Vec<Collection> = Vec::new();
        for returned in self.db.with(|db| db.returned_shares())? {
            let Ok(share) = Share::parse(returned.words()) else { continue };
            let same_set = |set: &&mut Collection| set.set() == Some(share.set());
            match sets.iter_mut().find(same_set) {
                // The first one to come counts; a further one tells in combining which is wrong.
                Some(set) => drop(set.add(share)),
                None => {
                    let mut set = Collection::default();
                    if set.add(share).is_ok() {
                        sets.push(set);
                    }
                }
            }
        }
        sets.sort_by_key(|set| std::cmp::Reverse((set.is_complete(), set.have())));
        Ok(sets)
    }

    fn is_other(&self, id: &AccountId) -> bool {
        id.kind() == AccountKind::Person && *id != self.account.id()
    }
}

fn given(friend: &AccountId, share: &Share, now: Millis) -> GivenShare {
    GivenShare {
        friend: *friend,
        set: share.set().name(),
        number: share.number(),
        threshold: share.set().threshold(),
        given_at: now,
        kept_at: None,
    }
}

/// Seals a message to somebody, and to nobody else: the owner's other devices need no copy.
fn send(
    tx: &Tx<'_>,
    account: &Account,
    to: &AccountId,
    message: ShareMessage,
    now: Millis,
) -> Result<(), ClientError> {
    store_for(tx, account, to, Kind::Share(message), now)
}

/// Takes what somebody sent about shares; gives what is to be shown of it, if anything.
///
/// # Errors
/// Where the database fails or an answer cannot be sealed.
pub(crate) fn take(
    tx: &Tx<'_>,
    account: &Account,
    from: &AccountId,
    message: &ShareMessage,
    now: Millis,
) -> Result<Option<Notice>, ClientError> {
    match message {
        ShareMessage::Keep(share) => keep(tx, account, from, share, now).map(Some),
        ShareMessage::Kept { set, number } => {
            let is_news = tx.note_kept_share(from, set, *number, now)?;
            Ok(is_news.then(|| Notice::ShareKept { set: set.clone(), number: *number }))
        }
        ShareMessage::Ask { account: lost } => {
            tx.note_share_request(from, lost, now)?;
            Ok(Some(Notice::SharesAsked { account: lost.to_string() }))
        }
        ShareMessage::Return(share) => {
            if tx.asked_for_shares(from)?.is_none() {
                return Ok(None);
            }
            let words = share.words().to_owned();
            tx.keep_returned_share(&ReturnedShare::new(*from, words, now))?;
            let (set, number) = (share.set().to_owned(), share.number());
            Ok(Some(Notice::ShareReturned { set, number, threshold: share.threshold() }))
        }
    }
}

/// Keeps a share of somebody the owner accepted, and tells them so.
fn keep(
    tx: &Tx<'_>,
    account: &Account,
    from: &AccountId,
    share: &CarriedShare,
    now: Millis,
) -> Result<Notice, ClientError> {
    let is_friend = tx.contact(from)?.is_some_and(|contact| contact.approved);
    let (set, number, threshold) = (share.set().to_owned(), share.number(), share.threshold());
    let words = share.words().to_owned();
    let kept = is_friend
        && tx.hold_share(from, &KeptShare::new(set.clone(), number, threshold, words), now)?;
    if kept {
        send(tx, account, from, ShareMessage::Kept { set: set.clone(), number }, now)?;
    }
    Ok(Notice::ShareHanded { set, number, threshold, kept })
}
