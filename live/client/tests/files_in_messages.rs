//! Files in messages, between people on a real local network whose nodes keep files: images without
//! their places, several at once, over restarts, and nothing of them in plain text on any disk.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use warren_client::attachments::Metadata;
use warren_client::database::{Attachment, AttachmentKind, AttachmentState, Filter, Message};
use warren_client::vault::Cost;
use warren_client::{DeleteFor, Delivery, Device, Draft, Event, Messenger};
use warren_noded::LocalNetwork;
use warren_noded::local_network::Plan;
use warren_wire::AccountId;

/// What must be nowhere on a disk.
const MARK: &[u8] = b"48.8583 N, 2.2945 E, in plain text";

struct World {
    folder: TempDir,
    network: LocalNetwork,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("net");
        let plan = Plan { nodes: 5, data, seed_port: 0, node_port: 0 };
        let network = LocalNetwork::start(&plan).await.unwrap();
        Self { folder, network }
    }

    fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn person(&self, name: &str) -> (Messenger, AccountId) {
        let mut device = Device::create(&self.home(name), "passphrase", Cost::LEAST).unwrap();
        device.use_seed(&self.network.seed().parse().unwrap()).unwrap();
        let (entry, _) = device.create_account(name, Some(name)).unwrap();
        (device.messenger(None).unwrap(), entry.id)
    }

    fn again(&self, name: &str) -> Messenger {
        Device::unlock(&self.home(name), "passphrase").unwrap().messenger(None).unwrap()
    }

    fn assert_nothing_in_plain_text(&self) {
        let holds = |path: &PathBuf| {
            fs::read(path).is_ok_and(|bytes| bytes.windows(MARK.len()).any(|part| part == MARK))
        };
        assert_eq!(files_in(self.folder.path()).into_iter().find(holds), None);
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_in(&path)) } else { found.push(path) }
    }
    found
}

/// How many files lie beside the account's database.
fn kept(home: &Path) -> usize {
    files_in(home).iter().filter(|path| path.parent().unwrap().extension().is_some()).count()
}

/// A photograph that says where it was taken.
fn photograph() -> Vec<u8> {
    let mut photograph = Vec::new();
    let pixels = image::DynamicImage::new_rgb8(800, 400);
    pixels.write_to(&mut Cursor::new(&mut photograph), image::ImageFormat::Jpeg).unwrap();
    let comment = [&[0xff, 0xfe, 0, 2 + u8::try_from(MARK.len()).unwrap()], MARK].concat();
    photograph.splice(2..2, comment);
    photograph
}

fn content(size: usize) -> Vec<u8> {
    let numbered = (0_u64..).flat_map(|number| [MARK, &number.to_le_bytes()].concat());
    numbered.take(size).collect()
}

fn messages(messenger: &Messenger, conversation: &AccountId) -> Vec<Message> {
    let filter = Filter { conversation: Some(*conversation), unread: false };
    messenger.db().with(|db| db.messages(&filter, None, 100)).unwrap().messages
}

fn attachments(messenger: &Messenger, message: &Message) -> Vec<Attachment> {
    messenger.db().with(|db| db.attachments(message.id)).unwrap()
}

fn read(mut from: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn files_come_with_a_message_and_a_photograph_without_its_place() {
    let world = World::new().await;
    let ((alice, _), (bob, bob_id)) = (world.person("Alice"), world.person("Bob"));
    let alice_id = alice.account().id;
    let text = content(2_000_000);
    let source = Cursor::new(photograph());
    let photo = alice.attach(source, Some("eiffel.jpg"), Metadata::Strip, false).await.unwrap();
    assert_eq!(photo.dimensions(), Some((800, 400)));
    let source = Cursor::new(text.clone());
    let report = alice.attach(source, Some("report.txt"), Metadata::Strip, false).await.unwrap();
    let source = Cursor::new(b"OggS spoken".to_vec());
    let voice = alice.attach(source, Some("v.ogg"), Metadata::Strip, true).await.unwrap();
    let draft = Draft { files: vec![photo, report, voice], ..Draft::text("look") };
    let (message, _) = alice.save_draft(&bob_id, &draft).unwrap();
    assert_eq!(alice.deliver_message(message).await.unwrap(), Delivery::Delivered);
    let own = attachments(&alice, &messages(&alice, &bob_id)[0]);
    assert!(own.iter().all(|file| file.state == AttachmentState::Here));

    bob.receive().await.unwrap();
    let got = messages(&bob, &alice_id);
    assert_eq!(got.len(), 1);
    let files = attachments(&bob, &got[0]);
    let kinds: Vec<_> = files.iter().map(|file| file.about.kind).collect();
    assert_eq!(kinds, [AttachmentKind::Image, AttachmentKind::File, AttachmentKind::Voice]);
    let names: Vec<_> = files.iter().map(|file| file.about.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["eiffel.jpg", "report.txt", "v.ogg"]);
    for file in &files {
        assert_eq!(file.state, AttachmentState::Offered);
        assert_eq!(bob.open_attachment(file.id).unwrap_err().code(), "file_missing");
        bob.fetch_attachment(file.id).await.unwrap();
    }
    let photo = read(bob.open_attachment(files[0].id).unwrap());
    assert!(!photo.windows(MARK.len()).any(|part| part == MARK));
    assert_eq!(image::load_from_memory(&photo).unwrap().width(), 800);
    let small = read(bob.open_thumbnail(files[0].id).unwrap().unwrap());
    assert_eq!(image::load_from_memory(&small).unwrap().width(), 320);
    assert!(read(bob.open_attachment(files[1].id).unwrap()) == text);
    world.assert_nothing_in_plain_text();

    // Handed out it is plain, where the person says and nothing is in the way.
    let outside = tempfile::tempdir().unwrap();
    let place = outside.path().join("report.txt");
    bob.export_attachment(files[1].id, &place).unwrap();
    assert!(fs::read(&place).unwrap() == text);
    assert!(bob.export_attachment(files[1].id, &place).is_err());

    // Files go with their messages.
    assert_eq!(kept(&world.home("Bob")), 4);
    bob.delete(&[got[0].id], DeleteFor::Me).unwrap();
    assert_eq!(kept(&world.home("Bob")), 0);
    world.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_were_chosen_wait_for_their_message_over_a_restart_and_go_with_it_once() {
    let world = World::new().await;
    let ((alice, _), (_, bob_id)) = (world.person("Alice"), world.person("Bob"));
    let mut kept_drafts = Vec::new();
    for (bytes, name) in [(photograph(), "eiffel.jpg"), (content(70_000), "plan.bin")] {
        let source = Cursor::new(bytes);
        let mut file = alice.attach(source, Some(name), Metadata::Strip, false).await.unwrap();
        file.caption = Some(format!("the {name}"));
        kept_drafts.push(alice.keep_draft(&file).unwrap());
    }
    drop(alice);
    // A week on the disk is nothing that a start sweeps away.
    for file in files_in(&world.home("Alice")) {
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(6 * 86_400);
        fs::File::options().write(true).open(file).unwrap().set_modified(long_ago).unwrap();
    }
    let alice = world.again("Alice");
    assert_eq!(kept(&world.home("Alice")), 3, "both, and a small picture");
    let files = alice.kept_drafts(&kept_drafts).unwrap();
    assert_eq!((files[0].dimensions(), files[1].size()), (Some((800, 400)), 70_000));
    let draft = Draft { files, ..Draft::default() };
    let (message, _) = alice.save_draft(&bob_id, &draft).unwrap();
    assert!(alice.save_draft(&bob_id, &draft).is_err(), "another message does not get them");
    assert_eq!(alice.kept_drafts(&kept_drafts).unwrap_err().code(), "no_such_draft");
    assert_eq!(alice.deliver_message(message).await.unwrap(), Delivery::Delivered);
    drop(alice);
    let alice = world.again("Alice");
    let sent = attachments(&alice, &messages(&alice, &bob_id)[0]);
    assert!(read(alice.open_attachment(sent[1].id).unwrap()) == content(70_000));
    assert_eq!(sent[0].about.caption.as_deref(), Some("the eiffel.jpg"));
    world.assert_nothing_in_plain_text();

    // What is given up goes from the disk at once.
    let source = Cursor::new(content(10));
    let file = alice.attach(source, None, Metadata::Strip, false).await.unwrap();
    let id = alice.keep_draft(&file).unwrap();
    assert_eq!(kept(&world.home("Alice")), 4);
    alice.give_up_draft(id).unwrap();
    assert_eq!(kept(&world.home("Alice")), 3);
    assert_eq!(alice.give_up_draft(id).unwrap_err().code(), "no_such_draft");
    world.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_files_are_on_their_way_goes_on_after_a_restart_and_is_sent_once() {
    let world = World::new().await;
    let ((alice, _), (bob, bob_id)) = (world.person("Alice"), world.person("Bob"));
    let alice_id = alice.account().id;
    let large = content(9_000_000);
    let source = Cursor::new(b"small".to_vec());
    let first = alice.attach(source, Some("a.bin"), Metadata::Strip, false).await.unwrap();
    let source = Cursor::new(large.clone());
    let second = alice.attach(source, Some("b.bin"), Metadata::Strip, false).await.unwrap();
    let files = vec![first, second];
    let (message, _) = alice.save_draft(&bob_id, &Draft { files, ..Draft::default() }).unwrap();
    // Stopped amid the second file.
    let mut listener = alice.events().listen();
    let amid = async {
        loop {
            let event = listener.next().await.unwrap().event;
            if matches!(event, Event::Transfer { position: 1, done, .. } if done > 1_000_000) {
                return;
            }
        }
    };
    tokio::select! {
        _ = alice.deliver_message(message) => unreachable!("it was to be stopped"),
        () = amid => {}
    }
    drop((alice, listener));
    let alice = world.again("Alice");
    let own = attachments(&alice, &messages(&alice, &bob_id)[0]);
    let states: Vec<_> = own.iter().map(|file| file.state).collect();
    assert_eq!(states, [AttachmentState::Here, AttachmentState::Uploading]);
    assert!(own[1].progress > 1_000_000);
    assert_eq!(bob.receive().await.unwrap(), 0);

    alice.deliver_all().await.unwrap();
    assert_eq!(alice.deliver_all().await.unwrap(), 0);
    assert_eq!(bob.receive().await.unwrap(), 1);
    let got = messages(&bob, &alice_id);
    let files = attachments(&bob, &got[0]);
    assert_eq!(files.len(), 2);

    // The same on the other side: stopped, cancelled, and fetched.
    let mut listener = bob.events().listen();
    let amid = async {
        loop {
            let event = listener.next().await.unwrap().event;
            if matches!(event, Event::Transfer { position: 1, done, .. } if done > 1_000_000) {
                return;
            }
        }
    };
    tokio::select! {
        _ = bob.fetch_attachment(files[1].id) => unreachable!("it was to be stopped"),
        () = amid => {}
    }
    drop((bob, listener));
    let bob = world.again("Bob");
    assert_eq!(kept(&world.home("Bob")), 1);
    let half = bob.db().with(|db| db.attachment(files[1].id)).unwrap();
    assert_eq!(half.state, AttachmentState::Downloading);
    assert!(half.progress > 1_000_000);
    bob.fetch_attachment(files[1].id).await.unwrap();
    assert!(read(bob.open_attachment(files[1].id).unwrap()) == large);
    assert_eq!(kept(&world.home("Bob")), 1);
    world.assert_nothing_in_plain_text();
    world.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_cancelled_leaves_nothing_and_can_begin_anew() {
    let world = World::new().await;
    let (alice, own) = world.person("Alice");
    let source = Cursor::new(content(6_000_000));
    let file = alice.attach(source, Some("b.bin"), Metadata::Strip, false).await.unwrap();
    let draft = Draft { files: vec![file], ..Draft::default() };
    alice.save_draft(&own, &draft).unwrap();
    alice.deliver_all().await.unwrap();
    let words = Device::unlock(&world.home("Alice"), "passphrase").unwrap().mnemonic("Alice");
    let home = world.home("second");
    let mut device = Device::create(&home, "passphrase", Cost::LEAST).unwrap();
    device.use_seed(&world.network.seed().parse().unwrap()).unwrap();
    device.restore_account(words.unwrap().expose(), "Alice", None).unwrap();
    let second = device.messenger(None).unwrap();
    second.receive().await.unwrap();
    let id = attachments(&second, &messages(&second, &own)[0])[0].id;
    let mut listener = second.events().listen();
    let amid = async {
        loop {
            let event = listener.next().await.unwrap().event;
            if matches!(event, Event::Transfer { done, .. } if done > 500_000) {
                return;
            }
        }
    };
    tokio::select! {
        _ = second.fetch_attachment(id) => unreachable!("it was to be stopped"),
        () = amid => {}
    }
    assert_eq!(kept(&home), 1);
    second.cancel_attachment(id).await.unwrap();
    assert_eq!(kept(&home), 0);
    second.fetch_attachment(id).await.unwrap();
    assert!(read(second.open_attachment(id).unwrap()) == content(6_000_000));
    world.network.stop().await;
}
