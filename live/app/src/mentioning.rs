//! Who is meant by `@name` in a text that a person typed: messages carry their ids.

use warren_message::content::mention::mention;
use warren_wire::{AccountId, AccountKind};

use crate::api::AccountApi;
use crate::api::groups::Members;
use crate::failure::Failure;

/// A text with the id of each person of the conversation whom it names by `@name`.
///
/// Nobody else is looked for: it would tell the others who else the owner knows. What the owner calls
/// somebody goes before what they call themselves, and a name that two of them took means nobody.
///
/// # Errors
/// Where the API fails.
pub async fn with_ids(
    account: &AccountApi,
    conversation: &str,
    text: &str,
) -> Result<String, Failure> {
    if !text.contains('@') {
        return Ok(text.to_owned());
    }
    let mut people = People::default();
    let id: AccountId = conversation.parse().map_err(|_| Failure::NoAccountId)?;
    if id.kind() == AccountKind::Group {
        let Members { members } = account.get(&format!("groups/{id}/members")).await?;
        for member in members {
            people.add(account, &member.account_id, member.name).await?;
        }
    } else {
        people.add(account, conversation, None).await?;
    }
    Ok(people.named_in(text))
}

/// The people of a conversation by their names.
#[derive(Default)]
struct People {
    /// As the owner calls them.
    given: Vec<(String, AccountId)>,
    /// As they call themselves.
    chosen: Vec<(String, AccountId)>,
}

impl People {
    async fn add(
        &mut self,
        account: &AccountApi,
        id: &str,
        in_group: Option<String>,
    ) -> Result<(), Failure> {
        let id: AccountId = id.parse().map_err(|_| Failure::NoAccountId)?;
        if id.to_string() == account.account.account_id {
            return Ok(());
        }
        let known = account.contact(&id).await?;
        let given = known.as_ref().and_then(|contact| contact.name.clone());
        let themselves = known.and_then(|contact| contact.calls_themselves);
        self.given.extend(given.map(|name| (name, id)));
        let mut chosen: Vec<_> = themselves.into_iter().chain(in_group).collect();
        chosen.dedup();
        self.chosen.extend(chosen.into_iter().map(|name| (name, id)));
        Ok(())
    }

    /// The text with ids in the place of names.
    fn named_in(&self, text: &str) -> String {
        let (mut written, mut from) = (String::with_capacity(text.len()), 0);
        for (at, mark) in text.match_indices('@') {
            let is_inside = text
                .get(..at)
                .and_then(|before| before.chars().next_back())
                .is_some_and(char::is_alphanumeric);
            let rest = text.get(at + mark.len()..).unwrap_or_default();
            let Some((id, length)) = self.at_start_of(rest).filter(|_| !is_inside) else {
                continue;
            };
            written.push_str(text.get(from..at).unwrap_or_default());
            written.push_str(&mention(&id));
            from = at + mark.len() + length;
        }
        written.push_str(text.get(from..).unwrap_or_default());
        written
    }

    /// Whose name a text begins with, and how many of its bytes that is.
    fn at_start_of(&self, text: &str) -> Option<(AccountId, usize)> {
        longest(&self.given, text).or_else(|| longest(&self.chosen, text))
    }
}

/// The person with the longest name that a text begins with, unless two have it.
fn longest(names: &[(String, AccountId)], text: &str) -> Option<(AccountId, usize)> {
    let found = names.iter().filter_map(|(name, id)| Some((length_in(name, text)?, *id)));
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(|(length, id)| (std::cmp::Reverse(*length), *id.as_bytes()));
    found.dedup();
    let (length, id) = found.first()?;
    let is_taken_twice = found.get(1).is_some_and(|(other, _)| other == length);
    (!is_taken_twice).then_some((*id, *length))
}

/// How many bytes of a text a name at its start takes, in whatever case; `None` where the text begins
/// otherwise, or with a longer word.
fn length_in(name: &str, text: &str) -> Option<usize> {
    let mut rest = text.chars();
    for expected in name.chars() {
        let found = rest.next()?;
        if !found.to_lowercase().eq(expected.to_lowercase()) {
            return None;
        }
    }
    let goes_on = rest.clone().next().is_some_and(|next| next.is_alphanumeric() || next == '_');
    (!goes_on && !name.is_empty()).then(|| text.len() - rest.as_str().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOB: &str = "05aa654f00fc39fc69fd0db829410ca38177d7732a8d2f0934ab3872ac56d5aa74";

    fn id(last: char) -> AccountId {
        format!("{}{last}", &BOB[..65]).parse().unwrap()
    }

    fn people() -> People {
        let given = vec![("Bob".to_owned(), id('1')), ("Bob B.".to_owned(), id('2'))];
        let chosen = [("bob", '3'), ("carol", '4'), ("carol", '5'), ("Ærø", '6')];
        let chosen = chosen.map(|(name, last)| (name.to_owned(), id(last))).to_vec();
        People { given, chosen }
    }

    #[test]
    fn people_are_found_by_the_longest_of_the_names_they_are_given() {
        let named = |text: &str| people().named_in(text);
        assert_eq!(named("hi @bob!"), format!("hi @{}!", id('1')));
        assert_eq!(named("@BOB B. and @ærø"), format!("@{} and @{}", id('2'), id('6')));
        assert_eq!(named("(@Bob)@bob"), format!("(@{})@{}", id('1'), id('1')));
    }

    #[test]
    fn what_names_nobody_alone_stays_as_it_was_typed() {
        for text in ["", "@", "@bobby", "@bob_1", "a@bob", "me@bob.example", "@dora", "@carol, hi"]
        {
            assert_eq!(people().named_in(text), text);
        }
        let by_id = format!("@{BOB}");
        assert_eq!(people().named_in(&by_id), by_id);
    }
}
