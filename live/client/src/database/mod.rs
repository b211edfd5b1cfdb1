//! The encrypted databases of a person's device: one index, and one database for each account.
//!
//! Everything here is synchronous and knows no network. Times are arguments. Each public function
//! that changes something is one transaction on the disk when it returns, so a program killed
//! right after loses nothing it was told is kept. Several processes may have the same databases
//! open; a writer waits up to five seconds for another.
//!
//! | module | what |
//! |---|---|
//! | [`error`] | why a database refuses |
//! | `connection` | opening: key, durability, silence, migrations |
//! | `schema` | the tables, and every step that led to them |
//! | `column` | how ids, hashes, times and secrets lie in columns |
//! | [`index`] | settings, and which accounts live on this device |
//! | `stores` | the two stores of a home, and what neither claims |
//! | [`account`] | one account's database, opened |
//! | [`contacts`] | who is known by which name |
//! | [`messages`] | what was said, page by page |
//! | [`draft_files`] | files that wait for a message |
//! | [`details`] | what a message carries beside its words |
//! | [`attachments`] | files of messages, and where they lie |
//! | [`recording`] | messages that were fetched, each kept once |
//! | [`signals`] | reactions, receipts, edits and deletions, early ones too |
//! | [`reading`] | what the owner has seen |
//! | [`quotes`] | what answers quote |
//! | [`tombstones`] | deleting, and what stays deleted |
//! | [`outbox`] | messages the owner sends |
//! | [`jobs`] | what is still to be done in the network |
//! | [`conversations`] | the list of chats, kept by the database's own triggers |
//! | [`pictures`] | what people and groups look like |
//! | [`search`] | all messages by their words |
//! | [`expiry`] | messages that disappear |
//! | [`configs`] | the state of configuration messages; settings |
//! | [`groups`] | groups, and what lets the account act in them |
//! | [`shares`] | shares of recovery words: others', and who keeps the owner's |
//! | [`trusted`] | who can wipe this device |
//! | [`held_tripwires`] | whose devices the owner can wipe |
//! | [`upkeep`] | whether the database is whole, and how large |
//! | `dump` | a database as a stream, and back, for backups |
//! | [`census`] | what it holds, counted and hashed |
//! | `places` | which places of the tripwire are used |
//! | `restored` | what must not happen again when one comes back |
//! | [`network_state`] | cursors, the node list, guard and path |

pub mod account;
pub mod attachments;
pub mod census;
mod column;
pub mod configs;
mod connection;
pub mod contacts;
pub mod conversations;
pub mod details;
pub mod draft_files;
mod dump;
pub mod error;
pub mod expiry;
pub mod groups;
pub mod held_tripwires;
pub mod index;
pub mod jobs;
pub mod messages;
pub mod network_state;
pub mod outbox;
pub mod pictures;
pub(crate) mod places;
pub mod quotes;
pub mod reading;
pub mod recording;
mod restored;
mod schema;
pub mod search;
pub mod shares;
pub mod signals;
pub(crate) mod stores;
#[cfg(test)]
mod tests;
pub mod tombstones;
pub mod trusted;
pub mod upkeep;

pub use account::{AccountDb, Db, Tx};
pub use attachments::{
    Attachment, AttachmentId, AttachmentKind, AttachmentState, LocalFile, NewAttachment, Remote,
};
pub use census::Held;
pub use configs::ConfigState;
pub use contacts::{Contact, Picture};
pub use conversations::{Conversation, ListPosition, Listing, Notify, Setting};
pub use details::{Details, Expiry, ExpiryMode, Preview, Quote};
pub use draft_files::DraftFileId;
pub use dump::DumpError;
pub(crate) use dump::{Dump, Load};
pub use error::DatabaseError;
pub use expiry::Expired;
pub use groups::{Group, GroupState};
pub use held_tripwires::{HeldTripwire, Taking, WipeCode};
pub use index::{AccountEntry, AccountKeys, Index};
pub use jobs::{Job, JobId, Task};
pub use messages::{Content, Direction, Filter, Message, MessageId, MessageState, Page, Position};
pub use network_state::{CachedNodeList, Cursor, Guard, GuardTrouble, SavedPath};
pub use outbox::{DueCopy, NewOutgoing, OutboxId, Purpose, SealedCopy};
pub use pictures::KnownPicture;
pub use reading::Unread;
pub use recording::{Fetched, Recorded};
pub use search::{Hit, Search, SearchOrder, SearchPage, SearchPosition};
pub use shares::{GivenShare, HeldShare, KeptShare, ReturnedShare, ShareRequest};
pub use signals::{Applied, Change, Reaction, Receipt, Signal};
pub use trusted::{Standing, TrustedFriend, TrustedSet};
pub use upkeep::{Fault, Size};
