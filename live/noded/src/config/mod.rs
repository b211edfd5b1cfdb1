//! What an operator may set: one file, the environment and flags, each with where it came from.
//!
//! | module | what |
//! |---|---|
//! | [`layers`] | file, environment and flags, one over the other |
//! | [`check`] | whether a node could run with it |
//! | [`secret`] | text that is never shown |

pub mod check;
pub mod layers;
mod limits;
pub mod secret;

use std::net::{SocketAddr, SocketAddrV4};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use warren_node::exit::{AllowedHost, ExitRules};
use warren_transport::Seed;
use warren_wire::directory::DirectoryKeys;

pub use self::layers::{ConfigError, Loaded, Source};
pub use self::limits::{LimitsConfig, ProofConfig};
pub use self::secret::SecretText;
use crate::files::FilesOptions;
use crate::node::NodeOptions;
use crate::swarm::Pace;

/// Everything an operator may set. Each key is explained in `packaging/warren-node.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder with the node's keys and mail.
    pub data: Option<PathBuf>,
    /// Where to listen; the node's address in the list where none is given.
    pub listen: Option<SocketAddr>,
    /// Address under which clients and other nodes reach the node.
    pub advertise: Option<SocketAddrV4>,
    /// Section `[list]`.
    pub list: ListConfig,
    /// Section `[seed]`.
    pub seed: SeedConfig,
    /// Section `[store]`.
    pub store: StoreConfig,
    /// Section `[files]`: none are kept where no place for them is given.
    pub files: FilesOptions,
    /// Section `[exit]`.
    pub exit: ExitConfig,
    /// Section `[limits]`.
    pub limits: LimitsConfig,
    /// Section `[log]`.
    pub log: LogConfig,
    /// Section `[metrics]`.
    pub metrics: MetricsConfig,
    /// Section `[drain]`.
    pub drain: DrainConfig,
}

/// Which list of nodes to go by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListConfig {
    /// The directory that the node follows, as a seed: `URL#KEY` or `URL,URL,URL#2:KEY,KEY,KEY`.
    pub authority: Option<String>,
    /// Where the node is the directory of its own network.
    pub own_authority: Option<SocketAddr>,
    /// The signed list.
    pub file: Option<PathBuf>,
    /// The keys it must be signed with: one, or `2:KEY,KEY,KEY` for two of three.
    pub directory_key: Option<String>,
}

/// Whether the list is served to clients too, over http and https.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SeedConfig {
    /// Where.
    pub listen: Option<SocketAddr>,
}

/// Where mail is kept: under `data` where nothing is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// A folder, or the URL of a database.
    pub url: Option<SecretText>,
    /// A file that holds it: a path, or the name of a systemd credential.
    pub url_file: Option<PathBuf>,
}

/// Which servers the node asks on behalf of clients.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExitConfig {
    /// `HOST` or `HOST:PORT`, each.
    pub hosts: Vec<String>,
    /// Every host with a public address.
    pub any: bool,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `text` or `json`.
    pub format: LogFormat,
    /// error, warn, info, debug or trace, or by module such as `warren_noded=debug`.
    pub level: String,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object to a line.
    Json,
}

/// Where numbers and health are served.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Where; nowhere where nothing is given. Only loopback is accepted.
    pub listen: Option<SocketAddr>,
    /// Accept other addresses too: whoever reaches them learns how much the node is used.
    pub allow_remote: bool,
}

/// How a node stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DrainConfig {
    /// How many seconds requests under way may take to end.
    pub seconds: NonZeroU32,
    /// How many seconds the node goes on serving after it says that it is not ready, so that what
    /// watches `/readyz` sees it first.
    pub unready_seconds: u32,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

impl Default for DrainConfig {
    fn default() -> Self {
        let seconds = NonZeroU32::MIN.saturating_add(4);
        Self { seconds, unready_seconds: 0 }
    }
}

impl DrainConfig {
    /// How long requests under way may take to end.
    pub const fn patience(&self) -> Duration {
        Duration::from_secs(self.seconds.get() as u64)
    }

    /// How long the node serves on after it says that it is not ready.
    pub const fn unready(&self) -> Duration {
        Duration::from_secs(self.unready_seconds as u64)
    }
}

/// What is wrong with a value that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, such as `metrics.listen`.
    pub key: String,
    /// What is wrong and what to do.
    pub text: String,
}

impl Config {
    /// What cannot work, whatever machine it is for.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut found = |key: &str, text: String| {
            problems.push(Problem { key: key.to_owned(), text });
        };
        if self.data.is_none() {
            found(
                "data",
                "say where the node's folder is: --data, WARREN_NODE_DATA or `data`".into(),
            );
        }
        let follows = self.follows();
        if follows && self.advertise.is_none() {
            found("advertise", "say what to announce: --advertise, the node's address".into());
        }
        if let Some(Err(error)) = self.list.authority.as_deref().map(str::parse::<Seed>) {
            found("list.authority", error.to_string());
        }
        if self.list.file.is_none() && !follows {
            let text = "say which list to go by: --authority or --list, or `authority` or `file` in [list]";
            found("list.file", text.into());
        }
        if let Some(Err(error)) = self.list.directory_key.as_deref().map(read_keys) {
            found("list.directory_key", error);
        }
        if self.store.url.is_some() && self.store.url_file.is_some() {
            found("store.url", "give `url` or `url_file`, not both".into());
        }
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log.level) {
            found("log.level", format!("the log filter is not understood: {error}"));
        }
        if let Some(address) = self.metrics.listen
            && !address.ip().is_loopback()
            && !self.metrics.allow_remote
        {
            let text = format!(
                "{address} is not loopback, and whoever reaches it learns how much the node is \
                 used: take 127.0.0.1, or set allow_remote = true"
            );
            found("metrics.listen", text);
        }
        for host in &self.exit.hosts {
            if let Err(error) = host.parse::<AllowedHost>() {
                found("exit.hosts", format!("{host}: {error}"));
            }
        }
        self.limits.problems(&mut found);
        problems
    }

    /// Whether the node takes its lists from a directory, and not from `list.file`.
    pub const fn follows(&self) -> bool {
        self.list.authority.is_some() || self.list.own_authority.is_some()
    }

    /// What a node is started with.
    ///
    /// # Errors
    /// Where the file that holds the store's address cannot be read.
    pub fn node_options(&self) -> Result<NodeOptions, std::io::Error> {
        let hosts = self.exit.hosts.iter().filter_map(|host| host.parse().ok()).collect();
        Ok(NodeOptions {
            pace: Pace::default(),
            former_lists: Vec::new(),
            limits: self.limits.clone(),
            drain: self.drain.patience(),
            store: self.store_url()?,
            files: Some(self.files.clone()).filter(|files| !files.store.is_empty()),
            exit: ExitRules { any: self.exit.any, hosts },
        })
    }

    /// The keys that the list must be signed with.
    ///
    /// # Errors
    /// Where they are malformed.
    pub fn directory_keys(&self) -> Result<Option<DirectoryKeys>, String> {
        self.list.directory_key.as_deref().map(read_keys).transpose()
    }

    /// The folder or URL of the store; `None` for the folder under `data`.
    ///
    /// # Errors
    /// Where the file that holds it cannot be read.
    pub fn store_url(&self) -> Result<Option<SecretText>, std::io::Error> {
        let Some(file) = &self.store.url_file else { return Ok(self.store.url.clone()) };
        let text = std::fs::read_to_string(secret::locate(file))?;
        Ok(Some(text.trim().to_owned().into()))
    }
}

fn read_keys(text: &str) -> Result<DirectoryKeys, String> {
    text.parse().map_err(|error| format!("{error}"))
}
