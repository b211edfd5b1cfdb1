//! Files at nodes that are processes: what they hold in memory, what survives their end, and how
//! files travel through onions.

use std::io;

use axum::body::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::{Body, RequestBuilder};
use serde_json::Value;
use warren_crypto::SystemEntropy;
use warren_onion::server::ServerReplyError;
use warren_onion::{Cipher, Hop, Server, ServerRequest, ServerResponse, build_for_server};
use warren_transport::pin::{Pin, client_config};
use warren_wire::FileId;
use warren_wire::directory::NodeRecord;
use warren_wire::file::FileHasher;

use crate::network::Client;
use crate::program::Processes;

const MIB: usize = 1024 * 1024;
const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const PART: (&str, &str) = ("content-type", "application/offset+octet-stream");

/// Four nodes, the last of which keeps files.
async fn nodes() -> Processes {
    Processes::start_with(4, |number, folder| match number {
        3 => vec!["--files".to_owned(), folder.join("content").to_str().unwrap().to_owned()],
        _ => Vec::new(),
    })
    .await
}

fn client() -> reqwest::Client {
    let tls = client_config(Pin::Any).unwrap();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}

fn url(node: &NodeRecord, path: &str) -> String {
    format!("https://{}{path}", node.address())
}

fn with(request: RequestBuilder, headers: &[(&str, &str)]) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

/// Pieces of 64 KiB that differ from each other.
fn pieces(length: usize) -> impl Iterator<Item = Bytes> {
    const PIECE: usize = 64 * 1024;
    (0..length.div_ceil(PIECE)).map(move |number| {
        let size = PIECE.min(length - number * PIECE);
        let word = u64::try_from(number).unwrap().to_le_bytes();
        word.into_iter().cycle().take(size).collect()
    })
}

fn content(length: usize) -> Vec<u8> {
    pieces(length).flatten().collect()
}

/// The most memory that a process ever held, in bytes.
fn peak(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_of_a_hundred_megabytes_is_never_in_memory() {
    let nodes = nodes().await;
    let (node, process, client) = (&nodes.records[3], nodes.process_id(3), client());
    let before = peak(process);

    let length = 100 * MIB;
    let mut hasher = FileHasher::new().unwrap();
    pieces(length).for_each(|piece| hasher.update(&piece));
    let id = hasher.finish().unwrap();
    let body = Body::wrap_stream(stream::iter(pieces(length).map(Ok::<_, io::Error>)));
    let answer = client.post(url(node, "/file")).body(body).send().await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(answer["id"], id.to_string());

    let answer = client.get(url(node, &format!("/file/{id}"))).send().await.unwrap();
    assert_eq!(answer.content_length(), Some(length as u64));
    let (mut hasher, mut chunks) = (FileHasher::new().unwrap(), answer.bytes_stream());
    while let Some(chunk) = chunks.next().await {
        hasher.update(&chunk.unwrap());
    }
    assert_eq!(hasher.finish().unwrap(), id);

    let grown = peak(process) - before;
    assert!(grown < 40 * MIB, "{} MiB more than before", grown / MIB);
}

#[tokio::test]
async fn an_upload_goes_on_after_kill_from_where_its_connection_was() {
    let mut nodes = nodes().await;
    let client = client();
    let node = nodes.records[3].clone();
    let content = content(11 * MIB + 7);
    let length = content.len().to_string();
    let begin = with(client.post(url(&node, "/upload")), &[TUS, ("upload-length", &length)]);
    let begun = begin.send().await.unwrap();
    let place = begun.headers()["location"].to_str().unwrap().to_owned();

    // Nine megabytes come, then nothing more, and then the process dies.
    let head = content[..9 * MIB].to_vec();
    let stalled = stream::iter([Ok::<_, io::Error>(head)]).chain(stream::pending());
    let patch = with(client.patch(url(&node, &place)), &[TUS, PART, ("upload-offset", "0")]);
    let patch = tokio::spawn(patch.body(Body::wrap_stream(stalled)).send());
    let offset = async |client: &reqwest::Client| {
        let head = with(client.head(url(&node, &place)), &[TUS]).send().await.unwrap();
        assert_eq!(head.status(), 200);
        head.headers()["upload-offset"].to_str().unwrap().parse::<usize>().unwrap()
    };
    for _ in 0..300 {
        if offset(&client).await >= 8 * MIB {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    nodes.kill(3).await;
    assert!(patch.await.unwrap().is_err());
    nodes.restart(3).await;

    let offset = offset(&client).await;
    assert_eq!(offset, 8 * MIB, "what was noted as durable is there");
    let at = offset.to_string();
    let patch = with(client.patch(url(&node, &place)), &[TUS, PART, ("upload-offset", &at)]);
    let done = patch.body(content[offset..].to_vec()).send().await.unwrap();
    let id = FileId::of(&content).unwrap().to_string();
    assert_eq!(done.headers()["x-fs-id"], id);
    nodes.kill(3).await;
    nodes.restart(3).await;
    let answer = client.get(url(&node, &format!("/file/{id}"))).send().await.unwrap();
    assert!(answer.bytes().await.unwrap() == content);
}

/// Asks a server through a path of nodes.
async fn ask(
    way: &[NodeRecord],
    server: &Server,
    method: &str,
    endpoint: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<ServerResponse, ServerReplyError> {
    let headers = headers.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let (method, endpoint) = (method.to_owned(), endpoint.to_owned());
    let request = ServerRequest { method, endpoint, headers, body: body.to_vec() }.encode();
    let hops: Vec<Hop> = way.iter().map(Hop::from).collect();
    let entropy = &mut SystemEntropy;
    let sent = build_for_server(&hops, server, &request, Cipher::XChaCha20, entropy).unwrap();
    let answer = Client::new().post(&way[0], "/onion_req/v2", sent.packet.clone()).await;
    sent.open(&answer.body)
}

fn server(node: &NodeRecord) -> Server {
    Server {
        host: node.ip.to_string(),
        port: node.port,
        protocol: "https".to_owned(),
        target: "/oxen/v4/lsrpc".to_owned(),
        key: node.x25519,
    }
}

#[tokio::test]
async fn files_travel_through_three_nodes_to_a_fourth() {
    let nodes = nodes().await;
    let server = server(&nodes.records[3]);
    // The last of the path is another node, or the server itself.
    for way in [&nodes.records[..3], &nodes.records[1..]] {
        let content = content(9 * MIB + way[0].port as usize);
        let uploaded = ask(way, &server, "POST", "/file", &[], &content).await.unwrap();
        assert_eq!(
            (uploaded.code, uploaded.header("content-type")),
            (200, Some("application/json"))
        );
        let uploaded: Value = serde_json::from_slice(&uploaded.body).unwrap();
        let id = FileId::of(&content).unwrap();
        assert_eq!(uploaded["id"], id.to_string());
        let path = format!("/file/{id}");
        let whole = ask(way, &server, "GET", &path, &[], b"").await.unwrap();
        assert!(whole.code == 200 && whole.body == content);
        assert_eq!(whole.header("content-length"), None);
        let part = ask(way, &server, "GET", &path, &[("Range", "bytes=5-9")], b"").await.unwrap();
        assert_eq!((part.code, part.body.as_slice()), (206, &content[5..10]));
        let info = ask(way, &server, "GET", &format!("{path}/info"), &[], b"").await.unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&info.body).unwrap()["size"], content.len());
    }
    let malformed = ask(&nodes.records[..3], &server, "GET", "no slash", &[], b"").await.unwrap();
    assert_eq!(
        (malformed.code, malformed.body.as_slice()),
        (400, &b"Invalid v4 onion request"[..])
    );
}

#[tokio::test]
async fn a_file_larger_than_an_onion_travels_in_parts() {
    let nodes = nodes().await;
    let (way, server) = (&nodes.records[..3], server(&nodes.records[3]));
    let content = content(21 * MIB);
    let length = content.len().to_string();
    let headers = [TUS, ("upload-length", &*length)];
    let begun = ask(way, &server, "POST", "/upload", &headers, b"").await.unwrap();
    let place = begun.header("location").unwrap().to_owned();
    let mut offset = 0;
    let mut last = begun;
    while offset < content.len() {
        let (at, end) = (offset.to_string(), (offset + 8 * MIB).min(content.len()));
        let headers = [TUS, PART, ("upload-offset", &*at)];
        last = ask(way, &server, "PATCH", &place, &headers, &content[offset..end]).await.unwrap();
        assert_eq!(last.code, 204);
        offset = last.header("upload-offset").unwrap().parse().unwrap();
    }
    let path = format!("/file/{}", last.header("x-fs-id").unwrap());
    let whole = ask(way, &server, "GET", &path, &[], b"").await.unwrap();
    assert_eq!(whole.code, 413, "the whole is larger than an answer may be");
    let mut read = Vec::new();
    while read.len() < content.len() {
        let range = format!("bytes={}-{}", read.len(), read.len() + 8 * MIB - 1);
        let part = ask(way, &server, "GET", &path, &[("range", &*range)], b"").await.unwrap();
        assert_eq!(part.code, 206);
        read.extend_from_slice(&part.body);
    }
    assert!(read == content);
}

#[tokio::test]
async fn a_node_asks_no_server_that_is_neither_listed_nor_allowed() {
    let nodes = nodes().await;
    let way = &nodes.records[..3];
    let to = |change: fn(&mut Server)| {
        let mut server = server(&nodes.records[3]);
        change(&mut server);
        server
    };
    for (server, status, text) in [
        (to(|server| server.target = "/file".into()), 400, "Invalid url"),
        (to(|server| server.target = "/oxen/v4/lsrpc?x".into()), 400, "Invalid url"),
        (to(|server| server.protocol = "file".into()), 400, "Invalid url"),
        (to(|server| server.port = 22), 403, "this node asks no such server for others"),
        (
            to(|server| server.host = "127.0.0.1".into()),
            403,
            "this node asks no such server for others",
        ),
        (
            to(|server| server.host = "localhost".into()),
            403,
            "this node asks no such server for others",
        ),
        (
            to(|server| server.host = "example.org".into()),
            403,
            "this node asks no such server for others",
        ),
    ] {
        match ask(way, &server, "GET", "/file/x", &[], b"").await {
            Err(ServerReplyError::Refused(reply)) => {
                assert_eq!((reply.status, reply.body), (status, text.into()));
            }
            other => panic!("{other:?}"),
        }
    }
    // A node that keeps no files says so.
    let other = server(&nodes.records[0]);
    assert!(ask(&nodes.records[1..], &other, "GET", "/file/x", &[], b"").await.is_err());
}
