//! The files that came with a message, in the database's words.

use warren_crypto::Secret;
use warren_message::attachment::pointer::{Attachment, FileKey, RemoteFile};
use warren_message::attachment::url::FileUrl;
use warren_message::content::visible::{MAX_ATTACHMENTS, Visible};

use crate::database::{AttachmentKind, NewAttachment, Remote};

/// Of a file whose author says no media type.
const UNTYPED: &str = "application/octet-stream";

/// The message's files, then the image of its link's preview.
pub(super) fn of(visible: &Visible) -> Vec<NewAttachment> {
    let files = visible.attachments().iter().map(|file| {
        let media_type = file.media_type.as_deref().unwrap_or_default();
        attachment(file, kind(file.voice, media_type))
    });
    let previews = visible.previews().iter().filter_map(|preview| preview.image.as_ref());
    let (files, previews) = (files.take(MAX_ATTACHMENTS), previews.take(1));
    files.chain(previews.map(|image| attachment(image, AttachmentKind::Preview))).collect()
}

/// What a file is to its message.
pub(crate) fn kind(voice: bool, media_type: &str) -> AttachmentKind {
    match media_type.split('/').next() {
        _ if voice => AttachmentKind::Voice,
        Some("image") => AttachmentKind::Image,
        Some("video") => AttachmentKind::Video,
        _ => AttachmentKind::File,
    }
}

fn attachment(file: &Attachment, kind: AttachmentKind) -> NewAttachment {
    let media_type = file.media_type.as_deref().unwrap_or(UNTYPED);
    let dimensions = file.dimensions.unzip();
    NewAttachment {
        name: file.file_name.clone(),
        caption: file.caption.clone(),
        width: dimensions.0,
        height: dimensions.1,
        remote: file.file.as_ref().map(remote),
        ..NewAttachment::new(kind, media_type, file.size.unwrap_or(0).into())
    }
}

/// Where a file is and what opens it, in the database's words.
pub(crate) fn remote(file: &RemoteFile) -> Remote {
    let (key, digest) = match file.key() {
        FileKey::Legacy { keys, digest } => (keys.expose().to_vec(), digest.to_vec()),
        FileKey::Stream(key) => (key.expose().to_vec(), Vec::new()),
    };
    Remote { url: file.url().as_str().to_owned(), key: key.into(), digest }
}

/// The same the other way; `None` where the key is not of the format that the address stands for.
pub(crate) fn remote_file(remote: &Remote) -> Option<RemoteFile> {
    let url = FileUrl::parse(&remote.url)?;
    let key = if url.is_stream() {
        FileKey::Stream(Secret::from_slice(remote.key.expose())?)
    } else {
        let digest = remote.digest.as_slice().try_into().ok()?;
        FileKey::Legacy { keys: Secret::from_slice(remote.key.expose())?, digest }
    };
    Some(RemoteFile::new(&url, key))
}
