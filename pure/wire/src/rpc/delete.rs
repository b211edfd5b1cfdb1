//! `delete`: remove messages by hash.

use super::auth::UnverifiedAuth;
use super::fields::{FieldError, Fields};
use crate::id::{AccountId, MessageHash};
use crate::value::{Dict, Value};

/// Messages an owner wants gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteRequest {
    /// Whose mailbox.
    pub account: AccountId,
    /// Which messages, in whatever namespace.
    pub messages: Vec<MessageHash>,
    /// The owner's signature.
    pub auth: UnverifiedAuth,
    /// Answer 404 where none of them was there.
    pub required: bool,
}

impl DeleteRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read(fields: Fields<'_>) -> Result<Self, FieldError> {
        fields.texts("messages")?;
        fields.strings(&["pubkey", "pubkey_ed25519"])?;
        let required = fields.flag("required")?.unwrap_or(false);
        fields.strings(&["signature", "subaccount", "subaccount_sig"])?;
        let account = fields.account_strict()?;
        let auth = UnverifiedAuth::read(fields, &account)?;
        let messages = fields.hashes("messages")?;
        Ok(Self { account, messages, auth, required })
    }

    /// The parameters as they go on the wire.
    pub fn to_value(&self) -> Value {
        let messages: Vec<Value> =
            self.messages.iter().map(|hash| hash.to_string().into()).collect();
        let mut dict = Dict::from([
            ("pubkey".to_owned(), self.account.to_string().into()),
            ("messages".to_owned(), messages.into()),
            ("required".to_owned(), self.required.into()),
        ]);
        self.auth.write(&mut dict);
        Value::Dict(dict)
    }
}
