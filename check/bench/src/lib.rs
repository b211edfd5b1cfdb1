//! Measurements, each beside an opponent or a floor that runs in the same minute.
//!
//! Figures of a shared machine drift; ratios of things that run in turns drift less. So every row
//! names what it is compared with, and nothing here asserts a time.
//!
//! | module | what |
//! |---|---|
//! | [`contest`], [`stopwatch`], [`statistics`] | how anything is measured |
//! | [`row`], [`table`] | what is shown |
//! | [`recovery_phrase`], [`message`], [`onion`] | what one core computes |
//! | [`store`] | a node's storage engine |
//! | [`growth`] | the same, with 10^6 messages in it |
//! | [`node`] | a node over TLS |
//! | [`recovery`] | what a member missed, brought back to it |
//! | [`file`] | a file through three hops |
//! | [`backup`] | a backup and its restoring |
//! | [`held`] | memory for requests that are held open |
//! | [`conversation`] | a message from sending to reading |
//! | [`catch_up`] | a device that was away |
//! | [`database`] | a person's encrypted database |
//! | [`at_rest`] | memory of a program with an account open |
//! | [`unlock`] | unlocking, and destroying keys |

pub mod at_rest;
pub mod backup;
pub mod catch_up;
mod chatter;
pub mod contest;
pub mod conversation;
pub mod database;
pub mod file;
pub mod growth;
pub mod held;
pub mod message;
mod naive;
pub mod node;
mod nodes;
pub mod onion;
mod onion_opponents;
pub mod recovery;
pub mod recovery_phrase;
mod redis;
pub mod row;
pub mod statistics;
pub mod stopwatch;
pub mod store;
mod store_opponents;
pub mod table;
pub mod unlock;

pub use contest::Effort;
pub use row::Row;

/// What a measurement gives; it ends at the first failure, whatever that is.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
