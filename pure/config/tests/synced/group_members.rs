//! Who is in a group (libsession's test_group_members).

use warren_config::{
    ConfigError, GroupMembers, Member, MemberStatus, ProfilePicture, Removal, Sending, Signing,
    Synced,
};
use warren_wire::Namespace;

use super::*;

fn members(keys: &str) -> GroupMembers {
    let mut members = GroupMembers::new(Signing::Sign(group_key())).unwrap();
    for digit in keys.chars() {
        members.config_mut().add_key(secret(&digit.to_string().repeat(64)), false);
    }
    members
}

fn who(number: u8) -> AccountId {
    id(&format!("05{}", hex::encode([number; 32])))
}

fn picture(number: u8) -> Option<ProfilePicture> {
    let url = format!("http://example.com/{number}");
    Some(ProfilePicture { url, key: secret(&"abcd".repeat(16)) })
}

const fn invited(invitation: Sending, sending: bool) -> MemberStatus {
    MemberStatus::Invited { invitation, sending }
}

const fn promoted(promotion: Sending) -> MemberStatus {
    MemberStatus::Promoted { promotion, sending: false }
}

#[test]
fn members_come_and_go_as_published() {
    let (mut one, mut two) = (members("a"), members("bacd"));
    assert_eq!(one.namespace(), Namespace::new(14));
    for number in 0..25 {
        let mut member = one.get_or_new(&who(number));
        if number < 10 {
            member.promote(None);
            member.name = format!("Admin {number}");
        } else if number < 20 {
            member.name = format!("Member {number}");
        }
        member.picture = picture(number).filter(|_| number < 20);
        one.set(&member).unwrap();
    }
    let first = pushed(&mut one, "fakehash1");
    assert_eq!((first.messages.len(), first.messages[0].len()), (1, 768));
    merged(&mut two, &[("fakehash1", &first)]);
    assert_eq!(two.len(), 25);
    for (number, member) in (0..).zip(two.iter()) {
        assert_eq!((member.id, member.admin), (who(number), number < 10));
        assert_eq!(member.picture, picture(number).filter(|_| number < 20));
        let sending = invited(Sending::NotSent, true);
        let not_sent = invited(Sending::NotSent, false);
        let admin = MemberStatus::Admin;
        assert_eq!(two.status(&member), if number < 10 { admin } else { not_sent });
        assert_eq!(one.status(&member), if number < 10 { admin } else { sending });
    }

    for number in 22..66 {
        let mut member = two.get_or_new(&who(number));
        match number {
            22..50 => member.name = format!("Member {number}"),
            50..55 => member.invitation = Some(Sending::Sent),
            55..58 => member.invitation = Some(Sending::Failed),
            58..60 => member.promote(Some(Sending::Sent)),
            60..62 => member.promote(Some(Sending::Failed)),
            62..64 => member.remove(Removal::Member),
            _ => member.remove(Removal::WithMessages),
        }
        member.supplement = (50..58).contains(&number) && number % 2 == 1;
        two.set(&member).unwrap();
    }
    let second = pushed(&mut two, "fakehash2");
    let both = [("fakehash1", &first), ("fakehash2", &second)];
    assert_eq!(merged(&mut one, &both), set(["fakehash1"]));
    one.config_mut().add_key(secret(&"b".repeat(64)), true);
    assert_eq!(merged(&mut one, &both), set(["fakehash1", "fakehash2"]));
    assert_eq!(one.len(), 66);
    for (number, member) in (0..).zip(one.iter()) {
        let expected = match number {
            0..10 => MemberStatus::Admin,
            10..25 => invited(Sending::NotSent, true),
            25..50 => invited(Sending::NotSent, false),
            50..55 => invited(Sending::Sent, false),
            55..58 => invited(Sending::Failed, false),
            58..60 => promoted(Sending::Sent),
            60..62 => promoted(Sending::Failed),
            62..64 => MemberStatus::Removed(Removal::Member),
            _ => MemberStatus::Removed(Removal::WithMessages),
        };
        assert_eq!((member.id, one.status(&member)), (who(number), expected), "{number}");
        assert_eq!(member.supplement, (50..58).contains(&number) && number % 2 == 1);
    }
    assert_eq!(one.get(&who(23)).unwrap().name, "Member 23");

    let mut accepted = one.get(&who(51)).unwrap();
    accepted.accept_invitation();
    one.set(&accepted).unwrap();
    let mut admin = one.get(&who(58)).unwrap();
    admin.promote(None);
    one.set(&admin).unwrap();
    for number in [2, 13, 61] {
        assert!(one.erase(&who(number)).unwrap());
    }
    let third = pushed(&mut one, "fakehash3");
    assert_eq!(merged(&mut two, &[("fakehash3", &third)]), set(["fakehash3"]));
    assert_eq!(two.len(), 63);
    assert_eq!(two.status(&two.get(&who(51)).unwrap()), MemberStatus::Member);
    assert_eq!(two.status(&two.get(&who(58)).unwrap()), MemberStatus::Admin);
    assert!(!two.get(&who(51)).unwrap().supplement && two.get(&who(13)).is_none());
}

#[test]
fn whom_this_device_is_inviting_it_knows_after_a_restart() {
    let mut one = members("a");
    let (invited, mut promoted) = (Member::new(who(0)), Member::new(who(1)));
    promoted.promote(Some(Sending::NotSent));
    one.set(&invited).unwrap();
    one.set(&promoted).unwrap();
    let dump = one.dump(NOW).unwrap();
    let published = format!("1:+d16:pending_send_idsl66:{}66:{}eee", who(0), who(1));
    assert!(dump.escape_ascii().to_string().ends_with(&published));
    let two = GroupMembers::load(Signing::Sign(group_key()), &dump, NOW).unwrap();
    let sending = MemberStatus::Promoted { promotion: Sending::NotSent, sending: true };
    assert_eq!(two.status(&promoted), sending);
    assert!(two.is_pending(&who(0)));
    promoted.promotion = Some(Sending::Sent);
    one.set(&promoted).unwrap();
    assert!(!one.is_pending(&who(1)) && one.is_pending(&who(0)));
}

#[test]
fn every_field_of_a_member_has_the_key_that_other_clients_use() {
    let mut one = members("a");
    one.set(&Member {
        name: "n".to_owned(),
        picture: Some(ProfilePicture { url: "u".to_owned(), key: secret(&"6b".repeat(32)) }),
        invitation: Some(Sending::Failed),
        removal: Some(Removal::WithMessages),
        supplement: true,
        ..Member::new(same("05", '4'))
    })
    .unwrap();
    let mut admin = Member::new(same("05", '5'));
    admin.promote(Some(Sending::Sent));
    one.set(&admin).unwrap();
    let push = one.push(NOW).unwrap();
    let plain = opened(&one, &push, &secret(&"a".repeat(64)));
    let data = format!(
        "1:&d1:md33:\\x05{}d1:Ii2e1:Ri2e1:n1:n1:p1:u1:q32:{}1:si1ee33:\\x05{}d1:Ai1e1:Pi1e1:n0:eee",
        "D".repeat(32),
        "k".repeat(32),
        "U".repeat(32)
    );
    assert!(plain.contains(&data), "{plain}");
}

#[test]
fn a_member_cannot_change_the_list() {
    let verify = Signing::Verify(group_key().verifying_key());
    let mut members = GroupMembers::new(verify).unwrap();
    assert_eq!(members.set(&Member::new(who(1))), Err(ConfigError::ReadOnly));
    assert!(!members.is_pending(&who(1)));
}
