//! RS1024, the checksum of a share: a Reed-Solomon code over GF(1024) (SLIP-0039, "Checksum").
//!
//! Up to three mistaken words are found for certain, more with all but one chance in 10^9.

/// How many words the checksum takes.
pub(super) const CHECKSUM_WORDS: usize = 3;

/// What the ten bits that leave the register bring back into it.
const GENERATOR: [u32; 10] = [
    0x00e0_e040,
    0x01c1_c080,
    0x0383_8100,
    0x0707_0200,
    0x0e0e_0009,
    0x1c0c_2412,
    0x3808_6c24,
    0x3090_fc48,
    0x21b1_f890,
    0x03f3_f120,
];

/// The checksum of words (each below 1024) under a customization string.
pub(super) fn create(customization: &[u8], words: &[u16]) -> [u16; CHECKSUM_WORDS] {
    let remainder = polymod(customization, words.iter().chain(&[0; CHECKSUM_WORDS])) ^ 1;
    [20, 10, 0].map(|shift| low_word(remainder >> shift))
}

/// Whether words end in the checksum of those before.
pub(super) fn is_right(customization: &[u8], words: &[u16]) -> bool {
    polymod(customization, words.iter()) == 1
}

fn polymod<'a>(customization: &[u8], words: impl Iterator<Item = &'a u16>) -> u32 {
    let values = customization.iter().map(|byte| u32::from(*byte));
    values.chain(words.map(|word| u32::from(*word))).fold(1, |register, value| {
        let leaving = register >> 20;
        let shifted = ((register & 0x000f_ffff) << 10) ^ value;
        let bits = (0..).zip(GENERATOR).filter(|(bit, _)| leaving >> bit & 1 == 1);
        bits.fold(shifted, |sum, (_, term)| sum ^ term)
    })
}

fn low_word(bits: u32) -> u16 {
    u16::try_from(bits & 0x3ff).unwrap_or_default()
}
