//! The device secret, kept by a TPM 2.0, through the programs of tpm2-tools as separate processes.
//!
//! A secret of 32 random bytes is sealed under a key that the TPM derives anew each time and that
//! never leaves it. What it hands out for keeping is useless without that very TPM. Secrets pass
//! through pipes, never through arguments or files.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use warren_crypto::secret::SecretBytes;
use warren_crypto::{Entropy, Secret};
use warren_lock::slots::DEVICE_BYTES;

/// Why the TPM does not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum TpmError {
    /// The programs are not there.
    #[error("the programs of tpm2-tools are not installed (Debian: apt-get install tpm2-tools)")]
    NoTools,
    /// A program failed.
    #[error("the TPM refused ({program}): {words}")]
    Refused {
        /// Which.
        program: &'static str,
        /// The last line that it said.
        words: String,
    },
    /// What it handed out is larger than there is room for.
    #[error("the TPM hands out more than fits")]
    TooLarge,
    /// What is kept of it is not what was written.
    #[error("what is kept of the TPM's secret is damaged")]
    Damaged,
    /// The disk.
    #[error("the home directory cannot be used: {0}")]
    Io(#[from] io::Error),
}

/// Draws a device secret, seals it, and gives both: what to keep and the secret.
///
/// # Errors
/// Where there is no TPM, or it refuses.
pub(super) fn seal(
    home: &Path,
    entropy: &mut dyn Entropy,
) -> Result<([u8; DEVICE_BYTES], Secret<32>), TpmError> {
    let secret = Secret::random(entropy);
    let folder = Folder::make(home)?;
    folder.derive()?;
    let (public, private) = (folder.file("public"), folder.file("private"));
    let parent = folder.file("parent");
    let arguments = [
        OsStr::new("-Q"),
        OsStr::new("-C"),
        parent.as_os_str(),
        OsStr::new("-i"),
        OsStr::new("-"),
        OsStr::new("-u"),
        public.as_os_str(),
        OsStr::new("-r"),
        private.as_os_str(),
    ];
    run("tpm2_create", &arguments, secret.expose())?;
    let kept = pack(&fs::read(public)?, &fs::read(private)?, entropy)?;
    Ok((kept, secret))
}

/// Gets the secret back.
///
/// # Errors
/// Where it is another TPM, or it refuses.
pub(super) fn unseal(home: &Path, kept: &[u8; DEVICE_BYTES]) -> Result<Secret<32>, TpmError> {
    let (public_part, private_part) = unpack(kept).ok_or(TpmError::Damaged)?;
    let folder = Folder::make(home)?;
    let (public, private) = (folder.file("public"), folder.file("private"));
    fs::write(&public, public_part)?;
    fs::write(&private, private_part)?;
    folder.derive()?;
    let object = folder.file("object");
    let parent = folder.file("parent");
    let arguments = [
        OsStr::new("-Q"),
        OsStr::new("-C"),
        parent.as_os_str(),
        OsStr::new("-u"),
        public.as_os_str(),
        OsStr::new("-r"),
        private.as_os_str(),
        OsStr::new("-c"),
        object.as_os_str(),
    ];
    run("tpm2_load", &arguments, &[])?;
    let arguments = [OsStr::new("-Q"), OsStr::new("-c"), object.as_os_str()];
    let secret = run("tpm2_unseal", &arguments, &[])?;
    Secret::from_slice(secret.expose()).ok_or(TpmError::Damaged)
}

/// What the programs hand each other: nothing of it is secret.
struct Folder(TempDir);

impl Folder {
    fn make(home: &Path) -> Result<Self, TpmError> {
        Ok(Self(TempDir::new_in(home)?))
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// The key above the secret, which follows from the TPM alone.
    fn derive(&self) -> Result<(), TpmError> {
        let parent = self.file("parent");
        let fixed = ["-Q", "-C", "o", "-g", "sha256", "-G", "ecc", "-c"].map(OsStr::new);
        run("tpm2_createprimary", &[&fixed[..], &[parent.as_os_str()]].concat(), &[]).map(drop)
    }
}

/// Runs a program of tpm2-tools.
fn run(program: &'static str, arguments: &[&OsStr], input: &[u8]) -> Result<SecretBytes, TpmError> {
    let outcome = run_alone(program, arguments, input);
    // A simulator has room for three objects, and no manager that forgets those whose program ended.
    let choice = std::env::var("TPM2TOOLS_TCTI").unwrap_or_default();
    if choice.starts_with("swtpm") || choice.starts_with("mssim") {
        let _ = run_alone("tpm2_flushcontext", &[OsStr::new("-t")], &[]);
    }
    outcome
}

fn run_alone(
    program: &'static str,
    arguments: &[&OsStr],
    input: &[u8],
) -> Result<SecretBytes, TpmError> {
    const MOST_OUTPUT: usize = 4096;
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(TpmError::NoTools),
        child => child?,
    };
    if let Some(mut stdin) = child.stdin.take() {
        // A program that refuses early reads nothing.
        let _ = stdin.write_all(input);
    }
    let mut output = Vec::with_capacity(MOST_OUTPUT);
    if let Some(stdout) = child.stdout.take() {
        let most = u64::try_from(MOST_OUTPUT).unwrap_or(u64::MAX);
        stdout.take(most).read_to_end(&mut output)?;
    }
    let output = SecretBytes::take(output);
    let ended = child.wait_with_output()?;
    if ended.status.success() {
        return Ok(output);
    }
    let words = String::from_utf8_lossy(&ended.stderr);
    let words = words.lines().last().unwrap_or_default().to_owned();
    Err(TpmError::Refused { program, words })
}

/// `length[2] || public || length[2] || private`, little-endian, filled with random bytes.
fn pack(
    public: &[u8],
    private: &[u8],
    entropy: &mut dyn Entropy,
) -> Result<[u8; DEVICE_BYTES], TpmError> {
    let length = |part: &[u8]| u16::try_from(part.len()).map_err(|_| TpmError::TooLarge);
    let (first, second) = (length(public)?.to_le_bytes(), length(private)?.to_le_bytes());
    let parts = [&first[..], public, &second[..], private].concat();
    let mut kept = [0; DEVICE_BYTES];
    entropy.fill(&mut kept);
    kept.get_mut(..parts.len()).ok_or(TpmError::TooLarge)?.copy_from_slice(&parts);
    Ok(kept)
}

fn unpack(kept: &[u8; DEVICE_BYTES]) -> Option<(&[u8], &[u8])> {
    let (public, rest) = part(kept)?;
    let (private, _) = part(rest)?;
    Some((public, private))
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use warren_crypto::SystemEntropy;

    use super::*;

    proptest! {
        #[test]
        fn what_a_tpm_hands_out_survives_being_kept(public: Vec<u8>, private: Vec<u8>) {
            let kept = pack(&public, &private, &mut SystemEntropy).unwrap();
            prop_assert_eq!(unpack(&kept), Some((&public[..], &private[..])));
        }

        #[test]
        fn any_bytes_are_taken_apart_or_refused(bytes in proptest::collection::vec(any::<u8>(), DEVICE_BYTES)) {
            let _ = unpack(bytes[..].try_into().unwrap());
        }
    }

    #[test]
    fn more_than_fits_is_refused() {
        let refused = pack(&[0; 500], &[0; 500], &mut SystemEntropy);
        assert!(matches!(refused, Err(TpmError::TooLarge)));
    }
}
