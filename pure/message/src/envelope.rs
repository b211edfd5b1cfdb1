//! The frame around a sealed box: an `Envelope` in the request of a `WebSocketMessage`.
//!
//! Nothing of the frame is under a signature. It is written because other clients look for it.

use prost::Message;
use warren_wire::Millis;

use crate::proto;

/// What real clients write and read without using it (wire spec, section 2).
const VERB: &str = "PUT";
/// See [`VERB`].
const PATH: &str = "/api/v1/message";

/// Why stored bytes are no envelope of a direct message. Whoever stored them is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not protobuf, or a frame or envelope without anything in it.
    #[error("the stored bytes are no envelope")]
    Malformed,
    /// An envelope of another kind, as of a legacy group.
    #[error("the envelope is not that of a direct message")]
    Kind,
}

/// An envelope as it was stored: the timestamp may be anyone's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UncheckedEnvelope {
    /// When the message says it was sent.
    pub timestamp: Option<Millis>,
    /// The sealed box.
    pub sealed: Vec<u8>,
}

/// Frames a sealed box.
pub fn wrap(sealed: Vec<u8>, timestamp: Millis) -> Vec<u8> {
    frame(sealed, timestamp, VERB, PATH)
}

/// Frames a sealed configuration message, whose verb and path are empty.
pub(crate) fn wrap_config(sealed: Vec<u8>, timestamp: Millis) -> Vec<u8> {
    frame(sealed, timestamp, "", "")
}

fn frame(sealed: Vec<u8>, timestamp: Millis, verb: &str, path: &str) -> Vec<u8> {
    let envelope = proto::Envelope {
        r#type: Some(proto::envelope::Type::SessionMessage.into()),
        timestamp: Some(timestamp),
        content: Some(sealed),
        ..Default::default()
    };
    let request = proto::WebSocketRequestMessage {
        verb: Some(verb.to_owned()),
        path: Some(path.to_owned()),
        body: Some(envelope.encode_to_vec()),
        request_id: Some(0),
        headers: Vec::new(),
    };
    let frame = proto::WebSocketMessage {
        r#type: Some(proto::web_socket_message::Type::Request.into()),
        request: Some(request),
    };
    frame.encode_to_vec()
}

/// Takes a sealed box out of its frame. Verb, path and request id may be anything.
///
/// # Errors
/// Where the bytes are no frame, or that of another kind of message.
pub fn unwrap(stored: &[u8]) -> Result<UncheckedEnvelope, EnvelopeError> {
    let frame = proto::WebSocketMessage::decode(stored).map_err(|_| EnvelopeError::Malformed)?;
    let body = frame.request.and_then(|request| request.body).ok_or(EnvelopeError::Malformed)?;
    let envelope =
        proto::Envelope::decode(body.as_slice()).map_err(|_| EnvelopeError::Malformed)?;
    let direct = i32::from(proto::envelope::Type::SessionMessage);
    if envelope.r#type.is_some_and(|kind| kind != direct) {
        return Err(EnvelopeError::Kind);
    }
    let sealed = envelope.content.ok_or(EnvelopeError::Malformed)?;
    Ok(UncheckedEnvelope { timestamp: envelope.timestamp, sealed })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_frame_has_every_field_that_other_clients_require() {
        // Written out by hand: type 1; request { "PUT", path, body { type 6, timestamp, content },
        // id 0 }.
        let expected = "0801\
            1223\
            0a03505554\
            120f2f6170692f76312f6d657373616765\
            1a09\
            0806\
            2880a105\
            420178\
            2000";
        assert_eq!(hex::encode(wrap(b"x".to_vec(), 86_144)), expected);
    }

    #[test]
    fn a_legacy_group_message_is_not_taken_for_a_direct_one() {
        let envelope = proto::Envelope {
            r#type: Some(proto::envelope::Type::ClosedGroupMessage.into()),
            content: Some(vec![1]),
            ..Default::default()
        };
        let request = proto::WebSocketRequestMessage {
            body: Some(envelope.encode_to_vec()),
            ..Default::default()
        };
        let frame = proto::WebSocketMessage { r#type: None, request: Some(request) };
        assert_eq!(unwrap(&frame.encode_to_vec()), Err(EnvelopeError::Kind));
        assert_eq!(unwrap(&[]), Err(EnvelopeError::Malformed));
    }

    proptest! {
        #[test]
        fn a_wrapped_box_is_unwrapped_to_itself(sealed: Vec<u8>, timestamp: Millis) {
            let envelope = unwrap(&wrap(sealed.clone(), timestamp)).unwrap();
            prop_assert_eq!(envelope, UncheckedEnvelope { timestamp: Some(timestamp), sealed });
        }

        #[test]
        fn any_bytes_unwrap_to_an_envelope_or_an_error(bytes: Vec<u8>) {
            let _ = unwrap(&bytes);
        }
    }
}
