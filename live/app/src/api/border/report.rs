//! What is said before a border, and what a person is told before anything is wiped.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warren_client::backup::{AccountCensus, Target};

use super::{Saved, words};
use crate::failure::Failure;

/// What is to be backed up.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Border {
    /// Which backups; all that are set up where none are named. Each must succeed.
    pub backups: Option<Vec<String>>,
    /// Accounts, by name or id, that are in none of them and are to be destroyed nevertheless.
    pub without: Vec<String>,
}

/// What is in the backups, and what it takes to come back from them.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BorderReport {
    /// Where the backups lie. Each was brought back whole.
    pub places: Vec<BorderPlace>,
    /// What is in them.
    pub accounts: Vec<BorderAccount>,
    /// Accounts that are in none of them.
    pub lost: Vec<LostAccount>,
}

/// An account that is in no backup.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LostAccount {
    /// Which.
    pub account_id: String,
    /// What it is called here.
    pub name: String,
}

/// Where a backup lies.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BorderPlace {
    /// What it is called here.
    pub backup: String,
    /// Where, for a person: without what opens the place.
    pub place: String,
    /// The snapshot that came back whole.
    pub snapshot: String,
    /// When it was made.
    pub created: u64,
    /// How many parts came back.
    pub parts: usize,
    /// How many bytes they are.
    pub bytes: u64,
    /// It lies on the disk that this home is on, which may cross the border, too.
    pub same_disk: bool,
    /// The account whose recovery words open it.
    pub key_account: String,
    /// What to type on the other side.
    pub command: String,
    /// What the file that the command names must say, with three dots for what is to be carried.
    pub place_file: Option<String>,
    /// What is to be carried beside the recovery words: fields of that file.
    pub carry: Vec<String>,
}

/// What came back of an account, and was here as well.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BorderAccount {
    /// Which.
    pub account_id: String,
    /// What it is called here.
    pub name: String,
    /// Conversations, with people and in groups.
    pub conversations: u64,
    /// Messages in them.
    pub messages: u64,
    /// People who are known.
    pub contacts: u64,
    /// Files that could be opened.
    pub files: u64,
    /// Bytes of these.
    pub file_bytes: u64,
    /// The backups it is in.
    pub backups: Vec<String>,
    /// Its recovery words open one of the backups, so they must be known.
    pub opens: bool,
    /// Which of its words to ask for, counted from 1.
    pub ask: Vec<usize>,
}

/// Words of an account.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct GivenWords {
    /// Whose.
    pub account_id: String,
    /// Those that the report asks for, in its order.
    pub words: Vec<String>,
}

/// What it takes to wipe.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Cross {
    /// The word `wipe`.
    pub confirm: String,
    /// For each account whose words open a backup, those that the report asks for.
    pub words: Option<BTreeMap<String, Vec<String>>>,
    /// Somebody says that they have them, and none are asked for.
    #[serde(default)]
    pub words_known: bool,
    /// Also what the network keeps. Mail that came since the backup is lost then.
    #[serde(default)]
    pub network: bool,
    /// Go on where the network cannot be reached.
    #[serde(default)]
    pub even_offline: bool,
}

pub(super) fn of(
    saved: &[Saved],
    lost: Vec<LostAccount>,
    home: &Path,
) -> Result<BorderReport, Failure> {
    let places = saved.iter().map(|one| place(one, home)).collect::<Result<_, _>>()?;
    let mut accounts = Vec::<BorderAccount>::new();
    for one in saved {
        for census in &one.tried.census.accounts {
            let id = census.id.to_string();
            let opens = one.key_account == id;
            match accounts.iter_mut().find(|known| known.account_id == id) {
                Some(known) => {
                    known.opens |= opens;
                    known.backups.push(one.backup.clone());
                }
                None => accounts.push(account(census, &one.backup, opens)),
            }
        }
    }
    Ok(BorderReport { places, accounts, lost })
}

fn account(census: &AccountCensus, backup: &str, opens: bool) -> BorderAccount {
    BorderAccount {
        account_id: census.id.to_string(),
        name: census.label.clone(),
        conversations: census.conversations,
        messages: census.messages,
        contacts: census.contacts,
        files: census.files,
        file_bytes: census.file_bytes,
        backups: vec![backup.to_owned()],
        opens,
        ask: words::ask(),
    }
}

fn place(saved: &Saved, home: &Path) -> Result<BorderPlace, Failure> {
    let Saved { backup, target, key_account, tried } = saved;
    let (command, place_file) = match target {
        Target::Folder { path } => {
            (format!("warren backup restore --folder {}", quoted(path)), None)
        }
        _ => {
            let command = "warren backup restore --place place.json".to_owned();
            (command, Some(described(target)?))
        }
    };
    Ok(BorderPlace {
        backup: backup.clone(),
        place: target.describe(),
        snapshot: tried.snapshot.clone(),
        created: tried.created,
        parts: tried.restored.parts,
        bytes: tried.restored.bytes,
        same_disk: matches!(target, Target::Folder { path } if is_same_disk(path, home)),
        key_account: key_account.clone(),
        command,
        place_file,
        carry: target.secrets().into_iter().map(str::to_owned).collect(),
    })
}

/// The description of a place without what is secret of it, and without what was not said.
fn described(target: &Target) -> Result<String, Failure> {
    let value = serde_json::to_value(target.without_secrets());
    let mut value = value.map_err(|_| Failure::DaemonTrouble)?;
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null() && value.as_str() != Some(""));
    }
    Ok(value.to_string())
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if path.bytes().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

/// Whether a folder is another or lies in it.
pub(super) fn lies_within(folder: &str, home: &Path) -> bool {
    let (Ok(folder), Ok(home)) = (Path::new(folder).canonicalize(), home.canonicalize()) else {
        return false;
    };
    folder.starts_with(home)
}

#[cfg(unix)]
fn is_same_disk(folder: &str, home: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let disk = |path: &Path| std::fs::metadata(path).ok().map(|metadata| metadata.dev());
    disk(Path::new(folder)) == disk(home)
}

/// Nobody can tell, so it is said.
#[cfg(not(unix))]
fn is_same_disk(_folder: &str, _home: &Path) -> bool {
    true
}
