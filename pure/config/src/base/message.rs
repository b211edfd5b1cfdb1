//! One configuration message: the whole state, and what the last few messages changed.
//!
//! ```text
//! d 1:# seqno   1:& data   1:< [[seqno, hash32, diff] of the messages before]   1:= this diff
//!   1:~ signature64 (groups only, over all bytes before it)   e
//! hash = BLAKE2b-32 of all of it, the signature included
//! ```
//!
//! Keys that stand between these and are not known are kept (wire spec, section 2).

use std::collections::BTreeMap;

use warren_crypto::CryptoError;
use warren_crypto::ed25519::{SIGNATURE_BYTES, SigningKey, VerifyingKey};
use warren_crypto::hash::blake2b;

use super::bt::{self, Bt, BtError};
use super::diff::{self, Diff};
use super::tree::{Dict, prune};

/// How many messages' changes a message carries, its own among them.
pub(crate) const LAG: i64 = 5;

/// No sequence number that a device counts up to comes near; beyond it sums would overflow.
const MAX_SEQNO: i64 = i64::MAX / 2;

/// Before the 64 bytes of a signature, and the end of the dictionary behind them.
const SIGNATURE_LABEL: &[u8] = b"1:~64:";

/// BLAKE2b-32 of a message.
pub(crate) type Hash = [u8; 32];

/// The changes of earlier messages, by their sequence number and hash.
pub(crate) type Lagged = BTreeMap<(i64, Hash), Diff>;

/// Why bytes are no configuration message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Not bencode, or a value of it is of the wrong kind.
    #[error(transparent)]
    Malformed(#[from] BtError),
    /// A signature is required and there is none, or it is not by the right key.
    #[error("the signature is missing or is not the group's")]
    Signature,
    /// The library refused to hash or sign.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// What to make of a signature.
#[derive(Clone, Copy)]
pub(crate) enum Trust {
    /// There need be none, and none is kept.
    Unsigned,
    /// One by this key is required.
    Signed(VerifyingKey),
    /// Whatever there is was checked before it was stored here.
    Own,
}

/// A configuration message, read or in the making.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) seqno: i64,
    pub(crate) hash: Hash,
    pub(crate) data: Dict,
    pub(crate) diff: Diff,
    pub(crate) lagged: Lagged,
    /// Unknown top-level keys and their encoded values.
    unknown: BTreeMap<Vec<u8>, Vec<u8>>,
    signature: Option<[u8; SIGNATURE_BYTES]>,
    /// What `diff` starts from, where the data may still change.
    base: Option<Dict>,
}

impl Message {
    /// The message before the first.
    pub(crate) fn empty() -> Result<Self, MessageError> {
        let mut message = Self::merged(0, Dict::new(), Lagged::new());
        message.hash = blake2b(&[&message.write(None)?])?;
        Ok(message)
    }

    /// A message that nobody sent yet; its hash is not computed.
    pub(crate) fn merged(seqno: i64, data: Dict, lagged: Lagged) -> Self {
        let (diff, unknown) = (Diff::new(), BTreeMap::new());
        Self { seqno, hash: [0; 32], data, diff, lagged, unknown, signature: None, base: None }
    }

    /// Reads a message.
    pub(crate) fn read(bytes: &[u8], trust: Trust) -> Result<Self, MessageError> {
        if let Trust::Signed(key) = trust {
            let (signed, signature) = split_signature(bytes).ok_or(MessageError::Signature)?;
            key.verify(signed, signature).map_err(|_| MessageError::Signature)?;
        }
        let top = Bt::read(bytes)?;
        let mut message = Self::read_parts(top.dict()?)?;
        message.hash = blake2b(&[bytes])?;
        match trust {
            Trust::Unsigned => message.signature = None,
            Trust::Signed(_) if message.signature.is_none() => return Err(MessageError::Signature),
            Trust::Signed(_) | Trust::Own => {}
        }
        Ok(message)
    }

    fn read_parts(pairs: &[(&[u8], Bt<'_>)]) -> Result<Self, MessageError> {
        let Some(((b"#", seqno), rest)) = pairs.split_first() else { return Err(BtError.into()) };
        let seqno = seqno.integer()?;
        if seqno.unsigned_abs() > MAX_SEQNO.unsigned_abs() {
            return Err(BtError.into());
        }
        let mut message = Self::merged(seqno, Dict::new(), Lagged::new());
        let mut has_data = false;
        let mut has_end = false;
        for (key, value) in rest {
            has_end |= *key >= b"=".as_slice();
            match *key {
                b"&" => {
                    message.data = bt::read_tree(value.dict()?)?;
                    has_data = true;
                }
                b"<" => message.lagged = read_lagged(value.list()?, seqno)?,
                b"=" => message.diff = diff::read(value)?,
                b"~" => {
                    message.signature = Some(value.bytes()?.try_into().map_err(|_| BtError)?);
                }
                key if key > b"~".as_slice() => return Err(BtError.into()),
                key => {
                    let mut raw = Vec::new();
                    value.write(&mut raw);
                    message.unknown.insert(key.to_vec(), raw);
                }
            }
        }
        if has_data && has_end { Ok(message) } else { Err(BtError.into()) }
    }

    /// Lets the data change, the diff counting from `base`.
    pub(crate) fn into_changing(mut self, base: Dict) -> Self {
        self.base = Some(base);
        self
    }

    /// What the diff counts from, where the data may still change.
    pub(crate) const fn base(&self) -> Option<&Dict> {
        self.base.as_ref()
    }

    /// Hashes what [`Message::write`] writes.
    pub(crate) fn rehash(&mut self, signer: Option<&SigningKey>) -> Result<(), MessageError> {
        self.hash = blake2b(&[&self.write(signer)?])?;
        Ok(())
    }

    /// Brings diff and hash up to date where the data may have changed.
    pub(crate) fn settle(&mut self, signer: Option<&SigningKey>) -> Result<(), MessageError> {
        if self.base.is_some() { self.rehash(signer) } else { Ok(()) }
    }

    /// The message that follows this one, its data free to change.
    pub(crate) fn next(mut self, signer: Option<&SigningKey>) -> Result<Self, MessageError> {
        self.settle(signer)?;
        let seqno = self.seqno;
        let mut lagged = self.lagged;
        lagged.retain(|(lag, _), _| *lag > seqno - LAG && *lag < seqno);
        lagged.insert((seqno, self.hash), self.diff);
        Ok(Self {
            seqno: seqno + 1,
            hash: [0; 32],
            base: Some(self.data.clone()),
            data: self.data,
            diff: Diff::new(),
            lagged,
            unknown: self.unknown,
            signature: None,
        })
    }

    /// Whether the signature of whoever made the message is known.
    pub(crate) const fn is_signed(&self) -> bool {
        self.signature.is_some()
    }

    /// Writes the message, with the signature it came with or one by `signer`.
    ///
    /// A message that may still change is pruned first and its diff made anew.
    pub(crate) fn write(&mut self, signer: Option<&SigningKey>) -> Result<Vec<u8>, MessageError> {
        if let Some(base) = &self.base {
            self.signature = None;
            prune(&mut self.data);
            self.diff = diff::between(base, &self.data);
        }
        let mut out = b"d1:#".to_vec();
        bt::write_integer(&mut out, self.seqno);
        self.write_unknown(&mut out, b"#", b"&");
        bt::write_bytes(&mut out, b"&");
        bt::write_tree(&mut out, &self.data);
        self.write_unknown(&mut out, b"&", b"<");
        bt::write_bytes(&mut out, b"<");
        self.write_lagged(&mut out);
        self.write_unknown(&mut out, b"<", b"=");
        bt::write_bytes(&mut out, b"=");
        diff::write(&mut out, &self.diff);
        self.write_unknown(&mut out, b"=", b"~");
        let signature = match (&self.signature, signer) {
            (Some(signature), _) => Some(*signature),
            (None, Some(signer)) => Some(signer.sign(&out)?),
            (None, None) => None,
        };
        if let Some(signature) = signature {
            out.extend_from_slice(SIGNATURE_LABEL);
            out.extend_from_slice(&signature);
        }
        out.push(b'e');
        Ok(out)
    }

    fn write_unknown(&self, out: &mut Vec<u8>, after: &[u8], before: &[u8]) {
        for (key, raw) in &self.unknown {
            if key.as_slice() > after && key.as_slice() < before {
                bt::write_bytes(out, key);
                out.extend_from_slice(raw);
            }
        }
    }

    fn write_lagged(&self, out: &mut Vec<u8>) {
        out.push(b'l');
        for ((seqno, hash), diff) in &self.lagged {
            if *seqno > self.seqno - LAG && *seqno < self.seqno {
                out.push(b'l');
                bt::write_integer(out, *seqno);
                bt::write_bytes(out, hash);
                diff::write(out, diff);
                out.push(b'e');
            }
        }
        out.push(b'e');
    }
}

/// What is signed, and the signature, of a message that ends in one.
fn split_signature(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = bytes.strip_suffix(b"e")?;
    let at = body.len().checked_sub(SIGNATURE_BYTES)?;
    let (head, signature) = body.split_at_checked(at)?;
    Some((head.strip_suffix(SIGNATURE_LABEL)?, signature))
}

/// Reads the changes of earlier messages, without those that are too old to matter.
fn read_lagged(items: &[Bt<'_>], seqno: i64) -> Result<Lagged, BtError> {
    let mut lagged = Lagged::new();
    for item in items {
        let [lag, hash, diff] = item.list()? else { return Err(BtError) };
        let lag = lag.integer()?;
        if lag >= seqno {
            return Err(BtError);
        }
        if lag <= seqno - LAG {
            continue;
        }
        let at = (lag, hash.bytes()?.try_into().map_err(|_| BtError)?);
        if lagged.last_key_value().is_some_and(|(last, _)| *last >= at) {
            return Err(BtError);
        }
        lagged.insert(at, diff::read(diff)?);
    }
    Ok(lagged)
}
