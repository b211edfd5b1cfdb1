//! The real program is killed at every system call of a wipe. Whatever is left then opens whole with
//! its old code, or is an empty home after the next start; and once keys are destroyed neither the
//! home nor the raw disk holds a plaintext, a seed, or a piece of a slot or of the tripwire.
//!
//! `WIPE_CUTS` is how many cuts are made (default 12). It needs root and strace.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test stops at the first surprise, and says what it did"
)]

mod cuts;
mod home;
mod needles;

use std::time::Instant;

use cuts::{Cut, Way, chosen, plan};
use home::{DURESS, REAL, Template};
use needles::Needles;
use warren_e2e::disk::{self, Disk};

/// What a cut left.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Left {
    /// The wipe had not begun: everything opens as before.
    Whole,
    /// The keys were destroyed.
    Destroyed,
}

#[test]
fn a_wipe_that_is_killed_anywhere_has_not_begun_or_is_complete_at_the_next_start() {
    if let Err(missing) = disk::available() {
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        eprintln!("not run: {missing}");
        return;
    }
    let began = Instant::now();
    let wanted: usize = std::env::var("WIPE_CUTS").map_or(12, |text| text.parse().unwrap());
    let scratch = tempfile::tempdir().unwrap();
    let template = Template::make(scratch.path());
    let needles = Needles::of(&template);
    control(scratch.path(), &template, &needles);
    let all =
        [Way::Wipe, Way::Duress, Way::WrongCode].map(|way| plan(way, scratch.path(), &template));
    let all: Vec<Cut> = all.into_iter().flatten().collect();
    let prepared = began.elapsed();
    let (mut whole, mut destroyed) = (0, 0);
    let places = all.len();
    for (number, cut) in chosen(all, wanted).iter().enumerate() {
        match one(scratch.path(), &template, &needles, cut, number) {
            Left::Whole => whole += 1,
            Left::Destroyed => destroyed += 1,
        }
    }
    eprintln!(
        "{places} places to cut, {wanted} cuts: {whole} before the keys were destroyed, {destroyed} \
         after; 0 readable; {} s, of them {} to prepare",
        began.elapsed().as_secs(),
        prepared.as_secs(),
    );
    assert!(destroyed > 0, "no cut came late enough");
}

/// The search finds what is there, so that finding nothing means something.
fn control(scratch: &std::path::Path, template: &Template, needles: &Needles) {
    let disk = Disk::make(scratch);
    let home = template.put_on(&disk);
    home.run(REAL, &["account", "list"]);
    let image = disk.unmount();
    assert!(needles.slots_in(&image) >= needles.slots(), "the slots lie on the disk");
    assert!(needles.tripwire_in(&image) >= needles.tripwire(), "and so does the tripwire");
    assert_eq!(needles.secrets_on(&image), Vec::<String>::new(), "and nothing readable ever does");
}

fn one(
    scratch: &std::path::Path,
    template: &Template,
    needles: &Needles,
    cut: &Cut,
    number: usize,
) -> Left {
    let disk = Disk::make(scratch);
    let home = template.put_on(&disk);
    let before = home.slots();
    home.cut(cut);
    // The next starts may be cut off, too.
    for next in 0..number % 3 {
        home.cut(&cut.after(next));
    }
    let listed = home.run(REAL, &["--json", "account", "list"]);
    let left = if home.slots() == before {
        assert!(
            template.names.iter().all(|name| listed.stdout.contains(name)),
            "{cut:?} {listed:?}"
        );
        Left::Whole
    } else {
        assert!(
            !template.names.iter().any(|name| listed.stdout.contains(name)),
            "{cut:?} {listed:?}"
        );
        match cut.way {
            Way::Duress => {
                assert_eq!(listed.code, Some(5), "{cut:?} {listed:?}");
                let opened = home.run(DURESS, &["--json", "account", "list"]);
                assert_eq!(opened.code, Some(0), "{cut:?} {opened:?}");
                assert_eq!(home.databases(), 2, "{cut:?}: an empty store and the other one");
            }
            Way::Wipe | Way::WrongCode => {
                assert_eq!(listed.code, Some(1), "{cut:?} {listed:?}");
                assert!(listed.stderr.contains("no_account"), "{cut:?} {listed:?}");
                assert_eq!(home.entries(), Vec::<String>::new(), "{cut:?}");
            }
        }
        Left::Destroyed
    };
    assert_eq!(needles.secrets_under(home.path()), Vec::<String>::new(), "{cut:?}");
    let image = disk.unmount();
    assert_eq!(needles.secrets_on(&image), Vec::<String>::new(), "{cut:?}");
    if left == Left::Destroyed {
        assert_eq!(needles.slots_in(&image), 0, "{cut:?}: pieces of slots on the disk");
        assert_eq!(needles.tripwire_in(&image), 0, "{cut:?}: pieces of the tripwire on the disk");
    }
    left
}
