//! The engine of a person's device: encrypted database, outbox, inbox, network.
//!
//! Modules in the order in which a start of the program, and then a message, meets them.
//!
//! | module | what |
//! |---|---|
//! | [`vault`] | the home directory and the passphrase that opens it |
//! | [`database`] | the encrypted databases: one index, one per account |
//! | [`device`] | an unlocked home: its accounts and its network |
//! | [`messenger`] | one account at work |
//! | [`erasure`] | everything of an account taken out of its mailbox |
//! | [`duress`] | what a duress code has done in the network |
//! | [`clock`] | the time that messages live by |
//! | `mailbox` | what is asked of the swarm that keeps a mailbox |
//! | [`outgoing`] | saved, then sealed copies on their way, until a swarm has them |
//! | [`settings`] | what the owner sets |
//! | [`recovery`] | shares of recovery words, handed to friends and asked back |
//! | [`friends`] | friends who can wipe a device, and devices of friends |
//! | [`groups`] | groups: made, joined, led and left |
//! | `incoming` | fetched, opened, kept |
//! | `configs` | what the account's devices agree on |
//! | `disappearing` | what is due goes, here and from the swarm |
//! | [`notice`] | what stands between messages without being one |
//! | [`attachments`] | files: at rest, and on their way from and to a server |
//! | `network` | the list of nodes, guards, and how a request travels around what fails |
//! | [`update`] | whether there is a newer release, where somebody asks |
//! | [`backup`] | what of a device goes into a backup, and comes back |
//! | [`events`] | what changed, told to whoever listens |
//! | [`tripwire`] | what lets friends wipe the device, locked or not |
//! | [`notification`] | how soon the owner wants to hear |
//! | [`error`] | what went wrong, whose fault it is and what to do |

pub mod attachments;
pub mod backup;
pub mod clock;
mod configs;
pub mod database;
pub mod device;
mod disappearing;
pub mod duress;
pub mod erasure;
pub mod error;
pub mod events;
pub mod friends;
pub mod groups;
mod incoming;
mod mailbox;
pub mod messenger;
mod network;
pub mod notice;
pub mod notification;
pub mod outgoing;
pub mod pictures;
pub mod previews;
pub mod recovery;
pub mod settings;
pub mod tripwire;
pub mod update;
pub mod vault;

pub use clock::Clock;
pub use device::{AutoLock, Device};
pub use erasure::Erased;
pub use error::ClientError;
pub use events::{Event, Events, Listener, Notice};
pub use messenger::Messenger;
pub use network::road::PathInUse;
pub use notification::NotificationMode;
pub use outgoing::{DeleteFor, Delivery, Draft, DraftFile, Sent};
pub use previews::look::{DraftPreview, PreviewSetting};
pub use tripwire::{TripwireError, TripwireFile};
