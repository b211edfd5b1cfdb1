//! What an operator may set about files.

use serde::{Deserialize, Serialize};
use warren_node::files::Lifetimes;
use warren_wire::limits::SECOND;

const MIB: u64 = 1024 * 1024;
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// How a node keeps files. All but `store` has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilesOptions {
    /// Where content goes: a folder, or `s3://BUCKET/PREFIX`.
    pub store: String,
    /// The S3 service's URL; AWS where absent. Keys come from the environment, as for AWS's tools.
    pub s3_endpoint: Option<String>,
    /// The S3 region.
    pub s3_region: String,
    /// The largest file, in bytes.
    pub largest_bytes: u64,
    /// How much all files together may take, in bytes.
    pub quota_bytes: u64,
    /// How much of a folder's file system stays free, in bytes.
    pub spare_bytes: u64,
    /// How long a file lives where its client says nothing, in seconds.
    pub default_ttl_seconds: u64,
    /// The longest life that a client may ask for, in seconds.
    pub longest_ttl_seconds: u64,
    /// How long an unfinished upload waits for its next part, in seconds.
    pub upload_ttl_seconds: u64,
    /// The most unfinished uploads.
    pub open_uploads: u64,
    /// How many uploads write at once; each takes 4 MiB of memory.
    pub writers: usize,
    /// How many downloads read at once; each takes 2 MiB of memory.
    pub readers: usize,
}

impl Default for FilesOptions {
    fn default() -> Self {
        Self {
            store: String::new(),
            s3_endpoint: None,
            s3_region: "us-east-1".to_owned(),
            largest_bytes: 100 * MIB,
            quota_bytes: 50 * 1024 * MIB,
            spare_bytes: 1024 * MIB,
            default_ttl_seconds: 21 * DAY_SECONDS,
            longest_ttl_seconds: 30 * DAY_SECONDS,
            upload_ttl_seconds: DAY_SECONDS,
            open_uploads: 10_000,
            writers: 32,
            readers: 128,
        }
    }
}

impl FilesOptions {
    /// The defaults, with content in this place.
    pub fn in_store(store: impl Into<String>) -> Self {
        Self { store: store.into(), ..Self::default() }
    }

    pub(super) const fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            default: self.default_ttl_seconds.saturating_mul(SECOND),
            longest: self.longest_ttl_seconds.saturating_mul(SECOND),
        }
    }
}
