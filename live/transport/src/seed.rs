//! Asking a directory who the nodes are.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::json;
use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;
use warren_wire::Millis;
use warren_wire::directory::{
    DirectoryKeys, KeysError, ListError, ListHeader, UnverifiedList, VerifiedList,
};

use crate::connections::TransportError;
use crate::endpoint::{Endpoint, NotAUrl, parse_url};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Where a directory answers, and whose signatures its list needs.
///
/// Written as URLs with the keys in the fragment: `http://127.0.0.1:22023#KEY` for one authority,
/// `https://a,https://b,https://c#2:KEY,KEY,KEY` for three of which two must have signed. The URLs
/// are asked one after the other, beginning anywhere: each alone will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    urls: Vec<reqwest::Url>,
    keys: DirectoryKeys,
}

/// Why a seed is not understood, or gives no list.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// No http or https URL.
    #[error(transparent)]
    NotAUrl(#[from] NotAUrl),
    /// No key behind `#`.
    #[error(
        "the seed lacks its directory's key: write it as URL#KEY, 64 hex digits, as `warren up` prints it, or as URL,URL#2:KEY,KEY,KEY for a directory of several"
    )]
    NoKey,
    /// The keys do not make a directory.
    #[error("the seed's keys are not understood: {0}")]
    Keys(#[from] KeysError),
    /// The directory does not answer.
    #[error("the directory does not answer ({0}): is the network up, and the seed's URL right?")]
    Transport(#[from] TransportError),
    /// The directory's list is not to be believed.
    #[error("{0}")]
    List(#[from] ListError),
    /// The list that is kept is too old to be used, and there is no newer one.
    #[error("the list of nodes kept on this device has expired, and there is no newer one: {0}")]
    Outdated(Box<SeedError>),
}

impl Seed {
    /// Takes over URLs and keys.
    ///
    /// # Errors
    /// Where there is no URL, or a text is none.
    pub fn new(urls: &[&str], keys: DirectoryKeys) -> Result<Self, SeedError> {
        if urls.is_empty() {
            return Err(NotAUrl(String::new()).into());
        }
        let urls = urls.iter().map(|url| parse_url(url)).collect::<Result<_, _>>()?;
        Ok(Self { urls, keys })
    }

    /// Checks a list's signatures against the pinned keys.
    ///
    /// # Errors
    /// Where too few of them signed it, or it is malformed.
    pub fn check(&self, signed: &UnverifiedList) -> Result<VerifiedList, ListError> {
        signed.verify(&self.keys)
    }

    /// Fetches the list; gives it as signed, too, for keeping. One URL after the other is asked until
    /// one has a list that enough of the pinned keys signed, that holds at this time, and that is not
    /// older than the one seen last.
    ///
    /// # Errors
    /// Where none of them has; what is wrong with a list says more than that a server is down.
    pub async fn fetch(
        &self,
        seen: Option<&ListHeader>,
        now: Millis,
    ) -> Result<(VerifiedList, UnverifiedList), SeedError> {
        let count = self.urls.len();
        let first = random_index(&mut SystemEntropy, count).unwrap_or_default();
        let mut complaint = SeedError::Transport(TransportError::Unreachable);
        for url in self.urls.iter().cycle().skip(first).take(count) {
            match self.fetch_from(url, seen, now).await {
                Ok(found) => return Ok(found),
                Err(error @ SeedError::List(_)) => complaint = error,
                Err(error) if matches!(complaint, SeedError::Transport(_)) => complaint = error,
                Err(_) => {}
            }
        }
        Err(complaint)
    }

    async fn fetch_from(
        &self,
        url: &reqwest::Url,
        seen: Option<&ListHeader>,
        now: Millis,
    ) -> Result<(VerifiedList, UnverifiedList), SeedError> {
        let question = json!({
            "jsonrpc": "2.0", "id": 0, "method": "get_n_service_nodes",
            "params": { "signed": true, "limit": 1, "fields": { "pubkey_ed25519": true } },
        });
        let endpoint = Endpoint::new(url.clone())?;
        let reply = endpoint.post("/json_rpc", question.to_string(), TIMEOUT).await?;
        let reply: serde_json::Value =
            serde_json::from_slice(&reply.body).map_err(|_| ListError::Malformed)?;
        let signed = reply.pointer("/result/signed_list").ok_or(ListError::Unsigned)?;
        let signed: UnverifiedList =
            serde_json::from_value(signed.clone()).map_err(|_| ListError::Malformed)?;
        let list = self.check(&signed)?;
        list.header.check_time(now)?;
        if let Some(seen) = seen {
            list.header.check_follows(seen)?;
        }
        Ok((list, signed))
    }

    /// The URLs without the keys, as they are written in a seed.
    pub fn url(&self) -> String {
        let urls: Vec<&str> =
            self.urls.iter().map(|url| url.as_str().trim_end_matches('/')).collect();
        urls.join(",")
    }

    /// Every URL at which the directory answers.
    pub fn urls(&self) -> &[reqwest::Url] {
        &self.urls
    }

    /// Whose signatures its list needs.
    pub const fn keys(&self) -> &DirectoryKeys {
        &self.keys
    }
}

impl FromStr for Seed {
    type Err = SeedError;

    fn from_str(text: &str) -> Result<Self, SeedError> {
        let (urls, keys) = text.trim().split_once('#').unwrap_or((text, ""));
        let urls: Vec<_> = urls.split(',').map(parse_url).collect::<Result<_, _>>()?;
        let keys = match keys.parse() {
            Err(KeysError::Key) => return Err(SeedError::NoKey),
            keys => keys?,
        };
        Ok(Self { urls, keys })
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.url(), self.keys)
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
    fn a_seed_of_several_is_written_with_its_threshold() {
        let keys = ["01", "02", "03"].map(|key| key.repeat(32)).join(",");
        let text = format!("https://a.example:1,http://127.0.0.1:2#2:{keys}");
        let seed: Seed = text.parse().unwrap();
        assert_eq!(seed.to_string(), text);
        assert_eq!((seed.urls().len(), seed.keys().threshold()), (2, 2));
        for threshold in ["", "0:", "4:", "x:"] {
            let text = format!("http://127.0.0.1:2#{threshold}{keys}");
            assert!(matches!(text.parse::<Seed>(), Err(SeedError::Keys(_))), "{threshold}");
        }
    }

    #[test]
    fn a_seed_without_key_or_url_is_named() {
        assert!(matches!("http://127.0.0.1:1".parse::<Seed>(), Err(SeedError::NoKey)));
        assert!(matches!("http://127.0.0.1:1#ab".parse::<Seed>(), Err(SeedError::NoKey)));
        for bad in ["", "127.0.0.1", "ftp://x", "file:///x", "http://a,b"] {
            assert!(matches!(bad.parse::<Seed>(), Err(SeedError::NotAUrl(_))), "{bad}");
        }
    }
}
