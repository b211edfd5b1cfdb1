//! A process that is killed at any moment loses nothing it acknowledged and sends nothing twice.
//!
//! A process of its own writes to somebody, with and without files, renames them and fetches what
//! they answer. It says what is kept as soon as it is, and is killed: in the midst of its work, or
//! while it starts. `WARREN_KILLS` says how often.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and its child talks by its standard output"
)]

mod people;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Cursor};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use people::{World, words};
use warren_client::attachments::Metadata;
use warren_client::database::{Content, Direction, Filter, Message, MessageState};
use warren_client::{Device, Draft, Messenger};
use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;
use warren_wire::AccountId;

const HOME: &str = "WARREN_TEST_HOME";
const PEER: &str = "WARREN_TEST_PEER";
const FIRST: &str = "WARREN_TEST_FIRST";
/// The most that one process says before it is killed.
const MOST_LINES: usize = 12;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that what_was_acknowledged_is_delivered_once_whenever_it_is_killed kills"]
async fn child_that_talks_until_it_is_killed() {
    let told = |name| std::env::var(name).ok();
    let (Some(home), Some(peer), Some(first)) = (told(HOME), told(PEER), told(FIRST)) else {
        return;
    };
    let peer: AccountId = peer.parse().unwrap();
    let device = Device::unlock(Path::new(&home), "passphrase").unwrap();
    let messenger = Arc::new(device.messenger(None).unwrap());
    let fetching = Arc::clone(&messenger);
    tokio::spawn(async move {
        loop {
            let _ = fetching.sync().await;
        }
    });
    for number in first.parse::<u32>().unwrap().. {
        let mut draft = Draft::text(number.to_string());
        if number % 4 == 0 {
            let source = Cursor::new(vec![7; 50_000]);
            let file = messenger.attach(source, Some("file.bin"), Metadata::Strip, false);
            draft.files = vec![file.await.unwrap()];
        }
        messenger.save_draft(&peer, &draft).unwrap();
        println!("\nsaved {number}");
        if number % 3 == 0 {
            messenger.set_nickname(&peer, Some(&number.to_string())).unwrap();
            println!("\nnamed {number}");
        }
        let _ = messenger.deliver_waiting().await;
        println!("\nwent on");
    }
}

/// What processes acknowledged.
#[derive(Default)]
struct Acknowledged {
    saved: BTreeSet<u32>,
    named: u32,
}

impl Acknowledged {
    fn note(&mut self, line: &str) {
        if let Some(number) = line.strip_prefix("saved ") {
            self.saved.insert(number.parse().unwrap());
        } else if let Some(number) = line.strip_prefix("named ") {
            self.named = number.parse().unwrap();
        }
    }
}

fn child(home: &Path, peer: &AccountId, first: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_talks_until_it_is_killed", "--ignored", "--nocapture"])
        .env(HOME, home)
        .env(PEER, peer.to_string())
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn random(below: usize) -> usize {
    random_index(&mut SystemEntropy, below).unwrap()
}

/// Lets a process work and kills it, a moment after it said something or while it starts.
fn work_and_kill(home: &Path, peer: &AccountId, first: u32, acknowledged: &mut Acknowledged) {
    let mut process = child(home, peer, first);
    let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
    if random(5) > 0 {
        let mut left = 1 + random(MOST_LINES);
        while left > 0 {
            let line = output.next().expect("the process ended by itself").unwrap();
            acknowledged.note(&line);
            left -= usize::from(!line.is_empty());
        }
    }
    thread::sleep(Duration::from_millis(random(150).try_into().unwrap()));
    process.kill().unwrap();
    process.wait().unwrap();
    // What it said before it died counts, as far as it said it whole.
    let rest: Vec<String> = output.map_while(Result::ok).collect();
    rest.iter().for_each(|line| acknowledged.note(line));
}

fn all(messenger: &Messenger, with: &AccountId) -> Vec<Message> {
    let filter = Filter { conversation: Some(*with), unread: false };
    let mut page = messenger.db().with(|db| db.messages(&filter, None, 100_000)).unwrap();
    page.messages.retain(|message| !matches!(message.content, Content::Control(_)));
    page.messages
}

/// How often each number was said.
fn counted(messages: &[Message], direction: Direction) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for message in messages.iter().filter(|message| message.direction == direction) {
        *counted.entry(words(message)).or_default() += 1;
    }
    counted
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_delivered_once_whenever_it_is_killed() {
    let kills = std::env::var("WARREN_KILLS").ok().and_then(|kills| kills.parse().ok());
    let world = World::new().await;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let (home, laptop, alice_id) = (world.home("Alice"), alice.laptop, alice.id);
    drop(alice.phone);
    let mut acknowledged = Acknowledged::default();
    let mut answered = 0;
    for round in 0..kills.unwrap_or(10_u32) {
        for _ in 0..3 {
            bob.phone.send(&alice_id, &format!("answer {answered}")).await.unwrap();
            answered += 1;
        }
        let (home, peer) = (home.clone(), bob.id);
        let work = move || {
            // Far apart, so that what was kept without being acknowledged has a name of its own.
            work_and_kill(&home, &peer, round * 1_000, &mut acknowledged);
            acknowledged
        };
        acknowledged = tokio::task::spawn_blocking(work).await.unwrap();
    }
    assert!(!acknowledged.saved.is_empty(), "every process was killed before it said anything");

    let phone = world.device(&home).messenger(None).unwrap();
    phone.deliver_all().await.unwrap();
    for _ in 0..2 {
        phone.sync().await.unwrap();
        laptop.sync().await.unwrap();
        bob.phone.sync().await.unwrap();
    }
    let (own, others) = (all(&phone, &bob.id), all(&bob.phone, &alice_id));
    let sent = counted(&own, Direction::Outgoing);
    for number in &acknowledged.saved {
        assert_eq!(sent.get(&number.to_string()), Some(&1), "{number}");
    }
    assert!(sent.values().all(|times| *times == 1), "{sent:?}");
    let outgoing = own.iter().filter(|message| message.direction == Direction::Outgoing);
    assert!(outgoing.clone().all(|message| message.state == MessageState::Sent));
    // What is kept was sent, and nothing else.
    assert_eq!(counted(&others, Direction::Incoming), sent);
    assert_eq!(counted(&all(&laptop, &bob.id), Direction::Outgoing), sent);
    for message in &others {
        let names = bob.phone.db().with(|db| db.message_hashes(message.id)).unwrap();
        assert_eq!(names.len(), 1, "{} was sealed and sent twice", words(message));
        let files = bob.phone.db().with(|db| db.attachments(message.id)).unwrap();
        let number: u32 = words(message).parse().unwrap_or(1);
        assert_eq!(files.len(), usize::from(number.is_multiple_of(4)));
    }
    // What came while it was killed is here, once.
    let heard = counted(&own, Direction::Incoming);
    assert_eq!(heard.len(), answered);
    assert!(heard.values().all(|times| *times == 1), "{heard:?}");
    // The other device agrees on what was set.
    let name = |device: &Messenger| {
        let known = device.db().with(|db| db.contact(&bob.id)).unwrap();
        known.and_then(|contact| contact.petname)
    };
    assert_eq!(name(&phone), name(&laptop));
    let named = name(&phone).map_or(0, |name| name.parse::<u32>().unwrap());
    assert!(named >= acknowledged.named, "{named} < {}", acknowledged.named);
    assert_eq!(phone.db().with(|db| db.check_integrity()).unwrap(), []);
    world.network.stop().await;
}
