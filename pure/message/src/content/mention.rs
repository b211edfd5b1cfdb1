//! Who is named in a text: `@` and an Account ID of 66 hex digits, anywhere in it.

use std::ops::Range;

use warren_wire::{AccountId, AccountKind};

/// What stands before a mentioned id.
const MARK: char = '@';
/// Hex digits of an id.
const ID_DIGITS: usize = 66;
/// The prefixes of people in communities, where they go by blinded ids.
const BLINDED: [u8; 2] = [0x15, 0x25];

/// A person named in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The bytes of the text that name them, with the `@`.
    pub range: Range<usize>,
    /// Who is meant.
    pub account: AccountId,
}

/// Who is named in `text`, in the order in which they are: persons, and blinded ones as well.
pub fn mentions(text: &str) -> impl Iterator<Item = Mention> + '_ {
    text.match_indices(MARK).filter_map(|(start, mark)| {
        let end = start + mark.len() + ID_DIGITS;
        let account: AccountId = text.get(start + mark.len()..end)?.parse().ok()?;
        let person = match account.kind() {
            AccountKind::Person => true,
            AccountKind::Group => false,
            AccountKind::Other(prefix) => BLINDED.contains(&prefix),
        };
        person.then_some(Mention { range: start..end, account })
    })
}

/// How to name `account` in a text.
pub fn mention(account: &AccountId) -> String {
    format!("{MARK}{account}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_entropy::account;

    #[test]
    fn people_are_found_where_they_are_named() {
        let (alice, bob) = (account(1).id(), account(2).id());
        let text = format!("ß {}, {}!", mention(&alice), mention(&bob));
        let found: Vec<_> = mentions(&text).collect();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].account, found[1].account), (alice, bob));
        assert_eq!(text[found[1].range.clone()], mention(&bob));
    }

    #[test]
    fn what_is_no_persons_id_is_text() {
        let id = account(1).id().to_string();
        let group = format!("@03{}", &id[2..]);
        for text in ["@", "@05", "bob@example.org", "@ß", &id, &format!("@{}", &id[..65]), &group]
        {
            assert_eq!(mentions(text).count(), 0, "{text}");
        }
        assert_eq!(mentions(&format!("@15{}", &id[2..])).count(), 1);
    }

    proptest! {
        #[test]
        fn a_mention_lies_within_its_text(text in "[@0-9a-fß]{0,300}") {
            for found in mentions(&text) {
                prop_assert_eq!(text.get(found.range).map(str::to_lowercase), Some(mention(&found.account)));
            }
        }
    }
}
