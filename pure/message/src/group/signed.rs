//! The exact texts that a group's admins sign with the group's key, so that members believe a change.
//!
//! They stand in a `GroupUpdateMessage` beside the change; the time is that of the message
//! (`sigTimestamp` of its content). Source: session-desktop `groupSignature.ts`, `group_v2/to_group/`.

use warren_wire::{AccountId, Millis};

/// What an admin signs to invite `member`.
pub fn invite(member: &AccountId, timestamp: Millis) -> String {
    format!("INVITE{member}{timestamp}")
}

/// What an admin signs for a change of name (1), picture (2) or disappearing messages (3).
pub fn info_change(kind: i32, timestamp: Millis) -> String {
    format!("INFO_CHANGE{kind}{timestamp}")
}

/// What an admin signs for members added (1), removed (2) or promoted (3).
pub fn member_change(kind: i32, timestamp: Millis) -> String {
    format!("MEMBER_CHANGE{kind}{timestamp}")
}

/// What an admin signs to delete all messages of `members` and those named by `hashes`.
pub fn delete_content(
    timestamp: Millis,
    members: &[AccountId],
    hashes: &[impl ToString],
) -> String {
    let mut text = format!("DELETE_CONTENT{timestamp}");
    text.extend(members.iter().map(ToString::to_string));
    text.extend(hashes.iter().map(ToString::to_string));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_those_that_other_clients_check() {
        let member: AccountId = format!("05{}", "ab".repeat(32)).parse().unwrap();
        assert_eq!(invite(&member, 17), format!("INVITE05{}17", "ab".repeat(32)));
        assert_eq!(info_change(3, 17), "INFO_CHANGE317");
        assert_eq!(member_change(2, 17), "MEMBER_CHANGE217");
        assert_eq!(
            delete_content(17, &[member], &["x", "yz"]),
            format!("DELETE_CONTENT1705{}xyz", "ab".repeat(32))
        );
    }
}
