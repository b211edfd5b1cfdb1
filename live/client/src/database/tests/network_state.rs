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
        let list = CachedNodeList { list: format!("[{round}]"), fetched_at: time };
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
