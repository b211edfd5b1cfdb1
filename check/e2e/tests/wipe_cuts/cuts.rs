//! Where a run of the program is killed: before one of its system calls.

use std::path::Path;

use crate::home::Template;

/// What destroys a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// `warren wipe`.
    Wipe,
    /// A duress code.
    Duress,
    /// A wrong code, where one is enough.
    WrongCode,
}

/// The program is killed before a thread makes a system call for the so-manieth time.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    pub(crate) way: Way,
    pub(crate) call: String,
    pub(crate) at: usize,
}

impl Cut {
    /// A cut of the start that follows.
    pub(crate) fn after(&self, next: usize) -> Self {
        Self { at: self.at / (next + 2) + 1, ..self.clone() }
    }
}

/// Calls that do not change what lies on the disk, and are made at every start by the hundred.
const IDLE: [&str; 14] = [
    "mmap",
    "munmap",
    "mprotect",
    "brk",
    "madvise",
    "futex",
    "rt_sigaction",
    "rt_sigprocmask",
    "sigaltstack",
    "sched_yield",
    "clone3",
    "set_robust_list",
    "rseq",
    "sched_getaffinity",
];

/// Calls that change what lies on the disk, or say when.
const CHANGING: [&str; 4] = ["fdatasync", "fsync", "unlink", "unlinkat"];

/// So many of the cuts, evenly over all of them and over and over where more are wanted. Every second
/// one is at a call that changes the disk, the first at the sync of a wipe.
pub(crate) fn chosen(all: Vec<Cut>, wanted: usize) -> Vec<Cut> {
    let changes = |cut: &Cut| CHANGING.contains(&cut.call.as_str());
    let (changing, others): (Vec<Cut>, Vec<Cut>) = all.into_iter().partition(changes);
    let spread = |cuts: &[Cut], number: usize, of: usize| {
        cuts[number * cuts.len().max(of) / of % cuts.len()].clone()
    };
    let cut = |number: usize| match number % 2 {
        0 => spread(&changing, number / 2, wanted.div_ceil(2)),
        _ => spread(&others, number / 2, wanted / 2),
    };
    (0..wanted).map(cut).collect()
}

/// Every place of a way where it can be cut.
pub(crate) fn plan(way: Way, scratch: &Path, template: &Template) -> Vec<Cut> {
    let folder = tempfile::tempdir_in(scratch).unwrap();
    let home = template.copy(folder.path().join("home"));
    let calls = home.calls(way, &folder.path().join("log"));
    let mut cuts = Vec::new();
    for (call, count) in calls.into_iter().filter(|(call, _)| !IDLE.contains(&call.as_str())) {
        cuts.extend((1..=count).map(|at| Cut { way, call: call.clone(), at }));
    }
    cuts
}
