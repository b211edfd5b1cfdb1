//! A backup on WebDAV: `rclone serve webdav`, as a process.

use warren_backup::BackupError;
use warren_e2e::Place;

use crate::archives::{archive, lives};

#[tokio::test(flavor = "multi_thread")]
async fn a_webdav_server() {
    let Some(place) = Place::webdav() else { return };
    let mut guessed = place.described.clone();
    guessed["password"] = "guessed".into();
    let guessed = archive(&serde_json::from_value(guessed).unwrap(), 1);
    let error = guessed.snapshots().await.unwrap_err();
    assert!(matches!(&error, BackupError::Place(_)), "{error}");
    lives(&serde_json::from_value(place.described.clone()).unwrap()).await;
}
