//! Configurations that libsession changes, writes, reads and merges.
//!
//! Its `ConfigBase` neither numbers its pushes nor unfolds compressed ones, so what it stands on is
//! used here instead: messages, encryption, compression and the kinds.

use std::collections::HashMap;
use std::sync::Arc;

use libsession::config::config_base::ConfigType;
use libsession::config::config_message::{
    ConfigData, ConfigMessage, MutableConfigMessage, SignCallable, VerifyCallable,
};
use libsession::config::contacts::Contacts;
use libsession::config::convo_info_volatile::ConvoInfoVolatile;
use libsession::config::encrypt::{
    ENCRYPT_DATA_OVERHEAD, config_decrypt, config_encrypt, pad_message,
};
use libsession::config::groups::info::GroupInfo;
use libsession::config::groups::members::GroupMembers;
use libsession::config::user_groups::UserGroups;
use libsession::config::user_profile::UserProfile;
use libsession::crypto::ed25519;
use libsession::util::bencode::{self, BtValue};
use libsession::util::zstd_compress;
use serde_json::{Value, json};

use crate::tree;
use crate::values::{Outcome, array, bytes, list, text};

/// How many earlier changes a message carries along.
const LAG: i64 = 5;

/// The configurations that were made, by name.
#[derive(Default)]
pub struct Configs {
    made: HashMap<String, Config>,
}

struct Config {
    domain: String,
    key: [u8; 32],
    verifier: Option<VerifyCallable>,
    signer: Option<SignCallable>,
    /// The message that was last written or merged.
    current: Vec<u8>,
    /// What was changed since.
    changed: Option<MutableConfigMessage>,
    /// Whether the current message was joined from others and not written since.
    joined: bool,
}

impl Configs {
    /// Makes an empty configuration; with `group_seed`, one that a group's admin signs.
    pub fn new_config(&mut self, question: &Value) -> Outcome<Value> {
        let mut config = Config {
            domain: text(question, "domain")?.to_owned(),
            key: array(question, "key")?,
            verifier: None,
            signer: None,
            current: ConfigMessage::new().serialize(),
            changed: None,
            joined: false,
        };
        if question["group_seed"].is_string() {
            let (public, secret) =
                ed25519::ed25519_key_pair_from_seed(&bytes(question, "group_seed")?)?;
            config.verifier = Some(Arc::new(move |data: &[u8], signature: &[u8]| {
                ed25519::verify(signature, &public, data).unwrap_or(false)
            }));
            config.signer = Some(Arc::new(move |data: &[u8]| {
                ed25519::sign(&secret, data).map(|signature| signature.to_vec()).unwrap_or_default()
            }));
        }
        self.made.insert(text(question, "name")?.to_owned(), config);
        Ok(Value::Null)
    }

    /// Replaces all of the data.
    pub fn set(&mut self, question: &Value) -> Outcome<Value> {
        let data = tree::read(&question["tree"])?;
        let config = self.config(question)?;
        let mut next = match config.changed.take() {
            Some(changed) => changed,
            None => config.message()?.increment(),
        };
        next.set_signer(config.signer.clone());
        *next.data_mut() = data;
        config.changed = Some(next);
        Ok(Value::Null)
    }

    /// Writes the message, encrypted as it is stored.
    pub fn push(&mut self, question: &Value) -> Outcome<Value> {
        let config = self.config(question)?;
        config.current = config.written();
        (config.changed, config.joined) = (None, false);
        let packed = zstd_compress::compress(&config.current, 1, b"z");
        let mut body =
            if packed.len() < config.current.len() { packed } else { config.current.clone() };
        pad_message(&mut body, ENCRYPT_DATA_OVERHEAD);
        let sealed = config_encrypt(&body, &config.key, &config.domain);
        Ok(json!({ "seqno": config.message()?.seqno(), "sealed": hex::encode(sealed) }))
    }

    /// Joins stored messages with its own: the data afterwards, whether they had to be joined into a
    /// new message, and whether another message took the place of its own.
    pub fn merge(&mut self, question: &Value) -> Outcome<Value> {
        let sealed = list(question, "sealed")?;
        let config = self.config(question)?;
        let mine = config.written();
        let mut all: Vec<_> =
            sealed.iter().map(|message| config.open(message)).collect::<Outcome<_>>()?;
        if mine != ConfigMessage::new().serialize() {
            all.push(mine.clone());
        }
        for message in &all {
            // Merging passes over what cannot be read, without a word.
            config.parse(message)?;
        }
        let merged = config.joined_from(&all)?;
        let next = match merged.unmerged_index() {
            Some(index) => all.swap_remove(index),
            None if config.changed.is_some() || config.joined => merged.serialize(),
            None => config.asserting_all(&merged)?,
        };
        let replaced = next != mine;
        if replaced {
            (config.current, config.changed, config.joined) = (next, None, merged.merged());
        }
        Ok(
            json!({ "joined": config.joined, "replaced": replaced, "tree": tree::write(merged.data()) }),
        )
    }

    fn config(&mut self, question: &Value) -> Outcome<&mut Config> {
        let name = text(question, "name")?;
        self.made.get_mut(name).ok_or_else(|| format!("no configuration {name:?}").into())
    }
}

impl Config {
    /// The message as it would be written.
    fn written(&self) -> Vec<u8> {
        self.changed.as_ref().map_or_else(|| self.current.clone(), MutableConfigMessage::serialize)
    }

    fn message(&self) -> Outcome<ConfigMessage> {
        // The message that all begin with is signed by nobody.
        let empty = ConfigMessage::new();
        if self.current == empty.serialize() { Ok(empty) } else { self.parse(&self.current) }
    }

    fn parse(&self, message: &[u8]) -> Outcome<ConfigMessage> {
        let (verifier, signer) = (self.verifier.clone(), self.signer.clone());
        Ok(ConfigMessage::from_bytes(message, verifier, signer, LAG, false)?)
    }

    fn joined_from(&self, messages: &[Vec<u8>]) -> Outcome<ConfigMessage> {
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let (verifier, signer) = (self.verifier.clone(), self.signer.clone());
        Ok(ConfigMessage::from_multiple(&messages, verifier, signer, LAG, None)?)
    }

    /// A joined message whose changes are all that it holds: what libsession in C++ makes of one that
    /// was joined while nothing was being changed (`retain_seqno`), and the crate has no way to make.
    fn asserting_all(&self, joined: &ConfigMessage) -> Outcome<Vec<u8>> {
        let mut all = MutableConfigMessage::new_empty();
        *all.data_mut() = joined.data().clone();
        let BtValue::Dict(mut dict) = bencode::decode(&joined.serialize_unsigned())? else {
            return Err("a message is a dictionary".into());
        };
        dict.insert(b"=".to_vec(), BtValue::Dict(all.diff()));
        let mut message = bencode::encode(&BtValue::Dict(dict));
        if let Some(signer) = &self.signer {
            message.pop();
            let signature = signer(&message);
            message.extend_from_slice(b"1:~64:");
            message.extend_from_slice(&signature);
            message.push(b'e');
        }
        Ok(message)
    }

    fn open(&self, sealed: &[u8]) -> Outcome<Vec<u8>> {
        let padded = config_decrypt(sealed, &self.key, &self.domain)?;
        let start = padded.iter().position(|byte| *byte != 0).ok_or("an empty message")?;
        match &padded[start..] {
            [b'z', packed @ ..] => zstd_compress::decompress(packed, 16 << 20)
                .ok_or_else(|| "it does not unfold".into()),
            message => Ok(message.to_vec()),
        }
    }
}

/// The tree that a kind of libsession's writes of what it reads from another: what it knows of it.
pub fn reload(question: &Value) -> Outcome<Value> {
    let data = tree::read(&question["tree"])?;
    let known = match text(question, "domain")? {
        "UserProfile" => known::<UserProfile>(&data),
        "Contacts" => known::<Contacts>(&data),
        "ConvoInfoVolatile" => known::<ConvoInfoVolatile>(&data),
        "UserGroups" => known::<UserGroups>(&data),
        "groups::Info" => known::<GroupInfo>(&data),
        "groups::Members" => known::<GroupMembers>(&data),
        other => return Err(format!("no kind {other}").into()),
    };
    Ok(tree::write(&known))
}

fn known<T: ConfigType>(data: &ConfigData) -> ConfigData {
    let mut kind = T::default();
    kind.load_from_data(data);
    let mut written = ConfigData::new();
    kind.store_to_data(&mut written);
    written
}
