//! What opens the port on loopback: a random token in a file for its owner alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use warren_crypto::{Secret, SystemEntropy};

use crate::api::guard::{TOKEN_BYTES, read_token};
use crate::failure::Failure;

/// Where it lies.
pub fn path(home: &Path) -> PathBuf {
    home.join("api-token")
}

/// The token of a home, made where there is none.
///
/// # Errors
/// Where the file cannot be read or written, or holds something else.
pub fn of_home(home: &Path) -> Result<Secret<TOKEN_BYTES>, Failure> {
    let path = path(home);
    let failed = |error| Failure::Path { path: path.clone(), error };
    match make(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    restrict(&path).map_err(failed)?;
    let text = fs::read_to_string(&path).map_err(failed)?;
    read_token(&text).ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))
}

fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let token = Secret::<TOKEN_BYTES>::random(&mut SystemEntropy);
    writeln!(file, "{}", hex::encode(token.expose()))?;
    file.sync_all()
}

#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_is_its_owners_alone() {
        let home = tempfile::tempdir().unwrap();
        let token = of_home(home.path()).unwrap();
        assert_eq!(of_home(home.path()).unwrap(), token);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(path(home.path())).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(path(home.path()), "short").unwrap();
        assert!(of_home(home.path()).is_err());
    }
}
