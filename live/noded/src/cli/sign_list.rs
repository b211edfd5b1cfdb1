//! `warren-node sign-list`: the signed list of all nodes of a network.

use std::path::{Path, PathBuf};

use clap::Args;
use warren_noded::directory;
use warren_noded::node::now;
use warren_wire::Millis;
use warren_wire::directory::{ListBody, ListTimes, NodeJson, NodeList, NodeRecord, UnverifiedList};
use warren_wire::limits::{DAY, SECOND};

use super::{CommandError, RecordError};

/// After so long clients look for a newer list.
const FRESH: Millis = 2 * 60 * 60 * SECOND;

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
    /// Days until the list expires: sign a new one before
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3650))]
    valid_days: u16,
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
        let signed = UnverifiedList::sign(&self.body(&list), &key)?;
        directory::save_list(&self.out, &signed)?;
        println!("{}", hex::encode(key.verifying_key().as_bytes()));
        Ok(())
    }

    /// The list, one number after the one it replaces, so that whoever saw that one takes this one.
    fn body(&self, list: &NodeList) -> ListBody {
        let before = directory::load_list(&self.out, None).ok().and_then(|before| before.header);
        let at_least = before.map_or(0, |before| before.sequence.saturating_add(1));
        let now = now();
        let times = ListTimes::starting(now, FRESH, u64::from(self.valid_days) * DAY);
        let sequence = at_least.max(now / SECOND);
        ListBody::new(sequence, times, before.map(|before| before.hash), list.nodes())
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
