//! What a message says of a file: what it is, where it is and what opens it.

use std::fmt;

use warren_crypto::Secret;

use super::url::FileUrl;
use crate::proto;

/// The flag of a voice message.
const VOICE_MESSAGE: u32 = 1;

/// A file of a message. What it claims of the file is the sender's word.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Attachment {
    /// Where it is and what opens it. `None` where the sender's client did not say so in a way that
    /// works: such a file can be shown and not fetched.
    pub file: Option<RemoteFile>,
    /// Its media type, as `image/png`.
    pub media_type: Option<String>,
    /// Its name. Not a path: take from it what a file on this computer may be called.
    pub file_name: Option<String>,
    /// What was written under it.
    pub caption: Option<String>,
    /// How many bytes it has. What comes after them in a legacy file is padding.
    pub size: Option<u32>,
    /// Whether it is a voice message.
    pub voice: bool,
    /// Width and height in pixels.
    pub dimensions: Option<(u32, u32)>,
    /// A small picture of it. Session's clients write none and read none.
    pub thumbnail: Option<Vec<u8>>,
}

/// What opens a file, by its format.
#[derive(PartialEq, Eq)]
pub enum FileKey {
    /// The legacy format: keys of AES and of the HMAC, and SHA-256 of all that is stored.
    Legacy {
        /// The key of AES-256, then that of the HMAC.
        keys: Secret<64>,
        /// The digest.
        digest: [u8; 32],
    },
    /// The deterministic format.
    Stream(Secret<32>),
}

/// Where a file is and what opens it; the mark of the address fits the kind of key.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteFile {
    url: FileUrl,
    key: FileKey,
}

impl RemoteFile {
    /// Marks `url` as `key` needs.
    pub fn new(url: &FileUrl, key: FileKey) -> Self {
        Self { url: url.marked(matches!(key, FileKey::Stream(_))), key }
    }

    /// Where it is.
    pub fn url(&self) -> &FileUrl {
        &self.url
    }

    /// What opens it.
    pub fn key(&self) -> &FileKey {
        &self.key
    }

    /// `None` where the address is none, or the key not of the format it is marked for.
    fn read(url: Option<String>, key: Option<Vec<u8>>, digest: Option<Vec<u8>>) -> Option<Self> {
        let url = FileUrl::parse(&url?)?;
        let key = key?;
        let key = if url.is_stream() {
            FileKey::Stream(Secret::from_slice(&key)?)
        } else {
            let digest = digest?.try_into().ok()?;
            FileKey::Legacy { keys: Secret::from_slice(&key)?, digest }
        };
        Some(Self { url, key })
    }
}

impl Attachment {
    pub(crate) fn to_proto(&self) -> proto::AttachmentPointer {
        let (key, digest) = match self.file.as_ref().map(RemoteFile::key) {
            Some(FileKey::Legacy { keys, digest }) => {
                (Some(keys.expose().to_vec()), Some(digest.to_vec()))
            }
            Some(FileKey::Stream(key)) => (Some(key.expose().to_vec()), None),
            None => (None, None),
        };
        let url = self.file.as_ref().map(RemoteFile::url);
        proto::AttachmentPointer {
            // Other clients require the field; what is in it counts for nothing.
            id: Some(url.and_then(|url| url.id().parse().ok()).unwrap_or_default()),
            content_type: self.media_type.clone(),
            key,
            size: self.size,
            thumbnail: self.thumbnail.clone(),
            digest,
            file_name: self.file_name.clone(),
            flags: self.voice.then_some(VOICE_MESSAGE),
            width: self.dimensions.map(|(width, _)| width),
            height: self.dimensions.map(|(_, height)| height),
            caption: self.caption.clone(),
            url: url.map(|url| url.as_str().to_owned()),
        }
    }

    pub(crate) fn read(pointer: proto::AttachmentPointer) -> Self {
        Self {
            file: RemoteFile::read(pointer.url, pointer.key, pointer.digest),
            media_type: pointer.content_type,
            file_name: pointer.file_name,
            caption: pointer.caption,
            size: pointer.size,
            voice: pointer.flags.unwrap_or_default() & VOICE_MESSAGE != 0,
            dimensions: pointer.width.zip(pointer.height),
            thumbnail: pointer.thumbnail,
        }
    }
}

impl Clone for FileKey {
    fn clone(&self) -> Self {
        match self {
            Self::Legacy { keys, digest } => {
                Self::Legacy { keys: keys.duplicate(), digest: *digest }
            }
            Self::Stream(key) => Self::Stream(key.duplicate()),
        }
    }
}

impl fmt::Debug for Attachment {
    /// A log holds nothing of what people send.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attachment(..)")
    }
}

impl fmt::Debug for RemoteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteFile(..)")
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Legacy { .. } => f.write_str("Legacy(..)"),
            Self::Stream(_) => f.write_str("Stream(..)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(url: &str, key: usize, digest: usize) -> proto::AttachmentPointer {
        proto::AttachmentPointer {
            id: Some(9),
            url: Some(url.to_owned()),
            key: Some(vec![1; key]),
            digest: Some(vec![2; digest]),
            ..Default::default()
        }
    }

    #[test]
    fn the_mark_of_the_address_says_which_key_fits() {
        let (legacy, stream) = ("http://h/file/7", "http://h/file/7#d");
        let file = |url, key, digest| Attachment::read(pointer(url, key, digest)).file;
        assert!(matches!(file(legacy, 64, 32).unwrap().key(), FileKey::Legacy { .. }));
        assert!(matches!(file(stream, 32, 0).unwrap().key(), FileKey::Stream(_)));
        for (url, key, digest) in
            [(legacy, 32, 32), (legacy, 64, 16), (legacy, 64, 0), (stream, 64, 32), ("x", 64, 32)]
        {
            assert_eq!(file(url, key, digest), None, "{url} {key} {digest}");
        }
    }

    #[test]
    fn the_number_that_other_clients_require_is_always_written() {
        let url = FileUrl::parse("http://h/file/7").unwrap();
        let key = FileKey::Stream(Secret::take(&mut [1; 32]));
        let file = RemoteFile::new(&url, key);
        assert_eq!(file.url().as_str(), "http://h/file/7#d");
        let attachment = Attachment { file: Some(file), ..Default::default() };
        assert_eq!(attachment.to_proto().id, Some(7));
        assert_eq!(Attachment::default().to_proto().id, Some(0));
        assert_eq!(Attachment::read(attachment.to_proto()), attachment);
    }
}
