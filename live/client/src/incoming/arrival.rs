//! What an opened message means for this device: a row, a change of one, or something that passes.

use warren_crypto::hash::blake2b;
use warren_message::content::data::{Data, What};
use warren_message::content::mention::mentions;
use warren_message::content::notice::{CallStep, Extraction, Receipt, Typing};
use warren_message::content::profile::Profile;
use warren_message::content::reaction::Reaction;
use warren_message::content::share::ShareMessage;
use warren_message::content::tripwire::TripwireMessage;
use warren_message::content::visible::Visible;
use warren_message::expiration::{Expiration, Mode};
use warren_message::{Content, Kind};
use warren_wire::limits::SECOND;
use warren_wire::{AccountId, AccountKind, MessageHash, Millis};

use super::files;
use crate::database::tombstones::TOMBSTONE_LIFE;
use crate::database::{
    self, Change, Details, Direction, Expiry, ExpiryMode, Fetched, Preview, Quote, Signal,
};
use crate::notice::{Notice, TimerMode};

/// The most messages that one receipt tells of.
pub(crate) const MOST_RECEIPTS: usize = 256;

/// How far the clock of an author may be ahead of this one's: nodes take nothing from the future.
const MOST_AHEAD: Millis = 300 * SECOND;

/// The time that a message counts as written at: what its author says, or where that is in the
/// future, when it was stored, which is the same on all of the owner's devices. So nobody holds the
/// last place in a conversation, or has read what is to come. `None` for what is too old to come
/// for the first time: deleted by now and forgotten to be, it was stored again.
pub(crate) fn time_of(author_says: Millis, stored: Millis, received_at: Millis) -> Option<Millis> {
    if author_says < received_at.saturating_sub(TOMBSTONE_LIFE) {
        return None;
    }
    if author_says <= received_at.saturating_add(MOST_AHEAD) {
        return Some(author_says);
    }
    Some(stored.min(received_at))
}

/// A message that was opened and whose sender is proven.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Its name in the mailbox it came from.
    pub(crate) hash: MessageHash,
    /// Where it belongs.
    pub(crate) conversation: AccountId,
    /// Who signed it.
    pub(crate) author: AccountId,
    /// When they did, see [`time_of`].
    pub(crate) timestamp: Millis,
    /// When it came here.
    pub(crate) received_at: Millis,
    /// What it says.
    pub(crate) content: Content,
    /// The same as it was signed.
    pub(crate) raw: Vec<u8>,
}

/// What comes of it.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// A row; and whether it says, where it is new, that its author wants the owner's messages.
    Message(Box<Fetched>, bool),
    /// Something done to a row.
    Signal(Signal),
    /// Somebody types, or stopped.
    Typing {
        /// Where.
        conversation: AccountId,
        /// Who.
        author: AccountId,
        /// Whether they type.
        typing: bool,
        /// When they said so.
        time: Millis,
    },
    /// Something about shares of recovery words.
    Share(Box<Opened>, ShareMessage),
    /// Something about friends who can wipe a device.
    Tripwire(Box<Opened>, TripwireMessage),
    /// Something about a group, for whoever looks after groups.
    Group(Box<Opened>),
    /// What somebody looks like, as of when they wrote.
    Looks {
        /// Where they wrote.
        conversation: AccountId,
        /// Who.
        author: AccountId,
        /// Their picture; `None` where they have none.
        picture: Option<database::Picture>,
        /// When.
        timestamp: Millis,
    },
}

impl Arrival {
    /// Who had it happen, outside of groups, where whoever is blocked is still heard.
    pub(crate) fn direct_author(&self) -> Option<&AccountId> {
        let (conversation, author) = match self {
            Self::Message(message, _) => (Some(&message.conversation), &message.author),
            Self::Signal(signal) => (signal.conversation.as_ref(), &signal.sender),
            Self::Typing { conversation, author, .. } => (Some(conversation), author),
            Self::Share(opened, _) | Self::Tripwire(opened, _) | Self::Group(opened) => {
                (Some(&opened.conversation), &opened.author)
            }
            Self::Looks { conversation, author, .. } => (Some(conversation), author),
        };
        let in_group = conversation.is_some_and(|id| id.kind() == AccountKind::Group);
        (!in_group).then_some(author)
    }
}

/// What comes of an opened message for the owner `own`.
pub(crate) fn arrivals(own: &AccountId, opened: Opened) -> Vec<Arrival> {
    // Whoever writes is made known first.
    let looks = looks(own, &opened);
    let mut arrivals = said(own, opened);
    arrivals.extend(looks);
    arrivals
}

fn looks(own: &AccountId, opened: &Opened) -> Option<Arrival> {
    let profile = profile(opened).filter(|_| opened.author != *own)?;
    let picture = profile.picture.as_ref().map(|picture| database::Picture {
        url: picture.url().to_owned(),
        key: picture.key().expose().to_vec().into(),
    });
    let (conversation, author, timestamp) = (opened.conversation, opened.author, opened.timestamp);
    Some(Arrival::Looks { conversation, author, picture, timestamp })
}

fn said(own: &AccountId, opened: Opened) -> Vec<Arrival> {
    let from_other = opened.author != *own;
    match &opened.content.kind {
        Kind::Data(data) => match &data.what {
            What::Visible(visible) => vec![row(own, &opened, text(visible), details(own, visible))],
            What::Edit(edit) => {
                let change = Change::Edit(edit.body.as_str().to_owned());
                vec![signal(&opened, opened.author, edit.original, change)]
            }
            What::Reaction(reaction) => vec![react(&opened, reaction)],
            What::TimerUpdate => vec![timer(own, &opened)],
            What::Invitation(invitation) => {
                let (url, name) = (invitation.url().to_owned(), invitation.name().to_owned());
                vec![notice(own, &opened, &Notice::Community { url, name })]
            }
            What::Group(_) => vec![Arrival::Group(Box::new(opened))],
        },
        Kind::Typing(typing) => {
            let typing = *typing == Typing::Started;
            let (conversation, author, time) =
                (opened.conversation, opened.author, opened.timestamp);
            vec![Arrival::Typing { conversation, author, typing, time }]
        }
        Kind::Receipt(receipt) if from_other => read(own, &opened, receipt),
        Kind::Unsend(unsend) => {
            // Its copy for one's own devices does not say where the message was.
            let conversation = from_other.then_some(opened.conversation);
            let signal = signal_at(&opened, unsend.author, unsend.message, Change::Delete);
            vec![Arrival::Signal(Signal { conversation, ..signal })]
        }
        Kind::RequestResponse(response) if from_other && response.approved => {
            vec![notice(own, &opened, &Notice::RequestAccepted)]
        }
        Kind::Extraction(extraction) if from_other => {
            let what = match extraction {
                Extraction::Screenshot => Notice::Screenshot,
                Extraction::MediaSaved(_) => Notice::FileSaved,
            };
            vec![notice(own, &opened, &what)]
        }
        Kind::Call(call) if from_other && call.step == CallStep::PreOffer => {
            vec![notice(own, &opened, &Notice::Call)]
        }
        Kind::Share(share) if from_other && opened.conversation == opened.author => {
            let share = share.clone();
            vec![Arrival::Share(Box::new(opened), share)]
        }
        Kind::Tripwire(tripwire) if opened.conversation == opened.author => {
            let tripwire = tripwire.clone();
            vec![Arrival::Tripwire(Box::new(opened), tripwire)]
        }
        Kind::Unknown(unknown) => {
            let content = database::Content::Unknown(unknown.raw().to_vec());
            vec![row(own, &opened, content, Details::default())]
        }
        Kind::Receipt(_)
        | Kind::RequestResponse(_)
        | Kind::Extraction(_)
        | Kind::Call(_)
        | Kind::Share(_)
        | Kind::Tripwire(_)
        | Kind::Config(_) => Vec::new(),
    }
}

fn text(visible: &Visible) -> database::Content {
    let body = visible.body().map(|body| body.as_str().to_owned());
    database::Content::Text(body.unwrap_or_default())
}

fn details(own: &AccountId, visible: &Visible) -> Details {
    let quote = visible.quote().map(|quote| Quote {
        author: quote.author,
        timestamp: quote.to,
        text: quote.text.clone(),
    });
    let preview = visible.previews().first().map(|preview| Preview {
        url: preview.url().to_owned(),
        title: preview.title.clone().unwrap_or_default(),
    });
    let body = visible.body().map_or("", |body| body.as_str());
    let named = mentions(body).any(|mention| mention.account == *own);
    let answers_me = quote.as_ref().is_some_and(|quote| quote.author == *own);
    let mentions_me = named || answers_me;
    Details { quote, preview, mentions_me, expiry: None, attachments: files::of(visible) }
}

/// How long a message lives, in the database's words.
pub(crate) fn expiry(expiration: Option<Expiration>) -> Option<Expiry> {
    expiration.map(|expiration| Expiry {
        mode: match expiration.mode {
            Mode::AfterRead => ExpiryMode::AfterRead,
            Mode::AfterSend => ExpiryMode::AfterSend,
        },
        seconds: expiration.timer.as_seconds(),
    })
}

fn row(own: &AccountId, opened: &Opened, content: database::Content, details: Details) -> Arrival {
    let direction = if opened.author == *own { Direction::Outgoing } else { Direction::Incoming };
    let fetched = Fetched {
        hash: opened.hash,
        fingerprint: fingerprint(opened),
        conversation: opened.conversation,
        author: opened.author,
        direction,
        content,
        details: Details { expiry: expiry(opened.content.expiration), ..details },
        sender_name: profile(opened)
            .and_then(|profile| Some(profile.name.as_ref()?.as_str().to_owned())),
        timestamp: opened.timestamp,
        received_at: opened.received_at,
    };
    // Who writes to somebody wants to be written to.
    let approves =
        fetched.direction == Direction::Incoming && fetched.conversation == fetched.author;
    Arrival::Message(Box::new(fetched), approves)
}

/// What the author signed, in 32 bytes.
fn fingerprint(opened: &Opened) -> [u8; 32] {
    blake2b(&[opened.author.as_bytes(), &opened.raw]).unwrap_or_default()
}

/// What the sender wishes to be called and to look like.
pub(crate) fn profile(opened: &Opened) -> Option<&Profile> {
    match &opened.content.kind {
        Kind::Data(data) => {
            let Data { profile, .. } = &**data;
            profile.as_ref()
        }
        Kind::RequestResponse(response) => response.profile.as_ref(),
        _ => None,
    }
}

/// The row of something that happened.
pub(crate) fn notice(own: &AccountId, opened: &Opened, notice: &Notice) -> Arrival {
    let content = database::Content::Control(notice.to_json());
    row(own, opened, content, Details::default())
}

/// Each side decides for its own messages, and the owner's devices agree on it in the configuration:
/// the message tells people.
fn timer(own: &AccountId, opened: &Opened) -> Arrival {
    let expiry = expiry(opened.content.expiration);
    let what = Notice::Timer {
        mode: expiry.map(|expiry| TimerMode::from(expiry.mode)),
        seconds: expiry.map_or(0, |expiry| expiry.seconds),
    };
    notice(own, opened, &what)
}

fn react(opened: &Opened, reaction: &Reaction) -> Arrival {
    let emoji = reaction.emoji.as_str().to_owned();
    let change = if reaction.removed { Change::Unreact(emoji) } else { Change::React(emoji) };
    signal(opened, reaction.author, reaction.to, change)
}

fn read(own: &AccountId, opened: &Opened, receipt: &Receipt) -> Vec<Arrival> {
    let messages = receipt.messages.iter().filter(|_| receipt.read);
    messages
        .take(MOST_RECEIPTS)
        .map(|message| signal(opened, *own, *message, Change::Read))
        .collect()
}

fn signal(opened: &Opened, author: AccountId, timestamp: Millis, change: Change) -> Arrival {
    Arrival::Signal(signal_at(opened, author, timestamp, change))
}

fn signal_at(opened: &Opened, author: AccountId, timestamp: Millis, change: Change) -> Signal {
    Signal {
        conversation: Some(opened.conversation),
        author,
        timestamp,
        sender: opened.author,
        sent_at: opened.timestamp,
        change,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 100 * TOMBSTONE_LIFE;

    #[test]
    fn a_message_from_the_future_counts_as_written_when_it_was_stored() {
        assert_eq!(time_of(u64::MAX, NOW - 7, NOW), Some(NOW - 7));
        assert_eq!(time_of(1 << 62, u64::MAX, NOW), Some(NOW));
        assert_eq!(time_of(NOW + MOST_AHEAD + 1, NOW, NOW), Some(NOW));
    }

    #[test]
    fn a_clock_a_little_ahead_is_believed_and_so_is_the_past() {
        for said in [NOW, NOW + MOST_AHEAD, NOW - 1, NOW - TOMBSTONE_LIFE] {
            assert_eq!(time_of(said, 0, NOW), Some(said));
        }
    }

    #[test]
    fn what_is_older_than_the_memory_of_deletions_is_passed_over() {
        assert_eq!(time_of(NOW - TOMBSTONE_LIFE - 1, NOW, NOW), None);
        assert_eq!(time_of(0, NOW, NOW), None);
    }
}
