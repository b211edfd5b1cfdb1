//! A database that was dumped and loaded is the same, under another key; anything else is refused.

use proptest::prelude::*;

use super::super::dump::{Dump, DumpError, Load};
use super::*;

/// The stream of an account's database.
fn dumped(device: &Device) -> Vec<u8> {
    let mut bytes = Vec::new();
    Dump::of(&device.vault, &device.keys()).write(&mut bytes).unwrap();
    bytes
}

/// Loads a stream in pieces in place of another device's database.
fn load(device: &Device, bytes: &[u8], piece: usize) -> Result<AccountDb, DumpError> {
    let keys = device.keys();
    device.vault.home().remove_database_alone(keys.file()).unwrap();
    let mut load = Load::begin(&device.file(), keys.database_key())?;
    for piece in bytes.chunks(piece) {
        load.take(piece)?;
    }
    load.finish()?;
    Ok(device.db())
}

fn filled() -> Device {
    let device = Device::new();
    let mut db = device.db();
    for number in 1..40 {
        let direction = if number % 3 == 0 { Direction::Outgoing } else { Direction::Incoming };
        let message = fetched(number, number % 5 + 1, direction, u64::from(number) * 10);
        db.record_incoming(&message).unwrap();
    }
    queue(&mut db, 1, "waits", 1_000);
    device
}

#[test]
fn a_loaded_database_is_the_dumped_one_and_dumps_the_same() {
    let (from, to) = (filled(), Device::new());
    let bytes = dumped(&from);
    for piece in [1 << 20, 777] {
        let mut db = load(&to, &bytes, piece).unwrap();
        assert_eq!(db.check_integrity().unwrap(), []);
        assert_eq!(db.search(&Search::new("message"), None, 99).unwrap().hits.len(), 39);
        drop(db);
        assert!(dumped(&to) == bytes);
    }
}

#[test]
fn no_words_of_messages_are_on_the_disk_after_a_load() {
    let (from, to) = (filled(), Device::new());
    let bytes = dumped(&from);
    assert!(bytes.windows(9).any(|window| window == b"message 7"));
    load(&to, &bytes, 4096).unwrap();
    for file in std::fs::read_dir(to.file().parent().unwrap()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(9).any(|window| window == b"message 7"));
    }
}

#[test]
fn a_stream_that_ends_anywhere_else_is_refused() {
    let (from, to) = (filled(), Device::new());
    let bytes = dumped(&from);
    for end in (0..bytes.len()).step_by(bytes.len() / 12) {
        assert!(load(&to, &bytes[..end], 4096).is_err(), "{end} of {}", bytes.len());
    }
    let longer = [&bytes[..], &[1, 0, 0, 0, 6]].concat();
    assert!(matches!(load(&to, &longer, 4096), Err(DumpError::Content(_))));
    assert!(load(&to, &bytes, 4096).is_ok());
}

#[test]
fn what_waited_is_not_sent_again_by_itself() {
    let (from, to) = (Device::new(), Device::new());
    let mut db = from.db();
    let message = queue(&mut db, 1, "waits", 1_000);
    db.record_incoming(&fetched(1, 2, Direction::Incoming, 10)).unwrap();
    let mailbox = person(0);
    for task in [
        Task::Delete { mailbox, hashes: vec![hash(1)] },
        Task::DeleteAll { mailbox },
        Task::Store { message: None, copy: copy(Purpose::Recipient, 1, b"a reaction") },
    ] {
        db.add_job(&task, &[], 5).unwrap();
    }
    drop(db);
    let mut db = load(&to, &dumped(&from), 4096).unwrap();
    db.transact(|tx| tx.settle_restored()).unwrap();

    let due = db.due_jobs(u64::MAX / 2, 9).unwrap();
    assert!(matches!(&due[..], [Job { task: Task::Delete { .. }, .. }]), "{due:?}");
    let restored = db.message(message).unwrap();
    assert_eq!(restored.state, MessageState::Failed);
    // The same bytes are sent if its owner says so.
    assert!(db.resend(message, 9_000).unwrap());
    assert_eq!(db.due_outbox(u64::MAX / 2).unwrap().len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_bytes_are_loaded_or_refused(bytes: Vec<u8>, kind in 1_u8..7) {
        let to = Device::new();
        let length = u32::try_from(bytes.len() + 1).unwrap().to_le_bytes();
        prop_assert!(load(&to, &[&length, &[kind][..], &bytes].concat(), 9).is_err() || kind == 6);
        prop_assert!(load(&to, &bytes, 9).is_err());
    }
}
