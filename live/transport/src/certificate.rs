//! A node's self-signed TLS certificate and its fingerprint.

use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use warren_crypto::hash::sha256;

/// A certificate could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The generator refused.
    #[error("cannot make a certificate: {0}")]
    Generate(#[from] rcgen::Error),
    /// The stored text is no certificate with its key.
    #[error("the stored certificate is damaged: {0}")]
    Damaged(#[from] rustls::pki_types::pem::Error),
    /// The TLS library does not take it.
    #[error("the certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// A certificate and its private key, both as PEM. ECDSA on P-256, which every client reads.
pub struct Certificate {
    certificate: String,
    key: String,
}

impl Certificate {
    /// Makes a fresh one. It names nobody: the pin in the node list is what counts.
    ///
    /// # Errors
    /// Where the generator refuses.
    pub fn generate() -> Result<Self, CertificateError> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let mut parameters = CertificateParams::new(vec!["node.invalid".to_owned()])?;
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, "node.invalid");
        let certificate = parameters.self_signed(&key)?;
        Ok(Self { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// Takes over what [`Certificate::certificate_pem`] and [`Certificate::key_pem`] gave.
    pub const fn from_pem(certificate: String, key: String) -> Self {
        Self { certificate, key }
    }

    /// The public part.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// The private part.
    pub fn key_pem(&self) -> &str {
        &self.key
    }

    /// SHA-256 of the certificate's DER: the pin.
    ///
    /// # Errors
    /// Where the text is damaged.
    pub fn fingerprint(&self) -> Result<[u8; 32], CertificateError> {
        Ok(sha256(CertificateDer::from_pem_slice(self.certificate.as_bytes())?.as_ref()))
    }

    /// The TLS side of a server that speaks HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// Where the text is damaged.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, CertificateError> {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())?;
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
