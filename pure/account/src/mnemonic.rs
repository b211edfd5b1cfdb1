//! The recovery phrase: 13 English words that stand for a 16-byte seed.
//!
//! The scheme is that of Monero's seed words (wire spec, section 1). Four bytes become three words
//! of a list of `n` = 1626, each word shifted by the one before it; one more word, repeated from
//! among the others, is the checksum. Any two words of the list differ in their first three
//! letters, so only those are read.

use std::fmt;

use warren_crypto::Secret;

use crate::phrase::Phrase;

/// The list, one word to a line, sorted. Its SHA-256 is that of the wire spec (see the tests).
const LIST: &str = include_str!("../data/mnemonic-english.txt");
/// How many words the list has.
const N: u64 = 1626;
/// How many letters of a word count.
const PREFIX_BYTES: usize = 3;
/// Bytes of seed in one group of words.
const GROUP_BYTES: usize = 4;
/// Words in one group.
const GROUP_WORDS: usize = 3;

/// Why a text is no recovery phrase. Names places only: never a word of the phrase.
///
/// All of these are the typist's to mend. Positions count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MnemonicError {
    /// Not 13, 12, 25 or 24 words.
    #[error("a recovery phrase has 13 words; here there are {found}")]
    Count {
        /// How many words were given.
        found: usize,
    },
    /// A word whose first three letters are those of no word of the list.
    #[error("unknown word at position {position}")]
    UnknownWord {
        /// Which word.
        position: usize,
    },
    /// Three words that stand for a number above 2^32 - 1, which no phrase contains.
    #[error("the words at positions {first} to {last} cannot follow each other; one is mistaken")]
    ImpossibleGroup {
        /// The first of the three.
        first: usize,
        /// The last of the three.
        last: usize,
    },
    /// The last word does not fit the others.
    #[error("wrong checksum word at position {position}; it or another word is mistaken")]
    Checksum {
        /// Where the checksum word stands: 13 or 25.
        position: usize,
    },
}

/// What a recovery phrase stands for.
#[derive(Debug, PartialEq, Eq)]
pub enum Seed {
    /// 12 or 13 words: what the clients hand out.
    Short(Secret<16>),
    /// 24 or 25 words: a whole Ed25519 seed.
    Long(Secret<32>),
}

impl Seed {
    /// The 32-byte Ed25519 seed: a short one is followed by sixteen zero bytes.
    pub fn to_seed32(&self) -> Secret<32> {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(self.bytes()) {
            *to = *from;
        }
        Secret::take(&mut bytes)
    }

    /// The inverse of [`Seed::to_seed32`]: short where the last sixteen bytes are zero.
    pub fn from_seed32(seed: &Secret<32>) -> Self {
        let (short, rest) = seed.expose().split_at(16);
        match Secret::from_slice(short) {
            Some(short) if rest.iter().fold(0, |any, byte| any | byte) == 0 => Self::Short(short),
            _ => Self::Long(seed.duplicate()),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Short(seed) => seed.expose(),
            Self::Long(seed) => seed.expose(),
        }
    }
}

/// A recovery phrase: lower-case words with one space between, wiped on drop, never printed.
pub struct Mnemonic(Phrase);

impl Mnemonic {
    /// The phrase of a seed, with its checksum word: 13 or 25 words.
    pub fn encode(seed: &Seed) -> Self {
        let mut words = Vec::with_capacity(24);
        for group in seed.bytes().as_chunks::<GROUP_BYTES>().0 {
            words.extend(group_to_words(*group));
        }
        let checksum = checksum_word(&words);
        let phrase = words.iter().copied().chain(checksum).collect();
        // A pointer into the list tells the word, so the pointers are overwritten too.
        words.fill("");
        Self(phrase)
    }

    /// Reads a phrase of 13 words, or of 12 (no checksum), 25 or 24 (a 32-byte seed).
    ///
    /// Case does not matter, nor how much white space stands where, nor anything of a word behind
    /// its third letter.
    ///
    /// # Errors
    /// Which word is wrong, by its place; nothing in the error repeats the phrase.
    pub fn parse(text: &str) -> Result<Seed, MnemonicError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let data_words = match words.len() {
            12 | 13 => 12,
            24 | 25 => 24,
            found => return Err(MnemonicError::Count { found }),
        };
        for (at, word) in words.iter().enumerate() {
            list_index(word).ok_or(MnemonicError::UnknownWord { position: at + 1 })?;
        }
        let (data, checksum) = words.split_at(data_words);
        let mut bytes = [0; 32];
        let decoded = decode_groups(data, &mut bytes);
        let seed = Secret::take(&mut bytes);
        decoded?;
        if let [given] = checksum
            && checksum_word(data).and_then(prefix) != prefix(given)
        {
            return Err(MnemonicError::Checksum { position: words.len() });
        }
        if data_words == 24 {
            return Ok(Seed::Long(seed));
        }
        // The upper half is zero, so this is the short seed.
        Ok(Seed::from_seed32(&seed))
    }

    /// The whole phrase, for showing it to its owner.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The words in order, the checksum word last.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.words()
    }
}

impl fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mnemonic(..)")
    }
}

/// `x` little-endian; `w1 = x mod n`, `w2 = x/n + w1 mod n`, `w3 = x/n/n + w2 mod n`.
fn group_to_words(group: [u8; GROUP_BYTES]) -> [&'static str; GROUP_WORDS] {
    let x = u64::from(u32::from_le_bytes(group));
    let first = x % N;
    let second = (x / N + first) % N;
    let third = (x / N / N + second) % N;
    [first, second, third].map(list_word)
}

/// Writes four bytes for every three words to the front of `seed`.
fn decode_groups(words: &[&str], seed: &mut [u8; 32]) -> Result<(), MnemonicError> {
    let groups = words.as_chunks::<GROUP_WORDS>().0;
    for (at, (group, bytes)) in groups.iter().zip(seed.as_chunks_mut::<GROUP_BYTES>().0).enumerate()
    {
        *bytes = words_to_group(group).ok_or(MnemonicError::ImpossibleGroup {
            first: at * GROUP_WORDS + 1,
            last: at * GROUP_WORDS + GROUP_WORDS,
        })?;
    }
    Ok(())
}

/// The inverse of [`group_to_words`]; `None` where the number does not fit 32 bits.
fn words_to_group(words: &[&str; GROUP_WORDS]) -> Option<[u8; GROUP_BYTES]> {
    let [first, second, third] = words.map(list_index);
    let (first, second, third) = (first?, second?, third?);
    let x = first + N * ((N - first + second) % N) + N * N * ((N - second + third) % N);
    u32::try_from(x).ok().map(u32::to_le_bytes)
}

/// The word at `CRC-32/ISO-HDLC(prefixes of the words) mod count` (wire spec, section 1).
fn checksum_word<'a>(words: &[&'a str]) -> Option<&'a str> {
    let mut crc = crc32fast::Hasher::new();
    for word in words {
        crc.update(&prefix(word)?);
    }
    let at = u64::from(crc.finalize()).checked_rem(u64::try_from(words.len()).ok()?)?;
    words.get(usize::try_from(at).ok()?).copied()
}

/// The three letters that count, in lower case.
fn prefix(word: &str) -> Option<[u8; PREFIX_BYTES]> {
    word.as_bytes().first_chunk().map(|letters| letters.map(|letter| letter.to_ascii_lowercase()))
}

fn list_word(index: u64) -> &'static str {
    usize::try_from(index).ok().and_then(|index| LIST.lines().nth(index)).unwrap_or_default()
}

fn list_index(word: &str) -> Option<u64> {
    let wanted = prefix(word)?;
    (0..).zip(LIST.lines()).find(|(_, word)| prefix(word) == Some(wanted)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests;
