//! One authority of a directory: nodes announce themselves to it, it tries them, and with the others
//! it makes the list.
//!
//! | module | what |
//! |---|---|
//! | [`settings`] | what an operator says of it |
//! | `shared` | its state, and what may be done to it |
//! | `files` | the same on the disk |
//! | `routes` | what it answers to nodes, clients and the other authorities |
//! | `probe` | trying whether nodes are where they say |
//! | `round` | the list of each slot: votes, proposal, signatures |
//!
//! What a list follows from, and what may be signed, is decided in `warren_node::consensus`.

mod files;
mod probe;
mod round;
mod routes;
pub mod settings;
mod shared;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use tokio::task::JoinHandle;
use warren_crypto::ed25519::VerifyingKey;
use warren_node::consensus::ConsensusError;
use warren_node::listing::Published;
use warren_node::reachability::AnnounceError;
use warren_transport::certificate::CertificateError;
use warren_transport::{Certificate, TransportError};
use warren_wire::directory::{
    DirectoryKeys, KeysError, ListError, NodeRecord, UnverifiedDescriptor,
};

use self::files::Files;
pub use self::settings::{Other, Settings};
use self::shared::Shared;
use crate::directory::DirectoryError;
use crate::listen;

/// Why an authority does not start, or cannot do as asked.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The disk.
    #[error("{} cannot be read or written: {source}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what this program wrote.
    #[error("{} is damaged: restore it from a copy, or delete it where this authority never signed a list", .0.display())]
    Damaged(PathBuf),
    /// The newest list is not signed by the authorities of now.
    #[error(
        "the list in {} is not signed by enough of these authorities ({source}): change one of them at a time, and wait for a list that the others signed; or start anew without the file, and all nodes change their swarms",
        path.display()
    )]
    ForeignList {
        /// Where the list is.
        path: PathBuf,
        /// What is wrong with it.
        source: ListError,
    },
    /// The keys of the authorities.
    #[error("the authorities' keys do not make a directory: {0}")]
    Keys(#[from] KeysError),
    /// A threshold that two halves could meet with two lists.
    #[error(
        "{threshold} of {count} is no majority: two lists could be signed at once. Say --threshold {least} or more"
    )]
    NoMajority {
        /// What was said.
        threshold: usize,
        /// How many authorities there are.
        count: usize,
        /// What would do.
        least: usize,
    },
    /// The key's file, or the certificate, or the port.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The TLS library.
    #[error("cannot connect to other authorities: {0}")]
    Transport(#[from] TransportError),
    /// The certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A list cannot be made or signed.
    #[error(transparent)]
    Consensus(#[from] ConsensusError),
    /// A document is not to be believed.
    #[error(transparent)]
    List(#[from] ListError),
    /// An announcement is not taken.
    #[error(transparent)]
    Announce(#[from] AnnounceError),
    /// A primitive refused what it should take.
    #[error("the authority's key is damaged: restore it from a copy")]
    DamagedKey,
    /// Only one authority alone can do this.
    #[error("this takes the signatures of others")]
    NotAlone,
}

impl From<warren_crypto::CryptoError> for AuthorityError {
    fn from(_: warren_crypto::CryptoError) -> Self {
        Self::DamagedKey
    }
}

/// The public key of the authority in a folder; made there where there is none.
///
/// # Errors
/// Where the disk fails or the file is damaged.
pub fn public_key(folder: &Path) -> Result<VerifyingKey, AuthorityError> {
    Ok(Files::open(folder)?.key()?.verifying_key())
}

/// An authority at work until it is stopped.
pub struct RunningAuthority {
    address: SocketAddr,
    shared: Arc<Shared>,
    handle: Handle,
    server: JoinHandle<io::Result<()>>,
    rounds: JoinHandle<()>,
    probes: JoinHandle<()>,
}

impl RunningAuthority {
    /// Reads what it keeps on disk, and starts to answer, to try nodes and to make lists.
    ///
    /// # Errors
    /// Where the disk, the port or the settings do not allow it.
    pub async fn start(settings: Settings) -> Result<Self, AuthorityError> {
        let listener = bind(settings.listen)?;
        Self::start_on(settings, listener).await
    }

    /// As [`RunningAuthority::start`], on a port that is already held.
    ///
    /// # Errors
    /// Where the disk or the settings do not allow it.
    pub async fn start_on(
        settings: Settings,
        listener: TcpListener,
    ) -> Result<Self, AuthorityError> {
        let listen = settings.listen;
        let shared = Arc::new(Shared::open(&settings)?);
        // Nobody pins it: what an authority says is signed.
        let tls = RustlsConfig::from_config(Certificate::generate()?.server_config()?);
        let handle = Handle::new();
        let server = axum_server_dual_protocol::from_tcp_dual_protocol(listener, tls);
        let service = routes::router(Arc::clone(&shared));
        let server = listen::bounded(server)
            .handle(handle.clone())
            .serve(service.into_make_service_with_connect_info::<SocketAddr>());
        let server = tokio::spawn(server);
        let address = handle.listening().await.unwrap_or(listen);
        let keys = &shared.keys;
        tracing::info!(%address, key = shared.own_key_hex(), directory = %keys, "authority serving");
        let rounds = tokio::spawn(round::run(Arc::clone(&shared)));
        let probes = tokio::spawn(probe::run(Arc::clone(&shared)));
        Ok(Self { address, shared, handle, server, rounds, probes })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its own key.
    pub fn key(&self) -> VerifyingKey {
        self.shared.own_key()
    }

    /// Whose signatures the directory's lists need.
    pub fn keys(&self) -> &DirectoryKeys {
        &self.shared.keys
    }

    /// The newest list.
    pub fn published(&self) -> Arc<Published> {
        self.shared.published()
    }

    /// The only authority of a network vouches for nodes that its own process has started, and makes
    /// their list at once.
    ///
    /// # Errors
    /// Where there are other authorities, a descriptor is not taken, or the disk fails.
    pub async fn inaugurate(
        &self,
        nodes: Vec<(UnverifiedDescriptor, NodeRecord)>,
    ) -> Result<Arc<Published>, AuthorityError> {
        self.shared.vouch(nodes)?;
        round::make_alone(&self.shared).await?;
        Ok(self.shared.published())
    }

    /// Stops at once; all that counts is on the disk.
    pub async fn stop(self) {
        self.rounds.abort();
        self.probes.abort();
        self.handle.shutdown();
        if let Ok(Err(error)) = self.server.await {
            tracing::error!(%error, "authority ended");
        }
    }
}

/// Takes a port, which is held from here on.
///
/// # Errors
/// Where it is not to be had.
pub fn bind(listen: SocketAddr) -> Result<TcpListener, AuthorityError> {
    let listener = TcpListener::bind(listen)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|error| DirectoryError::Listen(listen, error))?;
    Ok(listener)
}
