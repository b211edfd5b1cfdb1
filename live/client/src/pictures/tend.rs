//! Others' pictures are fetched, and those that the owner sets are kept at the server.

use std::io::BufReader;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use warren_config::{ProfilePicture, UserProfile};
use warren_message::content::profile::Picture;
use warren_wire::limits::SECOND;
use warren_wire::{AccountKind, Millis};

use crate::attachments::thumbnail::Thumbnail;
use crate::attachments::upload::TTL_SECONDS;
use crate::attachments::{AttachmentError, blocking};
use crate::configs;
use crate::database::{GroupState, KnownPicture};
use crate::error::ClientError;
use crate::events::Event;
use crate::messenger::Messenger;

/// How many pictures are fetched in one go.
const AT_ONCE: usize = 8;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long all of one go may take.
const PATIENCE_FOR_ALL: Duration = Duration::from_secs(40);
/// The pause after a first failed try; it doubles from then on.
const FIRST_PAUSE: Millis = 60 * SECOND;
/// The longest pause.
const LONGEST_PAUSE: Millis = 24 * 60 * 60 * SECOND;
/// When a picture is stored anew: half of its life is over.
const RENEWED_AFTER: Millis = TTL_SECONDS / 2 * SECOND;

impl Messenger {
    /// Fetches pictures of contacts and groups that are not here yet, and has the server keep those
    /// that the owner set. What fails is tried again later.
    ///
    /// # Errors
    /// Where the database fails, or nothing can be asked because this device is offline.
    pub async fn tend_pictures(&self) -> Result<(), ClientError> {
        let now = self.now();
        let begun = Instant::now();
        for wanted in self.db.with(|db| db.wanted_pictures(now, AT_ONCE))? {
            if begun.elapsed() > PATIENCE_FOR_ALL {
                // The others' turn comes with the next go.
                break;
            }
            match timeout(PATIENCE, self.fetch_picture(&wanted)).await {
                Ok(Err(error)) if error.is_offline() => return Err(error),
                Ok(Err(ClientError::Database(error))) => return Err(error.into()),
                Ok(Ok(())) => continue,
                Ok(Err(_)) | Err(_) => {}
            }
            let pause = FIRST_PAUSE.saturating_mul(1 << wanted.attempts.min(20)).min(LONGEST_PAUSE);
            let next = now.saturating_add(pause);
            self.db.with(|db| db.picture_failed(&wanted.owner, &wanted.url, next))?;
        }
        let due =
            self.db.with(|db| db.pictures_stored_before(now.saturating_sub(RENEWED_AFTER)))?;
        for known in due {
            self.renew_picture(&known).await?;
        }
        Ok(())
    }

    async fn fetch_picture(&self, wanted: &KnownPicture) -> Result<(), ClientError> {
        let picture = Picture::new(wanted.url.clone(), wanted.key.duplicate());
        let picture = picture.ok_or(AttachmentError::UnknownServer)?;
        let file = self.download_picture(&picture).await?;
        let (store, name) = (self.files.clone(), file.name.clone());
        let small = blocking(move || {
            let made = Thumbnail::of(BufReader::new(store.open(&file)?));
            store.remove(&name)?;
            made.map_err(|_| AttachmentError::Image)
        });
        let small = small.await?;
        let stored_at = wanted.stored_at;
        self.db.with(|db| {
            // Another may have been announced while this one was on its way.
            let is_current = db.picture(&wanted.owner)?.is_some_and(|now| now.url == wanted.url);
            if !is_current {
                return Ok(());
            }
            let at = (wanted.url.as_str(), &wanted.key);
            db.keep_picture(&wanted.owner, at, &small.bytes, stored_at)
        })?;
        self.publish(if wanted.owner == self.account.id() {
            Event::AccountChanged
        } else if wanted.owner.kind() == AccountKind::Group {
            Event::ConversationChanged { conversation: wanted.owner }
        } else {
            Event::ContactChanged { contact: wanted.owner }
        });
        Ok(())
    }

    /// Has a picture that the owner set kept for another while: by asking, else by storing it again.
    async fn renew_picture(&self, known: &KnownPicture) -> Result<(), ClientError> {
        let owner = known.owner;
        let is_own = owner == self.account.id();
        let group = self.db.with(|db| db.group(&owner))?;
        let leads = group
            .is_some_and(|group| group.state == GroupState::Joined && group.admin_seed.is_some());
        if !is_own && !leads {
            return Ok(());
        }
        let is_kept = match self.extend_picture(&known.url).await {
            // It is asked again the next time.
            Err(error) if error.is_network() => return Ok(()),
            kept => kept?,
        };
        if is_kept {
            return Ok(self.db.with(|db| db.picture_stored(&owner, self.now()))?);
        }
        let Some(image) = &known.image else { return Ok(()) };
        let again = match self.store_picture(image).await {
            Err(error) if error.is_network() => return Ok(()),
            stored => stored?,
        };
        let at = (again.url.as_str(), &again.key);
        self.db.with(|db| db.keep_picture(&owner, at, image, self.now()))?;
        if is_own {
            self.note_stored_again(&again)
        } else {
            self.note_group_picture(&owner, &again)
        }
    }

    fn note_stored_again(&self, picture: &ProfilePicture) -> Result<(), ClientError> {
        let now = self.now();
        self.db.with(|db| {
            db.transact(|tx| {
                configs::change(tx, &self.account, now, |profile: &mut UserProfile| {
                    profile.set_stored_again(Some(picture), now)
                })
            })
        })
    }
}
