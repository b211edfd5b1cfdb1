//! How single parameters are read out of a request, with the error texts of the reference node.

use crate::id::{AccountId, MessageName};
use crate::limits::Millis;
use crate::namespace::Namespace;
use crate::record::Drawers;
use crate::value::{Dict, Value};

/// What is wrong with a parameter: the text behind `invalid request: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FieldError(pub String);

impl From<&str> for FieldError {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Below this a number is taken for seconds by mistake (one million seconds, in milliseconds).
const LEAST_MILLIS: u64 = 1_000_000_000;

/// The parameters of one request.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    dict: &'a Dict,
    has_booleans: bool,
}

impl<'a> Fields<'a> {
    /// Wraps a dictionary that came in bencode, where 1 and 0 stand for true and false.
    pub const fn new(dict: &'a Dict) -> Self {
        Self { dict, has_booleans: false }
    }

    /// Whether the dictionary came in bencode, whose complaints differ.
    pub const fn is_bencode(&self) -> bool {
        !self.has_booleans
    }

    /// Wraps a dictionary that came in JSON.
    pub const fn json(dict: &'a Dict) -> Self {
        Self { dict, has_booleans: true }
    }

    /// The same encoding around another dictionary.
    #[must_use]
    pub const fn within(&self, dict: &'a Dict) -> Self {
        Self { dict, has_booleans: self.has_booleans }
    }

    /// The raw value; null counts as absent.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.dict.get(name).filter(|value| **value != Value::Null)
    }

    /// The raw value, null too.
    pub fn get_even_null(&self, name: &str) -> Option<&'a Value> {
        self.dict.get(name)
    }

    /// Text.
    ///
    /// # Errors
    /// Where the value is something else.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, FieldError> {
        self.read(name, "string", |value| value.as_text())
    }

    /// Checks, in the order given, that each of these is text or bytes where it is there at all.
    ///
    /// # Errors
    /// Where one of them is something else.
    pub fn strings(&self, names: &[&str]) -> Result<(), FieldError> {
        names.iter().try_for_each(|name| match self.get(name) {
            None | Some(Value::Text(_) | Value::Bytes(_)) => Ok(()),
            Some(_) => Err(wrong_type(name, "string")),
        })
    }

    /// A truth value; 1 and 0 count where the encoding has no other.
    ///
    /// # Errors
    /// Where the value is something else.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, FieldError> {
        self.read(name, "boolean", |value| match value {
            Value::Bool(flag) => Some(*flag),
            Value::Integer(0) if !self.has_booleans => Some(false),
            Value::Integer(1) if !self.has_booleans => Some(true),
            _ => None,
        })
    }

    /// A whole number of 64 bits.
    ///
    /// # Errors
    /// Where the value is something else.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, FieldError> {
        self.read(name, "integer", |value| i64::try_from(value.as_integer()?).ok())
    }

    /// A whole number that is not negative.
    ///
    /// # Errors
    /// Where the value is something else.
    pub fn positive(&self, name: &str) -> Result<Option<u64>, FieldError> {
        self.read(name, "positive integer", |value| u64::try_from(value.as_integer()?).ok())
    }

    /// A time in milliseconds. In bencode any of 64 bits passes, and is refused for lying in the past;
    /// one before 1970 counts as 1970.
    ///
    /// # Errors
    /// Where the value is no whole number, or in JSON is negative or looks like seconds.
    pub fn timestamp(&self, name: &str) -> Result<Option<Millis>, FieldError> {
        let read = |value: &Value| self.time(value);
        match self.read(name, "integer timestamp (in milliseconds)", read)? {
            Some(time) if self.has_booleans && time < LEAST_MILLIS => Err(FieldError(format!(
                "Invalid timestamp for '{name}': timestamp must be in milliseconds"
            ))),
            time => Ok(time),
        }
    }

    /// A list of times in milliseconds; one alone may stand without a list. Small ones pass: they are
    /// refused for lying in the past.
    ///
    /// # Errors
    /// Where the value is something else.
    pub fn timestamps(&self, name: &str) -> Result<Option<Vec<Millis>>, FieldError> {
        let time = |value: &Value| self.time(value);
        self.read(name, "timestamp array", |value| match value {
            Value::List(items) => items.iter().map(time).collect(),
            single => time(single).map(|time| vec![time]),
        })
    }

    /// A list of whole numbers; one alone may stand without a list.
    ///
    /// # Errors
    /// Where the value is something else.
    pub fn integers(&self, name: &str) -> Result<Option<Vec<i64>>, FieldError> {
        let integer = |value: &Value| i64::try_from(value.as_integer()?).ok();
        self.read(name, "integer array", |value| match value {
            Value::List(items) => items.iter().map(integer).collect(),
            single => integer(single).map(|number| vec![number]),
        })
    }

    /// A namespace number, or `all` for every one; 0 where none is named.
    ///
    /// # Errors
    /// Where the value is something else.
    pub fn drawers(&self, name: &str) -> Result<Drawers, FieldError> {
        match self.get(name) {
            None => Ok(Drawers::One(Namespace::DIRECT)),
            Some(Value::Integer(number)) => i16::try_from(*number)
                .map(|number| Drawers::One(Namespace::new(number)))
                .map_err(|_| self.out_of_range(name, "integer or \"all\"")),
            Some(value) if value.as_text() == Some("all") => Ok(Drawers::All),
            Some(_) => Err(wrong_type(name, "integer or \"all\"")),
        }
    }

    /// The time of a store: in JSON a whole number of either sign, or its decimal digits as text, as
    /// old clients send. One before 1970 counts as 1970, and so does one beyond 63 bits, which the
    /// reference node takes for negative.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn store_time(&self, name: &str) -> Result<Option<Millis>, FieldError> {
        if !self.has_booleans {
            return self.timestamp(name);
        }
        if let Some(text) = self.digits(name) {
            let time = text.parse().ok().filter(|_| !text.starts_with('+')).map(since_1970);
            return time.map(Some).ok_or_else(|| unreadable(name, text));
        }
        self.read(name, "integer", |value| {
            let number = value.as_integer()?;
            Some(i64::try_from(number).map_or(0, since_1970))
        })
    }

    /// A non-negative number; in JSON also its decimal digits as text.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn lifetime(&self, name: &str) -> Result<Option<Millis>, FieldError> {
        match self.digits(name) {
            Some(text) => {
                let number = text.parse().ok().filter(|_| !text.starts_with('+'));
                number.map(Some).ok_or_else(|| unreadable(name, text))
            }
            None => self.positive(name),
        }
    }

    /// A time: in JSON one that is not negative. What has more than 63 bits is negative for the
    /// reference node, and counts as 1970.
    fn time(&self, value: &Value) -> Option<Millis> {
        let number = value.as_integer()?;
        if self.has_booleans {
            let time = u64::try_from(number).ok()?;
            return Some(if i64::try_from(time).is_ok() { time } else { 0 });
        }
        i64::try_from(number).ok().map(since_1970)
    }

    /// Text where JSON may have a number; bencode may not.
    fn digits(&self, name: &str) -> Option<&'a str> {
        match self.get(name) {
            Some(Value::Text(text)) if self.has_booleans => Some(text),
            _ => None,
        }
    }

    /// A namespace number.
    ///
    /// # Errors
    /// Where it is no whole number of 16 bits.
    pub fn namespace(&self, name: &str) -> Result<Option<Namespace>, FieldError> {
        let Some(number) = self.read(name, "16-bit integer", Value::as_integer)? else {
            return Ok(None);
        };
        let number =
            i16::try_from(number).map_err(|_| self.out_of_range(name, "16-bit integer"))?;
        Ok(Some(Namespace::new(number)))
    }

    /// A namespace beyond 16 bits, which in bencode is no namespace at all.
    fn out_of_range(&self, name: &str, expected: &str) -> FieldError {
        if self.is_bencode() {
            return wrong_type(name, expected);
        }
        FieldError(format!("Invalid value given for '{name}': value out of range"))
    }

    /// The account that is meant, under either of its spellings.
    ///
    /// # Errors
    /// Where both or neither are given, or it is no account id.
    pub fn account(&self) -> Result<AccountId, FieldError> {
        self.account_or("Pubkey must be 66 hex digits (33 bytes) long")
    }

    /// As [`Fields::account`], with the text for a malformed one.
    ///
    /// # Errors
    /// Where both or neither are given, or it is no account id.
    pub fn account_or(&self, malformed: &str) -> Result<AccountId, FieldError> {
        self.strings(&["pubKey", "pubkey"])?;
        let value = self
            .one_of("pubkey", "pubKey")?
            .ok_or_else(|| FieldError("Required field 'pubkey' missing".to_owned()))?;
        read_account(value).ok_or_else(|| FieldError(malformed.to_owned()))
    }

    /// The account under the one spelling `pubkey`.
    ///
    /// # Errors
    /// Where it is missing or malformed.
    pub fn account_strict(&self) -> Result<AccountId, FieldError> {
        self.strings(&["pubkey"])?;
        read_account(self.required("pubkey")?)
            .ok_or_else(|| FieldError("Pubkey must be 66 hex digits (33 bytes) long".to_owned()))
    }

    /// The value under either of two spellings.
    ///
    /// # Errors
    /// Where both are given.
    pub fn one_of(&self, name: &str, alias: &str) -> Result<Option<&'a Value>, FieldError> {
        match (self.get(name), self.get(alias)) {
            (Some(_), Some(_)) => {
                Err(FieldError(format!("Cannot specify both '{name}' and '{alias}'")))
            }
            (value, other) => Ok(value.or(other)),
        }
    }

    /// The value, which must be there.
    ///
    /// # Errors
    /// Where it is not.
    pub fn required(&self, name: &str) -> Result<&'a Value, FieldError> {
        self.get(name).ok_or_else(|| missing(name))
    }

    /// A list of texts or bytes; one alone may stand without a list.
    ///
    /// # Errors
    /// Where the value is something else.
    pub fn strings_of(&self, name: &str) -> Result<Option<Vec<&'a Value>>, FieldError> {
        let is_string = |value: &Value| matches!(value, Value::Text(_) | Value::Bytes(_));
        self.read(name, "string array", |value| match value {
            Value::List(items) if items.iter().all(is_string) => Some(items.iter().collect()),
            single if is_string(single) => Some(vec![single]),
            _ => None,
        })
    }

    /// A list of names of messages; one alone may stand without a list.
    ///
    /// # Errors
    /// Where it is missing, empty or holds anything but names.
    pub fn names(&self, name: &str) -> Result<Vec<MessageName>, FieldError> {
        let read = |value: &&Value| {
            let text = value.as_text().unwrap_or_default();
            text.parse().map_err(|_| FieldError(format!("invalid message hash: {text}")))
        };
        self.some_strings(name)?.iter().map(read).collect()
    }

    /// A list of texts or bytes that is there and not empty.
    ///
    /// # Errors
    /// Where it is not, or is something else.
    pub fn some_strings(&self, name: &str) -> Result<Vec<&'a Value>, FieldError> {
        let values = self.strings_of(name)?.ok_or_else(|| missing(name))?;
        if values.is_empty() {
            return Err(FieldError(format!("{name} does not contain any message hashes")));
        }
        Ok(values)
    }

    fn read<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, FieldError> {
        self.get(name)
            .map(|value| read(value).ok_or_else(|| wrong_type(name, expected)))
            .transpose()
    }
}

/// The error for a parameter that must be there and is not.
pub fn missing(name: &str) -> FieldError {
    FieldError(format!("Required field '{name}' missing"))
}

fn unreadable(name: &str, text: &str) -> FieldError {
    let quoted = serde_json::Value::from(text);
    FieldError(format!("Invalid value given for '{name}': {quoted}"))
}

fn since_1970(time: i64) -> Millis {
    u64::try_from(time).unwrap_or(0)
}

fn wrong_type(name: &str, expected: &str) -> FieldError {
    FieldError(format!("Invalid value given for '{name}': expected {expected}"))
}

fn read_account(value: &Value) -> Option<AccountId> {
    match value {
        Value::Bytes(bytes) if bytes.len() == 33 => AccountId::from_bytes(bytes).ok(),
        value => value.as_text()?.parse().ok(),
    }
}
