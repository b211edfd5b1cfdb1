//! A claimed signature over a request: read here, believed only after `warren-node` verified it.

use warren_crypto::ed25519::SIGNATURE_BYTES;

use super::fields::{FieldError, Fields, missing};
use crate::id::{AccountId, AccountKind, key_from_hex};
use crate::value::{Dict, Value};

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
    pub fn write(&self, dict: &mut Dict) {
        dict.insert("signature".to_owned(), Value::Bytes(self.signature.to_vec()));
        if let Some(key) = self.ed25519 {
            dict.insert("pubkey_ed25519".to_owned(), hex::encode(key).into());
        }
    }
}

/// Checks the types of the fields, which comes before any other complaint.
///
/// # Errors
/// Where one of them is no text.
pub fn check_types(fields: Fields<'_>) -> Result<(), FieldError> {
    for name in ["pubkey_ed25519", "signature", "subaccount", "subaccount_sig"] {
        if !matches!(fields.get(name), None | Some(Value::Bytes(_))) {
            fields.text(name)?;
        }
    }
    Ok(())
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
    let given = match fields.get("subaccount") {
        None => return Ok(false),
        Some(value) => value,
    };
    if given.as_text() == Some("") {
        return Ok(false);
    }
    if fields.get("subaccount_sig").is_none() {
        return Err(FieldError(
            "invalid subaccount: subaccount_sig is required when using subaccount".to_owned(),
        ));
    }
    Ok(true)
}
