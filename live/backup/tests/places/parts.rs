//! Parts made up for tests, and somebody who takes them back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use warren_archive::snapshot::Part;
use warren_backup::error::PartFailure;
use warren_backup::run::Work;
use warren_backup::{PartSource, Restorer};
use warren_crypto::Secret;
use warren_crypto::expand::expand;

/// What is backed up: bytes by name.
pub(crate) type Parts = BTreeMap<String, Vec<u8>>;

/// Bytes that do not compress, another run of them for each number.
pub(crate) fn noise(number: u8, bytes: usize) -> Vec<u8> {
    expand(&Secret::take(&mut [number; 32]), bytes)
}

/// Two packs' worth: a large part, one that compresses, a small and an empty one.
pub(crate) fn sample() -> Parts {
    let text: Vec<u8> = (0..100_000_u32).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
    [
        ("a-large", noise(1, 9 << 20)),
        ("b-text", text),
        ("c-small", b"small".to_vec()),
        ("d-empty", Vec::new()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .into()
}

/// A part of the kind `test`, whose state is its length and first byte.
pub(crate) fn source(name: &str, bytes: &[u8]) -> PartSource {
    let state = format!("{}-{:?}", bytes.len(), bytes.first()).into_bytes();
    let (size_hint, bytes) = (bytes.len() as u64, bytes.to_vec());
    let write = Box::new(move |to: &mut dyn std::io::Write| Ok(to.write_all(&bytes)?));
    PartSource {
        kind: "test".to_owned(),
        name: name.to_owned(),
        version: 1,
        state,
        sealed: false,
        size_hint,
        write,
    }
}

/// Work that backs these parts up.
pub(crate) fn work(parts: &Parts) -> Work {
    let sources: Vec<Result<PartSource, PartFailure>> =
        parts.iter().map(|(name, bytes)| Ok(source(name, bytes))).collect();
    Work {
        parts: Box::new(sources.into_iter()),
        kinds: &["test"],
        base: None,
        known_sequence: 0,
        total: parts.values().map(|bytes| bytes.len() as u64).sum(),
        program: "a test".to_owned(),
    }
}

/// Takes everything back into memory.
#[derive(Clone, Default)]
pub(crate) struct Taker {
    whole: Arc<Mutex<Parts>>,
    open: Vec<u8>,
}

impl Taker {
    /// What came back whole.
    pub(crate) fn parts(&self) -> Parts {
        self.whole.lock().unwrap().clone()
    }
}

impl Restorer for Taker {
    fn wants(&mut self, part: &Part) -> bool {
        part.kind == "test"
    }

    fn begin(&mut self, _part: &Part) -> Result<(), PartFailure> {
        self.open.clear();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PartFailure> {
        self.open.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self, part: &Part) -> Result<(), PartFailure> {
        self.whole.lock().unwrap().insert(part.name.clone(), std::mem::take(&mut self.open));
        Ok(())
    }
}
