//! A node that follows its directory: it announces itself, and takes every new list.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinHandle;
use warren_crypto::CryptoError;
use warren_node::Placement;
use warren_node::following::{self, Fetches};
use warren_node::listing::Published;
use warren_node::reachability::is_public;
use warren_transport::{Endpoint, Seed, SeedError, TransportError};
use warren_wire::directory::exchange::ANNOUNCE_PATH;
use warren_wire::directory::{Announced, NodeRecord, Roles, Standing, UnverifiedDescriptor};
use warren_wire::swarm::INVALID_SWARM;

use crate::directory::{self, DirectoryError};
use crate::former_lists;
use crate::identity::IdentityError;
use crate::node::{Node, now};
use crate::swarm::FormerList;

/// How long an authority may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait where no authority has answered yet, or there is no list with this node.
const IMPATIENCE: Duration = Duration::from_secs(1);
/// The longest time between two announcements: descriptors are forgotten after an hour.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// The shortest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// Which directory a node belongs to, and what it tells it.
#[derive(Debug, Clone)]
pub struct Membership {
    /// Where the authorities answer, and whose signatures a list needs.
    pub seed: Seed,
    /// Where others reach the node.
    pub ip: Ipv4Addr,
    /// The port of its HTTPS.
    pub port: u16,
    /// What it does beside keeping mail.
    pub roles: Roles,
    /// Where the newest list is kept.
    pub file: PathBuf,
}

impl Membership {
    /// The list of an earlier run; [`Published::none`] where there is none that these authorities
    /// signed. An expired one is better than none: the mail is where it says.
    pub fn kept_list(&self) -> Published {
        match directory::load_list(&self.file, Some(self.seed.keys())) {
            Ok(published) => published,
            Err(DirectoryError::Io(_, error)) if error.kind() == std::io::ErrorKind::NotFound => {
                Published::none()
            }
            Err(error) => {
                tracing::warn!(%error, "the list of an earlier run is not used");
                Published::none()
            }
        }
    }

    /// The lists of earlier runs before that one; none where these authorities have not signed them.
    pub fn former_lists(&self) -> Vec<FormerList> {
        let file = former_lists::file_beside(&self.file);
        former_lists::load(&file, self.seed.keys()).unwrap_or_else(|error| {
            tracing::warn!(%error, "former lists of earlier runs are not used");
            Vec::new()
        })
    }
}

impl Membership {
    /// What the process that runs both a node and its authority tells the authority of the node.
    ///
    /// # Errors
    /// Where the node's key is damaged.
    pub fn vouch_for(
        &self,
        node: &Node,
    ) -> Result<(UnverifiedDescriptor, NodeRecord), IdentityError> {
        let descriptor = node.identity.descriptor(self.ip, self.port, self.roles, now())?;
        Ok((descriptor, node.identity.record(self.ip, self.port, INVALID_SWARM)))
    }
}

/// The task that follows; it ends with this.
pub struct Follower {
    task: JoinHandle<()>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Announces the node and takes new lists until the [`Follower`] is dropped.
///
/// # Errors
/// Where the TLS library refuses its own defaults.
pub fn follow(node: Arc<Node>, membership: Membership) -> Result<Follower, TransportError> {
    let endpoints = membership.seed.urls().iter().cloned().map(Endpoint::new);
    let endpoints = endpoints.collect::<Result<Vec<_>, _>>()?;
    let task = tokio::spawn(async move {
        let mut course = Course::default();
        loop {
            let pause = turn(&node, &membership, &endpoints, &mut course).await;
            tokio::time::sleep(pause).await;
        }
    });
    Ok(Follower { task })
}

/// What a node remembers from one announcement to the next.
#[derive(Default)]
struct Course {
    standing: Option<Standing>,
    fetches: Fetches,
}

/// Announces once, fetches where there is something new, and says how long to wait.
async fn turn(
    node: &Node,
    membership: &Membership,
    endpoints: &[Endpoint],
    course: &mut Course,
) -> Duration {
    let answers = match announce(node, membership, endpoints).await {
        Ok(answers) => answers,
        Err(_) => {
            tracing::error!("the node's key is damaged: it cannot announce itself");
            return LONGEST_PAUSE;
        }
    };
    report(&answers, &mut course.standing, membership);
    let sequence = || node.published().header.map_or(0, |header| header.sequence);
    let known = sequence();
    if course.fetches.is_due(&answers, known, membership.seed.keys().threshold(), now()) {
        if let Err(error) = renew(node, membership).await {
            tracing::warn!(%error, "no newer list");
        }
        course.fetches.note(sequence() > known, now());
    }
    let interval = following::interval(&answers, !is_public(membership.ip));
    let pause = interval.map_or(IMPATIENCE, |interval| Duration::from_millis(interval / 4));
    let pause = pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    let is_listed = node.placement().own_swarm().is_some();
    if is_listed { pause } else { pause.min(IMPATIENCE) }
}

/// Tells every authority where the node is.
async fn announce(
    node: &Node,
    membership: &Membership,
    endpoints: &[Endpoint],
) -> Result<Vec<Announced>, CryptoError> {
    let Membership { ip, port, roles, .. } = membership;
    let descriptor = node.identity.descriptor(*ip, *port, *roles, now())?;
    let body = serde_json::to_string(&descriptor).map_err(|_| CryptoError)?;
    let sent = endpoints.iter().map(|endpoint| {
        let body = body.clone();
        async move {
            let reply = endpoint.post(ANNOUNCE_PATH, body, TIMEOUT).await;
            match reply {
                Ok(reply) if reply.status == 200 => serde_json::from_slice(&reply.body).ok(),
                Ok(reply) => {
                    let said = String::from_utf8_lossy(&reply.body);
                    let reason: String = said.chars().take(200).collect();
                    tracing::warn!(authority = %endpoint.url(), reason, "announcement refused");
                    None
                }
                Err(error) => {
                    tracing::debug!(authority = %endpoint.url(), %error, "announcement not sent");
                    None
                }
            }
        }
    });
    Ok(join_all(sent).await.into_iter().flatten().collect())
}

/// Says in the log what the authorities think of the node, when that changes.
fn report(answers: &[Announced], before: &mut Option<Standing>, membership: &Membership) {
    let reached = answers.iter().any(|answer| answer.standing == Standing::Reachable);
    let missed = answers.iter().any(|answer| answer.standing == Standing::Unreachable);
    let standing = match (reached, missed) {
        (true, _) => Standing::Reachable,
        (false, true) => Standing::Unreachable,
        (false, false) => Standing::Untested,
    };
    if before.replace(standing) == Some(standing) {
        return;
    }
    let (ip, port) = (membership.ip, membership.port);
    match standing {
        Standing::Reachable => tracing::info!("the directory reaches this node"),
        Standing::Unreachable => tracing::warn!(
            "the directory does not reach this node at {ip}:{port}: is the port open and the address right?"
        ),
        Standing::Untested if answers.is_empty() => {
            tracing::warn!(
                "no authority of the directory answers or takes the node: it goes on with the list it has"
            );
        }
        Standing::Untested => tracing::info!("announced to the directory"),
    }
}

/// Fetches the newest list, keeps it, and has the node go by it.
async fn renew(node: &Node, membership: &Membership) -> Result<(), SeedError> {
    let before = node.published();
    let (list, signed) = membership.seed.fetch(before.header.as_ref(), now()).await?;
    if before.header.is_some_and(|header| header.hash == list.header.hash) {
        return Ok(());
    }
    let (file, text, own) = (membership.file.clone(), signed.clone(), node.identity.id());
    let after = Placement::new(own, Arc::clone(&list.nodes));
    let saved = tokio::task::spawn_blocking(move || {
        let formers = former_lists::file_beside(&file);
        let added = former_lists::add(&formers, own, &before, &after, now());
        directory::save_list(&file, &text).and(added)
    });
    let saved = saved.await;
    if let Ok(Err(error)) = saved {
        tracing::error!(%error, "the list cannot be kept for the next start");
    }
    let swarm = list.nodes.get(&node.identity.id()).map(|record| record.swarm.0);
    tracing::info!(
        sequence = list.header.sequence,
        nodes = list.nodes.nodes().len(),
        swarm,
        "list adopted"
    );
    node.adopt(Arc::new(Published::new(list, signed)));
    Ok(())
}
