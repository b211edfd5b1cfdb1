//! What is found by somebody who has the files, and by somebody who reads the terminal.

use std::fs;

use super::*;
use crate::vault::VaultError;

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Asserts that no file under `home` holds or is named after any needle.
fn assert_absent(home: &Path, needles: &[(&str, Vec<u8>)]) {
    let mut found = Vec::new();
    files(home, &mut found);
    assert!(found.len() >= 3, "the slots, an index and an account");
    for path in found {
        let bytes = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().as_bytes();
        for (what, needle) in needles {
            let holds = |hay: &[u8]| hay.windows(needle.len()).any(|window| window == needle);
            assert!(!holds(&bytes) && !holds(name), "{what} in {}", path.display());
        }
    }
}

/// How often this process's memory holds bytes that are given with every bit turned, so that what
/// is given is no hit.
#[cfg(target_os = "linux")]
fn in_memory(turned: &[u8]) -> usize {
    use std::os::unix::fs::FileExt;

    let memory = fs::File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut found = 0;
    for line in maps.lines().filter(|line| line.split(' ').nth(1).unwrap().starts_with("rw")) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let number = |digits| u64::from_str_radix(digits, 16).unwrap();
        let mut bytes = vec![0; usize::try_from(number(end) - number(start)).unwrap()];
        let read = memory.read_at(&mut bytes, number(start)).unwrap_or(0);
        found += bytes[..read]
            .windows(turned.len())
            .filter(|window| window.iter().zip(turned).all(|(byte, turned)| *byte == !turned))
            .count();
        bytes.fill(0);
    }
    found
}

#[test]
#[cfg(target_os = "linux")]
fn the_text_of_a_database_key_is_in_no_memory_once_the_database_is_open() {
    let device = Device::new();
    let mut digits = hex::encode(device.keys().db_key.expose()).into_bytes();
    let turned: Vec<u8> = digits.iter().map(|digit| !digit).collect();
    assert!(in_memory(&turned) > 0, "the test finds what is there");
    digits.fill(0);
    assert_eq!(in_memory(&turned), 0);
    let mut db = device.db();
    db.record_incoming(&fetched(1, 1, Direction::Incoming, 5)).unwrap();
    assert_eq!(in_memory(&turned), 0);
    drop(db);
    assert_eq!(in_memory(&turned), 0);
}

#[test]
fn no_file_holds_a_message_a_name_an_account_id_or_a_seed() {
    let device = Device::new();
    let mut db = device.db();
    let body = "the planted words of a message";
    queue(&mut db, 1, body, 5);
    db.record_incoming(&Fetched {
        content: Content::Unknown(b"planted bytes of an unknown kind".to_vec()),
        ..fetched(9, 1, Direction::Incoming, 6)
    })
    .unwrap();
    db.put_contact(&Contact {
        name: "Planted Name".to_owned(),
        petname: Some("planted petname".to_owned()),
        approved: true,
        ..Contact::new(person(1), 1)
    })
    .unwrap();
    device
        .index
        .add_account(&person(2), "planted label", None, seed(2), 1, &mut SystemEntropy)
        .unwrap();

    let keys = device.keys();
    let mut needles: Vec<(&str, Vec<u8>)> = vec![
        ("body", body.into()),
        ("unknown", b"planted bytes of an unknown kind".to_vec()),
        ("name", b"Planted Name".to_vec()),
        ("petname", b"planted petname".to_vec()),
        ("label", b"planted label".to_vec()),
        ("seed", seed(0).expose().to_vec()),
        ("seed in hex", hex::encode(seed(0).expose()).into()),
        ("database key", keys.db_key.expose().to_vec()),
        ("database key in hex", hex::encode(keys.db_key.expose()).into()),
        ("SQL", b"CREATE TABLE".to_vec()),
    ];
    for number in 0..3 {
        needles.push(("account id", person(number).as_bytes().to_vec()));
        needles.push(("account id in hex", person(number).to_string().into()));
    }
    // While open, with the write-ahead log full, and after it was closed.
    assert_absent(device.home.path(), &needles);
    drop(db);
    let Device { home, vault, index } = device;
    drop((vault, index));
    assert_absent(home.path(), &needles);
}

#[cfg(unix)]
#[test]
fn every_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let device = Device::new();
    let mut db = device.db();
    queue(&mut db, 1, "x", 5);
    let mut found = Vec::new();
    files(device.home.path(), &mut found);
    assert!(found.iter().any(|path| path.to_str().unwrap().ends_with("-wal")));
    for path in found {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
}

#[test]
#[ignore = "the process whose stderr a_wrong_passphrase_or_key_leaves_no_line reads"]
fn child_that_is_refused() {
    let Some(home) = told_home() else { return };
    let error = Vault::unlock(&home, "a wrong passphrase").unwrap_err();
    assert!(matches!(error, VaultError::WrongPassphrase));
    let vault = Vault::unlock(&home, PASSPHRASE).unwrap();
    assert!(matches!(Index::open(&vault).unwrap_err(), DatabaseError::Damaged));
    println!("\nrefused");
}

#[test]
fn a_wrong_passphrase_or_key_leaves_no_line() {
    let device = Device::new();
    let stranger = Device::new();
    // The stranger's slot opens with the same passphrase, and its key fits no database here.
    fs::copy(stranger.home.path().join("slots"), device.home.path().join("slots")).unwrap();
    let index =
        |device: &Device| device.vault.home().database_file(&device.vault.index_name().unwrap());
    let strange = index(&stranger);
    let strange = device.home.path().join("data").join(strange.file_name().unwrap());
    device.index.checkpoint().unwrap();
    fs::copy(index(&device), strange).unwrap();
    let output = child("secrecy::child_that_is_refused", device.home.path()).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("refused"));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}

#[test]
fn a_file_with_a_flipped_bit_is_called_damaged() {
    let device = Device::new();
    drop(device.db());
    let mut bytes = fs::read(device.file()).unwrap();
    bytes[100] ^= 1;
    fs::write(device.file(), bytes).unwrap();
    let error = AccountDb::open(&device.vault, &device.keys()).unwrap_err();
    assert!(matches!(error, DatabaseError::Damaged));
}
