//! How a node that is started finds its list: from a file, from authorities, or from its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use warren_node::listing::Published;
use warren_noded::authority::{RunningAuthority, Settings};
use warren_noded::config::Config;
use warren_noded::directory::{self, DirectoryError};
use warren_noded::follow::{Follower, Membership, follow};
use warren_noded::swarm::FormerList;
use warren_noded::{Identity, Node, NodeError};
use warren_transport::Seed;
use warren_wire::directory::Roles;

use super::CommandError;

/// What a node has to do with a directory.
pub(super) struct Directory {
    authority: Option<RunningAuthority>,
    membership: Option<Membership>,
    follower: Option<Follower>,
}

impl Directory {
    /// Starts the node's own authority, where it is to have one.
    pub(super) async fn open(config: &Config, data: &Path) -> Result<Self, CommandError> {
        let authority = match config.list.own_authority {
            Some(listen) => Some(own_authority(data, listen).await?),
            None => None,
        };
        let seed = match (&authority, &config.list.authority) {
            (Some(own), _) => {
                let url = format!("http://{}", own.address());
                Some(Seed::new(&[&url], own.keys().clone()).map_err(DirectoryError::from)?)
            }
            (None, Some(text)) => Some(text.parse::<Seed>().map_err(DirectoryError::from)?),
            (None, None) => None,
        };
        let membership = match (seed, config.advertise) {
            (None, _) => None,
            (Some(_), None) => return Err(CommandError::Missing("--advertise")),
            (Some(seed), Some(advertise)) => Some(Membership {
                seed,
                ip: *advertise.ip(),
                port: advertise.port(),
                roles: Roles { files: !config.files.store.is_empty() },
                file: data.join(directory::KEPT_LIST),
            }),
        };
        Ok(Self { authority, membership, follower: None })
    }

    /// The list to begin with, and where to listen where the configuration does not say.
    pub(super) fn list(
        &self,
        config: &Config,
        identity: &Identity,
    ) -> Result<(Published, SocketAddr), CommandError> {
        if let Some(membership) = &self.membership {
            let address = SocketAddr::from((membership.ip, membership.port));
            return Ok((membership.kept_list(), address));
        }
        let file = config.list.file.as_deref();
        let file = file.ok_or(CommandError::Missing("--authority or --list"))?;
        // The configuration was found sound before.
        let keys = config.directory_keys().unwrap_or_default();
        let published = directory::load_list(file, keys.as_ref())?;
        if keys.is_none() {
            tracing::warn!("the list is believed whoever signed it: pin --directory-key");
        }
        let record = published.list.get(&identity.id()).ok_or(NodeError::NotListed)?;
        match (record.roles.files, !config.files.store.is_empty()) {
            (false, true) => tracing::warn!(
                "the list does not say that this node keeps files, so clients do not look for it: \
                 make its record with `warren-node init --files` and have the list signed anew"
            ),
            (true, false) => tracing::warn!(
                "the list says that this node keeps files, and it keeps none: set files.store, or \
                 make its record without --files and have the list signed anew"
            ),
            _ => {}
        }
        let address = record.address();
        Ok((published, address))
    }

    /// The lists that earlier runs went by.
    pub(super) fn former_lists(&self) -> Vec<FormerList> {
        self.membership.as_ref().map(Membership::former_lists).unwrap_or_default()
    }

    /// Announces a node that serves, and has it take every new list.
    pub(super) async fn join(&mut self, node: &Arc<Node>) -> Result<(), CommandError> {
        let Some(membership) = self.membership.take() else { return Ok(()) };
        if let Some(authority) = &self.authority {
            let vouched = membership.vouch_for(node)?;
            node.adopt(authority.inaugurate(vec![vouched]).await?);
        }
        self.follower = Some(follow(Arc::clone(node), membership)?);
        Ok(())
    }

    pub(super) async fn stop(self) {
        drop(self.follower);
        if let Some(authority) = self.authority {
            authority.stop().await;
        }
    }
}

/// An authority in this node's own process, which needs nobody else's signature.
async fn own_authority(data: &Path, listen: SocketAddr) -> Result<RunningAuthority, CommandError> {
    // Whoever runs a network of their own knows which addresses its nodes can have.
    let settings = Settings::alone(data.join("authority"), listen).with_private_addresses();
    Ok(RunningAuthority::start(settings).await?)
}
