//! `warren demo`: a whole conversation, step by step, each step checked, nothing left behind.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use warren_account::Mnemonic;
use warren_client::database::{Content, Direction, Filter};
use warren_client::vault::Cost;
use warren_client::{Delivery, Device, Messenger};
use warren_noded::LocalNetwork;
use warren_noded::local_network::{NetworkError, Plan};
use warren_transport::{Seed, SeedError};
use warren_wire::AccountId;

use crate::api::network::Hop;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::start::Start;
use crate::stop::Stop;
use crate::wording::{count, node_line};

/// Everything is deleted at the end, so that this protects nothing.
const PASSPHRASE: &str = "demo";
const ALICE: &str = "Alice";
const BOB: &str = "Bob";
const NODES: usize = 7;
const GREETING: &str = "Hello Bob, this goes through three nodes.";
const ANSWER: &str = "Hello Alice, so does this.";
/// How long a message may take from being acknowledged to being found.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// Carries the command out.
///
/// # Errors
/// Where a step does not hold.
pub async fn run(start: &Start) -> Result<Exit, Failure> {
    let given = start.seed()?;
    let folder = tempfile::Builder::new()
        .prefix("warren-demo-")
        .tempdir()
        .map_err(|error| Failure::Demo(format!("there is no temporary folder: {error}")))?;
    let mut stop = Stop::listen().map_err(Failure::Terminal)?;
    let mut demo = Demo::new(start.output, given.is_some());
    start.output.text(match &given {
        None => "Two people, one network, everything in a temporary folder.\n".to_owned(),
        Some(seed) => format!(
            "Two people with devices in a temporary folder, on the network of --seed or \
             WARREN_SEED:\n{}\n",
            seed.url()
        ),
    })?;
    let network = match &given {
        Some(_) => None,
        None => Some(demo.start_network(folder.path()).await?),
    };
    let seed = match (given, &network) {
        (Some(seed), _) => Ok(seed),
        (None, network) => network.as_ref().map(LocalNetwork::seed).unwrap_or_default().parse(),
    };
    let done = tokio::select! {
        biased;
        () = stop.asked() => Err(Failure::Interrupted),
        done = converse(&mut demo, folder.path(), seed) => done,
    };
    if let Some(network) = network {
        network.stop().await;
    }
    let removed = remove(folder);
    done?;
    removed?;
    demo.finish()?;
    Ok(Exit::Done)
}

fn remove(folder: TempDir) -> Result<(), Failure> {
    folder.close().map_err(|error| Failure::Demo(format!("its folder cannot be deleted: {error}")))
}

/// One person at their device.
struct Person {
    name: &'static str,
    messenger: Messenger,
    id: AccountId,
}

/// The whole conversation.
async fn converse(
    demo: &mut Demo,
    folder: &Path,
    seed: Result<Seed, SeedError>,
) -> Result<(), Failure> {
    let seed = seed?;
    let (mut alice, _) = demo.create(ALICE, &folder.join("alice"), &seed)?;
    let bobs_home = folder.join("bob");
    let (mut bob, words) = demo.create(BOB, &bobs_home, &seed)?;

    demo.send("Alice writes to Bob", &mut alice, bob.id, GREETING).await?;
    let greeting = [(Direction::Incoming, alice.id, GREETING)];
    demo.read("Bob reads it", &mut bob, &greeting).await?;
    demo.send("Bob answers", &mut bob, alice.id, ANSWER).await?;
    let answer = [(Direction::Outgoing, bob.id, GREETING), (Direction::Incoming, bob.id, ANSWER)];
    demo.read("Alice reads it", &mut alice, &answer).await?;
    demo.path(&mut alice).await?;

    let id = bob.id;
    demo.wipe(bob, &bobs_home)?;
    let mut bob = demo.restore(&words, id, &bobs_home, &seed)?;
    let both = [(Direction::Incoming, alice.id, GREETING), (Direction::Outgoing, alice.id, ANSWER)];
    demo.read("Bob reads both messages again", &mut bob, &both).await
}

/// What a conversation must hold: who said it, with whom, what.
type Line = (Direction, AccountId, &'static str);

/// Prints the steps as they happen, and keeps them for JSON.
struct Demo {
    output: Output,
    began: Instant,
    step_began: Instant,
    steps: Vec<Value>,
    uses_given_seed: bool,
}

impl Demo {
    fn new(output: Output, uses_given_seed: bool) -> Self {
        let began = Instant::now();
        Self { output, began, step_began: began, steps: Vec::new(), uses_given_seed }
    }

    /// Prints a step that held.
    fn step(&mut self, what: &str, detail: &str) -> Result<(), Failure> {
        let took = self.step_began.elapsed();
        self.step_began = Instant::now();
        let number = self.steps.len() + 1;
        self.steps.push(json!({
            "number": number,
            "step": what,
            "detail": detail,
            "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }));
        let mut text = format!("{number:>3}  {what:<31}{:>7.2} s", took.as_secs_f64());
        for line in detail.lines() {
            text.push_str("\n       ");
            text.push_str(line);
        }
        self.output.text(text)
    }

    async fn start_network(&mut self, folder: &Path) -> Result<LocalNetwork, Failure> {
        let data = folder.join("network");
        let plan = Plan { nodes: NODES, data, seed_port: 0, node_port: 0 };
        let network = LocalNetwork::start(&plan).await.map_err(|error| failed_start(&error))?;
        let detail = format!("{}, directory at {}", count(NODES, "node"), network.seed_url());
        self.step("A network starts", &detail)?;
        Ok(network)
    }

    fn create(
        &mut self,
        name: &'static str,
        home: &Path,
        seed: &Seed,
    ) -> Result<(Person, Mnemonic), Failure> {
        let mut device = Device::create(home, PASSPHRASE, Cost::DEFAULT)?;
        device.use_seed(seed)?;
        let (entry, words) = device.create_account(name, Some(name))?;
        let messenger = device.messenger(None)?;
        self.step(&format!("{name} creates an account"), &entry.id.to_string())?;
        Ok((Person { name, messenger, id: entry.id }, words))
    }

    async fn send(
        &mut self,
        what: &str,
        from: &mut Person,
        to: AccountId,
        text: &str,
    ) -> Result<(), Failure> {
        match from.messenger.send(&to, text).await?.state {
            Delivery::Delivered => self.step(what, &format!("\"{text}\"")),
            Delivery::Waiting(reason) | Delivery::Failed(reason) => {
                Err(Failure::Demo(format!("{what}, but it was not delivered: {reason}")))
            }
        }
    }

    /// Fetches until the conversation is as it must be.
    async fn read(
        &mut self,
        what: &str,
        reader: &mut Person,
        expected: &[Line],
    ) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            reader.messenger.receive().await?;
            let found = conversation(reader)?;
            if same(&found, expected) {
                break;
            }
            if began.elapsed() > PATIENCE {
                let (expected, found) = (expected.len(), found.len());
                let fault =
                    format!("{what}: of {} only {found} are there", count(expected, "message"));
                return Err(Failure::Demo(fault));
            }
            tokio::time::sleep(PAUSE).await;
        }
        let shown: Vec<String> = expected.iter().map(|line| shown_line(reader, line)).collect();
        self.step(what, &shown.join("\n"))
    }

    async fn path(&mut self, person: &mut Person) -> Result<(), Failure> {
        let path = person.messenger.path().await?;
        if path.hops.len() != 3 {
            let fault = format!("the path has {}, not 3 hops", path.hops.len());
            return Err(Failure::Demo(fault));
        }
        let notes = ["guard, sees Alice's address", "", "passes on to the mailbox"];
        let lines: Vec<String> = (1..)
            .zip(path.hops.iter().zip(notes))
            .map(|(number, (hop, note))| {
                node_line(number, &Hop::from(hop), note).trim_start().to_owned()
            })
            .collect();
        self.step("Alice's path", &lines.join("\n"))
    }

    fn wipe(&mut self, bob: Person, home: &Path) -> Result<(), Failure> {
        drop(bob);
        std::fs::remove_dir_all(home)
            .map_err(|error| Failure::Demo(format!("Bob's device cannot be wiped: {error}")))?;
        if Device::exists(home) {
            return Err(Failure::Demo("Bob's device is still there".to_owned()));
        }
        self.step("Bob's device is wiped", "his words on paper are all he has")
    }

    fn restore(
        &mut self,
        words: &Mnemonic,
        id: AccountId,
        home: &Path,
        seed: &Seed,
    ) -> Result<Person, Failure> {
        let mut device = Device::create(home, PASSPHRASE, Cost::DEFAULT)?;
        device.use_seed(seed)?;
        let entry = device.restore_account(words.expose(), BOB, Some(BOB))?;
        if entry.id != id {
            return Err(Failure::Demo("the words brought back another account".to_owned()));
        }
        let messenger = device.messenger(None)?;
        let words = count(words.words().count(), "word");
        self.step("Bob restores his account", &format!("from {words}: {}", entry.id))?;
        Ok(Person { name: BOB, messenger, id })
    }

    fn finish(self) -> Result<(), Failure> {
        let seconds = self.began.elapsed().as_secs_f64();
        let value = json!({
            "ok": true,
            "steps": self.steps,
            "milliseconds": u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        let whose = if self.uses_given_seed {
            "; the nodes keep the two messages, sealed, for 14 days"
        } else {
            ", the network is stopped"
        };
        let text = format!(
            "\nEvery step held, in {seconds:.2} s. The temporary folder is deleted{whose}.",
        );
        self.output.result(&value, text)
    }
}

fn failed_start(error: &NetworkError) -> Failure {
    Failure::Demo(format!("the network does not start: {error}"))
}

/// A line of the conversation as its reader sees it.
fn shown_line(reader: &Person, (direction, _, text): &Line) -> String {
    let other = if reader.name == ALICE { BOB } else { ALICE };
    let author = match direction {
        Direction::Incoming => other,
        Direction::Outgoing => reader.name,
    };
    format!("{author}: \"{text}\"")
}

/// All that was said, oldest first.
fn conversation(person: &mut Person) -> Result<Vec<(Direction, AccountId, String)>, Failure> {
    let page = person.messenger.db().with(|db| db.messages(&Filter::default(), None, 100))?;
    let text = |content| match content {
        Content::Text(text) => text,
        _ => String::new(),
    };
    let messages = page.messages.into_iter().rev();
    Ok(messages.map(|one| (one.direction, one.conversation, text(one.content))).collect())
}

fn same(found: &[(Direction, AccountId, String)], expected: &[Line]) -> bool {
    found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| {
            (found.0, found.1, found.2.as_str()) == (expected.0, expected.1, expected.2)
        })
}
