//! What the devices of an account, and the members of a group, agree on: mergeable configurations.
//!
//! Each device holds the whole of a configuration, changes it offline and pushes it as one encrypted
//! message into a namespace of its own; devices that changed it at once find that out when they read
//! each other's messages, and all join them into the same next message. Bytes and rules are those of
//! Session's clients (wire spec, section 2), so theirs and ours read each other's.
//!
//! Not here: how messages travel, when to push or fetch (`live/client`), and the protobuf around
//! what accounts push (`warren-message`).
//!
//! | module | namespace | domain | what |
//! |---|---|---|---|
//! | [`user_profile`] | 2 | `UserProfile` | name, picture, notes to self |
//! | [`contacts`], [`blinded`] | 3 | `Contacts` | people |
//! | [`convo_info_volatile`] | 4 | `ConvoInfoVolatile` | how far conversations are read |
//! | [`user_groups`], [`community`] | 5 | `UserGroups` | groups, rooms of communities, how the owner got in |
//! | [`group_keys`] | 12 of a group | | which keys it has; no tree, and nothing merges |
//! | [`group_info`] | 13 of a group | `groups::Info` | what a group is |
//! | [`group_members`] | 14 of a group | `groups::Members` | who is in it |
//! | [`synced`] | | | what all of these offer |
//! | [`values`] | | | pictures, timers, names |
//! | [`base`] | | | tree, message, merge, encryption, dump |
//!
//! # Keys
//!
//! An account's configurations are encrypted with its 32-byte Ed25519 seed as the key that
//! [`base::seal`] derives from; a group's with the group's current key, and read with any of its keys.
//! A group's messages are signed by the group's Ed25519 key inside the encryption; an account's are
//! not, for nobody else can encrypt them.
//!
//! # What is around a message on the wire
//!
//! Groups store what [`Push`] holds as it is. Accounts store it wrapped, for the sake of older
//! clients; whoever reads tries to unwrap once, then once more (a release wrapped twice), and takes
//! what does not unwrap as it is. A message in several parts is never wrapped, nor is one that would
//! exceed 76,800 bytes by it.
//!
//! ```text
//! WebSocketMessage { type (1): 1, a request; request (2):
//!   { verb (1): "", path (2): "", body (3): Envelope, requestId (4): 0 } }
//! Envelope  { type (1): 6, SESSION_MESSAGE; timestamp (5): 1; content (8): sealed }
//! sealed    = v1 encryption from the account to itself, its ephemeral key derived, not random
//!             (of the padded content: Content || 0x80 without zeros, since it is padded inside)
//! Content   { sharedConfigMessage (11): { kind (1), seqno (2), data (3): the encrypted configuration } }
//! kind      = 1 user profile, 2 contacts, 3 conversations, 4 user groups
//! ```
//!
//! Nothing in it varies with time or chance: the same state gives the same bytes, so storing it again
//! prolongs the life of the message that is there. Configurations live 30 days.
//!
//! # What differs from libsession
//!
//! - A member who cannot sign and sees two messages of one number takes the one of the greater hash,
//!   whichever came first; libsession keeps the first.
//! - A conversation that the owner marked unread is synchronised however old it is.
//! - A group's admin who restarts between push and confirmation goes on from the hash of the signed
//!   message.

mod entry;

pub mod base;
pub mod blinded;
pub mod community;
pub mod contacts;
pub mod convo_info_volatile;
pub mod group_info;
pub mod group_keys;
pub mod group_members;
pub mod synced;
pub mod user_groups;
pub mod user_profile;
pub mod values;

pub use base::{Config, ConfigError, Push, Signing, State};
pub use blinded::BlindedContact;
pub use community::Room;
pub use contacts::{Contact, Contacts};
pub use convo_info_volatile::{Conversation, ConversationId, ConvoInfoVolatile};
pub use group_info::GroupInfo;
pub use group_keys::{GroupKeys, KeysError};
pub use group_members::{GroupMembers, Member, MemberStatus, Removal, Sending};
pub use synced::Synced;
pub use user_groups::{Community, Group, LegacyGroup, Lost, Membership, UserGroups};
pub use user_profile::UserProfile;
pub use values::{Expiration, Notify, ProfilePicture};
