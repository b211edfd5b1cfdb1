//! One account's way into the network: the list of nodes, guards, paths, and questions put to nodes.
//!
//! | module | what |
//! |---|---|
//! | `nodes` | the list of nodes: in memory, in the database, from the directory |
//! | `guards` | where every path begins |
//! | [`road`] | how a request travels, and around what fails |
//! | `server` | requests to servers that keep files, over paths of their own |

mod guards;
mod nodes;
pub(crate) mod road;
mod server;

use std::sync::Mutex;

use warren_crypto::Secret;
use warren_transport::{Connections, Seed};

use crate::database::Db;

use nodes::Nodes;
use road::Road;

/// One account's way into the network. Several requests may travel at once.
///
/// Nothing in it is shared with another account: neither connection nor guard nor path.
pub(crate) struct Network {
    db: Db,
    /// What only this account knows, by which its substitute guards rank.
    secret: Secret<32>,
    nodes: Nodes,
    connections: Connections,
    road: Mutex<Road>,
}

impl Network {
    pub(crate) fn new(db: Db, secret: Secret<32>, seed: Option<Seed>) -> Self {
        let (connections, road) = (Connections::default(), Mutex::default());
        Self { db, secret, nodes: Nodes::new(seed), connections, road }
    }
}
