//! The name of a file on a file server: a hash of its content (wire spec, section 6).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use warren_crypto::CryptoError;
use warren_crypto::hash::SaltedBlake2b;

/// Bytes of a name.
pub const FILE_ID_BYTES: usize = 33;
/// What keeps these names apart from every other hash of the same bytes.
const SALT: &[u8; 16] = b"SessionFileSvr\0\0";

/// `BLAKE2b-33(content, salt = "SessionFileSvr\0\0")`, written in 44 characters of URL-safe base64.
///
/// The same bytes have the same name, whoever uploads them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId([u8; FILE_ID_BYTES]);

/// Why a text names no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a file's name has 44 characters of URL-safe base64")]
pub struct FileIdError;

impl FileId {
    /// The name of content that is at hand as a whole.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub fn of(content: &[u8]) -> Result<Self, CryptoError> {
        let mut hasher = FileHasher::new()?;
        hasher.update(content);
        hasher.finish()
    }

    /// Takes raw bytes.
    pub const fn from_bytes(bytes: [u8; FILE_ID_BYTES]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    pub const fn as_bytes(&self) -> &[u8; FILE_ID_BYTES] {
        &self.0
    }
}

impl FromStr for FileId {
    type Err = FileIdError;

    fn from_str(text: &str) -> Result<Self, FileIdError> {
        let bytes = URL_SAFE.decode(text).map_err(|_| FileIdError)?;
        bytes.try_into().map(Self).map_err(|_| FileIdError)
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE.encode(self.0))
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileId({self})")
    }
}

/// Names content that comes piece by piece.
pub struct FileHasher(SaltedBlake2b<FILE_ID_BYTES>);

impl FileHasher {
    /// Nothing taken in yet.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub fn new() -> Result<Self, CryptoError> {
        SaltedBlake2b::new(SALT).map(Self)
    }

    /// Takes the next piece in.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The name of all pieces together.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub fn finish(self) -> Result<FileId, CryptoError> {
        self.0.finish().map(FileId)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Computed by Python's `hashlib.blake2b` and `base64.urlsafe_b64encode`.
    #[test]
    fn names_are_those_of_sessions_file_server() {
        for (content, name) in [
            (&b""[..], "iBE4bTXi02LqZpnAFL99yO2KWKpbpFYtGjEEk43-oiTg"),
            (b"abc", "PUjvjbryDta-eQrcrNNTC0gDnE3L0Gs6FIp6Jfq93O9M"),
        ] {
            assert_eq!(FileId::of(content).unwrap().to_string(), name);
            assert_eq!(name.parse(), FileId::of(content).map_err(|_| FileIdError));
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let name = FileId::of(b"abc").unwrap().to_string();
        for text in ["", "1", "12345678901234567", &name[1..], &name.replace('-', "+")] {
            assert_eq!(text.parse::<FileId>(), Err(FileIdError), "{text}");
        }
        assert!(format!("{name}=").parse::<FileId>().is_err());
        assert!(format!("../{name}").parse::<FileId>().is_err());
    }

    proptest! {
        #[test]
        fn a_name_survives_being_written_and_read(bytes: [u8; 32], last: u8) {
            let mut all = [last; FILE_ID_BYTES];
            all[..32].copy_from_slice(&bytes);
            let id = FileId::from_bytes(all);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn any_text_names_a_file_or_none(text: String) {
            if let Ok(id) = text.parse::<FileId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
