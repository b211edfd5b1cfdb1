//! Saved, then sealed copies on their way, until a swarm has them.
//!
//! ```text
//! what a person does > content > sealed copies and rows, one transaction > jobs > the swarm has them
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`seal`] | one copy for whom it is for, one for the account's own devices |
//! | [`message`] | texts, answers |
//! | [`attaching`] | files of messages, uploaded before they are sealed |
//! | [`changes`] | edits, reactions, deletions, receipts, typing |
//! | [`deliver`] | jobs are done, again and again until they are |

mod attaching;
pub(crate) mod changes;
pub(crate) mod deliver;
pub(crate) mod message;
pub(crate) mod seal;

pub(crate) use attaching::DRAFT_LIFE;
pub use attaching::DraftFile;
pub use changes::DeleteFor;
pub use deliver::{Delivery, Sent};
pub use message::Draft;
