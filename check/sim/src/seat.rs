//! A member's place in a run: what outlives its process, and the process while there is one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use warren_crypto::Secret;
use warren_crypto::ed25519::SigningKey;
use warren_noded::held::{Arrivals, Arrived};
use warren_noded::swarm::{Clock, Member, Pace, Parts, Peers};
use warren_wire::directory::{NodeList, NodeRecord, Roles};
use warren_wire::{Millis, NodeId, SwarmId};

use crate::chance::Chance;
use crate::clock::SimClock;
use crate::disk::{Ailment, Disk};

/// What a member that lies does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Its answers are altered on the way out, so that no signature fits.
    BadSignatures,
    /// It signs for what it does not keep.
    KeepsNothing,
    /// It brings orders that no owner signed.
    ForgedOrders,
}

/// One member's place.
pub(crate) struct Seat {
    pub(crate) number: usize,
    id: NodeId,
    seed: Secret<32>,
    pub(crate) clock: SimClock,
    pub(crate) ailment: Arc<Ailment>,
    chance: Chance,
    state: Mutex<State>,
}

struct State {
    disk: Arc<Disk>,
    process: Option<Process>,
    lie: Option<Lie>,
}

struct Process {
    member: Arc<Member>,
    tasks: JoinSet<()>,
}

impl Clock for SimClock {
    fn now(&self) -> Millis {
        self.read()
    }
}

/// Nobody waits for messages in a run.
struct Nobody;

impl Arrivals for Nobody {
    fn arrived(&self, _message: &Arrived<'_>) {}
}

impl Seat {
    pub(crate) fn new(number: usize, clock: SimClock, chance: Chance) -> Self {
        let seed = Secret::from_slice(&chance.bytes(32)).expect("a seed is 32 bytes");
        let ailment = Arc::new(Ailment::default());
        let disk = Arc::new(Disk::new(Arc::clone(&ailment), chance.clone()));
        let state = Mutex::new(State { disk, process: None, lie: None });
        let key = SigningKey::from_seed(seed.duplicate()).expect("any seed makes a key");
        let id = NodeId::from_bytes(*key.verifying_key().as_bytes());
        Self { number, id, seed, clock, ailment, chance, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn key(&self) -> SigningKey {
        SigningKey::from_seed(self.seed.duplicate()).expect("any seed makes a key")
    }

    pub(crate) const fn id(&self) -> NodeId {
        self.id
    }

    /// How the list names it.
    pub(crate) fn record(&self, swarm: SwarmId) -> NodeRecord {
        let number = u8::try_from(self.number).expect("a handful of members");
        let x25519 = self.key().verifying_key().to_x25519().expect("a key that was just made");
        let (ip, roles) = ([10, 77, number, 1].into(), Roles::default());
        NodeRecord { id: self.id(), x25519, ip, port: 22_021, swarm, certificate: None, roles }
    }

    /// The store as it is, beside whatever the process does.
    pub(crate) fn disk(&self) -> Arc<Disk> {
        Arc::clone(&self.state().disk)
    }

    pub(crate) fn lie(&self) -> Option<Lie> {
        self.state().lie
    }

    pub(crate) fn set_lie(&self, lie: Option<Lie>) {
        self.state().lie = lie;
        self.state().disk.keep_nothing(lie == Some(Lie::KeepsNothing));
    }

    /// The member, where its process runs.
    pub(crate) fn member(&self) -> Option<Arc<Member>> {
        self.state().process.as_ref().map(|process| Arc::clone(&process.member))
    }

    /// Starts the process.
    pub(crate) fn start(&self, peers: Arc<dyn Peers>, list: Arc<NodeList>) {
        let member = Member::new(Parts {
            key: self.key(),
            store: self.disk(),
            peers,
            clock: Arc::new(self.clock.clone()),
            arrivals: Arc::new(Nobody),
            entropy: Box::new(self.chance.clone()),
            list,
            pace: Pace::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&member).run_handoff());
        tasks.spawn(Arc::clone(&member).run_reconciliation());
        self.state().process = Some(Process { member, tasks });
    }

    /// Kills the process, wherever it is. What it wrote stays.
    pub(crate) fn kill(&self) {
        self.state().process = None;
    }

    /// Kills the process and empties the disk.
    pub(crate) fn wipe(&self) {
        let mut state = self.state();
        state.process = None;
        state.disk = Arc::new(Disk::new(Arc::clone(&self.ailment), self.chance.clone()));
    }

    /// Runs work in the process; what comes of it is `None` where the process is killed meanwhile, or
    /// does not run at all.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (tell, told) = oneshot::channel();
        if let Some(process) = &mut self.state().process {
            while process.tasks.try_join_next().is_some() {}
            process.tasks.spawn(async move {
                // Whoever asked may have given up.
                let _ = tell.send(work.await);
            });
        }
        told
    }
}
