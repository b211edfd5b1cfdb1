//! A file of the person's that comes in: recognised, freed of metadata, sealed, with a small picture.

use std::io::{BufReader, Cursor, Read, Seek};

use lofty::config::ParseOptions;
use lofty::file::AudioFile;
use lofty::probe::Probe;
use warren_wire::Millis;

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
    /// How long a recording plays, in milliseconds.
    pub duration: Option<Millis>,
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
        let mut imported =
            Imported { file, media_type, thumbnail: None, dimensions: None, duration: None };
        if imported.media_type.starts_with("image/") {
            let (store, file) = (self.files.clone(), imported.file.clone());
            // Whatever a decoder makes of a strange image, the file itself can be sent.
            if let Ok((dimensions, thumbnail)) = blocking(move || picture(&store, &file)).await {
                (imported.dimensions, imported.thumbnail) = (Some(dimensions), Some(thumbnail));
            }
        }
        if imported.media_type.starts_with("audio/") {
            imported.duration = self.duration(&imported.file).await.unwrap_or_default();
        }
        Ok(imported)
    }

    /// How long a recording at rest plays, in milliseconds; `None` where its format is not known.
    ///
    /// # Errors
    /// Where the file is not here.
    pub async fn duration(&self, file: &StoredFile) -> Result<Option<Millis>, AttachmentError> {
        let (store, file) = (self.files.clone(), file.clone());
        blocking(move || Ok(duration(BufReader::new(store.open(&file)?)))).await
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

fn duration(recording: impl Read + Seek) -> Option<Millis> {
    let mut options = ParseOptions::new();
    // Titles and covers are nobody's business here.
    options.read_tags(false).read_cover_art(false);
    let probe = Probe::new(recording).options(options).guess_file_type().ok()?;
    let plays = probe.read().ok()?.properties().duration();
    Millis::try_from(plays.as_millis()).ok().filter(|plays| *plays > 0)
}

type Picture = ((u32, u32), (StoredFile, &'static str));

fn picture(store: &FileStore, file: &StoredFile) -> Result<Picture, AttachmentError> {
    let image = BufReader::new(store.open(file)?);
    let small = Thumbnail::of(image).map_err(|_| AttachmentError::Image)?;
    Ok((small.dimensions, (store.put(&small.bytes)?, small.media_type)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A recording of silence: 8,000 samples of a byte each second.
    fn wave(samples: u32) -> Vec<u8> {
        let mut wave = b"RIFF".to_vec();
        wave.extend((36 + samples).to_le_bytes());
        wave.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        wave.extend([8_000_u32.to_le_bytes(), 8_000_u32.to_le_bytes()].concat());
        wave.extend(b"\x01\0\x08\0data");
        wave.extend(samples.to_le_bytes());
        wave.resize(wave.len() + usize::try_from(samples).unwrap(), 0x80);
        wave
    }

    #[test]
    fn a_recording_says_how_long_it_plays_and_other_files_say_nothing() {
        assert_eq!(duration(Cursor::new(wave(20_000))), Some(2_500));
        for other in [b"".as_slice(), b"text", b"RIFF\0\0\0\0WAVE", b"OggS", b"ID3"] {
            assert_eq!(duration(Cursor::new(other)), None);
        }
    }

    #[test]
    fn a_file_is_what_its_content_says_and_else_what_its_name_does() {
        assert_eq!(media_type(&wave(1), Some("x.txt")), "audio/x-wav");
        assert_eq!(media_type(b"words", Some("x.txt")), "text/plain");
        assert_eq!(media_type(b"words", Some("x.png")), ANY);
        assert_eq!(media_type(b"<svg/>", Some("x.svg")), "image/svg+xml");
        assert_eq!(media_type(b"words", None), ANY);
    }

    proptest! {
        #[test]
        fn any_bytes_play_for_a_while_or_do_not(
            start in 0_usize..5, bytes: Vec<u8>, at: prop::sample::Index, value: u8,
        ) {
            let starts = [b"".as_slice(), b"OggS\0\x02", b"ID3\x04\0", b"fLaC", b"\0\0\0\x18ftypM4A "];
            let _ = duration(Cursor::new([starts[start], &bytes].concat()));
            let mut altered = wave(100);
            let at = at.index(altered.len());
            altered[at] = value;
            let _ = duration(Cursor::new(altered));
        }
    }
}
