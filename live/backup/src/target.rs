//! Where an archive lies, with the secrets that it takes.

use std::fmt;
use std::time::Duration;

use opendal::Operator;
use opendal::layers::{RetryLayer, TimeoutLayer};
use opendal::services::{Dropbox, Fs, Gdrive, Onedrive, S3, Webdav};
use serde::{Deserialize, Serialize};

use crate::error::BackupError;

/// How long a place may take to begin an answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long a pack may take on its way: 8 MiB over a line of a hundredth of a megabyte a second.
const IO_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// How often a request that failed for a moment is made again.
const RETRIES: usize = 5;

/// A place. As JSON, the field `type` says which.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// A folder of this machine, such as a disk that is plugged in.
    Folder {
        /// Where.
        path: String,
    },
    /// A bucket of S3, or of what speaks its language.
    S3 {
        /// The bucket, which exists.
        bucket: String,
        /// A folder in it.
        #[serde(default)]
        root: String,
        /// The server's URL.
        endpoint: Option<String>,
        /// The region.
        #[serde(default = "auto_region")]
        region: String,
        /// The key's name.
        access_key_id: String,
        /// The key.
        secret_access_key: String,
    },
    /// A WebDAV server, such as Nextcloud.
    Webdav {
        /// The URL of its top folder.
        endpoint: String,
        /// A folder in it.
        #[serde(default)]
        root: String,
        /// The name.
        username: Option<String>,
        /// The password; for Nextcloud one made for this program.
        password: Option<String>,
    },
    /// An SSH server, reached with this machine's `ssh`.
    Sftp {
        /// `user@host:port`, or a name of this machine's `ssh_config`.
        endpoint: String,
        /// A folder there.
        #[serde(default)]
        root: String,
        /// The user.
        user: Option<String>,
        /// The file with the private key.
        key_file: Option<String>,
        /// What to do about a server whose key is not known: `Strict` (the default), `Accept` or `Add`.
        known_hosts: Option<String>,
    },
    /// Google Drive.
    GoogleDrive(OAuth),
    /// Dropbox.
    Dropbox(OAuth),
    /// OneDrive.
    Onedrive(OAuth),
}

/// What a cloud lets a program in by.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// A folder there.
    #[serde(default)]
    pub root: String,
    /// The long-lived token.
    pub refresh_token: String,
    /// The program's name as registered with the cloud.
    pub client_id: String,
    /// The program's secret; some clouds have none for programs on people's devices.
    #[serde(default)]
    pub client_secret: String,
}

fn auto_region() -> String {
    "us-east-1".to_owned()
}

impl Target {
    /// What kind of place, for a person, without secrets.
    pub fn describe(&self) -> String {
        match self {
            Self::Folder { path } => format!("the folder {path}"),
            Self::S3 { bucket, root, endpoint, .. } => {
                let at = endpoint.as_deref().unwrap_or("Amazon");
                format!("the bucket {} at {at}", slashed(bucket, root))
            }
            Self::Webdav { endpoint, root, .. } => format!("WebDAV at {}", slashed(endpoint, root)),
            Self::Sftp { endpoint, root, .. } => format!("SFTP at {}", slashed(endpoint, root)),
            Self::GoogleDrive(oauth) => format!("Google Drive, {}", slashed("", &oauth.root)),
            Self::Dropbox(oauth) => format!("Dropbox, {}", slashed("", &oauth.root)),
            Self::Onedrive(oauth) => format!("OneDrive, {}", slashed("", &oauth.root)),
        }
    }

    /// What of the description opens the place, by the names of its fields: what is to be carried where
    /// the description is written anew.
    pub fn secrets(&self) -> Vec<&'static str> {
        match self {
            Self::Folder { .. } => Vec::new(),
            Self::S3 { .. } => vec!["access_key_id", "secret_access_key"],
            Self::Webdav { password, .. } => password.iter().map(|_| "password").collect(),
            Self::Sftp { .. } => vec!["key_file"],
            Self::GoogleDrive(oauth) | Self::Dropbox(oauth) | Self::Onedrive(oauth) => {
                let secret = (!oauth.client_secret.is_empty()).then_some("client_secret");
                std::iter::once("refresh_token").chain(secret).collect()
            }
        }
    }

    /// The same description with three dots in the place of each of [`Target::secrets`].
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let mut target = self.clone();
        let dots = || "...".to_owned();
        match &mut target {
            Self::Folder { .. } => {}
            Self::S3 { access_key_id, secret_access_key, .. } => {
                (*access_key_id, *secret_access_key) = (dots(), dots());
            }
            Self::Webdav { password, .. } => *password = password.as_ref().map(|_| dots()),
            Self::Sftp { key_file, .. } => *key_file = Some(dots()),
            Self::GoogleDrive(oauth) | Self::Dropbox(oauth) | Self::Onedrive(oauth) => {
                oauth.refresh_token = dots();
                if !oauth.client_secret.is_empty() {
                    oauth.client_secret = dots();
                }
            }
        }
        target
    }

    /// Opens the way to the folder `below` at the place.
    ///
    /// # Errors
    /// Where the description makes no sense. Whether the place answers is not asked.
    pub(crate) fn operator(&self, below: &str) -> Result<Operator, BackupError> {
        // Names the client for HTTP; said twice it does nothing.
        opendal::install_default();
        let root = |root: &str| format!("/{}/{below}", root.trim_matches('/')).replace("//", "/");
        let operator = match self {
            Self::Folder { path } => return folder(path, below),
            Self::S3 {
                bucket,
                root: folder,
                endpoint,
                region,
                access_key_id,
                secret_access_key,
            } => {
                let mut service = S3::default()
                    .bucket(bucket)
                    .root(&root(folder))
                    .region(region)
                    .access_key_id(access_key_id)
                    .secret_access_key(secret_access_key)
                    .disable_config_load()
                    .disable_ec2_metadata();
                if let Some(endpoint) = endpoint {
                    service = service.endpoint(endpoint);
                }
                Operator::new(service)?
            }
            Self::Webdav { endpoint, root: folder, username, password } => {
                let mut service = Webdav::default().endpoint(endpoint).root(&root(folder));
                if let Some(username) = username {
                    service = service.username(username);
                }
                if let Some(password) = password {
                    service = service.password(password);
                }
                Operator::new(service)?
            }
            Self::Sftp { .. } => self.sftp(&root)?,
            Self::GoogleDrive(oauth) => {
                let service = Gdrive::default().root(&root(&oauth.root));
                let service = service.refresh_token(&oauth.refresh_token);
                let service = service.client_id(&oauth.client_id);
                Operator::new(service.client_secret(&oauth.client_secret))?
            }
            Self::Dropbox(oauth) => {
                let service = Dropbox::default().root(&root(&oauth.root));
                let service = service.refresh_token(&oauth.refresh_token);
                let service = service.client_id(&oauth.client_id);
                Operator::new(service.client_secret(&oauth.client_secret))?
            }
            Self::Onedrive(oauth) => {
                let service = Onedrive::default().root(&root(&oauth.root));
                let service = service.refresh_token(&oauth.refresh_token);
                let service = service.client_id(&oauth.client_id);
                Operator::new(service.client_secret(&oauth.client_secret))?
            }
        };
        Ok(layered(operator))
    }

    #[cfg(unix)]
    fn sftp(&self, root: &dyn Fn(&str) -> String) -> Result<Operator, BackupError> {
        let Self::Sftp { endpoint, root: folder, user, key_file, known_hosts } = self else {
            return Err(BackupError::Target("this is no SFTP".to_owned()));
        };
        let mut service = opendal::services::Sftp::default().endpoint(endpoint).root(&root(folder));
        if let Some(user) = user {
            service = service.user(user);
        }
        if let Some(key_file) = key_file {
            service = service.key(key_file);
        }
        if let Some(known_hosts) = known_hosts {
            service = service.known_hosts_strategy(known_hosts);
        }
        Ok(Operator::new(service)?)
    }

    #[cfg(not(unix))]
    fn sftp(&self, _root: &dyn Fn(&str) -> String) -> Result<Operator, BackupError> {
        Err(BackupError::Target("SFTP is not to be had on this system".to_owned()))
    }
}

/// A file there is written beside its place and renamed, so it is whole or not there.
fn folder(path: &str, below: &str) -> Result<Operator, BackupError> {
    if !std::path::Path::new(path).is_absolute() {
        return Err(BackupError::Target(format!("{path} is no path from the root on")));
    }
    if !std::path::Path::new(path).is_dir() {
        return Err(BackupError::Target(format!(
            "{path} is no folder: make it, or plug the disk in"
        )));
    }
    let root = format!("{}/{below}", path.trim_end_matches('/'));
    let unfinished = format!("{root}/4");
    Ok(layered(Operator::new(Fs::default().root(&root).atomic_write_dir(&unfinished))?))
}

fn layered(operator: Operator) -> Operator {
    operator
        .layer(TimeoutLayer::new().with_timeout(TIMEOUT).with_io_timeout(IO_TIMEOUT))
        .layer(RetryLayer::new().with_max_times(RETRIES).with_jitter())
}

fn slashed(left: &str, right: &str) -> String {
    format!("{}/{}", left.trim_end_matches('/'), right.trim_matches('/'))
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Target(..)")
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OAuth(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_described_without_its_secrets() {
        let text = r#"{"type":"s3","bucket":"b","endpoint":"http://localhost:1","access_key_id":"name",
            "secret_access_key":"swordfish"}"#;
        let target: Target = serde_json::from_str(text).unwrap();
        assert_eq!(target.describe(), "the bucket b/ at http://localhost:1");
        assert!(!format!("{target:?}").contains("swordfish"));
        assert!(target.operator("x").is_ok());
    }

    #[test]
    fn every_kind_of_place_is_understood_and_a_mistyped_field_is_not_passed_over() {
        let oauth = r#""refresh_token":"r","client_id":"c","client_secret":"s","root":"a/b""#;
        for text in [
            r#"{"type":"webdav","endpoint":"https://example.org/dav","username":"u","password":"p"}"#
                .to_owned(),
            format!(r#"{{"type":"google_drive",{oauth}}}"#),
            format!(r#"{{"type":"dropbox",{oauth}}}"#),
            format!(r#"{{"type":"onedrive",{oauth}}}"#),
        ] {
            let target: Target = serde_json::from_str(&text).unwrap();
            assert!(target.operator("x").is_ok(), "{text}");
        }
        let mistyped = r#"{"type":"folder","path":"/","pth":"/"}"#;
        assert!(serde_json::from_str::<Target>(mistyped).is_err());
    }

    #[test]
    fn a_place_to_be_written_anew_names_what_to_carry_and_holds_none_of_it() {
        let oauth = r#""refresh_token":"swordfish","client_id":"c","client_secret":"swordfish""#;
        for text in [
            r#"{"type":"s3","bucket":"b","access_key_id":"swordfish","secret_access_key":"swordfish"}"#
                .to_owned(),
            r#"{"type":"webdav","endpoint":"https://example.org","password":"swordfish"}"#.to_owned(),
            r#"{"type":"sftp","endpoint":"example.org","key_file":"swordfish"}"#.to_owned(),
            format!(r#"{{"type":"dropbox",{oauth}}}"#),
        ] {
            let target: Target = serde_json::from_str(&text).unwrap();
            let shown = serde_json::to_string(&target.without_secrets()).unwrap();
            assert!(!shown.contains("swordfish"), "{shown}");
            for secret in target.secrets() {
                assert!(shown.contains(&format!("\"{secret}\":\"...\"")), "{shown}");
            }
            assert_eq!(text.matches("swordfish").count(), target.secrets().len());
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_not_made() {
        let target = Target::Folder { path: "/no/such/disk".to_owned() };
        let error = target.operator("x").unwrap_err();
        assert!(error.to_string().contains("plug the disk in"), "{error}");
    }
}
