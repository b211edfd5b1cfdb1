//! Cutting the power again and again, and counting.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::image::{Image, Mount};
use crate::load::{self, Said};
use crate::numbers::mix;
use crate::{Outcome, Subject};

/// How many cuts one file system lives through before it is made anew.
const CUTS_PER_DISK: usize = 40;
/// The longest time between two cuts.
const LONGEST_MS: u64 = 700;
/// How long a loader may take until its first acknowledgement.
const START: Duration = Duration::from_secs(60);

/// What became of all cuts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    cuts: usize,
    /// Acknowledged stores and deletions, counted at every cut.
    acknowledged: usize,
    /// Acknowledged stores that were not there.
    lost: usize,
    /// Acknowledged deletions that were undone.
    undeleted: usize,
    /// Messages found twice.
    twice: usize,
    /// Stores that did not open, or held what was never stored.
    broken: usize,
}

impl Tally {
    /// One line on it.
    pub(crate) fn describe(&self, subject: Subject) -> String {
        let Self { cuts, acknowledged, lost, undeleted, twice, broken } = self;
        let verdict =
            if self.is_as_expected(subject) { "as it must be" } else { "NOT AS IT MUST BE" };
        format!(
            "{subject:?}: {cuts} cuts, {acknowledged} acknowledgements looked up, {lost} lost, \
             {undeleted} deletions undone, {twice} twice, {broken} not opened: {verdict}"
        )
    }

    /// Whether it is what the store promises, or what the control must show.
    pub(crate) const fn is_as_expected(&self, subject: Subject) -> bool {
        let harmed = self.lost + self.undeleted + self.twice + self.broken;
        match subject {
            Subject::Unsynced => self.lost > 0,
            Subject::Warren | Subject::Client | Subject::Log | Subject::Redis => {
                harmed == 0 && self.acknowledged > 0
            }
        }
    }

    fn count(&mut self, said: &BTreeMap<u64, Said>, found: Result<Vec<u64>, String>) {
        self.cuts += 1;
        let numbers = match found {
            Ok(numbers) => numbers,
            Err(error) => {
                eprintln!("does not open: {error}");
                self.broken += 1;
                return;
            }
        };
        let present: BTreeSet<_> = numbers.iter().copied().collect();
        self.twice += numbers.len() - present.len();
        for (number, said) in said {
            let there = present.contains(number);
            match said {
                Said::Stored(_) if !there => self.lost += 1,
                Said::Deleted(_) if there => self.undeleted += 1,
                Said::Stored(_) | Said::Deleted(_) => {}
                // Under way: either way is right.
                Said::Deleting(_) => continue,
            }
            self.acknowledged += 1;
        }
    }
}

/// Cuts the power of one store so many times.
pub(crate) fn run(subject: Subject, cuts: usize, scratch: &Path) -> Outcome<Tally> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let mut chance = mix(u64::try_from(now.as_micros())?);
    println!("{subject:?}: {cuts} cuts, seed of the moments {chance}");
    let mut tally = Tally::default();
    while tally.cuts < cuts {
        let more = CUTS_PER_DISK.min(cuts - tally.cuts);
        one_disk(subject, more, scratch, &mut chance, &mut tally)?;
        eprintln!("so far: {}", tally.describe(subject));
    }
    Ok(tally)
}

/// A loader at work; ended with this.
struct Loader {
    process: Child,
    said: Arc<Mutex<BTreeMap<u64, Said>>>,
}

impl Loader {
    fn start(subject: Subject, folder: &Path) -> Outcome<Self> {
        let (process, lines) = load::start(subject, folder, 0)?;
        let said = Arc::new(Mutex::new(BTreeMap::new()));
        let all = Arc::clone(&said);
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                if let Some(one) = Said::read(&line) {
                    let (Said::Stored(number) | Said::Deleting(number) | Said::Deleted(number)) =
                        one;
                    all.lock().unwrap_or_else(PoisonError::into_inner).insert(number, one);
                }
            }
        });
        let loader = Self { process, said };
        let begun = Instant::now();
        while loader.said().is_empty() {
            if begun.elapsed() > START {
                return Err("the loader does not begin".into());
            }
            thread::park_timeout(Duration::from_millis(10));
        }
        Ok(loader)
    }

    /// What it has said up to this moment.
    fn said(&self) -> BTreeMap<u64, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn signal(&self, signal: Signal) -> Outcome<()> {
        let group = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process_group(group.ok_or("no process")?, signal)?)
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.signal(Signal::KILL);
        let _ = self.process.wait();
    }
}

fn one_disk(
    subject: Subject,
    cuts: usize,
    scratch: &Path,
    chance: &mut u64,
    tally: &mut Tally,
) -> Outcome<()> {
    let folder = tempfile::tempdir_in(scratch)?;
    let image = Image::create(folder.path().join("disk"))?;
    let disk: Mount = image.mount(folder.path().join("mounted"))?;
    let loader = Loader::start(subject, disk.at())?;
    for cut in 1..=cuts {
        *chance = mix(*chance);
        thread::park_timeout(Duration::from_millis(*chance % LONGEST_MS));
        // The last cut kills the process, all others stop it: to the disk it is the same.
        loader.signal(if cut == cuts { Signal::KILL } else { Signal::STOP })?;
        // Only what was said before the copy begins: a deletion may be under way since.
        let mut said = loader.said();
        let copy = image.copy(folder.path().join("copy"))?;
        for (number, later) in loader.said() {
            if let Some(before) = said.get_mut(&number)
                && *before != later
            {
                *before = Said::Deleting(number);
            }
        }
        let mounted = copy.mount(folder.path().join("cut"))?;
        let found = load::read(subject, mounted.at())?;
        tally.count(&said, found);
        drop((mounted, copy));
        loader.signal(Signal::CONT)?;
    }
    drop(loader);
    drop(disk);
    Ok(())
}
