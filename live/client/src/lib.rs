//! The engine of a person's device: encrypted database, outbox, inbox, network.
//!
//! Modules in the order in which a start of the program meets them.
//!
//! | module | what |
//! |---|---|
//! | [`vault`] | the home directory and the passphrase that opens it |
//! | [`database`] | the encrypted databases: one index, one per account |

pub mod database;
pub mod vault;
