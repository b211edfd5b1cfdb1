//! Who may ask over loopback: whoever has the token, at our own name, from no foreign web page.
//!
//! Any program on this machine and any web page in its browser can reach a port on loopback. A
//! page's requests carry its `Origin`, and a name that was rebound to 127.0.0.1 stands in `Host`.
//! Whoever is refused learns nothing: an empty 403.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use warren_crypto::Secret;

/// The bytes of a token.
pub const TOKEN_BYTES: usize = 32;
/// What a WebSocket speaks.
pub const SUBPROTOCOL: &str = "warren.v1";
/// Before the token, among the subprotocols that a browser offers.
const TOKEN_PROTOCOL: &str = "warren.token.";

/// What must hold of a request.
pub struct Guard {
    token: Secret<TOKEN_BYTES>,
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Guard {
    /// For a listener at `address`. Its own origins are allowed, and those named.
    pub fn new(token: Secret<TOKEN_BYTES>, address: SocketAddr, allowed: &[String]) -> Self {
        let port = address.port();
        let hosts: Vec<String> = ["127.0.0.1", "localhost", "[::1]"]
            .iter()
            .map(|host| format!("{host}:{port}"))
            .collect();
        let own = hosts.iter().map(|host| format!("http://{host}"));
        let origins = own.chain(allowed.iter().cloned()).collect();
        Self { token, hosts, origins }
    }

    /// Puts itself before a router.
    ///
    /// The router as a whole stands behind it, so that a refusal names not even its methods.
    pub fn before(self, router: Router) -> Router {
        let all = Router::new().fallback_service(router);
        all.layer(middleware::from_fn_with_state(Arc::new(self), admit))
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let host = only(headers, &HOST);
        let is_ours = host.is_some_and(|host| self.hosts.iter().any(|own| own == host));
        let origin_fits = !headers.contains_key(ORIGIN)
            || only(headers, &ORIGIN)
                .is_some_and(|from| self.origins.iter().any(|own| own == from));
        let has_token = tokens(headers).any(|token| token == self.token);
        is_ours && origin_fits && has_token
    }
}

async fn admit(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    if guard.admits(request.headers()) {
        return next.run(request).await;
    }
    let mut refusal = Response::new(Body::empty());
    *refusal.status_mut() = StatusCode::FORBIDDEN;
    refusal
}

/// A header's value; `None` where it stands there twice.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// The tokens in a request. Comparing them takes equally long whatever they are.
fn tokens(headers: &HeaderMap) -> impl Iterator<Item = Secret<TOKEN_BYTES>> {
    let bearer = only(headers, &AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let offered = only(headers, &SEC_WEBSOCKET_PROTOCOL).into_iter().flat_map(|all| all.split(','));
    let offered = offered.filter_map(|one| one.trim().strip_prefix(TOKEN_PROTOCOL));
    bearer.into_iter().chain(offered).filter_map(read_token)
}

/// Reads a token from its hexadecimal digits.
pub fn read_token(text: &str) -> Option<Secret<TOKEN_BYTES>> {
    let mut bytes = [0; TOKEN_BYTES];
    hex::decode_to_slice(text.trim(), &mut bytes).ok()?;
    Some(Secret::take(&mut bytes))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TOKEN: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn admits(pairs: &[(&'static str, &str)]) -> bool {
        let address = "127.0.0.1:4000".parse().unwrap();
        let allowed = ["https://app.example".to_owned()];
        let guard = Guard::new(read_token(TOKEN).unwrap(), address, &allowed);
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        guard.admits(&headers)
    }

    #[test]
    fn our_names_with_the_token_are_admitted() {
        let bearer = ("authorization", &*format!("Bearer {TOKEN}"));
        for host in ["127.0.0.1:4000", "localhost:4000", "[::1]:4000"] {
            assert!(admits(&[("host", host), bearer]));
            assert!(admits(&[("host", host), bearer, ("origin", &format!("http://{host}"))]));
        }
        let host = ("host", "localhost:4000");
        assert!(admits(&[host, bearer, ("origin", "https://app.example")]));
        let offered = format!("warren.v1, warren.token.{TOKEN}");
        assert!(admits(&[host, ("sec-websocket-protocol", &offered)]));
    }

    #[test]
    fn a_rebound_name_a_foreign_page_and_a_wrong_token_are_not() {
        let bearer = ("authorization", &*format!("Bearer {TOKEN}"));
        let host = ("host", "127.0.0.1:4000");
        assert!(!admits(&[bearer]));
        for other in ["evil.example:4000", "127.0.0.1", "127.0.0.1:4001", "127.0.0.1.evil:4000", ""]
        {
            assert!(!admits(&[("host", other), bearer]), "{other}");
        }
        assert!(!admits(&[host, host, bearer]), "two names");
        for origin in ["https://evil.example", "null", "http://127.0.0.1:4001", ""] {
            assert!(!admits(&[host, bearer, ("origin", origin)]), "{origin}");
        }
        assert!(!admits(&[host]));
        let wrong = TOKEN.replace("00", "01");
        for value in [&format!("Bearer {wrong}"), "Bearer ", TOKEN, &format!("Basic {TOKEN}")] {
            assert!(!admits(&[host, ("authorization", value)]), "{value}");
        }
    }
}
