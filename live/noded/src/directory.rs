//! The signed list of nodes on disk, and the seed that serves it over http and https on one port.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware;
use axum::response::Response;
use axum::routing::post;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use tokio::task::JoinHandle;
use warren_crypto::ed25519::SigningKey;
use warren_crypto::{CryptoError, Secret, SystemEntropy};
use warren_node::listing::{self, Published};
use warren_transport::certificate::CertificateError;
use warren_transport::{Certificate, SeedError};
use warren_wire::directory::{DirectoryKeys, ListError, UnverifiedList};

use crate::bodies::Bodies;
use crate::gate::{self, Gate};
use crate::http::response;
use crate::node::{Node, now};
use crate::{listen, private_file};

/// The file in a node's folder that keeps the newest list of the directory that it follows.
pub const KEPT_LIST: &str = "nodes.json";
/// The most bytes of a question.
pub(crate) const MAX_QUESTION_BYTES: usize = 64 * 1024;
/// How many bytes of questions a seed keeps in memory at once.
const QUESTIONS_ROOM_BYTES: usize = 256 * MAX_QUESTION_BYTES;

/// Why there is no directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The disk.
    #[error("{0} cannot be read or written: {1}")]
    Io(String, io::Error),
    /// The key's file is not what this program wrote.
    #[error("the directory's key is damaged: restore it from a copy")]
    DamagedKey,
    /// The list.
    #[error(transparent)]
    List(#[from] ListError),
    /// The certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A seed that is none.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The port.
    #[error("the directory cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
}

impl From<CryptoError> for DirectoryError {
    fn from(_: CryptoError) -> Self {
        Self::DamagedKey
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> DirectoryError {
    let path = path.display().to_string();
    move |error| DirectoryError::Io(path, error)
}

/// Reads the directory's signing key, or makes one.
///
/// # Errors
/// Where the disk fails or the file is damaged.
pub fn load_or_create_key(path: &Path) -> Result<SigningKey, DirectoryError> {
    if let Some(text) = private_file::read(path).map_err(io_error(path))? {
        let text = String::from_utf8(text).map_err(|_| DirectoryError::DamagedKey)?;
        let seed = hex::decode(text.trim()).map_err(|_| DirectoryError::DamagedKey)?;
        let seed = Secret::from_slice(&seed).ok_or(DirectoryError::DamagedKey)?;
        return Ok(SigningKey::from_seed(seed)?);
    }
    let key = SigningKey::from_seed(Secret::random(&mut SystemEntropy))?;
    let text = hex::encode(key.seed().expose());
    private_file::write(path, text.as_bytes()).map_err(io_error(path))?;
    Ok(key)
}

/// Writes a signed list, which everyone may read.
///
/// # Errors
/// Where the disk fails.
pub fn save_list(path: &Path, list: &UnverifiedList) -> Result<(), DirectoryError> {
    let text = serde_json::to_vec_pretty(list).map_err(|_| ListError::Malformed)?;
    private_file::write(path, &text).map_err(io_error(path))?;
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .map_err(io_error(path))?;
    Ok(())
}

/// Reads a signed list and checks it against the directory's keys, or whichever one signed it where
/// none are given.
///
/// # Errors
/// Where the file is missing or malformed, or too few of the keys signed it.
pub fn load_list(path: &Path, pinned: Option<&DirectoryKeys>) -> Result<Published, DirectoryError> {
    let text = std::fs::read(path).map_err(io_error(path))?;
    let signed: UnverifiedList = serde_json::from_slice(&text).map_err(|_| ListError::Malformed)?;
    let list = match pinned {
        Some(keys) => signed.verify(keys)?,
        None => {
            let claimed = signed.claimed_keys().into_iter().next().ok_or(ListError::Unsigned)?;
            signed.verify(&DirectoryKeys::single(claimed))?
        }
    };
    Ok(Published::new(list, signed))
}

/// What every question to a seed may use.
struct Seed {
    published: Source,
    bodies: Bodies,
}

/// Where the newest list comes from.
type Source = Box<dyn Fn() -> Arc<Published> + Send + Sync>;

/// A seed that answers `/json_rpc` until it is stopped.
pub struct RunningSeed {
    address: SocketAddr,
    handle: Handle,
    server: JoinHandle<io::Result<()>>,
}

impl RunningSeed {
    /// Starts serving a list.
    ///
    /// # Errors
    /// Where the port is not to be had.
    pub async fn start(
        listen: SocketAddr,
        published: Arc<Published>,
        certificate: &Certificate,
    ) -> Result<Self, DirectoryError> {
        Self::serve(listen, Box::new(move || Arc::clone(&published)), certificate).await
    }

    /// Starts serving the list that a node goes by, whichever that is at the time.
    ///
    /// # Errors
    /// Where the port is not to be had.
    pub async fn of_node(listen: SocketAddr, node: Arc<Node>) -> Result<Self, DirectoryError> {
        let source = Arc::clone(&node);
        let source = Box::new(move || source.published());
        Self::serve(listen, source, node.identity.certificate()).await
    }

    async fn serve(
        listen: SocketAddr,
        published: Source,
        certificate: &Certificate,
    ) -> Result<Self, DirectoryError> {
        let tls = RustlsConfig::from_config(certificate.server_config()?);
        let bodies = Bodies::new(QUESTIONS_ROOM_BYTES);
        let router = Router::new()
            .route("/json_rpc", post(answer))
            .layer(middleware::from_fn_with_state(Gate::new(), gate::pass))
            .with_state(Arc::new(Seed { published, bodies }));
        let listener = std::net::TcpListener::bind(listen)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(|error| DirectoryError::Listen(listen, error))?;
        let handle = Handle::new();
        let server = axum_server_dual_protocol::from_tcp_dual_protocol(listener, tls);
        let server = listen::bounded(server)
            .handle(handle.clone())
            .serve(router.into_make_service_with_connect_info::<SocketAddr>());
        let server = tokio::spawn(server);
        let address = handle.listening().await.unwrap_or(listen);
        Ok(Self { address, handle, server })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops at once.
    pub async fn stop(self) {
        self.handle.shutdown();
        if let Ok(Err(error)) = self.server.await {
            tracing::error!(%error, "seed ended");
        }
    }
}

async fn answer(State(seed): State<Arc<Seed>>, request: Request) -> Response {
    let body = match seed.bodies.read(request.into_body(), MAX_QUESTION_BYTES).await {
        Ok(body) => body,
        Err(error) => return response(error.status(), "text/plain", error.to_string()),
    };
    answer_question(body.bytes(), &(seed.published)())
}

/// Answers one JSON-RPC question about the nodes, at a seed or at a node.
pub(crate) fn answer_question(body: &[u8], published: &Published) -> Response {
    let reply = listing::answer(body, published, now(), &mut SystemEntropy);
    response(200, "application/json", reply)
}
