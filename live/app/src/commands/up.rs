//! `warren up`: a complete local network, until Ctrl-C.

use std::env;
use std::io;
use std::path::Path;

use serde_json::{Value, json};
use warren_noded::directory::DirectoryError;
use warren_noded::local_network::{NetworkError, Plan};
use warren_noded::{LocalNetwork, NodeError};
use warren_store::StoreError;

use crate::api::network::Hop;
use crate::cli::UpArgs;
use crate::failure::{Exit, Failure};
use crate::start::{Start, data_folder};
use crate::stop::Stop;
use crate::wording::{count, node_json, node_line};

/// Carries the command out.
///
/// # Errors
/// Where a port or the folder is not to be had.
pub async fn run(start: &Start, args: &UpArgs) -> Result<Exit, Failure> {
    let data = match &args.data {
        Some(data) => data.clone(),
        None => data_folder()?.join("local-network"),
    };
    let plan = Plan {
        nodes: args.nodes,
        data: data.clone(),
        seed_port: args.seed_port,
        node_port: args.node_port,
    };
    // A signal during the start must find someone who stops what runs already.
    let mut stop = Stop::listen().map_err(Failure::Terminal)?;
    start.output.text(format!("Starting {} ...", count(args.nodes, "node")))?;
    let network = LocalNetwork::start(&plan).await.map_err(start_failure)?;
    let announced = announce(start, &network, &data);
    if announced.is_ok() {
        stop.asked().await;
        // Whoever read the output may be gone by now.
        let _ = start.output.text("\nStopping ...");
    }
    tokio::select! {
        () = network.stop() => {}
        // Asked twice: what the nodes acknowledged is on the disk anyway.
        () = stop.asked() => return Ok(Exit::Interrupted),
    }
    announced?;
    let said = start.output.text(format!(
        "Stopped. The nodes' keys and mail are in {}; `warren up` goes on with them.",
        data.display()
    ));
    // It stopped cleanly, whether anybody hears it or not.
    drop(said);
    Ok(Exit::Done)
}

fn announce(start: &Start, network: &LocalNetwork, data: &Path) -> Result<(), Failure> {
    let records = records(network);
    let numbered = || (1..).zip(&records);
    let seed = network.seed();
    let key = seed.split_once('#').map_or("", |(_, key)| key);
    let nodes: Vec<Value> = numbered().map(|(number, node)| node_json(number, node)).collect();
    let value = json!({
        "seed": seed,
        "seed_url": network.seed_url(),
        "directory_key": key,
        "nodes": nodes,
        "data": data.display().to_string(),
    });
    let lines: Vec<String> = numbered().map(|(number, node)| node_line(number, node, "")).collect();
    let text = format!(
        "\n{}\n\nThe network is up, on this machine alone. Its mail is kept in {}.\n\n\
         Paste this in another terminal:\n\n{}\n\nCtrl-C stops the network.",
        lines.join("\n"),
        data.display(),
        lines_to_paste(&seed),
    );
    start.output.result(&value, text)
}

fn records(network: &LocalNetwork) -> Vec<Hop> {
    let ids = network.nodes().iter().map(|running| running.node());
    ids.filter_map(|node| node.placement().list().get(&node.identity.id()).map(Hop::from)).collect()
}

fn lines_to_paste(seed: &str) -> String {
    let alias = match env::current_exe() {
        Ok(program) if !is_on_path(&program) => format!("  alias warren={}\n", quoted(&program)),
        _ => String::new(),
    };
    format!(
        "{alias}  export WARREN_SEED='{seed}'\n\
         \x20 export WARREN_PASSPHRASE='only for trying this out'\n\
         \x20 warren account create --name alice\n\
         \x20 warren account create --name bob\n\
         \x20 warren --account alice send \"$(warren --account bob account show --id)\" Hello Bob\n\
         \x20 warren --account bob read"
    )
}

/// Whether typing `warren` starts this very program.
fn is_on_path(program: &Path) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    let name = program.file_name().unwrap_or_default();
    let found = env::split_paths(&folders).map(|folder| folder.join(name)).find(|at| at.is_file());
    let real = |path: &Path| path.canonicalize().ok();
    name == "warren" && found.is_some_and(|found| real(&found) == real(program))
}

/// For a POSIX shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// A port that is taken is the likeliest mishap, and its remedy depends on whose port it is.
fn start_failure(error: NetworkError) -> Failure {
    let taken = |error: &io::Error| error.kind() == io::ErrorKind::AddrInUse;
    match error {
        NetworkError::Node(NodeError::Listen(address, error)) if taken(&error) => {
            Failure::PortTaken { address: address.to_string(), option: "--node-port" }
        }
        NetworkError::Directory(DirectoryError::Listen(address, error)) if taken(&error) => {
            Failure::PortTaken { address: address.to_string(), option: "--seed-port" }
        }
        NetworkError::Node(NodeError::Store(StoreError::InUse)) => Failure::DataInUse,
        NetworkError::Folder(path, error) => Failure::Path { path, error },
        other => Failure::Network(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_told_with_the_option_that_changes_it() {
        let address = "127.0.0.1:22023".parse().unwrap();
        let in_use = || io::Error::from(io::ErrorKind::AddrInUse);
        let seed = start_failure(DirectoryError::Listen(address, in_use()).into());
        assert!(seed.to_string().contains("--seed-port"), "{seed}");
        let node = start_failure(NodeError::Listen(address, in_use()).into());
        assert!(node.to_string().contains("--node-port"), "{node}");
        assert!(node.to_string().contains("127.0.0.1:22023"), "{node}");
    }

    #[test]
    fn a_path_with_an_apostrophe_can_be_pasted() {
        assert_eq!(quoted(Path::new("/it's")), r"'/it'\''s'");
    }
}
