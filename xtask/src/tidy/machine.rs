//! No tracked text names a path or a package registry that belongs to one machine.

use super::{Finding, Tree};

/// Top folders that differ from machine to machine.
const TOPS: [&str; 4] = ["work", "root", "home", "Users"];

/// Where packages are downloaded from: a matter of each machine's own configuration.
///
/// Each is written in two halves, so that this file passes its own check.
const REGISTRIES: [(&str, &str); 8] = [
    ("index.", "crates.io"),
    ("static.", "crates.io"),
    ("registry.", "npmjs.org"),
    ("registry.", "yarnpkg.com"),
    ("pypi.org", "/simple"),
    ("files.", "pythonhosted.org"),
    ("proxy.", "golang.org"),
    ("deb.", "debian.org"),
];

/// Files that package tools write, with the registry that each names by design.
const LOCKS: [(&str, &str, &str); 2] = [
    ("Cargo.lock", "registry+", "https://github.com/rust-lang/crates.io-index"),
    ("package-lock.json", "\"resolved\": \"", concat!("https://registry.", "npmjs.org/")),
];

/// Checks every line of every text file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        let name = path.rsplit('/').next().unwrap_or(path);
        let lock = LOCKS.iter().find(|(file, _, _)| *file == name);
        for (at, line) in text.lines().enumerate() {
            let line_number = at + 1;
            findings.extend(machine_path(line).map(|found| {
                let what = format!("`{found}` exists on one machine only");
                Finding::new(
                    path,
                    line_number,
                    what,
                    "write a path from the root of the repository",
                )
            }));
            let registry = match lock {
                Some((_, before, allowed)) => foreign_source(line, before, allowed),
                None => registry(line),
            };
            findings.extend(registry.map(|found| {
                let what = format!("`{found}` is a package registry");
                Finding::new(
                    path,
                    line_number,
                    what,
                    "leave the registry to the machine's configuration",
                )
            }));
        }
    }
    findings
}

fn machine_path(line: &str) -> Option<String> {
    TOPS.iter().find_map(|top| {
        let start = format!("/{top}/");
        line.match_indices(&start).find_map(|(at, _)| {
            let before = line.get(..at)?.chars().next_back();
            let after = line.get(at + start.len()..)?.chars().next();
            let is_start = !before.is_some_and(|c| c.is_alphanumeric() || ".-_~$}>*/".contains(c));
            let is_path = after.is_some_and(|c| c.is_alphanumeric() || "._".contains(c))
                || *top == "work"
                || *top == "root";
            (is_start && is_path).then(|| start.clone())
        })
    })
}

fn registry(line: &str) -> Option<String> {
    REGISTRIES.iter().map(|(a, b)| format!("{a}{b}")).find(|host| line.contains(host.as_str()))
}

/// In a lock file, a source that is not the public registry of its tool.
fn foreign_source(line: &str, before: &str, allowed: &str) -> Option<String> {
    let (_, source) = line.split_once(before)?;
    (!source.starts_with(allowed)).then(|| source.trim_end_matches(['"', ',']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, line: &str) -> usize {
        check(&Tree::of(&[(path, line)])).len()
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        for top in TOPS {
            assert_eq!(found("a.md", &format!("see `/{top}/anna/warren`\n")), 1, "{top}");
            assert_eq!(found("a.sh", &format!("cd /{top}/anna\n")), 1, "{top}");
        }
    }

    #[test]
    fn relative_paths_addresses_and_placeholders_pass() {
        for line in [
            "../work/x",
            "https://example.org/work/x",
            "target/root/x",
            "$DIR/home/a",
            "{dir}/home/a",
        ] {
            assert_eq!(found("a.md", line), 0, "{line}");
        }
    }

    #[test]
    fn a_registry_in_a_text_is_found() {
        for (a, b) in REGISTRIES {
            assert_eq!(found("requirements.txt", &format!("-i https://{a}{b}/\n")), 1, "{a}{b}");
        }
        assert_eq!(found("README.md", "https://crates.io/crates/fjall\n"), 0);
    }

    #[test]
    fn a_lock_file_names_the_public_registry_and_no_other() {
        let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
        assert_eq!(found("Cargo.lock", public), 0);
        assert_eq!(found("Cargo.lock", "source = \"registry+https://mirror.example/index\"\n"), 1);
        let npm = format!("\"resolved\": \"https://{}npmjs.org/a.tgz\",\n", "registry.");
        assert_eq!(found("web/ui/package-lock.json", &npm), 0);
        assert_eq!(
            found("web/ui/package-lock.json", "\"resolved\": \"http://mirror.example/a\",\n"),
            1
        );
    }
}
