//! The folder of files: what is left in it, and what is not.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::Read;

use super::*;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn age(path: &Path) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - 2 * GRACE).unwrap();
}

#[test]
fn a_file_has_its_name_when_it_is_whole_and_one_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::new(folder.path().to_owned());
    let mut writer = store.create().unwrap();
    writer.write_all(&[7; 100_000]).unwrap();
    assert!(names(folder.path())[0].ends_with(".part"));
    let file = writer.finish().unwrap();
    assert_eq!(names(folder.path()), [file.name.as_str()]);
    let mut writer = store.create().unwrap();
    writer.write_all(&[7; 100_000]).unwrap();
    drop(writer);
    assert_eq!(names(folder.path()), [file.name.as_str()]);
    store.remove(&file.name).unwrap();
    store.remove(&file.name).unwrap();
    assert_eq!(names(folder.path()), [""; 0]);
    assert!(matches!(store.open(&file), Err(AttachmentError::Missing)));
}

#[test]
fn a_half_file_that_was_kept_is_continued_behind_its_whole_chunks() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::new(folder.path().to_owned());
    let (name, key) = (FileName::random(&mut SystemEntropy), Secret::take(&mut [3; 32]));
    let content: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    let mut writer = store.resume(&name, &key).unwrap();
    writer.keep_when_dropped(true);
    writer.write_all(&content[..100_000]).unwrap();
    drop(writer);
    // A crash in the middle of a chunk.
    let path = part::path(folder.path(), &name);
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"half a chunk").unwrap();
    let mut writer = store.resume(&name, &key).unwrap();
    let from = usize::try_from(writer.durable()).unwrap();
    assert!(from > 60_000 && from <= 100_000, "{from}");
    writer.write_all(&content[from..]).unwrap();
    let file = writer.finish().unwrap();
    let mut read = Vec::new();
    store.open(&file).unwrap().read_to_end(&mut read).unwrap();
    assert!(read == content);
}

#[test]
fn what_nothing_claims_is_swept_once_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::new(folder.path().to_owned());
    let [kept, orphan, young] = [0, 1, 2].map(|_| store.put(b"x").unwrap());
    let mut half = store.create().unwrap();
    half.keep_when_dropped(true);
    drop(half);
    for name in names(folder.path()) {
        if name != young.name.as_str() {
            age(&folder.path().join(name));
        }
    }
    assert_eq!(store.sweep(std::slice::from_ref(&kept.name)).unwrap(), 2);
    let mut left = [kept.name.as_str(), young.name.as_str()];
    left.sort_unstable();
    assert_eq!(names(folder.path()), left);
    assert!(matches!(store.open(&orphan), Err(AttachmentError::Missing)));
}

#[test]
fn a_stored_file_survives_being_written_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = FileStore::new(folder.path().to_owned()).put(b"x").unwrap();
    let text = serde_json::to_string(&file).unwrap();
    assert_eq!(serde_json::from_str::<StoredFile>(&text).unwrap(), file);
    assert!(serde_json::from_str::<StoredFile>(&text.replace(file.name.as_str(), "../x")).is_err());
}
