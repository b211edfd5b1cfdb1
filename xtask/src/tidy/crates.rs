//! The workspace's crates as their manifests state them: folder, name, dependencies of all kinds.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::{Finding, Tree};

/// The crates of the tree, by package name.
#[derive(Debug, Default)]
pub(super) struct Crates {
    by_name: BTreeMap<String, Crate>,
}

/// One crate of the workspace.
#[derive(Debug)]
pub(super) struct Crate {
    /// Folder from the root, such as `pure/wire`.
    pub(super) folder: String,
    /// Path of its manifest.
    pub(super) manifest: String,
    /// Package name.
    pub(super) name: String,
    /// What it depends on, table by table.
    pub(super) dependencies: Vec<Dependency>,
    /// The whole manifest, for checks of its other tables.
    pub(super) table: Table,
    text: String,
}

/// One line of a dependency table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependency {
    /// The package's real name, whatever the crate calls it.
    pub(super) package: String,
    /// The name in the manifest.
    pub(super) key: String,
    /// Whether only tests, examples and benches see it.
    pub(super) dev: bool,
}

impl Crates {
    /// Reads every manifest with a `[package]`; one that is not TOML is a finding.
    pub(super) fn read(tree: &Tree) -> (Self, Vec<Finding>) {
        let mut crates = Self::default();
        let mut findings = Vec::new();
        let renames = tree.text("Cargo.toml").map(shared_renames).unwrap_or_default();
        for (path, text) in tree.with_extension("toml") {
            let Some(folder) = manifest_folder(path) else { continue };
            match text.parse::<Table>() {
                // A workspace of its own: another's program that is only run.
                Ok(table) if table.contains_key("workspace") => {}
                Ok(table) => {
                    if let Some(one) = Crate::read(folder, path, text, table, &renames) {
                        crates.by_name.insert(one.name.clone(), one);
                    }
                }
                Err(error) => {
                    findings.push(Finding::new(path, 1, "not TOML", error.message().to_owned()));
                }
            }
        }
        (crates, findings)
    }

    /// Every crate, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Crate> {
        self.by_name.values()
    }

    /// The crate of this package name, if it is ours.
    pub(super) fn get(&self, name: &str) -> Option<&Crate> {
        self.by_name.get(name)
    }

    /// Every crate of ours that `dependency` brings along, itself included.
    ///
    /// Development dependencies end at the crate that lists them, as they do for Cargo.
    pub(super) fn reach(&self, dependency: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![dependency];
        while let Some(name) = open.pop() {
            let Some(one) = self.get(name) else { continue };
            if reached.insert(one.name.as_str()) {
                let built = one.dependencies.iter().filter(|found| !found.dev);
                open.extend(built.map(|found| found.package.as_str()));
            }
        }
        reached
    }
}

impl Crate {
    fn read(
        folder: &str,
        manifest: &str,
        text: &str,
        table: Table,
        renames: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let name = table.get("package")?.get("name")?.as_str()?.to_owned();
        let mut dependencies = tables_of(&table, renames);
        for target in table.get("target").and_then(Value::as_table).into_iter().flatten() {
            if let (_, Value::Table(inner)) = target {
                dependencies.extend(tables_of(inner, renames));
            }
        }
        Some(Self {
            folder: folder.to_owned(),
            manifest: manifest.to_owned(),
            name,
            dependencies,
            table,
            text: text.to_owned(),
        })
    }

    /// The line where a key stands, or 1.
    pub(super) fn line_of(&self, key: &str) -> usize {
        let starts = |line: &str| {
            let line = line.trim_start().trim_start_matches('"');
            line.strip_prefix(key).is_some_and(|rest| {
                !rest.starts_with(|c: char| c.is_alphanumeric() || "-_".contains(c))
            })
        };
        self.text.lines().position(starts).map_or(1, |at| at + 1)
    }

    /// Whether the crate lies in the given top folder.
    pub(super) fn lies_in(&self, top: &str) -> bool {
        self.folder.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'))
    }
}

fn manifest_folder(path: &str) -> Option<&str> {
    path.strip_suffix("/Cargo.toml")
}

fn tables_of(table: &Table, renames: &BTreeMap<String, String>) -> Vec<Dependency> {
    let kinds =
        [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)];
    let mut found = Vec::new();
    for (kind, dev) in kinds {
        for (key, value) in table.get(kind).and_then(Value::as_table).into_iter().flatten() {
            let own = value.get("package").and_then(Value::as_str);
            let package = own.or_else(|| renames.get(key).map(String::as_str)).unwrap_or(key);
            found.push(Dependency { package: package.to_owned(), key: key.clone(), dev });
        }
    }
    found
}

/// The names under which `[workspace.dependencies]` renames a package.
fn shared_renames(root: &str) -> BTreeMap<String, String> {
    let Ok(table) = root.parse::<Table>() else { return BTreeMap::new() };
    let shared = table.get("workspace").and_then(|found| found.get("dependencies"));
    let shared = shared.and_then(Value::as_table).into_iter().flatten();
    shared
        .filter_map(|(key, value)| Some((key.clone(), value.get("package")?.as_str()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> Crates {
        let (crates, findings) = Crates::read(&Tree::of(files));
        assert_eq!(findings, []);
        crates
    }

    #[test]
    fn dependencies_of_every_table_are_found_under_their_real_names() {
        let crates = read(&[
            ("Cargo.toml", "[workspace.dependencies]\nsodium = { package = \"libsodium-rs\" }\n"),
            (
                "pure/a/Cargo.toml",
                "[package]\nname = \"a\"\n[dependencies]\nsodium.workspace = true\n\
                 [dev-dependencies]\nb = \"1\"\n[build-dependencies]\nc = \"1\"\n\
                 [target.'cfg(unix)'.dependencies]\nd = { package = \"e\", version = \"1\" }\n",
            ),
        ]);
        let one = crates.get("a").unwrap();
        let names: Vec<_> = one.dependencies.iter().map(|d| (d.package.as_str(), d.dev)).collect();
        assert_eq!(names, [("libsodium-rs", false), ("c", false), ("b", true), ("e", false)]);
        assert_eq!(one.line_of("sodium"), 4);
    }

    #[test]
    fn reach_follows_built_dependencies_and_stops_at_development_ones() {
        let crates = read(&[
            ("x/a/Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\n"),
            ("x/b/Cargo.toml", "[package]\nname = \"b\"\n[dev-dependencies]\nc = \"1\"\n"),
            ("x/c/Cargo.toml", "[package]\nname = \"c\"\n"),
        ]);
        assert_eq!(crates.reach("a"), BTreeSet::from(["a", "b"]));
    }

    #[test]
    fn circles_end() {
        let crates = read(&[
            ("x/a/Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\n"),
            ("x/b/Cargo.toml", "[package]\nname = \"b\"\n[dependencies]\na = \"1\"\n"),
        ]);
        assert_eq!(crates.reach("a").len(), 2);
    }

    #[test]
    fn a_broken_manifest_is_a_finding() {
        let (_, findings) = Crates::read(&Tree::of(&[("x/Cargo.toml", "[package\n")]));
        assert_eq!(findings.len(), 1);
    }
}
