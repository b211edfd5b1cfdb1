//! Reading the first format of the embedded engine into the present one.
//!
//! That one had messages under the same keys, with other values (hash 32, timestamp 8, expiry 8,
//! data), and neither stamps nor orders. A message's stamp becomes that of its timestamp, so
//! that members who upgrade by themselves agree.

use fjall::{Database, KeyspaceCreateOptions};
use warren_wire::record::MessageRecord;
use warren_wire::{Millis, Stamp};

use super::bytes::{BadBytes, Reader};
use super::keys::MessageKey;
use super::stage::{Progress, Stage};
use super::tables::Tables;
use super::values::State;
use crate::StoreError;

/// How many messages go in one batch.
const BATCH: usize = 1_024;

/// Copies all messages from a database of the first format into an empty one.
pub(super) fn copy(old: &Database, new: &Database) -> Result<(), StoreError> {
    let tables = Tables::create(new, State::default())?;
    // By order of arrival, which the keys give within a drawer only.
    let messages = old.keyspace("messages", KeyspaceCreateOptions::default)?;
    let mut keys = Vec::new();
    for item in messages.iter() {
        keys.push(MessageKey::decode(&item.key()?)?);
    }
    keys.sort_unstable_by_key(|key| key.sequence);
    let mut progress = Progress::default();
    for batch in keys.chunks(BATCH) {
        let mut stage = Stage::new(&tables, progress);
        for key in batch {
            let bytes = messages.get(key.encode())?;
            let bytes = bytes.ok_or(BadBytes("the first format"))?;
            stage.store(&decode(key, &bytes)?, Millis::MIN)?;
        }
        progress = stage.commit()?;
    }
    Ok(())
}

fn decode(key: &MessageKey, bytes: &[u8]) -> Result<MessageRecord, BadBytes> {
    let mut reader = Reader::new(bytes, "a message of the first format");
    let (hash, timestamp, expiry) = (reader.hash()?, reader.number()?, reader.number()?);
    Ok(MessageRecord {
        owner: key.owner,
        namespace: key.namespace,
        hash,
        timestamp,
        expiry,
        stored: Stamp::at(timestamp),
        data: reader.rest().to_vec(),
        proof: None,
    })
}

#[cfg(test)]
mod tests {
    use fjall::PersistMode;
    use warren_wire::{AccountId, MessageHash, Namespace};

    use super::*;
    use crate::embedded::keys::FORMAT_KEY;
    use crate::{EmbeddedStore, MailStore, Options, Query};

    /// Writes a database as the first format had it.
    fn write_first_format(folder: &std::path::Path, owner: AccountId) {
        let database = Database::builder(folder.join("mail")).open().unwrap();
        let keyspace = |name| database.keyspace(name, KeyspaceCreateOptions::default).unwrap();
        let (messages, meta) = (keyspace("messages"), keyspace("meta"));
        for (sequence, namespace) in [(3, 0), (4, 5), (7, 0)] {
            let n = u8::try_from(sequence).unwrap();
            let key = MessageKey { owner, namespace: Namespace::new(namespace), sequence };
            let numbers = [100 + sequence, 1_000 + sequence].map(u64::to_be_bytes).concat();
            let value = [[n; 32].as_slice(), &numbers, b"data"].concat();
            messages.insert(key.encode(), value).unwrap();
        }
        meta.insert(FORMAT_KEY, 1_u32.to_be_bytes()).unwrap();
        meta.insert("state", [8_u64, 3].map(u64::to_be_bytes).concat()).unwrap();
        database.persist(PersistMode::SyncAll).unwrap();
    }

    #[tokio::test]
    async fn a_store_of_the_first_format_is_read_into_the_present_one() {
        let folder = tempfile::tempdir().unwrap();
        let owner = AccountId::from_bytes(&[5; 33]).unwrap();
        write_first_format(folder.path(), owner);
        for _ in 0..2 {
            let store = EmbeddedStore::open(folder.path(), Options { reserve: 0 }).unwrap();
            assert_eq!(store.counts().await.unwrap().messages, 3);
            let query = Query {
                owner,
                namespace: Namespace::DIRECT,
                after: None,
                max_count: None,
                max_size: usize::MAX,
                newest_first: false,
            };
            let page = store.retrieve(query, 0).await.unwrap();
            let found: Vec<_> =
                page.messages.iter().map(|m| (m.hash, m.timestamp, m.expiry)).collect();
            let message = |n: u8| {
                let sequence = u64::from(n);
                (MessageHash::from_bytes([n; 32]), 100 + sequence, 1_000 + sequence)
            };
            assert_eq!(found, [message(3), message(7)]);
            let items = store.items(warren_wire::record::Positions::ALL, 0).await.unwrap();
            let stamps: Vec<_> = items.iter().map(|item| item.stamp).collect();
            assert_eq!(stamps, [103, 104, 107].map(Stamp::at));
            assert!(!folder.path().join("mail.old").exists());
        }
    }

    #[tokio::test]
    async fn an_upgrade_that_stopped_between_its_renames_is_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        write_first_format(folder.path(), AccountId::from_bytes(&[5; 33]).unwrap());
        std::fs::rename(folder.path().join("mail"), folder.path().join("mail.old")).unwrap();
        let store = EmbeddedStore::open(folder.path(), Options { reserve: 0 }).unwrap();
        assert_eq!(store.counts().await.unwrap().messages, 3);
    }
}
