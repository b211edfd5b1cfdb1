//! Sets of friends, and shares for devices of others.

use warren_lock::tripwire::{FriendShare, SetId, Verifier};

use super::super::tombstones::TOMBSTONE_LIFE;
use super::*;

fn share() -> FriendShare {
    let (_, mut shares) = Verifier::draw(1, 1, &mut SystemEntropy).unwrap();
    shares.remove(0)
}

fn held(owner: u8, share: FriendShare, received_at: u64) -> HeldTripwire {
    HeldTripwire {
        owner: person(owner),
        share,
        inbox: person(90),
        device: "phone".to_owned(),
        received_at,
        test_sent_at: None,
        heard_at: None,
        ordered_at: None,
    }
}

fn set_of(friends: &[u8]) -> TrustedSet {
    let friend = |(friend, number): (&u8, u8)| TrustedFriend {
        friend: person(*friend),
        number,
        taken_at: None,
        declined_at: None,
        tested_at: None,
    };
    TrustedSet {
        set: SetId([7; 8]),
        inbox: person(90),
        place: 3,
        threshold: 1,
        device: "phone".to_owned(),
        created: 5,
        friends: friends.iter().zip(1..).map(friend).collect(),
    }
}

#[test]
fn a_share_comes_back_as_it_was_kept_and_a_dropped_one_leaves_no_secret() {
    let device = Device::new();
    let db = device.db();
    let one = held(1, share(), 10);
    assert_eq!(db.hold_tripwire(&one).unwrap(), Taking::Kept);
    assert_eq!(db.hold_tripwire(&one).unwrap(), Taking::Known);
    assert_eq!(db.held_tripwires().unwrap(), [held(1, one.share.duplicate(), 10)]);
    let set = one.share.set;
    assert!(db.let_go_of_tripwire(&person(2), &set, None, 11).unwrap().is_empty());
    assert!(db.let_go_of_tripwire(&person(1), &set, Some(2), 11).unwrap().is_empty());
    assert_eq!(db.let_go_of_tripwire(&person(1), &set, None, 11).unwrap(), [1]);
    assert!(db.held_tripwires().unwrap().is_empty());
    assert_eq!(db.hold_tripwire(&one).unwrap(), Taking::Known, "an offer that is read once more");
    let secrets = "SELECT count(secret) FROM held_tripwires";
    assert_eq!(db.connection.query_row(secrets, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    let later = held(1, one.share, 12 + TOMBSTONE_LIFE);
    assert_eq!(db.hold_tripwire(&later).unwrap(), Taking::Kept, "by then no offer of it is left");
}

#[test]
fn nobody_fills_the_database_with_shares() {
    let device = Device::new();
    let db = device.db();
    let mut first = None;
    for _ in 0..16 {
        let share = share();
        first.get_or_insert(share.set);
        assert_eq!(db.hold_tripwire(&held(1, share, 10)).unwrap(), Taking::Kept);
    }
    assert_eq!(db.hold_tripwire(&held(1, share(), 10)).unwrap(), Taking::Full);
    assert_eq!(
        db.hold_tripwire(&held(2, share(), 10)).unwrap(),
        Taking::Kept,
        "others have theirs"
    );
    // Neither does offering and revoking again and again.
    let mut last = first.unwrap();
    for _ in 0..200 {
        db.let_go_of_tripwire(&person(1), &last, None, 11).unwrap();
        let share = share();
        last = share.set;
        db.hold_tripwire(&held(1, share, 12)).unwrap();
    }
    let rows = "SELECT count(*) FROM held_tripwires WHERE owner = ?1";
    let id = person(1);
    let rows: u32 = db.connection.query_row(rows, [id.as_bytes()], |row| row.get(0)).unwrap();
    assert_eq!(rows, 64);
}

#[test]
fn what_a_friends_app_said_last_counts_in_whichever_order_it_is_read() {
    let device = Device::new();
    let db = device.db();
    let made = set_of(&[1, 2]);
    db.note_trusted_set(&made).unwrap();
    assert_eq!(db.trusted_sets().unwrap(), std::slice::from_ref(&made));
    let standing = |number: usize| db.trusted_sets().unwrap()[0].friends[number - 1].standing();
    assert!(!db.note_taken(&person(2), &made.set, 1, 20).unwrap(), "that is another's number");
    assert_eq!(standing(1), Standing::Offered);
    assert!(db.note_taken(&person(1), &made.set, 1, 20).unwrap());
    assert!(!db.note_taken(&person(1), &made.set, 1, 20).unwrap(), "read from another node");
    assert_eq!(standing(1), Standing::Taken);
    assert!(db.note_declined(&person(1), &made.set, 1, 30).unwrap());
    assert!(!db.note_taken(&person(1), &made.set, 1, 20).unwrap());
    assert_eq!((standing(1), standing(2)), (Standing::Declined, Standing::Offered));
    assert!(db.made_set(&made.set).unwrap());

    assert_eq!(db.note_test_heard(&made.set, 2, 40).unwrap(), Some(person(2)));
    assert_eq!(db.note_test_heard(&made.set, 2, 40).unwrap(), None);
    assert_eq!(db.note_test_heard(&made.set, 3, 41).unwrap(), None);
    assert!(db.note_revoked_set(&made.set, 50).unwrap());
    assert!(!db.note_revoked_set(&made.set, 51).unwrap());
    assert!(db.trusted_sets().unwrap().is_empty() && db.made_set(&made.set).unwrap());
    assert_eq!(db.note_test_heard(&made.set, 1, 60).unwrap(), None);
}

#[test]
fn an_order_is_repeated_no_more_once_a_backup_came_back() {
    let device = Device::new();
    let mut db = device.db();
    db.hold_tripwire(&held(1, share(), 10)).unwrap();
    db.hold_tripwire(&held(2, share(), 10)).unwrap();
    assert_eq!(db.note_ordered(&person(1), &person(90), Some(20)).unwrap(), 1);
    let code = WipeCode {
        owner: person(1),
        inbox: person(90),
        code: "AB2CD3".to_owned(),
        valid_until: 30,
    };
    db.put_wipe_code(&code).unwrap();
    assert_eq!(db.wipe_code(&person(1)).unwrap(), Some(code));
    let ordered = |db: &AccountDb| {
        let held = db.held_tripwires().unwrap();
        held.iter().map(|held| held.ordered_at).collect::<Vec<_>>()
    };
    assert_eq!(ordered(&db).iter().flatten().count(), 1);
    db.transact(|tx| tx.settle_restored()).unwrap();
    assert_eq!(ordered(&db), [None, None]);
    assert_eq!(db.wipe_code(&person(1)).unwrap(), None);
}

#[test]
fn what_waits_for_one_inbox_goes_without_what_waits_for_others() {
    let device = Device::new();
    let mut db = device.db();
    let store = |peer| Task::Store { message: None, copy: copy(Purpose::Recipient, peer, b"x") };
    for peer in [90, 91, 90] {
        db.add_job(&store(peer), &[], 1).unwrap();
    }
    db.transact(|tx| tx.drop_jobs_for(&person(90))).unwrap();
    let left = db.due_jobs(10, 10).unwrap();
    assert_eq!(left.iter().map(|job| job.task.clone()).collect::<Vec<_>>(), [store(91)]);
}

/// Whoever offers a share says where its orders go.
#[test]
fn what_no_inbox_can_be_loses_nothing_that_waits_for_it() {
    let device = Device::new();
    let mut db = device.db();
    let own = *db.account();
    let stranger = person(91);
    db.transact(|tx| {
        tx.set_blocked(&person(1), true, 5)?;
        for target in [own, person(1), stranger] {
            let task = Task::Other {
                name: "anything".to_owned(),
                message: None,
                target: Some(target),
                data: Vec::new(),
            };
            tx.add_job(&task, &[], 5)?;
        }
        for target in [own, person(1), stranger] {
            tx.drop_jobs_for(&target)?;
        }
        Ok::<_, DatabaseError>(())
    })
    .unwrap();
    let jobs = "SELECT count(*) FROM jobs";
    let left: i64 = db.connection.query_row(jobs, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 2, "those of the stranger alone are gone");
}
