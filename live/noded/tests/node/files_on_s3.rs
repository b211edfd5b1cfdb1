//! A node whose files lie on S3: on a real server, SeaweedFS, as a process.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use warren_transport::pin::{Pin, client_config};
use warren_wire::FileId;

use crate::program::{Processes, free_port};

const MIB: usize = 1024 * 1024;

/// SeaweedFS with an empty bucket called `warren`.
struct S3 {
    endpoint: String,
    _data: TempDir,
    _process: Child,
}

/// The program `weed`, which `make test` installs from PyPI beside the other client's Python.
///
/// Where `make test` runs, its absence fails the test; elsewhere the test says that it did nothing.
fn weed() -> Option<PathBuf> {
    let beside = |python: PathBuf| python.with_file_name("weed");
    if let Some(python) = std::env::var_os("WARREN_E2E_PYTHON") {
        let weed = beside(python.into());
        assert!(weed.exists(), "{} is missing: run `make test`", weed.display());
        return Some(weed);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Some(root.join("check/e2e/.venv/bin/weed")).filter(|weed| weed.exists())
}

impl S3 {
    async fn start(weed: &Path) -> Self {
        let data = tempfile::tempdir().unwrap();
        let keys = json!({ "accessKey": "warren", "secretKey": "a secret of tests" });
        let actions = ["Admin", "Read", "List", "Tagging", "Write"];
        let config = json!({
            "identities": [{ "name": "warren", "credentials": [keys], "actions": actions }]
        });
        let config_file = data.path().join("s3.json");
        std::fs::write(&config_file, config.to_string()).unwrap();
        let mut command = Command::new(weed);
        command.arg("mini").arg("-dir").arg(data.path()).arg("-s3.config").arg(config_file);
        command.args(["-ip=127.0.0.1", "-bucket=warren", "-master.telemetry=false"]);
        command.args([
            "-webdav=false",
            "-admin.ui=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
        ]);
        let port = free_port([127, 0, 0, 1].into());
        command.arg(format!("-s3.port={port}"));
        for name in ["master", "volume", "filer", "admin"] {
            for name in [format!("{name}.port"), format!("{name}.port.grpc")] {
                command.arg(format!("-{name}={}", free_port([127, 0, 0, 1].into())));
            }
        }
        command.arg(format!("-s3.port.grpc={}", free_port([127, 0, 0, 1].into())));
        let log = std::fs::File::create(data.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        let process = command.spawn().unwrap();
        let endpoint = format!("http://127.0.0.1:{port}");
        let s3 = Self { endpoint, _data: data, _process: process };
        s3.until_ready().await;
        s3
    }

    /// It answers before it has made the bucket: 403 says that it knows it and not the asker.
    async fn until_ready(&self) {
        let (client, started) = (client(), Instant::now());
        let url = format!("{}/warren", self.endpoint);
        while client.get(&url).send().await.ok().is_none_or(|answer| answer.status() != 403) {
            assert!(started.elapsed() < Duration::from_secs(60), "SeaweedFS does not start");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn client() -> reqwest::Client {
    let tls = client_config(Pin::Any).unwrap();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}

#[tokio::test]
async fn files_on_s3_are_kept_in_parts_and_survive_the_node() {
    let Some(weed) = weed() else {
        eprintln!(
            "NOT TESTED: files on S3, for SeaweedFS is not installed; `make test` installs it"
        );
        return;
    };
    let s3 = S3::start(&weed).await;
    let endpoint = s3.endpoint.clone();
    let mut nodes = Processes::start_with(4, |number, _| match number {
        3 => ["--files", "s3://warren/files", "--files-s3-endpoint", &endpoint]
            .map(str::to_owned)
            .to_vec(),
        _ => Vec::new(),
    })
    .await;
    let (node, client) = (nodes.records[3].clone(), client());
    let url = |path: &str| format!("https://{}{path}", node.address());
    let content: Vec<u8> =
        (0..9 * MIB / 8).flat_map(|n| u64::try_from(n).unwrap().to_le_bytes()).collect();

    // Whole.
    let answer = client.post(url("/file")).body(content.clone()).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", nodes.log(3));
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let id = FileId::of(&content).unwrap();
    assert_eq!(answer["id"], id.to_string());

    // In parts, across the death of the node.
    let other = &content[1..];
    let length = other.len().to_string();
    let tus = |request: reqwest::RequestBuilder| request.header("tus-resumable", "1.0.0");
    let begun = tus(client.post(url("/upload"))).header("upload-length", &length);
    let begun = begun.send().await.unwrap();
    let place = begun.headers()["location"].to_str().unwrap().to_owned();
    let append = async |offset: usize, part: &[u8]| {
        let request = tus(client.patch(url(&place))).header("upload-offset", offset.to_string());
        let request = request.header("content-type", "application/offset+octet-stream");
        request.body(part.to_vec()).send().await.unwrap()
    };
    assert_eq!(append(0, &other[..5 * MIB]).await.status(), 204);
    nodes.kill(3).await;
    nodes.restart(3).await;
    let done = append(5 * MIB, &other[5 * MIB..]).await;
    assert_eq!(done.headers()["x-fs-id"], FileId::of(other).unwrap().to_string());

    for (id, content) in [(id, &content[..]), (FileId::of(other).unwrap(), other)] {
        let url = url(&format!("/file/{id}"));
        let whole = client.get(&url).send().await.unwrap().bytes().await.unwrap();
        assert!(whole == content);
        let range = format!("bytes={}-{}", 4 * MIB - 2, 4 * MIB + 1);
        let part = client.get(&url).header("range", range).send().await.unwrap();
        assert_eq!(part.bytes().await.unwrap(), content[4 * MIB - 2..4 * MIB + 2]);
    }

    // What expires is removed from the bucket.
    let short = client.post(url("/file")).header("x-fs-ttl", "1").body("short");
    assert_eq!(short.send().await.unwrap().status(), 200);
    let gone = url(&format!("/file/{}", FileId::of(b"short").unwrap()));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(client.get(gone).send().await.unwrap().status(), 404);
}
