//! What happens to uploads between two steps of a request, where no request of its own gets.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use tempfile::TempDir;
use warren_wire::FileId;

use super::content::ObjectName;
use super::index::{Finished, Index};
use super::resumable::Progress;
use super::{FileServer, FilesError, FilesOptions};
use crate::node::now;

const HOUR: u64 = 60 * 60 * 1000;

/// A file server in a folder of its own.
async fn server(change: impl FnOnce(&mut FilesOptions)) -> (Arc<FileServer>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = FilesOptions::in_store(folder.path().join("content").to_str().unwrap());
    options.spare_bytes = 0;
    change(&mut options);
    let files = FileServer::open(&folder.path().join("index"), options).await.unwrap();
    (Arc::new(files), folder)
}

/// An upload that has all its bytes, and whose last request died before it made a file of them.
async fn whole_upload(files: &FileServer, content: &'static [u8]) -> ObjectName {
    let length = content.len() as u64;
    let (object, expires) = files.create(length, HOUR).await.unwrap();
    files.write(object, 0, Bytes::from_static(content)).await.unwrap();
    files.ask(move |index| index.add_part(object, 0, length, expires)).await.unwrap();
    object
}

#[tokio::test]
async fn an_object_becomes_a_file_once_and_stays_its_content() {
    let (files, _folder) = server(|_| {}).await;
    let object = whole_upload(&files, b"content").await;
    let id = FileId::of(b"content").unwrap();
    let finish = move |index: &Index| {
        let remembered = Some(now() + HOUR);
        let new = Finished {
            object,
            id,
            size: 7,
            lifetime: HOUR,
            parts: &[],
            replace: false,
            remembered,
        };
        index.finish(&new, now())
    };
    files.ask(finish).await.unwrap();
    assert!(matches!(files.ask(finish).await, Err(FilesError::NotFound)));
    files.sweep().await.unwrap();
    let body = files.read(&files.find(id).await.unwrap(), 0..7).await.unwrap();
    assert_eq!(to_bytes(body, 100).await.unwrap(), &b"content"[..]);
    assert_eq!(files.used_bytes(), 7);
}

#[tokio::test]
async fn an_upload_that_was_given_up_while_it_was_read_becomes_no_file() {
    let (files, _folder) = server(|_| {}).await;
    let object = whole_upload(&files, b"content").await;
    let id = FileId::of(b"content").unwrap();
    let given_up = files.ask(move |index| {
        index.abandon(object)?;
        let parts = &[];
        let (replace, remembered) = (false, None);
        let new = Finished { object, id, size: 7, lifetime: HOUR, parts, replace, remembered };
        index.finish(&new, now())
    });
    assert!(matches!(given_up.await, Err(FilesError::NotFound)));
    assert!(matches!(files.find(id).await, Err(FilesError::NotFound)));
    files.sweep().await.unwrap();
    assert_eq!(files.used_bytes(), 0);
}

#[tokio::test]
async fn who_waits_while_another_makes_the_file_is_told_of_it() {
    let (files, _folder) = server(|_| {}).await;
    let object = whole_upload(&files, b"content").await;
    let held = files.lock(object).unwrap();
    assert!(matches!(files.progress(object).await, Err(FilesError::Locked)));
    drop(held);
    // Both saw all bytes and no file.
    for _ in 0..2 {
        let told = files.complete_rest(object).await.unwrap();
        assert!(matches!(told, Progress::Done { length: 7, .. }));
    }
    files.sweep().await.unwrap();
    let file = files.find(FileId::of(b"content").unwrap()).await.unwrap();
    assert!(files.read(&file, 0..7).await.is_ok());
}

#[tokio::test]
async fn an_upload_becomes_a_file_though_who_asked_for_it_went_away() {
    let (files, _folder) = server(|_| {}).await;
    let object = whole_upload(&files, b"content").await;
    let asked = tokio::time::timeout(Duration::ZERO, files.progress(object)).await;
    assert!(asked.is_err(), "the asker is gone before the answer is there");
    let id = FileId::of(b"content").unwrap();
    let kept = async {
        while files.find(id).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), kept).await.unwrap();
}

#[tokio::test]
async fn a_part_that_comes_after_its_upload_was_given_up_leaves_nothing() {
    let (files, folder) = server(|_| {}).await;
    let (object, _) = files.create(7, HOUR).await.unwrap();
    let giver = Arc::clone(&files);
    let late = futures_util::stream::once(async move {
        giver.ask(move |index| index.abandon(object)).await.unwrap();
        giver.sweep().await.unwrap();
        Ok::<_, std::io::Error>("content")
    });
    let appended = files.append(object, 0, Body::from_stream(late), None).await;
    assert!(matches!(appended, Err(FilesError::NotFound)));
    let object = object.to_string();
    let content = folder.path().join("content").join(&object[..2]).join(&object);
    assert_eq!((files.used_bytes(), content.exists()), (0, false));
}

/// Brings one byte of an upload.
async fn bring_a_byte(files: &Arc<FileServer>, object: ObjectName) {
    let told = files.append(object, 0, Body::from("c"), None).await.unwrap();
    assert!(matches!(told, Progress::Open { offset: 1, expires, .. } if expires > now() + HOUR));
}

#[tokio::test]
async fn uploads_without_a_byte_give_way_and_others_keep_their_place() {
    let (files, _folder) = server(|options| options.open_uploads = 2).await;
    let (first, expires) = files.create(7, HOUR).await.unwrap();
    assert!(expires <= now() + HOUR / 6, "nobody waits long for a first byte");
    let (second, _) = files.create(7, HOUR).await.unwrap();
    bring_a_byte(&files, first).await;
    let writing = files.lock(second).unwrap();
    assert!(matches!(files.create(7, HOUR).await, Err(FilesError::Busy)));
    drop(writing);
    let (third, _) = files.create(7, HOUR).await.unwrap();
    assert!(matches!(files.progress(second).await, Err(FilesError::NotFound)));
    bring_a_byte(&files, third).await;
    assert!(matches!(files.create(7, HOUR).await, Err(FilesError::Busy)));
    for object in [first, third] {
        assert!(matches!(files.progress(object).await, Ok(Progress::Open { offset: 1, .. })));
    }
}

#[tokio::test]
async fn what_uploads_announce_counts_against_the_quota() {
    let (files, _folder) = server(|options| options.quota_bytes = 100).await;
    let (first, _) = files.create(60, HOUR).await.unwrap();
    bring_a_byte(&files, first).await;
    assert!(matches!(files.create(41, HOUR).await, Err(FilesError::Full)));
    let (second, _) = files.create(40, HOUR).await.unwrap();
    // One that is only announced keeps nobody out.
    let (third, _) = files.create(1, HOUR).await.unwrap();
    assert!(matches!(files.progress(second).await, Err(FilesError::NotFound)));
    assert!(matches!(files.progress(third).await, Ok(Progress::Open { offset: 0, .. })));
}

#[tokio::test]
async fn an_upload_is_not_given_up_while_a_request_writes_to_it() {
    let (files, _folder) = server(|options| options.upload_ttl_seconds = 0).await;
    let (object, _) = files.create(7, HOUR).await.unwrap();
    let writing = files.lock(object).unwrap();
    files.sweep().await.unwrap();
    assert!(files.ask(move |index| index.upload(object)).await.unwrap().is_some());
    drop(writing);
    files.sweep().await.unwrap();
    assert!(files.ask(move |index| index.upload(object)).await.unwrap().is_none());
}
