//! Several connections at once: each waits its turn, and each sees what the others did.

use std::collections::BTreeSet;
use std::thread;

use super::*;

#[test]
fn writers_that_open_and_write_at_once_all_succeed() {
    const WRITERS: u8 = 4;
    const EACH: u64 = 20;
    let device = Device::new();
    let home = device.home.path();
    thread::scope(|scope| {
        for writer in 1..=WRITERS {
            scope.spawn(move || {
                let mut db = open_home(home);
                for timestamp in 0..EACH {
                    queue(&mut db, writer, "x", timestamp);
                }
            });
        }
    });
    let db = device.db();
    let arrived = db.arrived_after(MessageId::START, 1_000).unwrap();
    let ids: BTreeSet<MessageId> = arrived.iter().map(|message| message.id).collect();
    assert_eq!(ids.len(), usize::from(WRITERS) * 20);
    assert_eq!(db.conversations(Listing::All, None, 50).unwrap().len(), usize::from(WRITERS));
}

#[test]
fn a_follower_sees_what_another_connection_writes() {
    let device = Device::new();
    let (follower, mut writer) = (device.db(), device.db());
    let seen = follower.last_arrived().unwrap();
    let id = queue(&mut writer, 1, "hello", 5);
    let news = follower.arrived_after(seen, 10).unwrap();
    assert_eq!(news.iter().map(|message| message.id).collect::<Vec<_>>(), [id]);
}
