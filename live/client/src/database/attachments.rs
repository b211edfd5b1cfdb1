//! Files that belong to messages: what is known of each, how far it got, and where it lies on this
//! device.
//!
//! ```text
//! incoming:  Offered --start--> Downloading --here--> Here
//!                                    |
//!                                    +--> Failed | Expired
//! outgoing:  Uploading --uploaded--> Here
//!                |
//!                +--> Failed
//! ```
//!
//! The files themselves are the caller's. What goes from the database leaves the names of its files
//! in a list of their own, in the same transaction: a program killed before it deleted them finds
//! them there.

use std::fmt;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Row, ToSql, params};
use warren_crypto::{Secret, SecretBytes};
use warren_wire::Millis;

use super::account::{AccountDb, Tx};
use super::column::{Col, second};
use super::error::DatabaseError;
use super::messages::MessageId;

const COLUMNS: &str = "SELECT id, message_id, position, kind, content_type, name, caption, size, \
                       width, height, duration, url, key, digest, state, progress, failure, file, \
                       file_key, file_size, thumbnail, thumbnail_key, thumbnail_size \
                       FROM attachments";

/// An attachment's number in this database. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttachmentId(i64);

impl AttachmentId {
    /// Wraps a number, as a person or a program hands it in.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl ToSql for AttachmentId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0))
    }
}

impl FromSql for AttachmentId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

/// What a file is to its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentKind {
    /// Any file.
    File,
    /// An image.
    Image,
    /// A video.
    Video,
    /// Spoken words.
    Voice,
    /// The image of a link's preview.
    Preview,
    /// The small image in a quote.
    QuoteThumbnail,
}

const KINDS: [AttachmentKind; 6] = [
    AttachmentKind::File,
    AttachmentKind::Image,
    AttachmentKind::Video,
    AttachmentKind::Voice,
    AttachmentKind::Preview,
    AttachmentKind::QuoteThumbnail,
];

/// How far a file got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentState {
    /// It can be downloaded.
    Offered,
    /// It is on its way here.
    Downloading,
    /// It lies on this device, and where it is the owner's, at the server too.
    Here,
    /// It was given up.
    Failed,
    /// It lies on this device and is on its way to the server.
    Uploading,
    /// The server has it no longer.
    Expired,
}

const STATES: [AttachmentState; 6] = [
    AttachmentState::Offered,
    AttachmentState::Downloading,
    AttachmentState::Here,
    AttachmentState::Failed,
    AttachmentState::Uploading,
    AttachmentState::Expired,
];

/// Where a file is at a server, and what opens it there.
#[derive(PartialEq, Eq)]
pub struct Remote {
    /// The whole address.
    pub url: String,
    /// The key, in whatever format the address stands for.
    pub key: SecretBytes,
    /// The digest of the sealed bytes; empty in formats that have none.
    pub digest: Vec<u8>,
}

impl Clone for Remote {
    fn clone(&self) -> Self {
        let (url, digest) = (self.url.clone(), self.digest.clone());
        Self { url, key: second(&self.key), digest }
    }
}

/// A sealed file on this device.
pub struct LocalFile {
    /// Its name; the directory is the caller's to know.
    pub name: String,
    /// What it is sealed with.
    pub key: Secret<32>,
    /// How many bytes it holds, opened.
    pub size: u64,
}

/// A file that comes or goes with a message.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAttachment {
    /// What it is to the message.
    pub kind: AttachmentKind,
    /// Its media type, as its author says.
    pub content_type: String,
    /// Its name, as its author says.
    pub name: Option<String>,
    /// What stands under it.
    pub caption: Option<String>,
    /// How many bytes it holds, as its author says.
    pub size: u64,
    /// In pixels.
    pub width: Option<u32>,
    /// In pixels.
    pub height: Option<u32>,
    /// How long it plays.
    pub duration: Option<Millis>,
    /// Where it is; `None` for one that is not uploaded yet.
    pub remote: Option<Remote>,
}

/// A file of a message as it is kept.
pub struct Attachment {
    /// Its number here.
    pub id: AttachmentId,
    /// Whose it is.
    pub message: MessageId,
    /// Its place among the message's files, from 0.
    pub position: u32,
    /// What is known of it.
    pub about: NewAttachment,
    /// How far it got.
    pub state: AttachmentState,
    /// How many bytes of it are through.
    pub progress: u64,
    /// Why it failed.
    pub failure: Option<String>,
    /// The file on this device.
    pub file: Option<LocalFile>,
    /// A small image of it on this device.
    pub thumbnail: Option<LocalFile>,
}

impl NewAttachment {
    /// A file of which nothing but kind, media type and size is known.
    pub fn new(kind: AttachmentKind, content_type: &str, size: u64) -> Self {
        Self {
            kind,
            content_type: content_type.to_owned(),
            name: None,
            caption: None,
            size,
            width: None,
            height: None,
            duration: None,
            remote: None,
        }
    }
}

impl AccountDb {
    /// The files of a message, in their order.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn attachments(&self, message: MessageId) -> Result<Vec<Attachment>, DatabaseError> {
        let query = format!("{COLUMNS} WHERE message_id = ?1 ORDER BY position");
        let mut statement = self.connection.prepare_cached(&query)?;
        let found = statement.query_map([message], attachment)?.collect::<Result<_, _>>()?;
        Ok(found)
    }

    /// One file.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where there is none.
    pub fn attachment(&self, id: AttachmentId) -> Result<Attachment, DatabaseError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
            .query_row([id], attachment)
            .optional()?
            .ok_or(DatabaseError::Gone)
    }

    /// What was on its way when the program ended: to be taken up again or called failed.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn unfinished_attachments(&self) -> Result<Vec<Attachment>, DatabaseError> {
        let query = format!("{COLUMNS} WHERE state IN (1, 4) ORDER BY id");
        let mut statement = self.connection.prepare_cached(&query)?;
        let found = statement.query_map([], attachment)?.collect::<Result<_, _>>()?;
        Ok(found)
    }

    /// Notes how far a file got. `failure` says why, where it failed.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where its message was deleted meanwhile.
    pub fn set_attachment_state(
        &self,
        id: AttachmentId,
        state: AttachmentState,
        failure: Option<&str>,
    ) -> Result<(), DatabaseError> {
        let update = "UPDATE attachments SET state = ?2, failure = ?3 WHERE id = ?1";
        let values = params![id, state, failure];
        there(self.connection.prepare_cached(update)?.execute(values)?)
    }

    /// Notes how many bytes of a file are through.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where its message was deleted meanwhile.
    pub fn set_attachment_progress(
        &self,
        id: AttachmentId,
        bytes: u64,
    ) -> Result<(), DatabaseError> {
        let update = "UPDATE attachments SET progress = ?2 WHERE id = ?1";
        there(self.connection.prepare_cached(update)?.execute(params![id, Col(bytes)])?)
    }

    /// Keeps how a transfer that is interrupted goes on, in its own JSON, and how many bytes of the
    /// file are through. `None` forgets it.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where its message was deleted meanwhile.
    pub fn keep_transfer(
        &self,
        id: AttachmentId,
        transfer: Option<&str>,
        bytes: u64,
    ) -> Result<(), DatabaseError> {
        let update = "UPDATE attachments SET transfer = ?2, progress = ?3 WHERE id = ?1";
        let values = params![id, transfer, Col(bytes)];
        there(self.connection.prepare_cached(update)?.execute(values)?)
    }

    /// How a transfer goes on; `None` where none was interrupted.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where its message was deleted.
    pub fn transfer(&self, id: AttachmentId) -> Result<Option<String>, DatabaseError> {
        let query = "SELECT transfer FROM attachments WHERE id = ?1";
        let found = self.connection.prepare_cached(query)?.query_row([id], |row| row.get(0));
        found.optional()?.ok_or(DatabaseError::Gone)
    }

    /// Notes which file on this device holds an attachment; the one before is to be deleted. The
    /// state is left as it is: a file may be incomplete, or not uploaded yet.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where its message was deleted meanwhile: then `file` is the caller's
    /// to delete.
    pub fn set_attachment_file(
        &self,
        id: AttachmentId,
        file: Option<&LocalFile>,
    ) -> Result<(), DatabaseError> {
        self.set_file(
            "UPDATE attachments SET file = ?2, file_key = ?3, file_size = ?4 WHERE id = ?1",
            id,
            file,
        )
    }

    /// As [`AccountDb::set_attachment_file`], the small image.
    ///
    /// # Errors
    /// As [`AccountDb::set_attachment_file`].
    pub fn set_attachment_thumbnail(
        &self,
        id: AttachmentId,
        file: Option<&LocalFile>,
    ) -> Result<(), DatabaseError> {
        self.set_file(
            "UPDATE attachments SET thumbnail = ?2, thumbnail_key = ?3, thumbnail_size = ?4
             WHERE id = ?1",
            id,
            file,
        )
    }

    fn set_file(
        &self,
        update: &str,
        id: AttachmentId,
        file: Option<&LocalFile>,
    ) -> Result<(), DatabaseError> {
        let name = file.map(|file| &file.name);
        let key = file.map(|file| Col(&file.key));
        let size = file.map(|file| Col(file.size));
        there(self.connection.prepare_cached(update)?.execute(params![id, name, key, size])?)
    }

    /// Notes where a file was uploaded to: it is at the server and here.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where its message was deleted meanwhile.
    pub fn set_attachment_uploaded(
        &self,
        id: AttachmentId,
        remote: &Remote,
    ) -> Result<(), DatabaseError> {
        there(
            self.connection
                .prepare_cached(
                    "UPDATE attachments SET url = ?2, key = ?3, digest = ?4, state = ?5,
                         failure = NULL, transfer = NULL WHERE id = ?1",
                )?
                .execute(params![
                    id,
                    remote.url,
                    remote.key.expose(),
                    remote.digest,
                    AttachmentState::Here
                ])?,
        )
    }

    /// Notes what was learned of a file by looking into it.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where its message was deleted meanwhile.
    pub fn set_attachment_dimensions(
        &self,
        id: AttachmentId,
        width: Option<u32>,
        height: Option<u32>,
        duration: Option<Millis>,
    ) -> Result<(), DatabaseError> {
        let update = "UPDATE attachments SET width = ?2, height = ?3, duration = ?4 WHERE id = ?1";
        let values = params![id, width, height, duration.map(Col)];
        there(self.connection.prepare_cached(update)?.execute(values)?)
    }

    /// The files on this device that belong to nothing any more and are to be deleted.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn doomed_files(&self) -> Result<Vec<String>, DatabaseError> {
        let mut statement =
            self.connection.prepare_cached("SELECT file FROM doomed_files ORDER BY file")?;
        let files = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(files)
    }

    /// Notes that a file was deleted from the disk.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn doomed_file_deleted(&self, file: &str) -> Result<(), DatabaseError> {
        let delete = "DELETE FROM doomed_files WHERE file = ?1";
        self.connection.prepare_cached(delete)?.execute([file])?;
        Ok(())
    }

    /// The names of all files that belong to something: what else lies in the directory can go.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn kept_files(&self) -> Result<Vec<String>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT file FROM attachments WHERE file IS NOT NULL
             UNION SELECT thumbnail FROM attachments WHERE thumbnail IS NOT NULL
             UNION SELECT transfer ->> 'name' FROM attachments
                 WHERE transfer ->> 'name' IS NOT NULL
             UNION SELECT draft ->> '$.file.name' FROM draft_files
             UNION SELECT draft ->> '$.thumbnail.name' FROM draft_files
                 WHERE draft ->> '$.thumbnail.name' IS NOT NULL",
        )?;
        let files = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(files)
    }
}

impl Tx<'_> {
    /// Adds a message's files behind those it has; the search finds their names when the message is
    /// recorded with them, see [`super::Details`].
    pub(super) fn add_attachments(
        &self,
        message: MessageId,
        files: &[NewAttachment],
    ) -> Result<(), DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO attachments (message_id, position, kind, content_type, name, caption,
                 size, width, height, duration, url, key, digest, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?;
        for (position, file) in (0_i64..).zip(files) {
            let state = match file.remote {
                Some(_) => AttachmentState::Offered,
                None => AttachmentState::Uploading,
            };
            statement.execute(params![
                message,
                position,
                file.kind,
                file.content_type,
                file.name,
                file.caption,
                Col(file.size),
                file.width,
                file.height,
                file.duration.map(Col),
                file.remote.as_ref().map(|remote| &remote.url),
                file.remote.as_ref().map(|remote| remote.key.expose()),
                file.remote.as_ref().map(|remote| &remote.digest),
                state,
            ])?;
        }
        Ok(())
    }
}

/// What the search knows a message's files by; `None` where none has a name.
pub(super) fn searchable_names(files: &[NewAttachment]) -> Option<String> {
    let names: Vec<&str> = files
        .iter()
        .flat_map(|file| [file.name.as_deref(), file.caption.as_deref()])
        .flatten()
        .collect();
    (!names.is_empty()).then(|| names.join("\n"))
}

fn there(rows: usize) -> Result<(), DatabaseError> {
    if rows == 0 { Err(DatabaseError::Gone) } else { Ok(()) }
}

fn local_file(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<LocalFile>> {
    let name: Option<String> = row.get(at)?;
    let key: Option<Col<Secret<32>>> = row.get(at + 1)?;
    let size: Option<Col<u64>> = row.get(at + 2)?;
    let (Some(name), Some(Col(key)), Some(Col(size))) = (name, key, size) else { return Ok(None) };
    Ok(Some(LocalFile { name, key, size }))
}

fn attachment(row: &Row<'_>) -> rusqlite::Result<Attachment> {
    let remote = match row.get::<_, Option<String>>(11)? {
        Some(url) => Some(Remote {
            url,
            key: SecretBytes::take(row.get::<_, Option<_>>(12)?.unwrap_or_default()),
            digest: row.get::<_, Option<_>>(13)?.unwrap_or_default(),
        }),
        None => None,
    };
    Ok(Attachment {
        id: row.get(0)?,
        message: row.get(1)?,
        position: row.get(2)?,
        about: NewAttachment {
            kind: row.get(3)?,
            content_type: row.get(4)?,
            name: row.get(5)?,
            caption: row.get(6)?,
            size: row.get::<_, Col<u64>>(7)?.0,
            width: row.get(8)?,
            height: row.get(9)?,
            duration: row.get::<_, Option<Col<Millis>>>(10)?.map(|duration| duration.0),
            remote,
        },
        state: row.get(14)?,
        progress: row.get::<_, Col<u64>>(15)?.0,
        failure: row.get(16)?,
        file: local_file(row, 17)?,
        thumbnail: local_file(row, 20)?,
    })
}

/// Columns of numbers that stand for the entries of a list.
fn numbered<T: Copy>(all: &[T], value: ValueRef<'_>) -> FromSqlResult<T> {
    let number = value.as_i64()?;
    let index = usize::try_from(number).ok();
    index.and_then(|at| all.get(at)).copied().ok_or(FromSqlError::OutOfRange(number))
}

fn number_of<T: PartialEq>(all: &[T], one: &T) -> rusqlite::Result<ToSqlOutput<'static>> {
    let at = all.iter().position(|other| other == one).unwrap_or_default();
    Ok(ToSqlOutput::from(i64::try_from(at).unwrap_or_default()))
}

impl ToSql for AttachmentKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        number_of(&KINDS, self)
    }
}

impl FromSql for AttachmentKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        numbered(&KINDS, value)
    }
}

impl ToSql for AttachmentState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        number_of(&STATES, self)
    }
}

impl FromSql for AttachmentState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        numbered(&STATES, value)
    }
}

impl fmt::Debug for NewAttachment {
    /// Its kind and size alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({} bytes)", self.kind, self.size)
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attachment({}, {:?}, {:?})", self.id.0, self.about, self.state)
    }
}

impl fmt::Debug for LocalFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalFile({} bytes)", self.size)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote(..)")
    }
}
