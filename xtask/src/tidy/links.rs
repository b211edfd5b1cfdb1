//! Every relative link of a Markdown page leads to a file of this repository.

use pulldown_cmark::{Event, Parser, Tag};

use super::{Finding, Tree};

/// Checks the links and pictures of every Markdown page.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.with_extension("md").flat_map(|(path, text)| of_page(tree, path, text)).collect()
}

fn of_page(tree: &Tree, path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (event, range) in Parser::new(text).into_offset_iter() {
        let target = match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => dest_url,
            _ => continue,
        };
        if leads_somewhere(tree, path, &target) {
            continue;
        }
        let line = text.get(..range.start).unwrap_or_default().matches('\n').count() + 1;
        let what = format!("the link to `{target}` leads nowhere");
        findings.push(Finding::new(path, line, what, "mend the path, or add and track the file"));
    }
    findings
}

fn leads_somewhere(tree: &Tree, page: &str, target: &str) -> bool {
    let file = target.split(['#', '?']).next().unwrap_or_default();
    let elsewhere = file.contains("://") || file.starts_with("mailto:");
    if elsewhere || file.is_empty() {
        return true;
    }
    resolved(page, file).is_some_and(|path| tree.holds(&path))
}

/// The path from the root, or nothing when the link climbs out of the repository.
pub(super) fn resolved(page: &str, link: &str) -> Option<String> {
    let (folder, link) = match link.strip_prefix('/') {
        Some(from_root) => ("", from_root),
        None => (page.rsplit_once('/').map_or("", |(folder, _)| folder), link),
    };
    let mut parts = Vec::new();
    for part in folder.split('/').chain(link.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/").replace("%20", " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str, text: &str) -> Vec<(usize, String)> {
        let tree = Tree::of(&[
            (page, text),
            ("README.md", ""),
            ("docs/glossary.md", ""),
            ("docs/decisions/0001.md", ""),
        ]);
        check(&tree).into_iter().map(|f| (f.line, f.what)).collect()
    }

    #[test]
    fn links_to_files_folders_and_elsewhere_pass() {
        let text = "[a](../README.md) [b](glossary.md#seed) [c](decisions) [d](https://x.org/y.md)\n\
                    [e](#here) [f](/README.md) ![g](decisions/0001.md)\n";
        assert_eq!(found("docs/page.md", text), []);
    }

    #[test]
    fn a_link_to_a_missing_file_is_found_at_its_line() {
        let found = found("docs/page.md", "text\n\nsee [it](gone.md)\n");
        assert_eq!(found, [(3, "the link to `gone.md` leads nowhere".into())]);
    }

    #[test]
    fn a_link_that_climbs_out_of_the_repository_is_found() {
        assert_eq!(found("docs/page.md", "[a](../../shared/a.md)\n").len(), 1);
    }

    #[test]
    fn reference_links_and_pictures_count() {
        assert_eq!(found("a.md", "[it][1] ![x](x.png)\n\n[1]: gone.md\n").len(), 2);
    }

    #[test]
    fn code_is_not_a_link() {
        assert_eq!(found("a.md", "`[a](gone.md)`\n\n```\n[a](gone.md)\n```\n"), []);
    }
}
