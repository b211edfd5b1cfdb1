//! Every Rust file starts with one sentence that says what it is.

use super::{Finding, Tree};

const REMEDY: &str =
    "start the file with one `//!` sentence that says what it is and ends in a full stop";

/// Checks the first paragraph of every Rust file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.with_extension("rs")
        .filter_map(|(path, text)| Some(Finding::new(path, 1, fault(text)?, REMEDY)))
        .collect()
}

fn fault(text: &str) -> Option<&'static str> {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    let sentence: Vec<&str> = lines.map(str::trim).take_while(|line| !line.is_empty()).collect();
    match sentence.last() {
        None => Some("the first line is not a module doc"),
        Some(last) if !last.ends_with('.') => Some("the file's first sentence has no full stop"),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(text: &str) -> Vec<String> {
        check(&Tree::of(&[("pure/a/build.rs", text)])).into_iter().map(|f| f.what).collect()
    }

    #[test]
    fn a_sentence_passes_also_when_it_wraps() {
        assert!(whats("//! What it is.\n").is_empty());
        assert!(whats("//! What it is, at some\n//! length.\n//!\n//! More\n").is_empty());
    }

    #[test]
    fn code_before_the_sentence_is_found() {
        assert_eq!(whats("use std::fmt;\n//! Late.\n"), ["the first line is not a module doc"]);
        assert_eq!(whats("\n//! Late.\n"), ["the first line is not a module doc"]);
        assert_eq!(whats("// What it is.\n"), ["the first line is not a module doc"]);
        assert_eq!(whats(""), ["the first line is not a module doc"]);
    }

    #[test]
    fn a_heading_without_a_full_stop_is_found() {
        assert_eq!(
            whats("//! Stuff\n\nfn a() {}\n"),
            ["the file's first sentence has no full stop"]
        );
    }
}
