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
//! | [`account`] | one account's database, opened |
//! | [`contacts`] | who is known by which name |
//! | [`messages`] | what was said, page by page, and what is unread |
//! | [`recording`] | messages that were fetched, each kept once |
//! | [`tombstones`] | what was deleted on this device and stays so |
//! | [`outbox`] | what is still to be delivered |
//! | [`conversations`] | the list of chats, kept by the database's own triggers |
//! | [`network_state`] | cursors, the node list, guard and path |

pub mod account;
mod column;
mod connection;
pub mod contacts;
pub mod conversations;
pub mod error;
pub mod index;
pub mod messages;
pub mod network_state;
pub mod outbox;
pub mod recording;
mod schema;
#[cfg(test)]
mod tests;
pub mod tombstones;

pub use account::{AccountDb, Db};
pub use contacts::Contact;
pub use conversations::Conversation;
pub use error::DatabaseError;
pub use index::{AccountEntry, AccountKeys, Index};
pub use messages::{Content, Direction, Filter, Message, MessageId, MessageState, Page, Position};
pub use network_state::{CachedNodeList, Cursor, Guard, GuardTrouble, SavedPath};
pub use outbox::{DueCopy, NewOutgoing, OutboxId, Purpose, SealedCopy};
pub use recording::{Fetched, Recorded};
