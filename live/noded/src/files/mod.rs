//! The file server: a role of the node, for sealed files that are too large for a message.
//!
//! It speaks Session's file-server API, over HTTPS and inside onions, and adds ranges and uploads in
//! parts. It knows of a file its size, its times and its sealed bytes.
//!
//! | module | what |
//! |---|---|
//! | [`options`] | what an operator may set |
//! | `route` | which paths at the node's port are its own |
//! | [`http`] | what they answer |
//! | [`resumable`] | uploads in parts |
//! | `claims` | who began which of them |
//! | `tus` | uploads in parts, as HTTP |
//! | [`onion`] | the same requests inside an onion, without a socket in between |
//! | [`server`] | keeping files, giving them, letting them go |
//! | [`intake`] | the bytes of an upload on their way to the disk |
//! | [`content`] | the bytes of files, in a folder or on S3 |
//! | [`index`] | what is kept, and until when |

mod claims;
pub mod content;
pub mod error;
pub mod http;
pub mod index;
pub mod intake;
pub mod onion;
pub mod options;
pub mod resumable;
pub(crate) mod route;
pub mod server;
#[cfg(test)]
mod tests;
mod tus;

pub use error::FilesError;
pub use options::FilesOptions;
pub use server::{FileServer, Kept};
