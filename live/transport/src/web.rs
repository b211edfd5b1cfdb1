//! Pages and images of the web, fetched over TLS alone, never from an address that is not public, and
//! through a proxy where one is given.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{
    ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, USER_AGENT,
};
use reqwest::{Proxy, Url};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;

use crate::connections::{TransportError, classify};
use crate::outside::{Checked, may_ask};

/// How long a handshake may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a server may send on to another address.
const MOST_REDIRECTS: usize = 5;
/// Kinds of proxies, as they are written; names are looked up by the proxy in each.
const PROXIES: [&str; 4] = ["http", "https", "socks5", "socks5h"];
/// Ends of names that mean a machine nearby.
const NEARBY: [&str; 5] = ["localhost", "local", "internal", "lan", "home.arpa"];

/// Why a proxy cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "that is no proxy: write http://HOST:PORT or socks5://HOST:PORT, without a name or a password"
)]
pub struct BadProxy;

/// How the web is to be reached.
#[derive(Debug, Clone)]
pub struct WebAccess {
    /// Which addresses a host may be.
    pub allowed: fn(IpAddr) -> bool,
    /// The proxy that everything goes through; without one sites see this device's address.
    pub proxy: Option<String>,
    /// Certificates that are trusted besides the platform's.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebContent {
    /// Where it was in the end.
    pub url: String,
    /// The media type that the server says, without parameters.
    pub media_type: String,
    /// The start of it, up to as many bytes as were asked for.
    pub start: Vec<u8>,
    /// Whether that is all of it.
    pub is_whole: bool,
}

/// The web.
pub struct Web {
    client: reqwest::Client,
    allowed: fn(IpAddr) -> bool,
}

impl Web {
    /// No connection yet.
    ///
    /// # Errors
    /// Where the platform's certificates are not to be had, or the proxy is none.
    pub fn new(access: WebAccess) -> Result<Self, TransportError> {
        let unreachable = |_| TransportError::Unreachable;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier::new_with_extra_roots(access.extra_roots, Arc::clone(&provider));
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unreachable)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier.map_err(unreachable)?))
            .with_no_client_auth();
        // Named as Session's clients name themselves when they look at a link.
        let headers = HeaderMap::from_iter([
            (USER_AGENT, HeaderValue::from_static("WhatsApp")),
            (ACCEPT_LANGUAGE, HeaderValue::from_static("en-us")),
        ]);
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .https_only(true)
            .referer(false)
            .pool_max_idle_per_host(0);
        let allowed = access.allowed;
        let builder = match access.proxy {
            None => builder.no_proxy().dns_resolver(Arc::new(Checked { allowed })),
            Some(proxy) => {
                let proxy =
                    checked_proxy(&proxy).map_err(|BadProxy| TransportError::Unreachable)?;
                builder.proxy(Proxy::all(proxy).map_err(|_| TransportError::Unreachable)?)
            }
        };
        let client = builder.build().map_err(|_| TransportError::Unreachable)?;
        Ok(Self { client, allowed })
    }

    /// Fetches at most `most` bytes from a URL, by way of a few others where the server says so.
    ///
    /// # Errors
    /// Where a URL on the way is not `https`, names a user, a place nearby or an address that is not
    /// allowed; where no good answer came in time.
    pub async fn get(
        &self,
        url: &str,
        most: usize,
        patience: Duration,
    ) -> Result<WebContent, TransportError> {
        let fetched = tokio::time::timeout(patience, self.follow(url, most)).await;
        fetched.map_err(|_| TransportError::TimedOut)?
    }

    async fn follow(&self, url: &str, most: usize) -> Result<WebContent, TransportError> {
        let mut url = Url::parse(url).map_err(|_| TransportError::Unreachable)?;
        for _ in 0..=MOST_REDIRECTS {
            if url.scheme() != "https" || is_nearby(&url) || !may_ask(&url, self.allowed) {
                return Err(TransportError::Unreachable);
            }
            let asked = self.client.get(url.clone()).send().await;
            let response = asked.map_err(|error| classify(&error))?;
            if response.status().is_success() {
                return read_start(response, url, most).await;
            }
            let next = response.headers().get(LOCATION).and_then(|next| next.to_str().ok());
            let next = next.filter(|_| response.status().is_redirection());
            let next = next.and_then(|next| url.join(next).ok());
            url = next.ok_or(TransportError::Unreachable)?;
        }
        Err(TransportError::Unreachable)
    }
}

async fn read_start(
    mut response: reqwest::Response,
    url: Url,
    most: usize,
) -> Result<WebContent, TransportError> {
    let media_type = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let media_type = media_type.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    let (mut start, mut is_whole) = (Vec::new(), true);
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
        let room = most - start.len();
        start.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if chunk.len() > room {
            is_whole = false;
            break;
        }
    }
    Ok(WebContent { url: url.into(), media_type, start, is_whole })
}

/// A proxy as it is used: the one that looks names up, so that nobody else is asked for them.
///
/// # Errors
/// Where it is no proxy.
pub fn checked_proxy(proxy: &str) -> Result<String, BadProxy> {
    let url = Url::parse(proxy.trim()).map_err(|_| BadProxy)?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none();
    let host = url.host_str().filter(|host| !host.is_empty());
    let (Some(host), true) = (host, is_plain && is_bare && PROXIES.contains(&url.scheme())) else {
        return Err(BadProxy);
    };
    let scheme = if url.scheme() == "socks5" { "socks5h" } else { url.scheme() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{scheme}://{host}{port}"))
}

/// Whether a name means a machine nearby, whoever looks it up.
fn is_nearby(url: &Url) -> bool {
    let Some(host) = url.domain() else { return false };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let ends = |end: &str| {
        host.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    !host.contains('.') || NEARBY.into_iter().any(ends)
}

/// The address that a link on a page means.
pub fn join(page: &str, link: &str) -> Option<String> {
    Some(Url::parse(page).ok()?.join(link).ok()?.into())
}
