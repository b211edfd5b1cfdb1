//! What keeps this process's memory to itself: no core dumps, no other process of the same user that
//! reads it, and nothing left in memory that was given back (decision 0019).

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// Overwrites what Rust code frees, and what a growing vector leaves behind.
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

/// Asks the system for it. Where it refuses, the program runs as any other.
pub fn harden() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let nothing = Rlimit { current: Some(0), maximum: Some(0) };
        let _ = setrlimit(Resource::Core, nothing);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Has the C library overwrite what it frees: pages of databases lie in its memory, and SQLite gives
/// them back as they are. For a process that lives on without its keys.
///
/// The library reads its settings before `main`, so the program starts itself anew, once, under the
/// same number and with the same arguments. To be called before anything is read or opened. Where the
/// C library is none of the GNU project or the start fails, this returns, and the process runs on
/// without.
///
/// A code in the environment goes through a pipe: the environment of a process lies in its memory
/// until it ends.
pub fn wipe_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    again::with_settings();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod again {
    use std::env;
    use std::ffi::{OsStr, OsString};
    use std::io::{PipeReader, Write, pipe};
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use rustix::io::{FdFlags, fcntl_setfd};

    use crate::passphrase::{self, SecretText};

    /// Where the library reads its settings.
    const VARIABLE: &str = "GLIBC_TUNABLES";
    /// Freed memory is overwritten, also blocks that a thread would keep for itself: those are spared
    /// otherwise.
    const SETTINGS: &str = "glibc.malloc.perturb=255:glibc.malloc.tcache_count=0";

    pub(super) fn with_settings() {
        let before = env::var_os(VARIABLE);
        let (Some(settings), Ok(program)) = (wanted(before.as_deref()), env::current_exe()) else {
            return;
        };
        let mut arguments = env::args_os();
        let mut again = Command::new(program);
        if let Some(name) = arguments.next() {
            again.arg0(name);
        }
        let code = passphrase::taken_from_environment().and_then(|code| piped(&code));
        if let Some(code) = &code {
            let path = format!("/proc/self/fd/{}", code.as_raw_fd());
            again.env_remove(passphrase::VARIABLE).env(passphrase::FILE_VARIABLE, path);
        }
        // It comes back only where it failed.
        let _ = again.args(arguments).env(VARIABLE, settings).exec();
    }

    /// A pipe that holds a code, open in the program that is started, too.
    fn piped(code: &SecretText) -> Option<PipeReader> {
        let (reader, mut writer) = pipe().ok()?;
        // Far less than a pipe holds, so this does not wait.
        writer.write_all(code.expose().as_bytes()).ok()?;
        fcntl_setfd(&reader, FdFlags::empty()).ok()?;
        Some(reader)
    }

    /// The settings with ours; `None` where they are there.
    fn wanted(before: Option<&OsStr>) -> Option<OsString> {
        let Some(before) = before.filter(|before| !before.is_empty()) else {
            return Some(SETTINGS.into());
        };
        let are_there = before.as_bytes().ends_with(SETTINGS.as_bytes());
        (!are_there).then(|| {
            let mut both = before.to_owned();
            both.push(":");
            both.push(SETTINGS);
            both
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn settings_of_others_are_kept_and_ours_are_added_once() {
            let alone = wanted(None).unwrap();
            assert_eq!(alone, SETTINGS);
            assert_eq!(wanted(Some(OsStr::new(""))), Some(alone.clone()));
            assert_eq!(wanted(Some(&alone)), None);
            let both = wanted(Some(OsStr::new("glibc.malloc.check=0"))).unwrap();
            assert_eq!(both.to_str().unwrap(), format!("glibc.malloc.check=0:{SETTINGS}"));
            assert_eq!(wanted(Some(&both)), None);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_hardened_process_dumps_no_core() {
        use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
        harden();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
