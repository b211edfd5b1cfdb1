//! What lets friends wipe a device: the file that every install has, the shares that friends keep, and
//! what they send.
//!
//! The layouts are those of `spec/tripwire.md`. A set is made on the device; its friends get a share
//! each, the device keeps hashes. Any `threshold` shares of one set that arrive wipe the device. Nothing
//! in the file tells a used place from an unused one: hashes and arrived shares look like the random
//! bytes that are there otherwise.
//!
//! ```text
//! draw --> shares, to the friends        friend: order (a share)  or  test (what proves a share)
//!      \-> verifier, into a place                            \            /
//!                                        device: hash it, look it up, keep it, count: wipe
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`set`] | a secret for each friend, and what verifies them |
//! | [`order`] | what a friend sends |
//! | [`file`] | the file: inbox, network, places, dead man's switch |
//! | [`dead_man`] | whether nobody has unlocked for too long |

pub mod dead_man;
pub mod file;
pub mod order;
pub mod set;
#[cfg(test)]
mod tests;

pub use dead_man::{DeadMan, Sources};
pub use file::{Heard, Tripwire, TripwireError};
pub use order::Order;
pub use set::{FriendShare, SetError, SetId, Verifier};
