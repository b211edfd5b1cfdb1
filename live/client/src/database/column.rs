//! How ids, hashes, times and secrets lie in columns.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use warren_crypto::{Secret, SecretBytes};
use warren_lock::tripwire::SetId;
use warren_wire::{AccountId, MessageHash, Millis, NodeId};

/// A value of ours in a column, or from one.
pub(super) struct Col<T>(pub(super) T);

fn blob(bytes: &[u8]) -> rusqlite::Result<ToSqlOutput<'_>> {
    Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes)))
}

fn array<const N: usize>(value: ValueRef<'_>) -> FromSqlResult<[u8; N]> {
    value.as_blob()?.try_into().map_err(|_| FromSqlError::InvalidType)
}

impl ToSql for Col<&AccountId> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        blob(self.0.as_bytes())
    }
}

impl FromSql for Col<AccountId> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let id = AccountId::from_bytes(value.as_blob()?);
        id.map(Self).map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

impl ToSql for Col<&NodeId> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        blob(self.0.as_bytes())
    }
}

impl FromSql for Col<NodeId> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        array(value).map(NodeId::from_bytes).map(Self)
    }
}

impl ToSql for Col<&MessageHash> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        blob(self.0.as_bytes())
    }
}

impl FromSql for Col<MessageHash> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        array(value).map(MessageHash::from_bytes).map(Self)
    }
}

impl ToSql for Col<&Secret<32>> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        blob(self.0.expose())
    }
}

impl FromSql for Col<Secret<32>> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let secret = Secret::from_slice(value.as_blob()?);
        secret.map(Self).ok_or(FromSqlError::InvalidType)
    }
}

/// A second copy of secret bytes; such a copy is a decision.
pub(super) fn second(bytes: &SecretBytes) -> SecretBytes {
    SecretBytes::take(bytes.expose().to_vec())
}

impl ToSql for Col<&SetId> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        blob(&self.0.0)
    }
}

impl FromSql for Col<SetId> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        array(value).map(SetId).map(Self)
    }
}

/// A time from a peer may be any 64 bits; beyond the year 292 million it is cut to that year.
impl ToSql for Col<Millis> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(i64::try_from(self.0).unwrap_or(i64::MAX)))
    }
}

impl FromSql for Col<Millis> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number).map(Self).map_err(|_| FromSqlError::OutOfRange(number))
    }
}
