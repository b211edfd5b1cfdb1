//! A file on its way from a server: fetched in parts, then opened.
//!
//! What the server stores is sealed once more and kept as it comes, so that a download can be gone on
//! with after any interruption; when all of it is there it is opened, and checked, into the file at
//! rest. Neither format lets anyone begin in the middle.

use std::io::Write;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use warren_crypto::{Secret, SystemEntropy};
use warren_message::attachment::FileError;
use warren_message::attachment::pointer::{FileKey, RemoteFile};
use warren_message::attachment::url::FileUrl;
use warren_message::content::profile::Picture;

use super::blocking;
use super::crypt;
use super::error::AttachmentError;
use super::sealed::SealedWriter;
use super::server::{Asker, Fetched, FileServer};
use super::state::{file_name, secret};
use super::store::{FileStore, StoredFile};
use super::upload::{FAILURES, PartSize};
use crate::messenger::Messenger;
use crate::vault::FileName;

/// The most bytes that are fetched of any file.
pub const MOST_BYTES: u64 = 128 << 20;
/// The most bytes of a picture of a profile.
const MOST_PICTURE_BYTES: u64 = 10 << 20;
/// How much more than its sender says a file may have, as stored: for padding.
const SLACK_BYTES: u64 = 1 << 20;
/// How long to wait before a part is tried again.
const PAUSE: Duration = Duration::from_millis(300);

/// A download, as it is kept for another time. Belongs into the encrypted database; it does not hold
/// the key of the file, which the message has.
#[derive(Debug, Serialize, Deserialize)]
pub struct Download {
    url: String,
    size: Option<u64>,
    #[serde(with = "file_name")]
    name: FileName,
    #[serde(with = "secret")]
    key: Secret<32>,
    received: u64,
    total: Option<u64>,
    keep_when_dropped: bool,
}

impl Download {
    /// A download of the file at `url`, which has `size` bytes if its sender is right.
    pub fn new(url: &FileUrl, size: Option<u64>) -> Self {
        Self {
            url: url.as_str().to_owned(),
            size,
            name: FileName::random(&mut SystemEntropy),
            key: Secret::random(&mut SystemEntropy),
            received: 0,
            total: None,
            keep_when_dropped: false,
        }
    }

    /// Whether what came so far stays where the future of [`Messenger::download`] is dropped, as when
    /// the program ends. It does not unless this is said: to drop it is to cancel.
    #[must_use]
    pub fn keep_when_dropped(self, keep_when_dropped: bool) -> Self {
        Self { keep_when_dropped, ..self }
    }

    /// Under which name what came so far lies in the folder: [`FileStore::sweep`] is to be told.
    pub fn partial(&self) -> &FileName {
        &self.name
    }

    /// Bytes that are here.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes that there will be; `None` until the server said.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The most bytes that the server may give.
    fn most(&self) -> u64 {
        let claimed = self.size.map(|size| size.saturating_add(size / 4 + SLACK_BYTES));
        claimed.unwrap_or(MOST_BYTES).min(MOST_BYTES)
    }

    fn start_over(&mut self) {
        self.name = FileName::random(&mut SystemEntropy);
        self.key = Secret::random(&mut SystemEntropy);
        (self.received, self.total) = (0, None);
    }
}

impl Messenger {
    /// Fetches and opens a file, from where `download` left off. `progress` is told after each part.
    ///
    /// Where it is interrupted by an error of the network, what came stays for another time; where
    /// this future is dropped, nothing does unless [`Download::keep_when_dropped`] says so. A few
    /// copies of a part, of 4 MiB at most, are in memory.
    ///
    /// # Errors
    /// Where the server has the file no longer or is not known, it is larger than its sender said,
    /// what came is not what was stored, the disk fails, or the network does for longer.
    pub async fn download(
        &self,
        download: &mut Download,
        remote: &RemoteFile,
        progress: &mut (dyn FnMut(&Download) + Send),
    ) -> Result<StoredFile, AttachmentError> {
        let (key, size) = (remote.key().clone(), download.size);
        let open =
            move |store: &FileStore, stored: &StoredFile| crypt::open(store, stored, &key, size);
        self.fetch_and(download, remote.url(), progress, open).await
    }

    /// Fetches and opens the picture of a profile or a group, in whichever format it is.
    ///
    /// # Errors
    /// As [`Messenger::download`].
    pub async fn download_picture(&self, picture: &Picture) -> Result<StoredFile, AttachmentError> {
        let url = FileUrl::parse(picture.url()).ok_or(AttachmentError::UnknownServer)?;
        let mut download = Download::new(&url, Some(MOST_PICTURE_BYTES));
        if url.is_stream() {
            let remote = RemoteFile::new(&url, FileKey::Stream(picture.key().duplicate()));
            return self.download(&mut download, &remote, &mut |_| ()).await;
        }
        let picture = picture.clone();
        let open = move |store: &FileStore, stored: &StoredFile| {
            crypt::open_picture(store, stored, &picture)
        };
        let fetched = self.fetch_and(&mut download, &url, &mut |_| (), open).await;
        if fetched.is_err() {
            self.discard(&mut download).await;
        }
        fetched
    }

    async fn fetch_and(
        &self,
        download: &mut Download,
        url: &FileUrl,
        progress: &mut (dyn FnMut(&Download) + Send),
        open: impl FnOnce(&FileStore, &StoredFile) -> Result<StoredFile, AttachmentError>
        + Send
        + 'static,
    ) -> Result<StoredFile, AttachmentError> {
        if download.url != url.as_str() {
            // What came so far is another file's.
            self.discard(download).await;
            url.as_str().clone_into(&mut download.url);
        }
        let asker = Asker::new(&self.network, &FileServer::of_url(url)?);
        let mut fetch = Fetch { asker: &asker, download, progress, store: self.files.clone() };
        let writer = match fetch.run(url.id()).await {
            Ok(writer) => writer,
            Err(error) => {
                if !error.is_network() {
                    self.discard(download).await;
                }
                return Err(error);
            }
        };
        let store = self.files.clone();
        let opened = blocking(move || {
            let stored = writer.finish()?;
            let opened = open(&store, &stored);
            store.remove(&stored.name)?;
            Ok(Fresh { file: Some(opened?), store })
        });
        let opened = opened.await;
        download.start_over();
        opened?.take()
    }

    /// Gives up what came of a download.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn cancel_download(&self, download: Download) -> Result<(), AttachmentError> {
        let store = self.files.clone();
        blocking(move || store.remove(&download.name)).await
    }

    async fn discard(&self, download: &mut Download) {
        let (store, name) = (self.files.clone(), download.name.clone());
        // What cannot be removed is swept at the next start.
        let _ = blocking(move || store.remove(&name)).await;
        download.start_over();
    }
}

/// A file that nobody knows of yet: it goes where whoever asked for it has gone.
struct Fresh {
    store: FileStore,
    file: Option<StoredFile>,
}

impl Fresh {
    fn take(mut self) -> Result<StoredFile, AttachmentError> {
        self.file.take().ok_or(AttachmentError::Missing)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let _ = self.store.remove(&file.name);
        }
    }
}

/// A download at work.
struct Fetch<'a> {
    asker: &'a Asker<'a>,
    download: &'a mut Download,
    progress: &'a mut (dyn FnMut(&Download) + Send),
    store: FileStore,
}

impl Fetch<'_> {
    /// All that the server stores of the file, sealed once more.
    async fn run(&mut self, id: &str) -> Result<SealedWriter, AttachmentError> {
        let (store, name) = (self.store.clone(), self.download.name.clone());
        let (key, keep) = (self.download.key.duplicate(), self.download.keep_when_dropped);
        let mut writer = blocking(move || {
            let mut writer = store.resume(&name, &key)?;
            writer.keep_when_dropped(keep);
            Ok(writer)
        })
        .await?;
        self.download.received = writer.durable();
        let fetched = self.fetch_all(id, &mut writer).await;
        match fetched {
            Ok(()) => Ok(writer),
            Err(error) => {
                writer.keep_when_dropped(error.is_network());
                self.download.received = writer.durable();
                Err(error)
            }
        }
    }

    async fn fetch_all(
        &mut self,
        id: &str,
        writer: &mut SealedWriter,
    ) -> Result<(), AttachmentError> {
        let (mut size, mut failures) = (PartSize::new(), 0);
        while self.download.total != Some(self.download.received) {
            let from = self.download.received;
            let since = Instant::now();
            let fetched = match self.asker.fetch(id, from..from + size.get() as u64).await {
                Err(error) if error.is_network() && failures < FAILURES => {
                    failures += 1;
                    size.lost();
                    tokio::time::sleep(PAUSE * failures).await;
                    continue;
                }
                fetched => fetched?,
            };
            self.check(&fetched)?;
            failures = 0;
            size.arrived(since);
            // One chunk of 32 KiB after the other: short work, which the next part waits for.
            tokio::task::yield_now().await;
            writer.write_all(&fetched.bytes)?;
            self.download.received += fetched.bytes.len() as u64;
            (self.progress)(self.download);
        }
        Ok(())
    }

    /// Refuses a file that is too large, or of another size than before.
    fn check(&mut self, fetched: &Fetched) -> Result<(), AttachmentError> {
        if fetched.total > self.download.most() {
            return Err(AttachmentError::TooLarge);
        }
        let known = *self.download.total.get_or_insert(fetched.total);
        let after = self.download.received + fetched.bytes.len() as u64;
        let grows = !fetched.bytes.is_empty() || after == known;
        if known == fetched.total && after <= known && grows {
            return Ok(());
        }
        Err(AttachmentError::Corrupt(FileError::Corrupt))
    }
}
