//! The daemon: one process that keeps a home unlocked, its accounts at work, and serves the API.
//!
//! | module | what |
//! |---|---|
//! | [`one`] | one daemon for each home |
//! | [`work`] | an account at work: fetching by its mode, sending what waits |
//! | [`autolock`] | locking by itself |
//! | [`backups`] | backups that are due |
//! | [`tripwire`] | orders of friends and the dead man's switch, locked or not |
//! | [`socket`] | the Unix socket in the home directory, from both ends |
//! | [`token`] | what opens the port on loopback |
//! | [`serve`] | connections, and their end |

pub mod autolock;
pub mod backups;
pub mod one;
pub mod serve;
pub mod socket;
pub mod token;
pub mod tripwire;
pub mod work;
