//! One entry of a configuration, its fields written by what they mean.

use crate::base::tree::{Scalar, Set, Value};
use crate::base::{Config, ConfigError};
use crate::values::{ProfilePicture, Seconds};

/// The entry at the end of a path.
pub(crate) struct Entry<'a> {
    config: &'a mut Config,
    path: Vec<&'a [u8]>,
}

type Done = Result<(), ConfigError>;

impl<'a> Entry<'a> {
    pub(crate) fn new(config: &'a mut Config, path: &[&'a [u8]]) -> Self {
        Self { config, path: path.to_vec() }
    }

    /// Writes a value, or removes the field.
    pub(crate) fn put(&mut self, key: &'a [u8], value: Option<Value>) -> Done {
        self.path.push(key);
        let done = match value {
            Some(value) => self.config.set(&self.path, value),
            None => self.config.erase(&self.path),
        };
        self.path.pop();
        done
    }

    /// Writes 1, or removes the field.
    pub(crate) fn flag(&mut self, key: &'a [u8], set: bool) -> Done {
        self.put(key, set.then(|| 1.into()))
    }

    /// Writes a number, or removes the field where it is 0.
    pub(crate) fn number(&mut self, key: &'a [u8], number: i64) -> Done {
        self.put(key, (number != 0).then(|| number.into()))
    }

    /// Writes a number of seconds, or removes the field where it is 0.
    pub(crate) fn seconds(&mut self, key: &'a [u8], seconds: Seconds) -> Done {
        self.number(key, i64::try_from(seconds).map_err(|_| ConfigError::Value)?)
    }

    /// Writes a text, or removes the field where it is empty.
    pub(crate) fn text(&mut self, key: &'a [u8], text: &str) -> Done {
        self.put(key, (!text.is_empty()).then(|| text.into()))
    }

    /// Writes a picture under `p` and `q`, or removes both.
    pub(crate) fn picture(&mut self, picture: Option<&ProfilePicture>) -> Done {
        self.put(b"p", picture.map(|picture| picture.url.as_str().into()))?;
        self.put(b"q", picture.map(|picture| picture.key.expose().as_slice().into()))
    }

    /// Writes bits as the set of their positions; what else is in the set stays.
    pub(crate) fn bits(&mut self, key: &'a [u8], bits: u64) -> Done {
        self.path.push(key);
        let mut set = self.config.get(&self.path).and_then(Value::as_set).cloned();
        let members = set.get_or_insert_with(Set::new);
        for at in 0..64 {
            let member = Scalar::Integer(at);
            if bits >> at & 1 == 1 {
                members.insert(member);
            } else {
                members.remove(&member);
            }
        }
        let done = self.config.set(&self.path, Value::Set(set.unwrap_or_default()));
        self.path.pop();
        done
    }
}
