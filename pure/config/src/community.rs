//! The address of a room on a community server, in the one form under which it is stored.

use std::fmt;

use warren_wire::value::decode_base64;

use crate::base::ConfigError;
use crate::base::tree::{Dict, Value};

/// The most bytes of a server's address.
const MAX_BASE_URL_BYTES: usize = 267;

/// The most bytes of a room's token.
const MAX_ROOM_BYTES: usize = 64;

const KEY_QUERY: &str = "?public_key=";

/// The alphabet of z-base-32.
const BASE32Z: &[u8] = b"ybndrfg8ejkmcpqxot1uwisza345h769";

/// A room of a community.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Room {
    /// `http(s)://host[:port]`, lower-case, without the port that goes without saying.
    base_url: String,
    /// The token as people write it.
    token: String,
}

impl Room {
    /// The room of a server's address and a token.
    ///
    /// # Errors
    /// [`ConfigError::Value`] where either is malformed or too long.
    pub fn new(base_url: &str, token: &str) -> Result<Self, ConfigError> {
        let room = Self { base_url: canonical_url(base_url)?, token: token.to_owned() };
        let of_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (1..=MAX_ROOM_BYTES).contains(&token.len()) && token.bytes().all(of_token) {
            Ok(room)
        } else {
            Err(ConfigError::Value)
        }
    }

    /// Reads `https://host/token` or `https://host/r/token`, with `?public_key=` and the server's key
    /// in hex, base64 or z-base-32 or without.
    ///
    /// # Errors
    /// [`ConfigError::Value`] where it is none.
    pub fn from_url(url: &str) -> Result<(Self, Option<[u8; 32]>), ConfigError> {
        let (url, key) = match url.rsplit_once(KEY_QUERY) {
            Some((url, key)) => (url, Some(read_key(key)?)),
            None => (url, None),
        };
        let (base_url, token) =
            url.rsplit_once("/r/").or_else(|| url.rsplit_once('/')).ok_or(ConfigError::Value)?;
        Ok((Self::new(base_url, token)?, key))
    }

    /// The address that people pass on.
    pub fn to_url(&self, server_key: &[u8; 32]) -> String {
        let hex: String = server_key.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}/{}{KEY_QUERY}{hex}", self.base_url, self.token)
    }

    /// The server's address in its one form.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The room's token as people write it.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The token in lower case, which is what it is stored under.
    pub fn key(&self) -> String {
        self.token.to_ascii_lowercase()
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/r/{}", self.base_url, self.token)
    }
}

/// Brings a server's address into its one form.
///
/// # Errors
/// [`ConfigError::Value`] where it is none, has a path, or is longer than 267 bytes.
pub(crate) fn canonical_url(url: &str) -> Result<String, ConfigError> {
    let (scheme, rest) = url.split_once("://").ok_or(ConfigError::Value)?;
    let (scheme, usual_port) = match scheme.to_ascii_lowercase().as_str() {
        "http" => ("http", 80),
        "https" => ("https", 443),
        _ => return Err(ConfigError::Value),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (host, Some(port.parse::<u16>().map_err(|_| ConfigError::Value)?))
        }
        Some(_) => return Err(ConfigError::Value),
        None => (rest, None),
    };
    let of_label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(of_label);
    if host.len() < 4 || !host.contains('.') || !host.split('.').all(is_label) {
        return Err(ConfigError::Value);
    }
    let host = host.to_ascii_lowercase();
    let url = match port.filter(|port| *port != usual_port) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    };
    if url.len() <= MAX_BASE_URL_BYTES { Ok(url) } else { Err(ConfigError::Value) }
}

/// Reads a server's key in hex, base64 or z-base-32.
fn read_key(text: &str) -> Result<[u8; 32], ConfigError> {
    let bytes = match text.len() {
        64 => return warren_wire::id::key_from_hex(text).map_err(|_| ConfigError::Value),
        43 | 44 => decode_base64(text),
        52 => decode_base32z(text),
        _ => None,
    };
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(ConfigError::Value)
}

fn decode_base32z(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0_u32, Vec::new());
    for byte in text.bytes() {
        let digit = BASE32Z.iter().position(|digit| *digit == byte.to_ascii_lowercase())?;
        bits = bits << 5 | u32::try_from(digit).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// The servers of a tree of `base url -> { # key32, R -> { token -> entry } }`: each room's server,
/// key and entry.
pub(crate) fn rooms(servers: Option<&Value>) -> impl Iterator<Item = (Server<'_>, &str, &Dict)> {
    let servers = servers.and_then(Value::as_dict).into_iter().flatten();
    servers.filter_map(|(url, server)| Server::read(url, server)).flat_map(|(server, rooms)| {
        rooms.iter().filter_map(move |(token, entry)| {
            Some((server, std::str::from_utf8(token).ok()?, entry.as_dict()?))
        })
    })
}

/// A server in such a tree.
#[derive(Clone, Copy)]
pub(crate) struct Server<'a> {
    pub(crate) url: &'a str,
    pub(crate) key: [u8; 32],
}

impl<'a> Server<'a> {
    fn read(url: &'a [u8], server: &'a Value) -> Option<(Self, &'a Dict)> {
        let server = server.as_dict()?;
        let key = server.get(b"#".as_slice())?.as_bytes()?.try_into().ok()?;
        let rooms = server.get(b"R".as_slice())?.as_dict()?;
        Some((Self { url: std::str::from_utf8(url).ok()?, key }, rooms))
    }
}
