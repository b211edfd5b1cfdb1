//! `revoke_subaccount`, `unrevoke_subaccount`, `revoked_subaccounts`: whose rights end, and whose did.

use super::auth::{UnverifiedAuth, read_token};
use super::delete::of_account;
use super::fields::{FieldError, Fields, missing};
use crate::id::AccountId;
use crate::limits::{MAX_REVOKED, Millis};
use crate::record::SubaccountToken;
use crate::value::Value;

/// Subaccounts whose rights an owner wants ended, or given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokeRequest {
    /// Whose mailbox.
    pub account: AccountId,
    /// Which subaccounts.
    pub tokens: Vec<SubaccountToken>,
    /// When it was signed.
    pub timestamp: Millis,
    /// The owner's signature; a subaccount's does not count.
    pub auth: UnverifiedAuth,
}

impl RevokeRequest {
    /// Reads the parameters of `revoke_subaccount`.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read_revoke(fields: Fields<'_>) -> Result<Self, FieldError> {
        fields.strings(&["pubkey", "pubkey_ed25519"])?;
        let tokens = fields.strings_of("revoke")?;
        fields.strings(&["signature"])?;
        let timestamp = fields.timestamp("timestamp")?;
        let account = fields.account_strict()?;
        let auth = UnverifiedAuth::read_owner(fields, &account)?;
        let tokens = tokens.ok_or_else(|| missing("revoke"))?;
        if tokens.len() > MAX_REVOKED {
            return Err(FieldError(format!(
                "invalid revoke: cannot revoke more than {MAX_REVOKED} subaccounts at once"
            )));
        }
        let tokens = read_tokens(&tokens, "revoke")?;
        let timestamp = timestamp.ok_or_else(|| missing("timestamp"))?;
        Ok(Self { account, tokens, timestamp, auth })
    }

    /// Reads the parameters of `unrevoke_subaccount`.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read_unrevoke(fields: Fields<'_>) -> Result<Self, FieldError> {
        fields.strings(&["pubkey", "pubkey_ed25519", "signature"])?;
        let timestamp = fields.timestamp("timestamp")?;
        let tokens = fields.strings_of("unrevoke")?;
        let account = fields.account_strict()?;
        let auth = UnverifiedAuth::read_owner(fields, &account)?;
        let timestamp = timestamp.ok_or_else(|| missing("timestamp"))?;
        let tokens = read_tokens(&tokens.ok_or_else(|| missing("unrevoke"))?, "unrevoke")?;
        Ok(Self { account, tokens, timestamp, auth })
    }

    /// The parameters as they go on the wire, the tokens under `revoke` or `unrevoke`.
    pub fn to_value(&self, tokens_under: &str) -> Value {
        let mut dict = of_account(&self.account, &self.auth);
        let tokens = self.tokens.iter().map(|token| Value::Bytes(token.0.to_vec())).collect();
        dict.insert(tokens_under.to_owned(), Value::List(tokens));
        dict.insert("timestamp".to_owned(), self.timestamp.into());
        Value::Dict(dict)
    }
}

fn read_tokens(values: &[&Value], name: &str) -> Result<Vec<SubaccountToken>, FieldError> {
    let read = |value: &&Value| {
        read_token(value).ok_or_else(|| {
            FieldError(match value {
                Value::Bytes(_) => {
                    format!("invalid {name} subaccount: invalid subaccount tag length")
                }
                _ => format!("invalid {name}: expected base64 or hex-encoded subaccount tag"),
            })
        })
    };
    values.iter().map(read).collect()
}

/// An owner who wants to know which subaccounts are revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedRequest {
    /// Whose mailbox.
    pub account: AccountId,
    /// When it was signed.
    pub timestamp: Millis,
    /// The owner's signature; a subaccount's does not count.
    pub auth: UnverifiedAuth,
}

impl RevokedRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read(fields: Fields<'_>) -> Result<Self, FieldError> {
        fields.strings(&["pubkey", "pubkey_ed25519", "signature"])?;
        let timestamp = fields.timestamp("timestamp")?;
        let account = fields.account_strict()?;
        let auth = UnverifiedAuth::read_owner(fields, &account)?;
        let timestamp = timestamp.ok_or_else(|| missing("timestamp"))?;
        Ok(Self { account, timestamp, auth })
    }

    /// The parameters as they go on the wire.
    pub fn to_value(&self) -> Value {
        let mut dict = of_account(&self.account, &self.auth);
        dict.insert("timestamp".to_owned(), self.timestamp.into());
        Value::Dict(dict)
    }
}
