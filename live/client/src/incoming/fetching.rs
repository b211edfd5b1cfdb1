//! Files of messages on this device: fetched, cancelled, read, handed out.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::files;
use crate::attachments::{AttachmentError, Download, SealedReader, StoredFile};
use crate::database::{Attachment, AttachmentId, AttachmentState, DatabaseError};
use crate::error::ClientError;
use crate::events::Event;
use crate::messenger::Messenger;

impl Messenger {
    /// Fetches a file of a message, from where an earlier try left off, and makes a small picture of
    /// an image. How far it is, is told by [`Event::Transfer`]. One that is here is left as it is.
    ///
    /// To drop the future is to pause; [`Messenger::cancel_attachment`] forgets what came.
    ///
    /// # Errors
    /// Where its message is gone, its sender did not say where it is, or as
    /// [`Messenger::download`].
    pub async fn fetch_attachment(&self, id: AttachmentId) -> Result<(), ClientError> {
        let attachment = self.db.with(|db| db.attachment(id))?;
        if attachment.state == AttachmentState::Here || attachment.about.remote.is_none() {
            return match attachment.file {
                Some(_) => Ok(()),
                None => Err(AttachmentError::UnknownServer.into()),
            };
        }
        let fetched = self.fetch_file(&attachment).await;
        let kept = match fetched {
            Ok(file) => self.keep_fetched(&attachment, &file).await,
            Err(error) => Err(error),
        };
        if let Err(ClientError::Attachment(error)) = &kept {
            let state = match error {
                AttachmentError::Expired => AttachmentState::Expired,
                error if error.is_network() => AttachmentState::Offered,
                _ => AttachmentState::Failed,
            };
            let reason = error.to_string();
            self.db.with(|db| db.set_attachment_state(id, state, Some(&reason)))?;
        }
        self.publish_changed(&attachment)?;
        kept
    }

    async fn fetch_file(&self, attachment: &Attachment) -> Result<StoredFile, ClientError> {
        let id = attachment.id;
        let remote = attachment.about.remote.as_ref().and_then(files::remote_file);
        let remote = remote.ok_or(AttachmentError::UnknownServer)?;
        let saved = self.db.with(|db| db.transfer(id))?;
        let begun = saved.and_then(|saved| serde_json::from_str(&saved).ok());
        let size = Some(attachment.about.size).filter(|size| *size > 0);
        let download = begun.unwrap_or_else(|| Download::new(remote.url(), size));
        let mut download = download.keep_when_dropped(true);
        self.db.with(|db| db.set_attachment_state(id, AttachmentState::Downloading, None))?;
        let keep = |download: &Download| {
            let total = download.total().unwrap_or(attachment.about.size);
            self.keep_transfer(attachment, download, download.received(), total);
        };
        keep(&download);
        let fetched = self.download(&mut download, &remote, &mut |download| keep(download)).await;
        match fetched {
            Ok(file) => Ok(file),
            Err(error) => {
                keep(&download);
                Err(error.into())
            }
        }
    }

    async fn keep_fetched(
        &self,
        attachment: &Attachment,
        file: &StoredFile,
    ) -> Result<(), ClientError> {
        let id = attachment.id;
        let noted = self.db.with(|db| {
            db.set_attachment_file(id, Some(&file.to_local()))?;
            db.keep_transfer(id, None, file.size)?;
            db.set_attachment_state(id, AttachmentState::Here, None)
        });
        if let Err(error) = noted {
            // Its message was deleted meanwhile, and nobody knows of the file.
            self.files.remove(&file.name)?;
            return Err(error.into());
        }
        let is_image = attachment.about.content_type.starts_with("image/");
        if !is_image || attachment.thumbnail.is_some() {
            return Ok(());
        }
        // Whatever a decoder makes of a strange image, the file itself is here.
        let Ok(((width, height), (small, _))) = self.thumbnail(file).await else { return Ok(()) };
        let noted = self.db.with(|db| {
            db.set_attachment_thumbnail(id, Some(&small.to_local()))?;
            db.set_attachment_dimensions(id, Some(width), Some(height), attachment.about.duration)
        });
        match noted {
            Err(DatabaseError::Gone) => Ok(self.files.remove(&small.name)?),
            noted => Ok(noted?),
        }
    }

    /// Forgets what came of a file; it can be fetched anew. Whoever fetches it is to be stopped
    /// before.
    ///
    /// # Errors
    /// Where its message is gone, or the disk or the database fails.
    pub async fn cancel_attachment(&self, id: AttachmentId) -> Result<(), ClientError> {
        let attachment = self.db.with(|db| db.attachment(id))?;
        if attachment.state != AttachmentState::Downloading
            && attachment.state != AttachmentState::Offered
        {
            return Ok(());
        }
        let saved = self.db.with(|db| db.transfer(id))?;
        if let Some(download) = saved.and_then(|saved| serde_json::from_str(&saved).ok()) {
            self.cancel_download(download).await?;
        }
        self.db.with(|db| {
            db.keep_transfer(id, None, 0)?;
            db.set_attachment_state(id, AttachmentState::Offered, None)
        })?;
        self.publish_changed(&attachment)
    }

    /// A file of a message, to be read from any place. Nothing of it is on the disk but sealed.
    ///
    /// # Errors
    /// [`AttachmentError::Missing`] where it is not here.
    pub fn open_attachment(&self, id: AttachmentId) -> Result<SealedReader, ClientError> {
        let attachment = self.db.with(|db| db.attachment(id))?;
        let file = attachment.file.as_ref().and_then(StoredFile::of_local);
        Ok(self.files.open(&file.ok_or(AttachmentError::Missing)?)?)
    }

    /// The small picture of a file; `None` where there is none.
    ///
    /// # Errors
    /// Where its message is gone or the disk fails.
    pub fn open_thumbnail(&self, id: AttachmentId) -> Result<Option<SealedReader>, ClientError> {
        let attachment = self.db.with(|db| db.attachment(id))?;
        let file = attachment.thumbnail.as_ref().and_then(StoredFile::of_local);
        Ok(file.map(|file| self.files.open(&file)).transpose()?)
    }

    /// Hands a file out, in plain text, to a place that the person names and where nothing is yet.
    ///
    /// # Errors
    /// Where the file is not here, something is there already, or the disk fails; then nothing of
    /// it stays there.
    pub fn export_attachment(&self, id: AttachmentId, to: &Path) -> Result<u64, ClientError> {
        let mut reader = self.open_attachment(id)?;
        let new = OpenOptions::new().write(true).create_new(true).open(to);
        let mut file = new.map_err(AttachmentError::Disk)?;
        let written = io::copy(&mut reader, &mut file).and_then(|bytes| {
            file.flush()?;
            file.sync_all().map(|()| bytes)
        });
        written.map_err(|error| {
            // The error is what is told.
            let _ = fs::remove_file(to);
            AttachmentError::from(error).into()
        })
    }

    fn publish_changed(&self, attachment: &Attachment) -> Result<(), ClientError> {
        match self.db.with(|db| db.message(attachment.message)) {
            Err(DatabaseError::Gone) => {}
            found => {
                let conversation = found?.conversation;
                let message_id = attachment.message;
                self.publish(Event::MessageChanged { conversation, message_id });
            }
        }
        Ok(())
    }
}
