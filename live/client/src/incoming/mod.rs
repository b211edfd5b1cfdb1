//! Fetched, opened, kept: the way of mail from the swarm into the database.
//!
//! ```text
//! fetch (held open) > open > what it means > kept with the cursor, one transaction > told
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`fetch`] | a mailbox, the account's own or a group's, all its drawers in one request |
//! | [`arrival`] | what an opened message means for this device |
//! | `files` | the files that came with a message |
//! | `fetching` | the same, brought onto this device and read |
//! | [`keep`] | what came is kept |

pub(crate) mod arrival;
pub(crate) mod fetch;
mod fetching;
pub(crate) mod files;
pub(crate) mod keep;
