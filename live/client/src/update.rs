//! Whether there is a newer release: a signed manifest, asked for when a person says so and never else.
//!
//! The manifest is JSON, signed by minisign (decision 0016). A right signature is not enough: an old
//! manifest has one too. It names the time until which it may be believed, so that a place that serves an
//! old one for ever is found out (freeze), and a number that grows, so that one older than what this
//! device has seen is refused (rollback).

use serde::{Deserialize, Serialize};
use warren_crypto::minisign::ReleaseKey;
use warren_message::attachment::url::FileUrl;
use warren_onion::ServerRequest;
use warren_wire::Millis;
use warren_wire::limits::DAY;

use crate::attachments::server::Asker;
use crate::attachments::{AttachmentError, FileServer};
use crate::device::Device;
use crate::error::ClientError;
use crate::messenger::Messenger;

/// The most bytes of a manifest, and of its signature.
pub const MOST_BYTES: usize = 64 * 1024;
/// How much later than this device's clock a manifest may have been made.
const SLACK: Millis = DAY;
/// The longest time that a manifest may ask to be believed.
const LONGEST: Millis = 180 * DAY;
/// What a manifest is of.
const PROGRAM: &str = "warren";

/// Why a manifest is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// This build has no key to check with.
    #[error(
        "this build of Warren names no release key, so nothing could be believed: it was built from source"
    )]
    NoKey,
    /// The signature.
    #[error("the manifest is not signed by the release key: do not install what it came with")]
    Signature,
    /// It is signed, and no manifest of this program.
    #[error("the signed file is no release manifest of this version of Warren")]
    Malformed,
    /// It may not be believed any more.
    #[error(
        "the manifest has expired: whoever served it may be hiding newer releases. Ask at another place, \
         and check this device's clock"
    )]
    Expired,
    /// It comes from the future.
    #[error("the manifest was made after the time this device's clock shows: set the clock")]
    Clock,
    /// It is older than one that this device has seen.
    #[error(
        "the manifest is number {number}, and this device has seen number {seen}: whoever served it is \
         hiding newer releases. Ask at another place"
    )]
    Rollback {
        /// The manifest's.
        number: u64,
        /// The newest that was seen.
        seen: u64,
    },
}

/// A release, as its manifest tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `warren`.
    pub program: String,
    /// The release's version: three numbers with dots.
    pub version: String,
    /// Grows with every manifest.
    pub number: u64,
    /// When it was made.
    pub issued: Millis,
    /// Until when it may be believed.
    pub expires: Millis,
    /// What to install.
    pub files: Vec<ReleaseFile>,
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseFile {
    /// What it is for: `linux-x86_64`.
    pub platform: String,
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// Reads a manifest that `key` signed, and that may be believed at `now` on a device that has seen
    /// number `seen`.
    ///
    /// # Errors
    /// Where it may not be believed, for the reason that says most.
    pub fn check(
        content: &[u8],
        signature: &str,
        key: &ReleaseKey,
        now: Millis,
        seen: u64,
    ) -> Result<Self, UpdateError> {
        // Nothing of it is read before.
        key.verify(content, signature).map_err(|_| UpdateError::Signature)?;
        let manifest: Self = serde_json::from_slice(content).map_err(|_| UpdateError::Malformed)?;
        let Self { issued, expires, number, .. } = manifest;
        let life = expires.checked_sub(issued);
        let is_sound = manifest.program == PROGRAM
            && version(&manifest.version).is_some()
            && life.is_some_and(|life| life <= LONGEST)
            && manifest.files.iter().all(ReleaseFile::is_sound);
        if !is_sound {
            return Err(UpdateError::Malformed);
        }
        if issued > now.saturating_add(SLACK) {
            return Err(UpdateError::Clock);
        }
        if number < seen {
            return Err(UpdateError::Rollback { number, seen });
        }
        if expires <= now {
            return Err(UpdateError::Expired);
        }
        Ok(manifest)
    }

    /// Whether it is newer than `running`; `None` where that is no version.
    pub fn is_newer_than(&self, running: &str) -> Option<bool> {
        Some(version(&self.version)? > version(running)?)
    }

    /// The file for a platform.
    pub fn file_for(&self, platform: &str) -> Option<&ReleaseFile> {
        self.files.iter().find(|file| file.platform == platform)
    }
}

impl ReleaseFile {
    fn is_sound(&self) -> bool {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let is_name = |text: &str| !text.is_empty() && text.bytes().all(is_plain);
        let is_digest =
            self.sha256.len() == 64 && self.sha256.bytes().all(|b| b.is_ascii_hexdigit());
        is_name(&self.platform) && is_name(&self.name) && is_digest
    }
}

fn version(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split('.').map(str::parse);
    let version = [parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?];
    parts.next().is_none().then_some(version)
}

impl Messenger {
    /// Fetches a small public file from a file server, through the onion. The server learns which file
    /// and neither who asks nor with what: the request has no headers.
    ///
    /// # Errors
    /// Where the address names no server with a key, no answer comes, or it is larger than
    /// [`MOST_BYTES`].
    pub async fn fetch_public(&self, url: &FileUrl) -> Result<Vec<u8>, ClientError> {
        let server = FileServer::of_url(url)?;
        let request = ServerRequest {
            method: "GET".to_owned(),
            endpoint: format!("/file/{}", url.id()),
            headers: Vec::new(),
            body: Vec::new(),
        };
        let answer = self.network.ask_server(&server.onion(), &request, MOST_BYTES).await?;
        if answer.code != 200 || answer.body.len() > MOST_BYTES {
            let why = format!("the server has no such file (status {})", answer.code);
            return Err(ClientError::NoAnswer(why));
        }
        Ok(answer.body)
    }
}

impl Messenger {
    /// Puts a small file at a node that keeps files, as it is: whoever has its address reads it. Gives the
    /// address.
    ///
    /// # Errors
    /// Where no node keeps files, or none answers.
    pub async fn publish_public(
        &self,
        content: Vec<u8>,
        ttl_seconds: u64,
    ) -> Result<FileUrl, ClientError> {
        let node = self.network.file_node().await?.ok_or(AttachmentError::NoServer)?;
        let server = FileServer::of_node(&node);
        let id = Asker::new(&self.network, &server).store(content, ttl_seconds).await?;
        Ok(server.url_of(&id).ok_or(AttachmentError::Nonsense)?)
    }
}

impl Device {
    /// As [`Manifest::check`], against the newest manifest this device has seen, and remembers it.
    ///
    /// # Errors
    /// Where it may not be believed or the database fails.
    pub fn check_release(
        &mut self,
        content: &[u8],
        signature: &str,
        key: &ReleaseKey,
        now: Millis,
    ) -> Result<Manifest, ClientError> {
        let seen = self.index().seen_release()?;
        let manifest = Manifest::check(content, signature, key, now, seen)?;
        self.index().set_seen_release(manifest.number)?;
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by minisign 0.11: number 7, issued in June 2025, good for 90 days.
    const CONTENT: &[u8] = include_bytes!("../../../spec/vectors/update/manifest.json");
    const SIGNATURE: &str = include_str!("../../../spec/vectors/update/manifest.json.minisig");
    const OTHER: &str = include_str!("../../../spec/vectors/update/stranger.minisig");
    const ISSUED: Millis = 1_750_000_000_000;
    const EXPIRES: Millis = 1_757_776_000_000;

    fn check(
        content: &[u8],
        signature: &str,
        now: Millis,
        seen: u64,
    ) -> Result<Manifest, UpdateError> {
        let key = include_str!("../../../spec/vectors/update/release.pub");
        Manifest::check(content, signature, &ReleaseKey::parse(key).unwrap(), now, seen)
    }

    #[test]
    fn a_right_manifest_is_believed_and_compared() {
        let manifest = check(CONTENT, SIGNATURE, ISSUED + 1, 7).unwrap();
        assert_eq!(manifest.is_newer_than("0.1.9"), Some(true));
        assert_eq!(manifest.is_newer_than("0.2.0"), Some(false));
        assert_eq!(manifest.is_newer_than("0.10.0"), Some(false));
        assert_eq!(manifest.is_newer_than("1.0"), None);
        assert_eq!(manifest.file_for("linux-x86_64").unwrap().size, 31_457_280);
        assert_eq!(manifest.file_for("plan9"), None);
    }

    #[test]
    fn a_wrong_signature_or_a_cut_file_is_refused_before_it_is_read() {
        assert_eq!(check(CONTENT, OTHER, ISSUED, 0), Err(UpdateError::Signature));
        for cut in [0, 1, CONTENT.len() / 2, CONTENT.len() - 1] {
            assert_eq!(check(&CONTENT[..cut], SIGNATURE, ISSUED, 0), Err(UpdateError::Signature));
        }
        assert_eq!(check(CONTENT, "", ISSUED, 0), Err(UpdateError::Signature));
    }

    #[test]
    fn rollback_freeze_and_the_future_are_refused_each_by_name() {
        let rollback = UpdateError::Rollback { number: 7, seen: 8 };
        assert_eq!(check(CONTENT, SIGNATURE, ISSUED, 8), Err(rollback));
        assert_eq!(check(CONTENT, SIGNATURE, EXPIRES, 7), Err(UpdateError::Expired));
        assert!(check(CONTENT, SIGNATURE, EXPIRES - 1, 7).is_ok());
        assert_eq!(check(CONTENT, SIGNATURE, ISSUED - 2 * DAY, 7), Err(UpdateError::Clock));
    }

    #[test]
    fn a_device_remembers_the_newest_manifest_it_has_seen() {
        let home = tempfile::tempdir().unwrap();
        let cost = crate::vault::Cost::LEAST;
        let mut device = Device::create(home.path(), "a passphrase", cost).unwrap();
        let key =
            ReleaseKey::parse(include_str!("../../../spec/vectors/update/release.pub")).unwrap();
        assert_eq!(device.index().seen_release().unwrap(), 0);
        device.check_release(CONTENT, SIGNATURE, &key, ISSUED).unwrap();
        assert_eq!(device.index().seen_release().unwrap(), 7);
        device.index().set_seen_release(9).unwrap();
        drop(device);
        let mut device = Device::unlock(home.path(), "a passphrase").unwrap();
        let refused = device.check_release(CONTENT, SIGNATURE, &key, ISSUED).unwrap_err();
        assert_eq!(refused.code(), "update_rollback");
    }
}
