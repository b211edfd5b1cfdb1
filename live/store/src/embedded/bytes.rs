//! Reading the parts of keys and values, front to back.

use warren_wire::{AccountId, MessageHash, Namespace, Stamp};

use crate::StoreError;

/// Bytes that are no key or value of the kind sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} has the wrong shape")]
pub(super) struct BadBytes(pub(super) &'static str);

impl From<BadBytes> for StoreError {
    fn from(error: BadBytes) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// A namespace's number with its sign turned, so that bytes sort as numbers do.
pub(super) fn ordered(namespace: Namespace) -> [u8; 2] {
    (namespace.number().cast_unsigned() ^ 0x8000).to_be_bytes()
}

/// What is left of some bytes, and what they should be.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    pub(super) const fn bad(&self) -> BadBytes {
        BadBytes(self.what)
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], BadBytes> {
        let (first, rest) = self.rest.split_first_chunk().ok_or(BadBytes(self.what))?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn number(&mut self) -> Result<u64, BadBytes> {
        self.take().map(u64::from_be_bytes)
    }

    /// A number of 32 bits that counts what follows.
    pub(super) fn count(&mut self) -> Result<usize, BadBytes> {
        let count = self.take().map(u32::from_be_bytes)?;
        usize::try_from(count).map_err(|_| self.bad())
    }

    pub(super) fn stamp(&mut self) -> Result<Stamp, BadBytes> {
        self.number().map(Stamp)
    }

    pub(super) fn owner(&mut self) -> Result<AccountId, BadBytes> {
        AccountId::from_bytes(&self.take::<33>()?).map_err(|_| self.bad())
    }

    pub(super) fn hash(&mut self) -> Result<MessageHash, BadBytes> {
        self.take().map(MessageHash::from_bytes)
    }

    pub(super) fn namespace(&mut self) -> Result<Namespace, BadBytes> {
        let number = u16::from_be_bytes(self.take()?) ^ 0x8000;
        Ok(Namespace::new(number.cast_signed()))
    }

    /// The next so many bytes.
    pub(super) fn slice(&mut self, len: usize) -> Result<&'a [u8], BadBytes> {
        let (first, rest) = self.rest.split_at_checked(len).ok_or(BadBytes(self.what))?;
        self.rest = rest;
        Ok(first)
    }

    /// All that is left.
    pub(super) const fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub(super) const fn end(self) -> Result<(), BadBytes> {
        if self.rest.is_empty() { Ok(()) } else { Err(BadBytes(self.what)) }
    }
}
