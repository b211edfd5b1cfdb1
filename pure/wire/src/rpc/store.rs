//! `store`: leave a message in a mailbox.

use super::auth::UnverifiedAuth;
use super::fields::{FieldError, Fields, missing};
use crate::id::AccountId;
use crate::limits::{MAX_DATA_BASE64, MAX_DATA_BYTES, Millis};
use crate::namespace::Namespace;
use crate::value::{Dict, Value};
use crate::work::WorkProof;

/// A message somebody wants stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRequest {
    /// Whose mailbox.
    pub account: AccountId,
    /// Which drawer; 0 where none is named.
    pub namespace: Namespace,
    /// When the sender says it was sent.
    pub timestamp: Millis,
    /// When it is to vanish.
    pub expiry: Millis,
    /// The message, sealed by the sender.
    pub data: Vec<u8>,
    /// The owner's signature, where the namespace needs one.
    pub auth: Option<UnverifiedAuth>,
    /// The time the signature names; `timestamp` where none is given.
    pub signed_at: Millis,
    /// The work that a flooded node asked for; what is malformed counts as none.
    pub work: Option<WorkProof>,
}

impl StoreRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read(fields: Fields<'_>) -> Result<Self, FieldError> {
        fields.strings(&["data"])?;
        let expiry = fields.timestamp("expiry")?;
        let namespace = fields.namespace("namespace")?.unwrap_or_default();
        fields.strings(&["pubKey", "pubkey", "pubkey_ed25519"])?;
        let signed_at = fields.timestamp("sig_timestamp")?;
        fields.strings(&["signature", "subaccount", "subaccount_sig"])?;
        let timestamp = fields.store_time("timestamp")?;
        let ttl = fields.lifetime("ttl")?;
        let timestamp = timestamp.ok_or_else(|| missing("timestamp"))?;
        let expiry = read_expiry(expiry, ttl, timestamp)?;
        let account = fields.account()?;
        let auth = match fields.get("signature") {
            Some(_) => Some(UnverifiedAuth::read(fields, &account)?),
            None => None,
        };
        let data = read_data(fields.required("data")?)?;
        let signed_at = signed_at.unwrap_or(timestamp);
        let work = fields.get("proof").and_then(WorkProof::read);
        Ok(Self { account, namespace, timestamp, expiry, data, auth, signed_at, work })
    }

    /// The parameters as they go on the wire.
    pub fn to_value(&self) -> Value {
        let mut dict = Dict::from([
            ("pubkey".to_owned(), self.account.to_string().into()),
            ("namespace".to_owned(), self.namespace.number().into()),
            ("timestamp".to_owned(), self.timestamp.into()),
            ("expiry".to_owned(), self.expiry.into()),
            ("data".to_owned(), Value::Bytes(self.data.clone())),
        ]);
        if let Some(auth) = &self.auth {
            auth.write(&mut dict);
            dict.insert("sig_timestamp".to_owned(), self.signed_at.into());
        }
        if let Some(work) = &self.work {
            dict.insert("proof".to_owned(), work.to_value());
        }
        Value::Dict(dict)
    }
}

fn read_expiry(
    expiry: Option<Millis>,
    ttl: Option<Millis>,
    timestamp: Millis,
) -> Result<Millis, FieldError> {
    match (expiry, ttl) {
        (Some(_), Some(_)) => Err(FieldError("Cannot specify both 'expiry' and 'ttl'".to_owned())),
        (Some(expiry), None) => Ok(expiry),
        (None, Some(ttl)) => Ok(timestamp.saturating_add(ttl)),
        (None, None) => Err(FieldError("Required field 'expiry' or 'ttl' missing".to_owned())),
    }
}

fn read_data(value: &Value) -> Result<Vec<u8>, FieldError> {
    let too_long = match value {
        Value::Text(text) => text.len() > MAX_DATA_BASE64,
        Value::Bytes(bytes) => bytes.len() > MAX_DATA_BYTES,
        _ => false,
    };
    let data = value
        .to_bytes()
        .ok_or_else(|| FieldError("Invalid 'data' value: not base64 encoded".to_owned()))?;
    if too_long || data.len() > MAX_DATA_BYTES {
        return Err(FieldError(format!(
            "Message body exceeds maximum allowed length of {MAX_DATA_BYTES} bytes"
        )));
    }
    Ok(data)
}
