//! What can be typed about conversations.

use clap::{Args, Subcommand, ValueEnum};

use crate::api::conversations::LONGEST_TIMER;

/// `warren conversations ...`
#[derive(Debug, Args)]
#[command(after_help = CONVERSATIONS_HELP)]
pub struct ConversationsArgs {
    /// What to do; nothing lists the inbox
    #[command(subcommand)]
    pub command: Option<ConversationsCommand>,
}

const CONVERSATIONS_HELP: &str = "\
Somebody you have not accepted writes to your requests: accept, decline, or `warren contacts
block`.

Examples:
  warren conversations
  warren conversations list requests
  warren conversations accept 05aa65...5aa74
  warren conversations decline 05aa65...5aa74 --block
  warren conversations timer bob 1d --after-read
  warren conversations timer bob --off
  warren conversations pin bob
  warren conversations mute bob --hours 8";

/// What to do with conversations.
#[derive(Debug, Subcommand)]
pub enum ConversationsCommand {
    /// List a part of them
    List {
        /// Which part
        #[arg(default_value = "inbox")]
        part: ListingArg,
    },
    /// Show it before the others
    Pin(ConversationArg),
    /// Show it in its turn again
    Unpin(ConversationArg),
    /// Hide it until somebody writes
    Hide(ConversationArg),
    /// Put it away
    Archive(ConversationArg),
    /// Bring it back
    Unarchive(ConversationArg),
    /// Tell nothing of it
    Mute {
        /// Which
        #[command(flatten)]
        which: ConversationArg,
        /// For so many hours; else for ever
        #[arg(long, value_name = "N")]
        hours: Option<u64>,
    },
    /// Tell of it again
    Unmute(ConversationArg),
    /// Mark all of it as read
    Read(ConversationArg),
    /// Accept a request
    Accept(ConversationArg),
    /// Decline a request; its author may ask again
    Decline {
        /// Which
        #[command(flatten)]
        which: ConversationArg,
        /// Block its author, too
        #[arg(long)]
        block: bool,
    },
    /// Have what you write disappear from here on, or stay; the other side is told
    Timer {
        /// Which
        #[command(flatten)]
        which: ConversationArg,
        /// How long it lives: 30s, 5m, 12h, 1d, 2w
        #[arg(value_name = "TIME", required_unless_present = "off", value_parser = duration)]
        time: Option<u32>,
        /// Count from reading; at your own devices, from sending
        #[arg(long, conflicts_with_all = ["after_send", "off"])]
        after_read: bool,
        /// Count from sending, as where neither is given
        #[arg(long, conflicts_with = "off")]
        after_send: bool,
        /// Let it stay
        #[arg(long, conflicts_with = "time")]
        off: bool,
    },
    /// Keep what you began to write; nothing shows it, an empty text forgets it
    Draft {
        /// Which
        #[command(flatten)]
        which: ConversationArg,
        /// The text
        text: Option<String>,
    },
    /// Say that you are typing, where `warren account typing` is on
    Typing {
        /// Which
        #[command(flatten)]
        which: ConversationArg,
        /// Say that you stopped
        #[arg(long)]
        stop: bool,
    },
    /// Say that you took a screenshot of it
    Screenshot(ConversationArg),
    /// Delete it with all its messages on this device
    Delete {
        /// Which
        #[command(flatten)]
        which: ConversationArg,
        /// Do it: nothing brings the messages back
        #[arg(long)]
        yes: bool,
    },
}

/// A conversation.
#[derive(Debug, Args)]
pub struct ConversationArg {
    /// A contact's name, an Account ID or a group's id
    pub with: String,
}

/// Which part of the conversations.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ListingArg {
    /// All but requests, archived and hidden ones
    Inbox,
    /// What was put away
    Archived,
    /// From people you have not accepted
    Requests,
    /// What was hidden
    Hidden,
    /// Everything
    All,
}

/// Seconds from `30s`, `5m`, `12h`, `1d` or `2w`.
pub(super) fn duration(text: &str) -> Result<u32, String> {
    let unit = text.chars().last().and_then(|unit| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(60 * 60),
        'd' => Some(24 * 60 * 60),
        'w' => Some(7 * 24 * 60 * 60),
        _ => None,
    });
    let number = text.get(..text.len().saturating_sub(1)).and_then(|digits| digits.parse().ok());
    let seconds = unit.zip(number).and_then(|(unit, number): (u32, u32)| number.checked_mul(unit));
    let seconds = seconds.filter(|seconds| (1..=LONGEST_TIMER).contains(seconds));
    seconds.ok_or_else(|| "a time is a number and s, m, h, d or w: at most 365d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(duration("30s"), Ok(30));
        assert_eq!(duration("2w"), Ok(1_209_600));
        for bad in ["", "d", "1", "0s", "1y", "366d", "99999999999s", "-1d", "1ß"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
