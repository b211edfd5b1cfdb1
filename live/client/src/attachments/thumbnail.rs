//! Small pictures of images, made here, of bounded size and in bounded memory.

use std::io::{BufRead, Cursor, Seek};

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

/// The side of a picture of a person or a group, in pixels, as Session's clients make it.
const PICTURE_SIDE: u32 = 640;
/// The longer side of a small picture, in pixels.
pub const SIDE: u32 = 320;
/// The most pixels of an image that is opened.
const MOST_PIXELS: u64 = 64_000_000;
/// The longest side of an image that is opened.
const LONGEST_SIDE: u32 = 32_768;
/// The most bytes of memory that opening an image takes, as far as its decoder can tell.
const MOST_MEMORY: u64 = 320 << 20;
/// The quality of small pictures without transparency.
const QUALITY: u8 = 80;

/// A small picture and what it is of.
#[derive(Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// The picture: JPEG, or PNG where the image has transparency.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub media_type: &'static str,
    /// Width and height of the image itself, upright, in pixels.
    pub dimensions: (u32, u32),
}

/// Why there is no small picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ThumbnailError {
    /// It has more pixels than are opened: a photograph has fewer.
    #[error("the image is too large to be opened")]
    TooLarge,
    /// No image of a known format, or a damaged one.
    #[error("the image cannot be opened")]
    Unreadable,
}

impl From<image::ImageError> for ThumbnailError {
    fn from(error: image::ImageError) -> Self {
        match error {
            image::ImageError::Limits(_) => Self::TooLarge,
            _ => Self::Unreadable,
        }
    }
}

impl Thumbnail {
    /// Makes one. What the image claims of its size is checked before anything is opened.
    ///
    /// # Errors
    /// Where the image is too large or cannot be opened.
    pub fn of(image: impl BufRead + Seek) -> Result<Self, ThumbnailError> {
        let (image, orientation) = opened(image)?;
        let (width, height) = (image.width(), image.height());
        let mut small = if width.max(height) > SIDE { image.thumbnail(SIDE, SIDE) } else { image };
        small.apply_orientation(orientation);
        let turned = small_is_turned((width, height), orientation);
        let (bytes, media_type) = encode(&small)?;
        Ok(Self { bytes, media_type, dimensions: turned })
    }
}

/// The middle of an image as a square picture of a person or a group: JPEG, or PNG where the image has
/// transparency. Nothing but pixels is left of it.
///
/// # Errors
/// As [`Thumbnail::of`].
pub fn square(image: impl BufRead + Seek) -> Result<Vec<u8>, ThumbnailError> {
    let (mut image, orientation) = opened(image)?;
    image.apply_orientation(orientation);
    let (width, height) = (image.width(), image.height());
    let side = width.min(height);
    let square = image.crop_imm((width - side) / 2, (height - side) / 2, side, side);
    let small = if side > PICTURE_SIDE {
        square.resize_exact(PICTURE_SIDE, PICTURE_SIDE, FilterType::Triangle)
    } else {
        square
    };
    Ok(encode(&small)?.0)
}

/// An image as it lies in its file, and how it is to be turned.
fn opened(image: impl BufRead + Seek) -> Result<(DynamicImage, Orientation), ThumbnailError> {
    let reader = ImageReader::new(image).with_guessed_format();
    let mut reader = reader.map_err(|_| ThumbnailError::Unreadable)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(ThumbnailError::TooLarge);
    }
    limits.reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    Ok((DynamicImage::from_decoder(decoder)?, orientation))
}

/// Width and height once the image is upright.
fn small_is_turned((width, height): (u32, u32), orientation: Orientation) -> (u32, u32) {
    // Exif numbers 5 to 8 lie on their side.
    if orientation.to_exif() >= 5 { (height, width) } else { (width, height) }
}

fn encode(small: &DynamicImage) -> Result<(Vec<u8>, &'static str), ThumbnailError> {
    let mut bytes = Vec::new();
    if small.color().has_alpha() {
        let plain = DynamicImage::from(small.to_rgba8());
        plain.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
        return Ok((bytes, "image/png"));
    }
    let plain = small.to_rgb8();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&plain)?;
    Ok((bytes, "image/jpeg"))
}

impl std::fmt::Debug for Thumbnail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Thumbnail(..)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test stops at the first surprise"
    )]

    use image::{Rgb, RgbImage, Rgba, RgbaImage};
    use img_parts::ImageEXIF;
    use img_parts::jpeg::Jpeg;

    use super::*;

    fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Vec::new();
        image.into().write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    fn size(small: &Thumbnail) -> (u32, u32) {
        let reader = ImageReader::new(Cursor::new(&small.bytes)).with_guessed_format().unwrap();
        reader.into_dimensions().unwrap()
    }

    #[test]
    fn a_large_image_becomes_a_small_one_and_a_small_one_stays() {
        let large = encoded(RgbImage::from_pixel(1_000, 500, Rgb([1, 2, 3])), ImageFormat::Png);
        let small = Thumbnail::of(Cursor::new(large)).unwrap();
        assert_eq!((size(&small), small.dimensions), ((320, 160), (1_000, 500)));
        assert_eq!(small.media_type, "image/jpeg");
        let clear = encoded(RgbaImage::from_pixel(10, 20, Rgba([1, 2, 3, 4])), ImageFormat::WebP);
        let small = Thumbnail::of(Cursor::new(clear)).unwrap();
        assert_eq!((size(&small), small.media_type), ((10, 20), "image/png"));
    }

    #[test]
    fn an_image_on_its_side_is_turned_upright() {
        let image = encoded(RgbImage::from_pixel(640, 320, Rgb([9, 9, 9])), ImageFormat::Jpeg);
        let mut jpeg = Jpeg::from_bytes(image.into()).unwrap();
        let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        jpeg.set_exif(Some(exif.to_vec().into()));
        let small = Thumbnail::of(Cursor::new(jpeg.encoder().bytes())).unwrap();
        assert_eq!((size(&small), small.dimensions), ((160, 320), (320, 640)));
    }

    #[test]
    fn a_picture_is_the_middle_of_its_image_upright_and_nothing_else() {
        let mut image = RgbImage::from_pixel(1_500, 700, Rgb([200, 0, 0]));
        for (x, _, pixel) in image.enumerate_pixels_mut() {
            // The middle, and what would be seen of a picture that was squeezed.
            *pixel = if (400..1_100).contains(&x) { Rgb([0, 200, 0]) } else { *pixel };
        }
        let mut jpeg = Jpeg::from_bytes(encoded(image, ImageFormat::Jpeg).into()).unwrap();
        jpeg.set_exif(Some(b"MM\0*\0\0\0\x08\0\0 where it was taken".to_vec().into()));
        let picture = square(Cursor::new(jpeg.encoder().bytes())).unwrap();
        assert!(!picture.windows(5).any(|part| part == b"taken"));
        let picture = image::load_from_memory(&picture).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (640, 640));
        for place in [(0, 0), (639, 0), (320, 639)] {
            let pixel = picture.get_pixel(place.0, place.1);
            assert!(pixel[1] > 150 && pixel[0] < 60, "{place:?} {pixel:?}");
        }
        let small = encoded(RgbaImage::from_pixel(10, 20, Rgba([1, 2, 3, 4])), ImageFormat::Png);
        let small = square(Cursor::new(small)).unwrap();
        assert_eq!(image::load_from_memory(&small).unwrap().width(), 10);
        assert_eq!(square(Cursor::new(b"text")), Err(ThumbnailError::Unreadable));
    }

    #[test]
    fn an_image_that_unpacks_to_more_than_fits_is_refused_before_it_is_opened() {
        let mut bomb = encoded(RgbImage::new(1, 1), ImageFormat::Png);
        for (width, height) in [(30_000_u32, 30_000_u32), (100_000, 1), (u32::MAX, u32::MAX)] {
            let sizes = [width.to_be_bytes(), height.to_be_bytes()].concat();
            bomb.splice(16..24, sizes);
            let crc = crc32(bomb.get(12..29).unwrap());
            bomb.splice(29..33, crc.to_be_bytes());
            let refused = Thumbnail::of(Cursor::new(&bomb)).unwrap_err();
            assert!(width == u32::MAX || refused == ThumbnailError::TooLarge, "{width}");
        }
    }

    /// The checksum of a PNG's chunk.
    fn crc32(bytes: &[u8]) -> u32 {
        let step = |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
            })
        };
        !bytes.iter().fold(u32::MAX, step)
    }

    #[test]
    fn what_is_no_image_has_no_small_picture() {
        for bytes in [b"".as_slice(), b"text", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"] {
            assert_eq!(Thumbnail::of(Cursor::new(bytes)), Err(ThumbnailError::Unreadable));
        }
    }
}
