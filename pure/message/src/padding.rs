//! Padding that hides the length of what is said (wire spec, section 2).

/// Messages within one block of this many bytes look alike.
const BLOCK_BYTES: usize = 160;
/// What stands between the message and the zeros.
pub(crate) const MARK: u8 = 0x80;

/// How long `length` bytes are once padded: `ceil((length + 2) / 160) * 160 - 1`.
///
/// So 159, 319, 479, ...: the lengths that Session's desktop client sends.
pub const fn padded_len(length: usize) -> usize {
    (length + 2).div_ceil(BLOCK_BYTES) * BLOCK_BYTES - 1
}

/// `message || 80 || 00...`
pub fn pad(mut message: Vec<u8>) -> Vec<u8> {
    let length = padded_len(message.len());
    message.push(MARK);
    message.resize(length, 0);
    message
}

/// The message in front of the last `80 00...`, however many zeros there are.
///
/// Other clients round to other lengths, so no length is expected. Bytes without padding are
/// returned whole, as other clients do: the sender's signature covers them either way. `None`
/// where there are zeros alone.
pub fn strip(padded: &[u8]) -> Option<&[u8]> {
    let last = padded.iter().rposition(|byte| *byte != 0)?;
    match padded.get(last) {
        Some(&MARK) => padded.get(..last),
        _ => Some(padded),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        padded_lengths: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        length: usize,
        padded: usize,
    }

    #[test]
    fn lengths_are_those_seen_on_the_wire() {
        let text = include_str!("../../../spec/vectors/message-v1.json");
        for vector in serde_json::from_str::<Vectors>(text).unwrap().padded_lengths {
            assert_eq!(padded_len(vector.length), vector.padded);
            assert_eq!(pad(vec![1; vector.length]).len(), vector.padded);
        }
    }

    #[test]
    fn a_padding_of_any_length_is_stripped() {
        assert_eq!(strip(b"hi\x80"), Some(b"hi".as_slice()));
        assert_eq!(strip(b"hi\x80\0\0\0\0\0"), Some(b"hi".as_slice()));
        assert_eq!(strip(b"hi\x80\x80\0"), Some(b"hi\x80".as_slice()));
    }

    #[test]
    fn bytes_without_padding_are_returned_whole_and_zeros_alone_are_nothing() {
        assert_eq!(strip(b"hi"), Some(b"hi".as_slice()));
        assert_eq!(strip(b"hi\0"), Some(b"hi\0".as_slice()));
        assert_eq!(strip(&[0; 160]), None);
        assert_eq!(strip(&[]), None);
    }

    proptest! {
        #[test]
        fn a_padded_message_is_stripped_to_itself(message: Vec<u8>) {
            let padded = pad(message.clone());
            prop_assert_eq!(strip(&padded), Some(message.as_slice()));
        }

        #[test]
        fn any_bytes_are_stripped_to_a_prefix(bytes: Vec<u8>) {
            if let Some(message) = strip(&bytes) {
                prop_assert!(bytes.starts_with(message));
            }
        }
    }
}
