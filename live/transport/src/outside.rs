//! Requests to servers outside the network, never to an address that the caller does not allow.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt;

use crate::connections::{Reply, TransportError, classify, read};

/// How long a handshake may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections to servers whose names are looked up and whose certificates the platform trusts.
pub struct Outside {
    client: reqwest::Client,
    allowed: fn(IpAddr) -> bool,
}

/// Looks a name up and drops the addresses that are not allowed, so that no name can stand for one
/// address when it is checked and for another when it is connected to.
pub(crate) struct Checked {
    pub(crate) allowed: fn(IpAddr) -> bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.allowed;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let kept: Vec<SocketAddr> = found.filter(|address| allowed(address.ip())).collect();
            match kept.is_empty() {
                true => Err(io::Error::from(io::ErrorKind::AddrNotAvailable).into()),
                false => Ok(Box::new(kept.into_iter()) as Addrs),
            }
        })
    }
}

impl Outside {
    /// No connection yet. `allowed` says which addresses a host may be, whether it is written as an
    /// address or as a name that stands for one.
    ///
    /// # Errors
    /// Where the platform's certificates are not to be had.
    pub fn new(allowed: fn(IpAddr) -> bool) -> Result<Self, TransportError> {
        let unreachable = |_| TransportError::Unreachable;
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(unreachable)?
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(Checked { allowed }))
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|_| TransportError::Unreachable)?;
        Ok(Self { client, allowed })
    }

    /// Posts a body to a URL.
    ///
    /// # Errors
    /// Where the URL names a user or an address that is not allowed, or no whole answer came; an
    /// answer of any status is no error.
    pub async fn post(
        &self,
        url: &str,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<Reply, TransportError> {
        let url = reqwest::Url::parse(url).map_err(|_| TransportError::Unreachable)?;
        if !may_ask(&url, self.allowed) {
            return Err(TransportError::Unreachable);
        }
        let request = self.client.post(url).timeout(timeout).body(body);
        read(request.send().await.map_err(|error| classify(&error))?).await
    }
}

/// Looks at the host that is connected to, which is not always spelled as the text it was read from:
/// `127.1` is an address, too.
pub(crate) fn may_ask(url: &reqwest::Url, allowed: fn(IpAddr) -> bool) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let anonymous = url.username().is_empty() && url.password().is_none();
    anonymous && address.map_or(true, allowed)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A server of one answer.
    async fn server() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            assert!(socket.read(&mut request).await.unwrap() > 0);
            let answer = b"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 5\r\n\r\nshort";
            socket.write_all(answer).await.unwrap();
        });
        port
    }

    #[tokio::test]
    async fn a_name_for_an_address_that_is_not_allowed_is_not_reached() {
        let url = format!("http://localhost:{}/oxen/v4/lsrpc", server().await);
        let ask = async |allowed: fn(IpAddr) -> bool| {
            let outside = Outside::new(allowed).unwrap();
            outside.post(&url, b"onion".to_vec(), Duration::from_secs(30)).await
        };
        assert_eq!(ask(|ip| !ip.is_loopback()).await, Err(TransportError::Unreachable));
        let reply = ask(|_| true).await.unwrap();
        assert_eq!((reply.status, reply.body), (418, b"short".to_vec()));
    }

    #[tokio::test]
    async fn an_address_that_is_not_allowed_is_not_reached_however_it_is_written() {
        let port = server().await;
        let outside = Outside::new(|ip| !ip.is_loopback()).unwrap();
        for host in ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "x@127.0.0.1", "[::1]"] {
            let url = format!("http://{host}:{port}/oxen/v4/lsrpc");
            let asked = outside.post(&url, b"onion".to_vec(), Duration::from_secs(30)).await;
            assert_eq!(asked, Err(TransportError::Unreachable), "{host}");
        }
    }
}
