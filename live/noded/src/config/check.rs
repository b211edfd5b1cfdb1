//! Whether a node could run with a configuration on this machine: folders, keys, clock, ports, list.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpStream;
use tokio::time::timeout;
use warren_node::listing::Published;
use warren_store::location;
use warren_transport::Seed;
use warren_wire::Millis;
use warren_wire::limits::{DAY, SECOND};

use super::layers::Loaded;
use super::secret::redact;
use crate::disk;
use crate::identity::Identity;
use crate::{directory, listen};

/// A clock that shows less was never set: 1 January 2025.
const EARLIEST: Millis = 1_735_689_600_000;
/// How far the clocks of two machines may be apart: requests between nodes are refused beyond.
const MOST_SKEW: Millis = 10 * 60 * SECOND;
/// A node with less room soon takes no more mail.
const LITTLE_ROOM: u64 = 1024 * 1024 * 1024;
/// A node that may open fewer files turns clients away.
const FEW_CONNECTIONS: usize = 4_096;
/// How long another node may take to be reached.
const REACH: Duration = Duration::from_secs(3);
/// How long a database or an authority may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How many other nodes are tried.
const TRIED: usize = 5;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// The node would run, and something is worth a look.
    Warning,
    /// The node would not run, or not safely.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How grave.
    pub level: Level,
    /// Which key it is about.
    pub key: String,
    /// Where the key's value comes from.
    pub source: String,
    /// What was found, and what to do.
    pub text: String,
}

/// Collects findings about a configuration.
struct Findings<'a> {
    loaded: &'a Loaded,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, level: Level, key: &str, text: impl Into<String>) {
        let source = self.loaded.source(key).to_string();
        let text = redact(&text.into());
        self.found.push(Finding { level, key: key.to_owned(), source, text });
    }
}

/// Looks at everything that a node would need.
pub async fn check(loaded: &Loaded, now: Millis) -> Vec<Finding> {
    let mut findings = Findings { loaded, found: Vec::new() };
    for problem in loaded.config.problems() {
        findings.add(Level::Error, &problem.key, problem.text);
    }
    let identity = loaded.config.data.as_deref().and_then(|data| {
        check_folder(&mut findings, data);
        check_identity(&mut findings, data)
    });
    check_store(&mut findings).await;
    check_authority(&mut findings, now).await;
    let published = if loaded.config.follows() {
        check_kept_list(&mut findings, identity.as_ref())
    } else {
        check_list(&mut findings, identity.as_ref(), now)
    };
    check_clock(&mut findings, now);
    check_ports(&mut findings, identity.as_ref(), published.as_ref());
    check_open_files(&mut findings);
    if !loaded.config.files.store.is_empty() && !loaded.config.files.store.contains("://") {
        check_writable(&mut findings, "files.store", Path::new(&loaded.config.files.store));
    }
    if let Some(published) = &published {
        check_others(&mut findings, identity.as_ref(), published).await;
    }
    findings.found
}

fn check_folder(findings: &mut Findings<'_>, data: &Path) {
    match fs::metadata(data) {
        Err(error) => {
            let text = format!(
                "{} cannot be read ({error}): make it with `warren-node init`",
                data.display()
            );
            return findings.add(Level::Error, "data", text);
        }
        Ok(metadata) if !metadata.is_dir() => {
            return findings.add(Level::Error, "data", format!("{} is no folder", data.display()));
        }
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
            let text = format!("others may look into it: chmod 700 {}", data.display());
            findings.add(Level::Warning, "data", text);
        }
        Ok(_) => {}
    }
    match tempfile::NamedTempFile::new_in(data) {
        Ok(_) => findings.add(Level::Ok, "data", "the folder can be written"),
        Err(error) => {
            let text = format!("{} cannot be written: {error}", data.display());
            findings.add(Level::Error, "data", text);
        }
    }
    match disk::free(data) {
        Ok(free) if free < LITTLE_ROOM => {
            let text = format!("{} MiB are free on its disk: make room", free / 1024 / 1024);
            findings.add(Level::Warning, "data", text);
        }
        Ok(free) => {
            let text = format!("{} MiB are free on its disk", free / 1024 / 1024);
            findings.add(Level::Ok, "data", text);
        }
        Err(error) => findings.add(Level::Warning, "data", format!("its disk: {error}")),
    }
}

fn check_identity(findings: &mut Findings<'_>, data: &Path) -> Option<Identity> {
    let file = data.join("identity.json");
    match Identity::load(data) {
        Ok(Some(identity)) => {
            let mode = fs::metadata(&file).map_or(0o600, |it| it.permissions().mode() & 0o777);
            if mode & 0o077 == 0 {
                findings.add(Level::Ok, "data", format!("the node is {}", identity.id()));
            } else {
                let text = format!(
                    "others may read the node's keys (mode {mode:o}): chmod 600 {}",
                    file.display()
                );
                findings.add(Level::Error, "data", text);
            }
            Some(identity)
        }
        Ok(None) => {
            let text = format!("{} holds no keys: run `warren-node init`", data.display());
            findings.add(Level::Error, "data", text);
            None
        }
        Err(error) => {
            findings.add(Level::Error, "data", error.to_string());
            None
        }
    }
}

async fn check_store(findings: &mut Findings<'_>) {
    let config = &findings.loaded.config;
    let key = if config.store.url_file.is_some() { "store.url_file" } else { "store.url" };
    let url = match config.store_url() {
        Ok(Some(url)) => url,
        Ok(None) => return,
        Err(error) => {
            return findings.add(Level::Error, key, format!("cannot be read: {error}"));
        }
    };
    findings.add(Level::Ok, key, "the store's address can be read");
    if !location::is_database(url.expose()) {
        return check_writable(findings, key, Path::new(url.expose()));
    }
    match timeout(ANSWER, location::reach(url.expose())).await {
        Ok(Ok(())) => findings.add(Level::Ok, key, "the database answers and takes writes"),
        Ok(Err(error)) => {
            findings.add(Level::Warning, key, redact(&error.to_string()));
        }
        Err(_) => {
            let text = format!("the database does not answer within {} s", ANSWER.as_secs());
            findings.add(Level::Warning, key, text);
        }
    }
}

/// Whether a folder beside the node's own can be written, or made where there is none.
fn check_writable(findings: &mut Findings<'_>, key: &str, folder: &Path) {
    let Some(existing) = folder.ancestors().find(|it| it.exists()) else { return };
    if let Err(error) = tempfile::NamedTempFile::new_in(existing) {
        let text = format!("{} cannot be written: {error}", existing.display());
        findings.add(Level::Error, key, text);
    }
}

/// Whether those that the node would follow have a list for it: all are asked at once.
async fn check_authority(findings: &mut Findings<'_>, now: Millis) {
    let seed = findings.loaded.config.list.authority.as_deref().map(str::parse::<Seed>);
    let Some(Ok(seed)) = seed else { return };
    let ask = |url: &str| {
        let one = Seed::new(&[url], seed.keys().clone());
        async move {
            let list = timeout(ANSWER, one.map_err(|it| it.to_string())?.fetch(None, now)).await;
            let list = list.map_err(|_| format!("no answer within {} s", ANSWER.as_secs()))?;
            list.map(|(list, _)| list.nodes.nodes().len()).map_err(|error| error.to_string())
        }
    };
    let asked = seed.urls().iter().map(|url| ask(url.as_str()));
    let answers = futures_util::future::join_all(asked).await;
    let (key, mut having) = ("list.authority", 0);
    for (url, answer) in seed.urls().iter().zip(&answers) {
        match answer {
            Ok(_) => having += 1,
            Err(reason) => {
                findings.add(Level::Warning, key, redact(&format!("{url}: {reason}")));
            }
        }
    }
    let all = answers.len();
    let text = format!("{having} of {all} authorities have a list that enough keys signed");
    findings.add(if having == 0 { Level::Warning } else { Level::Ok }, key, text);
}

/// A node that follows a directory brings its list itself: only what it kept of an earlier run is
/// here, and its absence keeps no node from running.
fn check_kept_list(findings: &mut Findings<'_>, identity: Option<&Identity>) -> Option<Published> {
    let config = &findings.loaded.config;
    let key = "data";
    let seed = config.list.authority.as_deref().and_then(|text| text.parse::<Seed>().ok());
    let file = config.data.as_deref()?.join(directory::KEPT_LIST);
    if !file.exists() {
        findings.add(Level::Ok, key, "no list is kept yet: the node asks for one when it runs");
        return None;
    }
    match directory::load_list(&file, seed.as_ref().map(Seed::keys)) {
        Ok(published) => {
            let own = identity.is_some_and(|it| published.list.get(&it.id()).is_some());
            let named = if own { "names this node" } else { "does not name this node" };
            let (file, nodes) = (file.display(), published.list.nodes().len());
            let text = format!("the list in {file} {named}, and {nodes} in all");
            findings.add(Level::Ok, key, text);
            Some(published)
        }
        Err(error) => {
            let text = format!("the list of an earlier run is not used: {error}");
            findings.add(Level::Warning, key, text);
            None
        }
    }
}

fn check_list(
    findings: &mut Findings<'_>,
    identity: Option<&Identity>,
    now: Millis,
) -> Option<Published> {
    let config = &findings.loaded.config;
    let file = config.list.file.clone()?;
    let keys = config.directory_keys().ok()?;
    if keys.is_none() {
        let text = "the list is believed whoever signed it: pin the directory's key";
        findings.add(Level::Warning, "list.directory_key", text);
    }
    let published = match directory::load_list(&file, keys.as_ref()) {
        Ok(published) => published,
        Err(error) => {
            findings.add(Level::Error, "list.file", error.to_string());
            return None;
        }
    };
    let times = published.header.as_ref().map(|header| header.times);
    if let Some(times) = times
        && times.valid_until < now
    {
        findings.add(Level::Warning, "list.file", "the list has expired: get a newer one");
    }
    if let Some(times) = times
        && times.valid_after > now + MOST_SKEW
    {
        let text = "the list was made in what this clock calls the future: set the clock";
        findings.add(Level::Error, "list.file", text);
    }
    let listed = identity.and_then(|identity| published.list.get(&identity.id()));
    match (identity, listed) {
        (Some(_), None) => {
            let text = "does not name this node: give its record to whoever signs the list";
            findings.add(Level::Error, "list.file", text);
        }
        (Some(_), Some(record)) => {
            let text = format!("names this node, and {} in all", published.list.nodes().len());
            findings.add(Level::Ok, "list.file", text);
            let address = record.address();
            if config.advertise.is_some_and(|advertised| SocketAddr::from(advertised) != address) {
                let text = format!("the list has this node at {address}: announce it anew");
                findings.add(Level::Warning, "advertise", text);
            }
        }
        (None, _) => {}
    }
    Some(published)
}

fn check_clock(findings: &mut Findings<'_>, now: Millis) {
    if now < EARLIEST {
        findings.add(Level::Error, "", "the clock was never set: start a time service");
        return;
    }
    let build = EARLIEST + 50 * 365 * DAY;
    if now > build {
        findings.add(Level::Error, "", "the clock is decades ahead: start a time service");
    } else {
        findings.add(Level::Ok, "", "the clock is plausible; keep a time service running");
    }
}

fn check_ports(
    findings: &mut Findings<'_>,
    identity: Option<&Identity>,
    published: Option<&Published>,
) {
    let config = &findings.loaded.config;
    let listed = identity.zip(published).and_then(|(identity, published)| {
        published.list.get(&identity.id()).map(|record| record.address())
    });
    let announced = config.advertise.filter(|_| config.follows()).map(SocketAddr::from);
    let ports = [
        ("listen", config.listen.or(announced).or(listed)),
        ("list.own_authority", config.list.own_authority),
        ("seed.listen", config.seed.listen),
        ("metrics.listen", config.metrics.listen),
    ];
    for (key, address) in ports {
        let Some(address) = address else { continue };
        match TcpListener::bind(address) {
            Ok(_) => findings.add(Level::Ok, key, format!("{address} is free")),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                let text = format!("{address} is in use: by this node, if it runs, or another");
                findings.add(Level::Warning, key, text);
            }
            Err(error) => {
                findings.add(Level::Error, key, format!("cannot listen on {address}: {error}"));
            }
        }
    }
}

fn check_open_files(findings: &mut Findings<'_>) {
    let connections = listen::most_connections(usize::MAX);
    if connections < FEW_CONNECTIONS {
        let text = format!(
            "here, open files are limited so that {connections} connections fit: the service of \
             the package may have more; elsewhere raise LimitNOFILE"
        );
        findings.add(Level::Warning, "limits.connections", text);
    }
}

async fn check_others(
    findings: &mut Findings<'_>,
    identity: Option<&Identity>,
    published: &Published,
) {
    let own = identity.map(Identity::id);
    let others = published.list.nodes().iter().filter(|node| Some(node.id) != own).take(TRIED);
    let addresses: Vec<SocketAddr> = others.map(|node| node.address()).collect();
    let tries = addresses.iter().map(|address| timeout(REACH, TcpStream::connect(address)));
    let tries = futures_util::future::join_all(tries).await;
    let reached = tries.iter().filter(|it| matches!(it, Ok(Ok(_)))).count();
    let text = format!("{reached} of {} other nodes of the list were reached", addresses.len());
    let level = if reached == 0 && !addresses.is_empty() { Level::Warning } else { Level::Ok };
    findings.add(level, "list.file", text);
}
