//! How people, times, nodes and counts are written.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use warren_wire::{AccountId, AccountKind, Millis};

use crate::api::contacts::{Contact, Found};
use crate::api::network::Hop;
use crate::failure::Failure;
use crate::terminal_text;

/// The most characters of a name.
const LONGEST_NAME: usize = 64;
/// The most bytes of a name, as Session's clients keep it.
const MOST_NAME_BYTES: usize = 100;

/// A person's Account ID.
///
/// # Errors
/// Where it is none, or another kind of account's.
pub fn person(text: &str) -> Result<AccountId, Failure> {
    text.trim().parse().ok().filter(is_person).ok_or(Failure::NoAccountId)
}

fn is_person(id: &AccountId) -> bool {
    id.kind() == AccountKind::Person
}

/// A name somebody chose for an account or a contact, checked.
///
/// # Errors
/// Where it could be mistaken for something else.
pub fn name(text: &str) -> Result<&str, Failure> {
    let name = text.trim();
    let fault = if name.is_empty() {
        "it is empty"
    } else if name.chars().count() > LONGEST_NAME {
        "it has more than 64 characters"
    } else if name.len() > MOST_NAME_BYTES {
        "it has more than 100 bytes"
    } else if name.chars().any(terminal_text::is_hostile) {
        "it holds characters that cannot be seen"
    } else if name.parse::<AccountId>().is_ok() {
        "it looks like an Account ID"
    } else {
        return Ok(name);
    };
    Err(Failure::Name(fault))
}

/// `05aa65...5aa74`: enough to recognise an id by, not enough to be sure.
pub fn short_id(id: &str) -> String {
    match (id.get(..6), id.get(id.len().saturating_sub(5)..)) {
        (Some(start), Some(end)) => format!("{start}...{end}"),
        _ => id.to_owned(),
    }
}

/// How a person is shown, safe for a terminal.
///
/// The owner's name for them stands alone. What somebody calls themselves stands with their id,
/// because anybody can call themselves anything.
pub fn person_shown(id: &str, contact: Option<&Contact>) -> String {
    let Some(contact) = contact else { return short_id(id) };
    match (&contact.name, &contact.calls_themselves) {
        (Some(name), _) => terminal_text::line(name),
        (None, None) => short_id(id),
        (None, Some(name)) => format!("{} ({})", terminal_text::line(name), short_id(id)),
    }
}

/// How a person or a group is shown, safe for a terminal.
///
/// A group's name is its admins' choice, so that it is always called a group.
pub fn shown(found: &Found) -> String {
    match &found.group {
        Some(name) => format!("group '{}'", terminal_text::line(name)),
        None => person_shown(&found.account_id, found.contact.as_ref()),
    }
}

/// Local time, to the second.
pub fn local_time(time: Millis) -> String {
    zoned(time).map_or_else(
        || "at no known time".to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// Local time with its offset, RFC 3339; null where the calendar ends before it.
pub fn json_time(time: Millis) -> Value {
    zoned(time)
        .map_or(Value::Null, |time| time.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string().into())
}

fn zoned(time: Millis) -> Option<jiff::Zoned> {
    let timestamp = Timestamp::from_millisecond(i64::try_from(time).ok()?).ok()?;
    Some(timestamp.to_zoned(TimeZone::system()))
}

/// Milliseconds since the Unix epoch.
pub fn now() -> Millis {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default()
}

/// A reason on one line, safe for a terminal, with a full stop where it lacks one.
pub fn sentence(reason: &str) -> String {
    let line = terminal_text::line(reason);
    if line.ends_with(['.', '?', '!']) { line } else { format!("{line}.") }
}

/// `1 message`, `2 messages`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// One line of a list of nodes, numbered from 1.
pub fn node_line(number: usize, node: &Hop, note: &str) -> String {
    let address = format!("{}:{}", node.ip, node.port);
    let id = node.node_id.get(..12).unwrap_or(&node.node_id);
    let line = format!("{number:>4}  {address:<21}  {id}  swarm {}  {note}", node.swarm_id);
    line.trim_end().to_owned()
}

/// The same for programs.
pub fn node_json(number: usize, node: &Hop) -> Value {
    json!({
        "number": number,
        "ip": node.ip,
        "port": node.port,
        "node_id": node.node_id,
        "swarm_id": node.swarm_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "05aa654f00fc39fc69fd0db829410ca38177d7732a8d2f0934ab3872ac56d5aa74";

    fn contact(calls_themselves: &str, name: Option<&str>) -> Contact {
        Contact {
            account_id: ID.to_owned(),
            name: name.map(str::to_owned),
            calls_themselves: Some(calls_themselves.to_owned()).filter(|name| !name.is_empty()),
            approved: true,
            blocked: false,
            picture: None,
        }
    }

    #[test]
    fn a_self_chosen_name_never_stands_alone() {
        let shown = |contact| person_shown(ID, Some(&contact));
        assert_eq!(shown(contact("Bob", Some("robert"))), "robert");
        assert_eq!(shown(contact("Bob", None)), "Bob (05aa65...5aa74)");
        assert_eq!(shown(contact("\u{1b}[2J", None)), "\\u{1b}[2J (05aa65...5aa74)");
        assert_eq!(shown(contact("", None)), "05aa65...5aa74");
        assert_eq!(person_shown(ID, None), "05aa65...5aa74");
    }

    #[test]
    fn names_that_mislead_are_refused() {
        assert_eq!(name(" bob ").unwrap(), "bob");
        for bad in ["", "  ", ID, "a\u{202e}b", "a\nb", &"x".repeat(65), &"ß".repeat(51)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn groups_and_half_ids_are_no_persons() {
        assert!(person(ID).is_ok());
        assert!(person(&ID.replacen("05", "03", 1)).is_err());
        assert!(person(&ID[..64]).is_err());
    }

    #[test]
    fn a_reason_ends_once() {
        assert_eq!(sentence("it broke"), "it broke.");
        assert_eq!(sentence("are you online?"), "are you online?");
    }

    #[test]
    fn a_time_beyond_the_calendar_is_no_error() {
        assert_eq!(local_time(u64::MAX), "at no known time");
        assert_eq!(json_time(u64::MAX), Value::Null);
        assert!(json_time(1_700_000_000_000).as_str().unwrap().starts_with("2023-11-1"));
    }
}
