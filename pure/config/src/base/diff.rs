//! What one message changed: made from two trees, written, read and replayed on a third.
//!
//! A diff says *which* keys were assigned or removed; what was assigned stands in the data of the
//! message that carries the diff. Of sets it names the members.
//!
//! | in the diff | means |
//! |---|---|
//! | `0:` | the plain value was assigned |
//! | `1:-` | the plain value was removed |
//! | `l` added `l..e` removed `l..e` `e` | members of a set |
//! | a dictionary | changes within the dictionary of that name |

use std::collections::BTreeMap;

use super::bt::{Bt, BtError, read_sorted, write_bytes, write_list};
use super::tree::{Dict, Scalar, Set, Value};

/// Changes by key.
pub(crate) type Diff = BTreeMap<Vec<u8>, Change>;

/// What became of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// A plain value was assigned.
    Assigned,
    /// A plain value was removed.
    Removed,
    /// Members of a set were added and removed.
    Members { added: Vec<Scalar>, removed: Vec<Scalar> },
    /// Something changed within a dictionary.
    Within(Diff),
}

/// What leads from one tree to another, both pruned; empty where they are equal.
pub(crate) fn between(old: &Dict, new: &Dict) -> Diff {
    let mut diff = Diff::new();
    for (key, value) in old {
        if !new.contains_key(key)
            && let Some(change) = removal(value)
        {
            diff.insert(key.clone(), change);
        }
    }
    for (key, value) in new {
        if let Some(change) = change(old.get(key), value) {
            diff.insert(key.clone(), change);
        }
    }
    diff
}

fn removal(old: &Value) -> Option<Change> {
    match old {
        Value::Scalar(_) => Some(Change::Removed),
        Value::Set(set) => members(set, &Set::new()),
        Value::Dict(dict) => within(dict, &Dict::new()),
    }
}

/// A change of type counts as a new value: it removes the old one wherever it is replayed.
fn change(old: Option<&Value>, new: &Value) -> Option<Change> {
    match (old, new) {
        (Some(Value::Scalar(old)), Value::Scalar(new)) => (old != new).then_some(Change::Assigned),
        (_, Value::Scalar(_)) => Some(Change::Assigned),
        (Some(Value::Set(old)), Value::Set(new)) => members(old, new),
        (_, Value::Set(new)) => members(&Set::new(), new),
        (Some(Value::Dict(old)), Value::Dict(new)) => within(old, new),
        (_, Value::Dict(new)) => within(&Dict::new(), new),
    }
}

fn members(old: &Set, new: &Set) -> Option<Change> {
    let added: Vec<Scalar> = new.difference(old).cloned().collect();
    let removed: Vec<Scalar> = old.difference(new).cloned().collect();
    (!added.is_empty() || !removed.is_empty()).then_some(Change::Members { added, removed })
}

fn within(old: &Dict, new: &Dict) -> Option<Change> {
    Some(between(old, new)).filter(|diff| !diff.is_empty()).map(Change::Within)
}

/// Replays a diff on `data`, taking the assigned values from `source`.
///
/// Where `source` has nothing of the kind that the diff speaks of, a later change removed it or
/// replaced it by another kind: the old value goes, so that no two dictionaries run together. Empty
/// containers stay behind, to be pruned once all is replayed.
pub(crate) fn apply(data: &mut Dict, diff: &Diff, source: &Dict) {
    for (key, change) in diff {
        match (change, source.get(key)) {
            (Change::Assigned, Some(value @ Value::Scalar(_))) => {
                data.insert(key.clone(), value.clone());
            }
            (Change::Members { added, removed }, Some(Value::Set(_))) => {
                let mut set = match data.remove(key) {
                    Some(Value::Set(set)) => set,
                    _ => Set::new(),
                };
                set.extend(added.iter().cloned());
                removed.iter().for_each(|member| {
                    set.remove(member);
                });
                data.insert(key.clone(), Value::Set(set));
            }
            (Change::Within(inner), Some(Value::Dict(source))) => {
                let mut dict = match data.remove(key) {
                    Some(Value::Dict(dict)) => dict,
                    _ => Dict::new(),
                };
                apply(&mut dict, inner, source);
                data.insert(key.clone(), Value::Dict(dict));
            }
            _ => {
                data.remove(key);
            }
        }
    }
}

/// Writes a diff.
pub(crate) fn write(out: &mut Vec<u8>, diff: &Diff) {
    out.push(b'd');
    for (key, change) in diff {
        write_bytes(out, key);
        match change {
            Change::Assigned => write_bytes(out, b""),
            Change::Removed => write_bytes(out, b"-"),
            Change::Members { added, removed } => {
                out.push(b'l');
                write_list(out, added);
                write_list(out, removed);
                out.push(b'e');
            }
            Change::Within(inner) => write(out, inner),
        }
    }
    out.push(b'e');
}

/// Reads a diff.
pub(crate) fn read(value: &Bt<'_>) -> Result<Diff, BtError> {
    value.dict()?.iter().map(|(key, value)| Ok((key.to_vec(), read_change(value)?))).collect()
}

fn read_change(value: &Bt<'_>) -> Result<Change, BtError> {
    match value {
        Bt::Bytes(b"") => Ok(Change::Assigned),
        Bt::Bytes(b"-") => Ok(Change::Removed),
        Bt::Dict(_) => read(value).map(Change::Within),
        Bt::List(items) => {
            let [added, removed] = items.as_slice() else { return Err(BtError) };
            Ok(Change::Members {
                added: read_sorted(added.list()?)?,
                removed: read_sorted(removed.list()?)?,
            })
        }
        Bt::Bytes(_) | Bt::Integer(_) => Err(BtError),
    }
}
