//! A file of the person's that comes in: recognised, freed of metadata, sealed, with a small picture.

use std::io::{BufReader, Cursor, Read};

use super::blocking;
use super::error::AttachmentError;
use super::metadata::{self, ImageKind};
use super::store::{FileStore, StoredFile};
use super::thumbnail::Thumbnail;
use crate::messenger::Messenger;

/// Bytes by which a file is recognised.
const START_BYTES: u64 = 8 * 1024;
/// The media type of what nobody recognises.
const ANY: &str = "application/octet-stream";

/// What becomes of what an image says besides its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Metadata {
    /// It is taken off. Images from which it cannot be are refused.
    #[default]
    Strip,
    /// It stays: the person wants the file as it is.
    Keep,
}

/// A file that lies on this device and can be sent.
#[derive(Debug)]
pub struct Imported {
    /// The file.
    pub file: StoredFile,
    /// Its media type, by its content or else by its name.
    pub media_type: String,
    /// A small picture of it, and that one's media type, where it is an image that can be opened.
    pub thumbnail: Option<(StoredFile, &'static str)>,
    /// Width and height of an image, upright, in pixels.
    pub dimensions: Option<(u32, u32)>,
}

impl Messenger {
    /// Takes a file in. `name` tells its type where its content does not; it is kept nowhere.
    ///
    /// A file that is no image, and an image whose metadata stays, passes through memory in small
    /// pieces; other images of [`metadata::MOST_BYTES`] at most are in it as a whole.
    ///
    /// # Errors
    /// [`AttachmentError::Image`] where an image is damaged, or of a format from which metadata cannot
    /// be taken off, [`AttachmentError::TooLarge`] where it is too large for that; where the source or
    /// the disk fails.
    pub async fn import(
        &self,
        source: impl Read + Send + 'static,
        name: Option<&str>,
        metadata: Metadata,
    ) -> Result<Imported, AttachmentError> {
        let (store, name) = (self.files.clone(), name.map(str::to_owned));
        let taken = blocking(move || take(&store, source, name.as_deref(), metadata)).await?;
        let (file, media_type) = taken;
        let mut imported = Imported { file, media_type, thumbnail: None, dimensions: None };
        if imported.media_type.starts_with("image/") {
            let (store, file) = (self.files.clone(), imported.file.clone());
            // Whatever a decoder makes of a strange image, the file itself can be sent.
            if let Ok((dimensions, thumbnail)) = blocking(move || picture(&store, &file)).await {
                (imported.dimensions, imported.thumbnail) = (Some(dimensions), Some(thumbnail));
            }
        }
        Ok(imported)
    }

    /// Makes a small picture of an image at rest, as of one that was downloaded.
    ///
    /// # Errors
    /// Where the file is not here, or is no image that can be opened in bounded memory.
    pub async fn thumbnail(
        &self,
        file: &StoredFile,
    ) -> Result<((u32, u32), (StoredFile, &'static str)), AttachmentError> {
        let (store, file) = (self.files.clone(), file.clone());
        blocking(move || picture(&store, &file)).await
    }
}

fn take(
    store: &FileStore,
    mut source: impl Read,
    name: Option<&str>,
    metadata: Metadata,
) -> Result<(StoredFile, String), AttachmentError> {
    let mut start = Vec::new();
    source.by_ref().take(START_BYTES).read_to_end(&mut start)?;
    let media_type = media_type(&start, name);
    if metadata == Metadata::Strip && media_type.starts_with("image/") {
        let kind = ImageKind::of(&start).ok_or(AttachmentError::Image)?;
        let most = metadata::MOST_BYTES + 1;
        let mut image = start;
        source.take(most.saturating_sub(image.len() as u64)).read_to_end(&mut image)?;
        if image.len() as u64 == most {
            return Err(AttachmentError::TooLarge);
        }
        let image = metadata::strip(kind, image).map_err(|_| AttachmentError::Image)?;
        return Ok((store.put(&image)?, media_type));
    }
    let mut writer = store.create()?;
    std::io::copy(&mut Cursor::new(start).chain(source), &mut writer)?;
    Ok((writer.finish()?, media_type))
}

fn media_type(start: &[u8], name: Option<&str>) -> String {
    if let Some(found) = infer::get(start) {
        return found.mime_type().to_owned();
    }
    let guessed = name.map(mime_guess::from_path).and_then(|guess| guess.first_raw());
    // A name makes no image: what is not recognised as one is not treated as one.
    let guessed = guessed.filter(|guessed| !guessed.starts_with("image/") || is_drawing(guessed));
    guessed.unwrap_or(ANY).to_owned()
}

/// Images that are text, so that their content tells nothing.
fn is_drawing(media_type: &str) -> bool {
    media_type == "image/svg+xml"
}

type Picture = ((u32, u32), (StoredFile, &'static str));

fn picture(store: &FileStore, file: &StoredFile) -> Result<Picture, AttachmentError> {
    let image = BufReader::new(store.open(file)?);
    let small = Thumbnail::of(image).map_err(|_| AttachmentError::Image)?;
    Ok((small.dimensions, (store.put(&small.bytes)?, small.media_type)))
}
