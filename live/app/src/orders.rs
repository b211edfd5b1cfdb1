//! What a duress code ordered, handed to a process that outlives this command.
//!
//! It is started as an ordinary `warren sync` would be, reads on stdin what is to be done, and says
//! nothing to anybody. In a daemon it is the same: it may be told to stop at once.

use std::io::{self, Read, Write};
#[cfg(target_os = "linux")]
use std::path::Path;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use warren_client::vault::DuressOrders;
use warren_client::{Device, duress};

use crate::failure::{Exit, Failure};

/// Has what the code that opened a device ordered be carried out, where it ordered anything. That it
/// did not work is told to nobody who sits here.
pub fn hand_over(device: &mut Device) {
    let orders = device.take_orders();
    if orders.is_empty() || begin(&orders).is_ok() {
        return;
    }
    // A daemon does it itself. A command does for as long as it runs.
    std::thread::spawn(move || {
        if let Ok(runtime) = tokio::runtime::Runtime::new() {
            runtime.block_on(duress::carry_out(orders));
        }
    });
}

fn begin(orders: &DuressOrders) -> io::Result<()> {
    let mut command = Command::new(program()?);
    command.args(["sync", "--now"]).stdin(Stdio::piped()).stdout(Stdio::null());
    // Nothing of what was typed or set goes with it.
    command.stderr(Stdio::null()).env_clear().current_dir("/");
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(&mut command, "warren");
    // Ctrl-C is for the command that was typed.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    let plain = orders.encode().ok_or(io::ErrorKind::InvalidData)?;
    // It fits into the pipe, so nobody waits for the reader.
    child.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(plain.expose()))?;
    // A daemon lives on, and would keep the name of a child that ended.
    std::thread::spawn(move || child.wait());
    Ok(())
}

/// This program, also where an upgrade put another one in its place.
#[cfg(target_os = "linux")]
fn program() -> io::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe() }
}

/// This program.
#[cfg(not(target_os = "linux"))]
fn program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Carries out what stdin says.
///
/// # Errors
/// Where stdin says nothing that can be read.
pub async fn carry_out() -> Result<Exit, Failure> {
    let orders = read().map_err(Failure::Stdin)?;
    duress::carry_out(orders).await;
    Ok(Exit::Done)
}

fn read() -> io::Result<DuressOrders> {
    let mut bytes = Vec::with_capacity(DuressOrders::BYTES + 1);
    let most = u64::try_from(DuressOrders::BYTES + 1).unwrap_or(u64::MAX);
    io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    let bytes = warren_crypto::SecretBytes::take(bytes);
    Ok(DuressOrders::decode(bytes.expose()).ok_or(io::ErrorKind::InvalidData)?)
}
