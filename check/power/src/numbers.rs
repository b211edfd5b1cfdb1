//! Messages by number: what each of them is, so that whoever reads it can tell whether it is whole.

/// Mixes a number, so that sizes and contents look like chance and can be had again.
pub(crate) const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The bytes of a message: from 100 to 40,000, most of them few.
pub(crate) fn data(number: u64) -> Vec<u8> {
    let long = mix(number).is_multiple_of(4);
    let len = 100 + mix(number ^ 0xff) % if long { 39_900 } else { 1_000 };
    let words = len.div_ceil(8);
    let mut bytes: Vec<u8> = (0..words)
        .flat_map(|word| mix(number.wrapping_mul(1_031).wrapping_add(word)).to_be_bytes())
        .collect();
    bytes.truncate(usize::try_from(len).unwrap_or(usize::MAX));
    bytes
}

/// Whether a message is deleted some time after it was stored.
pub(crate) const fn is_deleted(number: u64) -> bool {
    mix(number ^ 0xdead).is_multiple_of(2)
}
