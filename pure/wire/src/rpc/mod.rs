//! The storage RPC: what a client may ask of a node, what each part signs, what comes back.
//!
//! A request is read in two steps. Here its *form* is read, into types that hold unchecked claims;
//! `warren-node` then checks the claims (swarm, clock, signature). Every text that a client sees is
//! the reference node's.
//!
//! | module | what |
//! |---|---|
//! | [`request`] | the envelope `{method, params}` and the list of methods |
//! | [`fields`] | how single parameters are read, with their error texts |
//! | [`auth`] | a claimed signature |
//! | [`store`], [`retrieve`], [`delete`], [`expire`], [`subaccounts`] | the parameters of each method |
//! | [`order`] | those of them that change what is kept, and that all members carry out |
//! | [`condition`] | one of two requests |
//! | [`monitor`] | a subscription to what arrives |
//! | [`signed`] | the exact bytes that people and nodes sign |
//! | [`reply`] | what a client reads out of an answer |
//! | [`peer`] | what one member of a swarm passes on to another |
//! | [`member`] | what members ask each other of what they keep |

pub mod auth;
pub mod condition;
pub mod delete;
pub mod expire;
pub mod fields;
pub mod member;
pub mod monitor;
pub mod order;
pub mod peer;
pub mod reply;
pub mod request;
pub mod retrieve;
pub mod signed;
pub mod store;
pub mod subaccounts;

pub use auth::{SignedToken, UnverifiedAuth};
pub use condition::{Circumstances, Condition, IfElse};
pub use delete::{DeleteAllRequest, DeleteBeforeRequest, DeleteRequest};
pub use expire::{ExpireAllRequest, ExpireRequest, GetExpiriesRequest};
pub use monitor::MonitorRequest;
pub use order::OrderRequest;
pub use request::{Batch, DirectoryQuestion, Encoding, Request, RequestError};
pub use retrieve::RetrieveRequest;
pub use store::StoreRequest;
pub use subaccounts::{RevokeRequest, RevokedRequest};
