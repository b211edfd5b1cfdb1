//! What a duress code has done in the network, behind whoever typed it: other devices are told to wipe,
//! and mailboxes are emptied.
//!
//! Nothing of it touches the disk, which is to be that of an empty app: what is to be done and how the
//! network is reached stay in memory, and are lost where the program ends first.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use warren_account::{Account, ErasureRight};
use warren_crypto::{Secret, SystemEntropy};
use warren_lock::DuressOrders;
use warren_message::content::tripwire::{CarriedOrder, TripwireMessage};
use warren_message::{Content, Kind, seal_direct};
use warren_transport::Seed;
use warren_wire::record::Drawers;
use warren_wire::{AccountId, Namespace};

use crate::database::{AccountDb, Db};
use crate::error::ClientError;
use crate::mailbox::Access;
use crate::mailbox::order::Deed;
use crate::mailbox::store::Letter;
use crate::messenger::now;
use crate::network::Network;

/// The pause after a first failure; it doubles from then on.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// After so long nothing is tried any more.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// One thing to do.
enum Step {
    /// Store what wipes a device in its inbox.
    Tell(Letter),
    /// Empty a mailbox.
    Erase(Access),
}

/// Carries out what a duress code ordered, trying again for a day what fails; how much of it was done,
/// of how much. Devices are told before mailboxes are emptied: mail can be deleted later, too.
pub async fn carry_out(orders: DuressOrders) -> (usize, usize) {
    let network = orders.network.parse::<Seed>().ok().and_then(|seed| network(seed).ok());
    let mut left = steps(&orders);
    drop(orders);
    let count = left.len();
    let Some(network) = network else { return (0, count) };
    let (began, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        let mut failed = Vec::new();
        for step in left {
            // Why it failed is told to nobody: it is tried again.
            if take(&network, &step).await.is_err() {
                failed.push(step);
            }
        }
        left = failed;
        if left.is_empty() || began.elapsed() > PATIENCE {
            return (count - left.len(), count);
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn take(network: &Network, step: &Step) -> Result<(), ClientError> {
    match step {
        Step::Tell(letter) => network.store(letter, None).await.map(drop),
        Step::Erase(access) => {
            let done = network.order(access, &Deed::DeleteAll(Drawers::All)).await?;
            let members = network.members_of(&access.owner()).await?.len();
            // One member alone may say anything.
            if done * 2 > members { Ok(()) } else { Err(ClientError::Unproven) }
        }
    }
}

/// A way into the network of which nothing is kept.
fn network(seed: Seed) -> Result<Network, ClientError> {
    let nobody = Account::random(&mut SystemEntropy)?;
    let db = Db::new(AccountDb::in_memory(nobody.id())?);
    Ok(Network::new(db, Secret::random(&mut SystemEntropy), Some(seed)))
}

/// What cannot be read is left out: it was checked when it was written.
fn steps(orders: &DuressOrders) -> Vec<Step> {
    let tell = orders.devices.iter().filter_map(|(inbox, order)| {
        let inbox = AccountId::from_bytes(inbox).ok()?;
        letter(&inbox, CarriedOrder(order.duplicate())).ok().map(Step::Tell)
    });
    let erase = orders.mailboxes.iter().filter_map(|right| {
        let right = ErasureRight::decode(right).ok()?;
        Some(Step::Erase(Access::Eraser(Arc::new(right))))
    });
    tell.chain(erase).collect()
}

/// An order in an ordinary message from an account that is thrown away.
fn letter(inbox: &AccountId, order: CarriedOrder) -> Result<Letter, ClientError> {
    let sender = Account::random(&mut SystemEntropy)?;
    let content = Content::from(Kind::Tripwire(TripwireMessage::Order(order)));
    let timestamp = now();
    let data = seal_direct(&sender, inbox, &content, timestamp, timestamp, &mut SystemEntropy)?;
    let (namespace, ttl) = (Namespace::DIRECT, content.ttl());
    Ok(Letter { target: *inbox, namespace, data, timestamp, ttl })
}
