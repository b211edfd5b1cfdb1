//! Seven members of a swarm in one thread, with people and faults that follow from a seed.
//!
//! The members are those of `warren-noded`, with every decision they make; their disks, wires, clocks
//! and processes are simulated. Time stands still while something is done, so an hour takes
//! a moment, and the same seed gives the same run.
//!
//! | module | what |
//! |---|---|
//! | `run` | one run from its begin to what must hold in the end |
//! | `faults` | what is done to members |
//! | `forgery` | what a lying member brings to others |
//! | `people`, `journal` | who asks for what, and what must follow from the acknowledgements |
//! | `world`, `seat` | all of a run, and one member's place in it |
//! | `wires`, `disk`, `clock`, `chance` | what is simulated |

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a run that cannot go on as drawn stops at once"
)]

mod chance;
mod clock;
mod disk;
mod faults;
mod forgery;
mod journal;
mod people;
mod run;
mod seat;
mod wires;
mod world;

pub use run::{Report, run};
