//! An account whose id holds its Ed25519 key, as groups have, and subaccounts that it gave rights.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use warren_crypto::ed25519::{SigningKey, VerifyingKey};
use warren_crypto::{Secret, SystemEntropy};
use warren_noded::node::now;
use warren_wire::directory::NodeRecord;
use warren_wire::{AccountId, MessageHash, Namespace};

use crate::network::{Client, TestNetwork};
use crate::person::with;

/// The account.
pub(crate) struct Group {
    key: SigningKey,
    /// Which it is.
    pub(crate) id: AccountId,
}

/// Somebody whom a group gave rights.
pub(crate) struct Subaccount {
    key: SigningKey,
    /// 36 bytes.
    pub(crate) token: Vec<u8>,
    owner_signature: Vec<u8>,
}

/// A message that was stored, as the tests expect to find it.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// Its name.
    pub(crate) hash: String,
    /// When it was sent.
    pub(crate) timestamp: u64,
    /// When it expires.
    pub(crate) expiry: u64,
}

fn new_key() -> SigningKey {
    SigningKey::from_seed(Secret::random(&mut SystemEntropy)).unwrap()
}

impl Group {
    /// A new account, its id beginning with this byte.
    pub(crate) fn new(prefix: u8) -> Self {
        let key = new_key();
        let id = [&[prefix], &key.verifying_key().as_bytes()[..]].concat();
        Self { key, id: AccountId::from_bytes(&id).unwrap() }
    }

    /// Parameters with the owner's signature of `text`.
    pub(crate) fn signed(&self, text: impl AsRef<[u8]>, params: Value) -> Value {
        let signature = STANDARD.encode(self.key.sign(text.as_ref()).unwrap());
        with(params, json!({ "pubkey": self.id.to_string(), "signature": signature }))
    }

    /// Somebody with rights: 1 read, 2 write, 4 delete, 8 for any prefix.
    pub(crate) fn subaccount(&self, rights: u8) -> Subaccount {
        let key = new_key();
        let prefix = self.id.as_bytes()[0];
        let token = [&[prefix, rights, 0, 0], &key.verifying_key().as_bytes()[..]].concat();
        let owner_signature = self.key.sign(&token).unwrap().to_vec();
        Subaccount { key, token, owner_signature }
    }

    /// Signed parameters of a retrieve.
    pub(crate) fn retrieve(&self, namespace: i16) -> Value {
        let (time, digits) = (now(), Namespace::new(namespace).signed_form());
        let params = json!({ "namespace": namespace, "timestamp": time });
        self.signed(format!("retrieve{digits}{time}"), params)
    }

    /// The messages of a drawer at a node.
    pub(crate) async fn messages(
        &self,
        client: &Client,
        node: &NodeRecord,
        namespace: i16,
    ) -> Vec<Value> {
        let answer = client.done(node, "retrieve", self.retrieve(namespace)).await;
        answer["messages"].as_array().unwrap().clone()
    }

    /// Stores messages one after the other, each sent a second before the last and living a minute.
    pub(crate) async fn store(
        &self,
        client: &Client,
        node: &NodeRecord,
        count: u64,
    ) -> Vec<Stored> {
        let began = now();
        let mut stored = Vec::new();
        for n in 0..count {
            let (timestamp, data) = (began - n * 1_000, format!("omg {n}"));
            let expiry = timestamp + 60_000;
            let params = json!({
                "pubkey": self.id.to_string(), "timestamp": timestamp, "expiry": expiry,
                "data": STANDARD.encode(&data),
            });
            client.done(node, "store", params).await;
            let hash = MessageHash::compute(&self.id, Namespace::DIRECT, data.as_bytes());
            stored.push(Stored { hash: hash.unwrap().to_string(), timestamp, expiry });
        }
        stored
    }

    /// Stores one message in a drawer that takes only the owner's; gives its name.
    pub(crate) async fn store_signed(
        &self,
        client: &Client,
        node: &NodeRecord,
        namespace: i16,
        data: &[u8],
    ) -> String {
        let time = now();
        let params = json!({
            "namespace": namespace, "timestamp": time, "ttl": 86_400_000,
            "data": STANDARD.encode(data),
        });
        let params = self.signed(format!("store{namespace}{time}"), params);
        let answer = client.done(node, "store", params).await;
        answer["hash"].as_str().unwrap().to_owned()
    }
}

impl Subaccount {
    /// Parameters for this account with the subaccount's signature of `text`.
    pub(crate) fn signed(&self, account: &AccountId, text: &str, params: Value) -> Value {
        let changes = json!({
            "pubkey": account.to_string(),
            "signature": STANDARD.encode(self.key.sign(text.as_bytes()).unwrap()),
            "subaccount": STANDARD.encode(&self.token),
            "subaccount_sig": STANDARD.encode(&self.owner_signature),
        });
        with(params, changes)
    }

    /// Signed parameters of a retrieve.
    pub(crate) fn retrieve(&self, account: &AccountId, namespace: i16) -> Value {
        let time = now();
        let params = json!({ "namespace": namespace, "timestamp": time });
        self.signed(account, &format!("retrieve{namespace}{time}"), params)
    }

    /// The token as clients write it.
    pub(crate) fn token(&self) -> String {
        STANDARD.encode(&self.token)
    }
}

/// What each member said in the reply to an order, its signature checked: `text` gives what the member
/// must have signed, by its entry.
pub(crate) fn entries(
    network: &TestNetwork,
    answer: &Value,
    text: impl Fn(&Value) -> Vec<u8>,
) -> Vec<Value> {
    assert!(answer["hf"].is_array() && answer["t"].is_u64(), "{answer}");
    let swarm = answer["swarm"].as_object().unwrap();
    assert_eq!(swarm.len(), network.records().len());
    network
        .records()
        .iter()
        .map(|member| {
            let mut entry = swarm[&member.id.to_string()].clone();
            let signature = STANDARD.decode(entry["signature"].as_str().unwrap()).unwrap();
            VerifyingKey::from_bytes(*member.id.as_bytes())
                .verify(&text(&entry), &signature)
                .unwrap_or_else(|_| panic!("signature of {entry}"));
            entry.as_object_mut().unwrap().remove("signature");
            entry
        })
        .collect()
}

/// The names in the order of their ASCII.
pub(crate) fn sorted<'a>(names: impl IntoIterator<Item = &'a Stored>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().map(|stored| stored.hash.clone()).collect();
    names.sort();
    names
}
