//! No file, folder or module has a name that says nothing about what lies in it.

use std::collections::BTreeSet;

use super::source::{ident, walk};
use super::{Finding, Tree};

const EMPTY_WORDS: [&str; 8] =
    ["util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"];

const REMEDY: &str = "name it after the noun it holds";

/// Checks every part of every path, and every module declared in Rust.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for path in tree.paths() {
        let mut length = 0;
        for part in path.split('/') {
            length += part.len() + 1;
            let upto = path.get(..length - 1).unwrap_or(path);
            if says_nothing(part) && seen.insert(upto) {
                findings.push(Finding::new(path, 1, format!("`{part}` says nothing"), REMEDY));
            }
        }
    }
    for (path, text) in tree.with_extension("rs") {
        findings.extend(modules(path, text));
    }
    findings
}

/// Modules with such a name; a text that is not Rust is another check's finding.
fn modules(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let _ = walk(text, &mut |tokens, at| {
        let declares = ident(tokens, at).is_some_and(|word| word == "mod");
        let Some(name) = ident(tokens, at + 1).filter(|_| declares) else { return };
        if says_nothing(&name.to_string()) {
            let what = format!("module `{name}` says nothing");
            findings.push(Finding::new(path, name.span().start().line, what, REMEDY));
        }
    });
    findings
}

/// Whether the name, or its last word, is one of the empty ones.
fn says_nothing(name: &str) -> bool {
    let stem = name.split('.').find(|part| !part.is_empty()).unwrap_or(name).to_lowercase();
    let last = stem.rsplit(['_', '-']).next().unwrap_or(&stem);
    EMPTY_WORDS.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn empty_names_of_files_and_folders_are_found() {
        assert_eq!(found("pure/a/src/utils.rs", ""), 1);
        assert_eq!(found("check/e2e/tests/common/mod.rs", ""), 1);
        assert_eq!(found("live/client/src/session_manager.rs", ""), 1);
        assert_eq!(found("web/ui/src/helpers.ts", ""), 1);
    }

    #[test]
    fn a_folder_is_told_once() {
        assert_eq!(check(&Tree::of(&[("a/misc/b.rs", ""), ("a/misc/c.rs", "")])).len(), 1);
    }

    #[test]
    fn empty_names_of_modules_are_found() {
        assert_eq!(found("a.rs", "mod helpers { fn a() {} }\n"), 1);
        assert_eq!(found("a.rs", "mod tests { mod common; }\n"), 1);
    }

    #[test]
    fn names_that_say_something_pass() {
        assert_eq!(found("pure/wire/src/common_prefix.rs", "mod namespace;\n"), 0);
        assert_eq!(found(".gitignore", ""), 0);
    }
}
