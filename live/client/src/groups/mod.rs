//! Groups: made, joined, led and left; what is said in them sealed, fetched and kept.
//!
//! ```text
//! admin     change > configurations dirty > tended: keys, info, members pushed > invitations leave
//! invited   direct mail > asked, or a member at once > keys fetched > answer > reads and writes
//! member    keys > info > members > messages, one request; word of a removal last
//! ```
//!
//! A group's state lies in three configurations, which its admins sign. Messages about changes only
//! tell of them. What an admin wants done is written into the configurations first (somebody is to be
//! invited, promoted, removed) and done by [`tend`] afterwards, by whichever admin's device comes first.
//!
//! | module | what |
//! |---|---|
//! | [`access`] | who may act in a group, and how what is said there is sealed |
//! | [`configs`] | keys, info and members, read and written together |
//! | [`membership`] | how the account itself stands to a group, on all its devices |
//! | `create` | a new group |
//! | `invite` | invitations written, read and answered |
//! | [`members`] | who is in it: promoted, removed; leaving, ending it |
//! | [`about`] | what it is called, and how long messages live |
//! | [`deletion`] | messages deleted for everyone |
//! | `fetch` | a page of a group's mailbox is kept |
//! | `updates` | what admins and members tell each other |
//! | `tend` | what is due is done: pushed, sent, removed, renewed |

pub mod about;
pub(crate) mod access;
pub(crate) mod configs;
mod create;
pub(crate) mod deletion;
mod fetch;
mod invite;
pub mod members;
pub(crate) mod membership;
pub(crate) mod tend;
mod updates;

#[cfg(test)]
mod tests;
