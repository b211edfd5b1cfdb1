//! Servers that others wrote, as processes on free ports, ended with the test.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server and its folder.
pub struct Server {
    /// The port it listens on, at 127.0.0.1.
    pub port: u16,
    /// What it keeps, and its log.
    pub folder: tempfile::TempDir,
    process: Option<Child>,
}

impl Server {
    /// A folder and a port, before anything runs.
    pub fn prepare() -> Self {
        Self { port: free_port(), folder: tempfile::tempdir().unwrap(), process: None }
    }

    /// Starts it, with its log in the folder, and waits until it listens.
    pub fn start(&mut self, command: &mut Command) {
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let errors = log.try_clone().unwrap();
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        self.process = Some(command.spawn().unwrap());
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let log = || std::fs::read_to_string(self.folder.path().join("log"));
            assert!(started.elapsed() < Duration::from_secs(60), "{command:?}: {:?}", log());
            std::thread::park_timeout(Duration::from_millis(50));
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
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A program that `make test` installs; `None`, with a word on it, where nobody ran that.
pub fn installed(program: &str, paths: &[&str]) -> Option<PathBuf> {
    let found = paths.iter().map(PathBuf::from).find(|path| path.exists());
    let must = std::env::var_os("WARREN_E2E_PYTHON").is_some();
    assert!(found.is_some() || !must, "{program} is missing: run `make test`");
    if found.is_none() {
        eprintln!("NOT TESTED: {program} is not installed; `make test` installs it");
    }
    found
}

/// A program that `make test` puts beside Python.
pub(crate) fn installed_beside_python(program: &str, file: &str) -> Option<PathBuf> {
    let python = std::env::var_os("WARREN_E2E_PYTHON").unwrap_or_default();
    let beside = Path::new(&python).with_file_name(file);
    let in_tree = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin").join(file);
    installed(program, &[beside.to_str().unwrap_or_default(), in_tree.to_str().unwrap()])
}
