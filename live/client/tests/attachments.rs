//! Files of a person's device, through a real local network: to a node that keeps files and back, over
//! interruptions, and past servers that lie.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use warren_client::attachments::{
    AttachmentError, Download, FileServer, Format, Metadata, StoredFile, Upload,
};
use warren_client::vault::Cost;
use warren_client::{Device, Messenger};
use warren_message::attachment::pointer::RemoteFile;
use warren_noded::LocalNetwork;
use warren_noded::local_network::Plan;

/// What must be nowhere on the disk.
const MARK: &[u8] = b"the plain text of a person's file";

async fn network(data: &Path) -> LocalNetwork {
    let plan = Plan { nodes: 5, data: data.to_owned(), seed_port: 0, node_port: 0 };
    LocalNetwork::start(&plan).await.unwrap()
}

fn person(home: &Path, network: &LocalNetwork) -> Messenger {
    let mut device = Device::create(home, "passphrase", Cost::LEAST).unwrap();
    device.use_seed(&network.seed().parse().unwrap()).unwrap();
    device.create_account("me", None).unwrap();
    device.messenger(None).unwrap()
}

fn content(size: usize) -> Vec<u8> {
    let numbered = (0_u64..).flat_map(|number| [MARK, &number.to_le_bytes()].concat());
    numbered.take(size).collect()
}

fn read(messenger: &Messenger, file: &StoredFile) -> Vec<u8> {
    let mut read = Vec::new();
    messenger.files().open(file).unwrap().read_to_end(&mut read).unwrap();
    read
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_in(&path)) } else { found.push(path) }
    }
    found
}

/// Whether any file below a folder holds the mark.
fn is_marked(folder: &Path) -> bool {
    let holds = |path: &PathBuf| {
        fs::read(path).is_ok_and(|bytes| bytes.windows(MARK.len()).any(|window| window == MARK))
    };
    files_in(folder).iter().any(holds)
}

/// How many files lie beside the account's database.
fn kept(home: &Path) -> usize {
    files_in(home).iter().filter(|path| path.parent().unwrap().extension().is_some()).count()
}

async fn send(messenger: &Messenger, file: &StoredFile, format: Format) -> RemoteFile {
    let mut upload = Upload::new(file, format, None);
    messenger.upload(&mut upload, &mut |_| ()).await.unwrap().remote
}

async fn fetch(
    messenger: &Messenger,
    remote: &RemoteFile,
    size: u64,
) -> Result<StoredFile, AttachmentError> {
    let mut download = Download::new(remote.url(), Some(size));
    messenger.download(&mut download, remote, &mut |_| ()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_megabytes_go_to_a_node_and_come_back_over_interruptions() {
    let folder = tempfile::tempdir().unwrap();
    let network = network(&folder.path().join("net")).await;
    let (home_a, home_b) = (folder.path().join("a"), folder.path().join("b"));
    let (alice, bob) = (person(&home_a, &network), person(&home_b, &network));
    let content = content(30_000_000);
    let file = alice.files().put(&content).unwrap();

    // The future is dropped amid the upload, and its state kept for another time.
    let mut upload = Upload::new(&file, Format::Stream, None);
    let (stop, mut stopped) = tokio::sync::mpsc::unbounded_channel();
    let mut progress = |upload: &Upload| {
        if upload.sent() > 8_000_000 {
            stop.send(()).unwrap();
        }
    };
    tokio::select! {
        _ = alice.upload(&mut upload, &mut progress) => unreachable!("it was to be stopped"),
        _ = stopped.recv() => {}
    }
    let text = serde_json::to_string(&upload).unwrap();
    let mut upload: Upload = serde_json::from_str(&text).unwrap();
    let mut steps = Vec::new();
    let sent = alice.upload(&mut upload, &mut |upload| steps.push(upload.sent())).await.unwrap();
    assert!(steps[0] > 8_000_000, "{steps:?}");
    assert!(steps.is_sorted() && steps.last() == Some(&sent.stored), "{steps:?}");

    // The same with the download.
    let remote = sent.remote;
    let mut download = Download::new(remote.url(), Some(file.size)).keep_when_dropped(true);
    let (stop, mut stopped) = tokio::sync::mpsc::unbounded_channel();
    let mut progress = |download: &Download| {
        assert!(!is_marked(&home_b));
        if download.received() > 8_000_000 {
            stop.send(()).unwrap();
        }
    };
    tokio::select! {
        _ = bob.download(&mut download, &remote, &mut progress) => unreachable!("stopped"),
        _ = stopped.recv() => {}
    }
    assert_eq!(kept(&home_b), 1);
    let text = serde_json::to_string(&download).unwrap();
    let mut download: Download = serde_json::from_str(&text).unwrap();
    let mut steps = Vec::new();
    let progress = &mut |download: &Download| steps.push(download.received());
    let fetched = bob.download(&mut download, &remote, progress).await.unwrap();
    assert!(steps[0] > 8_000_000, "{steps:?}");
    assert!(read(&bob, &fetched) == content);
    assert_eq!(kept(&home_b), 1);
    assert!(!is_marked(&home_a) && !is_marked(&home_b));
    assert!(!is_marked(&folder.path().join("net")));
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_go_on_after_an_outage_in_another_run_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("net");
    let nodes = network(&data).await;
    let home = folder.path().join("a");
    let alice = person(&home, &nodes);
    let content = content(6_000_000);
    let file = alice.files().put(&content).unwrap();
    let remote = send(&alice, &file, Format::Legacy).await;
    let other = alice.files().put(&content[1..]).unwrap();
    let mut upload = Upload::new(&other, Format::Legacy, None);
    let mut download = Download::new(remote.url(), Some(file.size));

    let (stop, mut stopped) = tokio::sync::mpsc::unbounded_channel();
    let up_stop = stop.clone();
    let mut up = |upload: &Upload| {
        if upload.sent() > 0 {
            up_stop.send(()).unwrap();
        }
    };
    let mut down = |_: &Download| stop.send(()).unwrap();
    let outage = async {
        stopped.recv().await;
        nodes.stop().await;
    };
    let (sent, fetched, ()) = tokio::join!(
        alice.upload(&mut upload, &mut up),
        alice.download(&mut download, &remote, &mut down),
        outage,
    );
    assert!(sent.is_err_and(|error| error.is_network()), "the outage came too late");
    assert!(fetched.is_err_and(|error| error.is_network()), "the outage came too late");
    let texts =
        (serde_json::to_string(&upload).unwrap(), serde_json::to_string(&download).unwrap());
    drop(alice);

    // The nodes come back on other ports: their keys in the addresses lead to them.
    let nodes = network(&data).await;
    let mut device = Device::unlock(&home, "passphrase").unwrap();
    device.use_seed(&nodes.seed().parse().unwrap()).unwrap();
    let alice = device.messenger(None).unwrap();
    let mut upload: Upload = serde_json::from_str(&texts.0).unwrap();
    let mut download: Download = serde_json::from_str(&texts.1).unwrap();
    let fetched = alice.download(&mut download, &remote, &mut |_| ()).await.unwrap();
    assert!(read(&alice, &fetched) == content);
    let sent = alice.upload(&mut upload, &mut |_| ()).await.unwrap();
    let fetched = fetch(&alice, &sent.remote, other.size).await.unwrap();
    assert!(read(&alice, &fetched) == content[1..]);
    assert_eq!(kept(&home), 4);
    assert!(!is_marked(&home));
    nodes.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_formats_and_every_size_travel() {
    let folder = tempfile::tempdir().unwrap();
    let network = network(&folder.path().join("net")).await;
    let home = folder.path().join("a");
    let alice = person(&home, &network);
    for size in [0, 1, 100_000, 3_000_000] {
        let content = content(size);
        let file = alice.files().put(&content).unwrap();
        for format in [Format::Stream, Format::Legacy] {
            let remote = send(&alice, &file, format).await;
            assert_eq!(remote.url().is_stream(), format == Format::Stream);
            let fetched = fetch(&alice, &remote, file.size).await.unwrap();
            assert!(read(&alice, &fetched) == content, "{size} {format:?}");
        }
    }
    // The same file of the same sender is the same file at the same server.
    let file = alice.files().put(b"twice").unwrap();
    let node = FileServer::of_url(send(&alice, &file, Format::Stream).await.url()).unwrap();
    let mut urls = Vec::new();
    for _ in 0..2 {
        let mut upload = Upload::new(&file, Format::Stream, Some(node.clone()));
        let sent = alice.upload(&mut upload, &mut |_| ()).await.unwrap();
        urls.push(sent.remote.url().as_str().to_owned());
    }
    assert_eq!(urls[0], urls[1]);
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_is_cancelled_leaves_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let network = network(&folder.path().join("net")).await;
    let home = folder.path().join("a");
    let alice = person(&home, &network);
    let file = alice.files().put(&content(6_000_000)).unwrap();
    let remote = send(&alice, &file, Format::Stream).await;

    let mut download = Download::new(remote.url(), Some(file.size));
    let (stop, mut stopped) = tokio::sync::mpsc::unbounded_channel();
    let mut progress = |_: &Download| stop.send(()).unwrap();
    tokio::select! {
        _ = alice.download(&mut download, &remote, &mut progress) => unreachable!("stopped"),
        _ = stopped.recv() => {}
    }
    assert_eq!(kept(&home), 1);
    // A half upload is given up at the server: what is asked about it is begun anew.
    let mut upload = Upload::new(&file, Format::Legacy, None);
    let (stop, mut stopped) = tokio::sync::mpsc::unbounded_channel();
    let mut progress = |upload: &Upload| {
        if upload.sent() > 0 {
            stop.send(()).unwrap();
        }
    };
    tokio::select! {
        _ = alice.upload(&mut upload, &mut progress) => unreachable!("stopped"),
        _ = stopped.recv() => {}
    }
    let text = serde_json::to_string(&upload).unwrap();
    alice.cancel_upload(upload).await.unwrap();
    let mut upload: Upload = serde_json::from_str(&text).unwrap();
    let mut steps = Vec::new();
    alice.upload(&mut upload, &mut |upload| steps.push(upload.sent())).await.unwrap();
    assert_eq!(steps[0], 0);
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photograph_goes_out_without_its_place_and_with_a_small_picture() {
    let folder = tempfile::tempdir().unwrap();
    let network = network(&folder.path().join("net")).await;
    let home = folder.path().join("a");
    let alice = person(&home, &network);
    let mut photograph = Vec::new();
    let pixels = image::DynamicImage::new_rgb8(800, 400);
    pixels.write_to(&mut Cursor::new(&mut photograph), image::ImageFormat::Jpeg).unwrap();
    // A comment behind the beginning of the image.
    let comment = [&[0xff, 0xfe, 0, 2 + u8::try_from(MARK.len()).unwrap()], MARK].concat();
    photograph.splice(2..2, comment);

    let source = Cursor::new(photograph.clone());
    let kept = alice.import(source, None, Metadata::Keep).await.unwrap();
    assert!(read(&alice, &kept.file) == photograph);
    let source = Cursor::new(photograph.clone());
    let taken = alice.import(source, Some("holiday.txt"), Metadata::Strip).await.unwrap();
    assert_eq!((taken.media_type.as_str(), taken.dimensions), ("image/jpeg", Some((800, 400))));
    let remote = send(&alice, &taken.file, Format::Stream).await;
    let fetched = fetch(&alice, &remote, taken.file.size).await.unwrap();
    let shown = read(&alice, &fetched);
    assert!(!shown.windows(MARK.len()).any(|window| window == MARK));
    let shown = image::load_from_memory(&shown).unwrap();
    assert_eq!((shown.width(), shown.height()), (800, 400));
    let (small, _) = taken.thumbnail.unwrap();
    assert_eq!(image::load_from_memory(&read(&alice, &small)).unwrap().width(), 320);

    let text = alice.import(MARK, Some("notes.md"), Metadata::Strip).await.unwrap();
    assert_eq!((text.media_type.as_str(), text.thumbnail), ("text/markdown", None));
    let half = Cursor::new(photograph[..400].to_vec());
    let damaged = alice.import(half, None, Metadata::Strip).await;
    assert!(matches!(damaged, Err(AttachmentError::Image)), "{damaged:?}");
    assert!(!is_marked(&home));
    fs::write(home.join("plain"), MARK).unwrap();
    assert!(is_marked(&home));
    network.stop().await;
}

#[test]
fn files_that_no_message_has_are_swept_at_the_next_start_and_go_with_their_account() {
    let folder = tempfile::tempdir().unwrap();
    let mut device = Device::create(folder.path(), "passphrase", Cost::LEAST).unwrap();
    device.create_account("me", None).unwrap();
    device.create_account("other", None).unwrap();
    let messenger = device.messenger(Some("me")).unwrap();
    let file = messenger.files().put(b"x").unwrap();
    device.messenger(Some("other")).unwrap().files().put(b"x").unwrap();
    drop(messenger);
    assert!(device.messenger(Some("me")).unwrap().files().open(&file).is_ok(), "it is young");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 60 * 60);
    for path in files_in(folder.path()).iter().filter(|path| path.ends_with(file.name.as_str())) {
        fs::OpenOptions::new().write(true).open(path).unwrap().set_modified(old).unwrap();
    }
    assert!(device.messenger(Some("me")).unwrap().files().open(&file).is_err());
    assert_eq!(kept(folder.path()), 1);
    device.remove_account("other").unwrap();
    assert_eq!(kept(folder.path()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_alters_cuts_or_swaps_a_file_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("net");
    let network = network(&data).await;
    let home = folder.path().join("a");
    let alice = person(&home, &network);
    for format in [Format::Stream, Format::Legacy] {
        let file = alice.files().put(&content(400_000)).unwrap();
        let remote = send(&alice, &file, format).await;
        let other = alice.files().put(&content(400_001)).unwrap();
        let other = send(&alice, &other, format).await;
        let swapped = RemoteFile::new(other.url(), remote.key().clone());
        let before = kept(&home);
        let refused = fetch(&alice, &swapped, file.size).await;
        assert!(matches!(refused, Err(AttachmentError::Corrupt(_))), "{refused:?}");

        let small = fetch(&alice, &remote, 1).await;
        assert!(small.is_ok(), "a little more than was said is padding: {small:?}");
        alice.files().remove(&small.unwrap().name).unwrap();

        // The node's own disk is where the lies are made.
        let stored = format.stored_len(file.size);
        let contents: Vec<_> = files_in(&data)
            .into_iter()
            .filter(|path| fs::metadata(path).unwrap().len() == stored)
            .collect();
        assert!(!contents.is_empty());
        let flip = |at: usize| {
            for path in &contents {
                let mut bytes = fs::read(path).unwrap();
                bytes[at] ^= 1;
                fs::write(path, bytes).unwrap();
            }
        };
        for at in [0, 20, 70_000, usize::try_from(stored).unwrap() - 1] {
            flip(at);
            let refused = fetch(&alice, &remote, file.size).await;
            assert!(matches!(refused, Err(AttachmentError::Corrupt(_))), "{at}: {refused:?}");
            flip(at);
        }
        let whole = fetch(&alice, &remote, file.size).await.unwrap();
        alice.files().remove(&whole.name).unwrap();
        assert_eq!(kept(&home), before);
        for path in &contents {
            fs::OpenOptions::new().write(true).open(path).unwrap().set_len(stored - 1_000).unwrap();
        }
        assert!(fetch(&alice, &remote, file.size).await.is_err());
    }
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_or_at_a_server_nobody_reaches_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let network = network(&folder.path().join("net")).await;
    let alice = person(&folder.path().join("a"), &network);
    let file = alice.files().put(b"x").unwrap();
    let remote = send(&alice, &file, Format::Stream).await;
    let server = FileServer::of_url(remote.url()).unwrap();
    let gone = server.url_of("iBE4bTXi02LqZpnAFL99yO2KWKpbpFYtGjEEk43-oiTg").unwrap();
    let gone = RemoteFile::new(&gone, remote.key().clone());
    assert!(matches!(fetch(&alice, &gone, 1).await, Err(AttachmentError::Expired)));
    // These nodes ask no server outside for others.
    let outside = FileServer::session().url_of("1").unwrap();
    let outside = RemoteFile::new(&outside, remote.key().clone());
    let refused = fetch(&alice, &outside, 1).await.unwrap_err();
    assert!(refused.to_string().contains("no node passes requests on"), "{refused}");
    network.stop().await;
}
