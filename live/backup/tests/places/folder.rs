//! A backup in a folder of this machine.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use warren_backup::Target;

use crate::archives::{archive, keys, lives};
use crate::parts::{sample, work};

/// A place in a temporary folder.
pub(crate) fn place() -> (TempDir, Target) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    (folder, Target::Folder { path })
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder() {
    let (_folder, target) = place();
    lives(&target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_sizes_and_bytes_say_nothing() {
    let (folder, target) = place();
    archive(&target, 1).run(work(&sample())).await.unwrap();
    let files = files(folder.path());
    assert_eq!(files.len(), 3, "two packs and a snapshot: {files:?}");
    for file in files {
        let (bytes, path) = (fs::read(&file).unwrap(), file.to_str().unwrap());
        assert!(bytes.len().is_power_of_two() && bytes.len() >= 16 << 10, "{path}");
        assert!(path.contains(&keys().folder()));
        for word in ["warren", "backup", "large", "line", "test"] {
            let name = path.strip_prefix(folder.path().to_str().unwrap()).unwrap();
            assert!(!name.contains(word), "{name}");
            assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
        }
    }
}
