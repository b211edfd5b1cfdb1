//! A client's request that every member of a swarm carries out: what is passed on, what each keeps
//! of it, and what each signs.

use warren_wire::bencode::{self, BencodeError};
use warren_wire::record::{MessageRecord, Record};
use warren_wire::rpc::signed;
use warren_wire::value::Dict;
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Stamp, Value};

use crate::answer;
use crate::check::CheckedStore;

/// What the own store did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It keeps the message.
    Stored {
        /// When the kept message expires, all orders considered.
        expiry: Millis,
        /// Whether nothing new was kept.
        already: bool,
    },
    /// It carried the order out.
    Changed(Changed),
}

/// What an order did. Messages that had expired count as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// What was removed, ordered by namespace, then hash.
    pub deleted: Vec<(Namespace, MessageHash)>,
    /// Whose expiry changed, and to when.
    pub updated: Vec<(Namespace, MessageHash, Millis)>,
    /// Named or covered messages that are there and whose expiry stayed, and what it is.
    pub unchanged: Vec<(MessageHash, Millis)>,
    /// How many of the named subaccounts were revoked and are no longer.
    pub given_back: u64,
}

/// What a member says of a request it carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// All of it but the signature.
    pub fields: Dict,
    /// What the member signs, the signature going in as `signature`.
    pub signed: Vec<u8>,
}

/// The parameter of a store that is passed on by which members know that they are to count it against
/// the mailbox.
pub const COUNTED: &str = "counted";

/// A checked request that goes to every member of the swarm.
pub trait SwarmRequest: Send + Sync {
    /// Whose mailbox it is about.
    fn owner(&self) -> &AccountId;

    /// The method by which it is passed on.
    fn method(&self) -> &'static str;

    /// The parameters, as they are passed on: what [`crate::accept::read`] reads as this request.
    fn params(&self) -> Value;

    /// Whether it is about all that whole drawers hold, and so about messages it does not name. Its
    /// stamp must then be greater than theirs beforehand: nobody can tell afterwards which of those
    /// stored later it was meant for.
    fn is_sweeping(&self) -> bool {
        false
    }

    /// Whether it asks by name for messages to live longer, so that a member need not carry it out to
    /// which that is too little to matter.
    fn only_extends(&self) -> bool {
        false
    }

    /// What the swarm keeps of it, taken in at this stamp.
    ///
    /// # Errors
    /// Where the parameters have no form in bencode, which those of a request that was read have.
    fn record(&self, stamp: Stamp) -> Result<Record, BencodeError>;

    /// What this node says, by what its store did; `None` where the store did something else.
    fn entry(&self, done: &Done) -> Option<Entry>;

    /// What another member must have signed to say this; `None` where it says nothing that answers
    /// the request. Text in the fields may be bytes, as bencode has it.
    fn signed_by(&self, fields: &Dict) -> Option<Vec<u8>>;
}

impl SwarmRequest for CheckedStore {
    fn owner(&self) -> &AccountId {
        &self.request().account
    }

    fn method(&self) -> &'static str {
        "store"
    }

    fn params(&self) -> Value {
        let params = self.request().to_value();
        match params {
            Value::Dict(mut params) if self.is_counted() => {
                params.insert(COUNTED.to_owned(), true.into());
                Value::Dict(params)
            }
            params => params,
        }
    }

    fn record(&self, stamp: Stamp) -> Result<Record, BencodeError> {
        let request = self.request();
        let public = request.namespace.number() % 10 == 0;
        let proof = match &request.auth {
            Some(auth) if !public => {
                let mut fields = Dict::new();
                auth.write(&mut fields);
                fields.insert("sig_timestamp".to_owned(), request.signed_at.into());
                Some(bencode::encode(&Value::Dict(fields))?)
            }
            _ => None,
        };
        Ok(Record::Message(MessageRecord {
            owner: request.account,
            namespace: request.namespace,
            hash: *self.hash(),
            timestamp: request.timestamp,
            expiry: request.expiry,
            stored: stamp,
            data: request.data.clone(),
            proof,
        }))
    }

    fn entry(&self, done: &Done) -> Option<Entry> {
        let Done::Stored { expiry, already } = *done else { return None };
        let fields = answer::stored_entry(self.hash(), expiry, already);
        Some(Entry { fields, signed: signed::stored(self.hash()).into_bytes() })
    }

    fn signed_by(&self, fields: &Dict) -> Option<Vec<u8>> {
        let hash = self.hash().to_string();
        let expiry = fields.get("expiry")?.as_integer()?;
        let said = fields.get("hash")?.as_text()? == hash && u64::try_from(expiry).is_ok();
        said.then(|| signed::stored(self.hash()).into_bytes())
    }
}

/// Makes a member's entry as it came out of bencode text again, its signature staying bytes.
pub fn texts_of(fields: Dict) -> Dict {
    fields
        .into_iter()
        .map(|(key, value)| {
            let value = if key == "signature" { value } else { text_of(value) };
            (key, value)
        })
        .collect()
}

fn text_of(value: Value) -> Value {
    match value {
        Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
        Value::List(items) => Value::List(items.into_iter().map(text_of).collect()),
        Value::Dict(fields) => {
            Value::Dict(fields.into_iter().map(|(key, value)| (key, text_of(value))).collect())
        }
        other => other,
    }
}
