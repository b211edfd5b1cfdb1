//! Codes bound to a TPM 2.0, which a simulator (`swtpm`) stands in for.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::daemon::eventually;
use crate::device::{Device, Ended};

/// A machine's TPM.
struct Tpm {
    folder: TempDir,
    child: Child,
}

impl Tpm {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let child = Command::new("swtpm")
            .args(["socket", "--tpm2", "--tpmstate", &format!("dir={}", folder.path().display())])
            .args(["--server", &format!("type=unixio,path={}", at("s"))])
            .args(["--ctrl", &format!("type=unixio,path={}", at("s.ctrl"))])
            .args(["--flags", "not-need-init,startup-clear"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let tpm = Self { folder, child };
        eventually("the simulator listens", || tpm.socket().exists());
        tpm
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    /// A command on the machine with this TPM.
    fn run(&self, device: &Device, arguments: &[&str]) -> Ended {
        let choice = format!("swtpm:path={}", self.socket().display());
        device.command(arguments).env("TPM2TOOLS_TCTI", choice).output().unwrap().into()
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::print_stderr, reason = "a test says what it cannot do")]
fn available() -> bool {
    let missing: Vec<_> = ["swtpm", "tpm2_create"]
        .into_iter()
        .filter(|program| Command::new(program).arg("--version").output().is_err())
        .collect();
    if !missing.is_empty() {
        eprintln!("not run: {missing:?} (Debian: swtpm, tpm2-tools, libtss2-tcti-swtpm0)");
    }
    missing.is_empty()
}

#[test]
fn a_bound_home_opens_on_its_own_machine_and_a_copy_of_it_nowhere_else() {
    if !available() {
        return;
    }
    let (machine, other) = (Tpm::start(), Tpm::start());
    let device = Device::new();
    device.run(&["account", "create", "--name", "alice"]).with_code(0);
    machine.run(&device, &["lock", "bind"]).with_code(0);
    for _ in 0..3 {
        let listed = machine.run(&device, &["account", "list"]).with_code(0);
        assert!(listed.stdout.contains("alice"), "{listed:?}");
    }
    let shown = machine.run(&device, &["--json", "lock", "show"]).with_code(0).json();
    assert_eq!(shown["bound"], true);
    for _ in 0..2 {
        let elsewhere = other.run(&device, &["--json", "account", "list"]).with_code(1);
        assert_eq!(elsewhere.error_code(), "tpm");
        assert_eq!(elsewhere.stderr.lines().count(), 1, "{elsewhere:?}");
    }
    machine.run(&device, &["account", "list"]).with_code(0);
    machine.run(&device, &["lock", "unbind"]).with_code(0);
    assert!(device.run(&["account", "list"]).with_code(0).stdout.contains("alice"));
    let refused = Device::new();
    refused.run(&["account", "create"]).with_code(0);
    let mut unreachable = refused.command(&["--json", "lock", "bind"]);
    unreachable.env("TPM2TOOLS_TCTI", "swtpm:path=nothing-listens-here");
    let unreachable = Ended::from(unreachable.output().unwrap()).with_code(1);
    assert_eq!(unreachable.error_code(), "tpm");
    refused.run(&["account", "list"]).with_code(0);
}
