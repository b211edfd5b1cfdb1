//! Where a file is: an address whose fragment says how the file is encrypted.
//!
//! ```text
//! http://host/file/ID                 legacy
//! http://host/file/ID#d               deterministic
//! http://host/file/ID#p=KEY&d         of a server other than the one that clients know
//! ```
//!
//! `KEY` is 64 hex digits. Parts of the fragment that are not known are kept and not read. Source:
//! libsession-util `src/network/backends/session_file_server.cpp`, session-desktop `ts/session/url`.

use std::fmt;

/// The most bytes of an address.
pub const MAX_BYTES: usize = 2_048;
/// The part of the fragment that marks the deterministic format.
const STREAM: &str = "d";
/// The part of the fragment that holds the server's key.
const SERVER_KEY: &str = "p";
/// Hex digits of a server's key.
const KEY_DIGITS: usize = 64;

/// An address of a file: scheme, host and an id at the end of its path.
#[derive(Clone, PartialEq, Eq)]
pub struct FileUrl(String);

impl FileUrl {
    /// Reads an address; `None` where it has no scheme, host or id, is too long, or holds what no
    /// address holds.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_graphic();
        let (scheme, rest) = text.split_once("://")?;
        let (host, path) = rest.split(['?', '#']).next()?.split_once('/')?;
        let id = path.rsplit('/').next()?;
        let complete = !scheme.is_empty() && !host.is_empty() && !id.is_empty();
        (complete && text.len() <= MAX_BYTES && text.chars().all(plain))
            .then(|| Self(text.to_owned()))
    }

    /// The address of a file `id` at `server` (scheme and host), with the server's key where
    /// recipients do not know it.
    pub fn new(server: &str, id: &str, server_key: Option<&[u8; 32]>) -> Option<Self> {
        let fragment =
            server_key.map(|key| format!("#{SERVER_KEY}={}", key_digits(key))).unwrap_or_default();
        Self::parse(&format!("{}/file/{id}{fragment}", server.trim_end_matches('/')))
    }

    /// The same address, marked for the deterministic format or not.
    #[must_use]
    pub fn marked(&self, stream: bool) -> Self {
        let mut parts: Vec<&str> = self.parts().filter(|part| !is_stream(part)).collect();
        if stream {
            parts.push(STREAM);
        }
        let base = self.0.split('#').next().unwrap_or_default();
        if parts.is_empty() {
            return Self(base.to_owned());
        }
        Self(format!("{base}#{}", parts.join("&")))
    }

    /// Whether the file is in the deterministic format.
    pub fn is_stream(&self) -> bool {
        self.parts().any(is_stream)
    }

    /// The key of the server, where the address names one.
    pub fn server_key(&self) -> Option<[u8; 32]> {
        self.parts().find_map(|part| {
            let digits = part.strip_prefix(SERVER_KEY)?.strip_prefix('=')?;
            read_key(digits)
        })
    }

    /// The id of the file: the last part of the path.
    pub fn id(&self) -> &str {
        self.0.split(['?', '#']).next().and_then(|path| path.rsplit('/').next()).unwrap_or_default()
    }

    /// The address as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parts(&self) -> impl Iterator<Item = &str> {
        let fragment = self.0.split_once('#').map(|(_, fragment)| fragment);
        fragment
            .into_iter()
            .flat_map(|fragment| fragment.split('&'))
            .filter(|part| !part.is_empty())
    }
}

impl fmt::Debug for FileUrl {
    /// A log holds nothing of what people send.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileUrl(..)")
    }
}

/// Desktop clients write `d=`, as their parser of fragments knows no part without a value.
fn is_stream(part: &str) -> bool {
    part.split('=').next() == Some(STREAM)
}

fn key_digits(key: &[u8; 32]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_key(digits: &str) -> Option<[u8; 32]> {
    if digits.len() != KEY_DIGITS || !digits.is_ascii() {
        return None;
    }
    let mut key = [0; 32];
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "da21e1d886c6fbaea313f75298bd64aab03a97ce985b46bb2dad9f2089c8ee59";

    fn url(fragment: &str) -> FileUrl {
        FileUrl::parse(&format!("https://example.com/file/abc123{fragment}")).unwrap()
    }

    #[test]
    fn the_forms_that_clients_write_are_read() {
        let key = read_key(KEY);
        assert!(key.is_some());
        for (fragment, stream, server) in [
            ("", false, None),
            ("#d", true, None),
            ("#d=", true, None),
            (&format!("#p={KEY}"), false, key),
            (&format!("#p={KEY}&d"), true, key),
            (&format!("#d&e=00&p={KEY}"), true, key),
            ("#p=abc123&d", true, None),
            ("#dd&x", false, None),
        ] {
            let url = url(fragment);
            let read = (url.id(), url.is_stream(), url.server_key());
            assert_eq!(read, ("abc123", stream, server), "{fragment}");
        }
    }

    #[test]
    fn the_mark_is_set_and_taken_and_the_rest_stays() {
        let plain = FileUrl::new("http://files.example/", "7", None).unwrap();
        assert_eq!(plain.as_str(), "http://files.example/file/7");
        assert_eq!(plain.marked(true).as_str(), "http://files.example/file/7#d");
        let keyed = FileUrl::new("http://files.example", "7", read_key(KEY).as_ref()).unwrap();
        let marked = keyed.marked(true);
        assert_eq!(marked.as_str(), format!("http://files.example/file/7#p={KEY}&d"));
        assert_eq!((marked.marked(true), marked.marked(false)), (marked.clone(), keyed));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "x", "http://", "http://host", "http://host/", "://host/1", "http:///1"] {
            assert_eq!(FileUrl::parse(text), None, "{text}");
        }
        assert_eq!(FileUrl::parse("http://host/file/1\n"), None);
        assert_eq!(FileUrl::parse(&format!("http://host/{}", "x".repeat(MAX_BYTES))), None);
    }

    proptest! {
        #[test]
        fn any_address_keeps_its_id_under_the_mark(text in "[a-z:/#?&=dp0-9é]{0,60}") {
            if let Some(url) = FileUrl::parse(&text) {
                for stream in [true, false] {
                    let marked = FileUrl::parse(url.marked(stream).as_str()).unwrap();
                    prop_assert_eq!((marked.id(), marked.is_stream()), (url.id(), stream));
                }
            }
        }
    }
}
