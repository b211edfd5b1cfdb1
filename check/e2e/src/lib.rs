//! What the journeys need: the real programs, a network of processes, a client that others wrote.
//!
//! Everything here stops the test that uses it at the first surprise.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test stops at the first surprise"
)]

pub mod at_work;
pub mod device;
pub mod disk;
pub mod hosts;
pub mod libsession;
pub mod network;
pub mod places;
pub mod programs;
pub mod python;
pub mod servers;
pub mod swarm_of_hosts;
pub mod transcript;

pub use at_work::AtWork;
pub use device::Device;
pub use disk::Disk;
pub use libsession::Libsession;
pub use network::Network;
pub use places::Place;
pub use python::Python;
pub use swarm_of_hosts::{Conditions, SwarmOfHosts};
pub use transcript::Transcript;
