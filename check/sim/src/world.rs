//! All of one run: members, the wires between them, and the list they go by.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{sleep, timeout};
use warren_node::Body;
use warren_noded::swarm::Peers;
use warren_transport::{Reply, TransportError};
use warren_wire::directory::{NodeList, NodeRecord};
use warren_wire::{NodeId, SwarmId};

use crate::chance::Chance;
use crate::clock::SimClock;
use crate::seat::{Lie, Seat};
use crate::wires::{Fate, Wires};

/// The one swarm of a run.
pub(crate) const SWARM: SwarmId = SwarmId(7);

/// One run's world.
pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) clock: SimClock,
    pub(crate) wires: Wires,
    pub(crate) seats: Vec<Seat>,
    list: Mutex<Arc<NodeList>>,
}

/// One member's way to the others.
struct Way {
    world: Weak<World>,
    from: usize,
}

impl World {
    /// A world of so many members, none of which runs yet.
    pub(crate) fn new(members: usize, chance: &Chance) -> Arc<Self> {
        let clock = SimClock::begin();
        let seats: Vec<Seat> =
            (0..members).map(|number| Seat::new(number, clock.ahead(0), chance.clone())).collect();
        let list = list_of(seats.iter());
        Arc::new(Self {
            chance: chance.clone(),
            clock,
            wires: Wires::new(chance.clone()),
            seats,
            list: Mutex::new(list),
        })
    }

    pub(crate) fn list(&self) -> Arc<NodeList> {
        Arc::clone(&self.list.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a list of these members alone; whoever starts from here on goes by it.
    pub(crate) fn relist(&self, members: &[usize]) -> Arc<NodeList> {
        let list = list_of(self.seats.iter().filter(|seat| members.contains(&seat.number)));
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&list);
        list
    }

    /// Starts a member that does not run.
    pub(crate) fn start(self: &Arc<Self>, number: usize) {
        let Some(seat) = self.seats.get(number) else { return };
        if seat.member().is_none() {
            seat.start(self.way(number), self.list());
        }
    }

    /// A member's way to the others.
    pub(crate) fn way(self: &Arc<Self>, from: usize) -> Arc<dyn Peers> {
        Arc::new(Way { world: Arc::downgrade(self), from })
    }

    fn seat_of(&self, id: &NodeId) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.id() == *id)
    }

    /// Brings an envelope to a member and its answer back.
    async fn call(
        self: &Arc<Self>,
        from: usize,
        to: &NodeId,
        envelope: Vec<u8>,
    ) -> Result<Reply, TransportError> {
        let seat = self.seat_of(to).ok_or(TransportError::Unreachable)?;
        let Fate::Arrives(after, again) = self.wires.send(from, seat.number) else {
            return std::future::pending().await;
        };
        if let Some(later) = again {
            let (world, to, envelope) = (Arc::clone(self), *to, envelope.clone());
            tokio::spawn(async move {
                sleep(later).await;
                if let Some(seat) = world.seat_of(&to) {
                    // A doubled request: nobody hears its answer.
                    let _ = deliver(seat, envelope).await;
                }
            });
        }
        sleep(after).await;
        let reply = deliver(seat, envelope).await?;
        match self.wires.send(seat.number, from) {
            Fate::Lost => std::future::pending().await,
            Fate::Arrives(after, _) => sleep(after).await,
        }
        Ok(reply)
    }
}

/// Has a member answer.
async fn deliver(seat: &Seat, envelope: Vec<u8>) -> Result<Reply, TransportError> {
    let member = seat.member().ok_or(TransportError::Unreachable)?;
    let answered = seat.run(async move { member.answer(&envelope).await });
    let answer = answered.await.map_err(|_| TransportError::Broken)?;
    Ok(match answer {
        Ok(mut body) => {
            if seat.lie() == Some(Lie::BadSignatures)
                && let Some(byte) = body.iter_mut().rev().nth(5)
            {
                *byte ^= 1;
            }
            Reply { status: 200, body }
        }
        Err(refusal) => {
            let body = match refusal.body {
                Body::Text(text) => text.into_bytes(),
                Body::Json(value) => value.to_json().to_string().into_bytes(),
                Body::Binary(bytes) => bytes,
            };
            Reply { status: refusal.status, body }
        }
    })
}

#[async_trait]
impl Peers for Way {
    async fn call(
        &self,
        peer: &NodeRecord,
        envelope: Vec<u8>,
        patience: Duration,
    ) -> Result<Reply, TransportError> {
        let world = self.world.upgrade().ok_or(TransportError::Unreachable)?;
        let answer = timeout(patience, world.call(self.from, &peer.id, envelope)).await;
        answer.unwrap_or(Err(TransportError::TimedOut))
    }
}

fn list_of<'a>(seats: impl Iterator<Item = &'a Seat>) -> Arc<NodeList> {
    let nodes = seats.map(|seat| seat.record(SWARM)).collect();
    Arc::new(NodeList::new(nodes).expect("members have keys of their own"))
}
