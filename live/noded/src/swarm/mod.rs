//! What a member of a swarm does so that all members end with the same mail.
//!
//! A [`Member`] has no socket and no clock of its own: it calls others through [`Peers`], reads the
//! time from [`Clock`] and waits by `tokio::time`, so that a simulation runs a whole swarm in one
//! thread, the same way for the same seed.
//!
//! | module | what |
//! |---|---|
//! | [`member`] | its state, and the list it goes by |
//! | [`surroundings`] | what it needs of the world: peers and a clock |
//! | [`coordinator`] | a client's request, carried out here and at all members, a quorum counted |
//! | [`extending`] | extensions too little to be kept |
//! | [`answers`] | what it does for other members |
//! | [`records`] | records given and taken, every one checked |
//! | [`health`] | which members answer, and when to try those again that do not |
//! | [`handoff`] | what members missed, brought to them when they answer again |
//! | [`reconcile`] | comparing the sets of two members, and what follows |
//! | [`rounds`] | when it compares with whom |
//! | [`reading`] | a mailbox pulled together before it is read, while the own store lacks some |
//! | [`moving`] | mail that a new list gave to others |
//! | [`writing`] | writes under way, which end before mail is moved |

pub mod answers;
pub mod coordinator;
mod extending;
pub mod handoff;
pub mod health;
pub mod member;
pub mod moving;
pub mod reading;
pub mod reconcile;
pub mod records;
pub mod rounds;
pub mod surroundings;
mod writing;

pub use answers::Answered;
pub use coordinator::Outcome;
pub use member::{FormerList, Member, Pace, Parts};
pub use surroundings::{Clock, Peers, SystemClock};
