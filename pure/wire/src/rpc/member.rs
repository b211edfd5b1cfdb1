//! What members of a swarm ask each other besides passing clients' requests on.
//!
//! Each call travels as method and parameters in an envelope of [`super::peer`]; each reply is one
//! value in bencode. Positions are stretches of the ring of swarms, ids are those of items.
//!
//! | method | parameters | reply |
//! |---|---|---|
//! | `ready` | | `c` items kept, `l` list gone by (32), `u` whether it has caught up, absent where it does not say, `w` whether mail of another list is awaited |
//! | `reconcile` | `f` `e` first and last position, `n` negentropy message | `n` message, or `c` items: too many, cut the stretch |
//! | `fetch` | `f` `e`, `i` ids, 32 bytes each | `r` list of records, `n` how many ids were looked at |
//! | `records` | `r` list of records | `o` one byte for each: [`Taken`] |
//! | `latest` | `o` owner | `s` the greatest stamp in the mailbox, 0 where it is empty |
//! | `mailbox` | `o` owner, `a` where to go on | `r` list of records, `a` where to go on, absent at the end |

use crate::bencode::{self, BencodeError};
use crate::id::AccountId;
use crate::positions::Positions;
use crate::record::ItemId;
use crate::stamp::Stamp;
use crate::value::{Dict, Value};

/// The most records in one call or reply: with all around them fewer values than a document may
/// have.
pub const MAX_RECORDS: usize = 2_000;
/// The most bytes of records in one call or reply, after the first.
pub const MAX_RECORDS_BYTES: usize = 4 * 1024 * 1024;
/// The most ids asked for in one call.
pub const MAX_IDS: usize = 32_768;

/// What one member asks of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// How much it has, and by which list it goes.
    Ready,
    /// Compare the sets of items on a stretch.
    Reconcile(Positions, Vec<u8>),
    /// Give the records of these items on a stretch.
    Fetch(Positions, Vec<ItemId>),
    /// Take these records.
    Records(Vec<Vec<u8>>),
    /// The greatest stamp in a mailbox.
    Latest(AccountId),
    /// Give a mailbox, from its start or from where an earlier reply ended.
    Mailbox(AccountId, Option<u64>),
}

/// What became of a record that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Kept, or known before.
    Kept,
    /// Overruled, expired or replaced: of no use to the swarm.
    Dead,
    /// Not believed, or not this member's to keep.
    Refused,
}

impl Call {
    /// The method's name.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Reconcile(..) => "reconcile",
            Self::Fetch(..) => "fetch",
            Self::Records(_) => "records",
            Self::Latest(_) => "latest",
            Self::Mailbox(..) => "mailbox",
        }
    }

    /// The parameters as they go on the wire.
    pub fn into_params(self) -> Value {
        match self {
            Self::Ready => Value::dict([]),
            Self::Reconcile(positions, message) => Value::dict([
                ("e", positions.last.into()),
                ("f", positions.first.into()),
                ("n", Value::Bytes(message)),
            ]),
            Self::Fetch(positions, ids) => Value::dict([
                ("e", positions.last.into()),
                ("f", positions.first.into()),
                ("i", Value::Bytes(ids.concat())),
            ]),
            Self::Records(records) => Value::dict([("r", byte_strings(records))]),
            Self::Latest(owner) => Value::dict([("o", owner.to_string().into())]),
            Self::Mailbox(owner, after) => {
                let mut params = Dict::from([("o".to_owned(), owner.to_string().into())]);
                if let Some(after) = after {
                    params.insert("a".to_owned(), after.into());
                }
                Value::Dict(params)
            }
        }
    }

    /// Reads a call; `None` where the method is not one of these.
    ///
    /// # Errors
    /// Where the parameters are not those of the method.
    pub fn read(method: &str, params: &Dict) -> Result<Option<Self>, BencodeError> {
        Ok(Some(match method {
            "ready" => Self::Ready,
            "reconcile" => Self::Reconcile(positions(params)?, bytes(params, "n")?.to_vec()),
            "fetch" => Self::Fetch(positions(params)?, ids(bytes(params, "i")?)?),
            "records" => Self::Records(records(params)?),
            "latest" => Self::Latest(owner(params)?),
            "mailbox" => Self::Mailbox(owner(params)?, optional(params, "a")?),
            _ => return Ok(None),
        }))
    }
}

/// The answer to [`Call::Latest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latest(pub Stamp);

impl Latest {
    /// Writes the answer.
    ///
    /// # Errors
    /// Where it has no form in bencode, which it always has.
    pub fn encode(self) -> Result<Vec<u8>, BencodeError> {
        bencode::encode(&Value::dict([("s", self.0.0.into())]))
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// Where the bytes are anything else.
    pub fn decode(body: &[u8]) -> Result<Self, BencodeError> {
        Ok(Self(Stamp(number(&dict(body)?, "s")?)))
    }
}

/// The answer to [`Call::Ready`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// How many messages and orders it keeps, about.
    pub items: u64,
    /// The digest of the list it goes by.
    pub list: [u8; 32],
    /// Whether it still gathers mail that other nodes kept by an earlier list.
    pub gathering: bool,
    /// Whether it has all mail that it should, as far as it can know.
    pub caught_up: bool,
}

/// The answer to [`Call::Reconcile`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// The next message.
    Message(Vec<u8>),
    /// So many items lie on the stretch that it should be cut.
    TooMany(u64),
}

/// The answer to [`Call::Fetch`] and to [`Call::Mailbox`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The records, each as [`crate::record::UncheckedRecord::encode`] writes it.
    pub records: Vec<Vec<u8>>,
    /// How many of the ids were looked at, or where in the mailbox to go on: absent where all is
    /// said.
    pub next: Option<u64>,
}

impl Ready {
    /// Writes the answer.
    ///
    /// # Errors
    /// Where it has no form in bencode, which it always has.
    pub fn encode(&self) -> Result<Vec<u8>, BencodeError> {
        bencode::encode(&Value::dict([
            ("c", self.items.into()),
            ("l", Value::Bytes(self.list.to_vec())),
            ("u", self.caught_up.into()),
            ("w", self.gathering.into()),
        ]))
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// Where the bytes are anything else.
    pub fn decode(body: &[u8]) -> Result<Self, BencodeError> {
        let reply = dict(body)?;
        let list = bytes(&reply, "l")?.try_into().map_err(|_| BencodeError::Malformed)?;
        let gathering = number(&reply, "w")? != 0;
        let caught_up = optional(&reply, "u")?.is_some_and(|it| it != 0);
        Ok(Self { items: number(&reply, "c")?, list, gathering, caught_up })
    }
}

impl Compared {
    /// Writes the answer.
    ///
    /// # Errors
    /// Where it has no form in bencode, which it always has.
    pub fn encode(self) -> Result<Vec<u8>, BencodeError> {
        bencode::encode(&match self {
            Self::Message(message) => Value::dict([("n", Value::Bytes(message))]),
            Self::TooMany(count) => Value::dict([("c", count.into())]),
        })
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// Where the bytes are anything else.
    pub fn decode(body: &[u8]) -> Result<Self, BencodeError> {
        let reply = dict(body)?;
        match optional(&reply, "c")? {
            Some(count) => Ok(Self::TooMany(count)),
            None => Ok(Self::Message(bytes(&reply, "n")?.to_vec())),
        }
    }
}

impl Given {
    /// Writes the answer.
    ///
    /// # Errors
    /// Where it has no form in bencode, which it always has.
    pub fn encode(self) -> Result<Vec<u8>, BencodeError> {
        let mut reply = Dict::from([("r".to_owned(), byte_strings(self.records))]);
        if let Some(next) = self.next {
            reply.insert("a".to_owned(), next.into());
        }
        bencode::encode(&Value::Dict(reply))
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// Where the bytes are anything else.
    pub fn decode(body: &[u8]) -> Result<Self, BencodeError> {
        let reply = dict(body)?;
        Ok(Self { records: records(&reply)?, next: optional(&reply, "a")? })
    }
}

impl Taken {
    /// Writes the answer to [`Call::Records`].
    ///
    /// # Errors
    /// Where it has no form in bencode, which it always has.
    pub fn encode(all: &[Self]) -> Result<Vec<u8>, BencodeError> {
        let codes = all.iter().map(|taken| match taken {
            Self::Kept => 0,
            Self::Dead => 1,
            Self::Refused => 2,
        });
        bencode::encode(&Value::dict([("o", Value::Bytes(codes.collect()))]))
    }

    /// Reads the answer to [`Call::Records`].
    ///
    /// # Errors
    /// Where the bytes are anything else.
    pub fn decode(body: &[u8]) -> Result<Vec<Self>, BencodeError> {
        let reply = dict(body)?;
        let codes = bytes(&reply, "o")?;
        codes
            .iter()
            .map(|code| match code {
                0 => Ok(Self::Kept),
                1 => Ok(Self::Dead),
                2 => Ok(Self::Refused),
                _ => Err(BencodeError::Malformed),
            })
            .collect()
    }
}

fn byte_strings(all: Vec<Vec<u8>>) -> Value {
    Value::List(all.into_iter().map(Value::Bytes).collect())
}

fn dict(body: &[u8]) -> Result<Dict, BencodeError> {
    match bencode::decode(body)? {
        Value::Dict(dict) => Ok(dict),
        _ => Err(BencodeError::Malformed),
    }
}

fn bytes<'a>(dict: &'a Dict, name: &str) -> Result<&'a [u8], BencodeError> {
    match dict.get(name) {
        Some(Value::Bytes(bytes)) => Ok(bytes),
        _ => Err(BencodeError::Malformed),
    }
}

fn optional(dict: &Dict, name: &str) -> Result<Option<u64>, BencodeError> {
    dict.contains_key(name).then(|| number(dict, name)).transpose()
}

fn number(dict: &Dict, name: &str) -> Result<u64, BencodeError> {
    let number = dict.get(name).and_then(Value::as_integer).ok_or(BencodeError::Malformed)?;
    u64::try_from(number).map_err(|_| BencodeError::IntegerRange)
}

fn positions(params: &Dict) -> Result<Positions, BencodeError> {
    let positions = Positions { first: number(params, "f")?, last: number(params, "e")? };
    if positions.first > positions.last { Err(BencodeError::Malformed) } else { Ok(positions) }
}

fn ids(bytes: &[u8]) -> Result<Vec<ItemId>, BencodeError> {
    let (ids, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || ids.len() > MAX_IDS {
        return Err(BencodeError::Malformed);
    }
    Ok(ids.to_vec())
}

fn records(dict: &Dict) -> Result<Vec<Vec<u8>>, BencodeError> {
    match dict.get("r") {
        Some(Value::List(records)) if records.len() <= MAX_RECORDS => records
            .iter()
            .map(|record| match record {
                Value::Bytes(bytes) => Ok(bytes.clone()),
                _ => Err(BencodeError::Malformed),
            })
            .collect(),
        _ => Err(BencodeError::Malformed),
    }
}

fn owner(params: &Dict) -> Result<AccountId, BencodeError> {
    let text = params.get("o").and_then(Value::as_text).ok_or(BencodeError::Malformed)?;
    text.parse().map_err(|_| BencodeError::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call() -> impl Strategy<Value = Call> {
        let positions = (any::<u64>(), any::<u64>())
            .prop_map(|(a, b)| Positions { first: a.min(b), last: a.max(b) });
        let owner = prop::array::uniform32(any::<u8>())
            .prop_map(|key| format!("05{}", hex::encode(key)).parse().unwrap());
        let ids = prop::collection::vec(prop::array::uniform32(any::<u8>()), 0..5);
        prop_oneof![
            Just(Call::Ready),
            (positions.clone(), any::<Vec<u8>>()).prop_map(|(p, m)| Call::Reconcile(p, m)),
            (positions, ids).prop_map(|(p, ids)| Call::Fetch(p, ids)),
            prop::collection::vec(any::<Vec<u8>>(), 0..5).prop_map(Call::Records),
            owner.clone().prop_map(Call::Latest),
            (owner, any::<Option<u64>>()).prop_map(|(owner, after)| Call::Mailbox(owner, after)),
        ]
    }

    proptest! {
        #[test]
        fn a_call_reads_back_the_same(call in call()) {
            let params = bencode::encode(&call.clone().into_params()).unwrap();
            let params = bencode::decode(&params).unwrap();
            let back = Call::read(call.method(), params.as_dict().unwrap()).unwrap();
            prop_assert_eq!(back, Some(call));
        }

        #[test]
        fn an_answer_reads_back_the_same(
            items: u64, list: [u8; 32], gathering: bool, caught_up: bool, message: Vec<u8>,
            records: Vec<Vec<u8>>, next: Option<u64>,
        ) {
            let ready = Ready { items, list, gathering, caught_up };
            prop_assert_eq!(Ready::decode(&ready.encode().unwrap()).unwrap(), ready);
            let latest = Latest(Stamp(items));
            prop_assert_eq!(Latest::decode(&latest.encode().unwrap()).unwrap(), latest);
            for compared in [Compared::Message(message), Compared::TooMany(items)] {
                let body = compared.clone().encode().unwrap();
                prop_assert_eq!(Compared::decode(&body).unwrap(), compared);
            }
            let given = Given { records, next };
            prop_assert_eq!(Given::decode(&given.clone().encode().unwrap()).unwrap(), given);
        }

        #[test]
        fn any_bytes_read_as_a_call_or_answer_or_an_error(bytes: Vec<u8>, call in call()) {
            let _ = Ready::decode(&bytes);
            let _ = Latest::decode(&bytes);
            let _ = Compared::decode(&bytes);
            let _ = Given::decode(&bytes);
            let _ = Taken::decode(&bytes);
            let params = call.into_params();
            for method in ["ready", "reconcile", "fetch", "records", "latest", "mailbox", "store"] {
                let _ = Call::read(method, params.as_dict().unwrap());
            }
        }
    }

    #[test]
    fn what_became_of_records_is_told_one_by_one() {
        let all = [Taken::Dead, Taken::Kept, Taken::Refused];
        assert_eq!(Taken::decode(&Taken::encode(&all).unwrap()).unwrap(), all);
        assert!(Taken::decode(b"d1:o1:\x03e").is_err());
    }

    #[test]
    fn a_member_that_does_not_say_whether_it_has_caught_up_has_not() {
        let ready = Ready { items: 3, list: [7; 32], gathering: true, caught_up: true };
        let mut reply = dict(&ready.encode().unwrap()).unwrap();
        reply.remove("u");
        let reply = bencode::encode(&Value::Dict(reply)).unwrap();
        assert_eq!(Ready::decode(&reply).unwrap(), Ready { caught_up: false, ..ready });
    }

    #[test]
    fn a_stretch_that_ends_before_it_begins_is_refused() {
        let params = Call::Fetch(Positions { first: 2, last: 1 }, Vec::new()).into_params();
        assert!(Call::read("fetch", params.as_dict().unwrap()).is_err());
    }
}
