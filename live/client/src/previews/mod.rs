//! What a link in a message leads to: looked up by whoever sends it, where they want that, and shown
//! by whoever gets it without asking anybody.
//!
//! ```text
//! text > first https link > page (title, og:title, og:image) > image made anew > draft
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`look`] | the owner's setting, and the looking up |
//! | `page` | what a page says of itself |

pub mod look;
mod page;
