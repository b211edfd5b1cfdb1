//! A claimed signature: read for its form, not yet checked.

use warren_crypto::ed25519::SIGNATURE_BYTES;

use super::fields::{FieldError, Fields, missing};
use crate::id::{AccountId, AccountKind, key_from_hex};
use crate::record::SubaccountToken;
use crate::value::{Dict, Value};

/// A subaccount's token and the owner's signature of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedToken {
    /// What the subaccount may do, and the key it signs requests with.
    pub token: SubaccountToken,
    /// The owner's, over the 36 bytes of the token.
    pub signature: [u8; SIGNATURE_BYTES],
}

/// The parts of a request that claim to prove who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedAuth {
    /// `R || S`, by the owner or by the subaccount.
    pub signature: [u8; SIGNATURE_BYTES],
    /// The Ed25519 key of a person, whose id shows only the X25519 key.
    pub ed25519: Option<[u8; 32]>,
    /// Set where a subaccount signs the request.
    pub subaccount: Option<SignedToken>,
}

impl UnverifiedAuth {
    /// Reads `signature`, `pubkey_ed25519` and `subaccount`, in the reference node's order.
    ///
    /// # Errors
    /// Where the signature is missing or any of them is malformed.
    pub fn read(fields: Fields<'_>, account: &AccountId) -> Result<Self, FieldError> {
        let mut auth = Self::read_owner(fields, account)?;
        auth.subaccount = read_subaccount(fields)?;
        Ok(auth)
    }

    /// As [`UnverifiedAuth::read`], where the owner alone may sign.
    ///
    /// # Errors
    /// Where the signature is missing or malformed, or the key is malformed.
    pub fn read_owner(fields: Fields<'_>, account: &AccountId) -> Result<Self, FieldError> {
        let signature = fields.get("signature").ok_or_else(|| missing("signature"))?;
        let ed25519 =
            fields.get("pubkey_ed25519").map(|value| read_ed25519(value, account)).transpose()?;
        let signature = read_signature(signature).ok_or_else(|| malformed_signature(signature))?;
        Ok(Self { signature, ed25519, subaccount: None })
    }

    /// Adds the fields to a request that is being built.
    pub fn write(&self, dict: &mut Dict) {
        dict.insert("signature".to_owned(), Value::Bytes(self.signature.to_vec()));
        if let Some(key) = self.ed25519 {
            dict.insert("pubkey_ed25519".to_owned(), hex::encode(key).into());
        }
        if let Some(SignedToken { token, signature }) = self.subaccount {
            dict.insert("subaccount".to_owned(), Value::Bytes(token.0.to_vec()));
            dict.insert("subaccount_sig".to_owned(), Value::Bytes(signature.to_vec()));
        }
    }
}

/// 64 bytes, or 86 characters of base64 with or without their padding.
fn read_signature(value: &Value) -> Option<[u8; SIGNATURE_BYTES]> {
    if let Value::Text(text) = value
        && !(text.len() == 86 || (text.len() == 88 && text.ends_with("==")))
    {
        return None;
    }
    value.to_bytes()?.try_into().ok()
}

fn malformed_signature(value: &Value) -> FieldError {
    FieldError::from(match value {
        Value::Bytes(_) => "invalid signature: expected 64-byte Ed25519 signature",
        _ => "invalid signature: expected base64 encoded Ed25519 signature",
    })
}

fn read_ed25519(value: &Value, account: &AccountId) -> Result<[u8; 32], FieldError> {
    if account.kind() != AccountKind::Person {
        return Err(FieldError::from("pubkey_ed25519 is only permitted for 05[...] pubkeys"));
    }
    if let Value::Bytes(bytes) = value
        && let Ok(key) = bytes.as_slice().try_into()
    {
        return Ok(key);
    }
    match value.as_text() {
        Some(text) if text.len() == 64 => key_from_hex(text)
            .map_err(|_| FieldError::from("invalid pubkey_ed25519: value is not hex")),
        _ => {
            Err(FieldError::from("Invalid pubkey_ed25519: expected 64 hex char or 32 byte pubkey"))
        }
    }
}

fn read_subaccount(fields: Fields<'_>) -> Result<Option<SignedToken>, FieldError> {
    let Some(value) = fields.get("subaccount").filter(|token| token.as_text() != Some("")) else {
        return Ok(None);
    };
    let complaint = |text: &str| FieldError::from(text);
    let signature = fields.get("subaccount_sig").ok_or_else(|| {
        complaint("invalid subaccount: subaccount_sig is required when using subaccount")
    })?;
    let token = read_token(value).ok_or_else(|| match value {
        Value::Bytes(_) => complaint("invalid subaccount token: invalid token length"),
        _ => complaint("invalid subaccount: expected base64 or hex-encoded subaccount token"),
    })?;
    let signature = read_signature(signature).ok_or_else(|| match signature {
        Value::Bytes(_) => malformed_signature(signature),
        _ => complaint("invalid subaccount signature: expected base64 encoded Ed25519 signature"),
    })?;
    Ok(Some(SignedToken { token, signature }))
}

/// 36 bytes, 48 characters of base64 or 72 of hex.
pub fn read_token(value: &Value) -> Option<SubaccountToken> {
    let bytes = match value {
        Value::Bytes(bytes) => bytes.clone(),
        Value::Text(text) if text.len() == 2 * SubaccountToken::BYTES => hex::decode(text).ok()?,
        Value::Text(text) if text.len() == SubaccountToken::BYTES / 3 * 4 => value.to_bytes()?,
        _ => return None,
    };
    bytes.try_into().map(SubaccountToken).ok()
}
