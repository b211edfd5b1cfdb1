//! The parts of a device.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use warren_backup::PartSource;
use warren_backup::error::PartFailure;
use warren_wire::AccountId;

use super::settings;
use crate::database::{AccountKeys, Dump};
use crate::device::Device;
use crate::error::ClientError;
use crate::notification::NotificationMode;
use crate::vault::FileName;

/// Accounts and settings.
pub(super) const DEVICE: &str = "device";
/// Its only part.
pub(super) const ACCOUNTS: &str = "accounts";
/// One account's database.
pub(super) const ACCOUNT: &str = "account";
/// One sealed file of an account.
pub(super) const FILE: &str = "file";
/// Every kind this program knows.
pub(super) const KINDS: &[&str] = &[DEVICE, ACCOUNT, FILE];
/// Of all of them.
pub(super) const VERSION: u32 = 1;

/// How much of a file is read at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// What the part of the device says.
#[derive(Serialize, Deserialize)]
pub(super) struct DevicePart {
    pub(super) accounts: Vec<AccountPart>,
    /// Settings of the index by name, in hexadecimal digits.
    pub(super) settings: BTreeMap<String, String>,
}

/// What it says of an account.
#[derive(Serialize, Deserialize)]
pub(super) struct AccountPart {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) display_name: Option<String>,
    pub(super) created: u64,
    pub(super) notifications: NotificationMode,
    /// In hexadecimal digits.
    pub(super) seed: String,
}

/// Settings of the index that are backed up.
const SETTINGS: [&str; 2] = ["network seed", settings::NAME];

type Source = Result<PartSource, PartFailure>;

impl Device {
    /// The accounts of a backup.
    pub(super) fn chosen(
        &self,
        chosen: Option<&[String]>,
    ) -> Result<Vec<AccountKeys>, ClientError> {
        let entries = self.index.accounts()?.into_iter();
        let is_chosen = |id: &AccountId| {
            chosen.is_none_or(|chosen| chosen.iter().any(|one| *one == id.to_string()))
        };
        let entries = entries.filter(|entry| is_chosen(&entry.id));
        entries.map(|entry| Ok(self.index.account(&entry.id)?)).collect()
    }

    /// The parts of these accounts, and about how many bytes they are.
    pub(super) fn parts(
        &self,
        accounts: Vec<AccountKeys>,
    ) -> Result<(Box<dyn Iterator<Item = Source> + Send>, u64), ClientError> {
        let mut total = 0;
        let mut parts: Box<dyn Iterator<Item = Source> + Send> =
            Box::new(std::iter::once(Ok(self.device_part(&accounts)?)));
        for keys in accounts {
            let id = keys.entry.id.to_string();
            let dump = Dump::of(&self.vault, &keys);
            total += dump.size_hint();
            parts = Box::new(parts.chain(std::iter::once_with({
                let id = id.clone();
                move || Ok(database(id, dump))
            })));
            let folder = self.vault.home().make_files_folder(keys.file());
            let folder = folder.map_err(crate::attachments::AttachmentError::from)?;
            let names = files(&folder).map_err(crate::attachments::AttachmentError::from)?;
            total += names.iter().map(|(_, size)| size).sum::<u64>();
            let files = names.into_iter().filter_map(move |(name, _)| {
                file(&id, &folder, &name).map_err(PartFailure::from).transpose()
            });
            parts = Box::new(parts.chain(files));
        }
        Ok((parts, total))
    }

    fn device_part(&self, accounts: &[AccountKeys]) -> Result<PartSource, ClientError> {
        let accounts = accounts.iter().map(|keys| {
            Ok(AccountPart {
                id: keys.entry.id.to_string(),
                label: keys.entry.label.clone(),
                display_name: keys.entry.display_name.clone(),
                created: keys.entry.created,
                notifications: self.index.notification_mode(&keys.entry.id)?,
                seed: hex::encode(keys.seed.expose()),
            })
        });
        let accounts = accounts.collect::<Result<_, ClientError>>()?;
        let mut settings = BTreeMap::new();
        for name in SETTINGS {
            if let Some(value) = self.index.setting(name)? {
                settings.insert(name.to_owned(), hex::encode(value));
            }
        }
        let bytes = serde_json::to_vec(&DevicePart { accounts, settings });
        let bytes = bytes.map_err(|_| ClientError::BackupSettings)?;
        Ok(PartSource {
            kind: DEVICE.to_owned(),
            name: ACCOUNTS.to_owned(),
            version: VERSION,
            state: Vec::new(),
            sealed: false,
            size_hint: bytes.len() as u64,
            write: Box::new(move |to| Ok(to.write_all(&bytes)?)),
        })
    }
}

fn database(id: String, dump: Dump) -> PartSource {
    PartSource {
        kind: ACCOUNT.to_owned(),
        name: id,
        version: VERSION,
        // Before it is read: what is written meanwhile is read again next time.
        state: dump.state(),
        sealed: false,
        size_hint: dump.size_hint(),
        write: Box::new(move |to| Ok(dump.write(to)?)),
    }
}

/// The whole files of a folder in the order of their names, with their sizes. One that comes later is
/// in no message of the database that was read before it.
fn files(folder: &Path) -> io::Result<Vec<(FileName, u64)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(name) = entry.file_name().to_str().and_then(FileName::parse) {
            files.push((name, entry.metadata().map_or(0, |metadata| metadata.len())));
        }
    }
    files.sort_by(|one, other| one.0.as_str().cmp(other.0.as_str()));
    Ok(files)
}

/// A sealed file; `None` where it was deleted since it was listed.
fn file(id: &str, folder: &Path, name: &FileName) -> io::Result<Option<PartSource>> {
    let mut file = match File::open(folder.join(name.as_str())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let metadata = file.metadata()?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let state = format!("{} {}", metadata.len(), modified.as_nanos());
    Ok(Some(PartSource {
        kind: FILE.to_owned(),
        name: format!("{id}/{}", name.as_str()),
        version: VERSION,
        state: state.into_bytes(),
        sealed: true,
        size_hint: metadata.len(),
        write: Box::new(move |to| {
            let mut piece = vec![0; PIECE_BYTES];
            loop {
                match io::Read::read(&mut file, &mut piece)? {
                    0 => return Ok(()),
                    count => to.write_all(piece.get(..count).unwrap_or_default())?,
                }
            }
        }),
    }))
}
