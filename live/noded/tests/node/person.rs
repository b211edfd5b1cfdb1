//! Somebody with an account: makes and signs the parameters of requests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use warren_crypto::ed25519::SigningKey;
use warren_crypto::{Secret, SystemEntropy};
use warren_noded::node::now;
use warren_wire::AccountId;

use crate::network::Client;
use warren_wire::directory::NodeRecord;

/// Fourteen days in milliseconds.
pub(crate) const TTL: u64 = 14 * 24 * 60 * 60 * 1000;

/// An account and its key.
pub(crate) struct Person {
    key: SigningKey,
    /// Who it is.
    pub(crate) id: AccountId,
}

impl Person {
    /// Somebody new.
    pub(crate) fn new() -> Self {
        let key = SigningKey::from_seed(Secret::random(&mut SystemEntropy)).unwrap();
        let id = AccountId::person(&key.verifying_key().to_x25519().unwrap());
        Self { key, id }
    }

    /// base64 of a signature.
    pub(crate) fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.key.sign(text.as_bytes()).unwrap())
    }

    /// The Ed25519 key in hex.
    pub(crate) fn ed25519(&self) -> String {
        hex::encode(self.key.verifying_key().as_bytes())
    }

    /// Leaves a message in the open drawer of one-to-one messages.
    pub(crate) fn store(&self, data: &[u8]) -> Value {
        json!({
            "pubkey": self.id.to_string(), "timestamp": now(), "ttl": TTL,
            "data": STANDARD.encode(data),
        })
    }

    /// Leaves a message in a drawer that takes only the owner's.
    pub(crate) fn store_signed(&self, namespace: i16, timestamp: u64, data: &[u8]) -> Value {
        json!({
            "pubkey": self.id.to_string(), "timestamp": timestamp, "ttl": TTL,
            "data": STANDARD.encode(data), "namespace": namespace,
            "pubkey_ed25519": self.ed25519(),
            "signature": self.sign(&format!("store{namespace}{timestamp}")),
        })
    }

    /// Reads a drawer.
    pub(crate) fn retrieve(&self, namespace: i16) -> Value {
        self.retrieve_at(namespace, now())
    }

    /// Reads a drawer, signed at some time.
    pub(crate) fn retrieve_at(&self, namespace: i16, timestamp: u64) -> Value {
        let digits = if namespace == 0 { String::new() } else { namespace.to_string() };
        json!({
            "pubkey": self.id.to_string(), "namespace": namespace, "timestamp": timestamp,
            "pubkey_ed25519": self.ed25519(),
            "signature": self.sign(&format!("retrieve{digits}{timestamp}")),
        })
    }

    /// Deletes messages.
    pub(crate) fn delete(&self, hashes: &[&str]) -> Value {
        json!({
            "pubkey": self.id.to_string(), "messages": hashes, "pubkey_ed25519": self.ed25519(),
            "signature": self.sign(&format!("delete{}", hashes.concat())),
        })
    }

    /// The messages that a node gives for a drawer.
    pub(crate) async fn messages(
        &self,
        client: &Client,
        node: &NodeRecord,
        namespace: i16,
    ) -> Vec<Value> {
        let answer = client.done(node, "retrieve", self.retrieve(namespace)).await;
        answer["messages"].as_array().unwrap().clone()
    }

    /// The data of those messages as text.
    pub(crate) async fn texts(
        &self,
        client: &Client,
        node: &NodeRecord,
        namespace: i16,
    ) -> Vec<String> {
        let text = |message: &Value| {
            let data = STANDARD.decode(message["data"].as_str().unwrap()).unwrap();
            String::from_utf8(data).unwrap()
        };
        self.messages(client, node, namespace).await.iter().map(text).collect()
    }
}

/// The same parameters with some fields set; null takes a field away.
pub(crate) fn with(mut params: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    let fields = params.as_object_mut().unwrap();
    for (name, value) in changes {
        if value.is_null() {
            fields.remove(&name);
        } else {
            fields.insert(name, value);
        }
    }
    params
}
