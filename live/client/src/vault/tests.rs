//! The vault: which code opens what, what destroys it, and what its files look like meanwhile.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use warren_crypto::SystemEntropy;

use super::*;
use crate::tripwire::TripwireFile;

fn create(home: &Path, code: &str) -> Vault {
    Vault::create(home, code, Cost::LEAST, &mut SystemEntropy).unwrap()
}

fn home() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home");
    (folder, path)
}

fn key(vault: &Vault) -> Secret<32> {
    vault.subkey(Subkey::Index).unwrap()
}

fn wrong(home: &Path, code: &str, now: Moment) -> VaultError {
    Vault::unlock_at(home, code, now).unwrap_err()
}

fn at(boot: u8, since: Millis) -> Moment {
    Moment { boot: [boot; 16], since }
}

const DURESS: &str = "2580";

fn with_duress(home: &Path, master: u8) -> Vault {
    let vault = create(home, "right");
    let master = Secret::from_slice(&[master; 32]).unwrap();
    vault.set_duress("right", (CodeKind::Pin, DURESS), master, &DuressOrders::default()).unwrap();
    vault
}

#[test]
fn the_code_opens_the_same_keys_and_another_opens_none() {
    let (_folder, home) = home();
    assert!(!Vault::exists(&home));
    let made = create(&home, "right");
    assert!(Vault::exists(&home));
    let unlocked = Vault::unlock(&home, "right").unwrap();
    assert_eq!(key(&made), key(&unlocked));
    let error = Vault::unlock(&home, "wrong").unwrap_err();
    assert!(matches!(error, VaultError::WrongPassphrase));
    assert_eq!(error.to_string(), "the passphrase is wrong");
}

#[test]
fn purposes_have_keys_of_their_own() {
    let (_folder, home) = home();
    let vault = create(&home, "x");
    let all = [Subkey::Index, Subkey::IndexName, Subkey::BrowserProfiles];
    let keys = all.map(|one| vault.subkey(one).unwrap());
    assert!(keys[0] != keys[1] && keys[0] != keys[2] && keys[1] != keys[2]);
}

#[test]
fn a_missing_vault_says_to_create_an_account_first() {
    let (_folder, home) = home();
    let error = Vault::unlock(&home, "x").unwrap_err();
    assert!(matches!(error, VaultError::Missing));
    assert!(error.to_string().contains("create or restore one first"));
}

#[test]
fn a_home_of_an_early_version_is_neither_opened_nor_overwritten() {
    let (_folder, home) = home();
    fs::create_dir(&home).unwrap();
    fs::write(home.join("vault.key"), b"early").unwrap();
    let error = Vault::unlock(&home, "x").unwrap_err();
    assert!(error.to_string().contains("warren account restore"), "{error}");
    let made = Vault::create(&home, "x", Cost::LEAST, &mut SystemEntropy);
    assert!(matches!(made.unwrap_err(), VaultError::Exists));
}

#[test]
fn an_empty_code_is_refused_and_leaves_no_file() {
    let (folder, home) = home();
    let error = Vault::create(&home, "", Cost::LEAST, &mut SystemEntropy).unwrap_err();
    assert!(matches!(error, VaultError::EmptyPassphrase));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_existing_vault_is_not_overwritten() {
    let (_folder, home) = home();
    create(&home, "first");
    let error = Vault::create(&home, "second", Cost::LEAST, &mut SystemEntropy).unwrap_err();
    assert!(matches!(error, VaultError::Exists));
    assert!(Vault::unlock(&home, "first").is_ok());
}

#[test]
fn a_changed_code_opens_the_same_keys_and_the_old_one_nothing() {
    let (_folder, home) = home();
    let vault = create(&home, "old");
    let error = vault.change_code("wrong", CodeKind::Passphrase, "new").unwrap_err();
    assert!(matches!(error, VaultError::WrongPassphrase));
    let error = vault.change_code("old", CodeKind::Pin, "new").unwrap_err();
    assert!(matches!(error, VaultError::Code(CodeError::Pin)));
    vault.change_code("old", CodeKind::Pattern, "3x3:1-3-9").unwrap();
    assert!(Vault::unlock(&home, "old").is_err());
    assert_eq!(key(&Vault::unlock(&home, "3x3:1-2-3-6-9").unwrap()), key(&vault));
    vault.change_code("3x3:1-3-9", CodeKind::Pattern, "3x3:1-3-9").unwrap();
    vault.change_cost("3x3:1-3-9", Cost { passes: 2, ..Cost::LEAST }).unwrap();
    assert_eq!(Vault::cost(&home).unwrap().passes, 2);
    assert_eq!(key(&Vault::unlock(&home, "3x3:1-3-9").unwrap()), key(&vault));
}

#[test]
fn a_duress_code_opens_the_other_keys_and_from_then_on_nothing_else_opens_anything() {
    let (_folder, home) = home();
    let real = with_duress(&home, 7);
    let other = key(&real.other(Secret::from_slice(&[7; 32]).unwrap()));
    assert_eq!(key(&Vault::unlock(&home, "right").unwrap()), key(&real));
    let before = fs::read(home.join("slots")).unwrap();
    assert_eq!(key(&Vault::unlock(&home, DURESS).unwrap()), other);
    let after = fs::read(home.join("slots")).unwrap();
    let kept = |from: usize, to: usize| {
        (from..to).step_by(16).filter(|at| before[*at..at + 16] == after[*at..at + 16]).count()
    };
    assert_eq!((kept(1024, 8160), kept(9216, 16_352)), (0, 0), "no piece of a slot is left");
    assert!(matches!(Vault::unlock(&home, "right").unwrap_err(), VaultError::WrongPassphrase));
    assert_eq!(key(&Vault::unlock(&home, DURESS).unwrap()), other, "an ordinary code by then");
    assert_eq!(fs::read(home.join("slots")).unwrap(), after);
}

#[test]
fn what_a_duress_code_orders_is_there_once_for_whoever_typed_it() {
    let (_folder, home) = home();
    let vault = create(&home, "right");
    let told = || DuressOrders {
        network: "http://[::1]:1#00".to_owned(),
        devices: Vec::new(),
        mailboxes: vec![Secret::from_slice(&[9; 128]).unwrap()],
    };
    let master = Secret::from_slice(&[7; 32]).unwrap();
    vault.set_duress("right", (CodeKind::Pin, DURESS), master, &told()).unwrap();
    assert!(Vault::unlock(&home, "right").unwrap().take_orders().is_empty());
    let mut opened = Vault::unlock(&home, DURESS).unwrap();
    assert_eq!(opened.take_orders(), told());
    assert!(opened.take_orders().is_empty());
    assert!(Vault::unlock(&home, DURESS).unwrap().take_orders().is_empty());
    let mut many = told();
    many.mailboxes = (0..15).map(|_| Secret::from_slice(&[9; 128]).unwrap()).collect();
    let master = Secret::from_slice(&[8; 32]).unwrap();
    let refused = opened.set_duress(DURESS, (CodeKind::Pin, "1234"), master, &many);
    assert!(matches!(refused.unwrap_err(), VaultError::TooManyOrders));
}

#[test]
fn a_duress_code_is_replaced_removed_and_never_the_same_as_the_ordinary_one() {
    let (_folder, home) = home();
    let vault = with_duress(&home, 7);
    let master = || Secret::from_slice(&[8; 32]).unwrap();
    let none = DuressOrders::default();
    let same = vault.set_duress("right", (CodeKind::Passphrase, "right"), master(), &none);
    assert!(matches!(same.unwrap_err(), VaultError::CodeInUse));
    vault.set_duress("right", (CodeKind::Pin, "9999"), master(), &none).unwrap();
    assert!(Vault::unlock(&home, DURESS).is_err(), "one at a time");
    vault.change_code("right", CodeKind::Pin, "1234").unwrap();
    vault.remove_other_codes("1234").unwrap();
    assert!(Vault::unlock(&home, "9999").is_err());
    assert_eq!(key(&Vault::unlock(&home, "1234").unwrap()), key(&vault));
}

#[test]
fn choosing_the_duress_code_as_the_code_says_nothing_of_it_and_takes_it_away() {
    let (_folder, home) = home();
    let vault = with_duress(&home, 7);
    vault.change_code("right", CodeKind::Pin, DURESS).unwrap();
    let mut opened = Vault::unlock(&home, DURESS).unwrap();
    assert_eq!(key(&opened), key(&vault));
    assert!(opened.take_orders().is_empty() && Vault::unlock(&home, "right").is_err());
}

#[test]
fn a_duress_code_leaves_nothing_of_what_was_set_for_wrong_codes() {
    let (_folder, home) = home();
    let vault = with_duress(&home, 7);
    vault.set_wipe_after("right", 7).unwrap();
    Vault::unlock(&home, "right").unwrap();
    assert_eq!(vault.wipe_after().unwrap(), 7);
    let opened = Vault::unlock(&home, DURESS).unwrap();
    assert_eq!(opened.wipe_after().unwrap(), 0);
    let fresh = home.with_file_name("fresh");
    create(&fresh, "right");
    let attempts = |home: &Path| fs::read(home.join("attempts")).unwrap();
    assert_eq!(attempts(&home), attempts(&fresh));
}

#[test]
fn a_wipe_leaves_the_daemon_that_serves_the_home_its_files_and_a_new_home_alone() {
    let (_folder, home) = home();
    create(&home, "right");
    let served = fs::File::create(home.join("daemon.lock")).unwrap();
    served.lock().unwrap();
    fs::write(home.join("api.sock"), "").unwrap();
    wipe::destroy(&home).unwrap();
    assert!(wipe::is_begun(&home) && !Vault::exists(&home));
    let left = || home.join("daemon.lock").exists() && home.join("api.sock").exists();
    assert!(left() && !home.join("data").exists());
    let made = create(&home, "new");
    wipe::finish_under_daemon(&home).unwrap();
    assert_eq!(key(&Vault::unlock(&home, "new").unwrap()), key(&made), "none of that wipe's");
    drop(served);
    wipe::wipe(&home).unwrap();
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
}

#[test]
fn an_unlock_that_began_before_the_slots_were_destroyed_brings_nothing_back() {
    let (_folder, home) = home();
    with_duress(&home, 7);
    let file = SlotsFile::open(&Home::at(&home)).unwrap();
    let slots = file.read().unwrap();
    let key = Key::of(&Home::at(&home), &slots, &Code::of("right").unwrap()).unwrap();
    Vault::unlock(&home, DURESS).unwrap();
    assert!(settle(&Home::at(&home), &file, &slots, (&key, moment())).unwrap().is_none());
    assert!(Vault::unlock(&home, "right").is_err());
    assert!(Vault::unlock(&home, DURESS).is_ok());
}

#[test]
fn wrong_codes_wait_longer_each_time_also_after_another_start() {
    let (_folder, home) = home();
    create(&home, "right");
    for since in 1..=3 {
        assert!(matches!(wrong(&home, "wrong", at(1, since)), VaultError::WrongPassphrase));
    }
    let refused = wrong(&home, "right", at(1, 100));
    assert!(matches!(refused, VaultError::TooSoon { wait: 4_903 }), "{refused:?}");
    assert!(refused.to_string().contains("5 seconds"), "{refused}");
    assert!(matches!(wrong(&home, "right", at(2, 4_000)), VaultError::TooSoon { wait: 1_000 }));
    assert!(matches!(wrong(&home, "wrong", at(2, 5_000)), VaultError::WrongPassphrase));
    assert!(matches!(wrong(&home, "right", at(2, 14_999)), VaultError::TooSoon { wait: 1 }));
    Vault::unlock_at(&home, "right", at(2, 15_000)).unwrap();
    assert!(matches!(wrong(&home, "wrong", at(2, 15_001)), VaultError::WrongPassphrase));
    Vault::unlock_at(&home, "right", at(2, 15_002)).unwrap();
}

#[test]
fn taking_the_file_of_attempts_away_costs_a_wait_and_not_the_vault() {
    let (_folder, home) = home();
    create(&home, "right");
    fs::remove_file(home.join("attempts")).unwrap();
    assert!(matches!(wrong(&home, "right", at(1, 50)), VaultError::TooSoon { wait: 5_000 }));
    Vault::unlock_at(&home, "right", at(1, 5_050)).unwrap();
}

#[test]
fn so_many_wrong_codes_as_were_said_wipe_everything() {
    let (_folder, home) = home();
    let vault = create(&home, "right");
    vault.set_wipe_after("right", 2).unwrap();
    assert_eq!(vault.wipe_after().unwrap(), 2);
    fs::write(home.join("data/00112233445566ff.db"), b"x").unwrap();
    assert!(Vault::unlock(&home, "wrong").is_err());
    Vault::unlock(&home, "right").unwrap();
    assert!(Vault::unlock(&home, "wrong").is_err());
    assert!(Vault::exists(&home));
    assert!(Vault::unlock(&home, "wrong").is_err());
    assert!(!Vault::exists(&home));
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
}

#[test]
fn a_wipe_leaves_an_empty_home_and_what_is_somebody_elses() {
    let (_folder, home) = home();
    create(&home, "right");
    fs::write(home.join("api-token"), b"x").unwrap();
    fs::write(home.join("notes"), b"not ours").unwrap();
    wipe::wipe(&home).unwrap();
    let left = fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["notes"]);
    assert!(matches!(wipe::wipe(&home).unwrap_err(), VaultError::Missing));
    create(&home, "again");
}

#[test]
fn a_wipe_that_was_cut_off_goes_on_with_whatever_is_done_next() {
    type Next = fn(&Path) -> bool;
    let next: [Next; 3] = [
        |home| !Vault::exists(home),
        |home| matches!(Vault::unlock(home, "right"), Err(VaultError::Missing)),
        |home| Vault::create(home, "new", Cost::LEAST, &mut SystemEntropy).is_ok(),
    ];
    for next in next {
        let (_folder, home) = home();
        create(&home, "right");
        let planted = home.join("data/00112233445566ff.db");
        fs::write(&planted, b"x").unwrap();
        wipe::destroy(&home).unwrap();
        assert!(planted.exists(), "cut off");
        assert!(next(&home));
        assert!(!planted.exists());
    }
}

#[cfg(unix)]
#[test]
fn a_wipe_that_reached_one_copy_alone_is_made_whole_before_the_file_is_deleted() {
    let (folder, home) = home();
    create(&home, "right");
    let (file, seen) = (home.join("slots"), folder.path().join("seen"));
    let before = fs::read(&file).unwrap();
    wipe::destroy(&home).unwrap();
    let half = [&fs::read(&file).unwrap()[..8192], &before[8192..]].concat();
    fs::write(&file, half).unwrap();
    fs::hard_link(&file, &seen).unwrap();
    assert!(!Vault::exists(&home));
    let after = fs::read(&seen).unwrap();
    assert!(!file.exists() && after.len() == before.len());
    let kept =
        (0..before.len()).step_by(16).filter(|at| before[*at..at + 16] == after[*at..at + 16]);
    assert_eq!(kept.count(), 0, "no piece of a slot is left");
}

#[test]
fn a_damaged_or_newer_file_is_told_and_costs_no_attempt() {
    let (_folder, home) = home();
    create(&home, "right");
    let file = home.join("slots");
    let good = fs::read(&file).unwrap();
    for _ in 0..5 {
        let mut bad = good.clone();
        bad[20] ^= 1;
        bad[8192 + 20] ^= 1;
        fs::write(&file, bad).unwrap();
        assert!(matches!(Vault::unlock(&home, "right").unwrap_err(), VaultError::Damaged));
    }
    let mut half = good.clone();
    half[20] ^= 1;
    fs::write(&file, half).unwrap();
    Vault::unlock(&home, "right").unwrap();
    assert_eq!(fs::read(&file).unwrap(), good, "the damaged copy is written anew");
}

#[test]
fn unlocking_writes_the_same_bytes_whichever_code_it_is() {
    let (_folder, home) = home();
    with_duress(&home, 7);
    let before = fs::read(home.join("slots")).unwrap();
    for code in ["right", "wrong", "right"] {
        let _ = Vault::unlock(&home, code);
        assert_eq!(fs::read(home.join("slots")).unwrap(), before, "{code}");
    }
    let names = || {
        let mut names: Vec<_> =
            fs::read_dir(&home).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let ordinary = names();
    Vault::unlock(&home, DURESS).unwrap();
    assert_eq!(names(), ordinary);
    assert_eq!(fs::metadata(home.join("slots")).unwrap().len(), 16_384);
    assert_eq!(fs::metadata(home.join("attempts")).unwrap().len(), 64);
    assert_eq!(fs::metadata(home.join("tripwire")).unwrap().len(), 16_384);
}

fn tripwire(home: &Path) -> warren_lock::Tripwire {
    TripwireFile::of(home).unwrap().read().unwrap()
}

fn inbox(home: &Path) -> Secret<32> {
    tripwire(home).inbox()
}

#[test]
fn every_install_has_a_tripwire_from_its_first_start_and_older_ones_from_the_next_unlock() {
    let (_folder, home) = home();
    create(&home, "right");
    assert!(fs::read(home.join("tripwire")).is_ok_and(|bytes| bytes.len() == 16_384));
    fs::remove_file(home.join("tripwire")).unwrap();
    Vault::unlock(&home, "wrong").unwrap_err();
    assert!(home.join("tripwire").exists());
    let made = inbox(&home);
    Vault::unlock(&home, "right").unwrap();
    assert_eq!(inbox(&home), made);
}

#[test]
fn a_home_that_nobody_used_keeps_the_tripwire_it_had_when_it_gets_its_first_code() {
    let (_folder, home) = home();
    let made = inbox(&home);
    create(&home, "right");
    assert_eq!(inbox(&home), made);
}

#[test]
fn unlocking_notes_its_time_and_nothing_else_and_a_wrong_code_not_even_that() {
    let (_folder, home) = home();
    create(&home, "right");
    let read = || fs::read(home.join("tripwire")).unwrap();
    let before = read();
    Vault::unlock(&home, "wrong").unwrap_err();
    assert!(read() == before);
    let began = crate::messenger::now();
    Vault::unlock_at(&home, "right", at(9, 77)).unwrap();
    let noted = tripwire(&home).dead_man();
    assert!(noted.unlocked >= began && noted.moment == at(9, 77));
    let after = read();
    let differs = |at: &usize| before[*at] != after[*at];
    let noted = (52..84).chain(8160..8192);
    let outside = (0..8192).filter(|at| !noted.clone().any(|one| one == *at)).find(differs);
    assert_eq!(outside, None);
}

#[test]
fn a_duress_code_leaves_the_tripwire_of_a_fresh_install() {
    let (_folder, home) = home();
    with_duress(&home, 7);
    let file = TripwireFile::of(&home).unwrap();
    file.change(|tripwire| {
        tripwire.set_term(24)?;
        tripwire.set_network("http://127.0.0.1:1#00")
    })
    .unwrap();
    let before = fs::read(home.join("tripwire")).unwrap();
    Vault::unlock(&home, DURESS).unwrap();
    let after = fs::read(home.join("tripwire")).unwrap();
    let tripwire = tripwire(&home);
    assert_eq!((tripwire.dead_man().hours, tripwire.network()), (0, None));
    let kept = |from: usize, to: usize| {
        (from..to).step_by(16).filter(|at| before[*at..at + 16] == after[*at..at + 16]).count()
    };
    assert_eq!((kept(16, 48), kept(1152, 8192)), (0, 0), "another inbox, and random places");
}

#[test]
fn who_comes_after_the_term_finds_an_empty_home_whichever_code_they_type() {
    let (_folder, home) = home();
    create(&home, "right");
    let hour: Millis = 60 * 60 * 1_000;
    let file = TripwireFile::of(&home).unwrap();
    let unlocked_ago = |hours: Millis| {
        file.change(|tripwire| {
            tripwire.set_term(1)?;
            tripwire.note_unlocked(crate::messenger::now() - hours * hour, at(9, 5 * hour));
            Ok(())
        })
        .unwrap();
    };
    unlocked_ago(2);
    Vault::unlock_at(&home, "right", at(8, 7 * hour)).unwrap();
    unlocked_ago(0);
    Vault::unlock_at(&home, "right", at(9, 7 * hour)).unwrap();
    unlocked_ago(2);
    Vault::unlock_at(&home, "right", at(9, 5 * hour)).unwrap();
    unlocked_ago(2);
    let late = wrong(&home, "right", at(9, 6 * hour));
    assert!(matches!(late, VaultError::Missing), "two clocks agree: {late:?}");
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
}

/// The middle and the slowest but one in a hundred of some times.
fn middle_and_slow(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[(times.len() * 99 / 100).min(times.len() - 1)])
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let began = Instant::now();
    drop(work());
    began.elapsed()
}

#[test]
fn no_code_is_told_from_another_by_the_time_to_its_answer() {
    let (mut right, mut duress, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..15 {
        let (_folder, home) = home();
        with_duress(&home, 7);
        wrong.push(timed(|| Vault::unlock(&home, "wrong").unwrap_err()));
        right.push(timed(|| Vault::unlock(&home, "right").unwrap()));
        duress.push(timed(|| Vault::unlock(&home, DURESS).unwrap()));
    }
    let [right, duress, wrong] = [right, duress, wrong].map(|times| middle_and_slow(times).0);
    // A guess at the least cost takes next to nothing, so all that differs would show.
    let near = |a: Duration, b: Duration| a < b * 4 + Duration::from_millis(20);
    let all = [(right, duress), (duress, right), (right, wrong), (wrong, right)];
    assert!(all.iter().all(|(a, b)| near(*a, *b)), "{right:?} {duress:?} {wrong:?}");
}

#[test]
#[ignore = "measures; run by hand with --nocapture"]
fn measure_how_long_keys_take_to_be_durably_gone() {
    for megabytes in [0, 64] {
        let mut times = Vec::new();
        for _ in 0..200 {
            let (_folder, home) = home();
            create(&home, "right");
            fs::write(home.join("data/00112233445566ff.db"), vec![7; megabytes << 20]).unwrap();
            times.push(timed(|| wipe::destroy(&home).unwrap()));
        }
        let (middle, slow) = middle_and_slow(times);
        println!("{megabytes} MiB of data: p50 {middle:?}, p99 {slow:?}");
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_home_or_the_slots() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, home) = home();
    create(&home, "x");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home), 0o700);
    assert_eq!(mode(&home.join("data")), 0o700);
    assert_eq!(mode(&home.join("slots")), 0o600);
    assert_eq!(mode(&home.join("attempts")), 0o600);
}
