//! Devices that edit offline end with the same state, whatever the order in which they meet.

use std::collections::BTreeMap;

use proptest::prelude::*;
use warren_config::base::tree::{Dict, Scalar, Set, Value};
use warren_config::base::{Kind, State};
use warren_config::{Config, Signing};
use warren_wire::Namespace;

use super::*;

const KIND: Kind = Kind { namespace: Namespace::new(3), domain: "Contacts", wrapped: true };

/// A step of a history.
#[derive(Debug, Clone)]
enum Step {
    Assign { device: usize, key: usize, value: Value },
    Erase { device: usize, key: usize },
    Push { device: usize },
    Fetch { device: usize, order: Vec<prop::sample::Index> },
    Restart { device: usize },
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (-3_i64..3).prop_map(Value::from),
        "[ab]{0,2}".prop_map(|text| Value::from(text.as_str())),
        prop::collection::btree_set(
            prop_oneof![
                (-3_i64..3).prop_map(Scalar::from),
                "[ab]{1}".prop_map(|text| Scalar::from(text.as_str())),
            ],
            0..4
        )
        .prop_map(|set: Set| Value::Set(set)),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop::collection::btree_map("[xy]", inner, 0..3).prop_map(|dict| {
            Value::Dict(dict.into_iter().map(|(k, v)| (k.into_bytes(), v)).collect::<Dict>())
        })
    })
}

fn step(devices: usize) -> impl Strategy<Value = Step> {
    let device = 0..devices;
    prop_oneof![
        4 => (device.clone(), 0_usize..4, value())
            .prop_map(|(device, key, value)| Step::Assign { device, key, value }),
        1 => (device.clone(), 0_usize..4).prop_map(|(device, key)| Step::Erase { device, key }),
        2 => device.clone().prop_map(|device| Step::Push { device }),
        2 => (device.clone(), prop::collection::vec(any::<prop::sample::Index>(), 0..6))
            .prop_map(|(device, order)| Step::Fetch { device, order }),
        1 => device.prop_map(|device| Step::Restart { device }),
    ]
}

/// A swarm: what is stored, by hash of the bytes.
type Swarm = BTreeMap<String, Vec<u8>>;

fn push(config: &mut Config, swarm: &mut Swarm) {
    let push = config.push(NOW).unwrap();
    let hashes: Vec<String> = push
        .messages
        .into_iter()
        .map(|message| {
            let hash = warren_crypto::hash::blake2b::<32>(&[&message]).unwrap();
            swarm.insert(hex::encode(hash), message);
            hex::encode(hash)
        })
        .collect();
    for old in push.obsolete {
        assert!(!hashes.contains(&old), "what was just stored is not obsolete");
        swarm.remove(&old);
    }
    config.confirm_pushed(push.seqno, hashes);
}

fn fetch(config: &mut Config, swarm: &Swarm, order: &[prop::sample::Index]) {
    let mut messages: Vec<(String, Vec<u8>)> =
        swarm.iter().map(|(hash, message)| (hash.clone(), message.clone())).collect();
    for (at, index) in order.iter().enumerate() {
        if at < messages.len() {
            let other = index.index(messages.len());
            messages.swap(at, other);
        }
    }
    let good = config.merge(&messages, NOW).unwrap();
    assert_eq!(good.len(), messages.len());
}

/// Lets all devices meet until nobody has anything to say; the number of rounds.
fn settle(devices: &mut [Config], swarm: &mut Swarm) -> usize {
    for round in 0..20 {
        for device in devices.iter_mut() {
            fetch(device, swarm, &[]);
        }
        if devices.iter().all(|device| device.state() == State::Clean) {
            return round;
        }
        for device in devices.iter_mut().filter(|device| device.needs_push()) {
            push(device, swarm);
        }
    }
    panic!("the devices still disagree after 20 rounds");
}

fn new() -> Config {
    let mut config = Config::new(KIND, Signing::None).unwrap();
    config.add_key(seed(), true);
    config
}

fn run(count: usize, steps: Vec<Step>) {
    let mut devices: Vec<Config> = (0..count).map(|_| new()).collect();
    let mut swarm = Swarm::new();
    let keys: [&[&[u8]]; 4] = [&[b"a"], &[b"b"], &[b"c", b"x"], &[b"c", b"x", b"y"]];
    for step in steps {
        match step {
            Step::Assign { device, key, value } => devices[device].set(keys[key], value).unwrap(),
            Step::Erase { device, key } => devices[device].erase(keys[key]).unwrap(),
            Step::Push { device } if devices[device].needs_push() => {
                push(&mut devices[device], &mut swarm);
            }
            Step::Push { .. } => {}
            Step::Fetch { device, order } => fetch(&mut devices[device], &swarm, &order),
            Step::Restart { device } => {
                let dump = devices[device].dump(NOW).unwrap();
                devices[device] = Config::load(KIND, Signing::None, &dump, NOW).unwrap();
                devices[device].add_key(seed(), true);
            }
        }
    }
    settle(&mut devices, &mut swarm);
    let [first, others @ ..] = devices.as_slice() else { panic!("no devices") };
    for other in others {
        assert!(other.data() == first.data() && other.seqno() == first.seqno());
        assert_eq!(other.current_hashes(), first.current_hashes());
    }
    // A device that was lost and restored has all of it.
    let mut restored = new();
    fetch(&mut restored, &swarm, &[]);
    assert!(restored.data() == first.data());
}

proptest! {
    #[test]
    fn two_devices_that_edit_offline_converge(steps in prop::collection::vec(step(2), 0..40)) {
        run(2, steps);
    }

    #[test]
    fn three_devices_that_edit_offline_converge(steps in prop::collection::vec(step(3), 0..50)) {
        run(3, steps);
    }

    #[test]
    fn what_is_dumped_is_loaded_the_same(
        assigned in prop::collection::vec((0_usize..2, value()), 0..6)
    ) {
        let mut config = new();
        for (key, value) in assigned {
            config.set(&[[b"a", b"b"][key]], value).unwrap();
        }
        let first = config.push(NOW).unwrap();
        let dump = config.dump(NOW).unwrap();
        let mut back = Config::load(KIND, Signing::None, &dump, NOW).unwrap();
        back.add_key(seed(), true);
        prop_assert_eq!(back.push(NOW).unwrap().messages, first.messages);
        prop_assert_eq!(back.dump(NOW).unwrap(), config.dump(NOW).unwrap());
    }
}
