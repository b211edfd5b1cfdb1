//! Node list, guard and path are kept, replaced and forgotten.

use warren_wire::NodeId;

use super::*;

#[test]
fn node_list_guard_and_path_are_kept_replaced_and_forgotten() {
    let device = Device::new();
    let db = device.db();
    assert_eq!((db.node_list().unwrap(), db.guard().unwrap()), (None, None));
    assert_eq!(db.path().unwrap(), None);
    for round in 1..3_u8 {
        let node = NodeId::from_bytes([round; 32]);
        let time = u64::from(round);
        let list = CachedNodeList { list: format!("[{round}]"), fetched_at: time, issued: time };
        let guard = Guard { node, since: time };
        let path = SavedPath { hops: vec![node, NodeId::from_bytes([9; 32])], created: time };
        db.set_node_list(&list).unwrap();
        db.set_guard(Some(&guard)).unwrap();
        db.set_path(Some(&path)).unwrap();
        let again = device.db();
        assert_eq!(again.node_list().unwrap(), Some(list));
        assert_eq!(again.guard().unwrap(), Some(guard));
        assert_eq!(again.path().unwrap(), Some(path));
    }
    db.set_guard(None).unwrap();
    db.set_path(None).unwrap();
    assert_eq!((db.guard().unwrap(), db.path().unwrap()), (None, None));
}

#[test]
fn an_older_node_list_does_not_take_back_when_the_newest_was_issued() {
    let device = Device::new();
    let db = device.db();
    assert_eq!(db.newest_list_issued().unwrap(), None);
    let list = |issued| CachedNodeList { list: "[]".to_owned(), fetched_at: 9, issued };
    for (issued, newest) in [(5, 5), (8, 8), (7, 8)] {
        db.set_node_list(&list(issued)).unwrap();
        let again = device.db();
        assert_eq!(again.node_list().unwrap(), Some(list(issued)));
        assert_eq!(again.newest_list_issued().unwrap(), Some(newest));
    }
}
