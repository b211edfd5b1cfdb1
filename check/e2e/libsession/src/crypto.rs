//! Accounts and encryption of libsession that need no network.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libsession::crypto::curve25519::{to_curve25519_pubkey, to_curve25519_seckey};
use libsession::crypto::{ed25519, multi_encrypt};
use libsession::protocol::protocol::{DecodeEnvelopeKey, decode_envelope, encode_for_group};
use serde_json::{Value, json};

use crate::values::{Outcome, array, bytes, list, number, text};

/// No proof of payment is checked here: any key stands for the service that signs them.
pub const NO_BACKEND: [u8; 32] = [0; 32];

/// Keys and id of the account with a seed of 32 bytes.
pub struct Keys {
    /// `seed || public key`, as libsodium has it.
    pub secret: [u8; 64],
    /// The Ed25519 key.
    pub public: [u8; 32],
    /// The Account ID.
    pub id: String,
}

impl Keys {
    /// Those of the seed in a question.
    pub fn of(question: &Value) -> Outcome<Self> {
        let (public, secret) = ed25519::ed25519_key_pair_from_seed(&bytes(question, "seed")?)?;
        let id = format!("05{}", hex::encode(to_curve25519_pubkey(&public)?));
        Ok(Self { secret, public, id })
    }
}

/// The account of a seed, or of a new one.
pub fn account(question: &Value) -> Outcome<Value> {
    let seed = match question["seed"].as_str() {
        Some(seed) => seed.to_owned(),
        None => hex::encode(ed25519::seed_for_ed_privkey(&ed25519::ed25519_key_pair().1)?),
    };
    let keys = Keys::of(&json!({ "seed": seed }))?;
    Ok(json!({ "seed": seed, "id": keys.id, "ed25519": hex::encode(keys.public) }))
}

/// A signature, in base64 as nodes take it.
pub fn sign(question: &Value) -> Outcome<Value> {
    let keys = Keys::of(question)?;
    let signature = ed25519::sign(&keys.secret, text(question, "text")?.as_bytes())?;
    Ok(json!(STANDARD.encode(signature)))
}

/// Seals messages to several accounts at once.
pub fn multi_seal(question: &Value) -> Outcome<Value> {
    let messages = list(question, "messages")?;
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let recipients = list(question, "recipients")?;
    let recipients: Vec<[u8; 32]> =
        recipients.iter().map(|key| crate::values::sized(key)).collect::<Outcome<_>>()?;
    let (keys, domain) = (Keys::of(question)?, text(question, "domain")?);
    let pad = i32::try_from(number(question, "pad")?)?;
    let sealed = multi_encrypt::encrypt_for_multiple_simple_ed25519(
        &messages,
        &recipients,
        &keys.secret,
        domain,
        None,
        pad,
    )?;
    Ok(json!(hex::encode(sealed)))
}

/// Opens the copy for this account among copies under one nonce.
pub fn multi_open(question: &Value) -> Outcome<Value> {
    let keys = Keys::of(question)?;
    let own = to_curve25519_seckey(&keys.secret)?;
    let own_public = to_curve25519_pubkey(&keys.public)?;
    let copies = list(question, "copies")?;
    let copies: Vec<&[u8]> = copies.iter().map(Vec::as_slice).collect();
    let (nonce, sender) = (array(question, "nonce")?, array(question, "sender")?);
    let domain = text(question, "domain")?;
    let opened =
        multi_encrypt::decrypt_for_multiple(&copies, &nonce, &own, &own_public, &sender, domain);
    Ok(json!(hex::encode(opened.ok_or("no copy opens")?)))
}

/// Seals a `Content` to a group.
pub fn group_seal(question: &Value) -> Outcome<Value> {
    let keys = Keys::of(question)?;
    let sealed = encode_for_group(
        &bytes(question, "content")?,
        &keys.secret,
        number(question, "timestamp")?.try_into()?,
        &array(question, "group")?,
        &bytes(question, "key")?,
        None,
    )?;
    Ok(json!(hex::encode(sealed)))
}

/// Opens what a member sealed to a group.
pub fn group_open(question: &Value) -> Outcome<Value> {
    let group: [u8; 33] = array(question, "group")?;
    let keys = list(question, "keys")?;
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let keys = DecodeEnvelopeKey { group_ed25519_pubkey: Some(&group[1..]), decrypt_keys: &keys };
    let opened = decode_envelope(&keys, &bytes(question, "sealed")?, &NO_BACKEND)?;
    Ok(json!({
        "sender": format!("05{}", hex::encode(opened.sender_x25519_pubkey)),
        "timestamp": opened.envelope.timestamp,
        "content": hex::encode(opened.content_plaintext),
    }))
}
