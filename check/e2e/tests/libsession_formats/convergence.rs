//! Devices of both kinds edit one configuration offline, and end with the same state.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;
use warren_config::base::Kind;
use warren_config::base::tree::{Dict, Scalar, Set, Value};
use warren_config::{Config, Signing, State};
use warren_crypto::ed25519::SigningKey;
use warren_crypto::hash;
use warren_e2e::Libsession;
use warren_wire::Namespace;

use super::{NOW, drawn, from_json, libsession, random, secret, to_json};

const HISTORIES: usize = 16;
const KIND: Kind = Kind { namespace: Namespace::new(3), domain: "Contacts", wrapped: false };
const PATHS: [&[&[u8]]; 4] = [&[b"a"], &[b"b"], &[b"c", b"x"], &[b"c", b"x", b"y"]];

#[derive(Debug, Clone)]
enum Step {
    Assign { device: usize, path: usize, value: Value },
    Erase { device: usize, path: usize },
    Push { device: usize },
    Fetch { device: usize },
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        (-3_i64..3).prop_map(Scalar::from),
        "[ab]{1,2}".prop_map(|text| Scalar::from(text.as_str())),
    ];
    let leaf = prop_oneof![
        scalar.clone().prop_map(Value::Scalar),
        Just(Value::from(i64::MIN)),
        prop::collection::vec(any::<u8>(), 0..400).prop_map(|b| Value::from(b.as_slice())),
        prop::collection::btree_set(scalar, 0..4).prop_map(|set: Set| Value::Set(set)),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop::collection::btree_map("[xy]", inner, 0..3).prop_map(|dict| {
            Value::Dict(dict.into_iter().map(|(key, v)| (key.into_bytes(), v)).collect::<Dict>())
        })
    })
}

fn step(devices: usize) -> impl Strategy<Value = Step> {
    let device = 0..devices;
    prop_oneof![
        4 => (device.clone(), 0..PATHS.len(), value())
            .prop_map(|(device, path, value)| Step::Assign { device, path, value }),
        1 => (device.clone(), 0..PATHS.len()).prop_map(|(device, path)| Step::Erase { device, path }),
        2 => device.clone().prop_map(|device| Step::Push { device }),
        2 => device.prop_map(|device| Step::Fetch { device }),
    ]
}

/// What is stored, by a hash.
type Swarm = BTreeMap<String, Vec<u8>>;

/// What a device of libsession has to say.
#[derive(Clone, Copy, PartialEq)]
enum Theirs {
    Nothing,
    Changes,
    /// It joined the messages of others.
    Joined,
}

enum Device {
    Ours(Box<Config>),
    Theirs { name: String, data: Dict, state: Theirs },
}

impl Device {
    async fn edit(&mut self, libsession: &mut Libsession, path: &[&[u8]], value: Option<Value>) {
        match (self, value) {
            (Self::Ours(config), Some(value)) => config.set(path, value).unwrap(),
            (Self::Ours(config), None) => config.erase(path).unwrap(),
            (Self::Theirs { name, data, state }, value) => {
                let before = data.clone();
                put(data, path, value);
                prune(data);
                if *data != before {
                    *state = Theirs::Changes;
                    let set =
                        json!({ "command": "config_set", "name": name, "tree": to_json(data) });
                    libsession.ask(set).await;
                }
            }
        }
    }

    async fn push(&mut self, libsession: &mut Libsession, swarm: &mut Swarm) {
        match self {
            Self::Ours(config) => {
                let push = config.push(NOW).unwrap();
                let hashes: Vec<String> =
                    push.messages.into_iter().map(|message| store(swarm, message)).collect();
                swarm.retain(|hash, _| !push.obsolete.contains(hash));
                config.confirm_pushed(push.seqno, hashes);
            }
            Self::Theirs { name, state, .. } => {
                let push = libsession.ask(json!({ "command": "config_push", "name": name })).await;
                store(swarm, super::bytes(&push["sealed"]));
                *state = Theirs::Nothing;
            }
        }
    }

    async fn fetch(&mut self, libsession: &mut Libsession, swarm: &Swarm) {
        match self {
            Self::Ours(config) => {
                let messages: Vec<_> =
                    swarm.iter().map(|(hash, message)| (hash.clone(), message.clone())).collect();
                assert_eq!(config.merge(&messages, NOW).unwrap().len(), messages.len());
            }
            Self::Theirs { .. } if swarm.is_empty() => {}
            Self::Theirs { name, data, state } => {
                let sealed: Vec<_> = swarm.values().map(hex::encode).collect();
                let merge = json!({ "command": "config_merge", "name": name, "sealed": sealed });
                let merged = libsession.ask(merge).await;
                *data = from_json(&merged["tree"]);
                if merged["replaced"] == true {
                    let joined = merged["joined"] == true;
                    *state = if joined { Theirs::Joined } else { Theirs::Nothing };
                }
            }
        }
    }

    fn needs_push(&self) -> bool {
        match self {
            Self::Ours(config) => config.state() == State::Dirty,
            Self::Theirs { state, .. } => *state != Theirs::Nothing,
        }
    }

    /// Whether it must push before it changes again: the crate cannot change what it joined.
    fn joined(&self) -> bool {
        matches!(self, Self::Theirs { state: Theirs::Joined, .. })
    }

    fn data(&self) -> &Dict {
        match self {
            Self::Ours(config) => config.data(),
            Self::Theirs { data, .. } => data,
        }
    }
}

fn store(swarm: &mut Swarm, message: Vec<u8>) -> String {
    let hash = hex::encode(hash::blake2b::<32>(&[&message]).unwrap());
    swarm.insert(hash.clone(), message);
    hash
}

/// Puts a value at the end of a path, or takes it away.
fn put(dict: &mut Dict, path: &[&[u8]], value: Option<Value>) {
    let [key, rest @ ..] = path else { return };
    match value {
        Some(value) if rest.is_empty() => {
            dict.insert(key.to_vec(), value);
        }
        None if rest.is_empty() => {
            dict.remove(*key);
        }
        None if dict.get(*key).and_then(Value::as_dict).is_none() => {}
        value => {
            let place = dict.entry(key.to_vec()).or_insert_with(|| Value::Dict(Dict::new()));
            if place.as_dict().is_none() {
                *place = Value::Dict(Dict::new());
            }
            let Value::Dict(inner) = place else { return };
            put(inner, rest, value);
        }
    }
}

/// Takes empty dictionaries and sets away.
fn prune(dict: &mut Dict) {
    dict.retain(|_, value| {
        if let Value::Dict(inner) = value {
            prune(inner);
        }
        !value.is_empty_container()
    });
}

/// Plays a history on new devices; what went wrong.
async fn run(
    libsession: &mut Libsession,
    steps: &[Step],
    admin: Option<[u8; 32]>,
) -> Result<(), String> {
    let mut devices = devices(libsession, admin).await;
    let mut swarm = Swarm::new();
    for step in steps {
        if let Step::Assign { device, .. } | Step::Erase { device, .. } = step
            && devices[*device].joined()
        {
            devices[*device].push(libsession, &mut swarm).await;
        }
        match step {
            Step::Assign { device, path, value } => {
                devices[*device].edit(libsession, PATHS[*path], Some(value.clone())).await;
            }
            Step::Erase { device, path } => {
                devices[*device].edit(libsession, PATHS[*path], None).await;
            }
            Step::Push { device } if devices[*device].needs_push() => {
                devices[*device].push(libsession, &mut swarm).await;
            }
            Step::Push { .. } => {}
            Step::Fetch { device } => devices[*device].fetch(libsession, &swarm).await,
        }
    }
    settle(libsession, &mut devices, &mut swarm).await?;
    let states: Vec<_> = devices.iter().map(|device| to_json(device.data())).collect();
    match states.iter().all(|state| *state == states[0]) {
        true => Ok(()),
        false => Err(format!("the states differ: {states:?}")),
    }
}

/// Two devices of each program, by turns.
async fn devices(libsession: &mut Libsession, admin: Option<[u8; 32]>) -> Vec<Device> {
    let key: [u8; 32] = random();
    let mut devices = Vec::new();
    for _ in 0..2 {
        let signing = admin.map_or(Signing::None, |seed| {
            Signing::Sign(SigningKey::from_seed(secret(seed)).unwrap())
        });
        let mut config = Config::new(KIND, signing).unwrap();
        config.add_key(secret(key), true);
        devices.push(Device::Ours(Box::new(config)));

        let name = hex::encode(random::<8>());
        let new = json!({
            "command": "config_new", "name": name, "domain": KIND.domain, "key": hex::encode(key),
            "group_seed": admin.map(hex::encode),
        });
        libsession.ask(new).await;
        devices.push(Device::Theirs { name, data: Dict::new(), state: Theirs::Nothing });
    }
    devices
}

/// Lets all devices meet until nobody has anything to say.
async fn settle(
    libsession: &mut Libsession,
    devices: &mut [Device],
    swarm: &mut Swarm,
) -> Result<(), String> {
    for _ in 0..20 {
        for device in &mut *devices {
            device.fetch(libsession, swarm).await;
        }
        if devices.iter().all(|device| !device.needs_push()) {
            return Ok(());
        }
        for device in &mut *devices {
            if device.needs_push() {
                device.push(libsession, swarm).await;
            }
        }
    }
    Err("the devices still disagree after 20 rounds".to_owned())
}

/// Plays many histories; one that goes wrong is shown without the steps that do not matter.
async fn play(signed: bool) {
    let mut libsession = libsession();
    let mut runner = TestRunner::default();
    for _ in 0..HISTORIES {
        let admin = signed.then(random);
        let mut steps = drawn(&mut runner, &prop::collection::vec(step(4), 0..40));
        let Err(mut wrong) = run(&mut libsession, &steps, admin).await else { continue };
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.remove(at);
            match run(&mut libsession, &fewer, admin).await {
                Err(still) => (steps, wrong) = (fewer, still),
                Ok(()) => at += 1,
            }
        }
        panic!("{wrong}: {steps:#?}");
    }
}

#[tokio::test]
async fn two_of_ours_and_two_of_theirs_that_edit_offline_converge() {
    play(false).await;
}

#[tokio::test]
async fn admins_that_edit_offline_in_both_programs_converge() {
    play(true).await;
}
