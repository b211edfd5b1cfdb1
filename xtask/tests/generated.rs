//! What is generated and checked in is what would be generated again.

use std::fs;

use xtask::generate::{DESCRIPTION, TYPES};
use xtask::{repository_root, typescript};

#[test]
fn the_types_are_those_of_the_description() {
    let root = repository_root();
    let description = fs::read_to_string(root.join(DESCRIPTION)).expect("it is checked in");
    let types = fs::read_to_string(root.join(TYPES)).expect("they are checked in");
    assert_eq!(
        typescript::types(&description).expect("every schema is known"),
        types,
        "run `cargo xtask generate`",
    );
}
