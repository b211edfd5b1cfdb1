//! `warren-load run`: stores, deletions and moved expiries through whichever member answers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};
use warren_transport::Connections;
use warren_wire::directory::NodeRecord;
use warren_wire::limits::DAY;
use warren_wire::{AccountId, MessageHash, Namespace};

use crate::events::{Event, Journal, Kind};
use crate::mailbox::{Mailbox, now};
use crate::node_call::{self, Outcome};
use crate::read_nodes;

/// How many nodes are asked for one thing before it counts as unknown.
const TRIES: usize = 3;
/// Of how many requests one is a deletion, and one moves an expiry.
const RARE: usize = 8;

/// Stores, deletes and moves expiries, and writes down what was acknowledged.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// JSON list of the members' records
    #[arg(long, value_name = "FILE")]
    nodes: PathBuf,
    /// Where the events go; lines are appended
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// What the mailboxes' keys follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many mailboxes
    #[arg(long, default_value_t = 20)]
    mailboxes: usize,
    /// How many requests at once
    #[arg(long, default_value_t = 8)]
    workers: usize,
    /// For how long
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u64,
    /// Pause of each worker between two requests, in milliseconds
    #[arg(long, default_value_t = 5)]
    pause: u64,
    /// Bytes of one message
    #[arg(long, default_value_t = 700)]
    size: usize,
}

struct Traffic {
    nodes: Vec<NodeRecord>,
    connections: Connections,
    mailboxes: Vec<Mailbox>,
    ids: Vec<AccountId>,
    journal: Journal,
    acknowledged: AtomicU64,
    unknown: AtomicU64,
    /// How often nodes said no, and how: for whoever wonders why.
    refusals: Mutex<BTreeMap<String, u64>>,
}

impl Run {
    /// Makes the traffic and prints how much there was.
    pub(crate) async fn execute(self) -> anyhow::Result<()> {
        let traffic = Arc::new(self.traffic()?);
        let end = Instant::now() + Duration::from_secs(self.seconds);
        let workers: Vec<_> = (0..self.workers)
            .map(|worker| {
                let traffic = Arc::clone(&traffic);
                let rng = fastrand::Rng::with_seed(self.seed.wrapping_mul(1_000) + worker as u64);
                let pause = Duration::from_millis(self.pause);
                tokio::spawn(work(traffic, rng, pause, self.size, end))
            })
            .collect();
        for worker in workers {
            worker.await??;
        }
        let summary = json!({
            "acknowledged": traffic.acknowledged.load(Ordering::Relaxed),
            "unknown": traffic.unknown.load(Ordering::Relaxed),
            "refusals": *traffic.refusals.lock().unwrap_or_else(PoisonError::into_inner),
        });
        println!("{summary}");
        Ok(())
    }

    fn traffic(&self) -> anyhow::Result<Traffic> {
        let mailboxes: Vec<Mailbox> = (0..self.mailboxes)
            .map(|number| Mailbox::new(self.seed, number))
            .collect::<anyhow::Result<_>>()?;
        Ok(Traffic {
            nodes: read_nodes(&self.nodes)?,
            connections: Connections::new(),
            ids: mailboxes.iter().map(Mailbox::id).collect(),
            mailboxes,
            journal: Journal::open(&self.events).context("cannot write the events")?,
            acknowledged: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            refusals: Mutex::default(),
        })
    }
}

async fn work(
    traffic: Arc<Traffic>,
    mut rng: fastrand::Rng,
    pause: Duration,
    size: usize,
    end: Instant,
) -> anyhow::Result<()> {
    // What this worker may still delete or move: nobody else touches it.
    let mut own: Vec<(usize, String)> = Vec::new();
    while Instant::now() < end {
        match rng.usize(0..RARE) {
            0 if !own.is_empty() => {
                let (mailbox, hash) = own.swap_remove(rng.usize(0..own.len()));
                traffic.delete(&mut rng, mailbox, hash).await?;
            }
            1 if !own.is_empty() => {
                let (mailbox, hash) = own.swap_remove(rng.usize(0..own.len()));
                traffic.expire(&mut rng, mailbox, hash).await?;
            }
            _ => own.extend(traffic.store(&mut rng, size).await?),
        }
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

impl Traffic {
    async fn store(
        &self,
        rng: &mut fastrand::Rng,
        size: usize,
    ) -> anyhow::Result<Option<(usize, String)>> {
        let number = rng.usize(0..self.mailboxes.len());
        let (Some(mailbox), Some(id)) = (self.mailboxes.get(number), self.ids.get(number)) else {
            return Ok(None);
        };
        let data: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(size).collect();
        let hash = MessageHash::compute(id, Namespace::DIRECT, &data)?.to_string();
        let timestamp = now();
        let request = mailbox.store(&data, timestamp, DAY);
        let done = self.ask(rng, &request).await.is_some();
        self.note(number, Kind::Store, &hash, timestamp + DAY, done)?;
        Ok(done.then_some((number, hash)))
    }

    async fn delete(
        &self,
        rng: &mut fastrand::Rng,
        number: usize,
        hash: String,
    ) -> anyhow::Result<()> {
        let Some(mailbox) = self.mailboxes.get(number) else { return Ok(()) };
        let request = mailbox.delete(std::slice::from_ref(&hash))?;
        let done = self.ask(rng, &request).await.is_some();
        self.note(number, Kind::Delete, &hash, 0, done)
    }

    async fn expire(
        &self,
        rng: &mut fastrand::Rng,
        number: usize,
        hash: String,
    ) -> anyhow::Result<()> {
        let Some(mailbox) = self.mailboxes.get(number) else { return Ok(()) };
        let expiry = now() + DAY * rng.u64(2..20);
        let request = mailbox.expire(std::slice::from_ref(&hash), expiry)?;
        let done = self.ask(rng, &request).await.is_some();
        self.note(number, Kind::Expire, &hash, expiry, done)
    }

    /// Asks one node after the other until one has done it.
    async fn ask(&self, rng: &mut fastrand::Rng, request: &Value) -> Option<Value> {
        for _ in 0..TRIES {
            let node = self.nodes.get(rng.usize(0..self.nodes.len()))?;
            match node_call::call(&self.connections, node, request).await {
                Outcome::Done(body) => return Some(body),
                Outcome::Refused(status, text) => {
                    self.refused(&format!("{status} {}", text.lines().next().unwrap_or_default()));
                }
                Outcome::Silent => self.refused("silent"),
            }
        }
        None
    }

    fn refused(&self, how: &str) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let how = how.chars().take(60).collect();
        *refusals.entry(how).or_default() += 1;
    }

    fn note(
        &self,
        mailbox: usize,
        kind: Kind,
        hash: &str,
        expiry: u64,
        acknowledged: bool,
    ) -> anyhow::Result<()> {
        let counter = if acknowledged { &self.acknowledged } else { &self.unknown };
        counter.fetch_add(1, Ordering::Relaxed);
        let hash = hash.to_owned();
        self.journal.note(&Event { mailbox, kind, hash, expiry, acknowledged })
    }
}
