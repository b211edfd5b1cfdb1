//! `retrieve`: read a mailbox.

use super::auth::UnverifiedAuth;
use super::fields::{FieldError, Fields};
use crate::id::{AccountId, MessageHash, MessageName};
use crate::limits::Millis;
use crate::namespace::{Access, Namespace};
use crate::value::{Dict, Value};

/// A mailbox somebody wants to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrieveRequest {
    /// Whose mailbox.
    pub account: AccountId,
    /// Which drawer; 0 where none is named.
    pub namespace: Namespace,
    /// The newest message the reader has from this node: only later ones are wanted.
    pub after: Option<MessageHash>,
    /// At most so many messages; 0 and absent alike mean no limit of its own, -1 none at all.
    pub max_count: Option<i64>,
    /// At most so many bytes; -n means one n-th of what a reply may carry.
    pub max_size: Option<i64>,
    /// Whether the newest come first; `after` then is the oldest message the reader has.
    pub newest_first: bool,
    /// How long the answer may be held back until there is a message, in milliseconds; Warren's own.
    pub wait: Option<Millis>,
    /// The owner's signature and the time it names.
    pub auth: Option<(UnverifiedAuth, Millis)>,
}

impl RetrieveRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read(fields: Fields<'_>) -> Result<Self, FieldError> {
        fields.strings(&["lastHash", "last_hash"])?;
        let max_count = fields.integer("max_count")?;
        let max_size = fields.integer("max_size")?;
        let given_namespace = fields.namespace("namespace")?;
        let namespace = given_namespace.unwrap_or_default();
        fields.strings(&["pubKey", "pubkey", "pubkey_ed25519"])?;
        let newest_first = fields.flag("reverse_direction")?.unwrap_or(false);
        fields.strings(&["signature", "subaccount", "subaccount_sig"])?;
        let timestamp = fields.timestamp("timestamp")?;
        let wait = fields.positive("wait")?;
        let account = fields.account()?;
        let open = matches!(namespace.access(), Access::Open | Access::PublicOutbox);
        let auth_given = ["pubkey_ed25519", "signature", "timestamp"]
            .iter()
            .any(|name| fields.get(name).is_some());
        let auth = if auth_given || (given_namespace.is_some() && !open) {
            let auth = UnverifiedAuth::read(fields, &account)?;
            Some((auth, timestamp.unwrap_or(0)))
        } else {
            None
        };
        let after = fields.one_of("last_hash", "lastHash")?.map(read_last_hash).transpose()?;
        let after = after.flatten();
        Ok(Self { account, namespace, after, max_count, max_size, newest_first, wait, auth })
    }

    /// The parameters as they go on the wire.
    pub fn to_value(&self) -> Value {
        let mut dict = Dict::from([
            ("pubkey".to_owned(), self.account.to_string().into()),
            ("namespace".to_owned(), self.namespace.number().into()),
            (
                "last_hash".to_owned(),
                self.after.map_or_else(String::new, |hash| hash.to_string()).into(),
            ),
        ]);
        for (name, limit) in [("max_count", self.max_count), ("max_size", self.max_size)] {
            if let Some(limit) = limit {
                dict.insert(name.to_owned(), limit.into());
            }
        }
        if self.newest_first {
            dict.insert("reverse_direction".to_owned(), true.into());
        }
        if let Some(wait) = self.wait {
            dict.insert("wait".to_owned(), wait.into());
        }
        if let Some((auth, timestamp)) = &self.auth {
            auth.write(&mut dict);
            dict.insert("timestamp".to_owned(), (*timestamp).into());
        }
        Value::Dict(dict)
    }
}

/// A name that no message can have is one that this node does not know: reading starts anew.
fn read_last_hash(value: &Value) -> Result<Option<MessageHash>, FieldError> {
    match value.as_text().unwrap_or_default() {
        "" => Ok(None),
        text if text.len() != 43 => Err("Invalid last_hash: expected base64 (43 chars)".into()),
        text => text
            .parse()
            .map(|name: MessageName| name.hash())
            .map_err(|_| "Invalid last_hash: not base64".into()),
    }
}
