//! The way back: the destination seals one reply under its layer's key, the client opens it.

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde::Serialize;
use serde_json::Value;
use warren_crypto::{CryptoError, Entropy};
use warren_wire::NodeId;

use crate::layer::LayerKey;

/// Reads base64 with padding and without.
const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The key of the innermost layer, which seals and opens the one reply to a packet.
///
/// Never sent: the client keeps it from building, the destination derives it when peeling.
pub struct ReplyKey(LayerKey);

/// How the client wants its reply, as the innermost header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyForm {
    /// Whether a body that is JSON is embedded; otherwise it is written as text within a string.
    pub json: bool,
    /// Whether the sealed reply is written in base64.
    pub base64: bool,
}

impl Default for ReplyForm {
    /// What absent flags mean.
    fn default() -> Self {
        Self { json: false, base64: true }
    }
}

/// Why a reply was not sealed: our own bug, the sender did nothing wrong.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The body does not serialise as JSON.
    #[error("the reply's body does not serialise: {0}")]
    Body(#[from] serde_json::Error),
    /// A primitive refused well-formed input.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl ReplyKey {
    pub(crate) const fn new(key: LayerKey) -> Self {
        Self(key)
    }

    /// Seals `{"body": .., "status": ..}`; the result is the body of a plain HTTP 200.
    ///
    /// `body` is anything that serialises: a text stays a text, other JSON becomes an embedded
    /// value or a text as `form.json` says.
    ///
    /// # Errors
    /// Where `body` does not serialise.
    pub fn seal<B: Serialize + ?Sized>(
        &self,
        status: u16,
        body: &B,
        form: ReplyForm,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>, SealError> {
        let mut plaintext = br#"{"body":"#.to_vec();
        if form.json {
            serde_json::to_writer(&mut plaintext, body)?;
        } else {
            let text = serde_json::to_string(body)?;
            if text.starts_with('"') {
                plaintext.extend_from_slice(text.as_bytes());
            } else {
                serde_json::to_writer(&mut plaintext, &text)?;
            }
        }
        plaintext.extend_from_slice(format!(r#","status":{status}}}"#).as_bytes());
        let sealed = self.0.seal(&plaintext, entropy)?;
        Ok(if form.base64 { STANDARD.encode(sealed).into_bytes() } else { sealed })
    }

    /// Seals what the reference answers to a layer that opened and made no sense: 400,
    /// "Invalid json", in base64.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub fn seal_malformed(&self, entropy: &mut dyn Entropy) -> Result<Vec<u8>, SealError> {
        self.seal(400, "Invalid json", ReplyForm::default(), entropy)
    }

    /// Seals an answer of any form, as a server outside the network does: raw, or in base64.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub fn seal_bytes(
        &self,
        answer: &[u8],
        base64: bool,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        let sealed = self.0.seal(answer, entropy)?;
        Ok(if base64 { STANDARD.encode(sealed).into_bytes() } else { sealed })
    }

    /// Opens base64 or raw bytes.
    pub(crate) fn open(&self, body: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match TOLERANT.decode(body.trim_ascii()) {
            Ok(sealed) => self.0.open(&sealed).or_else(|_| self.0.open(body)),
            Err(_) => self.0.open(body),
        }
    }
}

impl fmt::Debug for ReplyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyKey(..)")
    }
}

/// What the destination answered. It comes from the destination and no one else.
#[derive(Clone, PartialEq)]
pub struct Reply {
    /// The status of the request, whatever HTTP said: 200, 421, ...
    pub status: u16,
    /// The result. An object or list that travelled as text is parsed; other text is a string.
    pub body: Value,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({})", self.status)
    }
}

/// What a node on the way says in plain text where it could not pass a packet on.
///
/// The texts are the reference's; nodes send them and clients recognise them. They are not
/// authenticated: any node on the path can make them up, so they say whom to try without next, and
/// prove nothing against anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RelayFailure {
    /// The node asked to relay has no such node in its directory.
    #[error("Next node not found: {0}")]
    NextNodeNotFound(NodeId),
    /// It knows the node and cannot reach it.
    #[error("Next node is currently unreachable: {0}")]
    NextNodeUnreachable(NodeId),
    /// The next node did not answer in time.
    #[error("Request time out")]
    TimedOut,
    /// The next node answered nonsense.
    #[error("Invalid response from snode")]
    InvalidResponse,
    /// This node has not caught up with the network.
    #[error("Snode not ready: {0}")]
    NotReady(NodeId),
    /// A layer did not open: the client has an old key of that node, or the packet was altered.
    #[error("Invalid ciphertext")]
    InvalidCiphertext,
}

impl RelayFailure {
    /// The HTTP status that goes with the text.
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::NextNodeNotFound(_) | Self::NextNodeUnreachable(_) => 502,
            Self::TimedOut => 504,
            Self::InvalidResponse => 500,
            Self::NotReady(_) => 503,
            Self::InvalidCiphertext => 400,
        }
    }

    /// Recognises a plain-text failure; `None` for anything else.
    pub fn recognise(body: &[u8]) -> Option<Self> {
        let text = str::from_utf8(body).ok()?.trim_end();
        let failure = match text.split_once(": ") {
            Some((what, id)) => {
                let id = id.parse().ok()?;
                match what {
                    "Next node not found" => Self::NextNodeNotFound(id),
                    "Next node is currently unreachable" => Self::NextNodeUnreachable(id),
                    "Snode not ready" => Self::NotReady(id),
                    _ => return None,
                }
            }
            None => match text {
                "Request time out" => Self::TimedOut,
                "Invalid response from snode" => Self::InvalidResponse,
                "Invalid ciphertext" => Self::InvalidCiphertext,
                _ => return None,
            },
        };
        Some(failure)
    }
}

/// Why there is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// A node on the path failed, or says so: try another path.
    #[error("a node on the path failed: {0}")]
    Relay(RelayFailure),
    /// Not sealed by the destination, or altered on the way: try another path.
    #[error("the reply does not open: it was altered on the way or is a relay's own text")]
    Unreadable,
    /// Sealed by the destination and yet no reply: the destination's fault.
    #[error("the destination's reply is not of the form {{\"status\", \"body\"}}")]
    Malformed,
}

/// Opens the body that came back for a packet, in base64 or raw.
///
/// # Errors
/// Where a relay reports a failure, the bytes do not open under `key`, or what they hold is no
/// reply.
pub fn open_reply(key: &ReplyKey, body: &[u8]) -> Result<Reply, ReplyError> {
    if let Some(failure) = RelayFailure::recognise(body) {
        return Err(ReplyError::Relay(failure));
    }
    let plaintext = key.open(body).map_err(|_| ReplyError::Unreadable)?;
    read_reply(&plaintext).ok_or(ReplyError::Malformed)
}

pub(crate) fn read_reply(plaintext: &[u8]) -> Option<Reply> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(plaintext) else { return None };
    let status = fields.get("status").or_else(|| fields.get("status_code"))?.as_u64()?;
    let body = fields.remove("body").unwrap_or(Value::Null);
    Some(Reply { status: status.try_into().ok()?, body: unfold(body) })
}

/// Parses an object or a list that travelled as text.
fn unfold(body: Value) -> Value {
    match &body {
        Value::String(text) if text.starts_with(['{', '[']) => {
            serde_json::from_str(text).unwrap_or(body)
        }
        _ => body,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::layer::Cipher;
    use crate::tests::{BOTH, Network, Replay, seal_layer};

    /// The same key twice: the client's and the node's.
    fn pair(cipher: Cipher) -> (ReplyKey, ReplyKey) {
        let network = Network::new("reply", 1);
        let (packet, client) = seal_layer(&network.hops()[0], cipher, b"", r#"{"headers":""}"#);
        match crate::peel(&packet, network.secret(0)).unwrap() {
            crate::Peeled::Deliver { reply, .. } => (client, reply),
            other => panic!("{other:?}"),
        }
    }

    fn forms() -> impl Iterator<Item = ReplyForm> {
        [true, false]
            .into_iter()
            .flat_map(|json| [true, false].map(|base64| ReplyForm { json, base64 }))
    }

    #[test]
    fn every_form_of_reply_is_read_alike() {
        let mut entropy = Replay::new("forms");
        for cipher in BOTH {
            let (client, node) = pair(cipher);
            for form in forms() {
                for body in [json!({"hash": "x", "list": [1]}), json!([]), json!("plain \"text\"")]
                {
                    let sealed = node.seal(421, &body, form, &mut entropy).unwrap();
                    assert_eq!(sealed.is_ascii(), form.base64);
                    let reply = open_reply(&client, &sealed).unwrap();
                    assert_eq!(reply, Reply { status: 421, body });
                }
            }
        }
    }

    #[test]
    fn the_plaintext_has_the_references_key_order_and_encodes_json_twice_unless_asked_not_to() {
        let mut entropy = Replay::new("plaintext");
        let (client, node) = pair(Cipher::AesGcm);
        let mut plain = |body: Value, json| {
            let form = ReplyForm { json, base64: false };
            let sealed = node.seal(200, &body, form, &mut entropy).unwrap();
            String::from_utf8(client.open(&sealed).unwrap()).unwrap()
        };
        assert_eq!(plain(json!({"t": 1}), true), r#"{"body":{"t":1},"status":200}"#);
        assert_eq!(plain(json!({"t": 1}), false), r#"{"body":"{\"t\":1}","status":200}"#);
        assert_eq!(plain(json!("no"), true), r#"{"body":"no","status":200}"#);
        assert_eq!(plain(json!("no"), false), r#"{"body":"no","status":200}"#);
    }

    #[test]
    fn a_reply_is_read_without_padding_with_space_around_it_and_with_status_code() {
        let mut entropy = Replay::new("tolerance");
        let (client, node) = pair(Cipher::XChaCha20);
        let plain = br#"{"status_code":503,"body":"x"}"#;
        let sealed = node.0.seal(plain, &mut entropy).unwrap();
        let text = STANDARD.encode(sealed);
        for text in [text.trim_end_matches('='), &format!("{text}\n"), &text] {
            let reply = open_reply(&client, text.as_bytes()).unwrap();
            assert_eq!((reply.status, reply.body), (503, json!("x")));
        }
    }

    #[test]
    fn sealed_nonsense_is_the_destinations_fault_and_an_altered_reply_is_not() {
        let mut entropy = Replay::new("blame");
        let (client, node) = pair(Cipher::XChaCha20);
        for plain in ["", "[]", "{}", r#"{"status":"200"}"#, r#"{"status":99999}"#] {
            let sealed = node.0.seal(plain.as_bytes(), &mut entropy).unwrap();
            assert_eq!(open_reply(&client, &sealed), Err(ReplyError::Malformed));
        }
        let form = ReplyForm { json: true, base64: false };
        let sealed = node.seal(200, "x", form, &mut entropy).unwrap();
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(open_reply(&client, &altered), Err(ReplyError::Unreadable));
        }
    }

    #[test]
    fn plain_text_failures_are_recognised_as_they_are_written() {
        let (client, _) = pair(Cipher::AesGcm);
        let id = NodeId::from_bytes([0xab; 32]);
        for failure in [
            RelayFailure::NextNodeNotFound(id),
            RelayFailure::NextNodeUnreachable(id),
            RelayFailure::TimedOut,
            RelayFailure::InvalidResponse,
            RelayFailure::NotReady(id),
            RelayFailure::InvalidCiphertext,
        ] {
            let read = open_reply(&client, failure.to_string().as_bytes());
            assert_eq!(read, Err(ReplyError::Relay(failure)));
        }
        let text = format!("Next node not found: {}", "ab".repeat(32));
        assert_eq!(RelayFailure::NextNodeNotFound(id).to_string(), text);
        assert_eq!(open_reply(&client, b"Next node not found: me"), Err(ReplyError::Unreadable));
    }

    proptest! {
        #[test]
        fn any_bytes_open_to_an_error(bytes: Vec<u8>, text: String) {
            let (client, _) = pair(Cipher::AesGcm);
            prop_assert!(open_reply(&client, &bytes).is_err());
            prop_assert!(open_reply(&client, text.as_bytes()).is_err());
        }
    }
}
