//! No Rust file grows past what a person reads in one sitting.

use super::{Finding, Tree};

/// Longer than this is an error; 150 to 400 reads well.
const MOST_LINES: usize = 600;

/// Checks the length of every Rust file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.with_extension("rs").filter_map(|(path, text)| of_file(path, text)).collect()
}

fn of_file(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    (lines > MOST_LINES).then(|| {
        let what = format!("{lines} lines, more than {MOST_LINES}");
        Finding::new(
            path,
            MOST_LINES + 1,
            what,
            "split it by its nouns; 150 to 400 lines read well",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_past_the_limit_is_found() {
        let at_limit = "x\n".repeat(MOST_LINES);
        let past = "x\n".repeat(MOST_LINES + 1);
        assert_eq!(check(&Tree::of(&[("a.rs", &at_limit)])), []);
        assert_eq!(check(&Tree::of(&[("a.rs", &past)])).len(), 1);
    }

    #[test]
    fn data_may_be_long() {
        assert_eq!(check(&Tree::of(&[("words.txt", &"x\n".repeat(1626))])), []);
    }
}
