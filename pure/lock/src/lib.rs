//! The lock of a device: what a typed code is, the slots it opens, how wrong codes are counted.
//!
//! The formats are those of `spec/keys.md`. Not here: the files themselves, the clock, what a master
//! key opens (`warren-client`). This crate knows no account and no message.
//!
//! ```text
//! typed text --code--> bytes --Argon2id--> stretched --slots--> kind, master key, orders
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`code`] | typed text to the bytes that are stretched: PIN, passphrase, pattern |
//! | [`pattern`] | a line over cells of a grid, in one canonical form |
//! | [`slots`] | the file of fixed size that master keys lie in |
//! | [`payload`] | what a slot holds |
//! | [`orders`] | what a duress code does beyond this device |
//! | [`attempts`] | wrong codes in a row, and how long the next must wait |
//! | [`odds`] | how long guessing takes |
//! | [`tripwire`] | what lets friends wipe the device |

pub mod attempts;
pub mod code;
pub mod odds;
pub mod orders;
pub mod pattern;
pub mod payload;
pub mod slots;
pub mod tripwire;

pub use attempts::{Attempts, Moment};
pub use code::{Code, CodeError, CodeKind};
pub use orders::DuressOrders;
pub use payload::{Payload, SlotKind};
pub use slots::{Slots, SlotsError, Stretched};
pub use tripwire::Tripwire;
