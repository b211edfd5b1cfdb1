//! Every measurement runs to its end; no time is asserted.

use std::collections::BTreeSet;
use std::path::Path;

use warren_bench::{
    Effort, Row, at_rest, backup, catch_up, conversation, database, file, growth, held, message,
    node, onion, recovery, recovery_phrase, store, table, unlock,
};

#[test]
fn every_row_has_a_figure_and_someone_beside_it() {
    let scratch = tempfile::tempdir().unwrap();
    let effort =
        Effort { rounds: 1, messages: 3, burst: 64, held: 20, missed: 1_500, ..Effort::QUICK };
    let program = Path::new(env!("CARGO_BIN_EXE_warren-bench"));
    let rows: Vec<Row> = [
        recovery_phrase::rows(effort).unwrap(),
        message::rows(effort).unwrap(),
        onion::rows(effort).unwrap(),
        store::rows(effort, scratch.path()).unwrap(),
        growth::rows(effort, scratch.path()).unwrap(),
        node::rows(effort, scratch.path()).unwrap(),
        node::alone(effort, scratch.path()).unwrap(),
        recovery::rows(effort, scratch.path()).unwrap(),
        file::rows(effort, scratch.path()).unwrap(),
        backup::rows(effort, scratch.path()).unwrap(),
        held::rows(effort, scratch.path(), program).unwrap(),
        conversation::rows(effort, scratch.path()).unwrap(),
        catch_up::rows(effort, scratch.path()).unwrap(),
        database::rows(effort, scratch.path()).unwrap(),
        at_rest::rows(effort, scratch.path(), program).unwrap(),
        unlock::rows(effort, scratch.path()).unwrap(),
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
