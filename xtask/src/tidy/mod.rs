//! The house rules, one module each, over an in-memory copy of the tracked files.
//!
//! | module | rule |
//! |---|---|
//! | [`directions`] | who may depend on whom inside the workspace |
//! | [`quarantine`] | who may name cryptography, TLS and IO from outside the workspace |
//! | [`inheritance`] | every crate takes lints, version and licence from the workspace |
//! | [`heads`] | every Rust file starts with one sentence that says what it is |
//! | [`tokens`] | nothing unfinished, ignored or allowed without a reason |
//! | [`sizes`] | no Rust file past the limit |
//! | [`names`] | no file or module with a name that says nothing |
//! | [`machine`] | no path or registry of one machine |
//! | [`links`] | every relative Markdown link leads to a file |
//! | [`features`] | every line of the list of features names tests that exist |
//! | [`promises`] | every test that a page names as holding a promise exists |
//!
//! A check is a function from a [`Tree`] to findings, so each is tested on a few lines of text.

mod crates;
mod directions;
mod features;
mod heads;
mod inheritance;
mod links;
mod machine;
mod names;
mod promises;
mod quarantine;
mod sizes;
mod source;
mod tokens;
mod tree;

pub use tree::{Tree, TreeError};

use std::fmt;

use crates::Crates;

/// One broken rule: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path from the root of the repository, with `/` between the parts.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}; {}", self.path, self.line, self.what, self.remedy)
    }
}

/// Runs every check and returns the findings in the order of paths and lines.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let (crates, mut findings) = Crates::read(tree);
    findings.extend(directions::check(&crates));
    findings.extend(quarantine::check(&crates));
    findings.extend(inheritance::check(&crates));
    findings.extend(heads::check(tree));
    findings.extend(tokens::check(tree));
    findings.extend(sizes::check(tree));
    findings.extend(names::check(tree));
    findings.extend(machine::check(tree));
    findings.extend(links::check(tree));
    findings.extend(features::check(tree));
    findings.extend(promises::check(tree));
    findings.sort();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_place_what_and_what_to_do() {
        let finding = Finding::new("pure/a.rs", 7, "too long", "split it");
        assert_eq!(finding.to_string(), "pure/a.rs:7: too long; split it");
    }

    #[test]
    fn findings_of_all_checks_come_together_in_order() {
        let tree = Tree::of(&[("b.rs", "fn b() { todo!() }\n"), ("a.md", "[x](gone.md)\n")]);
        let places: Vec<_> = check(&tree).into_iter().map(|f| (f.path, f.line)).collect();
        assert_eq!(places, [("a.md".into(), 1), ("b.rs".into(), 1), ("b.rs".into(), 1)]);
    }
}
