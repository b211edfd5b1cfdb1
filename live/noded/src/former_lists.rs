//! The lists that a node went by before, on disk: they say who kept the mail that it still gathers.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use warren_node::Placement;
use warren_node::listing::Published;
use warren_wire::directory::{DirectoryKeys, ListError, UnverifiedList};
use warren_wire::{Millis, NodeId};

use crate::directory::DirectoryError;
use crate::private_file;
use crate::swarm::member::{FormerList, MOST_FORMERS};

/// A list as it is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    replaced: Millis,
    signed: UnverifiedList,
}

/// Where the former lists lie: beside the newest one.
pub fn file_beside(list: &Path) -> PathBuf {
    list.with_extension("former.json")
}

fn read(path: &Path) -> Result<Vec<Written>, DirectoryError> {
    let text = private_file::read(path)
        .map_err(|error| DirectoryError::Io(path.display().to_string(), error))?;
    let Some(text) = text else { return Ok(Vec::new()) };
    Ok(serde_json::from_slice(&text).map_err(|_| ListError::Malformed)?)
}

/// The lists before the newest, the last one last; none where there is no file.
///
/// # Errors
/// Where the file cannot be read, is malformed, or holds what these keys have not signed.
pub fn load(path: &Path, keys: &DirectoryKeys) -> Result<Vec<FormerList>, DirectoryError> {
    let verify = |written: Written| {
        let list = written.signed.verify(keys)?.nodes;
        Ok(FormerList { list, replaced: written.replaced })
    };
    read(path)?.into_iter().map(verify).collect()
}

/// Writes down that a list is replaced by another, if the node keeps other mail by that, or with
/// others.
///
/// # Errors
/// Where the disk fails.
pub fn add(
    path: &Path,
    own: NodeId,
    before: &Published,
    after: &Placement,
    now: Millis,
) -> Result<(), DirectoryError> {
    let Some(signed) = before.signed.clone() else { return Ok(()) };
    if Placement::new(own, before.list.clone()).keeps_as(after) {
        return Ok(());
    }
    let mut all = read(path).unwrap_or_else(|error| {
        tracing::warn!(%error, "former lists of earlier runs are forgotten");
        Vec::new()
    });
    all.push(Written { replaced: now, signed });
    all.drain(..all.len().saturating_sub(MOST_FORMERS));
    let text = serde_json::to_vec(&all).map_err(|_| ListError::Malformed)?;
    private_file::write(path, &text)
        .map_err(|error| DirectoryError::Io(path.display().to_string(), error))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use warren_crypto::ed25519::SigningKey;
    use warren_crypto::{Secret, x25519};
    use warren_wire::SwarmId;
    use warren_wire::directory::{ListBody, ListTimes, NodeList, NodeRecord, Roles};

    use super::*;

    fn key(number: u8) -> SigningKey {
        SigningKey::from_seed(Secret::take(&mut [number; 32])).unwrap()
    }

    fn list(swarm: u64) -> NodeList {
        NodeList::new(vec![NodeRecord {
            id: NodeId::from_bytes([1; 32]),
            x25519: x25519::PublicKey::from_bytes([1; 32]),
            ip: Ipv4Addr::LOCALHOST,
            port: 1,
            swarm: SwarmId(swarm),
            certificate: None,
            roles: Roles::default(),
        }])
        .unwrap()
    }

    #[test]
    fn the_last_lists_are_there_after_a_restart_with_when_they_were_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = file_beside(&folder.path().join("nodes.json"));
        let keys = DirectoryKeys::single(key(9).verifying_key());
        assert!(load(&file, &keys).unwrap().is_empty());
        let own = NodeId::from_bytes([1; 32]);
        let times = ListTimes { valid_after: 1, fresh_until: 2, valid_until: 3 };
        let published = |swarm: u64| {
            let signed = ListBody::new(1, times, None, list(swarm).nodes());
            let signed = UnverifiedList::sign(&signed, &key(9)).unwrap();
            Published::new(signed.verify(&keys).unwrap(), signed)
        };
        // In a list of one swarm that keeps everything its name changes nothing.
        let alone = Placement::new(own, Arc::new(list(8)));
        add(&file, own, &published(7), &alone, 5).unwrap();
        assert!(load(&file, &keys).unwrap().is_empty());
        let unlisted = Placement::new(own, Arc::default());
        for now in 0..12 {
            add(&file, own, &published(now), &unlisted, now).unwrap();
        }
        let formers = load(&file, &keys).unwrap();
        assert_eq!(formers.len(), MOST_FORMERS);
        assert_eq!((formers[7].replaced, &*formers[7].list), (11, &list(11)));
        let others = DirectoryKeys::single(key(8).verifying_key());
        assert!(load(&file, &others).is_err());
    }
}
