//! A list as it was written for those who asked: once for each set of fields, and not for each question.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::json;
use warren_wire::directory::{NodeList, UnverifiedList};

use super::{Wanted, hash_of, state};

/// The fields of a node, in the order of the bits that stand for them.
const FIELDS: [&str; 11] = [
    "active",
    "funded",
    "public_ip",
    "storage_port",
    "storage_lmq_port",
    "storage_server_version",
    "service_node_pubkey",
    "pubkey_ed25519",
    "pubkey_x25519",
    "swarm_id",
    "swarm",
];
/// How many nodes are kept as text, over all sets of fields; those of one set however many.
const MOST_NODES: usize = 40_000;
/// For how many sets of fields.
const MOST_SETS: usize = 16;

/// What was written of one list.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    states: Mutex<BTreeMap<u16, Arc<Vec<String>>>>,
    signed: OnceLock<String>,
    hash: OnceLock<Option<String>>,
}

impl Rendered {
    /// Every node of the list with these fields, in JSON.
    pub(super) fn states(&self, list: &NodeList, wanted: &Wanted) -> Arc<Vec<String>> {
        let fields = FIELDS.iter().enumerate().filter(|(_, name)| wanted.contain(name));
        let key = fields.fold(0_u16, |key, (bit, _)| key | (1 << bit));
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = states.get(&key) {
            return Arc::clone(known);
        }
        let nodes = list.nodes();
        let written = nodes.iter().map(|node| state(node, wanted).to_json().to_string());
        let written = Arc::new(written.collect::<Vec<_>>());
        let most = MOST_NODES.checked_div(nodes.len()).unwrap_or(1).clamp(1, MOST_SETS);
        if states.len() >= most {
            states.clear();
        }
        states.insert(key, Arc::clone(&written));
        written
    }

    /// The signed list in JSON.
    pub(super) fn signed(&self, signed: &UnverifiedList) -> &str {
        self.signed.get_or_init(|| json!(signed).to_string())
    }

    /// The list's hash in hex.
    pub(super) fn hash(&self, list: &NodeList) -> Option<String> {
        self.hash.get_or_init(|| hash_of(list)).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_ask_for_is_kept_for_a_few_sets_of_fields() {
        let (rendered, list) = (Rendered::default(), NodeList::default());
        for set in 0..2_000_u16 {
            let names = FIELDS.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1);
            let wanted = Wanted::Only(names.map(|(_, name)| (*name).to_owned()).collect());
            rendered.states(&list, &wanted);
        }
        assert!(rendered.states.lock().unwrap().len() <= MOST_SETS);
        let strange = |name: &str| Wanted::Only([name.to_owned()].into());
        let one = rendered.states(&list, &strange("one"));
        assert!(Arc::ptr_eq(&one, &rendered.states(&list, &strange("another"))));
    }
}
