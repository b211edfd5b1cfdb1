//! The house rules hold over the whole repository.

use std::fmt::Write as _;

use xtask::repository_root;
use xtask::tidy::{Tree, check};

#[test]
fn the_repository_is_tidy() {
    let tree = Tree::read(repository_root()).expect("the tests run inside a git clone");
    assert!(!tree.is_empty(), "git lists no file");
    let findings = check(&tree);
    let mut list = String::new();
    for finding in &findings {
        let _ = writeln!(list, "  {finding}");
    }
    assert!(findings.is_empty(), "{} to mend:\n{list}", findings.len());
}
