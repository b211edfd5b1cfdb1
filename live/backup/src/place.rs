//! Objects of one archive at a place: written and read back, listed, removed.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt};
use opendal::{Buffer, ErrorKind, Operator};
use warren_archive::{ArchiveKeys, Kind, ObjectName};

use crate::error::BackupError;
use crate::target::Target;

/// How many sizes are asked for at once.
const ASKED_AT_ONCE: usize = 16;

/// Where an archive lies.
#[derive(Debug, Clone)]
pub struct Place {
    operator: Operator,
}

impl Place {
    /// The folder of an archive at a place.
    ///
    /// # Errors
    /// Where the description of the place makes no sense.
    pub fn open(target: &Target, keys: &ArchiveKeys) -> Result<Self, BackupError> {
        Ok(Self { operator: target.operator(&keys.folder())? })
    }

    /// An archive's folder behind an operator of one's own.
    pub const fn of_operator(operator: Operator) -> Self {
        Self { operator }
    }

    /// Writes an object, and reads it back.
    pub(crate) async fn put(
        &self,
        kind: Kind,
        name: &ObjectName,
        sealed: Vec<u8>,
    ) -> Result<(), BackupError> {
        let (path, bytes) = (path(kind, name), Buffer::from(sealed));
        self.operator.write(&path, bytes.clone()).await?;
        let read = self.operator.read(&path).await?;
        if same(&read, &bytes) { Ok(()) } else { Err(BackupError::NotKept(*name)) }
    }

    /// Reads an object; `None` where it is not there.
    pub(crate) async fn get(
        &self,
        kind: Kind,
        name: &ObjectName,
    ) -> Result<Option<Vec<u8>>, BackupError> {
        match self.operator.read(&path(kind, name)).await {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// All objects of a kind with their sizes. What else lies there is passed over.
    pub(crate) async fn list(&self, kind: Kind) -> Result<HashMap<ObjectName, u64>, BackupError> {
        let folder = format!("{}/", kind.folder());
        let entries = match self.operator.lister_with(&folder).recursive(true).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(HashMap::new()),
            entries => entries?,
        };
        let sized = entries.map(async |entry| {
            let entry = match entry {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                entry => entry?,
            };
            let name = entry.path().rsplit('/').next().and_then(ObjectName::parse);
            let Some(name) = name.filter(|_| entry.metadata().is_file()) else { return Ok(None) };
            let size = match entry.metadata().content_length() {
                0 => match self.operator.stat(entry.path()).await {
                    Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                    stat => stat?.content_length(),
                },
                size => size,
            };
            Ok::<_, BackupError>(Some((name, size)))
        });
        let sized = sized.buffer_unordered(ASKED_AT_ONCE);
        sized.try_filter_map(async |found| Ok(found)).try_collect().await
    }

    /// Removes an object; one that is not there is none too many.
    pub(crate) async fn remove(&self, kind: Kind, name: &ObjectName) -> Result<(), BackupError> {
        match self.operator.delete(&path(kind, name)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// `KIND/AB/ABCD...`: not too many in one folder.
fn path(kind: Kind, name: &ObjectName) -> String {
    let name = name.to_string();
    match kind {
        Kind::Pack => format!("{}/{}/{name}", kind.folder(), name.get(..2).unwrap_or_default()),
        _ => format!("{}/{name}", kind.folder()),
    }
}

fn same(left: &Buffer, right: &Buffer) -> bool {
    left.to_bytes() == right.to_bytes()
}
