//! Where the database is: a URL with one or several servers, and how to speak to each.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls_improved::MakeRustlsConnect;

use crate::StoreError;

/// A parameter of the URL that the driver does not know: a PEM file with the certificates to trust.
const ROOTS: &str = "sslrootcert";

/// How long a server may take to open a connection.
const OPENING: Duration = Duration::from_secs(5);

/// The servers of one database, each with all that a connection to it needs.
#[derive(Clone)]
pub(super) struct Address {
    /// One for each server, in the order of the URL.
    pub(super) servers: Vec<Config>,
    /// TLS where the URL asks for it.
    pub(super) tls: Option<MakeRustlsConnect>,
}

impl Address {
    /// Reads a URL `postgres://user:password@host:port,host:port/database?parameters`.
    ///
    /// Only servers that take writes are used, whatever `target_session_attrs` says. With
    /// `sslmode=require` the connection is encrypted and the server's certificate is checked
    /// against `sslrootcert`, or the system's certificates.
    pub(super) fn read(url: &str) -> Result<Self, StoreError> {
        let (url, roots) = take_parameter(url, ROOTS);
        let parsed: Config = url.parse().map_err(|error| {
            let text = super::trouble::text(&error);
            StoreError::Engine(format!("the database's URL cannot be read: {text}"))
        })?;
        let servers = each_server(&parsed)?;
        let encrypted = parsed.get_ssl_mode() == SslMode::Require || roots.is_some();
        let tls = if encrypted { Some(tls(roots.as_deref())?) } else { None };
        Ok(Self { servers, tls })
    }
}

/// Removes one parameter from a URL's query, and gives its value.
fn take_parameter(url: &str, name: &str) -> (String, Option<String>) {
    let Some((front, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let mut value = None;
    let rest: Vec<_> = query
        .split('&')
        .filter(|pair| match pair.split_once('=') {
            Some((key, found)) if key == name => {
                value = Some(found.replace("%2F", "/").replace("%2f", "/"));
                false
            }
            _ => true,
        })
        .collect();
    let url =
        if rest.is_empty() { front.to_owned() } else { format!("{front}?{}", rest.join("&")) };
    (url, value)
}

fn each_server(parsed: &Config) -> Result<Vec<Config>, StoreError> {
    let hosts = parsed.get_hosts();
    let ports = parsed.get_ports();
    if hosts.is_empty() {
        let text = "the database's URL names no server: postgres://user@host/database".to_owned();
        return Err(StoreError::Engine(text));
    }
    let port = |n: usize| ports.get(n).or(ports.first()).copied().unwrap_or(5432);
    Ok(hosts.iter().enumerate().map(|(n, host)| server(parsed, host, port(n))).collect())
}

/// The settings of a URL for one of its servers.
fn server(parsed: &Config, host: &Host, port: u16) -> Config {
    let mut config = Config::new();
    match host {
        Host::Tcp(name) => config.host(name),
        #[cfg(unix)]
        Host::Unix(folder) => config.host_path(folder),
    };
    config.port(port);
    if let Some(user) = parsed.get_user() {
        config.user(user);
    }
    if let Some(password) = parsed.get_password() {
        config.password(password);
    }
    if let Some(name) = parsed.get_dbname() {
        config.dbname(name);
    }
    if let Some(options) = parsed.get_options() {
        config.options(options);
    }
    config
        .application_name(parsed.get_application_name().unwrap_or("warren-node"))
        .ssl_mode(parsed.get_ssl_mode())
        .ssl_negotiation(parsed.get_ssl_negotiation())
        .channel_binding(parsed.get_channel_binding())
        .connect_timeout(parsed.get_connect_timeout().copied().unwrap_or(OPENING))
        .keepalives_idle(Duration::from_secs(10))
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    config
}

/// Encryption that trusts the certificates of one PEM file, or those of the system.
fn tls(roots: Option<&str>) -> Result<MakeRustlsConnect, StoreError> {
    let failed = |text: String| StoreError::Engine(format!("TLS to the database: {text}"));
    let mut trusted = RootCertStore::empty();
    if let Some(path) = roots {
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| failed(format!("{path}: {error}")))?;
        trusted.add_parsable_certificates(certificates);
    } else {
        trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if trusted.is_empty() {
        return Err(failed(format!("no trusted certificates: name a PEM file with {ROOTS}=")));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_name_several_servers() {
        let url = "postgres://node:secret@a:5433,b:5434/mail?target_session_attrs=any";
        let address = Address::read(url).unwrap();
        assert!(address.tls.is_none());
        let [a, b] = address.servers.as_slice() else { panic!("two servers") };
        assert_eq!((a.get_hosts(), a.get_ports()), (&[Host::Tcp("a".into())][..], &[5433][..]));
        assert_eq!((b.get_hosts(), b.get_ports()), (&[Host::Tcp("b".into())][..], &[5434][..]));
        assert_eq!(b.get_dbname(), Some("mail"));
        assert_eq!(b.get_password(), Some(&b"secret"[..]));
        assert_eq!(b.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
    }

    #[test]
    fn certificates_to_trust_are_read_from_the_file_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roots.pem");
        let url = format!("postgres://h/d?sslmode=require&sslrootcert={}", file.display());
        assert!(Address::read(&url).err().unwrap().to_string().contains("roots.pem"));
        std::fs::write(&file, "").unwrap();
        assert!(Address::read(&url).err().unwrap().to_string().contains("no trusted"));
    }

    #[test]
    fn what_is_no_url_says_so() {
        for url in ["postgres://h:port/d", "postgres:///d", "postgres://h/d?colour=red"] {
            assert!(matches!(Address::read(url), Err(StoreError::Engine(_))), "{url}");
        }
    }
}
