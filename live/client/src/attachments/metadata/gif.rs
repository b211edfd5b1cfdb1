//! A GIF without comments and what programs put into it (GIF89a, sections 17 to 27).

use super::DamagedImage;

/// Bytes of signature and screen descriptor.
const HEADER_BYTES: usize = 13;
/// Bytes of an image descriptor, the separator included.
const IMAGE_BYTES: usize = 10;
const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;
const GRAPHIC_CONTROL: u8 = 0xf9;
const APPLICATION: u8 = 0xff;
/// The two names under which browsers look for how often an animation is repeated.
const LOOPS: [&[u8]; 2] = [b"\x0bNETSCAPE2.0", b"\x0bANIMEXTS1.0"];
/// Bytes behind that name: one block of three, and the end.
const LOOP_BLOCKS: usize = 5;

/// The same image with its frames, palettes and timing, and nothing else.
pub(super) fn strip(image: &[u8]) -> Result<Vec<u8>, DamagedImage> {
    let mut kept = Vec::with_capacity(image.len());
    let mut rest = image;
    let header = take(&mut rest, HEADER_BYTES)?;
    kept.extend_from_slice(header);
    kept.extend_from_slice(take(&mut rest, palette_bytes(header.get(10)))?);
    loop {
        match rest {
            [TRAILER, ..] => {
                kept.push(TRAILER);
                return Ok(kept);
            }
            [IMAGE, ..] => {
                let descriptor = take(&mut rest, IMAGE_BYTES)?;
                kept.extend_from_slice(descriptor);
                kept.extend_from_slice(take(&mut rest, palette_bytes(descriptor.get(9)))?);
                // The size of the first codes, then the frame.
                kept.extend_from_slice(take(&mut rest, 1)?);
                kept.extend_from_slice(take_blocks(&mut rest)?);
            }
            [EXTENSION, label, ..] => {
                let start = take(&mut rest, 2)?;
                let blocks = take_blocks(&mut rest)?;
                if *label == GRAPHIC_CONTROL || (*label == APPLICATION && is_loop(blocks)) {
                    kept.extend_from_slice(start);
                    kept.extend_from_slice(blocks);
                }
            }
            _ => return Err(DamagedImage),
        }
    }
}

fn is_loop(blocks: &[u8]) -> bool {
    LOOPS.iter().any(|name| {
        blocks
            .strip_prefix(*name)
            .is_some_and(|behind| behind.len() == LOOP_BLOCKS && behind.starts_with(&[3, 1]))
    })
}

/// How long the palette is that a packed field announces.
fn palette_bytes(packed: Option<&u8>) -> usize {
    match packed {
        Some(packed) if packed & 0x80 != 0 => 3 << ((packed & 7) + 1),
        _ => 0,
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], DamagedImage> {
    let (taken, after) = rest.split_at_checked(count).ok_or(DamagedImage)?;
    *rest = after;
    Ok(taken)
}

/// Blocks of up to 255 bytes, each behind its length, up to an empty one, which is taken too.
fn take_blocks<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], DamagedImage> {
    let whole = *rest;
    let mut count = 0;
    loop {
        let length = usize::from(*take(rest, 1)?.first().ok_or(DamagedImage)?);
        take(rest, length)?;
        count += 1 + length;
        if length == 0 {
            return whole.get(..count).ok_or(DamagedImage);
        }
    }
}
