//! What can be typed about conversations.

use clap::{Args, Subcommand, ValueEnum};

/// `warren conversations ...`
#[derive(Debug, Args)]
#[command(after_help = CONVERSATIONS_HELP)]
pub struct ConversationsArgs {
    /// What to do; nothing lists the inbox
    #[command(subcommand)]
    pub command: Option<ConversationsCommand>,
}

const CONVERSATIONS_HELP: &str = "\
Somebody you have not accepted writes to your requests: accept, decline, or `warren contacts block`.

Examples:
  warren conversations
  warren conversations list requests
  warren conversations accept 05aa65...5aa74
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
    Decline(ConversationArg),
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
