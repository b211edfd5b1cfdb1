//! What must not be found: plaintexts and seeds ever, pieces of slots once they were destroyed.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use memchr::memmem::Finder;
use warren_account::{Mnemonic, Seed};

use crate::home::Template;

/// Bytes of a piece of a slot.
const PIECE: usize = 16;
/// Where the slots and the orders of each copy lie.
const SLOTS: std::ops::Range<usize> = 1024..8160;

pub(crate) struct Needles {
    secrets: Vec<(String, Finder<'static>)>,
    slots: HashSet<[u8; PIECE]>,
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
        let file = template.slots();
        let pieces = file[SLOTS].chunks_exact(PIECE).map(|piece| piece.try_into().unwrap());
        Self { secrets, slots: pieces.collect() }
    }

    /// How many pieces the slots consist of.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// How many pieces of slots there are; files begin at blocks, so pieces lie aligned.
    pub(crate) fn slots_in(&self, image: &[Vec<u8>]) -> usize {
        let pieces = image.iter().flat_map(|run| run.chunks_exact(PIECE));
        pieces
            .filter(|piece| self.slots.contains(<&[u8; PIECE]>::try_from(*piece).unwrap()))
            .count()
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
