//! People who use the swarm: their keys, and the requests they sign.

use warren_account::Account;
use warren_crypto::Secret;
use warren_node::{Answer, CheckedOrder, CheckedStore, Origin, SwarmRequest};
use warren_wire::rpc::{Request, signed};
use warren_wire::value::Dict;
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Value};

use crate::chance::Chance;

/// The owner of a mailbox.
pub(crate) struct Person {
    account: Account,
}

/// What is asked of the swarm.
#[derive(Debug, Clone)]
pub(crate) enum Wish {
    /// Leave this message, for so long.
    Store(Vec<u8>, Millis),
    /// Delete this message.
    Delete(MessageHash),
    /// Delete all.
    DeleteAll,
    /// Let this message expire then.
    Expire(MessageHash, Millis),
}

impl Person {
    pub(crate) fn new(chance: &Chance) -> Self {
        let seed = Secret::from_slice(&chance.bytes(32)).expect("a seed is 32 bytes");
        Self { account: Account::from_seed32(seed).expect("any seed makes an account") }
    }

    pub(crate) fn id(&self) -> AccountId {
        self.account.id()
    }

    /// The name of a message in this mailbox.
    pub(crate) fn hash(&self, data: &[u8]) -> MessageHash {
        MessageHash::compute(&self.id(), Namespace::DIRECT, data).expect("data of any length")
    }

    fn signed(&self, text: &str, mut params: Dict) -> Dict {
        let key = self.account.signing_key();
        let signature = key.sign(text.as_bytes()).expect("a well-made key signs");
        params.insert("signature".to_owned(), Value::Bytes(signature.to_vec()));
        let public = key.verifying_key().as_bytes().to_vec();
        params.insert("pubkey_ed25519".to_owned(), Value::Bytes(public));
        params
    }

    /// The request that a client sends.
    pub(crate) fn request(&self, wish: &Wish, now: Millis) -> (&'static str, Dict) {
        let params = |pairs: Vec<(&str, Value)>| -> Dict {
            let owner = ("pubkey", self.id().to_string().into());
            pairs.into_iter().chain([owner]).map(|(key, value)| (key.to_owned(), value)).collect()
        };
        match wish {
            Wish::Store(data, ttl) => {
                let data = Value::Bytes(data.clone());
                let pairs = vec![("data", data), ("timestamp", now.into()), ("ttl", (*ttl).into())];
                ("store", params(pairs))
            }
            Wish::Delete(hash) => {
                let text = signed::delete(&[*hash]);
                let hashes = Value::List(vec![hash.to_string().into()]);
                ("delete", self.signed(&text, params(vec![("messages", hashes)])))
            }
            Wish::DeleteAll => {
                let text = format!("delete_all{now}");
                ("delete_all", self.signed(&text, params(vec![("timestamp", now.into())])))
            }
            Wish::Expire(hash, expiry) => {
                let text = format!("expire{expiry}{hash}");
                let hashes = Value::List(vec![hash.to_string().into()]);
                let pairs = vec![("messages", hashes), ("expiry", (*expiry).into())];
                ("expire", self.signed(&text, params(pairs)))
            }
        }
    }
}

/// Checks a request as a node does that a client asks.
pub(crate) fn check(
    method: &str,
    params: &Dict,
    now: Millis,
) -> Result<Box<dyn SwarmRequest>, Answer> {
    match Request::read(method, params) {
        Ok(Request::Store(request)) => {
            Ok(Box::new(CheckedStore::check(request, now, Origin::Client, &[])?))
        }
        Ok(Request::Order(request)) => {
            Ok(Box::new(CheckedOrder::check(request, now, Origin::Client, &[])?))
        }
        _ => Err(Answer::refuse(400, "not a wish")),
    }
}
