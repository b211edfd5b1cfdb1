//! `warren-node authority`: one of those that say who the nodes are.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use warren_node::consensus::Terms;
use warren_noded::authority::{self, Other, RunningAuthority, Settings};
use warren_noded::config::LogConfig;
use warren_wire::limits::SECOND;

use super::run::StopSignals;
use super::{CommandError, logging};

/// Runs one authority of a directory: nodes announce themselves to it, it tries whether they are where
/// they say, and together with the other authorities it makes and signs the list of nodes.
///
/// Alone it signs every list itself. Several are told of each other: first `--print-key` on every
/// machine, then `--other URL#KEY` for each of the others, with the same --threshold and --interval
/// everywhere. As long as the threshold of them is honest and up, any other may be down or lie.
/// Clients and nodes are given URL,URL,URL#THRESHOLD:KEY,KEY,KEY.
#[derive(Debug, Args)]
pub(crate) struct Authority {
    /// Configuration file (TOML): data, listen, others, threshold, interval, private_addresses, as
    /// the flags; flags come first
    #[arg(long, value_name = "FILE", env = "WARREN_AUTHORITY_CONFIG")]
    config: Option<PathBuf>,
    /// Folder for the authority's key and what it signed: a copy of directory.key is a copy of the
    /// authority
    #[arg(long, value_name = "DIR", env = "WARREN_AUTHORITY_DATA")]
    data: Option<PathBuf>,
    /// Where to listen, for http and https on one port
    #[arg(long, value_name = "IP:PORT", env = "WARREN_AUTHORITY_LISTEN")]
    listen: Option<SocketAddr>,
    /// Another authority of the same directory; may be given repeatedly
    #[arg(long, value_name = "URL#KEY")]
    other: Vec<Other>,
    /// How many authorities must sign a list: more than half [default: the smallest majority]
    #[arg(long, value_name = "COUNT")]
    threshold: Option<usize>,
    /// Seconds from one list to the next; the same at all authorities [default: 600]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    interval: Option<u32>,
    /// Let nodes in whose address is not a public one: for a network on one machine or behind one
    /// router; the same at all authorities
    #[arg(long)]
    private_addresses: bool,
    /// Print the authority's public key, made where there is none, and end
    #[arg(long)]
    print_key: bool,
    /// What to log: error, warn, info, debug or trace, or by module such as warren_noded=debug
    #[arg(long, value_name = "FILTER", env = "WARREN_LOG", default_value = "info")]
    log: String,
}

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    data: Option<PathBuf>,
    listen: Option<SocketAddr>,
    others: Vec<String>,
    threshold: Option<usize>,
    interval: Option<u32>,
    private_addresses: bool,
}

impl File {
    fn read(path: &Path) -> Result<Self, CommandError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| CommandError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|error| CommandError::Setting {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    fn others(&self, path: Option<&Path>) -> Result<Vec<Other>, CommandError> {
        let read = |text: &String| {
            text.parse::<Other>().map_err(|error| CommandError::Setting {
                path: path.map(Path::to_owned).unwrap_or_default(),
                reason: format!("others: {error}"),
            })
        };
        self.others.iter().map(read).collect()
    }
}

impl Authority {
    /// Runs the authority to its end, or prints its key.
    ///
    /// # Errors
    /// Where it does not start; once it serves, it ends by a signal and without an error.
    pub(crate) fn execute(self) -> Result<(), CommandError> {
        let file = self.config.as_deref().map(File::read).transpose()?.unwrap_or_default();
        if self.print_key {
            let data = self.data.or(file.data).ok_or(CommandError::Missing("--data"))?;
            println!("{}", hex::encode(authority::public_key(&data)?.as_bytes()));
            return Ok(());
        }
        logging::start(&LogConfig { level: self.log.clone(), ..LogConfig::default() })?;
        let settings = self.settings(&file)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(settings))
    }

    fn settings(self, file: &File) -> Result<Settings, CommandError> {
        let others =
            if self.other.is_empty() { file.others(self.config.as_deref())? } else { self.other };
        let interval = match self.interval.or(file.interval) {
            Some(0) => return Err(CommandError::Missing("an interval of at least one second")),
            Some(seconds) => u64::from(seconds) * SECOND,
            None => Terms::default().interval,
        };
        let private_addresses = self.private_addresses || file.private_addresses;
        Ok(Settings {
            data: self.data.or_else(|| file.data.clone()).ok_or(CommandError::Missing("--data"))?,
            listen: self.listen.or(file.listen).ok_or(CommandError::Missing("--listen"))?,
            others,
            threshold: self.threshold.or(file.threshold),
            terms: Terms { interval, private_addresses, ..Terms::default() },
        })
    }
}

async fn serve(settings: Settings) -> Result<(), CommandError> {
    let mut stop = StopSignals::new()?;
    let authority = RunningAuthority::start(settings).await?;
    let name = stop.wait().await;
    tracing::info!(signal = name, "stopping");
    authority.stop().await;
    tracing::info!("stopped");
    Ok(())
}
