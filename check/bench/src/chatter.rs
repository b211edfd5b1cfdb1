//! Messages as people write them, as far as a database can tell: few words often, many seldom.

use warren_client::database::{Content, Details, Direction, Fetched};
use warren_wire::{AccountId, MessageHash, Millis};

use crate::Outcome;

/// How many conversations there are.
pub(crate) const PEERS: u64 = 200;
/// When the first was written, and the time between two.
const FIRST: Millis = 1_700_000_000_000;
const BETWEEN: Millis = 25_000;
/// The rarest words are drawn from the first 2^14, the most frequent one from one.
const DEPTHS: u64 = 15;
const CONSONANTS: [char; 14] =
    ['b', 'd', 'f', 'g', 'h', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v'];
const VOWELS: [char; 5] = ['a', 'e', 'i', 'o', 'u'];

/// What people look for: a word in nearly all messages, one in some, one in few, two at once, and
/// beginnings of two and of four letters.
pub(crate) fn searches() -> [String; 6] {
    let (all, some, few) = (word(0), word(150), word(9_000));
    let begun = |letters| some.chars().take(letters).collect::<String>();
    let both = format!("{all} {some} ");
    [format!("{all} "), format!("{some} "), format!("{few} "), both, begun(2), begun(4)]
}

/// The most frequent word.
pub(crate) fn most_frequent() -> String {
    word(0)
}

/// A message by its number, from 3 to 25 words.
pub(crate) fn message(number: u64) -> Outcome<Fetched> {
    let author = peer(number)?;
    let mut hash = [7; 32];
    if let Some(start) = hash.first_chunk_mut() {
        *start = mix(number).to_be_bytes();
    }
    let timestamp = FIRST + number * BETWEEN;
    Ok(Fetched {
        hash: MessageHash::from_bytes(hash),
        fingerprint: hash,
        conversation: author,
        author,
        direction: Direction::Incoming,
        content: Content::Text(text(number)),
        details: Details::default(),
        sender_name: None,
        timestamp,
        received_at: timestamp,
    })
}

/// What it says.
pub(crate) fn text(number: u64) -> String {
    let words = 3 + mix(number ^ 0xff) % 23;
    let word = |at| {
        let chance = mix(number.wrapping_mul(1_031).wrapping_add(at));
        word(mix(chance) % (1 << (chance % DEPTHS)))
    };
    (0..words).map(word).collect::<Vec<_>>().join(" ")
}

/// Who wrote it.
pub(crate) fn peer(number: u64) -> Outcome<AccountId> {
    let key = mix(mix(number) % PEERS).to_be_bytes().repeat(4);
    Ok(AccountId::from_bytes(&[&[5], key.as_slice()].concat())?)
}

/// A word by how many are more frequent: syllables, the frequent ones short.
fn word(rank: u64) -> String {
    let mut word = String::new();
    let mut left = rank;
    loop {
        let at = |count: usize, number: u64| usize::try_from(number).unwrap_or(0) % count;
        let consonant = CONSONANTS.get(at(CONSONANTS.len(), left)).unwrap_or(&'b');
        let vowel = VOWELS.get(at(VOWELS.len(), left / 14)).unwrap_or(&'a');
        word.extend([*consonant, *vowel]);
        left /= 70;
        if left == 0 {
            return word;
        }
    }
}

const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
