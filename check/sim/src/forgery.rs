//! What a lying member brings to others: orders that no owner signed, and what was deleted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::sleep;
use warren_wire::record::UncheckedRecord;
use warren_wire::rpc::member::Call;
use warren_wire::rpc::peer;
use warren_wire::value::Dict;
use warren_wire::{Stamp, Value};

use crate::journal::Journal;
use crate::people::{Person, Wish};
use crate::seat::{Lie, Seat};
use crate::world::{SWARM, World};

/// How often a liar tries.
const PAUSE: Duration = Duration::from_secs(2);
/// How much older than it is a deleted message is made to look: a late copy, not a new store.
const AGE: u64 = 25 * 60 * 1_000;

/// Forges for as long as the run lasts.
pub(crate) async fn forge(
    world: Arc<World>,
    people: Arc<Vec<Person>>,
    journal: Arc<Mutex<Journal>>,
) {
    loop {
        sleep(PAUSE).await;
        let liar = world.seats.iter().find(|seat| seat.lie() == Some(Lie::ForgedOrders));
        let Some(liar) = liar else { continue };
        let records = records(&world, &people, &journal);
        for seat in world.seats.iter().filter(|seat| seat.number != liar.number) {
            bring(&world, liar, seat, &records).await;
        }
    }
}

/// One forged deletion, one late copy of what was deleted, one message that only its owner may store.
fn records(world: &World, people: &[Person], journal: &Mutex<Journal>) -> Vec<Vec<u8>> {
    let journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
    let now = world.clock.read();
    let mut forged = Vec::new();
    let standing = journal.standing();
    if !standing.is_empty() {
        let (person, hash, _) = &standing[world.chance.below(standing.len())];
        let stranger = Person::new(&world.chance);
        let (method, mut params) = stranger.request(&Wish::Delete(*hash), now);
        params.insert("pubkey".to_owned(), people[*person].id().to_string().into());
        forged.push((method, params, Stamp::at(now)));
    }
    let deleted = journal.deleted();
    if !deleted.is_empty() {
        let (person, data) = deleted[world.chance.below(deleted.len())].clone();
        let (method, params) =
            people[person].request(&Wish::Store(data, 14 * 86_400_000), now - AGE);
        forged.push((method, params, Stamp::at(now - AGE)));
    }
    let store = Wish::Store(world.chance.bytes(20), 86_400_000);
    let (method, mut params) = people[0].request(&store, now);
    params.insert("namespace".to_owned(), Value::Integer(5));
    forged.push((method, params, Stamp::at(now)));
    forged.into_iter().map(|(method, params, stamp)| encoded(method, params, stamp)).collect()
}

fn encoded(method: &str, params: Dict, stamp: Stamp) -> Vec<u8> {
    let record = UncheckedRecord { method: method.to_owned(), params, stamp };
    record.encode().expect("texts, bytes and numbers have a form in bencode")
}

async fn bring(world: &Arc<World>, liar: &Seat, to: &Seat, records: &[Vec<u8>]) {
    let call = Call::Records(records.to_vec());
    let (method, now) = (call.method(), world.clock.read());
    let sealed = peer::seal(method, call.into_params(), None, &to.id(), now, &liar.key());
    let record = to.record(SWARM);
    let way = world.way(liar.number);
    // Whether it is believed is seen in the end.
    let _ = way.call(&record, sealed.expect("it has a form"), Duration::from_secs(5)).await;
}
