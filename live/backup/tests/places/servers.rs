//! Servers as processes, on free ports, ended with the test.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server and its folder.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) folder: tempfile::TempDir,
    process: Option<Child>,
}

impl Server {
    /// A folder and a port, before anything runs.
    pub(crate) fn prepare() -> Self {
        Self { port: free_port(), folder: tempfile::tempdir().unwrap(), process: None }
    }

    /// Starts it, with its log in the folder, and waits until it listens.
    pub(crate) fn start(&mut self, command: &mut Command) {
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let errors = log.try_clone().unwrap();
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        self.process = Some(command.spawn().unwrap());
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let log = || std::fs::read_to_string(self.folder.path().join("log"));
            assert!(started.elapsed() < Duration::from_secs(60), "{command:?}: {:?}", log());
            #[expect(clippy::disallowed_methods, reason = "nothing else runs on this thread")]
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A port that nothing used a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A program that `make test` installs; `None`, with a word on it, where nobody ran that.
pub(crate) fn installed(program: &str, paths: &[&str]) -> Option<PathBuf> {
    let found = paths.iter().map(PathBuf::from).find(|path| path.exists());
    let must = std::env::var_os("WARREN_E2E_PYTHON").is_some();
    assert!(found.is_some() || !must, "{program} is missing: run `make test`");
    if found.is_none() {
        eprintln!("NOT TESTED: {program} is not installed; `make test` installs it");
    }
    found
}

/// A file of the repository.
pub(crate) fn from_root(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join(path).to_str().unwrap().to_owned()
}
