//! A person's database: one thread records what comes, page by page, and deletes some of it; the
//! other queues what the person writes, and takes it out of the outbox as swarms acknowledge it.
//!
//! Incoming messages have even numbers, those that are written odd ones. A number with [`OUTBOX`] is
//! that of a message in the outbox, which is "deleted" once it is delivered: one that came back
//! would be sent again. A cut between its two copies leaves the one for the own devices.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use warren_client::database::{
    AccountDb, Content, Cursor, Details, Direction, Fetched, Filter, Index, Message, MessageId,
    MessageState, NewOutgoing, Purpose, Recorded, SealedCopy, Task,
};
use warren_client::vault::{Cost, Vault};
use warren_crypto::{Secret, SystemEntropy};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, NodeId};

use crate::load::Said;
use crate::numbers::{is_deleted, mix};
use crate::{Failure, Outcome};

const PASSPHRASE: &str = "power cuts";
const PEERS: u64 = 50;
const NOW: Millis = 1_700_000_000_000;
const DAY: Millis = 24 * 60 * 60 * 1_000;
/// Of whatever is in the outbox.
const OUTBOX: u64 = 1 << 40;
/// The most messages that a page brings.
const PAGE: u64 = 20;
/// How many messages wait in the outbox before some are delivered.
const WAITING: usize = 8;
/// How many messages are read at once.
const READ: usize = 500;

/// Loads without end.
pub(crate) fn load(folder: &Path, first: u64) -> Outcome<()> {
    let home = folder.join("home");
    let vault = match Vault::exists(&home) {
        true => Vault::unlock(&home, PASSPHRASE)?,
        false => create(&home)?,
    };
    thread::scope(|scope| {
        let incoming = scope.spawn(|| receive(open(&vault)?, first.next_multiple_of(2)));
        let outgoing = scope.spawn(|| write(open(&vault)?, first.next_multiple_of(2) + 1));
        for worker in [incoming, outgoing] {
            worker.join().map_err(|_| "a thread panicked")??;
        }
        Ok(())
    })
}

fn create(home: &Path) -> Outcome<Vault> {
    let vault = Vault::create(home, PASSPHRASE, Cost::LEAST, &mut SystemEntropy)?;
    let seed = Secret::random(&mut SystemEntropy);
    Index::open(&vault)?.add_account(&person(0)?, "cut", None, seed, NOW, &mut SystemEntropy)?;
    Ok(vault)
}

fn open(vault: &Vault) -> Outcome<AccountDb> {
    Ok(AccountDb::open(vault, &Index::open(vault)?.account(&person(0)?)?)?)
}

/// Person 0 is the owner.
fn person(number: u64) -> Outcome<AccountId> {
    let key = mix(number).to_be_bytes().repeat(4);
    Ok(AccountId::from_bytes(&[&[5], key.as_slice()].concat())?)
}

fn peer(number: u64) -> Outcome<AccountId> {
    person(1 + mix(number) % PEERS)
}

fn hash(number: u64) -> MessageHash {
    let mut hash = [0x5a; 32];
    if let Some(start) = hash.first_chunk_mut() {
        *start = number.to_be_bytes();
    }
    MessageHash::from_bytes(hash)
}

/// What a message says: a few words, seldom ten thousand characters.
fn text(number: u64) -> String {
    let words = if mix(number).is_multiple_of(32) { 580 } else { 1 + mix(number ^ 0xff) % 30 };
    let word = |at: u64| format!(" {:016x}", mix(number.wrapping_mul(1_031).wrapping_add(at)));
    (0..words).fold(format!("message {number}"), |text, at| text + &word(at))
}

fn incoming(number: u64) -> Outcome<Fetched> {
    let author = peer(number)?;
    Ok(Fetched {
        hash: hash(number),
        fingerprint: *hash(number).as_bytes(),
        conversation: author,
        author,
        direction: Direction::Incoming,
        content: Content::Text(text(number)),
        details: Details::default(),
        sender_name: Some(format!("peer {}", mix(number) % PEERS)),
        timestamp: NOW + number,
        received_at: NOW + number,
    })
}

fn cursor(number: u64) -> Outcome<Cursor> {
    let (node, mailbox) = (NodeId::from_bytes([3; 32]), person(0)?);
    Ok(Cursor { node, mailbox, namespace: Namespace::DIRECT, last_hash: hash(number) })
}

fn copies(number: u64) -> Outcome<[SealedCopy; 2]> {
    let copy = |purpose, target| SealedCopy {
        purpose,
        target,
        namespace: Namespace::DIRECT,
        data: mix(number).to_be_bytes().repeat(64),
        timestamp: NOW + number,
        ttl: 14 * DAY,
    };
    Ok([copy(Purpose::Recipient, peer(number)?), copy(Purpose::Sync, person(0)?)])
}

fn receive(mut db: AccountDb, first: u64) -> Outcome<()> {
    let mut next = first;
    loop {
        let page: Vec<u64> = (0..1 + mix(next) % PAGE).map(|at| next + 2 * at).collect();
        let messages: Vec<Fetched> = page.iter().map(|it| incoming(*it)).collect::<Outcome<_>>()?;
        let last = page.last().copied().ok_or("an empty page")?;
        let recorded = db.record_fetched_batch(&messages, Some(&cursor(last)?))?;
        let mut deleted = Vec::new();
        for (number, recorded) in page.iter().zip(recorded) {
            let Recorded::New(id) = recorded else {
                return Err(format!("message {number} is {recorded:?}").into());
            };
            Said::Stored(*number).print()?;
            if is_deleted(*number) {
                deleted.push((*number, id));
            }
        }
        for (number, _) in &deleted {
            Said::Deleting(*number).print()?;
        }
        let ids: Vec<MessageId> = deleted.iter().map(|(_, id)| *id).collect();
        db.delete_messages_at(&ids, NOW + last)?;
        for (number, _) in &deleted {
            Said::Deleted(*number).print()?;
        }
        next = last + 2;
    }
}

fn write(mut db: AccountDb, first: u64) -> Outcome<()> {
    let mut waiting = Vec::new();
    for number in (first..).step_by(2) {
        let id = db.queue_message(&NewOutgoing {
            conversation: peer(number)?,
            content: &Content::Text(text(number)),
            details: &Details::default(),
            timestamp: NOW + number,
            now: NOW + number,
            copies: &copies(number)?,
        })?;
        Said::Stored(number).print()?;
        Said::Stored(number | OUTBOX).print()?;
        waiting.push((number, id));
        // The others stay in the outbox.
        if waiting.len() == WAITING {
            for (number, id) in waiting.drain(..).filter(|(number, _)| is_deleted(*number)) {
                deliver(&mut db, number, id)?;
            }
        }
    }
    Ok(())
}

/// Both copies are acknowledged by their swarms.
fn deliver(db: &mut AccountDb, number: u64, id: MessageId) -> Outcome<()> {
    Said::Deleting(number | OUTBOX).print()?;
    for job in db.jobs_of(id)? {
        db.outbox_delivered(job.id, &hash(number), NOW + number)?;
    }
    Said::Deleted(number | OUTBOX).print()
}

/// Opens the database, reads all of it, checks it, and receives on.
pub(crate) fn list(folder: &Path) -> Outcome<Vec<u64>> {
    let mut db = open(&Vault::unlock(&folder.join("home"), PASSPHRASE)?)?;
    let faults = db.check_integrity()?;
    if let Some(fault) = faults.first() {
        return Err(format!("{} faults, the first: {}", faults.len(), fault.0).into());
    }
    let mut numbers = Vec::new();
    let mut before = None;
    loop {
        let page = db.messages(&Filter::default(), before, READ)?;
        for message in &page.messages {
            numbers.extend(whole(&db, message)?);
        }
        before = page.older;
        if before.is_none() {
            break;
        }
    }
    receive_on(&mut db, &numbers)?;
    Ok(numbers)
}

/// The number of a message, and that of it in the outbox while it is there.
fn whole(db: &AccountDb, message: &Message) -> Outcome<Vec<u64>> {
    let number = message.timestamp.checked_sub(NOW).ok_or("a time")?;
    let damaged = |what: &str| -> Failure { format!("message {number} {what}").into() };
    if message.content != Content::Text(text(number)) || message.conversation != peer(number)? {
        return Err(damaged("is not what was stored"));
    }
    let mut outbox = Vec::new();
    for job in db.jobs_of(message.id)? {
        let Task::Store { copy, .. } = job.task else { return Err(damaged("has another job")) };
        outbox.push(copy);
    }
    let [recipient, own] = copies(number)?;
    match (message.state, outbox.as_slice()) {
        (MessageState::Received | MessageState::Sent, []) => Ok(vec![number]),
        (MessageState::Pending, [first, second]) if *first == recipient && *second == own => {
            Ok(vec![number, number | OUTBOX])
        }
        (MessageState::Sent, [left]) if *left == own => Ok(vec![number, number | OUTBOX]),
        _ => Err(damaged("does not fit what is in the outbox")),
    }
}

/// What lies before the cursor was recorded: served again, it is known or stays deleted; what lies
/// behind it is recorded now.
fn receive_on(db: &mut AccountDb, present: &[u64]) -> Outcome<()> {
    let Cursor { node, mailbox, namespace, .. } = cursor(0)?;
    let Some(last) = db.cursor(&node, &mailbox, namespace)? else { return Ok(()) };
    let last = u64::from_be_bytes(*last.as_bytes().first_chunk().ok_or("a hash")?);
    let present: BTreeSet<u64> = present.iter().copied().collect();
    let again: Vec<u64> = (0..=last).step_by(2).collect();
    let messages: Vec<Fetched> = again.iter().map(|it| incoming(*it)).collect::<Outcome<_>>()?;
    let recorded = db.record_fetched_batch(&messages, None)?;
    for (number, recorded) in again.iter().zip(recorded) {
        let is_right = match recorded {
            Recorded::Duplicate(_) => present.contains(number),
            Recorded::Deleted => !present.contains(number),
            _ => false,
        };
        if !is_right {
            return Err(format!("message {number}, served again, is {recorded:?}").into());
        }
    }
    let next = incoming(last + 2)?;
    match db.record_incoming(&next)? {
        Recorded::New(_) if !present.contains(&(last + 2)) => Ok(()),
        recorded => Err(format!("the next message is {recorded:?}").into()),
    }
}
