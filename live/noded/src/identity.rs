//! A node's keys and certificate: made at its first start, kept under its data folder.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use serde::{Deserialize, Serialize};
use warren_crypto::ed25519::SigningKey;
use warren_crypto::x25519::SecretKey;
use warren_crypto::{CryptoError, Secret, SystemEntropy};
use warren_transport::Certificate;
use warren_transport::certificate::CertificateError;
use warren_wire::directory::{Descriptor, NodeRecord, Roles, UnverifiedDescriptor};
use warren_wire::{Millis, NodeId, SwarmId};

use crate::private_file;

const FILE: &str = "identity.json";

/// Why a node has no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The disk.
    #[error("identity.json cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// The file is not what this program wrote.
    #[error("identity.json is damaged: restore it from a copy, or delete it for a new identity")]
    Damaged,
    /// The certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl From<CryptoError> for IdentityError {
    fn from(_: CryptoError) -> Self {
        Self::Damaged
    }
}

/// Who a node is. Its X25519 key follows from its Ed25519 key.
pub struct Identity {
    signing: SigningKey,
    x25519: SecretKey,
    certificate: Certificate,
    fingerprint: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct StoredIdentity {
    seed: String,
    certificate: String,
    certificate_key: String,
}

impl Identity {
    /// Reads the identity under a folder, or makes one and writes it there.
    ///
    /// # Errors
    /// Where the disk fails or the file is damaged.
    pub fn load_or_create(folder: &Path) -> Result<Self, IdentityError> {
        private_file::create_folder(folder)?;
        if let Some(identity) = Self::load(folder)? {
            return Ok(identity);
        }
        let identity =
            Self::assemble(Secret::random(&mut SystemEntropy), Certificate::generate()?)?;
        let stored = StoredIdentity {
            seed: hex::encode(identity.signing.seed().expose()),
            certificate: identity.certificate.certificate_pem().to_owned(),
            certificate_key: identity.certificate.key_pem().to_owned(),
        };
        let text = serde_json::to_vec_pretty(&stored).map_err(|_| IdentityError::Damaged)?;
        private_file::write(&folder.join(FILE), &text)?;
        Ok(identity)
    }

    /// Reads the identity under a folder; `None` where there is none.
    ///
    /// # Errors
    /// Where the disk fails or the file is damaged.
    pub fn load(folder: &Path) -> Result<Option<Self>, IdentityError> {
        let Some(content) = private_file::read(&folder.join(FILE))? else { return Ok(None) };
        let stored: StoredIdentity =
            serde_json::from_slice(&content).map_err(|_| IdentityError::Damaged)?;
        let seed = hex::decode(&stored.seed).map_err(|_| IdentityError::Damaged)?;
        let seed = Secret::from_slice(&seed).ok_or(IdentityError::Damaged)?;
        let certificate = Certificate::from_pem(stored.certificate, stored.certificate_key);
        Self::assemble(seed, certificate).map(Some)
    }

    fn assemble(seed: Secret<32>, certificate: Certificate) -> Result<Self, IdentityError> {
        let signing = SigningKey::from_seed(seed)?;
        let x25519 = signing.to_x25519()?;
        let fingerprint = certificate.fingerprint()?;
        Ok(Self { signing, x25519, certificate, fingerprint })
    }

    /// The node's name.
    pub fn id(&self) -> NodeId {
        NodeId::from_bytes(*self.signing.verifying_key().as_bytes())
    }

    /// What the node signs with.
    pub const fn signing_key(&self) -> &SigningKey {
        &self.signing
    }

    /// A second copy of what the node signs with.
    ///
    /// # Errors
    /// Where the signing library refuses the seed, which it took once before.
    pub fn second_signing_key(&self) -> Result<SigningKey, IdentityError> {
        Ok(SigningKey::from_seed(self.signing.seed().duplicate())?)
    }

    /// What onions are encrypted to.
    pub const fn x25519(&self) -> &SecretKey {
        &self.x25519
    }

    /// What its HTTPS shows.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// What this node says of itself to the directory, signed.
    ///
    /// # Errors
    /// Where the signing library refuses, which it does not for a well-made key.
    pub fn descriptor(
        &self,
        ip: Ipv4Addr,
        port: u16,
        roles: Roles,
        published: Millis,
    ) -> Result<UnverifiedDescriptor, CryptoError> {
        let descriptor = Descriptor {
            id: self.id(),
            x25519: self.x25519.public_key(),
            ip,
            port,
            certificate: self.fingerprint,
            version: own_version(),
            published,
            roles,
        };
        descriptor.sign(&self.signing)
    }

    /// The record of this node for a list.
    pub fn record(&self, ip: Ipv4Addr, port: u16, swarm: SwarmId) -> NodeRecord {
        NodeRecord {
            id: self.id(),
            x25519: self.x25519.public_key(),
            ip,
            port,
            swarm,
            certificate: Some(self.fingerprint),
            roles: Roles::default(),
        }
    }
}

/// The version of this program.
fn own_version() -> [u16; 3] {
    let mut parts = env!("CARGO_PKG_VERSION").split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}
