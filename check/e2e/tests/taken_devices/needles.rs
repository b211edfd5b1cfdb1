//! What must not be found on a disk: what was said, names, the seed, and the old slots.

use std::collections::HashSet;
use std::path::PathBuf;

use memchr::memmem::Finder;
use warren_account::{Mnemonic, Seed};

use crate::cast::{FILE, NICKNAME, SAID, file};

/// Bytes of a piece of a slot.
const PIECE: usize = 16;
/// Where the slots and the orders of each copy lie.
const SLOTS: std::ops::Range<usize> = 1024..8160;

pub(crate) struct Needles {
    secrets: Vec<(String, Finder<'static>)>,
    slots: HashSet<[u8; PIECE]>,
}

impl Needles {
    /// Those of an account with these words, and of the homes as they are.
    pub(crate) fn of(words: &str, homes: [PathBuf; 2]) -> Self {
        let mut secrets = Vec::new();
        let mut add = |what: &str, bytes: &[u8]| {
            secrets.push((what.to_owned(), Finder::new(bytes).into_owned()));
        };
        for text in SAID.iter().chain(&[NICKNAME, FILE, words]) {
            add(text, text.as_bytes());
        }
        for piece in file().chunks(50_000) {
            add("a piece of the file", &piece[..64]);
        }
        let Seed::Short(seed) = Mnemonic::parse(words).unwrap() else { panic!("13 words") };
        add("the seed", seed.expose());
        let digits: String = seed.expose().iter().map(|byte| format!("{byte:02x}")).collect();
        add("the seed's digits", digits.as_bytes());
        let files = homes.map(|home| std::fs::read(home.join("slots")).unwrap());
        let pieces = files.iter().flat_map(|file| file[SLOTS].chunks_exact(PIECE));
        let slots = pieces.map(|piece| piece.try_into().unwrap()).collect();
        Self { secrets, slots }
    }

    /// What can be read on a disk.
    pub(crate) fn secrets_on(&self, image: &[Vec<u8>]) -> Vec<String> {
        let found = |run: &Vec<u8>| {
            let found = self.secrets.iter().filter(|(_, finder)| finder.find(run).is_some());
            found.map(|(what, _)| what.clone()).collect::<Vec<_>>()
        };
        image.iter().flat_map(found).collect()
    }

    /// How many pieces of slots there are; files begin at blocks, so pieces lie aligned.
    pub(crate) fn slots_on(&self, image: &[Vec<u8>]) -> usize {
        let pieces = image.iter().flat_map(|run| run.chunks_exact(PIECE));
        pieces.filter(|piece| self.slots.contains(*piece)).count()
    }
}
