//! Instant delivery: requests held open, and sockets subscribed, until a message arrives.
//!
//! Everyone who waits registers first, then looks, then sleeps: what arrives in between wakes them,
//! so that no arrival is missed.
//!
//! | module | what |
//! |---|---|
//! | [`registry`] | who waits for which drawer of which mailbox, and who wakes them |
//! | [`hold`] | `retrieve` with `wait`, alone or in a batch |
//! | [`socket`] | `/monitor/v1`: subscriptions over a WebSocket |
//! | [`subscriptions`] | those of one socket |
//! | [`outbox`] | what a subscriber is still to be told |
//! | [`text`] | subscriptions in JSON |

pub mod hold;
pub mod outbox;
pub mod registry;
pub mod socket;
pub mod subscriptions;
pub mod text;

pub use registry::{Arrivals, Arrived, Held, Share};
