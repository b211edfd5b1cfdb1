//! What must not be found: plaintexts and seeds ever, pieces of slots and of the tripwire once they were
//! destroyed.

use std::collections::HashSet;
use std::fs;
use std::ops::Range;
use std::path::Path;

use memchr::memmem::Finder;
use warren_account::{Mnemonic, Seed};

use crate::home::Template;

/// Bytes of a piece of a slot.
const PIECE: usize = 16;
/// Where the slots and the orders of each copy lie.
const SLOTS: Range<usize> = 1024..8160;
/// Where the seed of the inbox and the places of friends' sets lie in the tripwire.
const TRIPWIRE: [Range<usize>; 2] = [16..48, 1152..7552];

pub(crate) struct Needles {
    secrets: Vec<(String, Finder<'static>)>,
    slots: HashSet<[u8; PIECE]>,
    tripwire: HashSet<[u8; PIECE]>,
}

impl Needles {
    pub(crate) fn of(template: &Template) -> Self {
        let mut secrets = Vec::new();
        let mut add = |what: &str, bytes: &[u8]| {
            secrets.push((what.to_owned(), Finder::new(bytes).into_owned()));
        };
        for text in &template.texts {
            add(text, text.as_bytes());
        }
        for words in &template.words {
            add("recovery words", words.as_bytes());
            let Seed::Short(seed) = Mnemonic::parse(words).unwrap() else { panic!("13 words") };
            add("a seed", seed.expose());
            let digits: String = seed.expose().iter().map(|byte| format!("{byte:02x}")).collect();
            add("a seed's digits", digits.as_bytes());
        }
        let pieces = |file: &[u8], range: Range<usize>| {
            file[range]
                .chunks_exact(PIECE)
                .map(|piece| piece.try_into().unwrap())
                .collect::<Vec<_>>()
        };
        let slots = pieces(&template.slots(), SLOTS).into_iter().collect();
        let file = template.tripwire();
        let tripwire = TRIPWIRE.into_iter().flat_map(|range| pieces(&file, range)).collect();
        Self { secrets, slots, tripwire }
    }

    /// How many pieces the slots consist of.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// How many pieces the tripwire consists of.
    pub(crate) fn tripwire(&self) -> usize {
        self.tripwire.len()
    }

    /// How many pieces of slots there are.
    pub(crate) fn slots_in(&self, image: &[Vec<u8>]) -> usize {
        count(&self.slots, image)
    }

    /// How many pieces of the tripwire there are.
    pub(crate) fn tripwire_in(&self, image: &[Vec<u8>]) -> usize {
        count(&self.tripwire, image)
    }

    /// What can be read on a disk.
    pub(crate) fn secrets_on(&self, image: &[Vec<u8>]) -> Vec<String> {
        image.iter().flat_map(|run| self.secrets_in(run)).collect()
    }

    /// What can be read in the bytes.
    fn secrets_in(&self, bytes: &[u8]) -> Vec<String> {
        let found = self.secrets.iter().filter(|(_, finder)| finder.find(bytes).is_some());
        found.map(|(what, _)| what.clone()).collect()
    }

    /// What can be read in the files of a folder.
    pub(crate) fn secrets_under(&self, folder: &Path) -> Vec<String> {
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(self.secrets_under(&path));
            } else if let Ok(bytes) = fs::read(&path) {
                found.extend(self.secrets_in(&bytes));
            }
        }
        found
    }
}

/// How many of the pieces there are; files begin at blocks, so pieces lie aligned.
fn count(pieces: &HashSet<[u8; PIECE]>, image: &[Vec<u8>]) -> usize {
    let all = image.iter().flat_map(|run| run.chunks_exact(PIECE));
    all.filter(|piece| pieces.contains(<&[u8; PIECE]>::try_from(*piece).unwrap())).count()
}
