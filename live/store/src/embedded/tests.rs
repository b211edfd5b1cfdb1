//! Behaviours of the embedded engine that no other engine need have.

use warren_wire::{Millis, Namespace, Stamp};

use super::*;

const NOW: Millis = 1_700_000_000_000;

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
    assert_eq!(store.apply(delete, NOW).await.unwrap().deleted, deleted);
    assert_eq!(store.expire(NOW + 10).await, Ok(0));
}
