//! What is done to the members of a run, and when: all of it follows from the seed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::chance::Chance;
use crate::seat::Lie;
use crate::world::World;

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A process is killed, and started again after a while.
    Kill,
    /// A process is killed and its disk is empty when it starts again.
    Wipe,
    /// Two parts do not reach each other.
    Partition,
    /// One part hears the other and is not heard.
    OneWay,
    /// Packets are lost, doubled, late and out of order.
    Disturbance,
    /// A clock jumps, up to ten minutes either way, and stays off.
    ClockJump,
    /// A disk takes up to four seconds for a write.
    SlowDisk,
    /// A disk is full.
    FullDisk,
    /// A member lies, from here to the end.
    Lie(Lie),
    /// A member joins that was on no list.
    Join,
}

/// One fault of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) member: usize,
    begin: Duration,
    length: Duration,
}

/// All faults of a run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) faults: Vec<Fault>,
    /// The member that joins later, where one does.
    pub(crate) joining: Option<usize>,
}

/// The longest that a clock is off, in milliseconds.
const CLOCK_OFF: usize = 10 * 60 * 1_000;

impl Plan {
    /// Draws up to six faults over so long a time. No more than three of seven members lose or hide
    /// what they acknowledged: beyond that a quorum promises nothing.
    pub(crate) fn draw(chance: &Chance, members: usize, length: Duration) -> Self {
        let mut plan = Self { faults: Vec::new(), joining: None };
        let mut losing = 0;
        let mut lying = false;
        for _ in 0..1 + chance.below(6) {
            let kind = draw_kind(chance);
            let loses = match kind {
                Kind::Lie(Lie::KeepsNothing) | Kind::Wipe => 1,
                _ => 0,
            };
            let lies = matches!(kind, Kind::Lie(_));
            let joins = kind == Kind::Join;
            if losing + loses > 3 || (lies && lying) || (joins && plan.joining.is_some()) {
                continue;
            }
            losing += loses;
            lying |= lies;
            // The one who joins is the last, and lies or forgets nothing beforehand.
            let member = if joins { members - 1 } else { chance.below(members - 1) };
            plan.joining = plan.joining.or(joins.then_some(member));
            let begin = chance.time(length.mul_f64(0.8));
            let lasts = Duration::from_secs(1) + chance.time(length.mul_f64(0.4));
            plan.faults.push(Fault { kind, member, begin, length: lasts });
        }
        plan
    }
}

fn draw_kind(chance: &Chance) -> Kind {
    match chance.below(16) {
        0..=3 => Kind::Kill,
        4 => Kind::Wipe,
        5 | 6 => Kind::Partition,
        7 => Kind::OneWay,
        8 | 9 => Kind::Disturbance,
        10 => Kind::ClockJump,
        11 => Kind::SlowDisk,
        12 => Kind::FullDisk,
        13 => Kind::Join,
        14 => Kind::Lie(Lie::BadSignatures),
        _ if chance.happens(50) => Kind::Lie(Lie::KeepsNothing),
        _ => Kind::Lie(Lie::ForgedOrders),
    }
}

/// Does what the fault says, from its begin to its end.
pub(crate) async fn happen(world: Arc<World>, fault: Fault, began: Instant) {
    sleep_until(began + fault.begin).await;
    let Some(seat) = world.seats.get(fault.member) else { return };
    match fault.kind {
        Kind::Kill | Kind::Wipe => {
            if fault.kind == Kind::Wipe {
                seat.wipe()
            } else {
                seat.kill()
            }
            sleep(fault.length).await;
            world.start(fault.member);
        }
        Kind::Partition | Kind::OneWay => {
            let (some, others) = parts(&world);
            world.wires.cut(&some, &others);
            if fault.kind == Kind::Partition {
                world.wires.cut(&others, &some);
            }
            sleep(fault.length).await;
            world.wires.heal();
        }
        Kind::Disturbance => {
            let late = Duration::from_millis(10 + world.chance.below(1_500) as u64);
            world.wires.disturb(world.chance.below(30), world.chance.below(50), late);
            sleep(fault.length).await;
            world.wires.heal();
        }
        Kind::ClockJump => {
            let off = i64::try_from(world.chance.below(2 * CLOCK_OFF)).unwrap_or_default();
            seat.clock.set_ahead(off - CLOCK_OFF as i64);
        }
        Kind::SlowDisk => {
            seat.ailment.slow.store(4_000, Ordering::Relaxed);
            sleep(fault.length).await;
            seat.ailment.slow.store(0, Ordering::Relaxed);
        }
        Kind::FullDisk => {
            seat.ailment.full.store(true, Ordering::Relaxed);
            sleep(fault.length).await;
            seat.ailment.full.store(false, Ordering::Relaxed);
        }
        Kind::Lie(lie) => seat.set_lie(Some(lie)),
        Kind::Join => join(&world, fault.member).await,
    }
}

/// A list with one more member becomes known, to one after the other.
async fn join(world: &Arc<World>, member: usize) {
    let all: Vec<usize> = (0..world.seats.len()).collect();
    let list = world.relist(&all);
    world.start(member);
    for seat in &world.seats {
        sleep(world.chance.time(Duration::from_secs(4))).await;
        if let Some(member) = seat.member() {
            member.adopt(Arc::clone(&list));
        }
    }
}

/// Two parts of the members, the first at most half of them.
fn parts(world: &World) -> (Vec<usize>, Vec<usize>) {
    let count = world.seats.len();
    let first = world.chance.below(count);
    let size = 1 + world.chance.below(count / 2);
    (0..count).partition(|number| (number + count - first) % count < size)
}
