//! Who may depend on whom: a server cannot name a plaintext, and the thinking half knows no doing.

use super::Finding;
use super::crates::{Crate, Crates};

/// What a node runs.
const SERVERS: [&str; 3] = ["warren-node", "warren-store", "warren-noded"];

/// What only the two ends of a conversation may name.
const ENDS: [&str; 5] =
    ["warren-message", "warren-config", "warren-profile", "warren-account", "warren-archive"];

/// Decisions that are made apart from each other.
const STRANGERS: [&str; 5] =
    ["warren-message", "warren-config", "warren-onion", "warren-profile", "warren-archive"];

/// Checks the dependencies of every crate on crates of this workspace.
pub(super) fn check(crates: &Crates) -> Vec<Finding> {
    crates.iter().flat_map(|one| of_crate(crates, one)).collect()
}

fn of_crate(crates: &Crates, one: &Crate) -> Vec<Finding> {
    let name = one.name.as_str();
    let mut findings = Vec::new();
    for dependency in &one.dependencies {
        let line = one.line_of(&dependency.key);
        for reached in crates.reach(&dependency.package) {
            let way = way(&dependency.package, reached);
            if let Some((what, remedy)) = refusal(name, reached) {
                let what = format!("{name} depends on {reached}{way}, but {what}");
                findings.push(Finding::new(&one.manifest, line, what, remedy));
            }
            let outside = crates.get(reached).is_some_and(|found| !found.lies_in("pure"));
            if one.lies_in("pure") && outside {
                findings.push(Finding::new(
                    &one.manifest,
                    line,
                    format!("{name} lies in pure/ and depends on {reached}{way}, which does not"),
                    "pass the value in as an argument, or move the code to live/",
                ));
            }
        }
    }
    findings
}

fn refusal(name: &str, reached: &str) -> Option<(&'static str, &'static str)> {
    if SERVERS.contains(&name) && ENDS.contains(&reached) {
        return Some((
            "a server must not be able to name a plaintext or an end-to-end key",
            "move what both need to pure/wire, or do the work in the client",
        ));
    }
    if STRANGERS.contains(&name) && STRANGERS.contains(&reached) && name != reached {
        return Some((
            "these two do not know each other",
            "join them in live/client, which knows both",
        ));
    }
    None
}

fn way(direct: &str, reached: &str) -> String {
    if direct == reached { String::new() } else { format!(" through {direct}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Tree;

    fn findings(manifests: &[(&str, &str, &str)]) -> Vec<String> {
        let files: Vec<(String, String)> = manifests
            .iter()
            .map(|(folder, name, tables)| {
                (format!("{folder}/Cargo.toml"), format!("[package]\nname = \"{name}\"\n{tables}"))
            })
            .collect();
        let borrowed: Vec<_> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        let (crates, _) = Crates::read(&Tree::of(&borrowed));
        check(&crates).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_node_that_names_messages_is_refused() {
        let found = findings(&[
            ("pure/node", "warren-node", "[dependencies]\nwarren-message.workspace = true\n"),
            ("pure/message", "warren-message", ""),
        ]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("pure/node/Cargo.toml:4: warren-node depends on"),
            "{found:?}"
        );
    }

    #[test]
    fn a_node_that_reaches_accounts_through_another_crate_is_refused() {
        let found = findings(&[
            ("live/noded", "warren-noded", "[dependencies]\nwarren-wire.workspace = true\n"),
            ("pure/wire", "warren-wire", "[dependencies]\nwarren-account.workspace = true\n"),
            ("pure/account", "warren-account", ""),
        ]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("warren-account through warren-wire"), "{found:?}");
    }

    #[test]
    fn development_dependencies_of_a_node_count() {
        let found = findings(&[
            ("live/store", "warren-store", "[dev-dependencies]\nwarren-account.workspace = true\n"),
            ("pure/account", "warren-account", ""),
        ]);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn messages_and_onions_do_not_know_each_other() {
        let found = findings(&[
            ("pure/onion", "warren-onion", "[dependencies]\nwarren-message.workspace = true\n"),
            ("pure/message", "warren-message", ""),
        ]);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn thinking_does_not_depend_on_doing() {
        let found = findings(&[
            ("pure/wire", "warren-wire", "[dependencies]\nwarren-store.workspace = true\n"),
            ("live/store", "warren-store", ""),
        ]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("lies in pure/"), "{found:?}");
    }

    #[test]
    fn the_intended_directions_pass() {
        let found = findings(&[
            (
                "live/client",
                "warren-client",
                "[dependencies]\nwarren-message.workspace = true\nwarren-onion.workspace = true\n",
            ),
            (
                "live/noded",
                "warren-noded",
                "[dependencies]\nwarren-onion.workspace = true\nwarren-node.workspace = true\n",
            ),
            ("pure/message", "warren-message", "[dependencies]\nwarren-account.workspace = true\n"),
            ("pure/account", "warren-account", ""),
            ("pure/onion", "warren-onion", ""),
            ("pure/node", "warren-node", ""),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }
}
