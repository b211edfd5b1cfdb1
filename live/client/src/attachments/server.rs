//! A server that keeps files: where it is, and what it is asked (wire spec, section 6, "Files").

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use warren_crypto::x25519::PublicKey;
use warren_message::attachment::url::FileUrl;
use warren_onion::{Server, ServerRequest, ServerResponse};
use warren_wire::directory::NodeRecord;

use super::error::AttachmentError;
use super::state::bytes;
use crate::network::Network;

/// Where servers take onions.
const TARGET: &str = "/oxen/v4/lsrpc";
/// The host that Session's clients use, and its key (wire spec of Session, section 6).
const SESSION_HOST: &str = "filev2.getsession.org";
const SESSION_KEY: [u8; 32] = [
    0x09, 0x32, 0x47, 0x94, 0xaa, 0x9c, 0x11, 0x94, 0x81, 0x89, 0x76, 0x2d, 0x19, 0x8c, 0x61, 0x81,
    0x48, 0xe9, 0x13, 0x6a, 0xc9, 0x58, 0x20, 0x68, 0x18, 0x06, 0x61, 0x20, 0x89, 0x27, 0xef, 0x34,
];
/// The version of tus that is spoken.
const TUS: &str = "1.0.0";
/// The most bytes of an answer that is no content.
const SMALL_ANSWER: usize = 16 * 1024;

/// A server that keeps files.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileServer {
    secure: bool,
    host: String,
    port: u16,
    #[serde(with = "bytes")]
    key: [u8; 32],
}

impl FileServer {
    /// The server of Session's clients. Nodes pass requests on to it where their operators allow it.
    pub fn session() -> Self {
        Self { secure: false, host: SESSION_HOST.to_owned(), port: 80, key: SESSION_KEY }
    }

    /// A node that keeps files.
    pub fn of_node(node: &NodeRecord) -> Self {
        let key = *node.x25519.as_bytes();
        Self { secure: true, host: node.ip.to_string(), port: node.port, key }
    }

    /// The server of an address, which holds its key unless it is Session's.
    ///
    /// # Errors
    /// [`AttachmentError::UnknownServer`] where it holds no key, or no host and port.
    pub fn of_url(url: &FileUrl) -> Result<Self, AttachmentError> {
        Self::read(url).ok_or(AttachmentError::UnknownServer)
    }

    fn read(url: &FileUrl) -> Option<Self> {
        let (scheme, rest) = url.as_str().split_once("://")?;
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = rest.split('/').next()?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, if secure { 443 } else { 80 }),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        let known = host.eq_ignore_ascii_case(SESSION_HOST).then_some(SESSION_KEY);
        let key = url.server_key().or(known)?;
        let spelled = !host.is_empty() && host.bytes().all(plain);
        spelled.then(|| Self { secure, host: host.to_owned(), port, key })
    }

    /// The address of a file there; it names the server's key unless every client knows it.
    pub fn url_of(&self, id: &str) -> Option<FileUrl> {
        let (scheme, usual) = if self.secure { ("https", 443) } else { ("http", 80) };
        let port = if self.port == usual { String::new() } else { format!(":{}", self.port) };
        let key = (self.key != SESSION_KEY).then_some(&self.key);
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=');
        if !id.bytes().all(sound) {
            return None;
        }
        FileUrl::new(&format!("{scheme}://{}{port}", self.host), id, key)
    }

    pub(crate) fn onion(&self) -> Server {
        Server {
            host: self.host.clone(),
            port: self.port,
            protocol: if self.secure { "https" } else { "http" }.to_owned(),
            target: TARGET.to_owned(),
            key: PublicKey::from_bytes(self.key),
        }
    }
}

impl fmt::Debug for FileServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileServer(..)")
    }
}

/// How far an upload in parts has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Offset {
    /// So many bytes are there.
    At(u64),
    /// All are, and this is the file's id.
    Done(String),
    /// The server does not know the upload, or it takes no byte at this place.
    Elsewhere,
}

/// Some bytes of a file.
pub(super) struct Fetched {
    /// They begin where they were asked for.
    pub(super) bytes: Vec<u8>,
    /// Bytes of the whole file.
    pub(super) total: u64,
}

/// Puts the questions.
pub(crate) struct Asker<'a> {
    network: &'a Network,
    server: Server,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(network: &'a Network, server: &FileServer) -> Self {
        Self { network, server: server.onion() }
    }

    async fn ask(
        &self,
        method: &str,
        endpoint: String,
        headers: &[(&str, String)],
        body: Vec<u8>,
        expected: usize,
    ) -> Result<ServerResponse, AttachmentError> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let headers = headers.collect();
        let request = ServerRequest { method: method.to_owned(), endpoint, headers, body };
        Ok(self.network.ask_server(&self.server, &request, expected).await?)
    }

    /// Stores a file in one request; its id.
    pub(crate) async fn store(
        &self,
        content: Vec<u8>,
        ttl_seconds: u64,
    ) -> Result<String, AttachmentError> {
        let headers = [
            ("Content-Type", "application/octet-stream".to_owned()),
            ("X-FS-TTL", ttl_seconds.to_string()),
        ];
        let answer = self.ask("POST", "/file".to_owned(), &headers, content, SMALL_ANSWER).await?;
        check(&answer, &[200, 201])?;
        let json: serde_json::Value =
            serde_json::from_slice(&answer.body).map_err(|_| AttachmentError::Nonsense)?;
        match json.get("id") {
            Some(serde_json::Value::String(id)) => Ok(id.clone()),
            Some(serde_json::Value::Number(id)) => Ok(id.to_string()),
            _ => Err(AttachmentError::Nonsense),
        }
    }

    /// Has the server keep a file for so long from here on.
    pub(crate) async fn extend(&self, id: &str, ttl_seconds: u64) -> Result<(), AttachmentError> {
        let headers = [("X-FS-TTL", ttl_seconds.to_string())];
        let endpoint = format!("/file/{id}/extend");
        let answer = self.ask("POST", endpoint, &headers, Vec::new(), SMALL_ANSWER).await?;
        check(&answer, &[200])
    }

    /// Whether the server takes uploads in parts.
    pub(super) async fn takes_parts(&self) -> Result<bool, AttachmentError> {
        let answer =
            self.ask("OPTIONS", "/upload".to_owned(), &[], Vec::new(), SMALL_ANSWER).await?;
        Ok(answer.header("tus-version") == Some(TUS))
    }

    /// Begins an upload in parts; its path.
    pub(super) async fn begin(
        &self,
        length: u64,
        ttl_seconds: u64,
    ) -> Result<String, AttachmentError> {
        let headers = [
            ("Tus-Resumable", TUS.to_owned()),
            ("Upload-Length", length.to_string()),
            ("X-FS-TTL", ttl_seconds.to_string()),
        ];
        let answer =
            self.ask("POST", "/upload".to_owned(), &headers, Vec::new(), SMALL_ANSWER).await?;
        check(&answer, &[201])?;
        let location = answer.header("location").ok_or(AttachmentError::Nonsense)?;
        let sound = location.starts_with("/upload/") && location.len() < 1_024;
        if sound { Ok(location.to_owned()) } else { Err(AttachmentError::Nonsense) }
    }

    /// How far an upload has come.
    pub(super) async fn offset(&self, upload: &str) -> Result<Offset, AttachmentError> {
        let headers = [("Tus-Resumable", TUS.to_owned())];
        let upload = upload.to_owned();
        let answer = self.ask("HEAD", upload, &headers, Vec::new(), SMALL_ANSWER).await?;
        read_offset(&answer)
    }

    /// Sends the part at `offset`.
    pub(super) async fn append(
        &self,
        upload: &str,
        offset: u64,
        part: Vec<u8>,
    ) -> Result<Offset, AttachmentError> {
        let headers = [
            ("Tus-Resumable", TUS.to_owned()),
            ("Upload-Offset", offset.to_string()),
            ("Content-Type", "application/offset+octet-stream".to_owned()),
        ];
        let answer = self.ask("PATCH", upload.to_owned(), &headers, part, SMALL_ANSWER).await?;
        read_offset(&answer)
    }

    /// Gives an upload up. One that is gone is no error.
    pub(super) async fn give_up(&self, upload: &str) -> Result<(), AttachmentError> {
        let headers = [("Tus-Resumable", TUS.to_owned())];
        let upload = upload.to_owned();
        let answer = self.ask("DELETE", upload, &headers, Vec::new(), SMALL_ANSWER).await?;
        check(&answer, &[200, 204, 404, 410])
    }

    /// Some bytes of a file. A server that knows no ranges gives all of it.
    pub(super) async fn fetch(
        &self,
        id: &str,
        range: Range<u64>,
    ) -> Result<Fetched, AttachmentError> {
        let last = range.end.saturating_sub(1);
        let headers = [("Range", format!("bytes={}-{last}", range.start))];
        let expected = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        let answer = self.ask("GET", format!("/file/{id}"), &headers, Vec::new(), expected).await?;
        check(&answer, &[200, 206])?;
        read_part(answer, &range)
    }
}

fn read_part(answer: ServerResponse, range: &Range<u64>) -> Result<Fetched, AttachmentError> {
    if answer.code == 200 {
        let total = answer.body.len() as u64;
        let start = usize::try_from(range.start).unwrap_or(usize::MAX);
        let bytes = answer.body.get(start..).ok_or(AttachmentError::Nonsense)?.to_vec();
        return Ok(Fetched { bytes, total });
    }
    let described = answer.header("content-range").and_then(read_content_range);
    let (start, total) = described.ok_or(AttachmentError::Nonsense)?;
    let length = answer.body.len() as u64;
    let wanted = range.end.min(total).saturating_sub(range.start);
    let fits = start == range.start && length == wanted && length > 0;
    let fetched = Fetched { bytes: answer.body, total };
    if fits { Ok(fetched) } else { Err(AttachmentError::Nonsense) }
}

/// First byte and size of the whole in `bytes FIRST-LAST/SIZE`.
fn read_content_range(text: &str) -> Option<(u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.parse().ok()?, total.parse().ok()?))
}

fn read_offset(answer: &ServerResponse) -> Result<Offset, AttachmentError> {
    // 404 and 410: unknown; 409: another place; 423: another request is still writing.
    if matches!(answer.code, 404 | 409 | 410 | 423) {
        return Ok(Offset::Elsewhere);
    }
    check(answer, &[200, 204])?;
    if let Some(id) = answer.header("x-fs-id") {
        return Ok(Offset::Done(id.to_owned()));
    }
    let offset = answer.header("upload-offset").and_then(|text| text.parse().ok());
    offset.map(Offset::At).ok_or(AttachmentError::Nonsense)
}

fn check(answer: &ServerResponse, good: &[u16]) -> Result<(), AttachmentError> {
    match answer.code {
        code if good.contains(&code) => Ok(()),
        404 | 410 => Err(AttachmentError::Expired),
        413 => Err(AttachmentError::TooLarge),
        429 | 503 | 507 => Err(AttachmentError::Busy),
        code => Err(AttachmentError::Refused(code)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use proptest::prelude::*;

    use super::*;

    fn answer(code: u16, range: &str, body: &[u8]) -> ServerResponse {
        let headers = vec![("content-range".to_owned(), range.to_owned())];
        ServerResponse { code, headers, body: body.to_vec() }
    }

    #[test]
    fn the_address_of_a_file_leads_back_to_its_server() {
        let node =
            FileServer { secure: true, host: "1.2.3.4".to_owned(), port: 22_021, key: [7; 32] };
        for server in [node, FileServer::session()] {
            let url = server.url_of("abc-_=").unwrap();
            assert_eq!(FileServer::of_url(&url).unwrap(), server);
            assert_eq!(url.id(), "abc-_=");
        }
        let url = FileServer::session().url_of("12").unwrap();
        assert_eq!(url.as_str(), "http://filev2.getsession.org/file/12");
        for id in ["", "../x", "a b", "a#d", "a?b"] {
            assert_eq!(FileServer::session().url_of(id), None, "{id}");
        }
    }

    #[test]
    fn an_address_without_a_known_key_or_a_plain_host_leads_nowhere() {
        let key = "07".repeat(32);
        for text in [
            "http://files.example/file/1".to_owned(),
            format!("ftp://files.example/file/1#p={key}"),
            format!("http://me@files.example/file/1#p={key}"),
            format!("http://files.example:x/file/1#p={key}"),
            format!("http://[::1]/file/1#p={key}"),
        ] {
            let url = FileUrl::parse(&text).unwrap();
            assert!(FileServer::of_url(&url).is_err(), "{text}");
        }
    }

    #[test]
    fn a_part_is_what_was_asked_for_or_refused() {
        let part = |code, range: &str, body: &[u8]| {
            read_part(answer(code, range, body), &(2..5)).map(|part| (part.bytes, part.total)).ok()
        };
        assert_eq!(part(206, "bytes 2-4/9", b"cde"), Some((b"cde".to_vec(), 9)));
        assert_eq!(part(206, "bytes 2-3/4", b"cd"), Some((b"cd".to_vec(), 4)));
        assert_eq!(part(200, "", b"abcdefgh"), Some((b"cdefgh".to_vec(), 8)));
        for (range, body) in
            [("bytes 0-2/9", "abc"), ("bytes 2-4/9", "cd"), ("bytes 2-4/2", ""), ("", "cde")]
        {
            assert_eq!(part(206, range, body.as_bytes()), None, "{range}");
        }
        assert_eq!(part(200, "", b"a"), None);
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(code: u16, range: String, body: Vec<u8>, a: u32, b: u32) {
            let range_asked = u64::from(a)..u64::from(b);
            let _ = read_part(answer(code, &range, &body), &range_asked);
            let _ = read_offset(&answer(code, &range, &body));
        }
    }
}
