//! The behaviours every storage engine must show, one function each, and a model beside them.
//!
//! [`conformance_tests!`](crate::conformance_tests) makes a test of each. Every function is given
//! an empty store, asserts, and passes on what the store reports as failure.

#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test stops at the first surprise")]
#![expect(clippy::missing_errors_doc, reason = "each passes on what the store reports")]

use std::sync::Arc;

use warren_wire::record::{Change, MessageRecord, Order};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Stamp};

use crate::{MailStore, Page, Query, StoreError, Stored, StoredMessage};

pub mod agreement;
pub mod convergence;
pub mod merging;
pub mod ordering;
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
            a_duplicate_brings_the_proof_of_a_later_stamp_alone,
            a_duplicate_of_an_expired_message_is_new,
            the_same_hash_in_two_mailboxes_is_two_messages,
            an_outbox_keeps_the_newest_alone,
            an_outbox_keeps_the_newer_when_an_older_arrives,
            an_outbox_settles_a_tie_alike_in_either_order,
            an_outbox_forgets_a_newer_message_that_expired,
            an_outbox_does_not_take_back_what_was_replaced,
            an_outbox_remembers_so_much_of_what_was_replaced,
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
            the_newest_come_first_where_asked,
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
        $crate::conformance_tests!($open; ordering:
            an_order_removes_what_came_before_it,
            a_message_stored_after_an_order_withstands_it,
            deleting_all_means_the_drawers_it_names,
            deleting_before_a_time_minds_the_timestamp,
            a_replay_of_deleting_all_removes_nothing_new,
            an_expiry_moves_the_way_the_order_says,
            expiring_all_shortens,
            an_order_for_a_whole_mailbox_leaves_the_data_alone,
            orders_count_by_their_stamps,
            an_order_that_comes_again_does_what_its_stamp_says,
            what_had_expired_is_out_of_reach,
            a_chain_of_extensions_outlives_its_orders,
            expiries_name_what_is_there,
            orders_are_kept_for_31_days,
            subaccounts_lose_and_regain_their_rights,
            the_last_revocations_stay,
            an_owner_has_room_for_so_many_orders,
            a_subaccount_does_not_take_the_owner_s_room,
            orders_on_subaccounts_always_have_room,
            replacements_take_no_room,
        );
        $crate::conformance_tests!($open; merging:
            a_merge_says_what_became_of_each,
            a_merge_takes_orders_before_messages,
            a_deleted_message_does_not_come_back,
            copies_of_a_message_join,
            only_its_owner_shortens_a_message,
            items_lead_to_records,
            many_records_come_in_parts,
            a_mailbox_is_given_whole,
            a_stretch_of_the_ring_is_given_and_dropped,
            notes_of_what_was_missed_are_kept_until_forgotten,
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

/// Makes a test of every property, with so many random cases each.
///
/// `place` yields, in an async function, what a new and empty store lies in, and `open` (an async
/// closure) the store in a place, as `Arc<dyn MailStore>`: empty the first time, then with what was
/// in it. Where nothing outlives a store, `no_reopening` leaves the first property out.
#[macro_export]
macro_rules! conformance_properties {
    ($cases:expr, $place:expr, $open:expr) => {
        #[test]
        fn agrees_with_the_plain_engine() {
            $crate::conformance::check($cases, $crate::conformance::agreement::operations(40), {
                async |operations| {
                    let place = $place;
                    let open = async || ($open)(&place).await;
                    $crate::conformance::agreement::agrees(&operations, open).await
                }
            });
        }

        $crate::conformance_properties!(no_reopening: $cases, $place, $open);
    };
    (no_reopening: $cases:expr, $place:expr, $open:expr) => {
        #[test]
        fn any_order_of_records_gives_the_same() {
            $crate::conformance::check($cases, $crate::conformance::convergence::unions(), {
                async |(records, ways)| {
                    let places = ::std::cell::RefCell::new(Vec::new());
                    let open = async || {
                        let place = $place;
                        let store = ($open)(&place).await;
                        places.borrow_mut().push(place);
                        store
                    };
                    let all = $crate::conformance::convergence::any_order_gives_the_same;
                    all(&records, &ways, open).await
                }
            });
        }

        #[test]
        fn members_that_tell_each_other_agree() {
            $crate::conformance::check($cases, $crate::conformance::convergence::members(), {
                async |known| {
                    let places = ::std::cell::RefCell::new(Vec::new());
                    let open = async || {
                        let place = $place;
                        let store = ($open)(&place).await;
                        places.borrow_mut().push(place);
                        store
                    };
                    let all = $crate::conformance::convergence::members_that_tell_each_other_agree;
                    all(&known, open).await
                }
            });
        }
    };
}

/// Runs a property on random input, each case in the same runtime.
///
/// # Panics
/// Where the property does not hold, with the smallest input found for which it does not.
pub fn check<S: proptest::strategy::Strategy>(
    cases: u32,
    inputs: S,
    property: impl AsyncFn(S::Value) -> Outcome,
) {
    let config = proptest::test_runner::Config { failure_persistence: None, ..Default::default() };
    let config = proptest::test_runner::Config { cases, ..config };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    let outcome = proptest::test_runner::TestRunner::new(config).run(&inputs, |input| {
        let outcome = runtime.block_on(property(input));
        outcome.map_err(|error| proptest::test_runner::TestCaseError::fail(error.to_string()))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
