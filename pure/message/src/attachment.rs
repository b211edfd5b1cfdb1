//! Files beside a message: how they are encrypted, and how a message points to them.
//!
//! A file is encrypted on its own, stored where files are kept, and pointed to by the message, which
//! holds the key. There are two formats, told apart by a mark in the address:
//!
//! | module | what |
//! |---|---|
//! | [`pointer`], [`url`] | what a message says of a file |
//!
//! Both are written and read piece by piece, in memory that does not grow with the file.

pub mod pointer;
pub mod url;
