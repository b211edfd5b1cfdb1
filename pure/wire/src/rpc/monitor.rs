//! `monitor`: be told at once of every message that arrives in some drawers of a mailbox.
//!
//! Bencode in both directions. A request is one dictionary or a list of them, answered in kind:
//!
//! ```text
//! request = { "P": Ed25519 key of a person (32) | "p": id of any other account (33),
//!             "S": owner's signature of the token (64), "T": subaccount's token (36),
//!             "d": 1 where the data is wanted, "n": [ascending namespaces],
//!             "s": signature (64), "t": seconds since 1970 }
//! s       = Ed25519("MONITOR" || id in hex || t || ("1" | "0") || namespaces joined by commas)
//! reply   = { "success": 1 } | { "errcode": 1..6, "error": text }
//! push    = { "@": id (33), "h": hash, "n": namespace, "t": ms, "z": expiry in ms, "~": data }
//! ```

use warren_crypto::ed25519::SIGNATURE_BYTES;

use super::auth::SignedToken;
use crate::bencode::{self, BencodeError};
use crate::id::{AccountId, MessageHash};
use crate::limits::Millis;
use crate::namespace::Namespace;
use crate::record::SubaccountToken;
use crate::value::{Dict, Value};

/// How long a subscription lasts unless it is renewed.
pub const MONITOR_LIFETIME: Millis = 65 * 60 * 1_000;

/// Why a subscription is not made. The texts are the reference node's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MonitorError {
    /// 1: a part is missing or of another type.
    #[error("Invalid arguments: {0}")]
    Arguments(String),
    /// 2: a key or what goes with it has the wrong length.
    #[error("{0}")]
    Key(&'static str),
    /// 3: the namespaces do not ascend.
    #[error("Invalid n= namespace list: namespaces must be ascending")]
    Namespaces,
    /// 4: signed more than 14 days ago.
    #[error("Invalid t= signature timestamp: timestamp is too old")]
    TooOld,
    /// 4: signed more than a day ahead.
    #[error("Invalid t= signature timestamp: timestamp is in the future")]
    InFuture,
    /// 5: a signature of the wrong length or that does not fit.
    #[error("{0}")]
    Signature(String),
    /// 6: other nodes keep the account's mail.
    #[error("Account is not stored by this service node's swarm")]
    WrongSwarm,
}

impl MonitorError {
    /// The number under `errcode`.
    pub const fn code(&self) -> u64 {
        match self {
            Self::Arguments(_) => 1,
            Self::Key(_) => 2,
            Self::Namespaces => 3,
            Self::TooOld | Self::InFuture => 4,
            Self::Signature(_) => 5,
            Self::WrongSwarm => 6,
        }
    }

    /// The answer to the subscription.
    pub fn to_reply(&self) -> Dict {
        Dict::from([
            ("errcode".to_owned(), self.code().into()),
            ("error".to_owned(), self.to_string().into()),
        ])
    }
}

/// Whose mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// A person, named by the Ed25519 key from which the id follows.
    Person([u8; 32]),
    /// Any account whose id holds its Ed25519 key.
    Account(AccountId),
}

/// A subscription somebody wants, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorRequest {
    /// Whose mailbox.
    pub watched: Watched,
    /// Set where a subaccount signs.
    pub subaccount: Option<SignedToken>,
    /// Which drawers, ascending; one at least.
    pub namespaces: Vec<Namespace>,
    /// Whether the message's data is wanted, or only word of it.
    pub want_data: bool,
    /// When it was signed, in seconds since 1970.
    pub signed_at: i64,
    /// By the owner or the subaccount.
    pub signature: [u8; SIGNATURE_BYTES],
}

/// All subscriptions of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorRequests {
    /// Each, or why it cannot be read.
    pub requests: Vec<Result<MonitorRequest, MonitorError>>,
    /// Whether they came in a list; the answers go back in the same form.
    pub listed: bool,
}

impl MonitorRequests {
    /// Reads a body.
    ///
    /// # Errors
    /// Where it is no dictionary and no list of dictionaries.
    pub fn read(body: &[u8]) -> Result<Self, MonitorError> {
        let framed = matches!(body, [b'd' | b'l', .., b'e']);
        let complaint = |text: &str| MonitorError::Arguments(text.to_owned());
        if !framed {
            return Err(complaint(
                "monitor request takes a single bencoded dict or list parameter",
            ));
        }
        let unparsed = || complaint("Failed to parse monitor.messages data value");
        match bencode::decode(body).map_err(|_| unparsed())? {
            Value::Dict(dict) => {
                Ok(Self { requests: vec![MonitorRequest::read(&dict)], listed: false })
            }
            Value::List(items) => {
                let read = |item: &Value| item.as_dict().map(MonitorRequest::read);
                let requests: Option<Vec<_>> = items.iter().map(read).collect();
                Ok(Self { requests: requests.ok_or_else(unparsed)?, listed: true })
            }
            _ => Err(unparsed()),
        }
    }
}

/// Writes the answers, one for each subscription, in the form of the request.
///
/// # Errors
/// Where an answer has no form in bencode.
pub fn encode_replies(replies: Vec<Dict>, listed: bool) -> Result<Vec<u8>, BencodeError> {
    let mut replies: Vec<Value> = replies.into_iter().map(Value::Dict).collect();
    match (listed, replies.pop()) {
        (false, Some(only)) => bencode::encode(&only),
        (_, last) => {
            replies.extend(last);
            bencode::encode(&Value::List(replies))
        }
    }
}

/// The answer to a subscription that was made.
pub fn success() -> Dict {
    Dict::from([("success".to_owned(), 1_u64.into())])
}

impl MonitorRequest {
    /// Reads one subscription.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read(dict: &Dict) -> Result<Self, MonitorError> {
        let person = match dict.get("P") {
            None => None,
            Some(value) => Some(bytes(value)?.try_into().map_err(|_| {
                MonitorError::Key("Provided P= Session Ed25519 pubkey must be 32 bytes")
            })?),
        };
        let subaccount = read_subaccount(dict)?;
        let want_data = match dict.get("d") {
            None | Some(Value::Integer(0)) => false,
            Some(Value::Integer(1)) => true,
            Some(_) => return Err(arguments("next bt dict value is not an integer")),
        };
        let namespaces = read_namespaces(dict)?;
        let account = match dict.get("p") {
            Some(_) if person.is_some() => {
                return Err(arguments("Cannot provide both p= and P= pubkey values"));
            }
            None => None,
            Some(value) => Some(
                AccountId::from_bytes(bytes(value)?)
                    .map_err(|_| MonitorError::Key("Provided p= pubkey must be 33 bytes"))?,
            ),
        };
        let watched = match (person, account) {
            (Some(key), _) => Watched::Person(key),
            (None, Some(account)) => Watched::Account(account),
            (None, None) => return Err(arguments("Either p= or P= must be given")),
        };
        let signature = bytes(required(dict, "s")?)?.try_into().map_err(|_| {
            MonitorError::Signature("Provided s= signature must be 64 bytes".to_owned())
        })?;
        let signed_at = dict
            .get("t")
            .ok_or_else(|| arguments("required signature timestamp is missing"))?
            .as_integer()
            .and_then(|number| i64::try_from(number).ok())
            .ok_or_else(|| arguments("next bt dict value is not an integer"))?;
        Ok(Self { watched, subaccount, namespaces, want_data, signed_at, signature })
    }

    /// The dictionary that goes on the wire.
    pub fn to_dict(&self) -> Dict {
        let raw = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
        let namespaces: Vec<Value> =
            self.namespaces.iter().map(|namespace| namespace.number().into()).collect();
        let mut dict = Dict::from([
            ("d".to_owned(), u64::from(self.want_data).into()),
            ("n".to_owned(), namespaces.into()),
            ("s".to_owned(), raw(&self.signature)),
            ("t".to_owned(), self.signed_at.into()),
        ]);
        match &self.watched {
            Watched::Person(key) => dict.insert("P".to_owned(), raw(key)),
            Watched::Account(account) => dict.insert("p".to_owned(), raw(account.as_bytes())),
        };
        if let Some(SignedToken { token, signature }) = &self.subaccount {
            dict.insert("S".to_owned(), raw(signature));
            dict.insert("T".to_owned(), raw(&token.0));
        }
        dict
    }

    /// What is signed, for the account that [`MonitorRequest::watched`] stands for.
    pub fn signed_text(&self, account: &AccountId) -> String {
        signed_text(account, self.signed_at, self.want_data, &self.namespaces)
    }
}

/// What a subscriber signs.
pub fn signed_text(
    account: &AccountId,
    signed_at: i64,
    want_data: bool,
    namespaces: &[Namespace],
) -> String {
    let namespaces: Vec<String> = namespaces.iter().map(ToString::to_string).collect();
    format!("MONITOR{account}{signed_at}{}{}", u8::from(want_data), namespaces.join(","))
}

fn read_subaccount(dict: &Dict) -> Result<Option<SignedToken>, MonitorError> {
    let Some(signature) = dict.get("S") else { return Ok(None) };
    let signature = bytes(signature)?
        .try_into()
        .map_err(|_| MonitorError::Key("Provided S subaccount signature must be 64 bytes"))?;
    let token = bytes(required(dict, "T")?)?
        .try_into()
        .map_err(|_| MonitorError::Key("Provided T subaccount token must be 36 bytes"))?;
    Ok(Some(SignedToken { token: SubaccountToken(token), signature }))
}

fn read_namespaces(dict: &Dict) -> Result<Vec<Namespace>, MonitorError> {
    let Value::List(items) = required(dict, "n")? else {
        return Err(arguments("next bt dict value is not a list"));
    };
    let mut namespaces: Vec<Namespace> = Vec::with_capacity(items.len());
    for item in items {
        let number = item.as_integer().ok_or_else(|| arguments("next value is not an integer"))?;
        let number = i16::try_from(number).map_err(|_| arguments("integer out of range"))?;
        let namespace = Namespace::new(number);
        if namespaces.last().is_some_and(|last| namespace <= *last) {
            return Err(MonitorError::Namespaces);
        }
        namespaces.push(namespace);
    }
    if namespaces.is_empty() {
        return Err(arguments("next value is not an integer"));
    }
    Ok(namespaces)
}

fn required<'a>(dict: &'a Dict, key: &str) -> Result<&'a Value, MonitorError> {
    dict.get(key).ok_or_else(|| arguments(&format!("Key {key} not found!")))
}

fn bytes(value: &Value) -> Result<&[u8], MonitorError> {
    let found = match value {
        Value::Bytes(bytes) => return Ok(bytes),
        Value::List(_) => 'l',
        Value::Dict(_) => 'd',
        _ => 'i',
    };
    Err(arguments(&format!("expected a string, but found {found}")))
}

fn arguments(text: &str) -> MonitorError {
    MonitorError::Arguments(text.to_owned())
}

/// Word of a message that arrived.
#[derive(Clone, PartialEq, Eq)]
pub struct Push {
    /// In whose mailbox.
    pub account: AccountId,
    /// The message's name.
    pub hash: MessageHash,
    /// In which drawer.
    pub namespace: Namespace,
    /// When the sender says it was sent.
    pub timestamp: Millis,
    /// When it vanishes.
    pub expiry: Millis,
    /// The sealed bytes, where the subscriber wants them.
    pub data: Option<Vec<u8>>,
}

impl std::fmt::Debug for Push {
    /// Says whether there is data, and not which.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Push")
            .field("account", &self.account)
            .field("hash", &self.hash)
            .field("namespace", &self.namespace)
            .field("timestamp", &self.timestamp)
            .field("expiry", &self.expiry)
            .field("data_len", &self.data.as_ref().map(Vec::len))
            .finish()
    }
}

impl Push {
    /// Writes it.
    ///
    /// # Errors
    /// Never; the encoder's result is passed on.
    pub fn encode(&self) -> Result<Vec<u8>, BencodeError> {
        let mut dict = Dict::from([
            ("@".to_owned(), Value::Bytes(self.account.as_bytes().to_vec())),
            ("h".to_owned(), self.hash.to_string().into()),
            ("n".to_owned(), self.namespace.number().into()),
            ("t".to_owned(), self.timestamp.into()),
            ("z".to_owned(), self.expiry.into()),
        ]);
        if let Some(data) = &self.data {
            dict.insert("~".to_owned(), Value::Bytes(data.clone()));
        }
        bencode::encode(&Value::Dict(dict))
    }

    /// Reads one.
    ///
    /// # Errors
    /// Where the bytes are anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, BencodeError> {
        let value = bencode::decode(bytes)?;
        let time =
            |name: &str| -> Option<Millis> { value.get(name)?.as_integer()?.try_into().ok() };
        let read = || {
            Some(Self {
                account: AccountId::from_bytes(&value.get("@")?.to_bytes()?).ok()?,
                hash: value.get("h")?.as_text()?.parse().ok()?,
                namespace: Namespace::new(i16::try_from(value.get("n")?.as_integer()?).ok()?),
                timestamp: time("t")?,
                expiry: time("z")?,
                data: value.get("~").and_then(Value::to_bytes),
            })
        };
        read().ok_or(BencodeError::Malformed)
    }
}
