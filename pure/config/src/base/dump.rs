//! A configuration on this device's disk, in the form that other clients use too.
//!
//! ```text
//! d 1:! state (0 clean, 1 dirty, 2 waiting)   1:$ message   1:( [current hashes]
//!   1:) [obsolete hashes]   1:* {parts that wait}   1:+ {what the kind keeps here}
//!   1:- {the data before the changes}, of ours alone   e
//! ```
//!
//! In old dumps `(` is one text, and `*` and `+` are missing.

use std::collections::BTreeSet;

use warren_wire::Millis;

use super::bt::{self, Bt, BtError};
use super::config::{Config, ConfigError, Kind, Signing, State};
use super::message::{Message, MessageError, Trust};
use super::parts::Parts;

impl Config {
    /// Writes the state, to be kept encrypted at rest, for it holds names and keys in the clear.
    ///
    /// # Errors
    /// Where the library refuses to hash.
    pub fn dump(&mut self, now: Millis) -> Result<Vec<u8>, ConfigError> {
        if self.is_read_only() {
            self.old.clear();
        }
        self.parts.expire(now);
        let message = self.message.write(None)?;
        let mut out = b"d1:!".to_vec();
        bt::write_integer(
            &mut out,
            match self.state {
                State::Clean => 0,
                State::Dirty => 1,
                State::Waiting => 2,
            },
        );
        bt::write_bytes(&mut out, b"$");
        bt::write_bytes(&mut out, &message);
        bt::write_bytes(&mut out, b"(");
        bt::write_texts(&mut out, &self.current);
        bt::write_bytes(&mut out, b")");
        bt::write_texts(&mut out, &self.old);
        bt::write_bytes(&mut out, b"*");
        self.parts.dump(&mut out, now);
        bt::write_bytes(&mut out, b"+");
        out.extend_from_slice(&self.extra);
        out.push(b'e');
        self.needs_dump = false;
        Ok(out)
    }

    /// Adds to a dump what a changed configuration started from, so that [`Config::load`] goes on
    /// changing the same message: for a device that reads and writes its state at every change. Other
    /// clients pass the addition over.
    ///
    /// ```text
    /// 1:- {the data before the changes}
    /// ```
    pub(crate) fn with_base(&self, mut dump: Vec<u8>) -> Vec<u8> {
        let base = self.message.base().filter(|_| self.state == State::Dirty);
        if let (Some(base), Some(b'e')) = (base, dump.last()) {
            dump.pop();
            bt::write_bytes(&mut dump, b"-");
            bt::write_tree(&mut dump, base);
            dump.push(b'e');
        }
        dump
    }

    /// Reads what [`Config::dump`] wrote. A changed configuration gets the next sequence number, in
    /// case the last one was stored after all, unless the dump holds what it started from.
    ///
    /// # Errors
    /// [`ConfigError::Damaged`] where the bytes are none of ours.
    pub fn load(
        kind: Kind,
        signing: Signing,
        dump: &[u8],
        now: Millis,
    ) -> Result<Self, ConfigError> {
        let dump = Bt::read(dump).map_err(damaged)?;
        let mut config = Self::new(kind, signing)?;
        config.state = match field(&dump, b"!")?.integer().map_err(damaged)? {
            0 => State::Clean,
            1 => State::Dirty,
            2 => State::Waiting,
            _ => return Err(damaged(BtError)),
        };
        let bytes = field(&dump, b"$")?.bytes().map_err(damaged)?;
        let mut message = Message::read(bytes, Trust::Own)?;
        if config.state == State::Dirty {
            message = match dump.get(b"-") {
                Some(base) => {
                    let base = base.dict().and_then(bt::read_tree).map_err(damaged)?;
                    message.into_changing(base)
                }
                None => message.next(None)?,
            };
        } else if message.seqno > 0 && !message.is_signed() && config.signing.signer().is_some() {
            message.rehash(config.signing.signer())?;
        }
        config.message = message;
        match dump.get(b"(") {
            Some(Bt::Bytes(b"")) | None => {}
            Some(hash @ Bt::Bytes(_)) => {
                config.current.insert(text(hash)?);
            }
            Some(hashes) => config.current = texts(hashes)?,
        }
        if let Some(hashes) = dump.get(b")") {
            config.old = texts(hashes)?;
        }
        if let Some(parts) = dump.get(b"*") {
            config.parts = Parts::load(parts, now).map_err(damaged)?;
        }
        if let Some(extra @ Bt::Dict(_)) = dump.get(b"+") {
            config.extra.clear();
            extra.write(&mut config.extra);
        }
        Ok(config)
    }
}

fn damaged(error: BtError) -> ConfigError {
    ConfigError::Damaged(MessageError::Malformed(error))
}

fn field<'d, 'a>(dump: &'d Bt<'a>, key: &[u8]) -> Result<&'d Bt<'a>, ConfigError> {
    dump.get(key).ok_or(damaged(BtError))
}

fn text(value: &Bt<'_>) -> Result<String, ConfigError> {
    let bytes = value.bytes().map_err(damaged)?.to_vec();
    String::from_utf8(bytes).map_err(|_| damaged(BtError))
}

fn texts(value: &Bt<'_>) -> Result<BTreeSet<String>, ConfigError> {
    value.list().map_err(damaged)?.iter().map(text).collect()
}
