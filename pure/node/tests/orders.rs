//! Which orders a node lets pass, what it says of having carried them out, and what it believes of others who say so.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use proptest::prelude::*;
use warren_crypto::Secret;
use warren_crypto::ed25519::SigningKey;
use warren_node::accept::{accept, give};
use warren_node::swarm_request::{Changed, Done, texts_of};
use warren_node::{Answer, Body, CheckedOrder, Origin, SwarmRequest, answer, check};
use warren_wire::limits::{DAY, FORWARDED_TOLERANCE};
use warren_wire::record::{Change, Drawers, ExpireMode, Record, SubaccountToken, UncheckedRecord};
use warren_wire::rpc::{
    DeleteAllRequest, DeleteBeforeRequest, DeleteRequest, ExpireAllRequest, ExpireRequest,
    GetExpiriesRequest, OrderRequest, RevokeRequest, RevokedRequest, SignedToken, UnverifiedAuth,
    signed,
};
use warren_wire::{AccountId, MessageHash, Namespace, Stamp, Value, bencode};

const NOW: u64 = 1_700_000_000_000;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(Secret::take(&mut [seed; 32])).unwrap()
}

/// The account of key 1.
fn owner() -> AccountId {
    AccountId::from_bytes(&[&[3], &key(1).verifying_key().as_bytes()[..]].concat()).unwrap()
}

fn token(rights: u8) -> SubaccountToken {
    let token = [&[3, rights, 0, 0], &key(2).verifying_key().as_bytes()[..]].concat();
    SubaccountToken(token.try_into().unwrap())
}

fn nobody() -> UnverifiedAuth {
    UnverifiedAuth { signature: [0; 64], ed25519: None, subaccount: None }
}

fn hash(seed: u8) -> MessageHash {
    MessageHash::from_bytes([seed; 32])
}

/// One order of each kind, unsigned, about this time.
fn orders(time: u64, drawers: Drawers, mode: ExpireMode) -> Vec<OrderRequest> {
    let (account, auth) = (owner(), nobody());
    let messages = vec![hash(3).into(), "/".repeat(43).parse().unwrap(), hash(1).into()];
    let revoke =
        RevokeRequest { account, tokens: vec![token(3)], timestamp: time, auth: auth.clone() };
    vec![
        OrderRequest::Delete(DeleteRequest {
            account,
            messages: messages.clone(),
            auth: auth.clone(),
            required: false,
        }),
        OrderRequest::DeleteAll(DeleteAllRequest {
            account,
            drawers,
            timestamp: time,
            auth: auth.clone(),
        }),
        OrderRequest::DeleteBefore(DeleteBeforeRequest {
            account,
            drawers,
            before: time,
            auth: auth.clone(),
        }),
        OrderRequest::Expire(ExpireRequest {
            account,
            messages: messages.clone(),
            expiries: vec![time],
            mode,
            auth: auth.clone(),
        }),
        OrderRequest::Expire(ExpireRequest {
            account,
            messages,
            expiries: vec![time + 1, time + 2, time + 3],
            mode,
            auth: auth.clone(),
        }),
        OrderRequest::ExpireAll(ExpireAllRequest { account, drawers, expiry: time, auth }),
        OrderRequest::Revoke(revoke.clone()),
        OrderRequest::Unrevoke(revoke),
    ]
}

fn auth_of(order: &mut OrderRequest) -> &mut UnverifiedAuth {
    match order {
        OrderRequest::Delete(request) => &mut request.auth,
        OrderRequest::DeleteAll(request) => &mut request.auth,
        OrderRequest::DeleteBefore(request) => &mut request.auth,
        OrderRequest::Expire(request) => &mut request.auth,
        OrderRequest::ExpireAll(request) => &mut request.auth,
        OrderRequest::Revoke(request) | OrderRequest::Unrevoke(request) => &mut request.auth,
    }
}

fn by_owner(mut order: OrderRequest) -> OrderRequest {
    auth_of(&mut order).signature = key(1).sign(&signed::order(&order)).unwrap();
    order
}

fn by_subaccount(mut order: OrderRequest, rights: u8) -> OrderRequest {
    let signature = key(2).sign(&signed::order(&order)).unwrap();
    let token = token(rights);
    let of_token = key(1).sign(&token.0).unwrap();
    let auth = auth_of(&mut order);
    auth.signature = signature;
    auth.subaccount = Some(SignedToken { token, signature: of_token });
    order
}

fn pass(order: OrderRequest) -> CheckedOrder {
    CheckedOrder::check(order, NOW, Origin::Client, &[]).unwrap()
}

fn refusal<T>(result: Result<T, Answer>) -> (u16, String) {
    match result.map(|_| ()).unwrap_err() {
        Answer { status, body: Body::Text(text) } => (status, text),
        other => panic!("{other:?}"),
    }
}

fn unverified(order: &OrderRequest) -> (u16, String) {
    let name = match order.method() {
        "delete" => "delete_msgs",
        "expire" => "expire:",
        other => other,
    };
    (401, format!("{name} signature verification failed"))
}

#[test]
fn every_order_needs_the_owners_signature() {
    for order in orders(NOW, Drawers::All, ExpireMode::Set) {
        pass(by_owner(order.clone()));
        let text = unverified(&order);
        assert_eq!(refusal(CheckedOrder::check(order.clone(), NOW, Origin::Client, &[])), text);
        // What was signed for one order is no signature of another.
        for other in orders(NOW, Drawers::One(Namespace::DIRECT), ExpireMode::Extend) {
            let mut forged = order.clone();
            auth_of(&mut forged).signature = by_owner(other.clone()).auth().signature;
            if signed::order(&other) != signed::order(&order) {
                assert_eq!(refusal(CheckedOrder::check(forged, NOW, Origin::Client, &[])), text);
            }
        }
    }
}

#[test]
fn a_subaccount_orders_what_its_rights_cover_until_they_are_revoked() {
    let check = |order, revoked: &[_]| CheckedOrder::check(order, NOW, Origin::Client, revoked);
    for order in orders(NOW, Drawers::All, ExpireMode::Set) {
        let needed = if order.method() == "expire" { 2 } else { 4 };
        let text = unverified(&order);
        if matches!(order, OrderRequest::Revoke(_) | OrderRequest::Unrevoke(_)) {
            assert_eq!(refusal(check(by_subaccount(order, 15), &[])), text);
            continue;
        }
        check(by_subaccount(order.clone(), needed), &[]).unwrap();
        assert_eq!(refusal(check(by_subaccount(order.clone(), 15 - needed), &[])), text);
        let revoked = [token(needed)];
        assert_eq!(refusal(check(by_subaccount(order.clone(), needed), &revoked)), text);
        check(by_subaccount(order, needed), &[token(15)]).unwrap();
    }
}

#[test]
fn a_signature_holds_for_a_minute_by_the_clock_and_longer_by_another_members_stamp() {
    let early = |time| orders(time, Drawers::All, ExpireMode::Set);
    for (offset, refused) in [
        (
            -60_001,
            &["delete_all", "expire", "expire_all", "revoke_subaccount", "unrevoke_subaccount"][..],
        ),
        (-60_000, &[]),
        (60_000, &[]),
        (60_001, &["delete_all", "delete_before", "revoke_subaccount", "unrevoke_subaccount"]),
    ] {
        for order in early(NOW.checked_add_signed(offset).unwrap()) {
            let order = by_owner(order);
            let passes = !refused.contains(&order.method()) || is_list(&order);
            let result = CheckedOrder::check(order.clone(), NOW, Origin::Client, &[]);
            assert_eq!(result.is_ok(), passes, "{} {offset}", order.method());
            let member = CheckedOrder::check(order, NOW, Origin::Swarm, &[]);
            member.unwrap();
        }
    }
    let far = i64::try_from(FORWARDED_TOLERANCE).unwrap() + 1;
    let old = by_owner(early(NOW.checked_add_signed(-far).unwrap()).swap_remove(1));
    let text = (406, "delete_all timestamp too far from current time".to_owned());
    assert_eq!(refusal(CheckedOrder::check(old, NOW, Origin::Kept, &[])), text);
}

/// Whether the order is the one whose times lie some milliseconds later.
fn is_list(order: &OrderRequest) -> bool {
    matches!(order, OrderRequest::Expire(request) if request.expiries.len() > 1)
}

#[test]
fn expiries_end_thirty_days_after_the_stamp_and_go_one_way_for_those_who_may_not_delete() {
    let far = orders(NOW + 90 * DAY, Drawers::All, ExpireMode::Set).swap_remove(3);
    let stamp = Stamp::at(NOW + 5);
    for (order, mode) in [
        (by_owner(far.clone()), ExpireMode::Set),
        (by_subaccount(far.clone(), 2), ExpireMode::Extend),
        (by_subaccount(far, 6), ExpireMode::Set),
    ] {
        let Ok(Record::Order(order)) = pass(order).record(stamp) else { panic!("no order") };
        let latest = NOW + 5 + 30 * DAY;
        let moves = vec![(hash(3), latest), (hash(1), latest)];
        assert_eq!(order.change, Change::Expire(moves, mode));
    }
    let shorten = orders(NOW, Drawers::All, ExpireMode::Shorten).swap_remove(3);
    let refused = CheckedOrder::check(by_subaccount(shorten, 2), NOW, Origin::Client, &[]);
    assert_eq!(refusal(refused).0, 400);
}

#[test]
fn an_order_is_the_same_after_its_way_to_another_member_weeks_later() {
    for order in orders(NOW, Drawers::All, ExpireMode::Extend) {
        let owner_only = matches!(order, OrderRequest::Revoke(_) | OrderRequest::Unrevoke(_));
        let by =
            if owner_only { by_owner(order.clone()) } else { by_subaccount(order.clone(), 15) };
        for order in [by_owner(order), by] {
            let record = pass(order).record(Stamp::at(NOW)).unwrap();
            let bytes = give(record.clone()).unwrap().encode().unwrap();
            let unchecked = UncheckedRecord::decode(&bytes).unwrap();
            assert_eq!(accept(&unchecked, NOW + 20 * DAY).unwrap(), record);
            let replayed = UncheckedRecord { stamp: Stamp::at(NOW + 20 * DAY), ..unchecked };
            let timed =
                ["delete_all", "revoke_subaccount", "unrevoke_subaccount", "expire", "expire_all"];
            let replay = accept(&replayed, NOW + 20 * DAY);
            assert_eq!(
                replay.is_err(),
                timed.contains(&replayed.method.as_str()),
                "{}",
                replayed.method
            );
        }
    }
}

fn changed() -> Changed {
    let (inbox, config) = (Namespace::DIRECT, Namespace::new(-5));
    Changed {
        deleted: vec![(config, hash(1)), (inbox, hash(3))],
        updated: vec![(inbox, hash(3), NOW)],
        unchanged: vec![(hash(1), NOW + 7)],
        given_back: 1,
    }
}

#[test]
fn a_member_is_believed_what_it_signs_and_nothing_else() {
    for mode in [ExpireMode::Set, ExpireMode::Extend, ExpireMode::Shorten] {
        for drawers in [Drawers::All, Drawers::One(Namespace::DIRECT)] {
            for order in orders(NOW, drawers, mode) {
                let order = pass(by_owner(order));
                for done in [changed(), Changed::default()] {
                    let entry = order.entry(&Done::Changed(done)).unwrap();
                    let bytes = bencode::encode(&Value::Dict(entry.fields.clone())).unwrap();
                    let Ok(Value::Dict(travelled)) = bencode::decode(&bytes) else { panic!() };
                    assert_eq!(order.signed_by(&travelled), Some(entry.signed.clone()));
                    assert_eq!(texts_of(travelled), entry.fields);
                    for field in entry.fields.keys() {
                        let mut less = entry.fields.clone();
                        less.remove(field);
                        assert_ne!(order.signed_by(&less), Some(entry.signed.clone()));
                    }
                }
                assert!(order.entry(&Done::Stored { expiry: 1, already: false }).is_none());
            }
        }
    }
}

#[test]
fn what_was_not_asked_for_is_no_answer() {
    let asked = orders(NOW, Drawers::All, ExpireMode::Extend);
    for order in [&asked[0], &asked[3]] {
        let order = pass(by_owner(order.clone()));
        let stranger = Changed {
            deleted: vec![(Namespace::DIRECT, hash(9))],
            updated: vec![(Namespace::DIRECT, hash(9), NOW)],
            ..Changed::default()
        };
        let entry = order.entry(&Done::Changed(stranger)).unwrap();
        assert_eq!(order.signed_by(&entry.fields), None);
    }
}

#[test]
fn questions_about_a_mailbox_are_answered_to_who_may_read_it() {
    let sign = |text: String| UnverifiedAuth {
        signature: key(1).sign(text.as_bytes()).unwrap(),
        ..nobody()
    };
    let mut expiries = GetExpiriesRequest {
        account: owner(),
        messages: vec!["all".to_owned()],
        timestamp: NOW,
        auth: nobody(),
    };
    let refused = |name: &str| (401, format!("{name} signature verification failed"));
    assert_eq!(refusal(check::check_get_expiries(&expiries, NOW, &[])), refused("get_expiries"));
    expiries.auth = sign(signed::get_expiries(&expiries));
    check::check_get_expiries(&expiries, NOW, &[]).unwrap();
    assert_eq!(refusal(check::check_get_expiries(&expiries, NOW + 60_001, &[])).0, 406);
    assert_eq!(expiries.hashes(), None);

    let mut revoked = RevokedRequest { account: owner(), timestamp: NOW, auth: nobody() };
    assert_eq!(refusal(check::check_revoked(&revoked, NOW)), refused("revoked_subaccounts"));
    revoked.auth = sign(signed::revoked_subaccounts(NOW));
    check::check_revoked(&revoked, NOW).unwrap();
    assert_eq!(refusal(check::check_revoked(&revoked, NOW - 60_001)).0, 406);
}

#[test]
fn the_height_of_a_chain_that_is_not_there_lies_where_clients_expect_it() {
    let height = answer::circumstances(1_800_000_000_000).height;
    assert!((1_234..123_456_789).contains(&height));
}

proptest! {
    #[test]
    fn any_fields_are_an_entry_or_none(
        kind in 0..8_usize,
        text in ".{0,50}",
        number: i64,
        names in prop::collection::vec(prop::sample::select(vec!["deleted", "updated", "unchanged", "expiry", "count"]), 0..4),
    ) {
        let order = pass(by_owner(orders(NOW, Drawers::All, ExpireMode::Extend).swap_remove(kind)));
        let values = [
            Value::from(text.as_str()),
            number.into(),
            Value::List(vec![Value::Bytes(text.clone().into_bytes())]),
            Value::dict([("0", Value::List(vec![number.into()]))]),
        ];
        let fields = names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value));
        let _ = order.signed_by(&fields.collect());
    }
}
