//! The JSON of each layer: who opens the next one and how, or what to do with the request.

use serde_json::{Map, Value, json};
use warren_crypto::x25519;
use warren_wire::NodeId;

use crate::layer::Cipher;

/// How much of an unknown cipher's name an error repeats, in characters.
const MAX_ECHO: usize = 32;

/// The header beside a sealed layer: all a node needs in order to open it.
///
/// `{"ephemeral_key": 64 hex [, "enc_type": name] [, "hop_no": integer]}`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OuterHeader {
    /// The client's one-time key for this layer.
    pub ephemeral: x25519::PublicKey,
    /// The layer's cipher; AES-GCM where the header names none.
    pub cipher: Cipher,
    /// How many nodes the packet says it has passed; not authenticated. 255 stands for all above.
    pub hop: u8,
}

/// The header inside an opened layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InnerHeader {
    /// `{"destination": 64 hex, "ephemeral_key", "enc_type"}`: the blob is for another node.
    Relay {
        /// The next node.
        next: NodeId,
        /// The client's one-time key for the next layer.
        ephemeral: x25519::PublicKey,
        /// The next layer's cipher.
        cipher: Cipher,
    },
    /// `{"headers": any [, "json": bool] [, "base64": bool]}`: the blob is a request to this node.
    Deliver {
        /// Whether an answer that is JSON is embedded as such; absent means no.
        json: bool,
        /// Whether the sealed answer is written in base64; absent means yes.
        base64: bool,
    },
    /// `{"host", "target" [, "port"] [, "protocol"] [, "method"]}`: for a server outside.
    Proxy(ProxyHeader),
}

/// Where a proxied request is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyHeader {
    /// Host name, unchecked.
    pub host: String,
    /// 443 where absent.
    pub port: u16,
    /// `https` where absent; unchecked.
    pub protocol: String,
    /// Path of the URL, unchecked.
    pub target: String,
    /// `POST` where absent; unchecked, and ignored by the reference.
    pub method: String,
}

/// Why a header is not understood. The texts follow the reference; the sender is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// No JSON.
    #[error("[json.exception.parse_error.101] parse error at line {line}, column {column}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
    },
    /// JSON, but no object.
    #[error("[json.exception.type_error.304] cannot use at() with {0}")]
    NotObject(&'static str),
    /// A field that must be there is not.
    #[error("[json.exception.out_of_range.403] key '{0}' not found")]
    Missing(&'static str),
    /// A field that must be text is of the type named.
    #[error(
        "[json.exception.type_error.303] incompatible ReferenceType for get_ref, actual type is {0}"
    )]
    NotText(&'static str),
    /// A field has another type than it must.
    #[error("[json.exception.type_error.302] type must be {expected}, but is {actual}")]
    Type {
        /// What it must be.
        expected: &'static str,
        /// What it is.
        actual: &'static str,
    },
    /// A port outside 0..=65535.
    #[error("port out of range")]
    Port,
    /// A key with something else than pairs of hexadecimal digits.
    #[error("Hex key data is invalid: data is not hex")]
    NotHex,
    /// A key of another length; the text says 32 where it means bytes, as the reference's does.
    #[error("Hex key data is invalid: expected 32 hex digits, received {0}")]
    KeyLength(usize),
    /// A cipher that is unknown or no longer offered (`aes-cbc`).
    #[error("Invalid encryption type {0}")]
    Cipher(String),
}

impl OuterHeader {
    /// Reads the JSON beside a sealed layer.
    ///
    /// # Errors
    /// Where it is no JSON, a field is missing or of the wrong shape, or the cipher is refused.
    pub fn parse(json: &[u8]) -> Result<Self, HeaderError> {
        let fields = object(json)?;
        Ok(Self {
            ephemeral: ephemeral_key(&fields)?,
            cipher: cipher(&fields)?,
            hop: fields.get("hop_no").map_or(Ok(0), hop_number)?,
        })
    }

    /// Writes the JSON. A hop of 0 is left out, as clients do.
    pub fn to_json(&self) -> String {
        let key = hex::encode(self.ephemeral.as_bytes());
        let cipher = self.cipher.name();
        match self.hop {
            0 => json!({ "ephemeral_key": key, "enc_type": cipher }),
            hop => json!({ "ephemeral_key": key, "enc_type": cipher, "hop_no": hop }),
        }
        .to_string()
    }
}

impl InnerHeader {
    /// Reads the JSON inside an opened layer. `headers` decides before `host`, `host` before
    /// `destination`.
    ///
    /// # Errors
    /// Where it is no JSON, a field is missing or of the wrong shape, or the cipher is refused.
    pub fn parse(json: &[u8]) -> Result<Self, HeaderError> {
        let fields = object(json)?;
        if fields.contains_key("headers") {
            Ok(Self::Deliver {
                json: flag(&fields, "json", false)?,
                base64: flag(&fields, "base64", true)?,
            })
        } else if fields.contains_key("host") {
            ProxyHeader::read(&fields).map(Self::Proxy)
        } else {
            Ok(Self::Relay {
                next: key(text(&fields, "destination")?).map(NodeId::from_bytes)?,
                ephemeral: ephemeral_key(&fields)?,
                cipher: cipher(&fields)?,
            })
        }
    }

    /// Writes the JSON.
    pub fn to_json(&self) -> String {
        match self {
            Self::Relay { next, ephemeral, cipher } => json!({
                "destination": next.to_string(),
                "ephemeral_key": hex::encode(ephemeral.as_bytes()),
                "enc_type": cipher.name(),
            }),
            Self::Deliver { json, base64 } => {
                json!({ "headers": "", "json": json, "base64": base64 })
            }
            Self::Proxy(to) => json!({
                "host": to.host,
                "port": to.port,
                "protocol": to.protocol,
                "target": to.target,
                "method": to.method,
            }),
        }
        .to_string()
    }
}

impl ProxyHeader {
    fn read(fields: &Map<String, Value>) -> Result<Self, HeaderError> {
        let or = |name, default: &str| match fields.contains_key(name) {
            true => text(fields, name).map(str::to_owned),
            false => Ok(default.to_owned()),
        };
        let port = match fields.get("port") {
            None => 443,
            Some(Value::Number(port)) => {
                port.as_u64().and_then(|port| port.try_into().ok()).ok_or(HeaderError::Port)?
            }
            Some(other) => Err(wrong_type("number", other))?,
        };
        Ok(Self {
            host: text(fields, "host")?.to_owned(),
            port,
            protocol: or("protocol", "https")?,
            target: text(fields, "target")?.to_owned(),
            method: or("method", "POST")?,
        })
    }
}

fn object(json: &[u8]) -> Result<Map<String, Value>, HeaderError> {
    let value: Value = serde_json::from_slice(json)
        .map_err(|error| HeaderError::Syntax { line: error.line(), column: error.column() })?;
    match value {
        Value::Object(fields) => Ok(fields),
        other => Err(HeaderError::NotObject(type_name(&other))),
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, HeaderError> {
    let value = fields.get(name).ok_or(HeaderError::Missing(name))?;
    value.as_str().ok_or_else(|| HeaderError::NotText(type_name(value)))
}

fn flag(
    fields: &Map<String, Value>,
    name: &'static str,
    default: bool,
) -> Result<bool, HeaderError> {
    let Some(value) = fields.get(name) else { return Ok(default) };
    value.as_bool().ok_or_else(|| wrong_type("boolean", value))
}

fn ephemeral_key(fields: &Map<String, Value>) -> Result<x25519::PublicKey, HeaderError> {
    key(text(fields, "ephemeral_key")?).map(x25519::PublicKey::from_bytes)
}

fn cipher(fields: &Map<String, Value>) -> Result<Cipher, HeaderError> {
    if !fields.contains_key("enc_type") {
        return Ok(Cipher::default());
    }
    let name = text(fields, "enc_type")?;
    Cipher::from_name(name)
        .ok_or_else(|| HeaderError::Cipher(name.chars().take(MAX_ECHO).collect()))
}

fn key(text: &str) -> Result<[u8; 32], HeaderError> {
    let bytes = hex::decode(text).map_err(|_| HeaderError::NotHex)?;
    bytes.try_into().map_err(|_| HeaderError::KeyLength(text.len()))
}

/// A negative count is 0, as for the reference: a client may start anywhere to hide where it is.
fn hop_number(value: &Value) -> Result<u8, HeaderError> {
    let Value::Number(number) = value else { return Err(wrong_type("number", value)) };
    match number.as_i64() {
        Some(..0) => Ok(0),
        Some(hop) => Ok(u8::try_from(hop).unwrap_or(u8::MAX)),
        None => Ok(u8::MAX),
    }
}

fn wrong_type(expected: &'static str, actual: &Value) -> HeaderError {
    HeaderError::Type { expected, actual: type_name(actual) }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(json: &str) -> String {
        OuterHeader::parse(json.as_bytes()).unwrap_err().to_string()
    }

    proptest! {
        #[test]
        fn headers_survive_being_written_and_read(
            id: [u8; 32],
            ephemeral: [u8; 32],
            hop: u8,
            xchacha: bool,
            json: bool,
            base64: bool,
            host: String,
            port: u16,
        ) {
            let ephemeral = x25519::PublicKey::from_bytes(ephemeral);
            let cipher = if xchacha { Cipher::XChaCha20 } else { Cipher::AesGcm };
            let outer = OuterHeader { ephemeral, cipher, hop };
            prop_assert_eq!(OuterHeader::parse(outer.to_json().as_bytes()).unwrap(), outer);
            let proxy = ProxyHeader {
                host: host.clone(),
                port,
                protocol: "http".to_owned(),
                target: host,
                method: "GET".to_owned(),
            };
            for inner in [
                InnerHeader::Relay { next: NodeId::from_bytes(id), ephemeral, cipher },
                InnerHeader::Deliver { json, base64 },
                InnerHeader::Proxy(proxy),
            ] {
                prop_assert_eq!(InnerHeader::parse(inner.to_json().as_bytes()).unwrap(), inner);
            }
        }

        #[test]
        fn any_bytes_read_as_a_header_or_an_error(bytes: Vec<u8>) {
            let _ = OuterHeader::parse(&bytes);
            let _ = InnerHeader::parse(&bytes);
        }
    }

    #[test]
    fn outer_headers_are_refused_in_the_words_of_the_reference() {
        assert!(refusal("{").starts_with("[json.exception.parse_error.101] "));
        assert_eq!(refusal("[]"), "[json.exception.type_error.304] cannot use at() with array");
        assert_eq!(
            refusal("{}"),
            "[json.exception.out_of_range.403] key 'ephemeral_key' not found"
        );
        assert_eq!(
            refusal(r#"{"ephemeral_key":7}"#),
            "[json.exception.type_error.303] incompatible ReferenceType for get_ref, actual type \
             is number"
        );
        assert_eq!(
            refusal(r#"{"ephemeral_key":"xy"}"#),
            "Hex key data is invalid: data is not hex"
        );
        assert_eq!(
            refusal(r#"{"ephemeral_key":"abcd"}"#),
            "Hex key data is invalid: expected 32 hex digits, received 4"
        );
    }

    #[test]
    fn aes_gcm_is_the_default_and_aes_cbc_is_refused() {
        let header = |rest: &str| {
            let json = format!(r#"{{"ephemeral_key":"{}"{rest}}}"#, "Ab".repeat(32));
            OuterHeader::parse(json.as_bytes())
        };
        assert_eq!(header("").unwrap().cipher, Cipher::AesGcm);
        for (name, cipher) in [
            ("gcm", Cipher::AesGcm),
            ("aes-gcm", Cipher::AesGcm),
            ("xchacha20", Cipher::XChaCha20),
            ("xchacha20-poly1305", Cipher::XChaCha20),
        ] {
            assert_eq!(header(&format!(r#","enc_type":"{name}""#)).unwrap().cipher, cipher);
        }
        let refused = header(r#","enc_type":"aes-cbc""#).unwrap_err();
        assert_eq!(refused.to_string(), "Invalid encryption type aes-cbc");
        assert!(header(r#","enc_type":null"#).is_err());
        for (hop, read) in [("-4", 0), ("0", 0), ("3", 3), ("255", 255), ("1e30", 255)] {
            assert_eq!(header(&format!(r#","hop_no":{hop}"#)).unwrap().hop, read);
        }
        assert!(header(r#","hop_no":"3""#).is_err());
    }

    #[test]
    fn absent_flags_mean_text_bodies_in_base64_and_flags_must_be_booleans() {
        let read = |json: &str| InnerHeader::parse(json.as_bytes());
        assert_eq!(
            read(r#"{"headers":{"a":1},"body":null}"#),
            Ok(InnerHeader::Deliver { json: false, base64: true })
        );
        assert!(read(r#"{"headers":"","json":1}"#).is_err());
        assert!(read(r#"{"headers":"","base64":null}"#).is_err());
    }
}
