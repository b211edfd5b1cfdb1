//! libsession's network: nodes, swarms, messages and files over its own onion requests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libsession::network::auth::current_timestamp_ms;
use libsession::network::backends::file_server;
use libsession::network::key_types::X25519Pubkey;
use libsession::network::onionreq::builder::Builder;
use libsession::network::onionreq::hop_encryption::EncryptType;
use libsession::network::onionreq::response_parser::ResponseParser;
use libsession::network::rpc::{RetrieveParams, StoreParams};
use libsession::network::service_node::ServiceNode;
use libsession::network::snode_pool::{SnodePool, SnodePoolConfig};
use libsession::network::transport::{Transport, TransportRequest};
use libsession::network::types::{NetworkDestination, ServerDestination};
use libsession::network::{HttpTransport, Network, NetworkConfig, swarm};
use libsession::proto::session_protos::{AttachmentPointer, Content, DataMessage, LokiProfile};
use libsession::protocol::protocol::{DecodeEnvelopeKey, decode_envelope, encode_for_1o1};
use libsession::util::bencode::{self, BtValue};
use prost::Message;
use serde_json::{Value, json};

use crate::crypto::{Keys, NO_BACKEND};
use crate::values::{Outcome, array, bytes, number, sized, text};

/// How long messages are kept.
const TTL_MS: u64 = 14 * 24 * 60 * 60 * 1_000;

/// A client of one network.
pub struct Client {
    network: Network<HttpTransport>,
    transport: HttpTransport,
    seed_url: String,
}

impl Client {
    /// Of the directory at `http://IP:PORT`.
    pub fn new(seed_url: &str) -> Outcome<Self> {
        let seed_url = format!("{seed_url}/json_rpc");
        let transport = HttpTransport::new()?;
        let config =
            NetworkConfig { seed_urls: vec![seed_url.clone()], ..NetworkConfig::default() };
        Ok(Self { network: Network::new(config, transport.clone()), transport, seed_url })
    }

    /// The ids of all nodes.
    pub async fn nodes(&self) -> Outcome<Value> {
        let pool = self.pool().await?;
        let nodes = pool.get_unused_nodes(pool.size(), &[]);
        Ok(json!(nodes.iter().map(described).collect::<Vec<_>>()))
    }

    /// The nodes of an account's swarm, asked without an onion.
    pub async fn swarm(&self, question: &Value) -> Outcome<Value> {
        let pool = self.pool().await?;
        let nodes = swarm::fetch_swarm(&pool, &self.transport, text(question, "pubkey")?).await?;
        Ok(json!(nodes.iter().map(described).collect::<Vec<_>>()))
    }

    /// Any request, in an onion to the swarm of `pubkey` or to any node.
    pub async fn rpc(&self, question: &Value) -> Outcome<Value> {
        let (method, params) = (text(question, "method")?, question["params"].clone());
        let answer = self.network.send_rpc(method, params, question["pubkey"].as_str()).await?;
        Ok(answered(answer.status_code, answer.body))
    }

    /// Sends a message.
    pub async fn send(&self, question: &Value) -> Outcome<Value> {
        let (keys, to) = (Keys::of(question)?, text(question, "to")?);
        let timestamp = current_timestamp_ms();
        let content = Content {
            data_message: Some(DataMessage {
                body: Some(text(question, "text")?.to_owned()),
                timestamp: Some(timestamp),
                profile: Some(LokiProfile {
                    display_name: question["name"].as_str().map(str::to_owned),
                    ..LokiProfile::default()
                }),
                attachments: attachments_of(question)?,
                ..DataMessage::default()
            }),
            sig_timestamp: Some(timestamp),
            ..Content::default()
        };
        let recipient = sized(&hex::decode(to)?)?;
        let sealed =
            encode_for_1o1(&content.encode_to_vec(), &keys.secret, timestamp, &recipient, None)?;
        let params = StoreParams {
            pubkey: to,
            pubkey_ed25519: None,
            namespace: 0,
            timestamp_ms: timestamp,
            ttl_ms: TTL_MS,
            data_base64: &STANDARD.encode(sealed),
            signing_key: None,
        };
        let answer = self.network.send_store(&params).await?;
        Ok(answered(answer.status_code, answer.body))
    }

    /// Stores bytes in the account's own mailbox, signed.
    pub async fn store(&self, question: &Value) -> Outcome<Value> {
        let keys = Keys::of(question)?;
        let params = StoreParams {
            pubkey: &keys.id,
            pubkey_ed25519: Some(&hex::encode(keys.public)),
            namespace: number(question, "namespace")?.try_into()?,
            timestamp_ms: current_timestamp_ms(),
            ttl_ms: TTL_MS,
            data_base64: &STANDARD.encode(bytes(question, "data")?),
            signing_key: Some(&keys.secret),
        };
        let answer = self.network.send_store(&params).await?;
        Ok(answered(answer.status_code, answer.body))
    }

    /// Fetches a namespace of the account's mailbox, and reads what is a message to it.
    pub async fn poll(&self, question: &Value) -> Outcome<Value> {
        let keys = Keys::of(question)?;
        let params = RetrieveParams {
            pubkey: &keys.id,
            pubkey_ed25519: &hex::encode(keys.public),
            namespace: question["namespace"].as_i64().unwrap_or_default().try_into()?,
            timestamp_ms: current_timestamp_ms(),
            last_hash: question["last_hash"].as_str(),
            max_size: None,
            signing_key: &keys.secret,
        };
        let answer = self.network.send_retrieve(&params).await?;
        let mut answer = answered(answer.status_code, answer.body);
        let messages = answer["body"]["messages"].as_array_mut().ok_or("no messages")?;
        for message in messages {
            let data = STANDARD.decode(text(message, "data")?)?;
            match read(&keys, &data) {
                Ok(read) => message["read"] = read,
                Err(error) => message["unread"] = json!(error.to_string()),
            }
        }
        Ok(answer)
    }

    /// Gives bytes to a file server, as they are; the URL.
    pub async fn upload(&self, question: &Value) -> Outcome<Value> {
        let (data, server) = (bytes(question, "data")?, &question["server"]);
        let (status, body) = self.ask(server, "POST", "file", Some(&data)).await?;
        if status != 200 {
            return Err(format!("status {status}: {}", String::from_utf8_lossy(&body)).into());
        }
        let stored = file_server::parse_upload_response(&String::from_utf8(body)?, data.len())?;
        let config = file_server::FileServerConfig {
            scheme: text(server, "scheme")?.to_owned(),
            host: format!("{}:{}", text(server, "host")?, number(server, "port")?),
            port: number(server, "port")?.try_into()?,
            pubkey_hex: text(server, "pubkey")?.to_owned(),
            max_file_size: 10_000_000,
            use_stream_encryption: true,
        };
        let url = file_server::generate_download_url(&stored.id, &config);
        Ok(json!({ "url": url, "size": stored.size }))
    }

    /// Fetches the bytes at a URL, and says which server that is.
    pub async fn download(&self, question: &Value) -> Outcome<Value> {
        let place =
            file_server::parse_download_url(text(question, "url")?).ok_or("no file's URL")?;
        let (host, port) = place.host.split_once(':').ok_or("the URL names no port")?;
        let server = json!({
            "scheme": place.scheme, "host": host, "port": port.parse::<u16>()?,
            "pubkey": place.custom_pubkey_hex,
        });
        let endpoint = format!("file/{}", place.file_id);
        let (status, data) = self.ask(&server, "GET", &endpoint, None).await?;
        if status != 200 {
            return Err(format!("status {status}: {}", String::from_utf8_lossy(&data)).into());
        }
        let stream = place.wants_stream_decryption;
        Ok(json!({ "data": hex::encode(data), "stream": stream, "server": server }))
    }

    /// Asks a server through three nodes. libsession's own router takes answers for text, which those
    /// of servers are not: its onions are sent and opened here.
    async fn ask(
        &self,
        server: &Value,
        method: &str,
        endpoint: &str,
        body: Option<&[u8]>,
    ) -> Outcome<(i64, Vec<u8>)> {
        let destination = NetworkDestination::Server(ServerDestination {
            protocol: text(server, "scheme")?.to_owned(),
            host: text(server, "host")?.to_owned(),
            x25519_pubkey: X25519Pubkey(array(server, "pubkey")?),
            port: Some(number(server, "port")?.try_into()?),
            headers: None,
            method: method.to_owned(),
        });
        let hops = self.pool().await?.get_unused_nodes(3, &[]);
        let mut builder = Builder::make(&destination, endpoint, &hops, EncryptType::XChaCha20)?;
        let onion = builder.generate_onion_blob(body)?;
        let url = format!("https://{}/onion_req/v2", hops[0].to_https_string());
        let answer =
            self.transport.send_request(&TransportRequest::post_bytes(url, onion, true)).await?;
        if answer.status_code != 200 {
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(format!("the first hop answered {}: {said}", answer.status_code).into());
        }
        let opened = ResponseParser::from_builder(&builder)?.decrypt(&answer.body)?;
        let BtValue::List(parts) = bencode::decode(&opened)? else { return Err("no list".into()) };
        let mut parts = parts.into_iter().map(|part| match part {
            BtValue::String(bytes) => bytes,
            _ => Vec::new(),
        });
        let head: Value = serde_json::from_slice(&parts.next().unwrap_or_default())?;
        Ok((number(&head, "code")?, parts.next().unwrap_or_default()))
    }

    async fn pool(&self) -> Outcome<SnodePool> {
        let mut pool = SnodePool::new(SnodePoolConfig::default());
        pool.bootstrap_from_seeds(&self.transport, &[&self.seed_url]).await?;
        Ok(pool)
    }
}

fn attachments_of(question: &Value) -> Outcome<Vec<AttachmentPointer>> {
    let files = question["attachments"].as_array().map(Vec::as_slice).unwrap_or_default();
    let pointer = |file: &Value| {
        Ok(AttachmentPointer {
            url: Some(text(file, "url")?.to_owned()),
            key: Some(bytes(file, "key")?),
            size: Some(number(file, "size")?.try_into()?),
            file_name: Some(text(file, "name")?.to_owned()),
            content_type: Some(text(file, "type")?.to_owned()),
            ..AttachmentPointer::default()
        })
    };
    files.iter().map(pointer).collect()
}

fn read(keys: &Keys, data: &[u8]) -> Outcome<Value> {
    let secret: &[u8] = &keys.secret;
    let secrets = [secret];
    let keys = DecodeEnvelopeKey { group_ed25519_pubkey: None, decrypt_keys: &secrets };
    let opened = decode_envelope(&keys, data, &NO_BACKEND)?;
    let content = Content::decode(opened.content_plaintext.as_slice())?;
    if let Some(config) = content.shared_config_message {
        return Ok(json!({ "config": hex::encode(config.data), "seqno": config.seqno }));
    }
    let message = content.data_message.unwrap_or_default();
    let attachments: Vec<Value> = message
        .attachments
        .iter()
        .map(|file| {
            json!({
                "url": file.url,
                "key": file.key.as_ref().map(hex::encode),
                "size": file.size,
                "name": file.file_name,
                "type": file.content_type,
            })
        })
        .collect();
    Ok(json!({
        "from": format!("05{}", hex::encode(opened.sender_x25519_pubkey)),
        "timestamp": opened.envelope.timestamp,
        "sig_timestamp": content.sig_timestamp,
        "text": message.body,
        "name": message.profile.and_then(|profile| profile.display_name),
        "sync_target": message.sync_target,
        "attachments": attachments,
    }))
}

fn described(node: &ServiceNode) -> Value {
    json!({
        "ed25519": node.ed25519_pubkey.hex(),
        "address": node.to_https_string(),
        "omq_port": node.omq_port,
        "version": node.storage_server_version,
        "swarm_id": node.swarm_id.to_string(),
    })
}

fn answered(status: i16, body: Option<String>) -> Value {
    let body = body.unwrap_or_default();
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    json!({ "status": status, "body": body })
}
