//! The Unix socket in the home directory, for its owner alone, from both ends.

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;

/// Where it lies.
pub fn path(home: &Path) -> PathBuf {
    home.join("api.sock")
}

#[cfg(unix)]
pub use unix::{connect, listen};

/// Puts a request to whoever listens; `None` where nobody answers.
#[cfg(unix)]
pub async fn ask(path: &Path, request: Request<Body>) -> Option<Response<Incoming>> {
    let stream = hyper_util::rt::TokioIo::new(connect(path).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.ok()?;
    // It ends with the answer; what went wrong shows there.
    let connection = tokio::spawn(async { drop(connection.await) });
    let answer = sender.send_request(request).await;
    if answer.is_err() {
        connection.abort();
    }
    answer.ok()
}

/// Nobody listens where there are no Unix sockets.
#[cfg(not(unix))]
pub async fn ask(_: &Path, _: Request<Body>) -> Option<Response<Incoming>> {
    None
}

/// Nobody listens where there are no Unix sockets.
#[cfg(not(unix))]
pub async fn connect(_: &Path) -> Option<()> {
    None
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::io;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use tokio::net::{UnixListener, UnixStream};

    /// Connects; `None` where nobody listens, as after a crash.
    pub async fn connect(path: &Path) -> Option<UnixStream> {
        UnixStream::connect(path).await.ok()
    }

    /// Listens, in the place of whoever listened there before.
    ///
    /// The socket is made in a folder of its owner's alone and moved to its place once it is, too,
    /// so that nobody else can ever connect.
    ///
    /// # Errors
    /// Where the folder cannot be written, or its path is longer than a socket's may be.
    pub fn listen(home: &Path) -> io::Result<UnixListener> {
        let folder = tempfile::Builder::new().prefix(".s").rand_bytes(4).tempdir_in(home)?;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700))?;
        let made = folder.path().join("s");
        let listener = UnixListener::bind(&made)?;
        fs::set_permissions(&made, Permissions::from_mode(0o600))?;
        fs::rename(&made, super::path(home))?;
        Ok(listener)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_socket_is_its_owners_alone_and_takes_the_place_of_a_dead_one() {
        let home = tempfile::tempdir().unwrap();
        assert!(connect(&path(home.path())).await.is_none());
        drop(listen(home.path()).unwrap());
        assert!(connect(&path(home.path())).await.is_none(), "dead");
        let listener = listen(home.path()).unwrap();
        assert!(connect(&path(home.path())).await.is_some());
        let mode = std::fs::metadata(path(home.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "nothing else is left");
        drop(listener);
    }
}
