//! Two honest authorities and one that lies: in its votes, its signatures and its proposals.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};
use warren_crypto::Secret;
use warren_crypto::ed25519::SigningKey;
use warren_crypto::hash::sha256;
use warren_node::consensus::{Slot, Terms, derive, proposer};
use warren_node::listing::Published;
use warren_noded::authority::{self, Other, RunningAuthority, Settings};
use warren_noded::follow::{Follower, Membership, follow};
use warren_noded::node::{NodeOptions, bind, now};
use warren_noded::{Identity, Node, RunningNode};
use warren_transport::endpoint::{Endpoint, parse_url};
use warren_transport::{Reply, Seed, SeedError};
use warren_wire::NodeId;
use warren_wire::directory::exchange::{
    ANNOUNCE_PATH, LIST_PATH, PROPOSAL_HEADER, PROPOSAL_PATH, VOTE_PATH,
};
use warren_wire::directory::{
    Announced, DirectoryKeys, Finding, ListError, ListSignature, Proposal, ProposalHead, Roles,
    Standing, UnverifiedDescriptor, UnverifiedList, UnverifiedVote, VerifiedList, Vote,
    VoteRequest,
};

const TERMS: Terms =
    Terms { interval: 2_000, fresh: 7_200_000, valid: 172_800_000, private_addresses: true };
const PATIENCE: Duration = Duration::from_secs(120);

fn liar() -> SigningKey {
    SigningKey::from_seed(Secret::take(&mut [66; 32])).unwrap()
}

/// Answers every question with something that looks right and is not.
async fn lie() -> SocketAddr {
    let vote = post(async |body: String| {
        let asked: Value = serde_json::from_str(&body).unwrap();
        let sequence = asked["sequence"].as_u64().unwrap();
        let mut vote = UnverifiedVote::sign(sequence, now(), Vec::new(), &liar()).unwrap();
        vote.vote = vote.vote.replace("[]", "[ ]");
        json!(vote).to_string()
    });
    let proposal = post(async |body: String| {
        let proposal: Proposal = serde_json::from_str(&body).unwrap();
        let another = proposal.list.replace("sequence", "Sequence");
        json!(ListSignature::sign(&another, &liar()).unwrap()).to_string()
    });
    let router = Router::new().route(VOTE_PATH, vote).route(PROPOSAL_PATH, proposal);
    let handle = axum_server::Handle::new();
    let server = axum_server::bind("127.0.0.1:0".parse().unwrap()).handle(handle.clone());
    tokio::spawn(server.serve(router.into_make_service()));
    handle.listening().await.unwrap()
}

struct Network {
    honest: Vec<RunningAuthority>,
    keys: DirectoryKeys,
    nodes: Vec<(RunningNode, Follower)>,
}

impl Network {
    async fn start(data: &Path, nodes: u8) -> Self {
        let folders = ["one", "two"].map(|name| data.join(name));
        let keys = folders.each_ref().map(|folder| authority::public_key(folder).unwrap());
        let listeners = [(); 2].map(|()| authority::bind("127.0.0.1:0".parse().unwrap()).unwrap());
        let urls = listeners.each_ref().map(|it| format!("http://{}", it.local_addr().unwrap()));
        let liar = Other { url: format!("http://{}", lie().await), key: liar().verifying_key() };
        let mut honest = Vec::new();
        for (own, listener) in listeners.into_iter().enumerate() {
            let other = Other { url: urls[1 - own].clone(), key: keys[1 - own] };
            let settings = Settings {
                others: vec![other, liar.clone()],
                terms: TERMS,
                ..Settings::alone(folders[own].clone(), listener.local_addr().unwrap())
            };
            honest.push(RunningAuthority::start_on(settings, listener).await.unwrap());
        }
        let keys = honest[0].keys().clone();
        let seed = Seed::new(&[&urls[0], &urls[1]], keys.clone()).unwrap();
        let mut running = Vec::new();
        for number in 1..=nodes {
            let folder = data.join(format!("node-{number}"));
            let identity = Identity::load_or_create(&folder).unwrap();
            let listener = bind(SocketAddr::from(([127, 0, number, 1], 0))).unwrap();
            let port = listener.local_addr().unwrap().port();
            let membership = Membership {
                seed: seed.clone(),
                ip: [127, 0, number, 1].into(),
                port,
                roles: Roles::default(),
                file: folder.join("nodes.json"),
            };
            let (none, options) = (Arc::new(Published::none()), NodeOptions::default());
            let node = Node::start_on(identity, folder, listener, none, options).await.unwrap();
            let follower = follow(Arc::clone(node.node()), membership).unwrap();
            running.push((node, follower));
        }
        Self { honest, keys, nodes: running }
    }

    fn endpoint(&self, number: usize) -> Endpoint {
        let url = format!("http://{}", self.honest[number].address());
        Endpoint::new(parse_url(&url).unwrap()).unwrap()
    }

    fn newest(&self, number: usize) -> Option<(VerifiedList, UnverifiedList)> {
        let signed = self.honest[number].published().signed.clone()?;
        Some((signed.verify(&self.keys).unwrap(), signed))
    }

    /// Waits until both honest authorities have a list newer than `sequence` with so many nodes.
    async fn until(&self, sequence: u64, nodes: usize) -> VerifiedList {
        let started = Instant::now();
        loop {
            let newest: Vec<_> = (0..2).filter_map(|number| self.newest(number)).collect();
            let good = newest.iter().filter(|(list, _)| {
                list.header.sequence > sequence && list.nodes.nodes().len() == nodes
            });
            if good.count() == 2 {
                return newest[0].0.clone();
            }
            assert!(started.elapsed() < PATIENCE, "no list of {nodes} after {sequence}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn send(&self, number: usize, path: &str, body: &impl serde::Serialize) -> Reply {
        let body = serde_json::to_string(body).unwrap();
        self.endpoint(number).post(path, body, Duration::from_secs(20)).await.unwrap()
    }

    /// Proposes a list to one of the honest, as the liar.
    async fn propose(&self, number: usize, slot: Slot, proposal: &Proposal) -> Reply {
        let body = serde_json::to_string(proposal).unwrap();
        let (hash, to) = (sha256(body.as_bytes()), self.honest[number].key());
        let head = ProposalHead::sign(slot.sequence(), hash, &to, &liar()).unwrap();
        let header = (PROPOSAL_HEADER, serde_json::to_string(&head).unwrap());
        let patience = Duration::from_secs(20);
        self.endpoint(number).post_under(PROPOSAL_PATH, header, body, patience).await.unwrap()
    }

    async fn stop(self) {
        for (node, follower) in self.nodes {
            drop(follower);
            node.stop().await;
        }
        for authority in self.honest {
            authority.stop().await;
        }
    }
}

/// A node that announces itself to the first of the honest alone.
struct Shy {
    node: RunningNode,
    id: NodeId,
    signed: UnverifiedDescriptor,
}

impl Shy {
    async fn start(network: &Network, data: &Path) -> Self {
        let identity = Identity::load_or_create(&data.join("shy")).unwrap();
        let listener = bind(SocketAddr::from(([127, 0, 99, 1], 0))).unwrap();
        let (ip, port) = ([127, 0, 99, 1].into(), listener.local_addr().unwrap().port());
        let (none, options) = (Arc::new(Published::none()), NodeOptions::default());
        let node = Node::start_on(identity, data.join("shy"), listener, none, options);
        let node = node.await.unwrap();
        let identity = &node.node().identity;
        let signed = identity.descriptor(ip, port, Roles::default(), now()).unwrap();
        let started = Instant::now();
        loop {
            let reply = network.send(0, ANNOUNCE_PATH, &signed).await;
            let announced: Announced = serde_json::from_slice(&reply.body).unwrap();
            if announced.standing == Standing::Reachable {
                return Self { id: identity.id(), signed, node };
            }
            assert!(started.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The votes of the honest for the slot of now, as the liar gets them when it is its turn.
async fn votes(network: &Network, sequence: u64) -> Vec<UnverifiedVote> {
    let mut votes = Vec::new();
    for number in 0..2 {
        let to = network.honest[number].key();
        let request = VoteRequest::sign(sequence, &to, &liar()).unwrap();
        let reply = network.send(number, VOTE_PATH, &request).await;
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        votes.push(serde_json::from_slice(&reply.body).unwrap());
    }
    votes
}

fn proposal(
    keys: &DirectoryKeys,
    previous: (VerifiedList, UnverifiedList),
    votes: Vec<UnverifiedVote>,
) -> Proposal {
    let counted: Vec<Vote> = votes.iter().map(|vote| vote.verify(keys).unwrap()).collect();
    let slot = TERMS.slot(counted[0].sequence * 1_000);
    let body = derive(keys, &TERMS, slot, Some(&previous.0), &counted).unwrap();
    Proposal { list: body.text().unwrap(), votes, previous: Some(previous.1) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liar_gets_no_second_signature_and_stops_nothing() {
    let data = tempfile::tempdir().unwrap();
    let network = Network::start(data.path(), 5).await;
    let first = network.until(0, 5).await;
    let shy = Shy::start(&network, data.path()).await;

    // Its turn: it waits for a slot in which it proposes.
    let started = Instant::now();
    let (slot, previous) = loop {
        let slot = TERMS.slot(now());
        let newest = network.newest(0).unwrap();
        let same = network.newest(1).unwrap().0 == newest.0;
        let is_its_turn = proposer(&network.keys, slot) == Some(&liar().verifying_key());
        if is_its_turn && same && now() < slot.begins + 300 {
            break (slot, newest);
        }
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let honest = votes(&network, slot.sequence()).await;
    let good = proposal(&network.keys, previous.clone(), honest.clone());
    // A node that only the liar has ever seen: the votes do not put it on a list.
    let mut invented = good.clone();
    invented.list = invented.list.replace("127.0.1.1", "127.9.9.9");
    assert_eq!(network.send(0, PROPOSAL_PATH, &invented).await.status, 403, "without a head");
    let reply = network.propose(0, slot, &invented).await;
    assert_eq!(reply.status, 409);
    // A word of a node's own that only the liar has moves the node nowhere.
    let sign = |finding| UnverifiedVote::sign(slot.sequence(), now(), vec![finding], &liar());
    let (node, _) = &network.nodes[0];
    let (ip, id) = ([127, 0, 1, 1].into(), node.node().identity.id());
    let moved = node.node().identity.descriptor(ip, 9, Roles::default(), now()).unwrap();
    let vote = sign(Finding { node: id, reachable: true, descriptor: Some(moved) }).unwrap();
    let moving = proposal(&network.keys, previous.clone(), vec![honest[0].clone(), vote]);
    assert_eq!(moving.list, good.list);
    // The node that one of the honest has seen: two lists, each following from its votes.
    let vote = sign(Finding { node: shy.id, reachable: true, descriptor: Some(shy.signed) });
    let other = proposal(&network.keys, previous, vec![honest[0].clone(), vote.unwrap()]);
    assert_ne!(other.list, good.list);
    let reply = network.propose(0, slot, &good).await;
    let signature: ListSignature = serde_json::from_slice(&reply.body).unwrap();
    signature.verify(&good.list, &network.keys).unwrap();
    assert_eq!(network.propose(0, slot, &other).await.status, 409, "one list of each number");
    assert_eq!(network.propose(0, slot, &good).await.status, 200, "the same again");
    // A list with its signature alone, twice over, is no list.
    let mine = ListSignature::sign(&good.list, &liar()).unwrap();
    let forged = UnverifiedList { list: good.list.clone(), signatures: vec![mine.clone(), mine] };
    assert_eq!(network.send(1, LIST_PATH, &forged).await.status, 403);

    let next = network.until(slot.sequence(), 5).await;
    next.header.check_follows(&first.header).unwrap();
    shy.node.stop().await;
    network.stop().await;
}

/// A directory that answers with whatever it is told to.
async fn serve(list: Arc<Mutex<UnverifiedList>>) -> String {
    let answer = post(move || {
        let list = Arc::clone(&list);
        async move { json!({ "result": { "signed_list": *list.lock().unwrap() } }).to_string() }
    });
    let router = Router::new().route("/json_rpc", answer);
    let handle = axum_server::Handle::new();
    let server = axum_server::bind("127.0.0.1:0".parse().unwrap()).handle(handle.clone());
    tokio::spawn(server.serve(router.into_make_service()));
    format!("http://{}", handle.listening().await.unwrap())
}

#[tokio::test]
async fn a_client_takes_no_forged_old_or_expired_list_and_asks_elsewhere() {
    let key = |seed: u8| SigningKey::from_seed(Secret::take(&mut [seed; 32])).unwrap();
    let keys = (1..=3).map(|seed| key(seed).verifying_key()).collect();
    let keys = DirectoryKeys::new(keys, 2).unwrap();
    let list = |sequence: u64, begins: u64, signers: &[u8]| {
        let times = warren_wire::directory::ListTimes::starting(begins, 1_000, 60_000);
        let body = warren_wire::directory::ListBody::new(sequence, times, None, &[]);
        let list = body.text().unwrap();
        let sign = |seed: &u8| ListSignature::sign(&list, &key(*seed)).unwrap();
        UnverifiedList { signatures: signers.iter().map(sign).collect(), list }
    };
    let at = now();
    let served = Arc::new(Mutex::new(list(7, at, &[1, 2])));
    let url = serve(Arc::clone(&served)).await;
    let seed = Seed::new(&[&url], keys.clone()).unwrap();
    let (seen, _) = seed.fetch(None, at).await.unwrap();
    let too_few = ListError::TooFewSignatures { found: 1, needed: 2 };
    for (bad, expected) in [
        (list(8, at, &[1]), too_few),
        (list(8, at, &[1, 1, 9]), too_few),
        (list(8, at, &[8, 9]), ListError::WrongKey),
        (list(6, at, &[1, 2]), ListError::RolledBack),
        (list(8, at - 1, &[1, 2]), ListError::RolledBack),
        (list(7, at + 1, &[2, 3]), ListError::Conflict),
        (list(8, at - 60_000, &[1, 2]), ListError::Expired),
        (list(8, at + 7_200_000, &[1, 2]), ListError::NotYetValid),
    ] {
        *served.lock().unwrap() = bad;
        match seed.fetch(Some(&seen.header), at).await {
            Err(SeedError::List(error)) => assert_eq!(error, expected),
            other => panic!("{expected:?}: {:?}", other.map(|_| ())),
        }
        // One of two places with a good list is enough, whichever is asked first.
        let good = serve(Arc::new(Mutex::new(list(8, at, &[3, 2])))).await;
        let both = Seed::new(&[&url, "http://127.0.0.1:9", &good], keys.clone()).unwrap();
        for _ in 0..3 {
            let (found, _) = both.fetch(Some(&seen.header), at).await.unwrap();
            assert_eq!(found.header.sequence, 8);
        }
    }
}
