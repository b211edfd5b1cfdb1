//! Which of several messages counts, or the message that joins them.
//!
//! 1. A message that another one lists among its lagged changes, or that is there twice, adds nothing.
//! 2. One that lies five or more behind the newest is too old.
//! 3. If one is left, it counts as it stands.
//! 4. Otherwise their changes, each once, are replayed in ascending order of (sequence number, hash)
//!    on the data of the greatest, each with the values of the greatest message that carries it. The
//!    result has the next sequence number. So all who merge the same messages get the same bytes.

use std::collections::BTreeMap;

use super::diff::{self, Diff};
use super::message::{Hash, LAG, Lagged, Message};
use super::tree::{Dict, prune};

/// What came of several messages.
pub(crate) enum Resolution {
    /// The message of this index includes all others that count.
    One(usize),
    /// None did; this one does.
    Merged(Box<Message>),
}

/// Resolves at least one message; `None` for none.
///
/// Whoever cannot sign where signatures are needed (`may_merge` false) takes the greatest.
pub(crate) fn resolve(messages: &[&Message], may_merge: bool) -> Option<Resolution> {
    let newest = messages.iter().map(|message| message.seqno).max()?;
    let mut counting: Vec<(usize, &Message)> = messages
        .iter()
        .enumerate()
        .filter(|(index, message)| {
            message.seqno + LAG > newest && !is_included(messages, *index, message)
        })
        .map(|(index, message)| (index, *message))
        .collect();
    counting.sort_by_key(|(_, message)| std::cmp::Reverse((message.seqno, message.hash)));
    match counting.as_slice() {
        [] => None,
        [(index, _)] => Some(Resolution::One(*index)),
        [(index, _), ..] if !may_merge => Some(Resolution::One(*index)),
        several => Some(Resolution::Merged(Box::new(join(several, newest + 1)))),
    }
}

fn is_included(messages: &[&Message], index: usize, message: &Message) -> bool {
    let at = (message.seqno, message.hash);
    messages.iter().enumerate().any(|(other_index, other)| {
        other_index != index
            && (other.lagged.contains_key(&at)
                || (other_index < index && (other.seqno, other.hash) == at))
    })
}

/// Joins messages that descend by (sequence number, hash).
fn join(messages: &[(usize, &Message)], seqno: i64) -> Message {
    let mut replay: BTreeMap<(i64, Hash), (&Dict, &Diff)> = BTreeMap::new();
    for (_, message) in messages {
        let own = ((message.seqno, message.hash), &message.diff);
        for (at, diff) in std::iter::once(own).chain(message.lagged.iter().map(|(at, d)| (*at, d)))
        {
            replay.entry(at).or_insert((&message.data, diff));
        }
    }
    let mut data = messages.first().map(|(_, message)| message.data.clone()).unwrap_or_default();
    let mut lagged = Lagged::new();
    for (at, (source, diff)) in replay {
        diff::apply(&mut data, diff, source);
        lagged.insert(at, diff.clone());
    }
    prune(&mut data);
    Message::merged(seqno, data, lagged)
}
