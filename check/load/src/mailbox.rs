//! Mailboxes with keys that follow from a seed, and the requests their owners sign.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use warren_account::Account;
use warren_crypto::Secret;
use warren_crypto::hash::sha256;
use warren_wire::{AccountId, Millis, NodeId};

/// A person whose mailbox is used.
pub(crate) struct Mailbox {
    account: Account,
    id: String,
    key: String,
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Mailbox {
    /// The mailbox of this number.
    pub(crate) fn new(seed: u64, number: usize) -> anyhow::Result<Self> {
        let seed = sha256(format!("warren-load {seed} {number}").as_bytes());
        let seed =
            Secret::from_slice(&seed).ok_or_else(|| anyhow::anyhow!("a seed is 32 bytes"))?;
        let account = Account::from_seed32(seed)?;
        let id = account.id().to_string();
        let key = *account.signing_key().verifying_key().as_bytes();
        let key = NodeId::from_bytes(key).to_string();
        Ok(Self { account, id, key })
    }

    /// Whose it is.
    pub(crate) fn id(&self) -> AccountId {
        self.account.id()
    }

    fn signed(&self, text: &str, mut params: Value) -> anyhow::Result<Value> {
        let signature = self.account.signing_key().sign(text.as_bytes())?;
        if let Some(params) = params.as_object_mut() {
            params.insert("pubkey".to_owned(), self.id.clone().into());
            params.insert("pubkey_ed25519".to_owned(), self.key.clone().into());
            params.insert("signature".to_owned(), STANDARD.encode(signature).into());
        }
        Ok(params)
    }

    /// Leaves a message, as a stranger may.
    pub(crate) fn store(&self, data: &[u8], timestamp: Millis, ttl: Millis) -> Value {
        let data = STANDARD.encode(data);
        let params = json!({
            "pubkey": self.id, "timestamp": timestamp, "ttl": ttl, "data": data, "namespace": 0,
        });
        json!({ "method": "store", "params": params })
    }

    /// Removes messages by hash.
    pub(crate) fn delete(&self, hashes: &[String]) -> anyhow::Result<Value> {
        let text = format!("delete{}", hashes.concat());
        let params = self.signed(&text, json!({ "messages": hashes }))?;
        Ok(json!({ "method": "delete", "params": params }))
    }

    /// Moves the expiry of messages.
    pub(crate) fn expire(&self, hashes: &[String], expiry: Millis) -> anyhow::Result<Value> {
        let text = format!("expire{expiry}{}", hashes.concat());
        let params = self.signed(&text, json!({ "messages": hashes, "expiry": expiry }))?;
        Ok(json!({ "method": "expire", "params": params }))
    }

    /// Reads a page behind a message. `skew` is how far the node's clock is ahead.
    pub(crate) fn retrieve(&self, after: &str, skew: i64) -> anyhow::Result<Value> {
        let time = now().saturating_add_signed(skew);
        let params = json!({
            "namespace": 0, "timestamp": time, "last_hash": after, "max_size": -1,
        });
        let params = self.signed(&format!("retrieve{time}"), params)?;
        Ok(json!({ "method": "retrieve", "params": params }))
    }
}
