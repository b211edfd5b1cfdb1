//! A conversation of two people with two devices each, on the real programs: over restarts, kills,
//! timers, and the loss of a device.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod acquaintance;
mod away;
mod loss;
mod talk;
mod third;

use std::time::Instant;

use serde_json::Value;
use warren_e2e::{AtWork, Device, Network, Transcript};

/// Somebody with two devices.
struct Person {
    id: String,
    phone: AtWork,
    laptop: AtWork,
}

impl Person {
    async fn new(seed: &str, name: &str) -> Self {
        let phone = AtWork::new(seed, name).await;
        let laptop = AtWork::restored(seed, &format!("{name}'s laptop"), phone.words()).await;
        Self { id: phone.id().to_owned(), phone, laptop }
    }

    const fn devices(&self) -> [&AtWork; 2] {
        [&self.phone, &self.laptop]
    }
}

/// Who takes part, and what they see.
struct Story {
    network: Network,
    alice: Person,
    bob: Person,
    carol: Device,
    /// The id of their group.
    group: String,
    /// What everybody in it sees there.
    in_group: Vec<String>,
    /// What Alice and Bob see of each other.
    between: Vec<String>,
}

impl Story {
    async fn begin() -> Self {
        let network = Network::start(6).await;
        let seed = network.seed();
        let (alice, bob, carol) = tokio::join!(
            Person::new(&seed, "Alice"),
            Person::new(&seed, "Bob"),
            Device::new(&seed, "Carol"),
        );
        let (in_group, between) = (Vec::new(), Vec::new());
        Self { network, alice, bob, carol, group: String::new(), in_group, between }
    }

    fn name(&self, id: &Value) -> String {
        let people = [(&self.alice.id, "Alice"), (&self.bob.id, "Bob"), (&self.carol.id, "Carol")];
        let found = people.iter().find(|(one, _)| id == one.as_str());
        found.map_or_else(|| id.to_string(), |(_, name)| (*name).to_owned())
    }

    const fn everybody(&self) -> [&AtWork; 4] {
        let ([one, two], [three, four]) = (self.alice.devices(), self.bob.devices());
        [one, two, three, four]
    }

    /// Waits until these devices show what is in the group, and nothing twice.
    async fn group_is_seen(&self, devices: &[&AtWork]) {
        let names = |id: &Value| self.name(id);
        for device in devices {
            Transcript::becomes(device, &self.group, &names, &self.in_group).await;
        }
    }

    /// Waits until these devices show what Alice and Bob wrote to each other.
    async fn both_sides_are_seen(&self, devices: &[&AtWork]) {
        let names = |id: &Value| self.name(id);
        for device in devices {
            let own = device.id() == self.alice.id;
            let other = if own { &self.bob.id } else { &self.alice.id };
            Transcript::becomes(device, other, &names, &self.between).await;
        }
    }

    /// The number that a device gives the message of this text in the group.
    async fn in_group(&self, device: &AtWork, text: &str) -> String {
        number(device, &self.group, text).await
    }

    fn group_says(&mut self, line: &str) {
        self.in_group.push(line.to_owned());
    }

    fn say(&mut self, line: &str) {
        self.between.push(line.to_owned());
    }
}

/// The number that a device gives a message.
async fn number(device: &AtWork, conversation: &str, text: &str) -> String {
    Transcript::of(device, conversation).await.called(text)["message_id"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_on_two_devices_each_talk_over_restarts_and_the_loss_of_a_device() {
    let began = Instant::now();
    let done = |what: &str| eprintln!("{:6.1} s  {what}", began.elapsed().as_secs_f64());
    let story = &mut Story::begin().await;
    done("everybody has their devices");
    acquaintance::a_stranger_writes(story).await;
    acquaintance::a_stranger_invites(story).await;
    acquaintance::the_request_is_accepted(story).await;
    acquaintance::notes_to_oneself(story).await;
    done("they know each other");
    talk::answers_reactions_and_edits(story).await;
    done("they talk");
    away::some_are_away_and_some_are_killed(story).await;
    done("they were away");
    talk::files_and_voice(story).await;
    done("they sent files");
    talk::unread_messages_are_counted_on_both_devices(story).await;
    talk::deletions_go_as_far_as_they_should(story).await;
    done("they read and deleted");
    away::timers_run_while_programs_do_not(story).await;
    done("messages disappeared");
    third::a_third_is_invited_and_removed(story).await;
    third::who_is_blocked_is_not_heard(story).await;
    done("Carol was there");
    loss::a_lost_device_is_restored_from_the_words(story).await;
    done("a device was lost and restored");
    loss::the_conversation_goes_on(story).await;
    done("they went on");
}
