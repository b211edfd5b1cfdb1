//! The files that came with a message, in the database's words.

use warren_message::attachment::pointer::{Attachment, FileKey};
use warren_message::content::visible::Visible;

use crate::database::{AttachmentKind, NewAttachment, Remote};

/// Of a file whose author says no media type.
const UNTYPED: &str = "application/octet-stream";

/// The message's files, then the image of its link's preview.
pub(super) fn of(visible: &Visible) -> Vec<NewAttachment> {
    let files = visible.attachments().iter().map(|file| attachment(file, kind(file)));
    let previews = visible.previews().iter().filter_map(|preview| preview.image.as_ref());
    files.chain(previews.map(|image| attachment(image, AttachmentKind::Preview))).collect()
}

fn kind(file: &Attachment) -> AttachmentKind {
    let media_type = file.media_type.as_deref().unwrap_or_default();
    match media_type.split('/').next() {
        _ if file.voice => AttachmentKind::Voice,
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
        remote: file.file.as_ref().map(|remote| {
            let (key, digest) = match remote.key() {
                FileKey::Legacy { keys, digest } => (keys.expose().to_vec(), digest.to_vec()),
                FileKey::Stream(key) => (key.expose().to_vec(), Vec::new()),
            };
            Remote { url: remote.url().as_str().to_owned(), key, digest }
        }),
        ..NewAttachment::new(kind, media_type, file.size.unwrap_or(0).into())
    }
}
