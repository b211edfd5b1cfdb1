//! `warren-node sign-list`: the signed list of all nodes of a network.

use std::path::{Path, PathBuf};

use clap::Args;
use warren_noded::directory::{self, DirectoryError};
use warren_noded::node::now;
use warren_wire::directory::{NodeJson, NodeList, NodeRecord, UnverifiedList};

use super::{CommandError, RecordError};

/// Signs the list of a network's nodes with the directory's key.
///
/// Prints the key's public half: what clients and nodes pin. Nodes read the list when they start,
/// so give the new list to every node and restart them one after the other.
#[derive(Debug, Args)]
pub(crate) struct SignList {
    /// File with the directory's secret key; made where there is none
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// File to write the signed list to
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Records as `warren-node init` prints them, one to a file
    #[arg(required = true, value_name = "RECORD.json")]
    records: Vec<PathBuf>,
}

impl SignList {
    /// Writes the list and prints the public key.
    ///
    /// # Errors
    /// Where a record is none, two are of one node, or a file cannot be read or written.
    pub(crate) fn execute(self) -> Result<(), CommandError> {
        let records = self.records.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
        let list = NodeList::new(records)?;
        let key = directory::load_or_create_key(&self.key)?;
        let signed =
            UnverifiedList::sign(&list, now(), &key).map_err(|_| DirectoryError::DamagedKey)?;
        directory::save_list(&self.out, &signed)?;
        println!("{}", hex::encode(key.verifying_key().as_bytes()));
        Ok(())
    }
}

fn read(path: &Path) -> Result<NodeRecord, CommandError> {
    let text = std::fs::read(path)
        .map_err(|source| CommandError::Read { path: path.to_owned(), source })?;
    parse(&text).map_err(|source| CommandError::NoRecord { path: path.to_owned(), source })
}

fn parse(text: &[u8]) -> Result<NodeRecord, RecordError> {
    let record: NodeJson = serde_json::from_slice(text)?;
    NodeRecord::try_from(record).map_err(|_| RecordError::Field)
}
