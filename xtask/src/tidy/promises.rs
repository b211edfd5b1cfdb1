//! Where a page names a test as the one that holds a promise, that test exists.
//!
//! A link whose text is code and whose target is a Rust file, ``[`a_test`](../live/x.rs)``, says
//! that the file has a function of that name.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::links::resolved;
use super::{Finding, Tree};

/// Checks the tests that Markdown pages name.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.with_extension("md").flat_map(|(path, text)| of_page(tree, path, text)).collect()
}

fn of_page(tree: &Tree, page: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut target: Option<String> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                target = resolved(page, &dest_url).filter(|path| path.ends_with(".rs"));
            }
            Event::End(TagEnd::Link) => target = None,
            Event::Code(name) if is_function_name(&name) => {
                let Some(path) = &target else { continue };
                if !has_function(tree, path, &name) {
                    let line = text.get(..range.start).unwrap_or_default().matches('\n').count();
                    let what = format!("{path} has no `{name}`");
                    let remedy = "name the test that holds this, or write it";
                    findings.push(Finding::new(page, line + 1, what, remedy));
                }
            }
            _ => {}
        }
    }
    findings
}

fn is_function_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn has_function(tree: &Tree, path: &str, name: &str) -> bool {
    let head = format!("fn {name}(");
    tree.text(path).is_some_and(|text| text.contains(&head))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> Vec<(usize, String)> {
        let tree = Tree::of(&[
            ("spec/page.md", page),
            ("live/x.rs", "//! X.\n#[test]\nfn mail_is_kept() {}\n"),
        ]);
        check(&tree).into_iter().map(|f| (f.line, f.what)).collect()
    }

    #[test]
    fn a_test_that_exists_passes_and_so_do_files_and_types() {
        let page = "[`mail_is_kept`](../live/x.rs) [`live/x.rs`](../live/x.rs) `mail_is_lost`\n";
        assert_eq!(found(page), []);
    }

    #[test]
    fn a_test_that_is_not_there_is_found_at_its_line() {
        let what = "live/x.rs has no `mail_is_lost`".to_owned();
        assert_eq!(found("a\n\n| b | [`mail_is_lost`](../live/x.rs) |\n"), [(3, what)]);
    }
}
