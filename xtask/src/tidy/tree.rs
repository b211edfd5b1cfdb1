//! The files under test: what git tracks or would track, as text in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's files by path; a file that is not UTF-8 has no text.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    files: BTreeMap<String, Option<String>>,
}

/// The tree could not be read: the environment's fault, not the tree's.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Git is missing, or this is not a clone.
    #[error("`git ls-files` failed in {root}: {reason}; run tidy inside a git clone")]
    Git {
        /// Where git was asked.
        root: PathBuf,
        /// What git or the system said.
        reason: String,
    },
    /// A listed file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Tree {
    /// Reads the files that git tracks under `root`, and the new ones it does not ignore.
    ///
    /// # Errors
    /// [`TreeError`] when git cannot list the files or one of them cannot be read.
    pub fn read(root: &Path) -> Result<Self, TreeError> {
        let mut files = BTreeMap::new();
        for name in listed(root)? {
            let path = root.join(&name);
            if !path.is_file() {
                continue; // deleted and not yet committed, or a submodule
            }
            let bytes = std::fs::read(&path).map_err(|source| TreeError::Read { path, source })?;
            files.insert(name, String::from_utf8(bytes).ok());
        }
        Ok(Self { files })
    }

    /// A small tree for a test, from paths and texts.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let own = |(path, text): &(&str, &str)| ((*path).to_owned(), Some((*text).to_owned()));
        Self { files: files.iter().map(own).collect() }
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file at all.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Every path, text or not.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Every file that is text: path and content.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// Every text file whose name ends in `.extension`.
    pub(crate) fn with_extension(&self, extension: &str) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(move |(path, _)| {
            Path::new(path).extension().is_some_and(|found| found == extension)
        })
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether `path` is a file or a folder with files in it; the root itself is the empty path.
    pub(crate) fn holds(&self, path: &str) -> bool {
        path.is_empty()
            || self.files.contains_key(path)
            || self
                .files
                .keys()
                .any(|file| file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
    }
}

fn listed(root: &Path) -> Result<Vec<String>, TreeError> {
    let refuse = |reason: String| TreeError::Git { root: root.to_owned(), reason };
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .map_err(|error| refuse(error.to_string()))?;
    if !output.status.success() {
        return Err(refuse(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let names = String::from_utf8_lossy(&output.stdout);
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_when_a_file_lies_in_it() {
        let tree = Tree::of(&[("docs/decisions/0001.md", "")]);
        assert!(tree.holds("docs/decisions"));
        assert!(tree.holds("docs/decisions/0001.md"));
        assert!(!tree.holds("docs/dec"));
        assert!(tree.holds(""));
    }

    #[test]
    fn extensions_are_compared_whole() {
        let tree = Tree::of(&[("a.rs", ""), ("b.rsx", ""), ("rs", "")]);
        let found: Vec<_> = tree.with_extension("rs").map(|(path, _)| path).collect();
        assert_eq!(found, ["a.rs"]);
    }

    #[test]
    fn outside_a_clone_the_error_says_what_to_do() {
        let error = Tree::read(Path::new("/nonexistent-folder")).unwrap_err();
        assert!(error.to_string().contains("run tidy inside a git clone"));
    }
}
