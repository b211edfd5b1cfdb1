//! Conversations with libsession for Rust, a client library that nobody here wrote, through our nodes:
//! its onions, its reading of our answers, one account in both programs, and files.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use serde_json::{Value, json};
use warren_account::Account;
use warren_crypto::Secret;
use warren_e2e::libsession::LibsessionAccount;
use warren_e2e::{Device, Libsession, Network};
use warren_message::attachment::stream::{Domain, KeyHasher, Reader, Writer};

/// Sends a message that a node must take; the message's name there.
async fn send(
    libsession: &mut Libsession,
    from: &LibsessionAccount,
    to: &str,
    text: &str,
) -> String {
    let question = json!({
        "command": "send", "seed": from.seed, "to": to, "text": text, "name": "Lib", "attachments": [],
    });
    let stored = libsession.ask(question).await;
    assert_eq!(stored["status"], 200, "{stored}");
    stored["body"]["hash"].as_str().unwrap().to_owned()
}

/// What a namespace of an account holds, each with what libsession reads in it.
async fn poll(
    libsession: &mut Libsession,
    account: &LibsessionAccount,
    namespace: i16,
) -> Vec<Value> {
    let question = json!({ "command": "poll", "seed": account.seed, "namespace": namespace });
    let mut got = libsession.ask(question).await;
    assert_eq!(got["status"], 200, "{got}");
    let Value::Array(messages) = got["body"]["messages"].take() else { panic!("{got}") };
    messages
}

/// Who said what, of messages that were polled.
fn read(messages: &[Value]) -> Vec<(String, String)> {
    let text = |message: &Value, name: &str| message["read"][name].as_str().unwrap().to_owned();
    messages.iter().map(|message| (text(message, "from"), text(message, "text"))).collect()
}

fn said(author: &str, text: &str) -> (String, String) {
    (author.to_owned(), text.to_owned())
}

/// The account of a device, as libsession knows it.
async fn same_account(libsession: &mut Libsession, device: &Device) -> LibsessionAccount {
    let account = Account::from_mnemonic(&device.words).unwrap();
    let seed = hex::encode(account.seed32().expose());
    let known = libsession.ask(json!({ "command": "account", "seed": seed })).await;
    assert_eq!(known["id"], device.id.as_str());
    let ed25519 = known["ed25519"].as_str().unwrap().to_owned();
    LibsessionAccount { seed, id: device.id.clone(), ed25519 }
}

#[tokio::test(flavor = "multi_thread")]
async fn warren_and_libsession_talk_in_both_directions() {
    let network = Network::start(7).await;
    let mut libsession = Libsession::start(&network.seed_url());
    let theirs = libsession.account().await;
    let ours = Device::new(&network.seed(), "Alice").await;

    assert_eq!(ours.send(&theirs.id, "hello from Warren, \u{1f407}").await, 0);
    let got = poll(&mut libsession, &theirs, 0).await;
    assert_eq!(read(&got), [said(&ours.id, "hello from Warren, \u{1f407}")]);
    assert_eq!(got[0]["read"]["name"], "Alice");
    assert_eq!(got[0]["read"]["timestamp"], got[0]["read"]["sig_timestamp"]);

    let long = "a long answer ".repeat(140);
    send(&mut libsession, &theirs, &ours.id, "hello from libsession").await;
    let hash = send(&mut libsession, &theirs, &ours.id, &long).await;
    let conversation = [
        said(&ours.id, "hello from Warren, \u{1f407}"),
        said(&theirs.id, "hello from libsession"),
        said(&theirs.id, &long),
    ];
    assert_eq!(ours.messages().await, conversation);

    // The account's own copies and the mail for it are one mailbox to both programs.
    let same = same_account(&mut libsession, &ours).await;
    let mailbox = poll(&mut libsession, &same, 0).await;
    assert_eq!(mailbox.last().unwrap()["hash"], hash.as_str());
    let copies: Vec<_> =
        mailbox.iter().filter(|message| message["read"]["sync_target"].is_string()).collect();
    assert_eq!(copies.len(), 1, "{mailbox:?}");
    assert_eq!(copies[0]["read"]["sync_target"], theirs.id.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_libsession_changes_in_an_accounts_contacts_warren_takes_over() {
    let network = Network::start(7).await;
    let mut libsession = Libsession::start(&network.seed_url());
    let ours = Device::new(&network.seed(), "Alice").await;
    let friend = Device::new(&network.seed(), "Bob").await;
    ours.json(&["contacts", "add", &friend.id, "--name", "Bobby"], "").await;
    assert_eq!(ours.send(&friend.id, "hello").await, 0);
    ours.messages().await;

    let same = same_account(&mut libsession, &ours).await;
    let new = json!({
        "command": "config_new", "name": "contacts", "domain": "Contacts", "key": same.seed,
    });
    libsession.ask(new).await;
    let stored = poll(&mut libsession, &same, 3).await;
    let sealed: Vec<_> = stored.iter().map(|message| &message["read"]["config"]).collect();
    let merge = json!({ "command": "config_merge", "name": "contacts", "sealed": sealed });
    let mut tree = libsession.ask(merge).await["tree"].take();
    let entry = &mut tree["d"][hex::encode("c")]["d"][&friend.id]["d"];
    let nickname = hex::encode("N");
    assert_eq!(entry[&nickname]["s"], hex::encode("Bobby"), "{stored:?}");

    entry[&nickname] = json!({ "s": hex::encode("Robert") });
    libsession.ask(json!({ "command": "config_set", "name": "contacts", "tree": tree })).await;
    let push = libsession.ask(json!({ "command": "config_push", "name": "contacts" })).await;
    let store = json!({
        "command": "store", "seed": same.seed, "namespace": 3, "data": push["sealed"],
    });
    assert_eq!(libsession.ask(store).await["status"], 200);

    let restored = Device::restored(&network.seed(), "Alice", &ours.words).await;
    for device in [&ours, &restored] {
        device.messages().await;
        let contacts = device.json(&["contacts"], "").await.to_string();
        assert!(contacts.contains("Robert") && !contacts.contains("Bobby"), "{contacts}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_lie_where_both_programs_find_them() {
    let network = Network::start(7).await;
    let mut libsession = Libsession::start(&network.seed_url());
    let theirs = libsession.account().await;
    let ours = Device::new(&network.seed(), "Alice").await;
    let desk = tempfile::tempdir().unwrap();
    let report = desk.path().join("report.txt");
    let content: Vec<u8> = (0..50_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(&report, &content).unwrap();
    ours.json(&["send", &theirs.id, "--file", report.to_str().unwrap(), "look"], "").await;

    let got = poll(&mut libsession, &theirs, 0).await;
    let file = &got[0]["read"]["attachments"][0];
    assert_eq!((&file["name"], &file["size"]), (&json!("report.txt"), &json!(content.len())));
    let download = json!({ "command": "download", "url": file["url"] });
    let fetched = libsession.ask(download).await;
    assert_eq!(fetched["stream"], true);
    let sealed = hex::decode(fetched["data"].as_str().unwrap()).unwrap();
    let key = hex::decode(file["key"].as_str().unwrap()).unwrap();
    assert!(open_file(&key, &sealed) == content);

    let back: Vec<u8> = content.iter().rev().copied().collect();
    let (sealed, key) = seal_file(&back);
    let upload = json!({
        "command": "upload", "data": hex::encode(&sealed), "server": fetched["server"],
    });
    let kept = libsession.ask(upload).await;
    assert_eq!(kept["size"], sealed.len());
    let pointer = json!({
        "url": kept["url"], "key": hex::encode(key), "size": back.len(), "name": "back.bin",
        "type": "application/octet-stream",
    });
    let message = json!({
        "command": "send", "seed": theirs.seed, "to": ours.id, "text": "look here",
        "attachments": [pointer],
    });
    assert_eq!(libsession.ask(message).await["status"], 200);

    assert_eq!(ours.messages().await.last().unwrap().1, "look here");
    let (_, printed) = ours.run(&["--json", "read", "--all"], "").await;
    let newest: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    let number = newest["message_id"].to_string();
    ours.json(&["files", "get", &number, "--out", desk.path().to_str().unwrap()], "").await;
    assert!(std::fs::read(desk.path().join("back.bin")).unwrap() == back);
}

/// A file as it lies on a server, and its key. libsession for Rust has a format of its own here, which
/// Session's clients do not read.
fn seal_file(data: &[u8]) -> (Vec<u8>, [u8; 32]) {
    let seed = Secret::take(&mut [7; 32]);
    let mut hasher = KeyHasher::new(&seed, Domain::Attachment).unwrap();
    hasher.update(data);
    let derived = hasher.finish().unwrap();
    let key = *derived.key().expose();
    let (mut writer, mut sealed, mut rest) = (Writer::new(derived), Vec::new(), data);
    while let Some(piece) = writer.next(&mut rest).unwrap() {
        sealed.extend(piece);
    }
    writer.finish().unwrap();
    (sealed, key)
}

fn open_file(key: &[u8], mut sealed: &[u8]) -> Vec<u8> {
    let mut reader = Reader::new(Secret::from_slice(key).unwrap());
    let mut opened = Vec::new();
    while let Some(piece) = reader.next(&mut sealed).unwrap() {
        opened.extend(piece);
    }
    opened.extend(reader.finish().unwrap());
    opened
}

#[tokio::test(flavor = "multi_thread")]
async fn libsession_reads_what_our_nodes_answer() {
    let network = Network::start(7).await;
    let mut libsession = Libsession::start(&network.seed_url());
    let account = libsession.account().await;

    let mut nodes = libsession.ask(json!({ "command": "nodes" })).await;
    let swarm = json!({ "command": "swarm", "pubkey": account.id });
    let mut swarm = libsession.ask(swarm).await;
    for list in [&mut nodes, &mut swarm] {
        let list = list.as_array_mut().unwrap();
        assert_eq!(list.len(), network.size());
        list.sort_by_key(|node| node["ed25519"].to_string());
    }
    for (node, member) in nodes.as_array().unwrap().iter().zip(swarm.as_array().unwrap()) {
        assert_eq!((&node["ed25519"], &node["address"]), (&member["ed25519"], &member["address"]));
        assert_eq!(node["omq_port"], member["omq_port"]);
    }

    let (method, params) = ("oxend_request", json!({ "endpoint": "get_service_nodes" }));
    let states = rpc(&mut libsession, method, params, None).await;
    let states = &states["body"]["result"]["service_node_states"];
    assert_eq!(states.as_array().unwrap().len(), network.size());
    let info = rpc(&mut libsession, "info", json!({}), None).await;
    assert!(info["body"]["version"].is_array(), "{info}");

    let hash = send(&mut libsession, &account, &account.id, "to myself").await;
    let signed = signed(&mut libsession, &account, &format!("delete{hash}")).await;
    let mut delete = json!({ "messages": [hash] });
    delete.as_object_mut().unwrap().extend(signed);
    let deleted = rpc(&mut libsession, "delete", delete, Some(&account.id)).await;
    assert_eq!(deleted["status"], 200, "{deleted}");
    assert!(poll(&mut libsession, &account, 0).await.is_empty());

    let unsigned = json!({ "pubkey": account.id });
    let refused = rpc(&mut libsession, "retrieve", unsigned, Some(&account.id)).await;
    assert_eq!(refused["status"], 401);
    assert_eq!(refused["body"], "retrieve: request signature required");
}

async fn rpc(
    libsession: &mut Libsession,
    method: &str,
    params: Value,
    pubkey: Option<&str>,
) -> Value {
    let question =
        json!({ "command": "rpc", "method": method, "params": params, "pubkey": pubkey });
    libsession.ask(question).await
}

/// What signs a request as its account.
async fn signed(
    libsession: &mut Libsession,
    account: &LibsessionAccount,
    text: &str,
) -> serde_json::Map<String, Value> {
    let sign = json!({ "command": "sign", "seed": account.seed, "text": text });
    let signature = libsession.ask(sign).await;
    let fields = json!({
        "pubkey": account.id, "pubkey_ed25519": account.ed25519, "signature": signature,
    });
    fields.as_object().unwrap().clone()
}
