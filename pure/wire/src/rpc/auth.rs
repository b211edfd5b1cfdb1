//! A claimed signature over a request: read here, believed only after `warren-node` verified it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use warren_crypto::ed25519::SIGNATURE_BYTES;

use super::fields::{FieldError, Fields, missing};
use crate::id::{AccountId, AccountKind, key_from_hex};
use crate::value::{Dict, Value};

/// How long a subaccount's token is.
const TOKEN_BYTES: usize = 36;

/// The parts of a request that claim to prove who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedAuth {
    /// `R || S`.
    pub signature: [u8; SIGNATURE_BYTES],
    /// The Ed25519 key of a person, whose id shows only the X25519 key.
    pub ed25519: Option<[u8; 32]>,
    /// Set where the request names a subaccount token instead of the owner's key.
    pub subaccount: bool,
}

impl UnverifiedAuth {
    /// Reads `signature`, `pubkey_ed25519` and `subaccount`, in the reference node's order.
    ///
    /// # Errors
    /// Where the signature is missing or any of them is malformed.
    pub fn read(fields: Fields<'_>, account: &AccountId) -> Result<Self, FieldError> {
        let signature = fields.get("signature").ok_or_else(|| missing("signature"))?;
        let ed25519 =
            fields.get("pubkey_ed25519").map(|value| read_ed25519(value, account)).transpose()?;
        let signature = read_signature(signature).ok_or_else(|| {
            FieldError("invalid signature: expected base64 encoded Ed25519 signature".to_owned())
        })?;
        let subaccount = read_subaccount(fields)?;
        Ok(Self { signature, ed25519, subaccount })
    }

    /// Adds the fields to a request that is being built.
    ///
    /// A subaccount's signature is left out: without its token it would pass for the owner's, and
    /// the token is not kept. Such a request goes unsigned, and whoever needs a signature refuses it.
    pub fn write(&self, dict: &mut Dict) {
        if self.subaccount {
            return;
        }
        dict.insert("signature".to_owned(), Value::Bytes(self.signature.to_vec()));
        if let Some(key) = self.ed25519 {
            dict.insert("pubkey_ed25519".to_owned(), hex::encode(key).into());
        }
    }
}

fn read_signature(value: &Value) -> Option<[u8; SIGNATURE_BYTES]> {
    value.to_bytes()?.try_into().ok()
}

fn read_ed25519(value: &Value, account: &AccountId) -> Result<[u8; 32], FieldError> {
    if account.kind() != AccountKind::Person {
        return Err(FieldError("pubkey_ed25519 is only permitted for 05[...] pubkeys".to_owned()));
    }
    if let Value::Bytes(bytes) = value
        && let Ok(key) = bytes.as_slice().try_into()
    {
        return Ok(key);
    }
    match value.as_text() {
        Some(text) if text.len() == 64 => key_from_hex(text)
            .map_err(|_| FieldError("invalid pubkey_ed25519: value is not hex".to_owned())),
        _ => Err(FieldError(
            "Invalid pubkey_ed25519: expected 64 hex char or 32 byte pubkey".to_owned(),
        )),
    }
}

/// Subaccounts are read for form alone; this node refuses what they sign.
fn read_subaccount(fields: Fields<'_>) -> Result<bool, FieldError> {
    let complaint = |text: &str| Err(FieldError(text.to_owned()));
    let Some(token) = fields.get("subaccount").filter(|token| token.as_text() != Some("")) else {
        return Ok(false);
    };
    let Some(signature) = fields.get("subaccount_sig") else {
        return complaint("invalid subaccount: subaccount_sig is required when using subaccount");
    };
    if !is_token(token) {
        return complaint("invalid subaccount: expected base64 or hex-encoded subaccount token");
    }
    if read_signature(signature).is_none() {
        return complaint(
            "invalid subaccount signature: expected base64 encoded Ed25519 signature",
        );
    }
    Ok(true)
}

fn is_token(value: &Value) -> bool {
    match value {
        Value::Bytes(bytes) if bytes.len() == TOKEN_BYTES => true,
        value => value.as_text().is_some_and(|text| {
            let hex = text.len() == 2 * TOKEN_BYTES && hex::decode(text).is_ok();
            hex || STANDARD.decode(text).is_ok_and(|bytes| bytes.len() == TOKEN_BYTES)
        }),
    }
}
