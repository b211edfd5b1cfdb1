//! What can be typed about one message.

use clap::{Subcommand, ValueEnum};

/// Behind the help of `warren message`.
pub(super) const MESSAGE_HELP: &str = "\
`warren read --numbers` shows the number of each message on this device.

Exit code 3: it is done on this device, and told the others once the network can be reached.

Examples:
  warren read --all --numbers --from bob
  warren message edit 12 \"I meant nine\"
  warren message react 12 👍
  warren message delete 12 --for everyone
  warren message info 12 --json";

/// `warren message ...`
#[derive(Debug, Subcommand)]
pub enum MessageCommand {
    /// Everything known of a message: how far it got, who read it, what mailboxes keep of it
    Info(NumberArg),
    /// Give a message of your own another text
    Edit {
        /// Which
        #[command(flatten)]
        which: NumberArg,
        /// What it is to say
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// Put an emoji under a message
    React {
        /// Which
        #[command(flatten)]
        which: NumberArg,
        /// One emoji
        emoji: String,
    },
    /// Take an emoji back
    Unreact {
        /// Which
        #[command(flatten)]
        which: NumberArg,
        /// The emoji
        emoji: String,
    },
    /// Mark a message and all before it as read, on all your devices
    Read(NumberArg),
    /// Send a message that was given up again
    Resend(NumberArg),
    /// Delete a message
    Delete {
        /// Which
        #[command(flatten)]
        which: NumberArg,
        /// For whom
        #[arg(long = "for", value_name = "WHOM", default_value = "me")]
        whom: WhomArg,
    },
}

/// A message.
#[derive(Debug, clap::Args)]
pub struct NumberArg {
    /// Its number on this device
    pub number: i64,
}

/// For whom a message is deleted.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum WhomArg {
    /// On this device
    Me,
    /// On all your devices
    Devices,
    /// For everybody who has it; your own messages alone
    Everyone,
}
