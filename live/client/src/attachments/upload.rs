//! A file on its way to a server: in one request, or in parts where it is larger.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use warren_crypto::{Secret, SystemEntropy};
use warren_message::attachment::FileError;
use warren_message::attachment::pointer::RemoteFile;
use warren_wire::FileId;

use super::blocking;
use super::crypt::{Encrypter, Format};
use super::error::AttachmentError;
use super::server::{Asker, FileServer, Offset};
use super::state::secret;
use super::store::StoredFile;
use crate::messenger::Messenger;

/// How long servers are asked to keep a file: as long as a message waits for its reader.
pub const TTL_SECONDS: u64 = 14 * 24 * 60 * 60;
/// The most bytes that go in one request to a server that takes parts.
const ONE_REQUEST: u64 = 1 << 20;
/// The most bytes that Session's server takes, which takes no parts.
const MOST_AT_ONCE: u64 = 10_223_616;
/// How many parts in a row may fail before an upload or a download is interrupted.
pub(super) const FAILURES: u32 = 4;
/// How long to wait before a part is tried again.
const PAUSE: Duration = Duration::from_millis(300);

/// An upload, as it is kept for another time. Belongs into the encrypted database.
#[derive(Debug, Serialize, Deserialize)]
pub struct Upload {
    file: StoredFile,
    format: Format,
    ttl_seconds: u64,
    #[serde(with = "secret")]
    drawn: Secret<32>,
    server: Option<FileServer>,
    /// Whether the server was drawn here, so that another may take its place.
    drawn_server: bool,
    location: Option<String>,
    sent: u64,
}

/// What came of an upload: what a message says of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Where the file is and what opens it.
    pub remote: RemoteFile,
    /// Bytes that the server stores.
    pub stored: u64,
}

impl Upload {
    /// An upload of a file at rest, to a node that keeps files or, where named, to a server.
    pub fn new(file: &StoredFile, format: Format, server: Option<FileServer>) -> Self {
        let drawn = Secret::random(&mut SystemEntropy);
        let (file, ttl_seconds) = (file.clone(), TTL_SECONDS);
        let (drawn_server, location) = (server.is_none(), None);
        Self { file, format, ttl_seconds, drawn, server, drawn_server, location, sent: 0 }
    }

    /// Asks for another life of the file at the server, in seconds.
    #[must_use]
    pub fn with_ttl(self, ttl_seconds: u64) -> Self {
        Self { ttl_seconds, ..self }
    }

    /// Bytes that the server has.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes that it will have.
    pub fn total(&self) -> u64 {
        self.format.stored_len(self.file.size)
    }

    fn forget(&mut self) {
        (self.location, self.sent) = (None, 0);
        if self.drawn_server {
            self.server = None;
        }
    }
}

/// How large parts are: they grow while they travel fast and shrink when they do not arrive.
pub(super) struct PartSize(usize);

impl PartSize {
    const LEAST: usize = 64 << 10;
    const MOST: usize = 4 << 20;
    const FAST: Duration = Duration::from_secs(4);

    pub(super) fn new() -> Self {
        Self(512 << 10)
    }

    pub(super) fn get(&self) -> usize {
        self.0
    }

    pub(super) fn arrived(&mut self, since: Instant) {
        if since.elapsed() < Self::FAST {
            self.0 = (self.0 * 2).min(Self::MOST);
        }
    }

    pub(super) fn lost(&mut self) {
        self.0 = (self.0 / 2).max(Self::LEAST);
    }
}

impl Messenger {
    /// Brings a file to a server, from where `upload` left off. `progress` is told after each part.
    ///
    /// Where it is interrupted, or this future is dropped, `upload` says where to go on; or the
    /// server is told to forget it, by [`Messenger::cancel_upload`]. Where a node was drawn that took
    /// nothing, the next try draws another. A few copies of a part, of 4 MiB at most, are in memory; of
    /// 10 MB where the server takes no parts.
    ///
    /// # Errors
    /// Where the file is not here any more or does not fit the server, no server is there, the
    /// network fails for longer, or the server stored something else.
    pub async fn upload(
        &self,
        upload: &mut Upload,
        progress: &mut (dyn FnMut(&Upload) + Send),
    ) -> Result<Uploaded, AttachmentError> {
        let server = self.server_for(upload).await?;
        let source = self.encrypter(upload).await?;
        let (id, source) = match self.store(&server, upload, source, progress).await {
            Err(error) => {
                if upload.sent == 0 {
                    upload.forget();
                }
                return Err(error);
            }
            stored => stored?,
        };
        upload.sent = upload.total();
        progress(upload);
        let (key, expected) = blocking(move || source.finish()).await?;
        if id.parse::<FileId>().is_ok_and(|id| id != expected) {
            upload.forget();
            return Err(AttachmentError::Corrupt(FileError::Corrupt));
        }
        let url = server.url_of(&id).ok_or(AttachmentError::Nonsense)?;
        Ok(Uploaded { remote: RemoteFile::new(&url, key), stored: upload.total() })
    }

    /// Tells the server to forget what it has of an upload that was not finished.
    ///
    /// # Errors
    /// Where the network fails: the server forgets it by itself within a day.
    pub async fn cancel_upload(&self, mut upload: Upload) -> Result<(), AttachmentError> {
        match (upload.server.take(), upload.location.take()) {
            (Some(server), Some(location)) => {
                Asker::new(&self.network, &server).give_up(&location).await
            }
            _ => Ok(()),
        }
    }

    async fn store(
        &self,
        server: &FileServer,
        upload: &mut Upload,
        source: Encrypter,
        progress: &mut (dyn FnMut(&Upload) + Send),
    ) -> Result<(String, Encrypter), AttachmentError> {
        let asker = Asker::new(&self.network, server);
        if upload.total() <= ONE_REQUEST || !asker.takes_parts().await? {
            return store_at_once(&asker, upload, source).await;
        }
        Parts { asker: &asker, upload, progress }.send(source).await
    }

    async fn server_for(&self, upload: &mut Upload) -> Result<FileServer, AttachmentError> {
        if let Some(server) = &upload.server {
            return Ok(server.clone());
        }
        let node = self.network.file_node().await?.ok_or(AttachmentError::NoServer)?;
        let server = FileServer::of_node(&node);
        upload.server = Some(server.clone());
        Ok(server)
    }

    async fn encrypter(&self, upload: &Upload) -> Result<Encrypter, AttachmentError> {
        let (files, file, format) = (self.files.clone(), upload.file.clone(), upload.format);
        let (seed, drawn) = (self.account.seed32().duplicate(), upload.drawn.duplicate());
        blocking(move || Encrypter::new(files.open(&file)?, format, &seed, &drawn)).await
    }
}

async fn store_at_once(
    asker: &Asker<'_>,
    upload: &Upload,
    source: Encrypter,
) -> Result<(String, Encrypter), AttachmentError> {
    if upload.total() > MOST_AT_ONCE {
        return Err(AttachmentError::TooLarge);
    }
    let (content, source) = next(source, usize::MAX).await?;
    Ok((asker.store(content, upload.ttl_seconds).await?, source))
}

async fn next(
    mut source: Encrypter,
    count: usize,
) -> Result<(Vec<u8>, Encrypter), AttachmentError> {
    blocking(move || Ok((source.next(count)?, source))).await
}

/// An upload in parts, at work.
struct Parts<'a> {
    asker: &'a Asker<'a>,
    upload: &'a mut Upload,
    progress: &'a mut (dyn FnMut(&Upload) + Send),
}

impl Parts<'_> {
    async fn send(mut self, mut source: Encrypter) -> Result<(String, Encrypter), AttachmentError> {
        let (location, mut offset) = match self.begin().await? {
            (location, Offset::At(offset)) => (location, offset),
            (_, Offset::Done(id)) => return Ok((id, source)),
            (_, Offset::Elsewhere) => return Err(AttachmentError::Nonsense),
        };
        source = blocking(move || source.skip(offset).map(|()| source)).await?;
        let (mut size, mut failures) = (PartSize::new(), 0);
        // Encrypted bytes from `offset` on, some of which may be sent again.
        let mut part = Vec::new();
        loop {
            if part.is_empty() {
                (part, source) = next(source, size.get()).await?;
            }
            let sent = part.get(..size.get()).unwrap_or(&part).to_vec();
            let since = Instant::now();
            let answer = match self.asker.append(&location, offset, sent).await {
                Ok(Offset::Elsewhere) => self.asker.offset(&location).await,
                other => other,
            };
            let reached = match answer {
                Ok(Offset::Done(id)) => return Ok((id, source)),
                Ok(Offset::At(reached)) => reached,
                Ok(Offset::Elsewhere) => {
                    self.upload.forget();
                    return Err(AttachmentError::Expired);
                }
                Err(error) if error.is_network() && failures < FAILURES => offset,
                Err(error) => return Err(error),
            };
            let taken = reached.checked_sub(offset).and_then(|taken| usize::try_from(taken).ok());
            let taken = taken.filter(|taken| *taken <= part.len());
            let taken = taken.ok_or(AttachmentError::Nonsense)?;
            if taken == 0 {
                failures += 1;
                size.lost();
                if failures > FAILURES {
                    return Err(AttachmentError::Busy);
                }
                tokio::time::sleep(PAUSE * failures).await;
                continue;
            }
            (failures, offset) = (0, reached);
            size.arrived(since);
            part.drain(..taken);
            self.upload.sent = offset;
            (self.progress)(self.upload);
        }
    }

    /// Where the upload stands; a new one where the server knows of none.
    async fn begin(&mut self) -> Result<(String, Offset), AttachmentError> {
        if let Some(location) = self.upload.location.clone() {
            match self.asker.offset(&location).await? {
                Offset::Elsewhere => (self.upload.location, self.upload.sent) = (None, 0),
                offset => return Ok((location, offset)),
            }
        }
        let location = self.asker.begin(self.upload.total(), self.upload.ttl_seconds).await?;
        self.upload.location = Some(location.clone());
        (self.progress)(self.upload);
        Ok((location, Offset::At(0)))
    }
}
