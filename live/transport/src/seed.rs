//! Asking a directory who the nodes are.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::json;
use warren_crypto::ed25519::VerifyingKey;
use warren_wire::directory::{ListError, NodeList, UnverifiedList};
use warren_wire::id::key_from_hex;

use crate::connections::{TransportError, classify, http_client, read};
use crate::pin::Pin;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Where a directory answers, and the key its list must be signed with.
///
/// Written as a URL with the key in the fragment: `http://127.0.0.1:22023#<64 hex digits>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    url: reqwest::Url,
    key: VerifyingKey,
}

/// Why a seed is not understood, or gives no list.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// No http or https URL.
    #[error("'{0}' is no http or https URL")]
    NotAUrl(String),
    /// No key behind `#`.
    #[error(
        "the seed lacks its directory's key: write it as URL#KEY, 64 hex digits, as `warren up` prints it"
    )]
    NoKey,
    /// The directory does not answer.
    #[error("the directory does not answer ({0}): is the network up, and the seed's URL right?")]
    Transport(#[from] TransportError),
    /// The directory's list is not to be believed.
    #[error("{0}")]
    List(#[from] ListError),
}

impl Seed {
    /// Takes over a URL and a key.
    ///
    /// # Errors
    /// Where the URL is none.
    pub fn new(url: &str, key: VerifyingKey) -> Result<Self, SeedError> {
        let not_a_url = || SeedError::NotAUrl(url.to_owned());
        let mut url: reqwest::Url = url.parse().map_err(|_| not_a_url())?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(not_a_url());
        }
        url.set_fragment(None);
        Ok(Self { url, key })
    }

    /// Checks a list against the pinned key.
    ///
    /// # Errors
    /// Where it is not signed by that key or is malformed.
    pub fn check(&self, signed: &UnverifiedList) -> Result<NodeList, ListError> {
        signed.verify(&self.key)
    }

    /// Fetches the list and checks it against the pinned key; gives it as signed, too, for keeping.
    ///
    /// # Errors
    /// Where the directory does not answer or its list is not signed by the pinned key.
    pub async fn fetch(&self) -> Result<(NodeList, UnverifiedList), SeedError> {
        let mut url = self.url.clone();
        url.set_path("/json_rpc");
        let question = json!({
            "jsonrpc": "2.0", "id": 0, "method": "get_n_service_nodes",
            "params": { "signed": true, "limit": 0, "fields": { "pubkey_ed25519": true } },
        });
        let response = http_client(Pin::Any)?
            .post(url)
            .timeout(TIMEOUT)
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(question.to_string())
            .send()
            .await
            .map_err(|error| classify(&error))?;
        let reply = read(response).await?;
        let reply: serde_json::Value =
            serde_json::from_slice(&reply.body).map_err(|_| ListError::Malformed)?;
        let signed = reply.pointer("/result/signed_list").ok_or(ListError::Unsigned)?;
        let signed: UnverifiedList =
            serde_json::from_value(signed.clone()).map_err(|_| ListError::Malformed)?;
        Ok((self.check(&signed)?, signed))
    }

    /// The URL without the key.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The key its list must be signed with.
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }
}

impl FromStr for Seed {
    type Err = SeedError;

    fn from_str(text: &str) -> Result<Self, SeedError> {
        let (url, key) = text.split_once('#').unwrap_or((text, ""));
        let seed = Self::new(url, VerifyingKey::from_bytes([0; 32]))?;
        let key = key_from_hex(key).map_err(|_| SeedError::NoKey)?;
        Ok(Self { key: VerifyingKey::from_bytes(key), ..seed })
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.as_str().trim_end_matches('/');
        write!(f, "{url}#{}", hex::encode(self.key.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_written_with_its_key() {
        let text = format!("http://127.0.0.1:22023#{}", "ab".repeat(32));
        assert_eq!(text.parse::<Seed>().unwrap().to_string(), text);
    }

    #[test]
    fn a_seed_without_key_or_url_is_named() {
        assert!(matches!("http://127.0.0.1:1".parse::<Seed>(), Err(SeedError::NoKey)));
        assert!(matches!("http://127.0.0.1:1#ab".parse::<Seed>(), Err(SeedError::NoKey)));
        for bad in ["", "127.0.0.1", "ftp://x", "file:///x"] {
            assert!(matches!(bad.parse::<Seed>(), Err(SeedError::NotAUrl(_))), "{bad}");
        }
    }
}
