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
use crate::held::Share;
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
    let (object, expires) = files.create(length, HOUR, Share::Unknown).await.unwrap();
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
    let (object, _) = files.create(7, HOUR, Share::Unknown).await.unwrap();
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
    let (first, expires) = files.create(7, HOUR, Share::Unknown).await.unwrap();
    assert!(expires <= now() + HOUR / 6, "nobody waits long for a first byte");
    let (second, _) = files.create(7, HOUR, Share::Unknown).await.unwrap();
    bring_a_byte(&files, first).await;
    let writing = files.lock(second).unwrap();
    assert!(matches!(files.create(7, HOUR, Share::Unknown).await, Err(FilesError::Busy)));
    drop(writing);
    let (third, _) = files.create(7, HOUR, Share::Unknown).await.unwrap();
    assert!(matches!(files.progress(second).await, Err(FilesError::NotFound)));
    bring_a_byte(&files, third).await;
    assert!(matches!(files.create(7, HOUR, Share::Unknown).await, Err(FilesError::Busy)));
    for object in [first, third] {
        assert!(matches!(files.progress(object).await, Ok(Progress::Open { offset: 1, .. })));
    }
}

#[tokio::test]
async fn what_uploads_announce_counts_against_the_quota() {
    let (files, _folder) = server(|options| options.quota_bytes = 100).await;
    let (first, _) = files.create(60, HOUR, Share::Unknown).await.unwrap();
    bring_a_byte(&files, first).await;
    assert!(matches!(files.create(41, HOUR, Share::Unknown).await, Err(FilesError::Full)));
    let (second, _) = files.create(40, HOUR, Share::Unknown).await.unwrap();
    // One that is only announced keeps nobody out.
    let (third, _) = files.create(1, HOUR, Share::Unknown).await.unwrap();
    assert!(matches!(files.progress(second).await, Err(FilesError::NotFound)));
    assert!(matches!(files.progress(third).await, Ok(Progress::Open { offset: 0, .. })));
}

#[tokio::test]
async fn an_upload_is_not_given_up_while_a_request_writes_to_it() {
    let (files, _folder) = server(|options| options.upload_ttl_seconds = 0).await;
    let (object, _) = files.create(7, HOUR, Share::Unknown).await.unwrap();
    let writing = files.lock(object).unwrap();
    files.sweep().await.unwrap();
    assert!(files.ask(move |index| index.upload(object)).await.unwrap().is_some());
    drop(writing);
    files.sweep().await.unwrap();
    assert!(files.ask(move |index| index.upload(object)).await.unwrap().is_none());
}

/// A client by its address.
fn from(address: &str) -> Share {
    Share::Client(address.parse::<std::net::IpAddr>().unwrap().into())
}

/// How many uploads with a byte a client may have beside each other, of those that it tries to begin.
async fn begun(files: &Arc<FileServer>, tried: impl Iterator<Item = Share>) -> usize {
    let mut begun = 0;
    for who in tried {
        if let Ok((object, _)) = files.create(7, HOUR, who).await {
            bring_a_byte(files, object).await;
            begun += 1;
        }
    }
    begun
}

#[tokio::test]
async fn no_client_takes_the_places_of_the_others() {
    let (files, _folder) = server(|options| options.open_uploads = 64).await;
    assert_eq!(begun(&files, (0..20).map(|_| from("192.0.2.1"))).await, 4);
    let households = (0..64).map(|number| from(&format!("2001:db8:1:{number:x}::1")));
    assert_eq!(begun(&files, households).await, 32, "one site");
    assert_eq!(begun(&files, (0..20).map(|_| from("192.0.2.2"))).await, 4);
    assert_eq!(begun(&files, (0..64).map(|_| Share::Unknown)).await, 24, "what is left");
    let own = files.create(7, HOUR, from("192.0.2.1")).await;
    assert!(matches!(own, Err(FilesError::Busy)));
}

#[tokio::test]
async fn onions_leave_places_and_a_place_is_had_again_when_its_upload_ends() {
    let (files, _folder) = server(|options| options.open_uploads = 16).await;
    assert_eq!(begun(&files, (0..20).map(|_| Share::Unknown)).await, 12);
    let client = from("192.0.2.1");
    for _ in 0..5 {
        let (object, _) = files.create(7, HOUR, client).await.unwrap();
        bring_a_byte(&files, object).await;
        assert!(matches!(files.create(7, HOUR, client).await, Err(FilesError::Busy)));
        files.cancel(object).await.unwrap();
    }
    assert!(files.create(7, HOUR, client).await.is_ok());
}

#[tokio::test]
async fn one_client_does_not_promise_all_the_room() {
    let limits = |options: &mut FilesOptions| {
        (options.quota_bytes, options.largest_bytes) = (1_600, 100);
    };
    let (files, _folder) = server(limits).await;
    let client = from("192.0.2.1");
    let (object, _) = files.create(100, HOUR, client).await.unwrap();
    bring_a_byte(&files, object).await;
    assert!(matches!(files.create(2, HOUR, client).await, Err(FilesError::Full)));
    assert!(files.create(1, HOUR, client).await.is_ok());
    assert!(files.create(100, HOUR, from("192.0.2.2")).await.is_ok());
}

#[tokio::test]
async fn of_uploads_that_rest_those_with_the_fewest_bytes_give_way() {
    let (files, _folder) = server(|options| options.open_uploads = 3).await;
    let mut begun = Vec::new();
    for bytes in ["more", "a", "most of it"] {
        let (object, _) = files.create(20, HOUR, Share::Unknown).await.unwrap();
        files.append(object, 0, Body::from(bytes), None).await.unwrap();
        begun.push(object);
    }
    assert!(matches!(files.create(20, HOUR, Share::Unknown).await, Err(FilesError::Busy)));
    // The first two had their last byte an hour ago.
    let rested = now() + (files.options.upload_ttl_seconds * 1000) - HOUR;
    for (object, offset, length) in [(begun[0], 0, 4), (begun[1], 0, 1)] {
        let noted = move |index: &Index| index.add_part(object, offset, length, rested);
        files.ask(noted).await.unwrap();
    }
    let (new, _) = files.create(20, HOUR, Share::Unknown).await.unwrap();
    bring_a_byte(&files, new).await;
    assert!(matches!(files.progress(begun[1]).await, Err(FilesError::NotFound)));
    let (new, _) = files.create(20, HOUR, Share::Unknown).await.unwrap();
    bring_a_byte(&files, new).await;
    assert!(matches!(files.progress(begun[0]).await, Err(FilesError::NotFound)));
    assert!(matches!(files.create(20, HOUR, Share::Unknown).await, Err(FilesError::Busy)));
    assert!(files.progress(begun[2]).await.is_ok());
}
