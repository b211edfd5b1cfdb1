//! One share: its words, its QR code, and what they say of the set it belongs to.

use std::fmt;

use super::checksum::{self, CHECKSUM_WORDS};
use super::material::Material;
use crate::phrase::Phrase;

/// The list of SLIP-0039, one word to a line, sorted; the first four letters tell one from all others.
const LIST: &str = include_str!("../../data/slip39-english.txt");
/// How many letters of a word count.
const PREFIX_BYTES: usize = 4;
/// Bits of a word.
const WORD_BITS: usize = 10;
/// Words before the value: two of the set, two of the share's place in it.
const HEADER_WORDS: usize = 4;
/// The lengths of a share: of a 16-byte and of a 32-byte seed.
const LENGTHS: [usize; 2] = [20, 33];
/// The largest exponent that is combined: 2^5 times 10,000 iterations take half a second.
const MAX_EXPONENT: u8 = 5;

/// Why a text is no share. Names places only: never a word of the share.
///
/// All of these are the typist's to mend, but [`ShareError::Grouped`] and [`ShareError::Costly`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Neither 20 nor 33 words.
    #[error(
        "a share has 20 words, or 33 where the phrase has 25; here there are {found}: compare them with \
         what was written down"
    )]
    Count {
        /// How many words were given.
        found: usize,
    },
    /// A word whose first four letters are those of no word of the list.
    #[error("the word at position {position} is on no list of share words: read it again")]
    UnknownWord {
        /// Which word, from 1.
        position: usize,
    },
    /// The words are on the list and do not belong together.
    #[error("the words of this share do not fit together: one is mistaken, or two changed places")]
    Checksum,
    /// The checksum is right, and what it covers is no share.
    #[error("the words are complete, and no share: another program or somebody changed them")]
    Malformed,
    /// A set of sets, which SLIP-0039 allows and Warren never makes.
    #[error("this share belongs to groups of shares: combine them with the program that made them")]
    Grouped,
    /// Combining would take minutes.
    #[error(
        "the program that made this share asked for more work than Warren does: use that program"
    )]
    Costly,
}

/// What all shares of one set have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Set {
    /// 15 random bits.
    pub(super) id: u16,
    /// Whether the encryption is independent of the id, so that a seed can be split again.
    pub(super) extendable: bool,
    /// The cost of its encryption: 10,000 iterations times two to the power of it.
    pub(super) exponent: u8,
    /// How many shares bring the phrase back.
    pub(super) threshold: u8,
}

impl Set {
    /// How many shares bring the phrase back.
    pub const fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The two words that every share of the set begins with. They follow from the random id and say
    /// nothing of the phrase.
    pub fn name(&self) -> String {
        self.words().map(list_word).join(" ")
    }

    fn words(&self) -> [u16; 2] {
        let bits = u32::from(self.id) << 5
            | u32::from(self.extendable) << 4
            | u32::from(self.exponent & 15);
        two_words(bits)
    }

    fn customization(&self) -> &'static [u8] {
        if self.extendable { b"shamir_extendable" } else { b"shamir" }
    }

    /// The salt of the encryption, without what each round adds.
    pub(super) fn salt(&self) -> Vec<u8> {
        let parts: [&[u8]; 2] = [b"shamir", &self.id.to_be_bytes()];
        if self.extendable { Vec::new() } else { parts.concat() }
    }
}

/// A share of a recovery phrase. Fewer than the threshold say nothing of it.
pub struct Share {
    pub(super) set: Set,
    /// Its place in the set, from 0.
    pub(super) index: u8,
    pub(super) value: Material,
}

impl Share {
    /// Reads the words of a share, as they were written down or scanned.
    ///
    /// Case does not matter, nor how much white space stands where, nor anything of a word behind its
    /// fourth letter.
    ///
    /// # Errors
    /// Which word is wrong, by its place, or what else is; nothing in the error repeats a word.
    pub fn parse(text: &str) -> Result<Self, ShareError> {
        let found = text.split_whitespace().count();
        if !LENGTHS.contains(&found) {
            return Err(ShareError::Count { found });
        }
        let mut words = Vec::with_capacity(found);
        for (word, position) in text.split_whitespace().zip(1..) {
            words.push(list_index(word).ok_or(ShareError::UnknownWord { position })?);
        }
        let share = Self::from_indices(&words);
        words.fill(0);
        share
    }

    /// The words, to be written down.
    pub fn words(&self) -> ShareWords {
        let mut words = self.to_indices();
        let phrase = words.iter().copied().map(list_word).collect();
        words.fill(0);
        ShareWords(phrase)
    }

    /// The set it belongs to.
    pub const fn set(&self) -> &Set {
        &self.set
    }

    /// Which share of the set it is, from 1.
    pub const fn number(&self) -> u8 {
        self.index + 1
    }

    fn to_indices(&self) -> Vec<u16> {
        let place = u32::from(self.index & 15) << 4 | u32::from((self.set.threshold - 1) & 15);
        let mut words: Vec<u16> = Vec::with_capacity(LENGTHS[1]);
        words.extend(self.set.words());
        // Group 0 of a single group, whose threshold is one: zeros.
        words.extend(two_words(place));
        push_value(&mut words, self.value.expose());
        words.extend(checksum::create(self.set.customization(), &words));
        words
    }

    fn from_indices(words: &[u16]) -> Result<Self, ShareError> {
        let Some(([first, second, third, fourth], rest)) =
            words.split_first_chunk::<HEADER_WORDS>()
        else {
            return Err(ShareError::Malformed);
        };
        let set = u32::from(*first) << WORD_BITS | u32::from(*second);
        let place = u32::from(*third) << WORD_BITS | u32::from(*fourth);
        let set = Set {
            id: u16::try_from(set >> 5).map_err(|_| ShareError::Malformed)?,
            extendable: set >> 4 & 1 == 1,
            exponent: nibble(set),
            threshold: nibble(place) + 1,
        };
        if !checksum::is_right(set.customization(), words) {
            return Err(ShareError::Checksum);
        }
        // Four bits each: the group, the threshold of groups less one, their number less one.
        let (group_threshold, groups) = (nibble(place >> 12), nibble(place >> 8));
        if group_threshold > groups {
            return Err(ShareError::Malformed);
        }
        if place >> 8 != 0 {
            return Err(ShareError::Grouped);
        }
        if set.exponent > MAX_EXPONENT {
            return Err(ShareError::Costly);
        }
        let value = rest.split_last_chunk::<CHECKSUM_WORDS>().map(|(value, _)| value);
        let value = value.and_then(read_value).ok_or(ShareError::Malformed)?;
        Ok(Self { set, index: nibble(place >> 4), value })
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Share(..)")
    }
}

/// The words of a share, wiped on drop, never printed.
#[derive(Debug)]
pub struct ShareWords(Phrase);

impl ShareWords {
    /// All of them, with one space between, for showing them to their owner.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The words in order.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.words()
    }

    /// The text of a QR code: the words in capitals, which such codes hold in the least room.
    /// [`Share::parse`] reads it.
    pub fn to_qr_text(&self) -> String {
        self.expose().to_ascii_uppercase()
    }
}

fn nibble(bits: u32) -> u8 {
    u8::try_from(bits & 15).unwrap_or_default()
}

/// The lowest twenty bits as two words.
fn two_words(bits: u32) -> [u16; 2] {
    [bits >> WORD_BITS, bits].map(|word| u16::try_from(word & 0x3ff).unwrap_or_default())
}

/// Bits of padding in front of a value of so many bytes.
const fn padding(bytes: usize) -> usize {
    (WORD_BITS - bytes * 8 % WORD_BITS) % WORD_BITS
}

/// Appends the value as one big-endian number, with zeros in front where the last word would not fill.
fn push_value(words: &mut Vec<u16>, value: &[u8]) {
    let (mut bits, mut held) = (padding(value.len()), 0_u32);
    for byte in value {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        if bits >= WORD_BITS {
            bits -= WORD_BITS;
            words.push(u16::try_from(held >> bits & 0x3ff).unwrap_or_default());
            held &= (1 << bits) - 1;
        }
    }
}

/// The inverse of [`push_value`]; `None` where the padding is not zero.
fn read_value(words: &[u16]) -> Option<Material> {
    let length = words.len() * WORD_BITS / 8 / 2 * 2;
    let mut bytes = [0; 32];
    let (mut bits, mut held) = (0, 0_u32);
    let mut to = bytes.get_mut(..length)?.iter_mut();
    for (at, word) in words.iter().enumerate() {
        held = held << WORD_BITS | u32::from(*word);
        bits += WORD_BITS;
        if at == 0 {
            bits -= padding(length);
            if held >> bits != 0 {
                return None;
            }
        }
        while bits >= 8 {
            bits -= 8;
            *to.next()? = u8::try_from(held >> bits & 0xff).ok()?;
            held &= (1 << bits) - 1;
        }
    }
    Some(Material::take(&mut bytes, length))
}

fn prefix(word: &str) -> Option<[u8; PREFIX_BYTES]> {
    word.as_bytes().first_chunk().map(|letters| letters.map(|letter| letter.to_ascii_lowercase()))
}

fn list_word(index: u16) -> &'static str {
    LIST.lines().nth(usize::from(index)).unwrap_or_default()
}

fn list_index(word: &str) -> Option<u16> {
    let wanted = prefix(word)?;
    (0..).zip(LIST.lines()).find(|(_, word)| prefix(word) == Some(wanted)).map(|(at, _)| at)
}
