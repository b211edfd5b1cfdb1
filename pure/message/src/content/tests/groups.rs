//! Checks that what an admin says is believed of an admin alone.

use proptest::prelude::*;
use warren_crypto::CryptoError;
use warren_crypto::ed25519::SigningKey;
use warren_wire::MessageName;

use super::super::admin::Unverified;
use super::super::group::*;
use super::*;

const NOW: Millis = 1_750_000_000_123;

fn admin(seed: u8) -> SigningKey {
    SigningKey::from_seed(Secret::take(&mut [seed; 32])).unwrap()
}

fn group_of(key: &SigningKey) -> AccountId {
    let mut bytes = vec![0x03];
    bytes.extend(key.verifying_key().as_bytes());
    AccountId::from_bytes(&bytes).unwrap()
}

fn invite(key: &SigningKey) -> Invite {
    let member_auth = Secret::take(&mut [9; MEMBER_AUTH_BYTES]);
    Invite { group: group_of(key), name: "Book club".to_owned(), member_auth }
}

fn names(count: usize) -> Vec<MessageName> {
    (0..count).map(|n| format!("{n:A>43}").parse().unwrap()).collect()
}

#[test]
fn the_signed_texts_are_those_of_session() {
    use super::super::admin::AdminClaim;
    let person = account(1).id();
    assert_eq!(InfoChange::Name("x".into()).signed_form(5), "INFO_CHANGE15");
    assert_eq!(InfoChange::Picture.signed_form(5), "INFO_CHANGE25");
    assert_eq!(InfoChange::Timer(60).signed_form(5), "INFO_CHANGE35");
    for (kind, text) in [
        (MemberChangeKind::Added { with_history: true }, "MEMBER_CHANGE15"),
        (MemberChangeKind::Removed, "MEMBER_CHANGE25"),
        (MemberChangeKind::Promoted, "MEMBER_CHANGE35"),
    ] {
        assert_eq!(MemberChange { kind, members: vec![person] }.signed_form(5), text);
    }
    let deletion = Deletion { members: vec![person], messages: names(2) };
    let expected = format!("DELETE_CONTENT5{person}{}{}", names(2)[0], names(2)[1]);
    assert_eq!(deletion.signed_form(5), expected);
}

#[test]
fn an_invitation_is_for_whom_it_was_written_at_the_time_it_says() {
    let (key, alice, bob) = (admin(1), account(1).id(), account(2).id());
    let signed = Unverified::invite(invite(&key), &key, &alice, NOW).unwrap();
    assert!(signed.clone().check_invite(&alice, NOW).is_ok());
    assert_eq!(signed.clone().check_invite(&bob, NOW).err(), Some(CryptoError));
    assert_eq!(signed.check_invite(&alice, NOW + 1).err(), Some(CryptoError));
    // The text under the signature, made by hand.
    let form = format!("INVITE{alice}{NOW}");
    let signature = key.sign(form.as_bytes()).unwrap();
    let signed = Unverified::new(invite(&key), &signature).unwrap();
    assert!(signed.check_invite(&alice, NOW).is_ok());
}

#[test]
fn nobody_invites_to_a_group_whose_key_they_lack() {
    let (key, alice) = (admin(1), account(1).id());
    let signed = Unverified::invite(invite(&key), &admin(2), &alice, NOW);
    assert_eq!(signed.err(), Some(CryptoError));
}

#[test]
fn a_change_is_believed_of_an_admin_of_that_group_alone() {
    let (key, other) = (admin(1), admin(2));
    let signed = Unverified::sign(InfoChange::Picture, &key, NOW).unwrap();
    let person = AccountId::person(&key.to_x25519().unwrap().public_key());
    assert_eq!(signed.clone().check(&group_of(&key), NOW), Ok(InfoChange::Picture));
    assert_eq!(signed.clone().check(&group_of(&key), NOW - 1), Err(CryptoError));
    assert_eq!(signed.clone().check(&group_of(&other), NOW), Err(CryptoError));
    assert_eq!(signed.check(&person, NOW), Err(CryptoError));
}

#[test]
fn an_admin_deletes_anyones_messages_and_a_member_their_own() {
    let (key, alice) = (admin(1), account(1).id());
    let deletion = Deletion { members: vec![alice], messages: names(1) };
    let signed = Unverified::sign(deletion.clone(), &key, NOW).unwrap();
    let by_admin = UncheckedDeletion::ByAdmin(signed);
    let checked = CheckedDeletion::ByAdmin(deletion.clone());
    assert_eq!(by_admin.clone().check(&group_of(&key), NOW), Ok(checked));
    assert_eq!(by_admin.check(&group_of(&admin(2)), NOW), Err(CryptoError));
    let by_author = UncheckedDeletion::ByAuthor(deletion);
    let checked = CheckedDeletion::ByAuthor(names(1));
    assert_eq!(by_author.check(&group_of(&key), NOW), Ok(checked));
}

#[test]
fn a_signature_of_another_length_makes_the_message_unknown() {
    let change = proto::GroupUpdateInfoChange {
        r#type: Some(2),
        admin_signature: Some(vec![1; 63]),
        ..Default::default()
    };
    let update = proto::GroupUpdateMessage { info_change: Some(change), ..Default::default() };
    assert_unknown(&data(proto::DataMessage {
        group_update_message: Some(update),
        ..Default::default()
    }));
}

/// Any group update, signed where one is.
pub(super) fn update() -> impl Strategy<Value = GroupUpdate> {
    let sign = |change| Unverified::sign(change, &admin(1), NOW).unwrap();
    let info = prop_oneof![
        any::<String>().prop_map(InfoChange::Name),
        Just(InfoChange::Picture),
        any::<u32>().prop_map(InfoChange::Timer),
    ];
    let kind = prop_oneof![
        any::<bool>().prop_map(|with_history| MemberChangeKind::Added { with_history }),
        Just(MemberChangeKind::Removed),
        Just(MemberChangeKind::Promoted),
    ];
    let members = || proptest::collection::vec(id(), 0..4);
    let deletion = (members(), 0_usize..4)
        .prop_map(|(members, count)| Deletion { members, messages: names(count) });
    prop_oneof![
        id().prop_map(|person| {
            let key = admin(1);
            GroupUpdate::Invite(Unverified::invite(invite(&key), &key, &person, NOW).unwrap())
        }),
        (any::<[u8; 32]>(), any::<String>()).prop_map(|(mut seed, name)| {
            GroupUpdate::Promote(Promote { seed: Secret::take(&mut seed), name })
        }),
        info.prop_map(move |change| GroupUpdate::InfoChange(sign(change))),
        (kind, members()).prop_map(|(kind, members)| {
            let change = MemberChange { kind, members };
            GroupUpdate::MemberChange(Unverified::sign(change, &admin(1), NOW).unwrap())
        }),
        Just(GroupUpdate::MemberLeft),
        any::<bool>().prop_map(|approved| GroupUpdate::InviteResponse { approved }),
        (deletion, any::<bool>()).prop_map(|(deletion, by_admin)| {
            GroupUpdate::DeleteContent(if by_admin {
                let signed = Unverified::sign(deletion, &admin(1), NOW).unwrap();
                UncheckedDeletion::ByAdmin(signed)
            } else {
                UncheckedDeletion::ByAuthor(deletion)
            })
        }),
        Just(GroupUpdate::MemberLeftNotification),
    ]
}
