//! A device is backed up, lost, and comes back from the recovery words and the place alone.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use warren_account::Account;
use warren_client::attachments::StoredFile;
use warren_client::backup::{BackupError, BackupSettings, Depth, Restoring, Target};
use warren_client::database::{Filter, Message, MessageState, Search};
use warren_client::vault::{Cost, VaultError};
use warren_client::{ClientError, Device, Draft, NotificationMode};
use warren_crypto::SystemEntropy;
use warren_wire::AccountId;

/// A place, a device with two accounts, and somebody to write to.
struct Scene {
    folder: TempDir,
    words: String,
    first: AccountId,
    second: AccountId,
    friend: AccountId,
    file: StoredFile,
}

const BIG: usize = 3 << 20;

impl Scene {
    fn new() -> (Self, Device) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("place")).unwrap();
        let mut device =
            Device::create(&folder.path().join("old"), "old passphrase", Cost::LEAST).unwrap();
        let (first, words) = device.create_account("main", Some("Alice")).unwrap();
        let (second, _) = device.create_account("other", None).unwrap();
        device.use_notification_mode(&second.id, NotificationMode::Manual).unwrap();
        let friend = Account::random(&mut SystemEntropy).unwrap().id();
        let messenger = device.messenger(Some("main")).unwrap();
        for number in 0..50 {
            messenger.save_text(&friend, &format!("canary number {number}")).unwrap();
        }
        let content: Vec<u8> = (0..BIG).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let file = messenger.files().put(&content).unwrap();
        let other = device.messenger(Some("other")).unwrap();
        other.save_draft(&friend, &Draft::text("a pseudonym's words")).unwrap();
        let words = words.expose().to_owned();
        let (first, second) = (first.id, second.id);
        let scene = Self { folder, words, first, second, friend, file };
        device.set_backup("main", BackupSettings::new(scene.target(), &scene.first, None)).unwrap();
        (scene, device)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn target(&self) -> Target {
        Target::Folder { path: self.path("place").to_str().unwrap().to_owned() }
    }

    async fn found(&self) -> Restoring {
        Restoring::find(&self.words, &self.target(), None).await.unwrap()
    }

    fn messages(&self, device: &Device, account: &AccountId) -> Vec<Message> {
        let messenger = device.messenger(Some(&account.to_string())).unwrap();
        let filter = Filter { conversation: Some(self.friend), ..Filter::default() };
        messenger.db().with(|db| db.messages(&filter, None, 999)).unwrap().messages
    }
}

async fn back_up(device: &Device) -> warren_client::backup::Made {
    let mut job = device.backup_job("main").unwrap();
    let made = job.run().await.unwrap();
    device.note_backup("main", &made, job.now()).unwrap();
    made
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_back_from_the_words_and_the_place() {
    let (scene, device) = Scene::new();
    let before = (scene.messages(&device, &scene.first), scene.messages(&device, &scene.second));
    let made = back_up(&device).await;
    let again = back_up(&device).await;
    assert_eq!(
        (again.parts, again.unchanged),
        (made.parts, made.parts - 1),
        "all but the settings"
    );
    assert!(again.written <= 64 << 10, "{again:?}");
    drop(device);
    fs::remove_dir_all(scene.path("old")).unwrap();

    let new = scene.path("new");
    scene.found().await.run(&new, "new passphrase", Cost::LEAST).await.unwrap();
    let device = Device::unlock(&new, "new passphrase").unwrap();
    let labels: Vec<_> = device.accounts().unwrap().into_iter().map(|it| it.label).collect();
    assert_eq!(labels, ["main", "other"]);
    assert_eq!(device.mnemonic("main").unwrap().expose(), scene.words);
    assert_eq!(device.notification_mode(&scene.second).unwrap(), NotificationMode::Manual);
    for (account, before) in [(scene.first, before.0), (scene.second, before.1)] {
        let after = scene.messages(&device, &account);
        assert_eq!(after.len(), before.len());
        for (after, before) in after.iter().zip(&before) {
            assert_eq!((after.timestamp, &after.content), (before.timestamp, &before.content));
            assert_eq!(after.state, MessageState::Failed, "whether it was sent nobody knows");
        }
    }
    let messenger = device.messenger(Some("main")).unwrap();
    let found = messenger.db().with(|db| db.search(&Search::new("canary 17"), None, 9)).unwrap();
    assert_eq!(found.hits.len(), 1);
    assert_eq!(
        messenger.db().with(|db| db.next_attempt()).unwrap(),
        None,
        "nothing goes by itself"
    );
    let mut content = Vec::new();
    std::io::copy(&mut messenger.files().open(&scene.file).unwrap(), &mut content).unwrap();
    assert_eq!(content.len(), BIG);
    drop(messenger);

    // It goes on with the same backup, and no plain word is anywhere.
    let third = back_up(&device).await;
    assert!(third.sequence == 3 && third.written < 1 << 20, "{third:?}");
    let verified = device.backup_job("main").unwrap().verify(Depth::Bytes).await.unwrap();
    assert!(verified.is_good(), "{verified:?}");
    for file in files(scene.folder.path()) {
        let bytes = fs::read(&file).unwrap();
        for word in [&b"canary number"[..], b"pseudonym's", scene.words.as_bytes()] {
            assert!(!bytes.windows(word.len()).any(|at| at == word), "{}", file.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_is_there_is_not_written_over() {
    let (scene, device) = Scene::new();
    back_up(&device).await;
    let found = scene.found().await;
    let refused = found.run(&scene.path("old"), "old passphrase", Cost::LEAST).await.unwrap_err();
    assert!(matches!(refused, ClientError::Vault(VaultError::Exists)), "{refused}");
    let refused = found.run(&scene.path("old"), "guessed", Cost::LEAST).await.unwrap_err();
    assert!(matches!(refused, ClientError::Vault(VaultError::WrongPassphrase)), "{refused}");
    assert_eq!(scene.messages(&device, &scene.first).len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_stopped_opens_for_nothing_and_goes_on() {
    let (scene, device) = Scene::new();
    back_up(&device).await;
    let (found, new) = (scene.found().await, scene.path("new"));
    let mut unfinished = 0;
    for wait in [1, 20, 60, 120, 240, 480] {
        let run = found.run(&new, "new passphrase", Cost::LEAST);
        if tokio::time::timeout(Duration::from_millis(wait), run).await.is_ok() {
            break;
        }
        // Its own thread ends a little later.
        tokio::time::sleep(Duration::from_millis(300)).await;
        if Device::exists(&new) && Device::unlock(&new, "new passphrase").is_err() {
            let error = Device::unlock(&new, "new passphrase").err().unwrap();
            assert!(matches!(error, ClientError::UnfinishedRestore), "{error}");
            unfinished += 1;
        }
    }
    if Device::unlock(&new, "new passphrase").is_err() {
        found.run(&new, "new passphrase", Cost::LEAST).await.unwrap();
    }
    let device = Device::unlock(&new, "new passphrase").unwrap();
    assert_eq!(scene.messages(&device, &scene.first).len(), 50);
    assert_eq!(scene.messages(&device, &scene.second).len(), 1);
    assert!(unfinished > 0, "none was stopped halfway");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_part_is_named_and_the_last_good_snapshot_comes_back() {
    let (scene, device) = Scene::new();
    let first = back_up(&device).await;
    let old = files(&scene.path("place"));
    device.messenger(Some("main")).unwrap().files().put(&[7; 5000]).unwrap();
    back_up(&device).await;
    let is_pack = |file: &PathBuf| file.iter().any(|name| name == "0");
    let mut new = files(&scene.path("place"));
    new.retain(|file| is_pack(file) && !old.contains(file));
    assert_eq!(new.len(), 1, "{new:?}");
    let mut bytes = fs::read(&new[0]).unwrap();
    bytes[200] ^= 1;
    fs::write(&new[0], bytes).unwrap();

    let new = scene.path("new");
    let error = scene.found().await.run(&new, "p", Cost::LEAST).await.unwrap_err();
    let ClientError::Backup(BackupError::Part { kind, name, .. }) = &error else {
        panic!("{error}");
    };
    assert!(kind == "device" || kind == "file" && name.starts_with(&scene.first.to_string()));
    let good = first.snapshot.to_string();
    let good = Restoring::find(&scene.words, &scene.target(), Some(&good)).await.unwrap();
    good.run(&new, "p", Cost::LEAST).await.unwrap();
    let device = Device::unlock(&new, "p").unwrap();
    assert_eq!(scene.messages(&device, &scene.first).len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_chosen_accounts_are_in_it_and_only_their_words_open_it() {
    let (scene, device) = Scene::new();
    let mut settings = device.backup("main").unwrap();
    settings.accounts = Some(vec![scene.first.to_string()]);
    device.set_backup("main", settings).unwrap();
    back_up(&device).await;
    let others = device.mnemonic("other").unwrap();
    let nothing = Restoring::find(others.expose(), &scene.target(), None).await.unwrap_err();
    assert!(matches!(nothing, ClientError::Backup(BackupError::Nothing)), "{nothing}");
    scene.found().await.run(&scene.path("new"), "p", Cost::LEAST).await.unwrap();
    let device = Device::unlock(&scene.path("new"), "p").unwrap();
    assert_eq!(device.accounts().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_holds_what_is_here_and_leaves_nothing() {
    let (scene, device) = Scene::new();
    let made = back_up(&device).await;
    let kept = files(&scene.path("old/backup"));
    let trial = device.backup_trial("main").unwrap();
    let tried = trial.run(&made.snapshot.to_string()).await.unwrap();
    let here = device.counting("main").unwrap().count().unwrap();
    assert_eq!(tried.census, here);
    assert_eq!(tried.census.differs_from(&here), None);
    let first = here.of(&scene.first).unwrap();
    assert_eq!((first.messages, first.conversations), (50, 1));
    assert_eq!(tried.restored.parts, made.parts);
    let left: Vec<_> = files(&scene.path("old/backup"));
    let left: Vec<_> = left.iter().filter(|file| !kept.contains(file)).collect();
    assert_eq!(left, [&scene.path("old/backup/trial.lock")]);

    // What is said afterwards is not in it.
    let messenger = device.messenger(Some("main")).unwrap();
    messenger.save_text(&scene.friend, "said later").unwrap();
    let later = device.counting("main").unwrap().count().unwrap();
    assert_eq!(tried.census.differs_from(&later).unwrap().id, scene.first);
    let gone = trial.run("0000").await.unwrap_err();
    assert!(matches!(gone, ClientError::Backup(BackupError::NoSuchSnapshot)), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_that_was_cut_off_stands_in_the_way_of_none_and_opens_for_nobody() {
    let (scene, device) = Scene::new();
    let made = back_up(&device).await;
    let snapshot = made.snapshot.to_string();
    // As a process that was killed leaves it: a home under a code that nobody has.
    let left = scene.path("old/backup/trial");
    Device::create(&left, "a code that is nowhere", Cost::LEAST).unwrap();
    fs::write(left.join("data/0011223344556677.db"), "half").unwrap();
    let trial = device.backup_trial("main").unwrap();
    let other = device.backup_trial("main").unwrap();
    let (first, second) = tokio::join!(trial.run(&snapshot), other.run(&snapshot));
    assert!(first.is_ok(), "{first:?}");
    assert!(matches!(second, Err(ClientError::Backup(BackupError::Busy))), "{second:?}");
    assert!(!left.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_of_a_damaged_backup_fails_and_leaves_nothing() {
    let (scene, device) = Scene::new();
    let made = back_up(&device).await;
    let trial = device.backup_trial("main").unwrap();
    for pack in files(&scene.path("place")) {
        if !pack.iter().any(|name| name == "0") {
            continue;
        }
        let whole = fs::read(&pack).unwrap();
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&pack, bytes).unwrap();
        let error = trial.run(&made.snapshot.to_string()).await.unwrap_err();
        assert!(matches!(error, ClientError::Backup(BackupError::Part { .. })), "{error}");
        assert!(!scene.path("old/backup/trial").exists());
        fs::write(&pack, whole).unwrap();
    }
    assert!(trial.run(&made.snapshot.to_string()).await.is_ok());
}
