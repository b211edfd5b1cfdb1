//! What an operator says of an authority.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use warren_crypto::ed25519::VerifyingKey;
use warren_node::consensus::Terms;
use warren_transport::endpoint::{NotAUrl, parse_url};
use warren_wire::id::key_from_hex;

/// Another authority of the same directory: where it answers, and its key. Written `URL#KEY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Where it answers, http or https.
    pub url: String,
    /// Its key.
    pub key: VerifyingKey,
}

/// Why a text names no authority.
#[derive(Debug, thiserror::Error)]
pub enum OtherError {
    /// No http or https URL.
    #[error(transparent)]
    NotAUrl(#[from] NotAUrl),
    /// No key behind `#`.
    #[error(
        "write an authority as URL#KEY, the key as `warren-node authority --print-key` prints it"
    )]
    NoKey,
}

impl FromStr for Other {
    type Err = OtherError;

    fn from_str(text: &str) -> Result<Self, OtherError> {
        let (url, key) = text.split_once('#').ok_or(OtherError::NoKey)?;
        parse_url(url)?;
        let key = key_from_hex(key.trim()).map_err(|_| OtherError::NoKey)?;
        Ok(Self { url: url.to_owned(), key: VerifyingKey::from_bytes(key) })
    }
}

/// How one authority runs. `terms`, `threshold` and the set of authorities must be the same at all
/// of them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Folder for its key and its state.
    pub data: PathBuf,
    /// Where it listens, for http and https.
    pub listen: SocketAddr,
    /// The others.
    pub others: Vec<Other>,
    /// How many must sign a list; the smallest majority where nothing is said.
    pub threshold: Option<usize>,
    /// How often there is a list, how long it holds, and which addresses may be on it.
    pub terms: Terms,
}

impl Settings {
    /// An authority of its own, with the usual times.
    pub fn alone(data: PathBuf, listen: SocketAddr) -> Self {
        Self { data, listen, others: Vec::new(), threshold: None, terms: Terms::default() }
    }

    /// The same for a network whose nodes may be at addresses that only some can reach.
    #[must_use]
    pub fn with_private_addresses(self) -> Self {
        Self { terms: Terms { private_addresses: true, ..self.terms }, ..self }
    }
}
