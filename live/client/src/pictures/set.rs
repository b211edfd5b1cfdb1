//! The owner's picture and those of groups: made small and square, stored, and told to others.

use std::io::Cursor;

use warren_config::{ProfilePicture, UserProfile};
use warren_crypto::{Secret, SystemEntropy};
use warren_message::attachment::picture::seal_legacy;
use warren_message::attachment::url::FileUrl;
use warren_wire::{AccountId, AccountKind};

use crate::attachments::server::{Asker, FileServer};
use crate::attachments::thumbnail::square;
use crate::attachments::upload::TTL_SECONDS;
use crate::attachments::{AttachmentError, blocking};
use crate::configs;
use crate::error::ClientError;
use crate::events::Event;
use crate::messenger::Messenger;

impl Messenger {
    /// Sets what the owner looks like, from an image in a format that can be opened. It is cut square
    /// and made small; nothing but its pixels leaves this device. Everybody who is written to from
    /// here on is told, and the owner's other devices are.
    ///
    /// # Errors
    /// [`AttachmentError::Image`] where it is no image, or where the network or the database fails;
    /// then nothing changed.
    pub async fn set_picture(&self, image: Vec<u8>) -> Result<(), ClientError> {
        let small = made(image).await?;
        let picture = self.store_picture(&small).await?;
        let (own, now) = (self.account.id(), self.now());
        self.db.with(|db| {
            db.transact(|tx| {
                configs::change(tx, &self.account, now, |profile: &mut UserProfile| {
                    profile.set_picture(Some(&picture), now)
                })?;
                tx.keep_picture(&own, (&picture.url, &picture.key), &small, now)?;
                Ok::<_, ClientError>(())
            })
        })?;
        self.publish(Event::AccountChanged);
        Ok(())
    }

    /// Takes the owner's picture away.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn remove_picture(&self) -> Result<(), ClientError> {
        let (own, now) = (self.account.id(), self.now());
        self.db.with(|db| {
            db.transact(|tx| {
                configs::change(tx, &self.account, now, |profile: &mut UserProfile| {
                    profile.set_picture(None, now)
                })?;
                tx.want_picture(&own, None, now)?;
                Ok::<_, ClientError>(())
            })
        })?;
        self.publish(Event::AccountChanged);
        Ok(())
    }

    /// Sets what a group looks like, as [`Messenger::set_picture`] does for the owner; admins alone can.
    ///
    /// # Errors
    /// [`ClientError::NotAnAdmin`], and as [`Messenger::set_picture`].
    pub async fn set_group_picture(
        &self,
        group: &AccountId,
        image: Vec<u8>,
    ) -> Result<(), ClientError> {
        self.assert_leads(group)?;
        let small = made(image).await?;
        let picture = self.store_picture(&small).await?;
        let at = (picture.url.as_str(), &picture.key);
        self.db.with(|db| db.keep_picture(group, at, &small, self.now()))?;
        self.tell_group_picture(group, Some(&picture)).await
    }

    /// Takes a group's picture away; admins alone can.
    ///
    /// # Errors
    /// [`ClientError::NotAnAdmin`], or where the database fails. A network that fails is no error.
    pub async fn remove_group_picture(&self, group: &AccountId) -> Result<(), ClientError> {
        self.assert_leads(group)?;
        self.tell_group_picture(group, None).await
    }

    /// What somebody looks like, as far as it is known here: the owner, a contact or a group. A JPEG,
    /// or a PNG where parts of it are transparent.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn picture_of(&self, owner: &AccountId) -> Result<Option<Vec<u8>>, ClientError> {
        Ok(self.db.with(|db| db.picture(owner))?.and_then(|picture| picture.image))
    }

    fn assert_leads(&self, group: &AccountId) -> Result<(), ClientError> {
        if group.kind() != AccountKind::Group {
            return Err(ClientError::NotAMember);
        }
        let about = self.group_about(group)?;
        if about.admin { Ok(()) } else { Err(ClientError::NotAnAdmin) }
    }

    /// Seals a picture under a fresh key and stores it at a node that keeps files.
    pub(super) async fn store_picture(&self, image: &[u8]) -> Result<ProfilePicture, ClientError> {
        let node = self.network.file_node().await?.ok_or(AttachmentError::NoServer)?;
        let server = FileServer::of_node(&node);
        let entropy = &mut SystemEntropy;
        let key = Secret::random(entropy);
        let sealed = seal_legacy(&key, image, entropy).map_err(AttachmentError::Corrupt)?;
        let id = Asker::new(&self.network, &server).store(sealed, TTL_SECONDS).await?;
        let url = server.url_of(&id).ok_or(AttachmentError::Nonsense)?;
        Ok(ProfilePicture { url: url.as_str().to_owned(), key })
    }

    /// Asks the server of a picture to keep it for another while; whether it has it.
    pub(super) async fn extend_picture(&self, url: &str) -> Result<bool, ClientError> {
        let url = FileUrl::parse(url).ok_or(AttachmentError::UnknownServer)?;
        let server = FileServer::of_url(&url)?;
        match Asker::new(&self.network, &server).extend(url.id(), TTL_SECONDS).await {
            Ok(()) => Ok(true),
            Err(error) if error.is_network() => Err(error.into()),
            // Gone, or a server that knows no longer life.
            Err(_) => Ok(false),
        }
    }
}

async fn made(image: Vec<u8>) -> Result<Vec<u8>, AttachmentError> {
    blocking(move || square(Cursor::new(image)).map_err(|_| AttachmentError::Image)).await
}
