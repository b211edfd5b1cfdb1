//! Files that a person sends: sealed at rest when they are chosen, uploaded after the message was
//! saved.

use std::io::Read;

use serde::{Deserialize, Serialize};
use warren_message::attachment::pointer::Attachment as Pointer;
use warren_message::content::body::Body;
use warren_message::content::data::{Data, What};
use warren_message::content::visible::{Preview, Quote, Visible};
use warren_message::{Content, content};
use warren_wire::Millis;
use warren_wire::limits::SECOND;

use crate::attachments::{Format, Metadata, StoredFile, Upload};
use crate::database::{
    self, Attachment, AttachmentId, AttachmentKind, DatabaseError, DraftFileId, JobId, Message,
    MessageId, NewAttachment, Task, Tx,
};
use crate::error::ClientError;
use crate::events::Event;
use crate::incoming::files;
use crate::messenger::Messenger;

/// How long a file waits for a message.
pub(crate) const DRAFT_LIFE: Millis = 7 * 24 * 60 * 60 * SECOND;

/// A file that was chosen for a message: it lies sealed on this device. One that no message takes
/// is swept at a later start: soon, or within a week where it was kept by [`Messenger::keep_draft`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DraftFile {
    /// What stands under it.
    pub caption: Option<String>,
    name: Option<String>,
    media_type: String,
    voice: bool,
    /// Whether it is the image of a link's preview.
    #[serde(default)]
    preview: bool,
    dimensions: Option<(u32, u32)>,
    duration: Option<Millis>,
    file: StoredFile,
    thumbnail: Option<StoredFile>,
    #[serde(skip)]
    kept: Option<DraftFileId>,
}

impl DraftFile {
    /// Its media type, by its content or else by its name.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Bytes that will be sent of it.
    pub fn size(&self) -> u64 {
        self.file.size
    }

    /// Width and height of an image, in pixels.
    pub fn dimensions(&self) -> Option<(u32, u32)> {
        self.dimensions
    }

    /// How long a recording plays, in milliseconds.
    pub fn duration(&self) -> Option<Millis> {
        self.duration
    }

    /// The image of a link's preview.
    pub(crate) fn preview(file: StoredFile, media_type: &str) -> Self {
        Self {
            caption: None,
            name: None,
            media_type: media_type.to_owned(),
            voice: false,
            preview: true,
            dimensions: None,
            duration: None,
            file,
            thumbnail: None,
            kept: None,
        }
    }

    fn about(&self) -> NewAttachment {
        let kind = match self.preview {
            true => AttachmentKind::Preview,
            false => files::kind(self.voice, &self.media_type),
        };
        let (width, height) = self.dimensions.unzip();
        NewAttachment {
            name: self.name.clone(),
            caption: self.caption.clone(),
            width,
            height,
            duration: self.duration,
            ..NewAttachment::new(kind, &self.media_type, self.file.size)
        }
    }
}

impl Messenger {
    /// Takes a file in for a message: without what an image tells of the one who took it unless
    /// `metadata` says otherwise, sealed, with a small picture. `name` is what the recipients see;
    /// `voice` says that it holds what the owner spoke for this message.
    ///
    /// # Errors
    /// As [`Messenger::import`].
    pub async fn attach(
        &self,
        source: impl Read + Send + 'static,
        name: Option<&str>,
        metadata: Metadata,
        voice: bool,
    ) -> Result<DraftFile, ClientError> {
        let imported = self.import(source, name, metadata).await?;
        Ok(DraftFile {
            caption: None,
            name: name.map(str::to_owned),
            media_type: imported.media_type,
            voice,
            preview: false,
            dimensions: imported.dimensions,
            duration: imported.duration,
            file: imported.file,
            thumbnail: imported.thumbnail.map(|(file, _)| file),
            kept: None,
        })
    }

    /// Keeps a file for a message that is written later, for a week; what to ask for it by.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn keep_draft(&self, file: &DraftFile) -> Result<DraftFileId, ClientError> {
        let draft = serde_json::to_string(file).map_err(|_| DatabaseError::Damaged)?;
        Ok(self.db.with(|db| db.add_draft_file(&draft, self.now()))?)
    }

    /// Files that were kept, in the order asked for. The message that takes them takes them for good.
    ///
    /// # Errors
    /// [`ClientError::NoSuchDraft`] where one is not there.
    pub fn kept_drafts(&self, ids: &[DraftFileId]) -> Result<Vec<DraftFile>, ClientError> {
        ids.iter().map(|id| self.kept_draft(*id)).collect()
    }

    fn kept_draft(&self, id: DraftFileId) -> Result<DraftFile, ClientError> {
        match self.db.with(|db| db.draft_file(id)) {
            Err(DatabaseError::Gone) => Err(ClientError::NoSuchDraft(id.number())),
            Err(error) => Err(error.into()),
            Ok(draft) => {
                let file: DraftFile =
                    serde_json::from_str(&draft).map_err(|_| DatabaseError::Damaged)?;
                Ok(DraftFile { kept: Some(id), ..file })
            }
        }
    }

    /// Gives up a file that was kept: no message is to have it.
    ///
    /// # Errors
    /// [`ClientError::NoSuchDraft`] where it is not there.
    pub fn give_up_draft(&self, id: DraftFileId) -> Result<(), ClientError> {
        let file = self.kept_draft(id)?;
        self.db.with(|db| db.give_up_draft_file(id))?;
        for stored in std::iter::once(&file.file).chain(&file.thumbnail) {
            // Where the disk refuses, a later start deletes it.
            let _ = self.files.remove(&stored.name);
        }
        Ok(())
    }

    /// Uploads a file of a message, from where it was left off; one that is at the server already is
    /// left there.
    pub(crate) async fn upload_attachment(&self, id: AttachmentId) -> Result<(), ClientError> {
        let found =
            self.db.with(|db| Ok::<_, DatabaseError>((db.attachment(id)?, db.transfer(id)?)));
        let (attachment, saved) = match found {
            // Its message was deleted while it was on its way.
            Err(DatabaseError::Gone) => return Ok(()),
            found => found?,
        };
        if attachment.about.remote.is_some() {
            return Ok(());
        }
        let local = attachment.file.as_ref().and_then(StoredFile::of_local);
        let local = local.ok_or(crate::attachments::AttachmentError::Missing)?;
        let begun = saved.and_then(|saved| serde_json::from_str(&saved).ok());
        let mut upload = begun.unwrap_or_else(|| Upload::new(&local, Format::default(), None));
        self.keep_transfer(&attachment, &upload, upload.sent(), upload.total());
        let progress = &mut |upload: &Upload| {
            self.keep_transfer(&attachment, upload, upload.sent(), upload.total());
        };
        let uploaded = self.upload(&mut upload, progress).await;
        self.keep_transfer(&attachment, &upload, upload.sent(), upload.total());
        let remote = files::remote(&uploaded?.remote);
        match self.db.with(|db| db.set_attachment_uploaded(id, &remote)) {
            Err(DatabaseError::Gone) => Ok(()),
            noted => Ok(noted?),
        }
    }

    /// Keeps how a transfer goes on, and tells how far it is. A database that fails fails what
    /// follows; here it only makes a later start go back further.
    pub(crate) fn keep_transfer(
        &self,
        attachment: &Attachment,
        transfer: &impl Serialize,
        done: u64,
        total: u64,
    ) {
        let saved = serde_json::to_string(transfer).ok();
        let _ = self.db.with(|db| db.keep_transfer(attachment.id, saved.as_deref(), done));
        let (message_id, position) = (attachment.message, attachment.position);
        self.publish(Event::Transfer { message_id, position, done, total });
    }

    /// Seals a message whose files are all at a server, and saves the copies instead of the job. One
    /// whose job is gone was sealed before: sealed twice it would be sent twice.
    pub(crate) fn seal_message(&self, job: JobId, id: MessageId) -> Result<(), ClientError> {
        let found =
            self.db.with(|db| Ok::<_, DatabaseError>((db.message(id)?, db.attachments(id)?)));
        let (message, attachments) = match found {
            Err(DatabaseError::Gone) => return Ok(()),
            found => found?,
        };
        let content = self.content_of(&message, &attachments)?;
        let copies = self.copies(&message.conversation, &content, message.timestamp)?;
        let now = self.now();
        let replace = |tx: &Tx<'_>| {
            if !tx.jobs_of(id)?.iter().any(|other| other.id == job) {
                return Ok(());
            }
            for copy in copies {
                tx.add_job(&Task::Store { message: Some(id), copy }, &[], now)?;
            }
            Ok::<_, ClientError>(tx.job_done(job, None, now)?)
        };
        self.db.with(|db| db.transact(replace))
    }

    fn content_of(
        &self,
        message: &Message,
        attachments: &[Attachment],
    ) -> Result<Content, ClientError> {
        let body = match &message.content {
            database::Content::Text(text) if !text.is_empty() => Some(Body::new(text.clone())?),
            _ => None,
        };
        let is_preview = |file: &&Attachment| file.about.kind == AttachmentKind::Preview;
        let files = attachments.iter().filter(|file| !is_preview(file)).map(pointer).collect();
        let mut visible = Visible::files(body, files)?;
        if let Some(mut preview) = message.preview.as_ref().and_then(in_words) {
            preview.image = attachments.iter().find(is_preview).map(pointer);
            visible = visible.with_preview(preview);
        }
        if let Some(quote) = &message.quote {
            visible = visible.with_quote(Quote::of(quote.timestamp, quote.author));
        }
        let data = Data::from(What::Visible(visible)).with_profile(self.own_profile());
        let expiry = message.expiry;
        let expiration = expiry.and_then(|expiry| self.expiration(&message.conversation, expiry));
        Ok(Content { expiration, ..Content::from(data) })
    }
}

/// A preview in the words of messages, without its image.
pub(super) fn in_words(preview: &database::Preview) -> Option<Preview> {
    let mut words = Preview::new(preview.url.clone())?;
    words.title = Some(preview.title.clone()).filter(|title| !title.is_empty());
    Some(words)
}

/// The most files of one message are not exceeded.
pub(super) fn check(files: &[DraftFile]) -> Result<(), ClientError> {
    let pointers = files.iter().map(|_| Pointer::default()).collect();
    if files.is_empty() {
        return Ok(());
    }
    Visible::files(None, pointers).map(drop).map_err(|error: content::ContentError| error.into())
}

/// What the database is told of chosen files.
pub(super) fn about(files: &[DraftFile]) -> Vec<NewAttachment> {
    files.iter().map(DraftFile::about).collect()
}

/// Saves where a message's files lie, and what is to be done until it is sealed.
pub(super) fn queue_files(
    tx: &Tx<'_>,
    message: MessageId,
    files: &[DraftFile],
    now: Millis,
) -> Result<(), ClientError> {
    let mut uploads = Vec::new();
    for (attachment, file) in tx.attachments(message)?.iter().zip(files) {
        let id = attachment.id;
        tx.set_attachment_file(id, Some(&file.file.to_local()))?;
        let thumbnail = file.thumbnail.as_ref().map(StoredFile::to_local);
        tx.set_attachment_thumbnail(id, thumbnail.as_ref())?;
        uploads.push(tx.add_job(&Task::Upload { message, attachment: id }, &[], now)?);
        if let Some(kept) = file.kept {
            tx.draft_file_taken(kept)?;
        }
    }
    tx.add_job(&Task::Seal { message }, &uploads, now)?;
    Ok(())
}

fn pointer(attachment: &Attachment) -> Pointer {
    let about = &attachment.about;
    Pointer {
        file: about.remote.as_ref().and_then(files::remote_file),
        media_type: Some(about.content_type.clone()),
        file_name: about.name.clone(),
        caption: about.caption.clone(),
        size: u32::try_from(about.size).ok(),
        voice: about.kind == AttachmentKind::Voice,
        dimensions: about.width.zip(about.height),
        thumbnail: None,
    }
}
