//! Backups on real places: a folder, SeaweedFS (S3), `rclone serve webdav` and OpenSSH's SFTP server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod archives;
mod corruptions;
mod damage;
mod folder;
mod interrupted;
mod parts;
mod s3;
mod sftp;
mod webdav;
