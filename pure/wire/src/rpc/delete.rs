//! `delete`, `delete_all`, `delete_before`: remove messages by name, by drawer, by age.

use super::auth::UnverifiedAuth;
use super::fields::{FieldError, Fields, missing};
use crate::id::{AccountId, MessageHash, MessageName};
use crate::limits::Millis;
use crate::record::Drawers;
use crate::value::{Dict, Value};

/// Messages an owner wants gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteRequest {
    /// Whose mailbox.
    pub account: AccountId,
    /// Which messages, in whatever namespace.
    pub messages: Vec<MessageName>,
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
        fields.strings_of("messages")?;
        fields.strings(&["pubkey", "pubkey_ed25519"])?;
        let required = fields.flag("required")?.unwrap_or(false);
        fields.strings(&["signature", "subaccount", "subaccount_sig"])?;
        let account = fields.account_strict()?;
        let auth = UnverifiedAuth::read(fields, &account)?;
        let messages = fields.names("messages")?;
        Ok(Self { account, messages, auth, required })
    }

    /// The messages that can be there at all.
    pub fn hashes(&self) -> Vec<MessageHash> {
        self.messages.iter().filter_map(MessageName::hash).collect()
    }

    /// The parameters as they go on the wire.
    pub fn to_value(&self) -> Value {
        let mut dict = of_account(&self.account, &self.auth);
        dict.insert("messages".to_owned(), names(&self.messages));
        dict.insert("required".to_owned(), self.required.into());
        Value::Dict(dict)
    }
}

/// Whole drawers an owner wants emptied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteAllRequest {
    /// Whose mailbox.
    pub account: AccountId,
    /// Which drawers.
    pub drawers: Drawers,
    /// When it was signed.
    pub timestamp: Millis,
    /// The owner's signature.
    pub auth: UnverifiedAuth,
}

impl DeleteAllRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read(fields: Fields<'_>) -> Result<Self, FieldError> {
        let drawers = fields.drawers("namespace")?;
        fields.strings(&[
            "pubkey",
            "pubkey_ed25519",
            "signature",
            "subaccount",
            "subaccount_sig",
        ])?;
        let timestamp = fields.timestamp("timestamp")?;
        let account = fields.account_strict()?;
        let auth = UnverifiedAuth::read(fields, &account)?;
        let timestamp = timestamp.ok_or_else(|| missing("timestamp"))?;
        Ok(Self { account, drawers, timestamp, auth })
    }

    /// The parameters as they go on the wire.
    pub fn to_value(&self) -> Value {
        let mut dict = of_account(&self.account, &self.auth);
        dict.insert("namespace".to_owned(), drawers(self.drawers));
        dict.insert("timestamp".to_owned(), self.timestamp.into());
        Value::Dict(dict)
    }
}

/// Old messages an owner wants gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteBeforeRequest {
    /// Whose mailbox.
    pub account: AccountId,
    /// Which drawers.
    pub drawers: Drawers,
    /// Messages whose timestamp is this or earlier.
    pub before: Millis,
    /// The owner's signature.
    pub auth: UnverifiedAuth,
}

impl DeleteBeforeRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read(fields: Fields<'_>) -> Result<Self, FieldError> {
        let before = fields.timestamp("before")?;
        let drawers = fields.drawers("namespace")?;
        fields.strings(&[
            "pubkey",
            "pubkey_ed25519",
            "signature",
            "subaccount",
            "subaccount_sig",
        ])?;
        let account = fields.account_strict()?;
        let auth = UnverifiedAuth::read(fields, &account)?;
        let before = before.ok_or_else(|| missing("before"))?;
        Ok(Self { account, drawers, before, auth })
    }

    /// The parameters as they go on the wire.
    pub fn to_value(&self) -> Value {
        let mut dict = of_account(&self.account, &self.auth);
        dict.insert("before".to_owned(), self.before.into());
        dict.insert("namespace".to_owned(), drawers(self.drawers));
        Value::Dict(dict)
    }
}

/// The parameters that every signed request has.
pub(super) fn of_account(account: &AccountId, auth: &UnverifiedAuth) -> Dict {
    let mut dict = Dict::from([("pubkey".to_owned(), account.to_string().into())]);
    auth.write(&mut dict);
    dict
}

/// Names of messages as a parameter.
pub(super) fn names(names: &[MessageName]) -> Value {
    Value::List(names.iter().map(|name| name.as_str().into()).collect())
}

/// Drawers as a parameter.
pub(super) fn drawers(drawers: Drawers) -> Value {
    match drawers {
        Drawers::One(namespace) => namespace.number().into(),
        Drawers::All => "all".into(),
    }
}
