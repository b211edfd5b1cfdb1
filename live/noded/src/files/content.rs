//! The bytes of files: objects in a folder or on S3, written once and never changed.
//!
//! A file is one object of several parts, `AB/ABCD.../OFFSET`, where the first two hexadecimal digits
//! of the object's name make a folder. Which object is which file stands in the index alone, so that
//! content becomes a file by one transaction there, on every kind of storage alike.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Bytes;
use futures_util::{Stream, TryStreamExt};
use opendal::layers::{RetryLayer, TimeoutLayer};
use opendal::services::{Fs, S3};
use opendal::{ErrorKind, Operator};
use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random;

use super::error::FilesError;
use super::options::FilesOptions;

/// How long the storage may take to begin an answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often a request to S3 that failed for a moment is made again.
const RETRIES: usize = 4;

/// The name of an object: random, so that nobody guesses it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName([u8; 16]);

impl ObjectName {
    /// A new name.
    pub(super) fn new() -> Self {
        Self(random(&mut SystemEntropy))
    }

    pub(super) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads 32 lower-case hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = hex::decode(text).ok()?.try_into().ok().map(Self)?;
        (bytes.to_string() == text).then_some(bytes)
    }

    fn folder(self) -> String {
        let name = self.to_string();
        format!("{}/{name}/", name.get(..2).unwrap_or_default())
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Where content is kept.
#[derive(Clone)]
pub(super) struct Content {
    operator: Operator,
    /// The folder, where it is one of this machine's.
    folder: Option<PathBuf>,
}

impl Content {
    /// Opens a folder, which is made, or a bucket, which must exist.
    pub(super) async fn open(options: &FilesOptions) -> Result<Self, FilesError> {
        match options.store.strip_prefix("s3://") {
            Some(bucket) => Self::bucket(bucket, options).await,
            None if options.store.is_empty() => Err(FilesError::Setting(
                "say where files go: files.store = \"FOLDER\" or \"s3://BUCKET\"".to_owned(),
            )),
            None => Self::folder(Path::new(&options.store)),
        }
    }

    fn folder(folder: &Path) -> Result<Self, FilesError> {
        crate::private_file::create_folder(folder)?;
        let root = folder.to_str().ok_or_else(|| {
            FilesError::Setting(format!("the folder {} is not UTF-8", folder.display()))
        })?;
        let operator = Operator::new(Fs::default().root(root))?;
        Ok(Self { operator, folder: Some(folder.to_owned()) })
    }

    async fn bucket(address: &str, options: &FilesOptions) -> Result<Self, FilesError> {
        // Names the client for HTTP; said twice it does nothing.
        opendal::install_default();
        let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
        let mut service = S3::default()
            .bucket(bucket)
            .root(&format!("/{prefix}"))
            .region(&options.s3_region)
            .disable_ec2_metadata();
        if let Some(endpoint) = &options.s3_endpoint {
            service = service.endpoint(endpoint);
        }
        let operator = Operator::new(service)?
            .layer(TimeoutLayer::new().with_timeout(TIMEOUT).with_io_timeout(TIMEOUT))
            .layer(RetryLayer::new().with_max_times(RETRIES).with_jitter());
        operator.check().await?;
        Ok(Self { operator, folder: None })
    }

    /// Keeps one part of an object, durably.
    pub(super) async fn write(
        &self,
        object: ObjectName,
        offset: u64,
        part: Bytes,
    ) -> Result<(), FilesError> {
        self.operator.write(&part_path(object, offset), part).await?;
        let Some(root) = self.folder.clone() else { return Ok(()) };
        // The file is durable; the entries of the folders that lead to it are to be, too.
        let folder = root.join(object.folder());
        let sync = move || {
            let above = folder.parent().unwrap_or(&root);
            [&folder, above, &root].into_iter().try_for_each(sync_folder)
        };
        tokio::task::spawn_blocking(sync).await.map_err(|_| FilesError::Internal)??;
        Ok(())
    }

    /// Reads bytes of one part, counted from the part's beginning.
    pub(super) async fn read(
        &self,
        object: ObjectName,
        offset: u64,
        range: Range<u64>,
    ) -> Result<impl Stream<Item = Result<Bytes, FilesError>> + Send + 'static + use<>, FilesError>
    {
        let reader = self.operator.reader(&part_path(object, offset)).await?;
        let bytes = reader.into_bytes_stream(range).await?;
        Ok(bytes.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FilesError::NotFound,
            _ => FilesError::Folder(error),
        }))
    }

    /// Whether the first part of an object is there.
    pub(super) async fn has(&self, object: ObjectName) -> Result<bool, FilesError> {
        Ok(self.operator.exists(&part_path(object, 0)).await?)
    }

    /// Removes an object with all its parts; one that is not there is none too many.
    pub(super) async fn remove(&self, object: ObjectName) -> Result<(), FilesError> {
        let removed = self.operator.delete_with(&object.folder()).recursive(true).await;
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// How many bytes the folder's file system has room for; `None` for S3.
    pub(super) fn free_bytes(&self) -> Option<u64> {
        let status = rustix::fs::statvfs(self.folder.as_ref()?).ok()?;
        Some(status.f_bavail.saturating_mul(status.f_frsize))
    }
}

fn part_path(object: ObjectName, offset: u64) -> String {
    format!("{}{offset:016x}", object.folder())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
