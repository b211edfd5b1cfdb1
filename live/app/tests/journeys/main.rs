//! What a person can do with the real program, against real nodes.

mod accounts;
mod conversation;
mod device;
mod network;
mod outage;
mod program;
