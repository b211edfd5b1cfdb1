//! `warren-node init`: keys and certificate of a node, and its record for a list.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::Args;
use warren_noded::Identity;
use warren_wire::SwarmId;
use warren_wire::directory::{NodeJson, NodeRecord, Roles};
use warren_wire::swarm::INVALID_SWARM;

use super::CommandError;

/// Makes a node's keys and certificate and prints its record as JSON.
///
/// Run again on the same folder, it keeps the keys and prints the record anew, for a node that
/// moves to another address or swarm or begins to keep files. The folder holds the node's secrets: only its owner can
/// read them, and a copy of identity.json is a copy of the node.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Folder for the node's keys and mail
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// IPv4 address at which clients and other nodes reach the node
    #[arg(long)]
    ip: Ipv4Addr,
    /// Port of its HTTPS
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Swarm the node keeps mail for, where no authority says so: a number, decimal or with 0x;
    /// nodes with the same number keep the same mail
    #[arg(long, value_name = "ID", value_parser = read_swarm, default_value = "0")]
    swarm: SwarmId,
    /// Say in the record that the node keeps files, as one with [files] in its configuration does:
    /// clients look there for it
    #[arg(long)]
    files: bool,
    /// Print the record on one line and nothing else
    #[arg(long)]
    json: bool,
}

fn read_swarm(text: &str) -> Result<SwarmId, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    match number.map(SwarmId) {
        Ok(INVALID_SWARM) => Err("this number stands for no swarm".to_owned()),
        Ok(swarm) => Ok(swarm),
        Err(error) => Err(error.to_string()),
    }
}

impl Init {
    /// Prints the record on stdout, the hint what to do with it on stderr.
    ///
    /// # Errors
    /// Where the identity can neither be read nor made.
    pub(crate) fn execute(self) -> Result<(), CommandError> {
        let identity = Identity::load_or_create(&self.data)?;
        let record = identity.record(self.ip, self.port, self.swarm);
        let record = NodeRecord { roles: Roles { files: self.files }, ..record };
        let record = NodeJson::from(&record);
        if self.json {
            println!("{}", serde_json::json!(record));
        } else {
            println!("{:#}", serde_json::json!(record));
            eprintln!(
                "The node's keys are in {}. `warren-node run --authority` announces it to a \
                 directory; without one, put the record above into a file and give it to \
                 `warren-node sign-list`.",
                self.data.display()
            );
        }
        Ok(())
    }
}
