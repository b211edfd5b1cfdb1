//! The network of a test: who is up, whom a cut separates, what the clocks say.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use crate::slow::Slow;
use async_trait::async_trait;
use tokio::time::Instant;
use warren_crypto::ed25519::SigningKey;
use warren_crypto::{Entropy, Secret, x25519};
use warren_node::{Body, CheckedOrder, CheckedStore, Origin, SwarmRequest};
use warren_noded::held::{Arrivals, Arrived};
use warren_noded::swarm::{Clock, Member, Outcome, Pace, Parts, Peers};
use warren_store::{MailStore, MemoryStore, Query};
use warren_transport::{Reply, TransportError};
use warren_wire::directory::{NodeList, NodeRecord, Roles};
use warren_wire::rpc::member::{Call, Given};
use warren_wire::rpc::peer;
use warren_wire::rpc::{Request, StoreRequest, UnverifiedAuth, signed};
use warren_wire::{
    AccountId, MessageHash, Millis, Namespace, NodeId, Stamp, SwarmId, Value, bencode,
};

/// When tests begin.
pub(crate) const START: Millis = 1_700_000_000_000;

pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_seed(Secret::take(&mut [number; 32])).unwrap()
}

pub(crate) fn id(number: u8) -> NodeId {
    NodeId::from_bytes(*key(number).verifying_key().as_bytes())
}

/// A list of nodes, each with its swarm.
pub(crate) fn list(nodes: &[(u8, u64)]) -> Arc<NodeList> {
    let record = |(number, swarm): &(u8, u64)| NodeRecord {
        id: id(*number),
        x25519: x25519::PublicKey::from_bytes([*number; 32]),
        ip: Ipv4Addr::LOCALHOST,
        port: 1,
        swarm: SwarmId(*swarm),
        certificate: None,
        roles: Roles::default(),
    };
    Arc::new(NodeList::new(nodes.iter().map(record).collect()).unwrap())
}

/// A time that goes with the test's, off by some milliseconds.
struct OffClock {
    begun: Instant,
    off: i64,
}

impl Clock for OffClock {
    fn now(&self) -> Millis {
        let since = u64::try_from(self.begun.elapsed().as_millis()).unwrap();
        (START + since).saturating_add_signed(self.off)
    }
}

/// Numbers that are the same in every run.
struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            self.0 = self.0.wrapping_mul(29).wrapping_add(41);
            *byte = self.0;
        }
    }
}

/// Counts what became retrievable at one node.
#[derive(Default)]
pub(crate) struct Told(pub(crate) AtomicUsize);

impl Arrivals for Told {
    fn arrived(&self, _message: &Arrived<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub(crate) struct Running {
    pub(crate) member: Arc<Member>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) told: Arc<Told>,
}

#[derive(Default)]
struct Wires {
    members: BTreeMap<NodeId, Weak<Member>>,
    down: BTreeSet<NodeId>,
    /// How many calls each node made.
    calls: BTreeMap<NodeId, usize>,
    lying: BTreeSet<NodeId>,
    silent: BTreeSet<NodeId>,
    /// Nodes whose records are not those that were asked for.
    garbling: BTreeSet<NodeId>,
    /// Nodes that say they have something as late as that.
    claiming: BTreeMap<NodeId, Stamp>,
}

/// Nodes and what lies between them.
pub(crate) struct World {
    begun: Instant,
    wires: Arc<Mutex<Wires>>,
    pub(crate) nodes: BTreeMap<u8, Running>,
    pub(crate) list: Arc<NodeList>,
    pub(crate) pace: Pace,
}

struct Line {
    from: NodeId,
    wires: Arc<Mutex<Wires>>,
}

#[async_trait]
impl Peers for Line {
    async fn call(
        &self,
        peer: &NodeRecord,
        envelope: Vec<u8>,
        timeout: Duration,
    ) -> Result<Reply, TransportError> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let (member, lying, silent, claimed, garbling) = {
            let mut wires = self.wires.lock().unwrap();
            *wires.calls.entry(self.from).or_default() += 1;
            if wires.down.contains(&peer.id) || wires.down.contains(&self.from) {
                return Err(TransportError::Unreachable);
            }
            let member = wires.members.get(&peer.id).and_then(Weak::upgrade);
            let claimed = wires.claiming.get(&peer.id).copied();
            let (lying, silent) = (wires.lying.contains(&peer.id), wires.silent.contains(&peer.id));
            (member, lying, silent, claimed, wires.garbling.contains(&peer.id))
        };
        let member = member.ok_or(TransportError::Unreachable)?;
        if silent {
            tokio::time::sleep(timeout).await;
            return Err(TransportError::TimedOut);
        }
        Ok(match member.answer(&envelope).await {
            Ok(mut body) => {
                if lying {
                    // The last bytes of an entry are its signature's.
                    let at = body.len() - 5;
                    body[at] ^= 1;
                }
                if garbling {
                    body = garble(body);
                }
                if let Some(stamp) = claimed {
                    body = claim(body, stamp);
                }
                Reply { status: 200, body }
            }
            Err(refusal) => {
                let Body::Text(text) = refusal.body else {
                    return Ok(Reply { status: refusal.status, body: Vec::new() });
                };
                Reply { status: refusal.status, body: text.into_bytes() }
            }
        })
    }
}

/// An answer in which a member says that it has something later.
fn claim(body: Vec<u8>, stamp: Stamp) -> Vec<u8> {
    let Ok(Value::Dict(mut fields)) = bencode::decode(&body) else { return body };
    if fields.contains_key("signature") {
        fields.insert("overruled".to_owned(), stamp.0.into());
    } else if fields.keys().eq(["s"]) {
        fields.insert("s".to_owned(), stamp.0.into());
    }
    bencode::encode(&Value::Dict(fields)).unwrap()
}

/// An answer whose records are nonsense.
fn garble(body: Vec<u8>) -> Vec<u8> {
    let Ok(Given { records, next }) = Given::decode(&body) else { return body };
    Given { records: records.iter().map(|_| vec![0]).collect(), next }.encode().unwrap()
}

impl World {
    /// Nodes with a swarm each, all up.
    pub(crate) fn new(nodes: &[(u8, u64)]) -> Self {
        let mut world = Self {
            begun: Instant::now(),
            wires: Arc::default(),
            nodes: BTreeMap::new(),
            list: list(nodes),
            pace: Pace::default(),
        };
        for (number, _) in nodes {
            world.start(*number, Arc::default(), 0);
        }
        world
    }

    /// One swarm of so many.
    pub(crate) fn swarm(count: u8) -> Self {
        Self::new(&(1..=count).map(|number| (number, 9)).collect::<Vec<_>>())
    }

    /// Starts a node on a store, its clock off by so much.
    pub(crate) fn start(&mut self, number: u8, store: Arc<MemoryStore>, off: i64) {
        let engine = Arc::clone(&store) as Arc<dyn MailStore>;
        self.start_with(number, store, engine, off);
    }

    /// Starts a node anew whose writes of messages, and looks at what there is, take so long.
    pub(crate) fn restart_slow(&mut self, number: u8, takes: Duration, looks: Duration) {
        let store = self.nodes.remove(&number).unwrap().store;
        let engine = Arc::new(Slow { inner: Arc::clone(&store), takes, looks });
        self.start_with(number, store, engine, 0);
    }

    fn start_with(
        &mut self,
        number: u8,
        store: Arc<MemoryStore>,
        engine: Arc<dyn MailStore>,
        off: i64,
    ) {
        let told = Arc::new(Told::default());
        let member = Member::new(Parts {
            key: key(number),
            store: engine,
            peers: Arc::new(Line { from: id(number), wires: Arc::clone(&self.wires) }),
            clock: Arc::new(OffClock { begun: self.begun, off }),
            arrivals: Arc::clone(&told) as Arc<dyn Arrivals>,
            entropy: Box::new(Counting(number)),
            list: Arc::clone(&self.list),
            pace: self.pace,
        });
        self.wires.lock().unwrap().members.insert(id(number), Arc::downgrade(&member));
        self.nodes.insert(number, Running { member, store, told });
    }

    /// Starts a node anew on the store it had, or on an empty one.
    pub(crate) fn restart(&mut self, number: u8, wiped: bool) {
        let store = self.nodes.remove(&number).unwrap().store;
        self.start(number, if wiped { Arc::default() } else { store }, 0);
    }

    pub(crate) fn cut_off(&self, number: u8) {
        self.wires.lock().unwrap().down.insert(id(number));
    }

    pub(crate) fn back(&self, number: u8) {
        self.wires.lock().unwrap().down.remove(&id(number));
    }

    /// How many calls a node made.
    pub(crate) fn calls_of(&self, number: u8) -> usize {
        self.wires.lock().unwrap().calls.get(&id(number)).copied().unwrap_or_default()
    }

    /// Has a node's answers altered.
    pub(crate) fn lie(&self, number: u8) {
        self.wires.lock().unwrap().lying.insert(id(number));
    }

    /// Has a node say of every request that it has something later, with that stamp.
    pub(crate) fn claim_later(&self, number: u8, stamp: Stamp) {
        self.wires.lock().unwrap().claiming.insert(id(number), stamp);
    }

    /// Has a node give nonsense for the records that it is asked for.
    pub(crate) fn garble(&self, number: u8) {
        self.wires.lock().unwrap().garbling.insert(id(number));
    }

    /// Has a node never answer, nor refuse.
    pub(crate) fn silence(&self, number: u8) {
        self.wires.lock().unwrap().silent.insert(id(number));
    }

    /// All nodes go by another list.
    pub(crate) fn adopt(&mut self, nodes: &[(u8, u64)]) {
        self.list = list(nodes);
        for running in self.nodes.values() {
            running.member.adopt(Arc::clone(&self.list));
        }
    }

    pub(crate) fn member(&self, number: u8) -> &Arc<Member> {
        &self.nodes[&number].member
    }

    pub(crate) fn now(&self) -> Millis {
        START + u64::try_from(self.begun.elapsed().as_millis()).unwrap()
    }

    /// What a node answers to another one's call: the status, and what was said.
    pub(crate) async fn call(&self, from: u8, to: u8, call: Call) -> (u16, Vec<u8>) {
        let method = call.method();
        let call = peer::seal(method, call.into_params(), None, &id(to), self.now(), &key(from));
        match self.member(to).answer(&call.unwrap()).await {
            Ok(body) => (200, body),
            Err(refusal) => (refusal.status, Vec::new()),
        }
    }

    /// Lets a node carry a request out.
    pub(crate) async fn by(&self, number: u8, request: &dyn SwarmRequest) -> Outcome {
        self.member(number).carry_out(request).await
    }

    /// The texts of a mailbox as a node serves them, sorted; an error where it does not.
    pub(crate) async fn read(&self, number: u8, person: &Person) -> Result<Vec<String>, u16> {
        let running = &self.nodes[&number];
        running.member.before_reading(&person.id).await.map_err(|refusal| refusal.status)?;
        Ok(self.has(number, person).await)
    }

    /// The texts of a mailbox that a node's store has, sorted.
    pub(crate) async fn has(&self, number: u8, person: &Person) -> Vec<String> {
        let query = Query {
            owner: person.id,
            namespace: Namespace::DIRECT,
            after: None,
            max_count: None,
            max_size: usize::MAX,
            newest_first: false,
        };
        let page = self.nodes[&number].store.retrieve(query, self.now()).await.unwrap();
        let mut texts: Vec<_> =
            page.messages.into_iter().map(|it| String::from_utf8(it.data).unwrap()).collect();
        texts.sort_unstable();
        texts
    }

    /// Everything that a node's store has to compare.
    pub(crate) async fn items(&self, number: u8) -> Vec<warren_wire::record::Item> {
        let all = warren_wire::Positions::ALL;
        self.nodes[&number].store.items(all, self.now()).await.unwrap()
    }

    /// Everybody catches up after the start.
    pub(crate) async fn settle(&self) {
        for running in self.nodes.values() {
            running.member.gather_once().await;
            running.member.move_once().await;
        }
    }

    /// Everybody goes through so many rounds.
    pub(crate) async fn rounds(&self, count: usize) {
        for _ in 0..count {
            for running in self.nodes.values() {
                running.member.gather_once().await;
                running.member.reconcile_due().await;
                running.member.reconcile_once().await;
            }
            tokio::time::sleep(Duration::from_secs(61)).await;
        }
    }
}

/// Somebody with a mailbox.
pub(crate) struct Person {
    key: SigningKey,
    pub(crate) id: AccountId,
}

impl Person {
    pub(crate) fn new(number: u8) -> Self {
        let key = key(number);
        let id = AccountId::person(&key.verifying_key().to_x25519().unwrap());
        Self { key, id }
    }

    /// Somebody whose mail lies before or behind the middle of the ring.
    pub(crate) fn in_upper_half(upper: bool, from: u8) -> Self {
        let half = 1 << 63;
        (from..=255)
            .map(Self::new)
            .find(|person| (warren_wire::swarm::position(&person.id) >= half) == upper)
            .unwrap()
    }

    fn sign(&self, text: &str) -> UnverifiedAuth {
        UnverifiedAuth {
            signature: self.key.sign(text.as_bytes()).unwrap(),
            ed25519: Some(*self.key.verifying_key().as_bytes()),
            subaccount: None,
        }
    }

    pub(crate) fn store(&self, text: &str, now: Millis) -> CheckedStore {
        let request = StoreRequest {
            account: self.id,
            namespace: Namespace::DIRECT,
            timestamp: now,
            expiry: now + 86_400_000,
            data: text.as_bytes().to_vec(),
            auth: None,
            signed_at: now,
            work: None,
        };
        CheckedStore::check(request, now, Origin::Client, &[]).unwrap()
    }

    pub(crate) fn hash(&self, text: &str) -> MessageHash {
        MessageHash::compute(&self.id, Namespace::DIRECT, text.as_bytes()).unwrap()
    }

    fn order(&self, method: &str, text: &str, now: Millis, fields: &Value) -> CheckedOrder {
        let mut params = fields.as_dict().unwrap().clone();
        params.insert("pubkey".to_owned(), self.id.to_string().into());
        self.sign(text).write(&mut params);
        let Request::Order(request) = Request::read(method, &params).unwrap() else {
            panic!("no order")
        };
        CheckedOrder::check(request, now, Origin::Client, &[]).unwrap()
    }

    pub(crate) fn delete(&self, texts: &[&str], now: Millis) -> CheckedOrder {
        let hashes: Vec<_> = texts.iter().map(|text| self.hash(text)).collect();
        let named = hashes.iter().map(|hash| hash.to_string().into()).collect();
        let fields = Value::dict([("messages", Value::List(named))]);
        self.order("delete", &signed::delete(&hashes), now, &fields)
    }

    pub(crate) fn delete_all(&self, now: Millis) -> CheckedOrder {
        let fields = Value::dict([("timestamp", now.into())]);
        self.order("delete_all", &format!("delete_all{now}"), now, &fields)
    }

    pub(crate) fn expire(&self, text: &str, to: Millis, now: Millis) -> CheckedOrder {
        let hash = self.hash(text).to_string();
        let signed = format!("expire{to}{hash}");
        let named = Value::List(vec![hash.into()]);
        let fields = Value::dict([("messages", named), ("expiry", to.into())]);
        self.order("expire", &signed, now, &fields)
    }

    /// Has messages live longer, where they do not already.
    pub(crate) fn extend(&self, texts: &[&str], to: Millis, now: Millis) -> CheckedOrder {
        let hashes: Vec<_> = texts.iter().map(|text| self.hash(text).to_string()).collect();
        let signed = format!("expireextend{to}{}", hashes.concat());
        let named = Value::List(hashes.into_iter().map(Value::from).collect());
        let fields =
            Value::dict([("messages", named), ("expiry", to.into()), ("extend", true.into())]);
        self.order("expire", &signed, now, &fields)
    }
}
