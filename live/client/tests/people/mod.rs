//! People with two devices each on a real local network, whose clocks a test can step.

#![allow(dead_code, reason = "each file of tests uses some of it")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use warren_client::database::{Content, Filter, Listing, Message};
use warren_client::notice::Notice;
use warren_client::vault::Cost;
use warren_client::{Clock, Device, Messenger};
use warren_noded::LocalNetwork;
use warren_noded::local_network::Plan;
use warren_wire::AccountId;

/// How far the clocks of devices are ahead of this machine's, in milliseconds.
#[derive(Clone, Default)]
pub(crate) struct Ahead(Arc<AtomicI64>);

impl Ahead {
    pub(crate) fn step(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let ahead = Arc::clone(&self.0);
        Clock::new(move || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let real = u64::try_from(since.as_millis()).unwrap();
            real.checked_add_signed(ahead.load(Ordering::Relaxed)).unwrap()
        })
    }
}

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) network: LocalNetwork,
    pub(crate) ahead: Ahead,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("net");
        let plan = Plan { nodes: 5, data, seed_port: 0, node_port: 0 };
        let network = LocalNetwork::start(&plan).await.unwrap();
        Self { folder, network, ahead: Ahead::default() }
    }

    pub(crate) fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The device of a home, made where there is none.
    pub(crate) fn device(&self, home: &Path) -> Device {
        let device = if Device::exists(home) {
            Device::unlock(home, "passphrase").unwrap()
        } else {
            Device::create(home, "passphrase", Cost::LEAST).unwrap()
        };
        let mut device = device.with_clock(self.ahead.clock());
        device.use_seed(&self.network.seed().parse().unwrap()).unwrap();
        device
    }

    pub(crate) fn restored(&self, name: &str, words: &str) -> Messenger {
        let mut device = self.device(&self.home(name));
        device.restore_account(words, name, None).unwrap();
        device.messenger(None).unwrap()
    }

    /// Somebody with two devices.
    pub(crate) fn person(&self, name: &str) -> Person {
        let mut device = self.device(&self.home(name));
        let (entry, words) = device.create_account(name, Some(name)).unwrap();
        let words = words.expose().to_owned();
        let laptop = self.restored(&format!("{name}-2"), &words);
        Person { id: entry.id, words, phone: device.messenger(None).unwrap(), laptop }
    }
}

pub(crate) struct Person {
    pub(crate) id: AccountId,
    pub(crate) words: String,
    pub(crate) phone: Messenger,
    pub(crate) laptop: Messenger,
}

impl Person {
    /// Takes whoever it is for a contact, whose invitations need no question.
    pub(crate) fn trusts(&self, other: &Self) {
        self.phone.set_nickname(&other.id, Some("friend")).unwrap();
    }
}

/// The oldest first.
pub(crate) fn messages(messenger: &Messenger, conversation: &AccountId) -> Vec<Message> {
    let filter = Filter { conversation: Some(*conversation), unread: false };
    let page = messenger.db().with(|db| db.messages(&filter, None, 100)).unwrap();
    page.messages.into_iter().rev().collect()
}

/// All but notices.
pub(crate) fn said(messenger: &Messenger, conversation: &AccountId) -> Vec<Message> {
    let mut messages = messages(messenger, conversation);
    messages.retain(|message| !matches!(message.content, Content::Control(_)));
    messages
}

pub(crate) fn words(message: &Message) -> String {
    match &message.content {
        Content::Text(text) => text.clone(),
        Content::Control(json) => format!("{:?}", Notice::from_json(json).unwrap()),
        Content::Unknown(_) => "unknown".to_owned(),
        Content::Deleted => "deleted".to_owned(),
    }
}

/// The words of all that was said.
pub(crate) fn texts(messenger: &Messenger, conversation: &AccountId) -> Vec<String> {
    said(messenger, conversation).iter().map(words).collect()
}

/// As [`texts`], with the notices between.
pub(crate) fn shown(messenger: &Messenger, conversation: &AccountId) -> Vec<String> {
    messages(messenger, conversation).iter().map(words).collect()
}

pub(crate) fn notices(messenger: &Messenger, conversation: &AccountId) -> Vec<Notice> {
    let all = messages(messenger, conversation);
    let notice = |message: &Message| match &message.content {
        Content::Control(json) => Notice::from_json(json),
        _ => None,
    };
    all.iter().filter_map(notice).collect()
}

pub(crate) fn named(messenger: &Messenger, conversation: &AccountId, text: &str) -> Message {
    let wanted = Content::Text(text.to_owned());
    let mut all = messages(messenger, conversation);
    all.retain(|message| message.content == wanted);
    all.remove(0)
}

pub(crate) fn listed(messenger: &Messenger, listing: Listing) -> Vec<AccountId> {
    let list = messenger.db().with(|db| db.conversations(listing, None, 10)).unwrap();
    list.into_iter().map(|one| one.id).collect()
}

pub(crate) async fn sync(messengers: &[&Messenger]) {
    // What the first pushes the last has seen, and the other way round.
    for _ in 0..2 {
        for messenger in messengers {
            messenger.sync().await.unwrap();
        }
    }
}
