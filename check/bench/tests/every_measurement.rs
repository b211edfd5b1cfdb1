//! Every measurement runs to its end; no time is asserted.

use std::collections::BTreeSet;

use warren_bench::{
    Effort, Row, conversation, message, node, onion, recovery_phrase, store, table,
};

#[test]
fn every_row_has_a_figure_and_someone_beside_it() {
    let scratch = tempfile::tempdir().unwrap();
    let effort = Effort { messages: 3, burst: 64, ..Effort::QUICK };
    let rows: Vec<Row> = [
        recovery_phrase::rows(effort).unwrap(),
        message::rows(effort).unwrap(),
        onion::rows(effort).unwrap(),
        store::rows(effort, scratch.path()).unwrap(),
        node::rows(effort, scratch.path()).unwrap(),
        conversation::rows(effort, scratch.path()).unwrap(),
    ]
    .concat();
    for row in &rows {
        assert!(row.figure.wall > 0.0 && !row.beside.is_empty(), "{row:?}");
        assert!(row.beside.iter().all(|beside| beside.ratio > 0.0), "{row:?}");
    }
    let names: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len(), "two rows have one name");
    assert!(table::format(&rows).lines().count() > rows.len());
}
