//! A server that is reached by its URL: a directory's authority, whose word is believed for its
//! signatures and not for its certificate.

use std::time::Duration;

use crate::connections::{Reply, TransportError, classify, http_client, read};
use crate::pin::Pin;

/// Why a text is no URL of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no http or https URL")]
pub struct NotAUrl(
    /// The text.
    pub String,
);

/// Reads an http or https URL that names a host; what stands behind the port is dropped.
///
/// # Errors
/// Where the text is anything else.
pub fn parse_url(text: &str) -> Result<reqwest::Url, NotAUrl> {
    let not_a_url = || NotAUrl(text.to_owned());
    let mut url: reqwest::Url = text.trim().parse().map_err(|_| not_a_url())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(not_a_url());
    }
    url.set_fragment(None);
    url.set_query(None);
    url.set_path("");
    Ok(url)
}

/// A server and the connections that are open to it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    url: reqwest::Url,
    client: reqwest::Client,
}

impl Endpoint {
    /// Takes a URL over; nothing is connected yet.
    ///
    /// # Errors
    /// Where the TLS library refuses its own defaults.
    pub fn new(url: reqwest::Url) -> Result<Self, TransportError> {
        Ok(Self { url, client: http_client(Pin::Any)? })
    }

    /// The URL.
    pub const fn url(&self) -> &reqwest::Url {
        &self.url
    }

    /// Posts JSON to a path, such as `/json_rpc`.
    ///
    /// # Errors
    /// Where no whole answer came; an answer of any status is no error.
    pub async fn post(
        &self,
        path: &str,
        json: String,
        timeout: Duration,
    ) -> Result<Reply, TransportError> {
        self.send(self.request(path, json, timeout)).await
    }

    /// As [`Endpoint::post`], with a header of this name and content.
    ///
    /// # Errors
    /// As [`Endpoint::post`], and [`TransportError::Broken`] where they are no header.
    pub async fn post_under(
        &self,
        path: &str,
        header: (&'static str, String),
        json: String,
        timeout: Duration,
    ) -> Result<Reply, TransportError> {
        self.send(self.request(path, json, timeout).header(header.0, header.1)).await
    }

    fn request(&self, path: &str, json: String, timeout: Duration) -> reqwest::RequestBuilder {
        let mut url = self.url.clone();
        url.set_path(path);
        let request = self.client.post(url).timeout(timeout).body(json);
        request.header(reqwest::header::CONTENT_TYPE, "application/json")
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Reply, TransportError> {
        read(request.send().await.map_err(|error| classify(&error))?).await
    }
}
