//! What libsession makes of the same keys, and what a node makes of what is made here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde::Deserialize;
use warren_node::auth;
use warren_node::check::Origin;
use warren_node::order::CheckedOrder;

use super::*;

#[derive(Deserialize)]
struct Vectors {
    group_seed: String,
    group_id: String,
    member_seed: String,
    member_id: String,
    text: String,
    subaccount: String,
    subaccount_sig: String,
    signature: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../../spec/vectors/groups.json")).unwrap()
}

fn secret(text: &str) -> Secret<32> {
    Secret::from_slice(&hex::decode(text).unwrap()).unwrap()
}

fn group(byte: u8) -> Group {
    Group::from_seed(Secret::from_slice(&[byte; 32]).unwrap()).unwrap()
}

fn account(byte: u8) -> Account {
    Account::from_seed32(Secret::from_slice(&[byte; 32]).unwrap()).unwrap()
}

#[test]
fn token_and_signatures_are_those_of_the_published_vector() {
    let vectors = vectors();
    let group = Group::from_seed(secret(&vectors.group_seed)).unwrap();
    let member = Account::from_seed32(secret(&vectors.member_seed)).unwrap();
    assert_eq!(group.id().to_string(), vectors.group_id);
    assert_eq!(member.id().to_string(), vectors.member_id);

    let data = group.member_auth(&member.id(), MEMBER_RIGHTS).unwrap();
    let checked = data.check(&group.id(), &member, MEMBER_RIGHTS).unwrap();
    let auth = checked.authorise(vectors.text.as_bytes()).unwrap();
    let signed = auth.subaccount.unwrap();
    assert_eq!(STANDARD.encode(signed.token.0), vectors.subaccount);
    assert_eq!(STANDARD.encode(signed.signature), vectors.subaccount_sig);
    assert_eq!(STANDARD.encode(auth.signature), vectors.signature);
    assert_eq!(group.token(&member.id(), MEMBER_RIGHTS).unwrap(), signed.token);
}

#[test]
fn auth_data_with_one_bit_flipped_is_refused_but_for_the_bit_that_says_nothing() {
    let (group, member) = (group(1), account(2));
    let data = group.member_auth(&member.id(), MEMBER_RIGHTS).unwrap();
    for bit in 0..8 * UncheckedMemberAuth::BYTES {
        let mut bytes = *data.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let read = UncheckedMemberAuth::from_bytes(&bytes).unwrap();
        let sign_of_factor = bit == 35 * 8 + 7;
        let checked = read.check(&group.id(), &member, Rights::READ);
        assert_eq!(checked.is_ok(), sign_of_factor, "bit {bit}");
    }
}

#[test]
fn auth_data_is_of_use_to_its_member_in_its_group_alone() {
    let data = group(1).member_auth(&account(2).id(), MEMBER_RIGHTS).unwrap();
    let check =
        |group_byte, member| data.check(&group(group_byte).id(), &account(member), Rights::READ);
    assert!(check(1, 2).is_ok());
    assert_eq!(check(1, 3).unwrap_err(), MemberAuthError::Signature);
    assert_eq!(check(4, 2).unwrap_err(), MemberAuthError::Signature);
    let person = data.check(&account(2).id(), &account(2), Rights::READ);
    assert_eq!(person.unwrap_err(), MemberAuthError::Signature);
    let deleting = data.check(&group(1).id(), &account(2), Rights::DELETE);
    assert_eq!(deleting.unwrap_err(), MemberAuthError::Rights);
    assert_eq!(UncheckedMemberAuth::from_bytes(&[0; 99]).unwrap_err(), MemberAuthError::Length);
    assert!(group(1).member_auth(&group(4).id(), MEMBER_RIGHTS).is_err());
}

#[test]
fn a_member_has_another_key_in_every_group_and_none_shows_the_id() {
    let member = account(2).id();
    let here = group(1).token(&member, MEMBER_RIGHTS).unwrap();
    let there = group(4).token(&member, MEMBER_RIGHTS).unwrap();
    assert_ne!(here.key(), there.key());
    assert_ne!(VerifyingKey::from_bytes(here.key()).to_x25519().unwrap(), member.x25519());
}

#[test]
fn a_node_lets_an_admin_do_what_no_member_may() {
    let group = group(1);
    let auth = group.authorise(b"delete_all1").unwrap();
    assert_eq!(auth::verify_owner(&group.id(), &auth, b"delete_all1"), Ok(()));
    let data = group.member_auth(&account(2).id(), MEMBER_RIGHTS).unwrap();
    let member = data.check(&group.id(), &account(2), MEMBER_RIGHTS).unwrap();
    let auth = member.authorise(b"delete_all1").unwrap();
    assert!(auth::verify_owner(&group.id(), &auth, b"delete_all1").is_err());
}

#[test]
fn a_node_carries_out_what_an_admin_orders_of_tokens_and_no_more() {
    let (group, now) = (group(1), 1_700_000_000_000);
    let members = [account(2).id(), account(3).id()];
    for again in [false, true] {
        let order = group.revocation(&members, MEMBER_RIGHTS, again, now).unwrap();
        let method = if again { "unrevoke_subaccount" } else { "revoke_subaccount" };
        assert_eq!(order.method(), method);
        let check = |order| CheckedOrder::check(order, now, Origin::Client, &[]);
        assert!(check(order.clone()).is_ok());
        let (OrderRequest::Revoke(mut request) | OrderRequest::Unrevoke(mut request)) = order
        else {
            panic!("an order on tokens");
        };
        assert_eq!(request.tokens, members.map(|id| group.token(&id, MEMBER_RIGHTS).unwrap()));
        request.tokens.pop();
        assert!(check(OrderRequest::Revoke(request)).is_err());
    }
    assert!(group.revocation(&[group.id()], MEMBER_RIGHTS, false, now).is_err());
}

proptest! {
    #[test]
    fn a_node_believes_a_member_until_the_token_is_revoked(
        group_seed: [u8; 32],
        seed: [u8; 32],
        text: Vec<u8>,
    ) {
        let group = Group::from_seed(Secret::from_slice(&group_seed).unwrap()).unwrap();
        let member = Account::from_seed32(Secret::from_slice(&seed).unwrap()).unwrap();
        let data = group.member_auth(&member.id(), MEMBER_RIGHTS).unwrap();
        let checked = data.check(&group.id(), &member, MEMBER_RIGHTS).unwrap();
        prop_assert_eq!(checked.as_bytes(), data.as_bytes());
        let auth = checked.authorise(&text).unwrap();
        let ask = |rights, revoked: &[_]| auth::verify(&group.id(), &auth, rights, &text, revoked);
        prop_assert_eq!(ask(MEMBER_RIGHTS, &[]), Ok(()));
        prop_assert!(ask(Rights::DELETE, &[]).is_err());
        let token = group.token(&member.id(), MEMBER_RIGHTS).unwrap();
        prop_assert!(ask(Rights::READ, &[token]).is_err());
    }

    #[test]
    fn any_hundred_bytes_are_refused(halves: [[u8; 25]; 4], seed: [u8; 32]) {
        let member = Account::from_seed32(Secret::from_slice(&seed).unwrap()).unwrap();
        let data = UncheckedMemberAuth::from_bytes(&halves.concat()).unwrap();
        prop_assert!(data.check(&group(1).id(), &member, Rights::READ).is_err());
    }
}
