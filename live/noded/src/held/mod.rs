//! Instant delivery: requests held open, and sockets subscribed, until a message arrives.
//!
//! Everyone who waits registers first, then looks, then sleeps: what arrives in between wakes them,
//! so that no arrival is missed.
//!
//! | module | what |
//! |---|---|
//! | [`registry`] | who waits for which drawer of which mailbox, and who wakes them |
//! | [`hold`] | `retrieve` with `wait`, alone or in a batch |

pub mod hold;
pub mod registry;

pub use registry::{Arrivals, Arrived, Held, Share};
