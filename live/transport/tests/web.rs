//! The web as previews of links see it: real TLS servers, real proxies, and what is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, Redirect};
use axum::routing::get;
use axum_server::tls_rustls::RustlsConfig;
use rcgen::CertifiedKey;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use warren_transport::TransportError;
use warren_transport::web::{Web, WebAccess, checked_proxy};

const PATIENCE: Duration = Duration::from_secs(60);
/// A name that no machine has.
const NAME: &str = "page.warren.example";

/// A site with its certificate.
struct Site {
    address: SocketAddr,
    root: CertificateDer<'static>,
}

impl Site {
    async fn start() -> Self {
        let names = vec!["127.0.0.1".to_owned(), NAME.to_owned()];
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
        let root = cert.der().clone();
        let (certificates, key) = (vec![root.clone()], signing_key.serialize_der());
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(certificates, key.try_into().unwrap())
                .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new()
            .route(
                "/",
                get(async |headers: HeaderMap| Html(format!("{:?}", headers.get("referer")))),
            )
            .route("/there", get(async || Redirect::to("/")))
            .route("/plain", get(async || Redirect::to("http://127.0.0.1/")))
            .route("/inside", get(async || Redirect::to("https://127.0.0.2/")))
            .route("/nearby", get(async || Redirect::to("https://localhost/")))
            .route("/round", get(async || Redirect::to("/round")))
            .route("/long", get(async || "x".repeat(100_000)))
            .route("/slow", get(async || tokio::time::sleep(Duration::from_secs(600)).await))
            .route("/none", get(async || (StatusCode::NOT_FOUND, [(header::LOCATION, "/")])));
        let server =
            axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(config.into()));
        tokio::spawn(server.serve(routes.into_make_service()));
        Self { address, root }
    }

    /// A way to the web that trusts the site, and goes to the allowed addresses.
    fn web(&self, allowed: fn(IpAddr) -> bool, proxy: Option<String>) -> Web {
        let extra_roots = vec![self.root.clone()];
        Web::new(WebAccess { allowed, proxy, extra_roots }).unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }
}

fn first_loopback(ip: IpAddr) -> bool {
    ip == IpAddr::from([127, 0, 0, 1])
}

#[tokio::test]
async fn a_page_is_read_up_to_a_size_and_by_way_of_others_of_its_kind_alone() {
    let site = Site::start().await;
    let web = site.web(first_loopback, None);
    let page = web.get(&site.url("/there"), 1_000, PATIENCE).await.unwrap();
    assert_eq!((page.url, page.media_type.as_str()), (site.url("/"), "text/html"));
    assert_eq!(
        (page.start.as_slice(), page.is_whole),
        (&b"None"[..], true),
        "and says no referrer"
    );
    let long = web.get(&site.url("/long"), 1_000, PATIENCE).await.unwrap();
    assert_eq!((long.start.len(), long.is_whole), (1_000, false));
    for path in ["/plain", "/inside", "/nearby", "/round", "/none"] {
        let refused = web.get(&site.url(path), 1_000, PATIENCE).await;
        assert_eq!(refused, Err(TransportError::Unreachable), "{path}");
    }
    let slow = web.get(&site.url("/slow"), 1_000, Duration::from_secs(2)).await;
    assert_eq!(slow, Err(TransportError::TimedOut));
}

#[tokio::test]
async fn what_is_not_public_or_not_over_tls_is_not_asked() {
    let site = Site::start().await;
    let port = site.address.port();
    let nobody = site.web(|_| false, None);
    let anybody = site.web(|_| true, None);
    let by_address = site.url("/");
    assert_eq!(nobody.get(&by_address, 9, PATIENCE).await, Err(TransportError::Unreachable));
    assert!(anybody.get(&by_address, 9, PATIENCE).await.is_ok());
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://x@127.0.0.1:{port}/"),
        format!("https://localhost:{port}/"),
        format!("https://printer.local:{port}/"),
        format!("https://localhost.:{port}/"),
        format!("https://intranet:{port}/"),
        format!("ftp://127.0.0.1:{port}/"),
        "nonsense".to_owned(),
    ] {
        let refused = anybody.get(&url, 9, PATIENCE).await;
        assert_eq!(refused, Err(TransportError::Unreachable), "{url}");
    }
    // A certificate that nobody trusts.
    let web = Web::new(WebAccess { allowed: |_| true, proxy: None, extra_roots: Vec::new() });
    let refused = web.unwrap().get(&by_address, 9, PATIENCE).await;
    assert_eq!(refused, Err(TransportError::Unreachable));
}

/// A proxy to a site, and what it was asked for.
async fn proxy(to: SocketAddr, is_socks: bool) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let target = if is_socks {
                greet_socks(&mut client).await
            } else {
                greet_http(&mut client).await
            };
            noted.lock().unwrap().push(target);
            let mut server = TcpStream::connect(to).await.unwrap();
            tokio::spawn(async move {
                // How it ends is the client's matter.
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (address, asked)
}

/// RFC 9110, section 9.3.6: `CONNECT host:port`.
async fn greet_http(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let head = String::from_utf8(head).unwrap();
    head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap().to_owned()
}

/// RFC 1928, sections 3 to 6, where the client gives a name.
async fn greet_socks(client: &mut TcpStream) -> String {
    assert_eq!(client.read_u8().await.unwrap(), 5);
    let mut methods = vec![0; usize::from(client.read_u8().await.unwrap())];
    client.read_exact(&mut methods).await.unwrap();
    client.write_all(&[5, 0]).await.unwrap();
    let mut head = [0; 4];
    client.read_exact(&mut head).await.unwrap();
    assert_eq!(head, [5, 1, 0, 3], "the proxy is given a name, not an address");
    let mut name = vec![0; usize::from(client.read_u8().await.unwrap())];
    client.read_exact(&mut name).await.unwrap();
    let port = client.read_u16().await.unwrap();
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    format!("{}:{port}", String::from_utf8(name).unwrap())
}

#[tokio::test]
async fn a_proxy_is_asked_by_name_and_nobody_else_is() {
    let site = Site::start().await;
    for (scheme, is_socks) in [("http", false), ("socks5", true), ("socks5h", true)] {
        let (address, asked) = proxy(site.address, is_socks).await;
        // No name is looked up here: none of these addresses would be allowed.
        let web = site.web(|_| false, Some(format!("{scheme}://{address}")));
        let page = web.get(&format!("https://{NAME}/there"), 100, PATIENCE).await.unwrap();
        assert_eq!(page.url, format!("https://{NAME}/"));
        let asked = asked.lock().unwrap().clone();
        assert!(
            !asked.is_empty() && asked.iter().all(|to| *to == format!("{NAME}:443")),
            "{asked:?}"
        );
        // The proxy's own network is nobody's business either.
        let inside = web.get("https://10.0.0.1/", 100, PATIENCE).await;
        assert_eq!(inside, Err(TransportError::Unreachable));
    }
    // A proxy that is not there is not gone around.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let web = site.web(|_| true, Some(format!("http://{gone}")));
    assert!(web.get(&site.url("/"), 100, PATIENCE).await.is_err());
}

#[test]
fn a_proxy_is_a_scheme_a_host_and_a_port() {
    assert_eq!(checked_proxy("socks5://127.0.0.1:9050").unwrap(), "socks5h://127.0.0.1:9050");
    assert_eq!(checked_proxy(" http://proxy.example:3128/ ").unwrap(), "http://proxy.example:3128");
    for bad in ["", "127.0.0.1:9050", "ftp://a:1", "http://u:p@a:1", "http://a/x", "socks4://a:1"] {
        assert!(checked_proxy(bad).is_err(), "{bad}");
    }
    let access = |proxy: &str| WebAccess {
        allowed: |_| true,
        proxy: Some(proxy.to_owned()),
        extra_roots: Vec::new(),
    };
    assert!(Web::new(access("nonsense")).is_err());
}
