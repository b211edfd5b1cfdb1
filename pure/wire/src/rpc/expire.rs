//! `expire`, `expire_all`, `get_expiries`: move the end of messages' lives, and see when it is.

use super::auth::UnverifiedAuth;
use super::delete::{drawers, names, of_account};
use super::fields::{FieldError, Fields, missing};
use crate::id::{AccountId, MessageHash, MessageName};
use crate::limits::Millis;
use crate::record::{Drawers, ExpireMode};
use crate::value::Value;

/// Messages whose expiry an owner wants moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpireRequest {
    /// Whose mailbox.
    pub account: AccountId,
    /// Which messages, in whatever namespace.
    pub messages: Vec<MessageName>,
    /// One time for all of them, or as many as there are messages.
    pub expiries: Vec<Millis>,
    /// Which way expiries may move.
    pub mode: ExpireMode,
    /// The owner's signature.
    pub auth: UnverifiedAuth,
}

impl ExpireRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read(fields: Fields<'_>) -> Result<Self, FieldError> {
        let expiries = fields.timestamps("expiry")?;
        let extend = fields.flag("extend")?.unwrap_or(false);
        fields.strings_of("messages")?;
        fields.strings(&["pubkey", "pubkey_ed25519"])?;
        let shorten = fields.flag("shorten")?.unwrap_or(false);
        fields.strings(&["signature", "subaccount", "subaccount_sig"])?;
        let account = fields.account_strict()?;
        let auth = UnverifiedAuth::read(fields, &account)?;
        let expiries = expiries.ok_or_else(|| missing("expiry"))?;
        if expiries.is_empty() {
            return Err("'expiry' does not contain any expiration timestamps".into());
        }
        let mode = match (shorten, extend) {
            (true, true) => return Err("cannot specify both 'shorten' and 'extend'".into()),
            (true, false) => ExpireMode::Shorten,
            (false, true) => ExpireMode::Extend,
            (false, false) => ExpireMode::Set,
        };
        let count = fields.some_strings("messages")?.len();
        if expiries.len() > 1 && expiries.len() != count {
            return Err("'expiry' must be a single expiry, or the same length as 'messages'".into());
        }
        let messages = fields.names("messages")?;
        Ok(Self { account, messages, expiries, mode, auth })
    }

    /// The parameters as they go on the wire.
    pub fn to_value(&self) -> Value {
        let mut dict = of_account(&self.account, &self.auth);
        let expiry = match self.expiries.as_slice() {
            [single] => (*single).into(),
            several => Value::List(several.iter().map(|time| (*time).into()).collect()),
        };
        dict.insert("expiry".to_owned(), expiry);
        dict.insert("messages".to_owned(), names(&self.messages));
        match self.mode {
            ExpireMode::Set => None,
            ExpireMode::Extend => dict.insert("extend".to_owned(), true.into()),
            ExpireMode::Shorten => dict.insert("shorten".to_owned(), true.into()),
        };
        Value::Dict(dict)
    }

    /// The messages that can be there at all.
    pub fn hashes(&self) -> Vec<MessageHash> {
        self.messages.iter().filter_map(MessageName::hash).collect()
    }

    /// The messages that can be there at all, each with its time, none later than `latest`.
    pub fn moves(&self, latest: Millis) -> Vec<(MessageHash, Millis)> {
        let times = self.expiries.iter().cycle();
        let pairs = self.messages.iter().zip(times);
        pairs.filter_map(|(name, time)| Some((name.hash()?, (*time).min(latest)))).collect()
    }
}

/// Whole drawers whose messages an owner wants to expire earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpireAllRequest {
    /// Whose mailbox.
    pub account: AccountId,
    /// Which drawers.
    pub drawers: Drawers,
    /// When they are to expire that expire later.
    pub expiry: Millis,
    /// The owner's signature.
    pub auth: UnverifiedAuth,
}

impl ExpireAllRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read(fields: Fields<'_>) -> Result<Self, FieldError> {
        let expiry = fields.timestamp("expiry")?;
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
        let expiry = expiry.ok_or_else(|| missing("expiry"))?;
        Ok(Self { account, drawers, expiry, auth })
    }

    /// The parameters as they go on the wire.
    pub fn to_value(&self) -> Value {
        let mut dict = of_account(&self.account, &self.auth);
        dict.insert("expiry".to_owned(), self.expiry.into());
        dict.insert("namespace".to_owned(), drawers(self.drawers));
        Value::Dict(dict)
    }
}

/// Messages of which somebody wants to know when they expire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetExpiriesRequest {
    /// Whose mailbox.
    pub account: AccountId,
    /// What was written as their names: texts of any form, or `all` alone.
    pub messages: Vec<String>,
    /// When it was signed.
    pub timestamp: Millis,
    /// The owner's signature.
    pub auth: UnverifiedAuth,
}

impl GetExpiriesRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read(fields: Fields<'_>) -> Result<Self, FieldError> {
        fields.strings_of("messages")?;
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
        let messages = fields.some_strings("messages")?;
        let messages =
            messages.into_iter().map(|name| name.as_text().unwrap_or_default().to_owned());
        Ok(Self { account, messages: messages.collect(), timestamp, auth })
    }

    /// The parameters as they go on the wire.
    pub fn to_value(&self) -> Value {
        let mut dict = of_account(&self.account, &self.auth);
        let messages = self.messages.iter().map(|name| name.as_str().into()).collect();
        dict.insert("messages".to_owned(), Value::List(messages));
        dict.insert("timestamp".to_owned(), self.timestamp.into());
        Value::Dict(dict)
    }

    /// The messages that can be there; `None` where all are meant.
    pub fn hashes(&self) -> Option<Vec<MessageHash>> {
        match self.messages.as_slice() {
            [all] if all == "all" => None,
            names => Some(names.iter().filter_map(|name| name.parse().ok()).collect()),
        }
    }
}
