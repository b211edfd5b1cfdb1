//! The file server's routes, asked without a socket in between.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use tempfile::TempDir;
use warren_noded::files::{FileServer, FilesOptions, http};
use warren_noded::held::Share;
use warren_noded::node::now;
use warren_wire::FileId;

/// A file server in a folder of its own.
struct Server {
    files: Arc<FileServer>,
    folder: TempDir,
}

/// An answer that was read to its end.
struct Answer {
    status: u16,
    headers: axum::http::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Asserts an error in the words of Session's file server.
    fn is_error(&self, status: u16) {
        assert_eq!((self.status, self.json()), (status, json!({ "status_code": status })));
    }
}

impl Server {
    async fn start(change: impl FnOnce(&mut FilesOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = FilesOptions::in_store(folder.path().join("content").to_str().unwrap());
        options.spare_bytes = 0;
        change(&mut options);
        let files = FileServer::open(&folder.path().join("index"), options).await.unwrap();
        Self { files: Arc::new(files), folder }
    }

    /// The same folder after the process has ended.
    async fn restarted(self, change: impl FnOnce(&mut FilesOptions)) -> Self {
        let Self { files, folder } = self;
        drop(Arc::into_inner(files).unwrap());
        let mut options = FilesOptions::in_store(folder.path().join("content").to_str().unwrap());
        options.spare_bytes = 0;
        change(&mut options);
        let files = FileServer::open(&folder.path().join("index"), options).await.unwrap();
        Self { files: Arc::new(files), folder }
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let (head, body) =
            http::answer(&self.files, request, 1 << 30, Share::Unknown).await.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    /// Uploads and gives the name.
    async fn upload(&self, content: &[u8], headers: &[(&str, &str)]) -> String {
        let answer = self.ask("POST", "/file", headers, content.to_vec()).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Bytes of content in the folder.
    fn on_disk(&self) -> u64 {
        fn size(path: &std::path::Path) -> u64 {
            let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
            entries
                .map(
                    |path| if path.is_dir() { size(&path) } else { path.metadata().unwrap().len() },
                )
                .sum()
        }
        size(&self.folder.path().join("content"))
    }
}

/// Bytes that no two parts have alike.
fn content(length: usize) -> Vec<u8> {
    (0..length.div_ceil(8)).flat_map(|n| (n as u64).to_le_bytes()).take(length).collect()
}

const MIB: usize = 1024 * 1024;
const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const PART: (&str, &str) = ("content-type", "application/offset+octet-stream");

#[tokio::test]
async fn what_is_uploaded_is_given_back_under_the_hash_of_its_content() {
    let server = Server::start(|_| {}).await;
    for length in [1, 4 * MIB, 9 * MIB + 1] {
        let content = content(length);
        let id = server.upload(&content, &[]).await;
        assert_eq!(id, FileId::of(&content).unwrap().to_string());
        let answer = server.get(&format!("/file/{id}")).await;
        assert!(answer.status == 200 && answer.body == content);
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert_eq!(answer.header("content-length"), length.to_string());
        assert_eq!(answer.header("etag"), format!("\"{id}\""));
        assert_eq!(answer.header("accept-ranges"), "bytes");
        let head = server.ask("HEAD", &format!("/file/{id}"), &[], "").await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), length.to_string());
    }
}

#[tokio::test]
async fn the_answers_have_the_shapes_that_sessions_clients_read() {
    let server = Server::start(|_| {}).await;
    let before = now() as f64 / 1000.0;
    let uploaded = server.ask("POST", "/file", &[("X-FS-TTL", "3600")], "abc").await.json();
    let expires = uploaded["expires"].as_f64().unwrap();
    assert!((before + 3600.0..before + 3660.0).contains(&expires), "{uploaded}");
    assert_eq!(uploaded.as_object().unwrap().len(), 2);
    let id = uploaded["id"].as_str().unwrap();

    let info = server.get(&format!("/file/{id}/info")).await.json();
    assert_eq!((&info["size"], &info["expires"]), (&json!(3), &json!(expires)));
    assert!(info["uploaded"].as_f64().unwrap() >= before - 0.001);
    let longer = [("x-fs-ttl", "7200")];
    let extended = server.ask("POST", &format!("/file/{id}/extend"), &longer, "").await.json();
    assert!(extended["expires"].as_f64().unwrap() > expires + 3500.0);
    let shorter = [("x-fs-ttl", "1")];
    let again = server.ask("POST", &format!("/file/{id}/extend"), &shorter, "").await.json();
    assert_eq!(again, extended, "nobody shortens the life of another's file");

    let old = json!({ "file": "YWJjZA" }).to_string();
    let old = server.ask("POST", "/files", &[], old).await.json();
    let id = FileId::of(b"abcd").unwrap().to_string();
    assert_eq!(old, json!({ "status_code": 200, "result": id }));
    let old = server.get(&format!("/files/{id}")).await.json();
    assert_eq!(old, json!({ "status_code": 200, "result": "YWJjZA==" }));
}

#[tokio::test]
async fn what_cannot_be_done_is_a_status_code() {
    let server = Server::start(|options| options.largest_bytes = 10).await;
    let id = server.upload(b"abc", &[]).await;
    let absent = FileId::of(b"absent").unwrap();
    for path in [
        format!("/file/{absent}"),
        format!("/file/{absent}/info"),
        format!("/files/{absent}"),
        "/file/12345".to_owned(),
        "/file/..%2f..%2fetc%2fpasswd".to_owned(),
        format!("/file/{id}/more"),
        "/file/".to_owned(),
        "/session_version?platform=amiga".to_owned(),
        "/session_version".to_owned(),
    ] {
        server.get(&path).await.is_error(404);
    }
    server.get("/session_version?platform=desktop&release_channel=stable").await.is_error(502);
    server.ask("POST", &format!("/file/{absent}/extend"), &[], "").await.is_error(404);
    server.get("/file").await.is_error(405);
    server.ask("DELETE", &format!("/file/{id}"), &[], "").await.is_error(405);
    for ttl in ["x", "-1", "2592001", ""] {
        server.ask("POST", "/file", &[("x-fs-ttl", ttl)], "abc").await.is_error(400);
        server
            .ask("POST", &format!("/file/{id}/extend"), &[("x-fs-ttl", ttl)], "")
            .await
            .is_error(400);
    }
    server.ask("POST", "/file", &[], "").await.is_error(413);
    server.ask("POST", "/file", &[], "12345678901").await.is_error(413);
    server.ask("POST", "/file", &[("content-length", "11")], "").await.is_error(413);
    for body in ["", "[]", r#"{"file":1}"#, r#"{"file":"!"}"#] {
        server.ask("POST", "/files", &[], body).await.is_error(400);
    }
    server.files.sweep().await.unwrap();
    assert_eq!((server.files.used_bytes(), server.on_disk()), (3, 3), "nothing else is kept");
}

#[tokio::test]
async fn parts_of_a_file_are_given_and_what_a_client_has_is_not_given_again() {
    let server = Server::start(|_| {}).await;
    let content = content(9 * MIB);
    let id = server.upload(&content, &[]).await;
    let (path, size) = (format!("/file/{id}"), content.len());
    for (range, first, end) in [
        ("bytes=0-0".to_owned(), 0, 1),
        (format!("bytes={}-{}", 4 * MIB - 1, 4 * MIB), 4 * MIB - 1, 4 * MIB + 1),
        (format!("bytes={}-", 3 * MIB), 3 * MIB, size),
        ("bytes=-100".to_owned(), size - 100, size),
    ] {
        let part = server.ask("GET", &path, &[("range", &range)], "").await;
        assert!(part.status == 206 && part.body == content[first..end], "{range}");
        assert_eq!(part.header("content-range"), format!("bytes {first}-{}/{size}", end - 1));
        assert_eq!(part.header("content-length"), (end - first).to_string());
    }
    let beyond = format!("bytes={size}-");
    let none = server.ask("GET", &path, &[("range", &beyond)], "").await;
    assert_eq!((none.status, none.header("content-range")), (416, &*format!("bytes */{size}")));

    let tag = format!("\"{id}\"");
    let known = server.ask("GET", &path, &[("if-none-match", &tag)], "").await;
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, &*tag));
    for (tag, status) in [(&*tag, 206), ("\"another\"", 200)] {
        let headers = [("if-range", tag), ("range", "bytes=0-0")];
        assert_eq!(server.ask("GET", &path, &headers, "").await.status, status);
    }
}

#[tokio::test]
async fn the_same_bytes_are_kept_once_and_live_as_long_as_the_longest_wish() {
    let server = Server::start(|_| {}).await;
    let content = content(5 * MIB);
    let id = server.upload(&content, &[("x-fs-ttl", "7200")]).await;
    let first = server.get(&format!("/file/{id}/info")).await.json();
    assert_eq!(server.upload(&content, &[("x-fs-ttl", "60")]).await, id);
    let second = server.get(&format!("/file/{id}/info")).await.json();
    assert_eq!(second["expires"], first["expires"]);
    assert!(second["uploaded"].as_f64() >= first["uploaded"].as_f64());
    server.upload(&content, &[("x-fs-ttl", "9000")]).await;
    let third = server.get(&format!("/file/{id}/info")).await.json();
    assert!(third["expires"].as_f64() > first["expires"].as_f64());
    server.files.sweep().await.unwrap();
    let size = content.len() as u64;
    assert_eq!((server.files.used_bytes(), server.on_disk()), (size, size));
    assert!(server.get(&format!("/file/{id}")).await.body == content);
}

#[tokio::test]
async fn an_expired_file_is_gone_at_once_and_its_bytes_at_the_next_sweep() {
    let server = Server::start(|_| {}).await;
    let id = server.upload(&content(5 * MIB), &[("x-fs-ttl", "0")]).await;
    let living = server.upload(b"living", &[]).await;
    server.get(&format!("/file/{id}")).await.is_error(404);
    server.ask("POST", &format!("/file/{id}/extend"), &[], "").await.is_error(404);
    server.files.sweep().await.unwrap();
    assert_eq!((server.files.used_bytes(), server.on_disk()), (6, 6));
    assert_eq!(server.get(&format!("/file/{living}")).await.body, b"living");
    let again = server.upload(&content(5 * MIB), &[]).await;
    assert_eq!((server.get(&format!("/file/{again}")).await.status, again), (200, id));
}

#[tokio::test]
async fn a_full_server_takes_nothing_in_and_still_gives() {
    let server = Server::start(|options| options.quota_bytes = 100).await;
    let id = server.upload(&[1; 60], &[("x-fs-ttl", "1")]).await;
    server.ask("POST", "/file", &[], vec![2; 41]).await.is_error(507);
    server.ask("POST", "/file", &[("content-length", "41")], vec![2; 41]).await.is_error(507);
    server.ask("POST", "/upload", &[TUS, ("upload-length", "41")], "").await.is_error(507);
    assert_eq!(server.get(&format!("/file/{id}")).await.body, [1; 60]);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.files.sweep().await.unwrap();
    server.upload(&[2; 41], &[]).await;

    let spare = Server::start(|options| options.spare_bytes = u64::MAX / 2).await;
    spare.ask("POST", "/file", &[], "abc").await.is_error(507);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let server = Server::start(|_| {}).await;
    let pieces = [Ok(content(5 * MIB)), Err(std::io::Error::other("gone"))];
    let broken = Body::from_stream(futures_util::stream::iter(pieces));
    server.ask("POST", "/file", &[], broken).await.is_error(400);
    assert!(server.on_disk() > 0, "the first part was written");
    server.files.sweep().await.unwrap();
    assert_eq!((server.files.used_bytes(), server.on_disk()), (0, 0));
}

#[tokio::test]
async fn an_upload_in_parts_goes_on_after_a_restart_and_becomes_a_file() {
    let server = Server::start(|_| {}).await;
    let content = content(9 * MIB + 5);
    let length = content.len().to_string();
    let options = server.ask("OPTIONS", "/upload", &[], "").await;
    assert_eq!((options.status, options.header("tus-version")), (204, "1.0.0"));
    assert_eq!(options.header("tus-extension"), "creation,expiration,termination");
    assert_eq!(options.header("tus-max-size"), "104857600");
    let headers = [TUS, ("upload-length", &*length), ("x-fs-ttl", "3600")];
    let begun = server.ask("POST", "/upload", &headers, "").await;
    assert_eq!((begun.status, begun.header("tus-resumable")), (201, "1.0.0"));
    let place = begun.header("location").to_owned();
    assert!(place.starts_with("/upload/") && begun.header("upload-expires").ends_with("GMT"));

    let part = |offset: &str, body: Body| {
        let headers = [TUS, PART, ("upload-offset", offset)].map(|(a, b)| (a, b.to_owned()));
        (headers, body)
    };
    let append = async |server: &Server, offset: usize, body: Body| {
        let (headers, body) = part(&offset.to_string(), body);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(a, b)| (*a, b.as_str())).collect();
        server.ask("PATCH", &place, &headers, body).await
    };
    let first = append(&server, 0, content[..1000].to_vec().into()).await;
    assert_eq!((first.status, first.header("upload-offset")), (204, "1000"));
    // A connection that breaks loses nothing of what it brought.
    let pieces = [Ok(content[1000..5 * MIB].to_vec()), Err(std::io::Error::other("gone"))];
    let broken = Body::from_stream(futures_util::stream::iter(pieces));
    append(&server, 1000, broken).await.is_error(400);

    let server = server.restarted(|_| {}).await;
    let head = server.ask("HEAD", &place, &[TUS], "").await;
    assert_eq!((head.status, head.header("upload-offset")), (200, &*(5 * MIB).to_string()));
    assert_eq!((head.header("upload-length"), head.header("x-fs-id")), (&*length, ""));
    assert_eq!(head.header("cache-control"), "no-store");
    append(&server, 0, Body::from("x")).await.is_error(409);
    let (offset, length_of_part) = ((5 * MIB).to_string(), (5 * MIB).to_string());
    let headers = [TUS, PART, ("upload-offset", &*offset), ("content-length", &*length_of_part)];
    server.ask("PATCH", &place, &headers, content[4 * MIB..].to_vec()).await.is_error(413);

    let last = append(&server, 5 * MIB, content[5 * MIB..].to_vec().into()).await;
    let id = FileId::of(&content).unwrap().to_string();
    assert_eq!((last.status, last.header("x-fs-id")), (204, &*id));
    assert_eq!(last.header("upload-offset"), length);
    let server = server.restarted(|_| {}).await;
    assert!(server.get(&format!("/file/{id}")).await.body == content);
    let range = format!("bytes=999-{}", 5 * MIB);
    let range = server.ask("GET", &format!("/file/{id}"), &[("range", &*range)], "").await;
    assert!(range.body == content[999..=5 * MIB]);
    // A client that lost the last answer asks again.
    let head = server.ask("HEAD", &place, &[TUS], "").await;
    assert_eq!((head.header("x-fs-id"), head.header("upload-offset")), (&*id, &*length));
    append(&server, content.len(), Body::empty()).await.is_error(409);
}

#[tokio::test]
async fn an_upload_in_parts_has_rules() {
    let server = Server::start(|options| options.open_uploads = 1).await;
    let create = [TUS, ("upload-length", "10")];
    let other = server.ask("POST", "/upload", &[("tus-resumable", "0.2.2"), create[1]], "").await;
    assert_eq!((other.status, other.header("tus-version")), (412, "1.0.0"));
    for length in ["0", "104857601"] {
        server.ask("POST", "/upload", &[TUS, ("upload-length", length)], "").await.is_error(413);
    }
    for headers in
        [&[TUS][..], &[TUS, ("upload-length", "-1")], &[TUS, create[1], ("x-fs-ttl", "x")]]
    {
        server.ask("POST", "/upload", headers, "").await.is_error(400);
    }
    let begun = server.ask("POST", "/upload", &create, "").await;
    let place = begun.header("location");
    let at_start = ("upload-offset", "0");
    server.ask("PATCH", place, &[TUS, at_start], "abc").await.is_error(415);
    server.ask("PATCH", place, &[TUS, PART], "abc").await.is_error(400);
    server.ask("PATCH", place, &[TUS, PART, at_start], "12345678901").await.is_error(413);
    server.ask("GET", place, &[TUS], "").await.is_error(405);
    let absent = format!("/upload/{}", "ab".repeat(16));
    for path in [&absent, "/upload/x", "/upload/../file"] {
        server.ask("PATCH", path, &[TUS, PART, at_start], "abc").await.is_error(404);
    }

    // One request at a time.
    let slow = futures_util::stream::once(async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        Ok::<_, std::io::Error>("")
    });
    let body = Body::from_stream(slow);
    let headers = [TUS, PART, at_start];
    let waiting = server.ask("PATCH", place, &headers, body);
    let (first, second) = tokio::join!(waiting, async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.ask("PATCH", place, &[TUS, PART, at_start], "abc").await
    });
    second.is_error(423);
    assert_eq!(first.status, 204);

    assert_eq!(server.ask("PATCH", place, &[TUS, PART, at_start], "abc").await.status, 204);
    server.ask("POST", "/upload", &create, "").await.is_error(503);
    assert_eq!(server.ask("DELETE", place, &[TUS], "").await.status, 204);
    server.ask("HEAD", place, &[TUS], "").await;
    server.ask("DELETE", place, &[TUS], "").await.is_error(404);
    server.files.sweep().await.unwrap();
    assert_eq!((server.files.used_bytes(), server.on_disk()), (0, 0));
    assert_eq!(server.ask("POST", "/upload", &create, "").await.status, 201);
}

#[tokio::test]
async fn an_upload_that_nobody_goes_on_with_is_given_up() {
    let server = Server::start(|options| options.upload_ttl_seconds = 1).await;
    let begun = server.ask("POST", "/upload", &[TUS, ("upload-length", "10")], "").await;
    let place = begun.header("location");
    let headers = [TUS, PART, ("upload-offset", "0")];
    assert_eq!(server.ask("PATCH", place, &headers, "abc").await.status, 204);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let headers = [TUS, PART, ("upload-offset", "3")];
    server.ask("PATCH", place, &headers, "abc").await.is_error(404);
    server.files.sweep().await.unwrap();
    assert_eq!((server.files.used_bytes(), server.on_disk()), (0, 0));
}

#[tokio::test]
async fn content_that_somebody_removed_is_not_found_and_can_be_uploaded_again() {
    let server = Server::start(|_| {}).await;
    let id = server.upload(b"removed by hand", &[]).await;
    std::fs::remove_dir_all(server.folder.path().join("content")).unwrap();
    server.get(&format!("/file/{id}")).await.is_error(404);
    assert_eq!(server.upload(b"removed by hand", &[]).await, id);
    server.files.sweep().await.unwrap();
    assert_eq!(server.get(&format!("/file/{id}")).await.body, b"removed by hand");
    assert_eq!(server.files.used_bytes(), 15);
}
