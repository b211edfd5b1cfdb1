//! The frame around every layer: `u32le(N) || blob(N) || JSON` (wire spec, section 5).

/// Bytes of the length in front of the blob.
pub const PREFIX_BYTES: usize = 4;

/// A frame whose length fits its bytes. The blob and the JSON are not looked into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What the length counts: a ciphertext, or the request itself in the innermost layer.
    pub blob: &'a [u8],
    /// All that follows the blob; should be UTF-8 JSON.
    pub json: &'a [u8],
}

/// Why bytes are no frame. The texts are those of the reference node; the sender is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Fewer bytes than the length itself takes.
    #[error("Unexpected payload size; expected ciphertext size")]
    NoLength,
    /// The length counts more bytes than there are.
    #[error("Unexpected payload size {have}, expected >= {expected}")]
    Short {
        /// Bytes behind the length.
        have: usize,
        /// Bytes the length promises.
        expected: u32,
    },
}

/// A blob of more bytes than 32 bits can count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a layer holds less than 4 GiB")]
pub struct BlobTooLong;

/// Splits a frame without copying.
///
/// # Errors
/// Where the length is missing or counts more bytes than follow it.
pub fn split(bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    let (length, rest) = bytes.split_first_chunk().ok_or(FrameError::NoLength)?;
    let expected = u32::from_le_bytes(*length);
    usize::try_from(expected)
        .ok()
        .and_then(|length| rest.split_at_checked(length))
        .map(|(blob, json)| Frame { blob, json })
        .ok_or(FrameError::Short { have: rest.len(), expected })
}

/// Joins a blob and the JSON behind it.
///
/// # Errors
/// Where the blob has 4 GiB or more.
pub fn join(blob: &[u8], json: &str) -> Result<Vec<u8>, BlobTooLong> {
    let length = u32::try_from(blob.len()).map_err(|_| BlobTooLong)?;
    Ok([length.to_le_bytes().as_slice(), blob, json.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_frame_survives_being_joined_and_split(blob: Vec<u8>, json: String) {
            let joined = join(&blob, &json).unwrap();
            let frame = split(&joined).ok().unwrap();
            prop_assert_eq!(frame.blob, blob);
            prop_assert_eq!(frame.json, json.as_bytes());
        }

        #[test]
        fn any_bytes_split_into_a_frame_that_joins_back_or_an_error(bytes: Vec<u8>) {
            if let Ok(frame) = split(&bytes) {
                prop_assert_eq!(PREFIX_BYTES + frame.blob.len() + frame.json.len(), bytes.len());
            }
        }
    }

    #[test]
    fn short_frames_are_refused_in_the_words_of_the_reference() {
        let refusal = |bytes: &[u8]| split(bytes).err().unwrap().to_string();
        assert_eq!(refusal(b""), "Unexpected payload size; expected ciphertext size");
        assert_eq!(refusal(b"\x01\0\0"), "Unexpected payload size; expected ciphertext size");
        assert_eq!(refusal(b"\x03\0\0\0ab"), "Unexpected payload size 2, expected >= 3");
        assert_eq!(
            refusal(b"\xff\xff\xff\xff"),
            "Unexpected payload size 0, expected >= 4294967295"
        );
    }
}
