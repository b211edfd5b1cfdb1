//! What an authority keeps on its disk: its key, the newest list, what it signed and voted last, who
//! announced itself.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use warren_crypto::ed25519::SigningKey;
use warren_node::consensus::{Ballots, Ledger};
use warren_wire::directory::{DirectoryKeys, UnverifiedDescriptor, UnverifiedList, VerifiedList};

use super::AuthorityError;
use crate::{directory, private_file};

const KEY: &str = "directory.key";
const LIST: &str = "nodes.json";
const LEDGER: &str = "signed.json";
const BALLOTS: &str = "votes.json";
const DESCRIPTORS: &str = "descriptors.json";

/// The folder of one authority.
#[derive(Debug, Clone)]
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(super) fn open(folder: &Path) -> Result<Self, AuthorityError> {
        private_file::create_folder(folder)
            .map_err(|source| AuthorityError::Io { path: folder.to_owned(), source })?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The authority's key, made where there is none.
    pub(super) fn key(&self) -> Result<SigningKey, AuthorityError> {
        Ok(directory::load_or_create_key(&self.folder.join(KEY))?)
    }

    /// The newest list; an error where other keys signed it than those of now.
    pub(super) fn list(
        &self,
        keys: &DirectoryKeys,
    ) -> Result<Option<(VerifiedList, UnverifiedList)>, AuthorityError> {
        let Some(signed) = self.read::<UnverifiedList>(LIST)? else { return Ok(None) };
        match signed.verify(keys) {
            Ok(list) => Ok(Some((list, signed))),
            Err(source) => {
                Err(AuthorityError::ForeignList { path: self.folder.join(LIST), source })
            }
        }
    }

    pub(super) fn ledger(&self) -> Result<Ledger, AuthorityError> {
        Ok(self.read(LEDGER)?.unwrap_or_default())
    }

    pub(super) fn ballots(&self) -> Result<Ballots, AuthorityError> {
        Ok(self.read(BALLOTS)?.unwrap_or_default())
    }

    pub(super) fn descriptors(&self) -> Result<Vec<UnverifiedDescriptor>, AuthorityError> {
        Ok(self.read(DESCRIPTORS)?.unwrap_or_default())
    }

    pub(super) fn save_list(&self, list: &UnverifiedList) -> Result<(), AuthorityError> {
        Ok(directory::save_list(&self.folder.join(LIST), list)?)
    }

    /// On the disk when this returns: what was signed may leave afterwards.
    pub(super) fn save_ledger(&self, ledger: &Ledger) -> Result<(), AuthorityError> {
        self.write(LEDGER, ledger)
    }

    /// On the disk when this returns: what was voted may leave afterwards.
    pub(super) fn save_ballots(&self, ballots: &Ballots) -> Result<(), AuthorityError> {
        self.write(BALLOTS, ballots)
    }

    pub(super) fn save_descriptors(
        &self,
        descriptors: &[UnverifiedDescriptor],
    ) -> Result<(), AuthorityError> {
        self.write(DESCRIPTORS, descriptors)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, AuthorityError> {
        let path = self.folder.join(name);
        let io = |source| AuthorityError::Io { path: path.clone(), source };
        let Some(content) = private_file::read(&path).map_err(io)? else { return Ok(None) };
        serde_json::from_slice(&content).map(Some).map_err(|_| AuthorityError::Damaged(path))
    }

    fn write<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), AuthorityError> {
        let path = self.folder.join(name);
        let content = serde_json::to_vec(value).map_err(io::Error::from);
        content
            .and_then(|content| private_file::write(&path, &content))
            .map_err(|source| AuthorityError::Io { path, source })
    }
}
