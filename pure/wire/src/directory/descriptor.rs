//! What a node says of itself to the authorities, signed by the node.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use warren_crypto::ed25519::SigningKey;
use warren_crypto::{CryptoError, x25519};

use super::nodes::{NodeRecord, Roles};
use super::{ListError, signed_text};
use crate::id::{NodeId, key_from_hex};
use crate::limits::Millis;
use crate::swarm::SwarmId;

/// What every signed descriptor starts with, so that the signature fits nothing else.
const DOMAIN: &[u8] = b"warren node descriptor v1\n";
/// The most bytes of a descriptor's text.
pub const MAX_DESCRIPTOR_BYTES: usize = 2_048;

/// A node's word about itself, the signature checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The key that signed, which is the node's name.
    pub id: NodeId,
    /// The key its onion layers are encrypted to.
    pub x25519: x25519::PublicKey,
    /// Where it is reached.
    pub ip: Ipv4Addr,
    /// The port of its HTTPS.
    pub port: u16,
    /// SHA-256 of its TLS certificate (DER).
    pub certificate: [u8; 32],
    /// The version of its program.
    pub version: [u16; 3],
    /// When it said so.
    pub published: Millis,
    /// What it does beside keeping mail.
    pub roles: Roles,
}

/// A descriptor as it travels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnverifiedDescriptor {
    /// JSON of the fields.
    pub descriptor: String,
    /// base64 of `Ed25519("warren node descriptor v1\n" || descriptor)`.
    pub signature: String,
}

#[derive(Serialize, Deserialize)]
struct Fields {
    pubkey_ed25519: String,
    pubkey_x25519: String,
    public_ip: String,
    storage_port: u16,
    certificate_sha256: String,
    version: [u16; 3],
    published: Millis,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
}

impl Descriptor {
    /// Signs it with the node's key.
    ///
    /// # Errors
    /// Where the key is not the one it names.
    pub fn sign(&self, key: &SigningKey) -> Result<UnverifiedDescriptor, CryptoError> {
        if key.verifying_key().as_bytes() != self.id.as_bytes() {
            return Err(CryptoError);
        }
        let fields = Fields {
            pubkey_ed25519: self.id.to_string(),
            pubkey_x25519: hex::encode(self.x25519.as_bytes()),
            public_ip: self.ip.to_string(),
            storage_port: self.port,
            certificate_sha256: hex::encode(self.certificate),
            version: self.version,
            published: self.published,
            roles: self.roles.names(),
        };
        let descriptor = serde_json::to_string(&fields).map_err(|_| CryptoError)?;
        let signature = signed_text::sign(DOMAIN, &descriptor, key)?;
        Ok(UnverifiedDescriptor { descriptor, signature })
    }

    /// The node's record in a swarm.
    pub const fn record(&self, swarm: SwarmId) -> NodeRecord {
        NodeRecord {
            id: self.id,
            x25519: self.x25519,
            ip: self.ip,
            port: self.port,
            swarm,
            certificate: Some(self.certificate),
            roles: self.roles,
        }
    }

    /// Whether both name the same keys at the same address.
    pub fn is_same_place(&self, other: &Self) -> bool {
        (self.x25519, self.ip, self.port, self.certificate)
            == (other.x25519, other.ip, other.port, other.certificate)
    }
}

impl UnverifiedDescriptor {
    /// Checks the node's signature.
    ///
    /// # Errors
    /// Where it does not fit, or the text is too large or no descriptor.
    pub fn verify(&self) -> Result<Descriptor, ListError> {
        if self.descriptor.len() > MAX_DESCRIPTOR_BYTES {
            return Err(ListError::Malformed);
        }
        let fields: Fields =
            serde_json::from_str(&self.descriptor).map_err(|_| ListError::Malformed)?;
        let key = |text: &str| key_from_hex(text).map_err(|_| ListError::Malformed);
        let id = NodeId::from_bytes(key(&fields.pubkey_ed25519)?);
        signed_text::verify(DOMAIN, &self.descriptor, &id.verifying_key(), &self.signature)?;
        if fields.storage_port == 0 {
            return Err(ListError::Malformed);
        }
        Ok(Descriptor {
            id,
            x25519: x25519::PublicKey::from_bytes(key(&fields.pubkey_x25519)?),
            ip: fields.public_ip.parse().map_err(|_| ListError::Malformed)?,
            port: fields.storage_port,
            certificate: key(&fields.certificate_sha256)?,
            version: fields.version,
            published: fields.published,
            roles: Roles::from_names(&fields.roles),
        })
    }
}
