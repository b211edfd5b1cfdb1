//! A packet that hides its way: build, peel, reply, choose a path.
//!
//! A client wraps a request once for every node on the way; each node takes one layer off and
//! learns the next node and no more. Only the last node, the destination, sees the request, and
//! no node but the first, the guard, sees the client's address. Wire facts are those of the wire
//! spec, section 5 ("Onion requests").
//!
//! Not here: sockets, timeouts and retries (`warren-transport`, `warren-noded`), what a request
//! says (`warren-wire`), how long a path is kept and when a node is given up (`warren-client`).
//!
//! Every layer is framed alike, `u32le(N) || blob(N) || JSON`; the blob of one layer is the sealed
//! frame of the next:
//!
//! ```text
//! body for the guard     N | blob | {"ephemeral_key": E1, "enc_type"}
//!                            |
//!   guard opens with E1      N | blob | {"destination": node 2, "ephemeral_key": E2, "enc_type"}
//!                                |
//!     node 2 opens with E2       N | blob | {"destination": node 3, "ephemeral_key": E3, ...}
//!                                    |
//!       ...                          ...
//!         destination                N | request | {"headers": "", "json": true, "base64": true}
//! ```
//!
//! A relay moves the header of the layer it opened to the outside of the next node's body, so that
//! every body on the wire has the shape of the first. The reply is sealed once, by the destination,
//! under the key of its own layer; relays hand it back untouched.
//!
//! What the protocol does not promise: the JSON outside a sealed blob is not authenticated (hex
//! digits may change case, `hop_no` may be set at will), packets are not padded to one size here,
//! and the plain-text failures of relays can be forged by any relay on the way.
//!
//! | module | what |
//! |---|---|
//! | [`framing`] | `u32le(N) \|\| blob \|\| JSON`, split and joined |
//! | [`header`] | the JSON of each layer, read and written |
//! | [`layer`] | the two ciphers of a layer, and the key both ends derive |
//! | [`path`] | which nodes a request goes through |
//! | [`mod@build`] | a client wraps a request |
//! | [`mod@peel`] | a node takes one layer off |
//! | [`reply`] | the destination answers, the client reads |
//! | [`server`] | a packet for a server behind the last node, and the server's end of it |
//! | [`request`] | what such a server is asked and answers: HTTP in a list of bencode |

pub mod framing;
pub mod header;
pub mod layer;
pub mod path;

pub mod build;
pub mod peel;
pub mod reply;
pub mod request;
pub mod server;

#[cfg(test)]
mod tests;

pub use build::{BuildError, Built, Hop, Options, build, build_with};
pub use layer::Cipher;
pub use path::{Path, PathError, PathRules, choose_guard, choose_path};
pub use peel::{PeelError, Peeled, ProxyRequest, peel};
pub use reply::{RelayFailure, Reply, ReplyError, ReplyForm, ReplyKey, open_reply};
pub use request::{ServerRequest, ServerResponse};
pub use server::{Server, ServerPacket, build_for_server, peel_at_server};
