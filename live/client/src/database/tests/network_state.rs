//! Node list, guard and path are kept, replaced and forgotten.

use warren_wire::NodeId;

use super::*;

#[test]
fn node_list_guard_and_path_are_kept_replaced_and_forgotten() {
    let device = Device::new();
    let db = device.db();
    assert_eq!((db.node_list(&[7; 32]).unwrap(), db.guard().unwrap()), (None, None));
    assert_eq!(db.path().unwrap(), None);
    for round in 1..3_u8 {
        let node = NodeId::from_bytes([round; 32]);
        let time = u64::from(round);
        let list = CachedNodeList { list: format!("[{round}]"), fetched_at: time };
        let guard = Guard { node, since: time };
        let path = SavedPath { hops: vec![node, NodeId::from_bytes([9; 32])], created: time };
        db.set_node_list(&[7; 32], &list).unwrap();
        db.set_guard(Some(&guard)).unwrap();
        db.set_path(Some(&path)).unwrap();
        let again = device.db();
        assert_eq!(again.node_list(&[7; 32]).unwrap(), Some(list));
        assert_eq!(again.guard().unwrap(), Some(guard));
        assert_eq!(again.path().unwrap(), Some(path));
    }
    db.set_guard(None).unwrap();
    db.set_path(None).unwrap();
    assert_eq!((db.guard().unwrap(), db.path().unwrap()), (None, None));
}

#[test]
fn each_directory_has_a_list_of_its_own() {
    let device = Device::new();
    let db = device.db();
    let list = |text: &str| CachedNodeList { list: text.to_owned(), fetched_at: 9 };
    db.set_node_list(&[1; 32], &list("first")).unwrap();
    db.set_node_list(&[2; 32], &list("second")).unwrap();
    db.set_node_list(&[1; 32], &list("third")).unwrap();
    let again = device.db();
    assert_eq!(again.node_list(&[1; 32]).unwrap(), Some(list("third")));
    assert_eq!(again.node_list(&[2; 32]).unwrap(), Some(list("second")));
}

#[test]
fn a_guards_failures_are_counted_over_restarts_until_it_answers_or_goes() {
    let device = Device::new();
    let db = device.db();
    assert_eq!(db.note_guard_failure(4).unwrap(), GuardTrouble { failures: 0, since: 4 });
    let guard = Guard { node: NodeId::from_bytes([1; 32]), since: 3 };
    db.set_guard(Some(&guard)).unwrap();
    assert_eq!(db.note_guard_failure(5).unwrap(), GuardTrouble { failures: 1, since: 5 });
    drop(db);
    let db = device.db();
    assert_eq!(db.note_guard_failure(9).unwrap(), GuardTrouble { failures: 2, since: 5 });
    assert_eq!(db.guard().unwrap(), Some(guard));
    db.clear_guard_failures().unwrap();
    assert_eq!(db.note_guard_failure(11).unwrap(), GuardTrouble { failures: 1, since: 11 });
    db.set_guard(Some(&guard)).unwrap();
    assert_eq!(db.note_guard_failure(12).unwrap(), GuardTrouble { failures: 1, since: 12 });
    db.set_guard(None).unwrap();
    assert_eq!(db.note_guard_failure(13).unwrap(), GuardTrouble { failures: 0, since: 13 });
}
