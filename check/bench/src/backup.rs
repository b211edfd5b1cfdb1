//! A backup of a folder, its second run with nothing changed, and its restoring, beside `restic`.
//!
//! Three quarters of the folder do not compress, as sealed files do not; the rest is text. Both write
//! to a folder on the same disk. `restic` reads nothing back; ours reads back everything it writes.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tokio::runtime::Runtime;
use warren_archive::ArchiveKeys;
use warren_archive::snapshot::Part;
use warren_backup::error::PartFailure;
use warren_backup::run::Work;
use warren_backup::{Archive, PartSource, Place, Restorer, Target};
use warren_crypto::expand::expand;
use warren_crypto::{Secret, SystemEntropy};

use crate::contest::Result;
use crate::row::{Basis, Goal};
use crate::stopwatch::{Processor, Spent, Stopwatch};
use crate::{Effort, Outcome, Row};

/// How often everything is done anew.
const ROUNDS: usize = 3;
const FILE_BYTES: usize = 4 << 20;
const RESTIC: &str = "restic";
const FLOOR: &str = "floor: the files copied";

/// Measures a backup of [`Effort::backup_mib`] MiB, in folders under `scratch`.
///
/// # Errors
/// Where the disk fails, or what is restored is not what was backed up.
pub fn rows(effort: Effort, scratch: &Path) -> Outcome<Vec<Row>> {
    let runtime = Runtime::new()?;
    let folder = tempfile::tempdir_in(scratch)?;
    let files = fill(&folder.path().join("source"), effort.backup_mib)?;
    let has_restic = Command::new("restic").arg("version").stdout(Stdio::null()).status().is_ok();
    let mut all: [[Vec<Spent>; 3]; 3] = Default::default();
    for round in 0..effort.rounds.min(ROUNDS) {
        let place = folder.path().join(round.to_string());
        fs::create_dir(&place)?;
        let [ours, restic, floor] = &mut all;
        note(ours, runtime.block_on(warren(&place, &files))?);
        if has_restic {
            note(restic, restic_of(&place, &folder.path().join("source"))?);
        }
        note(floor, copied(&place, &files)?);
        fs::remove_dir_all(&place)?;
    }
    let what = |how| format!("{} MiB {how}", effort.backup_mib);
    let [ours, restic, floor] = all;
    let row = |name, how, step: usize, basis| {
        let result = |name, all: &[Vec<Spent>; 3]| Result {
            name,
            rounds: all.get(step).cloned().unwrap_or_default(),
        };
        let mut results = vec![result("warren", &ours)];
        if has_restic {
            results.push(result(RESTIC, &restic));
        }
        results.push(result(FLOOR, &floor));
        let row = Row::of_contest(name, what(how), basis, &results);
        row.with_goal(RESTIC, Goal::at_most("P11", 0.5))
    };
    Ok(vec![
        row("backup", "backed up", 0, Basis::Wall),
        row("backup-cpu", "backed up", 0, Basis::Cpu),
        row("backup-unchanged", "backed up again, unchanged", 1, Basis::Wall),
        row("backup-restore", "restored", 2, Basis::Wall),
    ])
}

fn note(all: &mut [Vec<Spent>; 3], round: [Spent; 3]) {
    for (of_step, spent) in all.iter_mut().zip(round) {
        of_step.push(spent);
    }
}

/// Files of 4 MiB: of each four, three of noise and one of text.
fn fill(folder: &Path, mib: usize) -> Outcome<Vec<PathBuf>> {
    fs::create_dir(folder)?;
    let mut files = Vec::new();
    for number in 0..(mib << 20).div_ceil(FILE_BYTES) {
        let noise = expand(&Secret::random(&mut SystemEntropy), FILE_BYTES);
        let path = folder.join(format!("{number:04}"));
        let mut file = File::create(&path)?;
        if number % 4 == 3 {
            let words = noise.chunks_exact(2).map(|pair| match pair {
                [one, other] => format!("{} {}, ", u16::from(*one) * 7, u16::from(*other % 16)),
                _ => String::new(),
            });
            let text: String = words.take(FILE_BYTES / 8).collect();
            file.write_all(text.as_bytes().get(..FILE_BYTES).unwrap_or(text.as_bytes()))?;
        } else {
            file.write_all(&noise)?;
        }
        files.push(path);
    }
    Ok(files)
}

fn source(path: &Path) -> std::result::Result<PartSource, PartFailure> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let is_text = name.parse::<usize>().is_ok_and(|number| number % 4 == 3);
    Ok(PartSource {
        kind: "file".to_owned(),
        name,
        version: 1,
        state: format!("{} {:?}", metadata.len(), metadata.modified()?).into_bytes(),
        sealed: !is_text,
        size_hint: metadata.len(),
        write: Box::new(move |to| {
            let mut piece = vec![0; 256 << 10];
            loop {
                match file.read(&mut piece)? {
                    0 => return Ok(()),
                    count => to.write_all(piece.get(..count).unwrap_or_default())?,
                }
            }
        }),
    })
}

async fn warren(place: &Path, files: &[PathBuf]) -> Outcome<[Spent; 3]> {
    let at = place.join("warren");
    fs::create_dir(&at)?;
    let keys = || ArchiveKeys::of_seed(&Secret::take(&mut [7; 32]));
    let target = Target::Folder { path: at.to_str().ok_or("a path that is not UTF-8")?.to_owned() };
    let archive = Archive::new(
        keys()?,
        Place::open(&target, &keys()?)?,
        [1; 16],
        Arc::new(warren_noded::node::now),
    );
    let archive = archive.with_memory(&place.join("memory"))?;
    let work = || {
        let files = files.to_vec();
        Work {
            parts: Box::new(files.into_iter().map(|path| source(&path))),
            kinds: &["file"],
            base: None,
            known_sequence: 0,
            total: 0,
            program: "bench".to_owned(),
        }
    };
    let watch = Stopwatch::start(Processor::Process);
    archive.run(work()).await?;
    let first = watch.read();
    let watch = Stopwatch::start(Processor::Process);
    let again = archive.run(work()).await?;
    let second = watch.read();
    if again.unchanged != files.len() {
        return Err("what was unchanged was read again".into());
    }
    let out = place.join("warren-out");
    fs::create_dir(&out)?;
    let watch = Stopwatch::start(Processor::Process);
    let (_, snapshot) = archive.snapshot(None).await?;
    archive.restore(&snapshot, Box::new(Taker { folder: out.clone(), file: None })).await?;
    let restored = watch.read();
    same(files, &out)?;
    Ok([first, second, restored])
}

/// Writes parts out as files.
struct Taker {
    folder: PathBuf,
    file: Option<File>,
}

impl Restorer for Taker {
    fn wants(&mut self, _part: &Part) -> bool {
        true
    }

    fn begin(&mut self, part: &Part) -> std::result::Result<(), PartFailure> {
        self.file = Some(File::create(self.folder.join(&part.name))?);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> std::result::Result<(), PartFailure> {
        Ok(self.file.as_mut().ok_or("no file is open")?.write_all(bytes)?)
    }

    fn end(&mut self, _part: &Part) -> std::result::Result<(), PartFailure> {
        self.file = None;
        Ok(())
    }
}

fn restic_of(place: &Path, source: &Path) -> Outcome<[Spent; 3]> {
    let (repository, out) = (place.join("restic"), place.join("restic-out"));
    let run = |arguments: &[&str]| timed(&repository, place, source, arguments);
    run(&["init"])?;
    let first = run(&["backup", "."])?;
    let second = run(&["backup", "."])?;
    let out = out.to_str().ok_or("a path that is not UTF-8")?;
    let restored = run(&["restore", "latest", "--target", out])?;
    Ok([first, second, restored])
}

/// Runs restic and asks the shell what it took.
fn timed(repository: &Path, place: &Path, source: &Path, arguments: &[&str]) -> Outcome<Spent> {
    let script = "TIMEFORMAT='%R %U %S'; time restic --quiet --cache-dir \"$CACHE\" \"$@\"";
    let ran = Command::new("bash")
        .args(["-c", script, "restic"])
        .args(arguments)
        .env("RESTIC_REPOSITORY", repository)
        .env("RESTIC_PASSWORD", "of a measurement")
        .env("CACHE", place.join("restic-cache"))
        .current_dir(source)
        .output()?;
    let told = String::from_utf8_lossy(&ran.stderr);
    if !ran.status.success() {
        return Err(format!("restic failed: {told}").into());
    }
    let times = told.lines().last().unwrap_or_default().split(' ').map(str::parse::<f64>);
    match times.collect::<std::result::Result<Vec<_>, _>>()?.as_slice() {
        [wall, user, system] => Ok(Spent { wall: *wall, cpu: user + system }),
        _ => Err("the shell's time cannot be read".into()),
    }
}

/// The files copied, looked at, and copied back.
fn copied(place: &Path, files: &[PathBuf]) -> Outcome<[Spent; 3]> {
    let copy = place.join("copy");
    fs::create_dir(&copy)?;
    let watch = Stopwatch::start(Processor::Process);
    for file in files {
        fs::copy(file, copy.join(file.file_name().unwrap_or_default()))?;
    }
    let first = watch.read();
    let watch = Stopwatch::start(Processor::Process);
    for file in files {
        fs::metadata(file)?;
    }
    let second = watch.read();
    Ok([first, second, first])
}

fn same(files: &[PathBuf], out: &Path) -> Outcome<()> {
    for file in files {
        if fs::read(file)? != fs::read(out.join(file.file_name().unwrap_or_default()))? {
            return Err("what came back is not what was backed up".into());
        }
    }
    Ok(())
}
