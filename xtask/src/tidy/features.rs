//! Every line of the list of features names tests, and each of them exists.

use std::collections::BTreeSet;

use super::{Finding, Tree};

/// The list: tables whose rows say what holds and which tests hold it, as `path.rs::name`.
const PAGE: &str = "docs/features.md";

/// Checks the list, where there is one.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some((_, page)) = tree.texts().find(|(path, _)| *path == PAGE) else { return Vec::new() };
    let mut findings = Vec::new();
    let mut in_table = false;
    for (line, text) in (1..).zip(page.lines()) {
        let is_row = text.starts_with('|');
        // The rows of a table stand below the line under its head.
        if is_row && in_table {
            findings.extend(of_row(tree, line, text));
        }
        in_table = is_row && (in_table || text.starts_with("|-"));
    }
    findings
}

fn of_row(tree: &Tree, line: usize, row: &str) -> Vec<Finding> {
    let tests: Vec<(&str, &str)> =
        row.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
    if tests.is_empty() {
        let remedy = "name what holds it as `path.rs::name`";
        return vec![Finding::new(PAGE, line, "a feature without a test", remedy)];
    }
    let missing = tests.into_iter().filter(|(path, name)| !holds(tree, path, name));
    let finding = |(path, name)| {
        let what = format!("`{path}` has no test `{name}`");
        Finding::new(PAGE, line, what, "name the test that holds this line")
    };
    missing.map(finding).collect()
}

fn holds(tree: &Tree, path: &str, name: &str) -> bool {
    let mut files = tree.texts();
    files.find(|(file, _)| *file == path).is_some_and(|(_, text)| tests_of(text).contains(name))
}

/// The names of the tests of a file.
fn tests_of(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim_start) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let name = line.split_once("fn ").and_then(|(_, rest)| rest.split('(').next());
        if let Some(name) = name.filter(|_| !line.starts_with("//")) {
            if is_test {
                names.insert(name);
            }
            is_test = false;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const TESTS: &str = "#[test]\nfn it_holds() {}\n\nfn it_does_not() {}\n\
                         #[tokio::test(flavor = \"multi_thread\")]\nasync fn it_waits() {}\n";

    fn found(page: &str) -> Vec<(usize, String)> {
        let tree = Tree::of(&[(PAGE, page), ("a/tests/b.rs", TESTS)]);
        check(&tree).into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    #[test]
    fn rows_whose_tests_exist_pass_and_heads_need_none() {
        let page = "# Features\n\n| what | held by |\n|---|---|\n\
                    | it holds | `a/tests/b.rs::it_holds` |\n\
                    | and waits, with `code` | `a/tests/b.rs::it_waits`, `a/tests/b.rs::it_holds` |\n";
        assert_eq!(found(page), []);
    }

    #[test]
    fn a_row_without_a_test_and_a_test_that_is_none_are_found_at_their_line() {
        let page = "| what | held by |\n|---|---|\n| nothing | |\n\
                    | no test | `a/tests/b.rs::it_does_not` |\n\
                    | no file | `a/tests/c.rs::it_holds` |\n";
        let missing = |path: &str, name: &str| format!("`{path}` has no test `{name}`");
        assert_eq!(
            found(page),
            [
                (3, "a feature without a test".to_owned()),
                (4, missing("a/tests/b.rs", "it_does_not")),
                (5, missing("a/tests/c.rs", "it_holds")),
            ]
        );
    }
}
