//! What the devices of an account agree on: kept here, changed, merged with what others pushed.
//!
//! ```text
//! change   table row and configuration, one transaction > due > pushed > confirmed > old ones deleted
//! merge    fetched > unwrapped > merged > the tables follow, one transaction with the cursor
//! ```
//!
//! A configuration is read from its dump wherever it is needed and written back in the same
//! transaction, so that neither a crash nor another process comes in between.
//!
//! | module | what |
//! |---|---|
//! | [`kept`] | a configuration in the database |
//! | [`people`] | contacts, and the settings of conversations with them |
//! | [`reading`] | how far conversations are read |
//! | [`wrapper`] | the protobuf around what accounts push |
//! | [`follow`] | the tables follow what was merged |
//! | [`push`] | to the swarm, and renewed before it expires there |

pub(crate) mod follow;
pub(crate) mod kept;
pub(crate) mod people;
pub(crate) mod push;
pub(crate) mod reading;
pub(crate) mod wrapper;

pub(crate) use follow::merge;
pub(crate) use kept::{change, read};
