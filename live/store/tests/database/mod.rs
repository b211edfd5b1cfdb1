//! A PostgreSQL of the test's own, single or a cluster, by `scripts/pg-cluster`; it ends with the test.

#![allow(dead_code, reason = "each test program uses its part of it")]

pub(crate) mod compare;
pub(crate) mod proxy;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A database that runs.
pub(crate) struct Database {
    folder: PathBuf,
    url: String,
    names: AtomicU32,
}

impl Database {
    /// Starts what `arguments` of `pg-cluster up` say, in a folder that is removed at the end.
    ///
    /// The folder lies beside those of other programs, because the server's user must be able to
    /// enter it.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let unique = format!("warren-postgres-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(unique);
        let own = std::process::id().to_string();
        let mut database = Self { folder, url: String::new(), names: AtomicU32::new(0) };
        let tied = ["--while", &own];
        database.script("up", &[arguments, &tied].concat());
        database.url = database.script("url", &[]);
        database
    }

    /// Runs `scripts/pg-cluster` and returns what it prints.
    pub(crate) fn script(&self, command: &str, arguments: &[&str]) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/pg-cluster");
        let output = Command::new(script)
            .arg(command)
            .arg(&self.folder)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("scripts/pg-cluster runs: it needs Linux and /usr/bin/python3");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "pg-cluster {command}: {error}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The URL of the database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The URL of a schema without tables, which no other test has.
    pub(crate) async fn empty(&self) -> String {
        let name = format!("t{}", self.names.fetch_add(1, Ordering::Relaxed));
        let (client, connection) =
            tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
        format!("{}&options=-c%20search_path%3D{name}", self.url)
    }
}

/// The timings of a cluster that has to notice a loss soon.
pub(crate) const FAST: [&str; 6] = ["--ttl", "6", "--loop-wait", "1", "--retry-timeout", "2"];

/// One database for all tests of a program: a single server, or the cluster where
/// `WARREN_POSTGRES=cluster`.
pub(crate) fn shared() -> &'static Database {
    static DATABASE: OnceLock<Database> = OnceLock::new();
    let cluster = std::env::var("WARREN_POSTGRES").is_ok_and(|value| value == "cluster");
    let arguments: &[&str] = if cluster { &FAST } else { &["--single"] };
    DATABASE.get_or_init(|| Database::start(arguments))
}
