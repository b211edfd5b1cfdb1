//! What can be typed about contacts.

use clap::{Args, Subcommand};

/// `warren contacts ...`
#[derive(Debug, Args)]
#[command(after_help = CONTACTS_HELP)]
pub struct ContactsArgs {
    /// What to do with them; nothing lists them
    #[command(subcommand)]
    pub command: Option<ContactsCommand>,
}

const CONTACTS_HELP: &str = "\
The names are yours: nobody else sees them, and nobody can take the place of a contact by
calling themselves the same.

Examples:
  warren contacts
  warren contacts add 05aa65...5aa74 --name bob
  warren contacts rename bob robert
  warren contacts remove robert";

/// What to do with contacts.
#[derive(Debug, Subcommand)]
pub enum ContactsCommand {
    /// List them
    List,
    /// Give an Account ID a name
    Add {
        /// Their Account ID
        id: String,
        /// What you call them
        #[arg(long)]
        name: String,
    },
    /// Give a contact another name
    Rename {
        /// A contact's name or Account ID
        contact: String,
        /// The new name
        name: String,
    },
    /// Keep nothing of what somebody writes
    Block {
        /// A contact's name or Account ID
        contact: String,
    },
    /// Let somebody write again
    Unblock {
        /// A contact's name or Account ID
        contact: String,
    },
    /// Forget a contact; messages stay
    Remove {
        /// A contact's name or Account ID
        contact: String,
    },
}
