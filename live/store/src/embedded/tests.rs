//! Behaviours of the embedded engine that no other engine need have.

use proptest::prelude::*;
use warren_wire::Millis;

use super::*;
use crate::conformance::model::{Model, Operation, drawers, operations, stores};
use crate::embedded::stage::Stage;

const NOW: Millis = 1_700_000_000_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn writes_of_one_batch_see_each_other(
        batches in proptest::collection::vec(operations(24), 1..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let tables = folder::open(folder.path()).unwrap();
        let mut model = Model::default();
        let mut now = NOW;
        for batch in batches {
            let mut stage = Stage::new(&tables, tables.state().unwrap());
            prop_assert_eq!(stage.sweep(0, now, usize::MAX).unwrap().removed, model.expire(now));
            for operation in batch {
                match operation {
                    Operation::Store(new) => {
                        prop_assert_eq!(stage.store(&new, now), Ok(model.store(&new, now)));
                    }
                    Operation::Delete(owner, hashes) => {
                        let gone = model.delete(owner, &hashes);
                        prop_assert_eq!(stage.delete(owner, &hashes), Ok(gone));
                    }
                    Operation::Wait(time) => now += time,
                    Operation::Retrieve(_) | Operation::Expire | Operation::Reopen => {}
                }
            }
            prop_assert_eq!(stage.commit().unwrap().messages, model.len());
            for query in drawers() {
                let page = reader::retrieve(&tables, &query, now);
                prop_assert_eq!(page, Ok(model.retrieve(&query, now)));
            }
        }
        // Nothing is left behind in any keyspace.
        let all = Millis::MAX - 1;
        let mut stage = Stage::new(&tables, tables.state().unwrap());
        stage.sweep(0, all, usize::MAX).unwrap();
        prop_assert_eq!(stage.commit().unwrap().messages, 0);
        for keyspace in [&tables.messages, &tables.hashes, &tables.expiries] {
            prop_assert_eq!(keyspace.iter().count(), 0);
        }
    }

    #[test]
    fn a_batch_that_is_not_committed_leaves_nothing(
        news in proptest::collection::vec(stores(), 1..20),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let tables = folder::open(folder.path()).unwrap();
        let mut stage = Stage::new(&tables, tables.state().unwrap());
        for new in &news {
            stage.store(new, NOW).unwrap();
        }
        drop(stage);
        prop_assert_eq!(tables.state().unwrap().messages, 0);
        for query in drawers() {
            prop_assert_eq!(reader::retrieve(&tables, &query, 0), Ok(Page::default()));
        }
    }
}

#[tokio::test]
async fn without_the_reserve_nothing_is_stored_but_room_can_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let new = NewMessage {
        owner: drawers().next().unwrap().owner,
        namespace: warren_wire::Namespace::DIRECT,
        hash: MessageHash::from_bytes([1; 32]),
        timestamp: NOW,
        expiry: NOW + 10,
        data: vec![1],
        replaces_all: false,
    };
    let store = EmbeddedStore::open(folder.path(), Options { reserve: 0 }).unwrap();
    store.store(new.clone(), NOW).await.unwrap();
    drop(store);
    let store = EmbeddedStore::open(folder.path(), Options { reserve: u64::MAX }).unwrap();
    let other = NewMessage { hash: MessageHash::from_bytes([2; 32]), ..new.clone() };
    assert_eq!(store.store(other, NOW).await, Err(StoreError::Full));
    assert_eq!(store.delete(new.owner, vec![new.hash]).await, Ok(vec![new.hash]));
    assert_eq!(store.expire(NOW + 10).await, Ok(0));
}
