//! Carries out commands with `libsession`, a client library that nobody here wrote.
//!
//! usage: warren-e2e-libsession SEED_URL
//!
//! Each line of the input is one JSON object with a `command`; each gets one line of output, which is
//! `{"ok": ...}` or `{"error": "..."}`. Bytes are hexadecimal digits. The network is that of the
//! directory at SEED_URL, `http://IP:PORT`.

mod configs;
mod crypto;
mod network;
mod tree;
mod values;

use std::io::Write;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use configs::Configs;
use network::Client;
use values::{Outcome, text};

#[tokio::main]
async fn main() -> Outcome<()> {
    let seed_url = std::env::args().nth(1).ok_or("usage: warren-e2e-libsession SEED_URL")?;
    let client = Client::new(&seed_url)?;
    let mut configs = Configs::default();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = match answer(&client, &mut configs, &line).await {
            Ok(answer) => json!({ "ok": answer }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        let mut output = std::io::stdout().lock();
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

async fn answer(client: &Client, configs: &mut Configs, line: &str) -> Outcome<Value> {
    let question: Value = serde_json::from_str(line)?;
    match text(&question, "command")? {
        "account" => crypto::account(&question),
        "sign" => crypto::sign(&question),
        "nodes" => client.nodes().await,
        "swarm" => client.swarm(&question).await,
        "rpc" => client.rpc(&question).await,
        "send" => client.send(&question).await,
        "store" => client.store(&question).await,
        "poll" => client.poll(&question).await,
        "upload" => client.upload(&question).await,
        "download" => client.download(&question).await,
        "multi_seal" => crypto::multi_seal(&question),
        "multi_open" => crypto::multi_open(&question),
        "group_seal" => crypto::group_seal(&question),
        "group_open" => crypto::group_open(&question),
        "config_new" => configs.new_config(&question),
        "config_set" => configs.set(&question),
        "config_push" => configs.push(&question),
        "config_merge" => configs.merge(&question),
        "config_reload" => configs::reload(&question),
        other => Err(format!("no command {other}").into()),
    }
}
