//! Images with and without what they say of the one who took them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::io::Cursor;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, DynamicImage, Frame, ImageDecoder, ImageFormat, ImageReader, Rgb, RgbImage};
use proptest::prelude::*;

use super::*;

const SECRET: &[u8] = b"48.8583 N, 2.2945 E";
const KINDS: [(ImageKind, ImageFormat); 4] = [
    (ImageKind::Jpeg, ImageFormat::Jpeg),
    (ImageKind::Png, ImageFormat::Png),
    (ImageKind::WebP, ImageFormat::WebP),
    (ImageKind::Gif, ImageFormat::Gif),
];

fn picture() -> RgbImage {
    RgbImage::from_fn(40, 30, |x, y| {
        let byte = |value: u32| value.to_le_bytes()[0];
        Rgb([byte(x * 6), byte(y * 8), byte(x * y)])
    })
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    DynamicImage::from(picture()).write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

/// An Exif block that says which way is up, and where that was.
fn exif(orientation: u8) -> Bytes {
    let mut exif = b"II*\0\x08\0\0\0\x02\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0]);
    exif.extend(b"\x0e\x01\x02\0\x14\0\0\0\x26\0\0\0\0\0\0\0");
    exif.extend(SECRET);
    exif.push(0);
    exif.into()
}

fn holds_secret(image: &[u8]) -> bool {
    image.windows(SECRET.len()).any(|window| window == SECRET)
}

/// The pixels as they are stored, and which way is up.
fn opened(image: &[u8]) -> (RgbImage, u8) {
    let reader = ImageReader::new(Cursor::new(image)).with_guessed_format().unwrap();
    let mut decoder = reader.into_decoder().unwrap();
    let orientation = decoder.orientation().unwrap().to_exif();
    (DynamicImage::from_decoder(decoder).unwrap().to_rgb8(), orientation)
}

fn check(kind: ImageKind, clean: &[u8], told: Vec<u8>, orientation: u8) {
    assert!(holds_secret(&told), "{kind:?}");
    assert_eq!(ImageKind::of(&told), Some(kind));
    let stripped = strip(kind, told).unwrap();
    assert!(!holds_secret(&stripped), "{kind:?}");
    assert_eq!(opened(&stripped), (opened(clean).0, orientation), "{kind:?}");
    assert_eq!(strip(kind, stripped.clone()).unwrap(), stripped, "{kind:?}");
}

#[test]
fn a_jpeg_loses_exif_xmp_iptc_comments_other_images_and_what_follows_it_and_stays_upright() {
    let clean = encoded(ImageFormat::Jpeg);
    for orientation in [1, 6] {
        let mut jpeg = Jpeg::from_bytes(clean.clone().into()).unwrap();
        jpeg.set_exif(Some(exif(orientation)));
        let prefixes: [(u8, &[u8]); 6] = [
            (markers::APP1, b"http://ns.adobe.com/xap/1.0/\0"),
            (markers::APP13, b"Photoshop 3.0\0"),
            (markers::COM, b""),
            (markers::APP2, b"MPF\0"),
            (markers::APP0, b"JFXX\0"),
            (markers::APP11, b"JP"),
        ];
        for (marker, prefix) in prefixes {
            let contents = [prefix, SECRET].concat();
            let segment = JpegSegment::new_with_contents(marker, contents.into());
            jpeg.segments_mut().insert(1, segment);
        }
        let mut told = jpeg.encoder().bytes().to_vec();
        told.extend(SECRET);
        check(ImageKind::Jpeg, &clean, told, orientation);
    }
}

#[test]
fn what_stands_between_the_scans_of_a_jpeg_is_no_hiding_place() {
    let scans = [b"\x11\xff\x00\xff\xd0\x22", [0xff, 0xfe, 0, 21].as_slice(), SECRET].concat();
    let scans = [&scans, b"\xff\xff\xda\x00\x04\x01\x02\x33\xff\xd9".as_slice(), SECRET].concat();
    let kept = strip_scans(&scans).unwrap();
    assert_eq!(&kept[..], b"\x11\xff\x00\xff\xd0\x22\xff\xda\x00\x04\x01\x02\x33\xff\xd9");
    for cut in [b"".as_slice(), b"\x11", b"\x11\xff", b"\xff\xfe\0\x01\xff\xd9", b"\xff\xda\0"] {
        assert_eq!(strip_scans(cut), Err(DamagedImage));
    }
}

#[test]
fn a_png_loses_texts_times_and_unknown_chunks_and_stays_upright() {
    let clean = encoded(ImageFormat::Png);
    for orientation in [1, 3] {
        let mut png = Png::from_bytes(clean.clone().into()).unwrap();
        png.set_exif(Some(exif(orientation)));
        for kind in [b"tEXt", b"zTXt", b"iTXt", b"tIME", b"prVt"] {
            let contents = [b"Comment\0", SECRET].concat();
            png.chunks_mut().insert(1, PngChunk::new(*kind, contents.into()));
        }
        let mut told = png.encoder().bytes().to_vec();
        told.extend(SECRET);
        check(ImageKind::Png, &clean, told, orientation);
    }
}

#[test]
fn a_webp_loses_exif_xmp_and_unknown_chunks_and_stays_upright() {
    let clean = encoded(ImageFormat::WebP);
    for orientation in [1, 8] {
        let mut webp = WebP::from_bytes(clean.clone().into()).unwrap();
        webp.set_exif(Some(exif(orientation)));
        for id in [*b"XMP ", *b"prVt"] {
            let content = RiffContent::Data(SECRET.to_vec().into());
            webp.chunks_mut().push(RiffChunk::new(id, content));
        }
        let told = webp.encoder().bytes().to_vec();
        check(ImageKind::WebP, &clean, told, orientation);
    }
}

#[test]
fn a_gif_loses_comments_and_programs_data_and_goes_on_repeating() {
    let mut clean = Vec::new();
    let mut encoder = GifEncoder::new(&mut clean);
    encoder.set_repeat(Repeat::Infinite).unwrap();
    let frame = DynamicImage::from(picture()).to_rgba8();
    for _ in 0..2 {
        let delay = Delay::from_numer_denom_ms(100, 1);
        encoder.encode_frame(Frame::from_parts(frame.clone(), 0, 0, delay)).unwrap();
    }
    drop(encoder);
    let length = u8::try_from(SECRET.len()).unwrap();
    let comment = [&[0x21, 0xfe, length], SECRET, &[0]].concat();
    let xmp = [b"\x21\xff\x0bXMP DataXMP".as_slice(), &[length], SECRET, &[0]].concat();
    let fake = [b"\x21\xff\x0bNETSCAPE2.0".as_slice(), &[length], SECRET, &[0]].concat();
    let palette = if clean[10] & 0x80 == 0 { 0 } else { 3 << ((clean[10] & 7) + 1) };
    let (head, tail) = clean.split_at(13 + palette);
    let told = [head, &comment, &xmp, &fake, tail, SECRET].concat();
    let stripped = strip(ImageKind::Gif, told.clone()).unwrap();
    assert!(stripped == clean);
    check(ImageKind::Gif, &clean, told, 1);
}

#[test]
fn a_damaged_image_is_refused_and_no_other_file_is_taken_for_one() {
    for (kind, format) in KINDS {
        let image = encoded(format);
        assert_eq!(ImageKind::of(&image), Some(kind));
        assert_eq!(strip(kind, image[..image.len() / 2].to_vec()), Err(DamagedImage), "{kind:?}");
        assert_eq!(strip(kind, b"text".to_vec()), Err(DamagedImage), "{kind:?}");
    }
    assert_eq!([b"".as_slice(), b"%PDF-1.7", b"RIFF\0\0\0\0WAVE"].map(ImageKind::of), [None; 3]);
}

proptest! {
    #[test]
    fn any_bytes_are_an_image_or_refused(
        bytes: Vec<u8>, which in 0_usize..4, at: prop::sample::Index, value: u8,
    ) {
        let (kind, format) = KINDS[which];
        let _ = strip(kind, bytes.clone());
        let mut image = encoded(format);
        let at = at.index(image.len());
        image[at] = value;
        let _ = strip(kind, image.clone());
        image.truncate(12);
        image.extend(bytes);
        let _ = strip(kind, image);
    }
}
