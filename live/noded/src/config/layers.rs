//! The layers of the configuration: a file, over it the environment, over it the flags; and which of
//! them each value comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use figment::providers::Env;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::Serialize;
use toml::de::{DeTable, DeValue};

use super::Config;
use super::secret::redact;

/// What names of environment variables begin with; `__` stands between section and key.
pub const PREFIX: &str = "WARREN_NODE_";
/// Which file to read; not a key of the file.
pub const FILE_VARIABLE: &str = "WARREN_NODE_CONFIG";
const FILE: &str = "file";
const FLAG: &str = "flag";

/// Why there is no configuration. No text holds a password.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What the file says, at a line and a column.
    #[error("{}:{position}: {text}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Where in it.
        position: Position,
        /// What is wrong.
        text: String,
    },
    /// What the environment or a flag says.
    #[error("{source_name}: {text}")]
    Layer {
        /// Which variable or flag.
        source_name: String,
        /// What is wrong.
        text: String,
    },
    /// Values that cannot work; one line each.
    #[error("{}", .0.join("\n"))]
    Problems(Vec<String>),
}

/// Line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// The file, at a place.
    File(PathBuf, Position),
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, position) => write!(f, "{}:{position}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A flag that was given: its name, the key it stands for and its value.
#[derive(Debug, Clone)]
pub struct Flag {
    name: &'static str,
    key: &'static str,
    value: Value,
}

impl Flag {
    /// A flag, `None` where it was not given.
    pub fn given(
        name: &'static str,
        key: &'static str,
        value: Option<impl Serialize>,
    ) -> Option<Self> {
        Value::serialize(value?).ok().map(|value| Self { name, key, value })
    }
}

/// Values that were read elsewhere.
struct Layer {
    name: &'static str,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> figment::error::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// A configuration and where it comes from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What is effective.
    pub config: Config,
    sources: BTreeMap<String, Source>,
}

impl Loaded {
    /// Reads all layers.
    ///
    /// # Errors
    /// Where one of them cannot be read or holds what is no configuration. What cannot work is left
    /// to [`Loaded::require_sound`].
    pub fn read(file: Option<&Path>, flags: Vec<Flag>) -> Result<Self, ConfigError> {
        let mut figment = Figment::new();
        let mut positions = BTreeMap::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
            positions = key_positions(&text);
            let values = read_file(path, &text)?;
            figment = figment.merge(Layer { name: FILE, values });
        }
        figment = figment.merge(Env::prefixed(PREFIX).split("__").ignore(&["config"]));
        let mut names = BTreeMap::new();
        for flag in flags {
            names.insert(flag.key, flag.name);
            if let Value::Dict(_, values) = figment::util::nest(flag.key, flag.value) {
                figment = figment.merge(Layer { name: FLAG, values });
            }
        }
        let config: Config = figment.extract().map_err(|error| layer_error(&error, &names))?;
        let mut sources = BTreeMap::new();
        for key in flat(&config).into_keys() {
            let name = figment.find_metadata(&key).map(|metadata| metadata.name.to_string());
            let source = match (name.as_deref(), file) {
                (None, _) => Source::Default,
                (Some(FILE), Some(path)) => {
                    let start = Position { line: 1, column: 1 };
                    let position = positions.get(&key).copied().unwrap_or(start);
                    Source::File(path.to_owned(), position)
                }
                (Some(FLAG), _) => {
                    Source::Flag((*names.get(key.as_str()).unwrap_or(&"--")).to_owned())
                }
                _ => Source::Environment(variable(&key)),
            };
            sources.insert(key, source);
        }
        Ok(Self { config, sources })
    }

    /// Where a key's value comes from.
    pub fn source(&self, key: &str) -> &Source {
        self.sources.get(key).unwrap_or(&Source::Default)
    }

    /// Every key, its value as it may be shown, and where it comes from.
    pub fn effective(&self) -> Vec<(String, serde_json::Value, &Source)> {
        let values = flat(&self.config).into_iter();
        values.map(|(key, value)| (key.clone(), redacted(value), self.source(&key))).collect()
    }

    /// The configuration, where a node could run with it.
    ///
    /// # Errors
    /// All that cannot work.
    pub fn require_sound(self) -> Result<Config, ConfigError> {
        let problems: Vec<String> = self
            .config
            .problems()
            .into_iter()
            .map(|it| format!("{} ({}): {}", it.key, self.source(&it.key), redact(&it.text)))
            .collect();
        if problems.is_empty() { Ok(self.config) } else { Err(ConfigError::Problems(problems)) }
    }
}

/// A value without the users and passwords of its URLs.
fn redacted(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::String(text) => redact(&text).into(),
        serde_json::Value::Array(items) => items.into_iter().map(redacted).collect(),
        other => other,
    }
}

/// The name of the variable that sets a key.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// Reads the file by itself, so that what is wrong with it is told by its place.
fn read_file(path: &Path, text: &str) -> Result<Dict, ConfigError> {
    let fault = |error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        // The library's own display quotes the line, which may hold a password.
        let text_of_error = redact(error.message());
        ConfigError::File {
            path: path.to_owned(),
            position: position(text, at),
            text: text_of_error,
        }
    };
    toml::from_str::<Config>(text).map_err(fault)?;
    let table: toml::Table = toml::from_str(text).map_err(fault)?;
    match Value::serialize(table) {
        Ok(Value::Dict(_, dict)) => Ok(dict),
        _ => Ok(Dict::new()),
    }
}

fn layer_error(error: &figment::Error, names: &BTreeMap<&str, &str>) -> ConfigError {
    let key = error.path.join(".");
    let source_name = match names.get(key.as_str()) {
        Some(flag) => format!("flag {flag}"),
        None => format!("environment {}", variable(&key)),
    };
    ConfigError::Layer { source_name, text: redact(&error.kind.to_string()) }
}

fn position(text: &str, at: usize) -> Position {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
    }
}

/// Where each key of the file stands.
fn key_positions(text: &str) -> BTreeMap<String, Position> {
    let mut found = BTreeMap::new();
    if let Ok(table) = DeTable::parse(text) {
        collect_positions(table.get_ref(), "", text, &mut found);
    }
    found
}

fn collect_positions(
    table: &DeTable<'_>,
    section: &str,
    text: &str,
    found: &mut BTreeMap<String, Position>,
) {
    for (key, value) in table {
        let name = joined(section, key.get_ref());
        if let DeValue::Table(inner) = value.get_ref() {
            collect_positions(inner, &name, text, found);
        }
        found.insert(name, position(text, key.span().start));
    }
}

/// All values by their full keys; sections are not values, and what is not set is null.
fn flat(config: &Config) -> BTreeMap<String, serde_json::Value> {
    let mut found = BTreeMap::new();
    if let Ok(serde_json::Value::Object(root)) = serde_json::to_value(config) {
        flatten(root, "", &mut found);
    }
    found
}

fn flatten(
    object: serde_json::Map<String, serde_json::Value>,
    section: &str,
    found: &mut BTreeMap<String, serde_json::Value>,
) {
    for (key, value) in object {
        let name = joined(section, &key);
        match value {
            serde_json::Value::Object(inner) => flatten(inner, &name, found),
            value => {
                found.insert(name, value);
            }
        }
    }
}

fn joined(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}
