//! Every crate takes its lints, version, edition and licence from the workspace.

use toml::Value;

use super::Finding;
use super::crates::{Crate, Crates};

const INHERITED: [&str; 4] = ["version", "edition", "rust-version", "license"];

/// Checks the `[package]` and `[lints]` tables of every crate.
pub(super) fn check(crates: &Crates) -> Vec<Finding> {
    crates.iter().flat_map(of_crate).collect()
}

fn of_crate(one: &Crate) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !inherits(one.table.get("lints")) {
        findings.push(Finding::new(
            &one.manifest,
            one.line_of("[lints]"),
            format!("{} does not take the workspace's lints", one.name),
            "write `[lints]` with `workspace = true`",
        ));
    }
    let package = one.table.get("package");
    for key in INHERITED {
        if !inherits(package.and_then(|found| found.get(key))) {
            findings.push(Finding::new(
                &one.manifest,
                one.line_of(key),
                format!("{} does not take the workspace's {key}", one.name),
                format!("write `{key}.workspace = true`"),
            ));
        }
    }
    findings
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|found| found.get("workspace")).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Tree;

    fn findings(manifest: &str) -> Vec<String> {
        let (crates, _) = Crates::read(&Tree::of(&[("pure/it/Cargo.toml", manifest)]));
        check(&crates).iter().map(ToString::to_string).collect()
    }

    const GOOD: &str = "[package]\nname = \"it\"\nversion.workspace = true\nedition.workspace = true\n\
                        rust-version.workspace = true\nlicense.workspace = true\n[lints]\nworkspace = true\n";

    #[test]
    fn a_crate_that_inherits_passes() {
        assert_eq!(findings(GOOD), Vec::<String>::new());
    }

    #[test]
    fn own_lints_are_refused() {
        let found = findings(
            &GOOD.replace("[lints]\nworkspace = true", "[lints.rust]\nunsafe_code = \"allow\""),
        );
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("lints"), "{found:?}");
    }

    #[test]
    fn an_own_licence_is_refused_at_its_line() {
        let found = findings(&GOOD.replace("license.workspace = true", "license = \"GPL-3.0\""));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("pure/it/Cargo.toml:6:"), "{found:?}");
    }
}
