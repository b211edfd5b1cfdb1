//! What a program needs in memory that has an account open and does nothing.

use std::path::Path;
use std::process::Command;

use warren_client::Device;
use warren_client::database::{Filter, Listing, Search};
use warren_crypto::password::Cost;

use crate::chatter::{message, most_frequent};
use crate::held::resident;
use crate::row::Basis;
use crate::stopwatch::Spent;
use crate::{Effort, Outcome, Row};

const PASSPHRASE: &str = "measured";
/// How many messages are recorded at once.
const BATCH: usize = 1_000;
/// How many conversations and messages are shown at first.
const SHOWN: usize = 50;
const PROGRAM: &str = "part: the program before it opens anything";

/// Measures a process with an account of [`Effort::database`] messages open, its list, a page and a
/// search shown. `program` is the `warren-bench` that is to be it.
///
/// # Errors
/// Where the disk fails or the process does not end well.
pub fn rows(effort: Effort, scratch: &Path, program: &Path) -> Outcome<Vec<Row>> {
    let folder = tempfile::tempdir_in(scratch)?;
    let home = folder.path().join("home");
    fill(&home, effort.database)?;
    let output = Command::new(program).arg("--be-client").arg(&home).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let text = String::from_utf8(output.stdout)?;
    let bytes = text.lines().map(|line| Ok(line.parse::<u64>()?)).collect::<Outcome<Vec<_>>>()?;
    let [before, after] = bytes.as_slice() else { return Err("two figures are missing".into()) };
    let spent = |bytes: u64| -> Outcome<Spent> {
        Ok(Spent { wall: f64::from(u32::try_from(bytes / 1_024)?) * 1_024.0, cpu: 0.0 })
    };
    Ok(vec![Row::of_single(
        "memory-at-rest",
        format!("a process with an account of {} messages open, idle", effort.database),
        Basis::Memory,
        spent(*after)?,
        &[(PROGRAM, spent(*before)?)],
    )])
}

fn fill(home: &Path, count: usize) -> Outcome<()> {
    let mut device = Device::create(home, PASSPHRASE, Cost::DEFAULT)?;
    device.create_account("measured", None)?;
    let messenger = device.messenger(None)?;
    let numbers: Vec<u64> = (0..u64::try_from(count)?).collect();
    for batch in numbers.chunks(BATCH) {
        let messages = batch.iter().map(|it| message(*it)).collect::<Outcome<Vec<_>>>()?;
        messenger.db().with(|db| db.record_fetched_batch(&messages, None))?;
    }
    Ok(())
}

/// What the other process does: says how much memory it has in use, opens the account, shows what is
/// shown first, and says it again.
///
/// # Errors
/// Where the account does not open.
pub fn be_client(home: &Path) -> Outcome<()> {
    println!("{}", resident()?);
    let device = Device::unlock(home, PASSPHRASE)?;
    let messenger = device.messenger(None)?;
    let found = messenger.db().with(|db| -> Outcome<usize> {
        let chats = db.conversations(Listing::Requests, None, SHOWN)?;
        let conversation = chats.first().map(|chat| chat.id);
        db.messages(&Filter { conversation, unread: false }, None, SHOWN)?;
        Ok(db.search(&Search::new(&most_frequent()), None, SHOWN)?.hits.len())
    })?;
    if found == 0 {
        return Err("nothing is found".into());
    }
    println!("{}", resident()?);
    Ok(())
}
