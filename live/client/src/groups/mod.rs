//! Groups: who may act in them, and how what is said in them is sealed.

pub(crate) mod access;
