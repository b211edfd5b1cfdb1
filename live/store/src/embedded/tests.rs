//! Behaviours of the embedded engine that no other engine need have.

use proptest::prelude::*;
use warren_wire::record::{Change, Drawers};
use warren_wire::{Millis, Namespace, Stamp, swarm};

use super::*;
use crate::MemoryStore;
use crate::conformance::agreement::{Operation, operations};
use crate::embedded::stage::Progress;
use crate::embedded::tables::Space;

const NOW: Millis = 1_700_000_000_000;

fn opened(folder: &Path) -> Tables {
    folder::open(folder).unwrap().1
}

fn wait<T>(future: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Does the same in a batch and to the plain engine.
fn does_the_same(
    operation: Operation,
    stage: &mut Stage<'_>,
    model: &MemoryStore,
    now: &mut Millis,
) -> Result<(), TestCaseError> {
    match operation {
        Operation::Store(message) => {
            let expected = wait(model.store(message.clone(), *now));
            prop_assert_eq!(stage.store(&message, *now), expected);
        }
        Operation::Apply(order) => {
            let expected = wait(model.apply(order.clone(), *now));
            prop_assert_eq!(stage.apply(order, *now), expected);
        }
        Operation::Merge(records) => {
            let expected = wait(model.merge(records.clone(), *now));
            let merged = orders_first(records, |record| match record {
                Record::Message(message) => stage.merge_message(&message, *now),
                Record::Order(order) => stage.merge_order(order, *now),
            });
            prop_assert_eq!(merged, expected);
        }
        Operation::Expire => {
            let swept = stage.sweep(*now, usize::MAX).unwrap();
            prop_assert_eq!(Ok(swept.messages), wait(model.expire(*now)));
        }
        Operation::Drop(owner) => {
            let position = swarm::position(&owner);
            let here = Positions { first: position, last: position };
            let swept = stage.drop_positions(here, usize::MAX).unwrap();
            let dropped = u64::try_from(swept.messages + swept.orders).unwrap();
            prop_assert_eq!(Ok(dropped), wait(model.drop_positions(here)));
        }
        Operation::Wait(time) => *now += time,
        _ => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn writes_of_one_batch_see_each_other(
        batches in proptest::collection::vec(operations(24), 1..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let tables = opened(folder.path());
        let model = MemoryStore::default();
        let mut progress = Progress::default();
        let mut now = NOW;
        for batch in batches {
            let mut stage = Stage::new(&tables, progress);
            for operation in batch {
                does_the_same(operation, &mut stage, &model, &mut now)?;
            }
            progress = stage.commit().unwrap();
            let counts = wait(model.counts()).unwrap();
            prop_assert_eq!((progress.state.messages, progress.state.orders),
                (counts.messages, counts.orders));
            let items = View::of(&tables).items(Positions::ALL, usize::MAX, now);
            prop_assert_eq!(items, wait(model.items(Positions::ALL, now)));
        }
        // Nothing is left behind in any keyspace.
        let mut stage = Stage::new(&tables, progress);
        stage.drop_positions(Positions::ALL, usize::MAX).unwrap();
        let state = stage.commit().unwrap().state;
        prop_assert_eq!((state.messages, state.orders), (0, 0));
        for space in Space::ALL {
            prop_assert_eq!(tables.space(space).iter().count(), 0, "{:?}", space);
        }
    }

    #[test]
    fn work_that_fails_leaves_nothing(operations in operations(30)) {
        let folder = tempfile::tempdir().unwrap();
        let tables = opened(folder.path());
        let model = MemoryStore::default();
        let mut now = NOW;
        let mut stage = Stage::new(&tables, Progress::default());
        let failed = stage.attempt(|stage| {
            for operation in operations {
                does_the_same(operation, stage, &model, &mut now).unwrap();
            }
            Err::<(), _>(StoreError::Closed)
        });
        prop_assert_eq!(failed, Err(StoreError::Closed));
        prop_assert_eq!(stage.commit().unwrap().state, Progress::default().state);
        for space in Space::ALL {
            prop_assert_eq!(tables.space(space).iter().count(), 0, "{:?}", space);
        }
    }
}

#[test]
fn an_order_for_a_whole_mailbox_writes_no_data() {
    let folder = tempfile::tempdir().unwrap();
    let tables = opened(folder.path());
    let mut stage = Stage::new(&tables, Progress::default());
    let owner = AccountId::from_bytes(&[5; 33]).unwrap();
    for n in 0..20 {
        let message = MessageRecord {
            owner,
            namespace: Namespace::DIRECT,
            hash: MessageHash::from_bytes([n; 32]),
            timestamp: NOW,
            expiry: NOW + 1_000,
            data: vec![n; 70_000],
            stored: Stamp::at(NOW),
            proof: None,
        };
        stage.store(&message, NOW).unwrap();
    }
    assert_eq!(stage.writes(Space::Messages), 20);
    let progress = stage.commit().unwrap();
    let mut stage = Stage::new(&tables, progress);
    let change = Change::ExpireAll(Drawers::All, NOW + 500);
    let order = Order { owner, stamp: Stamp::at(NOW + 1), change, proof: vec![1] };
    assert_eq!(stage.apply(order, NOW + 1).unwrap().updated.len(), 20);
    assert_eq!((stage.writes(Space::Messages), stage.writes(Space::Names)), (0, 20));
    stage.commit().unwrap();
    let records = View::of(&tables).mailbox(owner, NOW + 1).unwrap();
    assert_eq!(records.len(), 21);
    assert_eq!(View::of(&tables).mailbox(owner, NOW + 500).unwrap().len(), 1);
}

#[tokio::test]
async fn without_the_reserve_nothing_is_stored_but_room_can_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let new = MessageRecord {
        owner: AccountId::from_bytes(&[5; 33]).unwrap(),
        namespace: Namespace::DIRECT,
        hash: MessageHash::from_bytes([1; 32]),
        timestamp: NOW,
        expiry: NOW + 10,
        data: vec![1],
        stored: Stamp::at(NOW),
        proof: None,
    };
    let store = EmbeddedStore::open(folder.path(), Options { reserve: 0 }).unwrap();
    store.store(new.clone(), NOW).await.unwrap();
    drop(store);
    let store = EmbeddedStore::open(folder.path(), Options { reserve: u64::MAX }).unwrap();
    let other = MessageRecord { hash: MessageHash::from_bytes([2; 32]), ..new.clone() };
    assert_eq!(store.store(other, NOW).await, Err(StoreError::Full));
    let delete = Order {
        owner: new.owner,
        stamp: Stamp::at(NOW),
        change: Change::Delete(vec![new.hash]),
        proof: vec![1],
    };
    let deleted = vec![(new.namespace, new.hash)];
    assert_eq!(store.apply(delete.clone(), NOW).await.unwrap().deleted, deleted);
    // As much as makes room, and no more.
    let owner = |n| AccountId::from_bytes(&[n; 33]).unwrap();
    let large = |n| Order { proof: vec![n; 10 << 20], owner: owner(n), ..delete.clone() };
    for n in 1..=3 {
        assert!(store.apply(large(n), NOW).await.is_ok());
    }
    assert_eq!(store.apply(large(4), NOW).await, Err(StoreError::Full));
    let told = vec![Record::Order(large(5))];
    assert_eq!(store.merge(told, NOW).await, Err(StoreError::Full));
    assert_eq!(store.expire(NOW + 10).await, Ok(0));
}
