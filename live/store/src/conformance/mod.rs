//! The behaviours every storage engine must show, one function each, and a model beside them.
//!
//! [`conformance_tests!`](crate::conformance_tests) makes a test of each. Every function is given
//! an empty store, asserts, and passes on what the store reports as failure.

#![expect(clippy::missing_errors_doc, reason = "each passes on what the store reports")]

use std::sync::Arc;

use warren_wire::record::{Change, MessageRecord, Order};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Stamp};

use crate::{MailStore, Page, Query, StoreError, Stored, StoredMessage};

pub mod reading;
pub mod removing;
pub mod storing;

/// The store under test.
pub type Store = Arc<dyn MailStore>;
/// How a behaviour ends that was shown.
pub type Outcome = Result<(), StoreError>;

/// The time at which behaviours begin.
const NOW: Millis = 1_700_000_000_000;
const HOUR: Millis = 3_600_000;

fn account(n: u8) -> AccountId {
    // 66 digits are always an account, so this never falls back.
    let text = format!("05{}", format!("{n:02x}").repeat(32));
    text.parse().unwrap_or_else(|_| unreachable!("{text} is an account id"))
}

/// A message for account 1 in namespace 0 that expires in an hour, named and filled by `n`.
fn message(n: u16) -> MessageRecord {
    let mut hash = [0x5a; 32];
    if let Some(start) = hash.first_chunk_mut() {
        *start = n.to_be_bytes();
    }
    MessageRecord {
        owner: account(1),
        namespace: Namespace::DIRECT,
        hash: MessageHash::from_bytes(hash),
        timestamp: NOW + u64::from(n),
        expiry: NOW + HOUR,
        data: n.to_be_bytes().repeat(50),
        stored: Stamp::at(NOW),
        proof: None,
    }
}

fn kept(message: &MessageRecord) -> StoredMessage {
    let MessageRecord { hash, timestamp, expiry, data, .. } = message.clone();
    StoredMessage { hash, timestamp, expiry, data }
}

/// Asks for all of account 1's namespace 0.
fn everything() -> Query {
    Query {
        owner: account(1),
        namespace: Namespace::DIRECT,
        after: None,
        max_count: None,
        max_size: usize::MAX,
        newest_first: false,
    }
}

fn hashes(page: &Page) -> Vec<MessageHash> {
    page.messages.iter().map(|message| message.hash).collect()
}

fn names(numbers: impl IntoIterator<Item = u16>) -> Vec<MessageHash> {
    numbers.into_iter().map(|n| message(n).hash).collect()
}

/// An order of account 1, with a proof of its own.
fn order(stamp: Stamp, change: Change) -> Order {
    let proof = format!("{change:?} {}", stamp.0).into_bytes();
    Order { owner: account(1), stamp, change, proof }
}

/// Deletes messages by an order of account `owner` that was taken in at `time`; names what is gone,
/// ordered by namespace, then hash.
async fn delete(
    store: &Store,
    owner: u8,
    asked: Vec<MessageHash>,
    time: Millis,
) -> Result<Vec<MessageHash>, StoreError> {
    let order = Order { owner: account(owner), ..order(Stamp::at(time), Change::Delete(asked)) };
    let applied = store.apply(order, time).await?;
    Ok(applied.deleted.into_iter().map(|(_, hash)| hash).collect())
}

/// What a store is answered that no order overrules.
const fn stored(expiry: Millis, already: bool) -> Stored {
    Stored { expiry, already, overruled: None }
}

async fn fill(store: &Store, numbers: impl IntoIterator<Item = u16>) -> Outcome {
    for n in numbers {
        let stored = store.store(message(n), NOW).await?;
        assert!(!stored.already, "message {n} is new");
    }
    Ok(())
}

/// Makes a test of every behaviour.
///
/// The expression yields, in an async function, a pair: what must outlive the store, and the
/// store as `Arc<dyn MailStore>`.
#[macro_export]
macro_rules! conformance_tests {
    ($open:expr) => {
        $crate::conformance_tests!($open; storing:
            what_is_stored_comes_back,
            an_empty_message_is_a_message,
            the_largest_message_is_kept_whole,
            a_duplicate_keeps_its_place_and_timestamp,
            a_duplicate_only_raises_the_expiry,
            a_duplicate_of_an_expired_message_is_new,
            the_same_hash_in_two_mailboxes_is_two_messages,
            an_outbox_keeps_the_newest_alone,
            an_outbox_keeps_the_newer_when_an_older_arrives,
            an_outbox_settles_a_tie_alike_in_either_order,
            an_outbox_forgets_a_newer_message_that_expired,
            an_outbox_leaves_other_drawers_alone,
            tasks_that_store_together_lose_nothing,
            tasks_that_store_the_same_message_keep_one,
        );
        $crate::conformance_tests!($open; reading:
            a_mailbox_never_used_is_empty,
            messages_come_in_the_order_of_arrival,
            reading_goes_on_after_the_last_hash,
            an_unknown_last_hash_reads_from_the_start,
            a_last_hash_of_another_drawer_reads_from_the_start,
            an_expired_last_hash_reads_from_the_start,
            drawers_and_mailboxes_are_apart,
            expired_messages_are_not_served,
            at_most_so_many_are_returned,
            at_most_so_many_bytes_are_returned,
            one_message_is_returned_whatever_its_size,
            more_is_exact,
            pages_add_up_to_the_whole,
        );
        $crate::conformance_tests!($open; removing:
            what_is_deleted_is_gone,
            deleting_names_what_was_there_once_each,
            deleting_reaches_every_drawer_of_the_mailbox_alone,
            what_was_deleted_can_be_stored_again_at_the_end,
            expiring_removes_what_is_past_its_expiry,
            expiring_takes_many,
            expiring_minds_a_raised_expiry,
            expiring_backwards_in_time_removes_nothing_more,
            a_message_that_arrives_expired_is_swept,
            counts_follow_what_happens,
            a_closed_store_says_so,
        );
    };
    ($open:expr; $group:ident: $($behaviour:ident,)*) => {
        mod $group {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    let (_guard, store) = $open;
                    let outcome = $crate::conformance::$group::$behaviour(store).await;
                    assert_eq!(outcome, Ok(()));
                }
            )*
        }
    };
}
