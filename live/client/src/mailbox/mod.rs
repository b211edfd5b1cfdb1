//! What an account asks of the swarm that keeps a mailbox, its own or a group's.
//!
//! | module | what |
//! |---|---|
//! | [`access`] | who asks, and how it signs |
//! | [`fetch`] | several drawers read at once, held open where nothing is new |
//! | [`store`] | one message stored, and proven to be |
//! | [`order`] | messages deleted, expiries moved |
//! | `members` | which nodes keep a mailbox, and what they say |

pub(crate) mod access;
pub(crate) mod fetch;
pub(crate) mod members;
pub(crate) mod order;
pub(crate) mod store;

pub(crate) use access::Access;
