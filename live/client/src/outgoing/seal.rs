//! Sealed copies: one for whom a content is for, one for the account's own devices.

use warren_account::Account;
use warren_config::UserProfile;
use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;
use warren_message::content::profile::{DisplayName, Picture, Profile};
use warren_message::expiration::{Conversation, Expiration, Mode, Timer};
use warren_message::{Content, Kind, seal_direct};
use warren_wire::limits::SECOND;
use warren_wire::{AccountId, AccountKind, Millis, Namespace};

use crate::configs;
use crate::database::{AccountDb, Expiry, ExpiryMode, Purpose, SealedCopy, Task, Tx};
use crate::error::ClientError;
use crate::messenger::Messenger;

/// Seals something from `account` to somebody, and has it stored. It stands in no conversation, and the
/// owner's other devices get no copy.
///
/// # Errors
/// Where it cannot be sealed, or the database fails.
pub(crate) fn store_for(
    tx: &Tx<'_>,
    account: &Account,
    to: &AccountId,
    kind: Kind,
    now: Millis,
) -> Result<(), ClientError> {
    let content = Content::from(kind);
    let data = seal_direct(account, to, &content, now, now, &mut SystemEntropy)?;
    let copy = SealedCopy {
        purpose: Purpose::Recipient,
        target: *to,
        namespace: Namespace::DIRECT,
        data,
        timestamp: now,
        ttl: content.ttl(),
    };
    tx.add_job(&Task::Store { message: None, copy }, &[], now)?;
    Ok(())
}

impl Messenger {
    /// The copies of a content: the recipient's or the group's, and unless it passes (typing,
    /// receipts) one for the account's own devices.
    pub(crate) fn copies(
        &self,
        conversation: &AccountId,
        content: &Content,
        timestamp: Millis,
    ) -> Result<Vec<SealedCopy>, ClientError> {
        let own = self.account.id();
        if conversation.kind() == AccountKind::Group {
            return Ok(vec![self.seal_to_group(conversation, content, timestamp)?]);
        }
        let mut copies = Vec::new();
        if *conversation != own {
            copies.push(self.seal(Purpose::Recipient, conversation, content, timestamp)?);
        }
        // Session's clients show the owner's answer to a request as a note to self.
        let passes = matches!(
            content.kind,
            Kind::Typing(_)
                | Kind::Receipt(_)
                | Kind::RequestResponse(_)
                | Kind::Share(_)
                | Kind::Tripwire(_)
                | Kind::Extraction(_)
        );
        if !passes {
            let content = for_own_devices(content.clone(), conversation);
            copies.push(self.seal(Purpose::Sync, &own, &content, timestamp)?);
        }
        Ok(copies)
    }

    pub(crate) fn seal(
        &self,
        purpose: Purpose,
        target: &AccountId,
        content: &Content,
        timestamp: Millis,
    ) -> Result<SealedCopy, ClientError> {
        let entropy = &mut SystemEntropy;
        // Session's clients drop what has another time inside than on the envelope.
        let data = seal_direct(&self.account, target, content, timestamp, timestamp, entropy)?;
        let ttl = content.ttl();
        let outer_time = match purpose {
            Purpose::Sync if ttl > LEAST_BLURRED => timestamp.saturating_sub(blur()),
            _ => timestamp,
        };
        Ok(SealedCopy {
            purpose,
            target: *target,
            namespace: Namespace::DIRECT,
            data,
            timestamp: outer_time,
            ttl,
        })
    }

    /// What goes along with everything the owner says.
    pub(crate) fn own_profile(&self) -> Option<Profile> {
        let name = self.display_name();
        let read = |db: &mut AccountDb| configs::read::<UserProfile>(db, &self.account, self.now());
        let known = self.db.with(read).ok();
        let picture = known.as_ref().and_then(UserProfile::picture);
        let picture = picture.and_then(|picture| Picture::new(picture.url, picture.key));
        let updated = known.map(|profile| profile.updated()).filter(|updated| *updated > 0);
        let profile =
            Profile { name: name.as_deref().and_then(DisplayName::cut), picture, updated };
        (profile.name.is_some() || profile.picture.is_some()).then_some(profile)
    }

    /// When messages of a conversation are to disappear, as its owner set it.
    pub(crate) fn expiration_in(
        &self,
        conversation: &AccountId,
    ) -> Result<Option<Expiration>, ClientError> {
        let setting = self.db.with(|db| db.conversation(conversation))?;
        let expiry = setting.and_then(|conversation| conversation.expiry);
        Ok(expiry.and_then(|expiry| self.expiration(conversation, expiry)))
    }

    /// A setting in the words of messages.
    pub(crate) fn expiration(
        &self,
        conversation: &AccountId,
        expiry: Expiry,
    ) -> Option<Expiration> {
        let mode = match expiry.mode {
            ExpiryMode::AfterRead => Mode::AfterRead,
            ExpiryMode::AfterSend => Mode::AfterSend,
        };
        let kind = match conversation.kind() {
            AccountKind::Group => Conversation::Group,
            _ if *conversation == self.account.id() => Conversation::NoteToSelf,
            _ => Conversation::Direct,
        };
        Some(Expiration { mode, timer: Timer::seconds(expiry.seconds)? }.within(kind))
    }
}

fn for_own_devices(mut content: Content, conversation: &AccountId) -> Content {
    if let Kind::Data(data) = &mut content.kind {
        data.sync_target = Some(*conversation);
    }
    content
}

/// What lives no longer than this says when it was stored: it might be gone before it is there.
const LEAST_BLURRED: Millis = 60 * 60 * SECOND;

/// How much earlier the copy for one's own devices says it was stored: up to two minutes, so that
/// the two copies of a message do not carry the same time past the nodes.
fn blur() -> Millis {
    const LONGEST: usize = 120_000;
    let drawn = random_index(&mut SystemEntropy, LONGEST).unwrap_or(0);
    u64::try_from(drawn).unwrap_or(0)
}
