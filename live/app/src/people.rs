//! Whom a person means by what they typed, and how people and groups are shown.

use std::collections::HashMap;

use warren_message::content::mention::mentions;
use warren_wire::{AccountId, AccountKind};

use crate::api::AccountApi;
use crate::api::contacts::Found;
use crate::api::messages::Message;
use crate::failure::Failure;
use crate::terminal_text;
use crate::wording::{self, short_id};

/// Whom a person means by a contact's name or an Account ID.
///
/// # Errors
/// Where no contact fits.
pub async fn peer(account: &AccountApi, text: &str) -> Result<Found, Failure> {
    let found = account.find(text.trim()).await?;
    if kind(&found)? == AccountKind::Person { Ok(found) } else { Err(Failure::NoAccountId) }
}

/// Whom a message goes to: an Account ID, the owner's own name for a contact, or a group.
///
/// What somebody calls themselves is not enough: anybody could take a message that was meant for
/// somebody else of that name.
///
/// # Errors
/// Where no contact and no group fits.
pub async fn recipient(account: &AccountApi, text: &str) -> Result<Found, Failure> {
    let text = text.trim();
    let found = account.find(text).await?;
    match kind(&found)? {
        AccountKind::Group => return Ok(found),
        AccountKind::Person => {}
        AccountKind::Other(_) => return Err(Failure::NoAccountId),
    }
    let is_id = text.parse::<AccountId>().is_ok();
    if is_id || found.contact.as_ref().is_some_and(|contact| contact.name.is_some()) {
        return Ok(found);
    }
    Err(Failure::NotYourName { name: terminal_text::line(text), id: found.account_id })
}

/// The Account IDs of people, each named as a recipient is.
///
/// # Errors
/// Where one is nobody, or a group.
pub async fn all(account: &AccountApi, texts: &[String]) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    for text in texts {
        let found = recipient(account, text).await?;
        if kind(&found)? != AccountKind::Person {
            return Err(Failure::NoAccountId);
        }
        ids.push(found.account_id);
    }
    Ok(ids)
}

/// The id of the group that a name or an id means.
///
/// # Errors
/// Where there is none.
pub async fn group(account: &AccountApi, text: &str) -> Result<String, Failure> {
    let found = account.find(text.trim()).await.map_err(|failure| match failure {
        failure if failure.code() == "unknown_contact" => Failure::NoSuchGroup,
        failure => failure,
    })?;
    if kind(&found)? == AccountKind::Group {
        Ok(found.account_id)
    } else {
        Err(Failure::NoSuchGroup)
    }
}

fn kind(found: &Found) -> Result<AccountKind, Failure> {
    let id: AccountId = found.account_id.parse().map_err(|_| Failure::NoAccountId)?;
    Ok(id.kind())
}

/// How somebody is shown, looked up; safe for a terminal.
///
/// # Errors
/// Where the API fails.
pub async fn shown(account: &AccountApi, id: &str) -> Result<String, Failure> {
    Ok(wording::shown(&account.find(id).await?))
}

/// How people and groups are shown, each looked up once.
pub struct Names {
    account: AccountApi,
    known: HashMap<String, Found>,
}

/// A message's people, as they are shown.
#[derive(Debug, Default)]
pub struct Cast {
    /// The other side.
    pub conversation: Option<Found>,
    /// Everybody else by their ids: the author, who is answered, who is named.
    pub people: HashMap<String, String>,
}

impl Cast {
    /// The conversation.
    pub fn conversation(&self) -> String {
        self.conversation.as_ref().map(wording::shown).unwrap_or_default()
    }

    /// Whether it is a group.
    pub fn is_group(&self) -> bool {
        self.conversation.as_ref().is_some_and(|found| kind(found).ok() == Some(AccountKind::Group))
    }

    /// Somebody; by a short form of their id where they were not looked up.
    pub fn person(&self, id: &str) -> String {
        self.people.get(id).cloned().unwrap_or_else(|| terminal_text::line(&short_id(id)))
    }

    /// A text with names in the place of the ids that are mentioned in it. It is not yet safe for a
    /// terminal, the names in it are.
    pub fn with_names(&self, text: &str) -> String {
        let (mut shown, mut from) = (String::with_capacity(text.len()), 0);
        for mention in mentions(text) {
            let name = self.person(&mention.account.to_string());
            shown.push_str(text.get(from..mention.range.start).unwrap_or_default());
            shown.push('@');
            shown.push_str(&name);
            from = mention.range.end;
        }
        shown.push_str(text.get(from..).unwrap_or_default());
        shown
    }
}

impl Names {
    /// Nobody is known yet.
    pub fn new(account: AccountApi) -> Self {
        Self { account, known: HashMap::new() }
    }

    /// Everybody that a message needs to be shown.
    ///
    /// # Errors
    /// Where the API fails.
    pub async fn cast(&mut self, message: &Message) -> Result<Cast, Failure> {
        let mut ids = vec![message.author.clone()];
        ids.extend(message.quote.iter().map(|quote| quote.author.clone()));
        ids.extend(message.mentions.iter().cloned());
        let members = message.control.as_ref().and_then(|control| control.get("members"));
        let members = members.and_then(serde_json::Value::as_array).into_iter().flatten();
        ids.extend(members.filter_map(|id| id.as_str().map(str::to_owned)));
        let mut people = HashMap::new();
        for id in ids {
            let name = if id == self.account.account.account_id {
                "you".to_owned()
            } else if id.parse::<AccountId>().is_ok() {
                wording::shown(self.find(&id).await?)
            } else {
                continue;
            };
            people.insert(id, name);
        }
        let conversation = Some(self.find(&message.conversation).await?.clone());
        Ok(Cast { conversation, people })
    }

    async fn find(&mut self, id: &str) -> Result<&Found, Failure> {
        if !self.known.contains_key(id) {
            let found = self.account.find(id).await?;
            self.known.insert(id.to_owned(), found);
        }
        self.known.get(id).ok_or(Failure::NoAccountId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "05aa654f00fc39fc69fd0db829410ca38177d7732a8d2f0934ab3872ac56d5aa74";

    #[test]
    fn who_is_named_in_a_text_is_shown_by_name() {
        let mut cast = Cast::default();
        assert_eq!(cast.with_names(&format!("hi @{ID}!")), "hi @05aa65...5aa74!");
        cast.people.insert(ID.to_owned(), "bob".to_owned());
        assert_eq!(cast.with_names(&format!("@{ID}, @{ID} and @ß")), "@bob, @bob and @ß");
        assert_eq!(cast.with_names("nobody"), "nobody");
    }
}
