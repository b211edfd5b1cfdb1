//! The controls that are a file: messages appended to it, synced before the answer or never.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::Outcome;
use crate::load::Said;
use crate::numbers::data;

/// Appends without end: length 8, number 8, data.
pub(crate) fn load(folder: &Path, first: u64, sync: bool) -> Outcome<()> {
    let mut file = File::options().create(true).append(true).open(folder.join("log"))?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    for number in first.. {
        let data = data(number);
        let len = u64::try_from(data.len())?;
        file.write_all(&[&len.to_be_bytes(), &number.to_be_bytes(), data.as_slice()].concat())?;
        if sync {
            file.sync_data()?;
        }
        Said::Stored(number).print()?;
    }
    Ok(())
}

/// Reads up to the first entry that is not whole.
pub(crate) fn list(folder: &Path) -> Outcome<Vec<u64>> {
    let bytes = fs::read(folder.join("log")).unwrap_or_default();
    let mut rest = bytes.as_slice();
    let mut numbers = Vec::new();
    while let Some((len, after)) = rest.split_first_chunk::<8>() {
        let Some((number, after)) = after.split_first_chunk::<8>() else { break };
        let Ok(len) = usize::try_from(u64::from_be_bytes(*len)) else { break };
        let number = u64::from_be_bytes(*number);
        match after.split_at_checked(len) {
            Some((found, after)) if found == data(number) => {
                numbers.push(number);
                rest = after;
            }
            _ => break,
        }
    }
    Ok(numbers)
}
