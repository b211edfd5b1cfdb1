//! Images without what they say of the one who took them: place, time, device, edits.
//!
//! What is known to be needed for showing the image stays and all else goes: a list of what to take out
//! would miss what cameras think of next. The way up is kept, in an Exif block that holds nothing else.
//! No pixel is touched. What follows the end of an image goes too: phones put films there.
//!
//! | format | what stays |
//! |---|---|
//! | JPEG | frames, tables and scans, JFIF and Adobe headers, the colour profile, the way up |
//! | PNG | pixels, palette, transparency, colours, resolution, animation, the way up |
//! | WebP | pixels, transparency, the colour profile, animation, the way up |
//! | GIF | frames, palettes, timing, how often to repeat |

use image::metadata::Orientation;
use img_parts::jpeg::{Jpeg, JpegSegment, markers};
use img_parts::png::{Png, PngChunk};
use img_parts::riff::{RiffChunk, RiffContent};
use img_parts::webp::{
    CHUNK_ALPH, CHUNK_ANIM, CHUNK_ANMF, CHUNK_ICCP, CHUNK_VP8, CHUNK_VP8L, CHUNK_VP8X, WebP,
};
use img_parts::{Bytes, ImageEXIF};

mod gif;

/// The most bytes of an image that is cleaned: all of it is in memory.
pub const MOST_BYTES: u64 = 64 << 20;

const ICC: &[u8] = b"ICC_PROFILE\0";
const ADOBE: &[u8] = b"Adobe";
const JFIF: &[u8] = b"JFIF\0";
/// Bytes of a JFIF header without the small picture that may follow, its size included.
const JFIF_BYTES: usize = 14;
/// Chunks of a PNG that stay (PNG 3rd edition, section 11).
const PNG_CHUNKS: [&[u8; 4]; 18] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB",
    b"cICP", b"mDCV", b"cLLI", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];
/// Chunks of a WebP that stay (RFC 9649, section 2).
const WEBP_CHUNKS: [[u8; 4]; 7] =
    [CHUNK_VP8X, CHUNK_VP8, CHUNK_VP8L, CHUNK_ALPH, CHUNK_ANIM, CHUNK_ANMF, CHUNK_ICCP];
/// The flag of XMP in the first byte of a WebP's header.
const WEBP_XMP: u8 = 0b0000_0100;

/// Formats whose metadata is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    /// JPEG.
    Jpeg,
    /// PNG, animated or not.
    Png,
    /// WebP, animated or not.
    WebP,
    /// GIF, animated or not.
    Gif,
}

/// An image that is none, or whose parts do not fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the image is damaged, so that nobody can say what it holds besides the picture")]
pub struct DamagedImage;

impl From<img_parts::Error> for DamagedImage {
    fn from(_: img_parts::Error) -> Self {
        Self
    }
}

impl ImageKind {
    /// Recognises an image by its first bytes; `None` for any other file.
    pub fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            _ => None,
        }
    }
}

/// The same image without metadata.
///
/// # Errors
/// Where it is damaged: then it is not to be sent as an image.
pub fn strip(kind: ImageKind, image: Vec<u8>) -> Result<Vec<u8>, DamagedImage> {
    match kind {
        ImageKind::Jpeg => strip_jpeg(image.into()),
        ImageKind::Png => strip_png(image.into()),
        ImageKind::WebP => strip_webp(image.into()),
        ImageKind::Gif => gif::strip(&image),
    }
}

/// An Exif block that says which way is up and nothing else; `None` where that is said without.
fn upright(exif: Option<Bytes>) -> Option<Bytes> {
    let orientation = Orientation::from_exif_chunk(&exif?)?;
    if orientation == Orientation::NoTransforms {
        return None;
    }
    // TIFF header, one directory of one entry: tag 0x0112, a short, once; no further directory.
    let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation.to_exif(), 0, 0, 0, 0, 0, 0]);
    Some(exif.into())
}

fn strip_jpeg(image: Bytes) -> Result<Vec<u8>, DamagedImage> {
    let mut jpeg = Jpeg::from_bytes(image)?;
    let exif = upright(jpeg.exif());
    let kept: Vec<JpegSegment> = jpeg.segments().iter().filter_map(kept_segment).collect();
    let scans = kept.last().filter(|last| last.marker() == markers::SOS).ok_or(DamagedImage)?;
    // The segment as it is written: its header, then all that follows it in the file.
    let written = scans.clone().encoder().bytes();
    let entropy = strip_scans(written.get(scans.len()..).unwrap_or_default())?;
    let scans = JpegSegment::new_with_entropy(markers::SOS, scans.contents().clone(), entropy);
    *jpeg.segments_mut() = kept;
    jpeg.segments_mut().pop();
    jpeg.segments_mut().push(scans);
    jpeg.set_exif(exif);
    Ok(jpeg.encoder().bytes().to_vec())
}

fn kept_segment(segment: &JpegSegment) -> Option<JpegSegment> {
    let contents = segment.contents();
    match segment.marker() {
        markers::APP0 if contents.starts_with(JFIF) => {
            let mut header = contents.get(..JFIF_BYTES)?.to_vec();
            // No small picture.
            header.splice(JFIF_BYTES - 2.., [0, 0]);
            Some(JpegSegment::new_with_contents(markers::APP0, header.into()))
        }
        markers::APP2 if contents.starts_with(ICC) => Some(segment.clone()),
        markers::APP14 if contents.starts_with(ADOBE) => Some(segment.clone()),
        marker => is_picture(marker).then(|| segment.clone()),
    }
}

/// Whether a marker of a JPEG stands for a part of the picture: frames, tables, scans.
fn is_picture(marker: u8) -> bool {
    matches!(marker, markers::SOF0..=markers::SOF15 | markers::SOS..=markers::EXP)
}

/// The scans of a JPEG up to the end of the image, with nothing but pictures' parts in between.
fn strip_scans(entropy: &[u8]) -> Result<Bytes, DamagedImage> {
    let mut kept = Vec::with_capacity(entropy.len());
    let mut rest = entropy;
    loop {
        let at = rest.iter().position(|byte| *byte == markers::P).ok_or(DamagedImage)?;
        let (data, from) = rest.split_at_checked(at).ok_or(DamagedImage)?;
        kept.extend_from_slice(data);
        match from {
            // Fill bytes before a marker.
            [markers::P, markers::P, ..] => rest = from.get(1..).ok_or(DamagedImage)?,
            // A stuffed byte, or a restart, belongs to the data.
            [markers::P, markers::Z | markers::RST0..=markers::RST7, after @ ..] => {
                kept.extend_from_slice(from.get(..2).ok_or(DamagedImage)?);
                rest = after;
            }
            [markers::P, markers::EOI, ..] => {
                kept.extend([markers::P, markers::EOI]);
                return Ok(kept.into());
            }
            [markers::P, marker, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                let (segment, after) = from.split_at_checked(2 + length).ok_or(DamagedImage)?;
                if length < 2 {
                    return Err(DamagedImage);
                }
                if is_picture(*marker) {
                    kept.extend_from_slice(segment);
                }
                rest = after;
            }
            _ => return Err(DamagedImage),
        }
    }
}

fn strip_png(image: Bytes) -> Result<Vec<u8>, DamagedImage> {
    let mut png = Png::from_bytes(image)?;
    let exif = upright(png.exif());
    png.chunks_mut().retain(|chunk: &PngChunk| PNG_CHUNKS.contains(&&chunk.kind()));
    if png.chunks().last().map(PngChunk::kind) != Some(*b"IEND") {
        return Err(DamagedImage);
    }
    png.set_exif(exif);
    Ok(png.encoder().bytes().to_vec())
}

fn strip_webp(image: Bytes) -> Result<Vec<u8>, DamagedImage> {
    let mut webp = WebP::from_bytes(image)?;
    let exif = upright(webp.exif());
    webp.chunks_mut().retain(|chunk| WEBP_CHUNKS.contains(&chunk.id()));
    for chunk in webp.chunks_mut().iter_mut().filter(|chunk| chunk.id() == CHUNK_VP8X) {
        clear_xmp(chunk);
    }
    // Clears the flag of Exif where there is none.
    webp.set_exif(exif);
    Ok(webp.encoder().bytes().to_vec())
}

fn clear_xmp(header: &mut RiffChunk) {
    if let RiffContent::Data(data) = header.content_mut() {
        let mut bytes = data.to_vec();
        if let Some(flags) = bytes.first_mut() {
            *flags &= !WEBP_XMP;
        }
        *data = bytes.into();
    }
}

#[cfg(test)]
mod tests;
