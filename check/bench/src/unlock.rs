//! Unlocking with either kind of code, and how long it takes until keys are durably gone.

use std::fs;
use std::path::Path;

use warren_client::Device;
use warren_client::vault::{CodeKind, Cost, DuressOrders, wipe};
use warren_crypto::password::{SALT_BYTES, derive_key};

use crate::contest::Result;
use crate::row::{Basis, Goal};
use crate::stopwatch::{Processor, Spent, Stopwatch};
use crate::{Effort, Outcome, Row};

const CODE: &str = "measured";
const DURESS: &str = "2580";
/// How often everything is done at most: a guess takes a third of a second.
const ROUNDS: usize = 100;
/// How much data lies beside the slots that are destroyed.
const DATA_MIB: usize = 64;
const GUESS: &str = "part: Argon2id alone";
const WITH_DURESS: &str = "a duress code, which destroys first";
const NO_DATA: &str = "the same without data";
/// What P13 asks for, in seconds.
const LIMIT: Spent = Spent { wall: 0.1, cpu: 0.0 };
const LIMIT_NAME: &str = "100 ms by the clock";

/// Measures in folders under `scratch`. A guess costs 64 MiB and three passes.
///
/// # Errors
/// Where the disk fails or a code does not open what it should.
pub fn rows(effort: Effort, scratch: &Path) -> Outcome<Vec<Row>> {
    let rounds = effort.messages.min(ROUNDS);
    let folder = tempfile::tempdir_in(scratch)?;
    let unlocked = unlocked(rounds, folder.path())?;
    let destroyed = destroyed(rounds, folder.path())?;
    let unlocking = "a device unlocked, until its accounts are known";
    let destroying = format!("keys durably gone beside {DATA_MIB} MiB of data");
    let row = |name, what: &str, percent, results: &[Result]| {
        Row::of_percentiles(name, what, Basis::Wall, percent, results)
    };
    let goal = |row: Row| row.with_goal(LIMIT_NAME, Goal::at_most("P13", 1.0));
    Ok(vec![
        row("unlock-p50", unlocking, 50, &unlocked),
        row("unlock-p99", unlocking, 99, &unlocked),
        row("keys-gone-p50", &destroying, 50, &destroyed),
        goal(row("keys-gone-p99", &destroying, 99, &destroyed)),
    ])
}

fn results<const N: usize>(names: [&'static str; N], rounds: usize) -> [Result; N] {
    names.map(|name| Result { name, rounds: Vec::with_capacity(rounds) })
}

fn note(results: &mut [Result], round: &[Spent]) {
    for (result, spent) in results.iter_mut().zip(round) {
        result.rounds.push(*spent);
    }
}

/// The ordinary code, a duress code on a copy of the same home, and the guess alone, in turns.
fn unlocked(rounds: usize, folder: &Path) -> Outcome<Vec<Result>> {
    let template = folder.join("template");
    let mut device = Device::create(&template, CODE, Cost::DEFAULT)?;
    device.create_account("measured", None)?;
    let other = device.other_master()?;
    let orders = DuressOrders::default();
    device.vault().set_duress(CODE, (CodeKind::Pin, DURESS), other, &orders)?;
    drop(device);
    let home = folder.join("home");
    let timed = |code: &str, accounts: usize| -> Outcome<Spent> {
        copy(&template, &home)?;
        let watch = Stopwatch::start(Processor::Process);
        let device = Device::unlock(&home, code)?;
        let found = device.accounts()?.len();
        let spent = watch.read();
        drop(device);
        fs::remove_dir_all(&home)?;
        if found == accounts { Ok(spent) } else { Err("another store was opened".into()) }
    };
    let mut results = results(["warren", WITH_DURESS, GUESS], rounds);
    for _ in 0..rounds {
        let ours = timed(CODE, 1)?;
        let duress = timed(DURESS, 0)?;
        let watch = Stopwatch::start(Processor::Process);
        derive_key(CODE.as_bytes(), &[0; SALT_BYTES], Cost::DEFAULT)?;
        note(&mut results, &[ours, duress, watch.read()]);
    }
    Ok(results.into())
}

/// The slots of a home with much data and of one with none, destroyed and put back, in turns.
fn destroyed(rounds: usize, folder: &Path) -> Outcome<Vec<Result>> {
    let (full, empty) = (folder.join("full"), folder.join("empty"));
    for home in [&full, &empty] {
        drop(Device::create(home, CODE, Cost::LEAST)?);
    }
    fs::write(full.join("data").join("00112233445566ff.db"), vec![7; DATA_MIB << 20])?;
    let timed = |home: &Path| -> Outcome<Spent> {
        let slots = fs::read(home.join("slots"))?;
        let watch = Stopwatch::start(Processor::Process);
        wipe::destroy(home)?;
        let spent = watch.read();
        fs::write(home.join("slots"), slots)?;
        Ok(spent)
    };
    let mut results = results(["warren", NO_DATA, LIMIT_NAME], rounds);
    for _ in 0..rounds {
        note(&mut results, &[timed(&full)?, timed(&empty)?, LIMIT]);
    }
    Ok(results.into())
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
