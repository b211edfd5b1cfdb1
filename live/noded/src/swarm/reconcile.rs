//! Comparing the sets of two members, slice by slice, and bringing each what it lacks.
//!
//! Within a slice the two sets are told apart by negentropy: a few hundred bytes where they are
//! equal, and messages in proportion to the difference where they are not.

use std::time::Duration;

use negentropy::{Id, Negentropy, NegentropyStorageVector};
use warren_store::StoreError;
use warren_transport::TransportError;
use warren_wire::bencode::BencodeError;
use warren_wire::directory::NodeRecord;
use warren_wire::record::{Item, ItemId, Positions};
use warren_wire::rpc::member::{Call, Compared, Given, MAX_RECORDS, Ready, Taken};

use super::member::Member;
use super::records::Took;

/// The most bytes of one message of a comparison.
pub(super) const FRAME_BYTES: u64 = 1024 * 1024;
/// The most messages that the comparison of one slice may take.
const MOST_MESSAGES: usize = 64;
/// How much larger a slice may be than meant before it is cut.
pub(super) const LENIENCE: usize = 4;
/// The most pieces that one slice is cut into, of which the other says how much they hold.
const MOST_PIECES: usize = 4_096;

/// Why a comparison was not carried to its end.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The other did not answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The other refused.
    #[error("refused with status {0}")]
    Refused(u16),
    /// The other's answer is nonsense.
    #[error("the answer makes no sense")]
    Nonsense,
    /// It took longer than one node may take.
    #[error("too slow")]
    TooSlow,
    /// The own store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BencodeError> for CompareError {
    fn from(_: BencodeError) -> Self {
        Self::Nonsense
    }
}

impl From<negentropy::Error> for CompareError {
    fn from(_: negentropy::Error) -> Self {
        Self::Nonsense
    }
}

/// Which way records go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Both ways: members of one swarm.
    Both,
    /// Only to the other: what that one keeps by a new list.
    Push,
}

/// What a comparison moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Records taken from the other.
    pub taken: usize,
    /// Records given to the other.
    pub given: usize,
    /// Records that one of them refused.
    pub refused: usize,
    /// Records that were of no use to the one that was to take them.
    pub dead: usize,
}

/// What two members have that the other lacks, sorted.
struct Difference {
    have: Vec<Item>,
    need: Vec<ItemId>,
    /// Whether there is more of it.
    more: bool,
}

/// Items as the comparison wants them.
pub(super) fn sealed(items: &[Item]) -> Result<NegentropyStorageVector, negentropy::Error> {
    let mut storage = NegentropyStorageVector::with_capacity(items.len());
    for item in items {
        storage.insert(item.stamp.0, Id::from_byte_array(item.id))?;
    }
    storage.seal()?;
    Ok(storage)
}

impl Member {
    /// Asks a member what it has, and by which list it goes.
    pub(super) async fn ask_ready(&self, peer: &NodeRecord) -> Result<Ready, CompareError> {
        Ok(Ready::decode(&self.ask(peer, Call::Ready).await?)?)
    }

    pub(super) async fn ask(&self, peer: &NodeRecord, call: Call) -> Result<Vec<u8>, CompareError> {
        self.ask_within(peer, call, self.pace.bulk).await
    }

    pub(super) async fn ask_within(
        &self,
        peer: &NodeRecord,
        call: Call,
        timeout: Duration,
    ) -> Result<Vec<u8>, CompareError> {
        let method = call.method();
        let reply = self.send(peer, method, call.into_params(), None, timeout).await?;
        if reply.status == 200 { Ok(reply.body) } else { Err(CompareError::Refused(reply.status)) }
    }

    /// The slices to compare with a node that keeps so many items, in order.
    pub(super) async fn slices(
        &self,
        stretches: &[Positions],
        theirs: u64,
    ) -> Result<Vec<Positions>, CompareError> {
        let counts = self.store.counts().await?;
        let items = counts.messages.saturating_add(counts.orders).max(theirs);
        let slice = u64::try_from(self.pace.slice_items.max(1)).unwrap_or(u64::MAX);
        // The whole of the store lies on the own stretches, evenly.
        let pieces = (items / slice + 1).min(1 << 20);
        let whole: f64 = stretches.iter().map(width).sum();
        let share = |stretch: &Positions| {
            let share = f64::from(u32::try_from(pieces).unwrap_or(u32::MAX)) * width(stretch);
            (share / whole.max(1.0)).ceil()
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 2^20"
        )]
        let cut = |stretch: &Positions| stretch.cut(share(stretch) as u64);
        Ok(stretches.iter().flat_map(cut).collect())
    }

    /// Compares a slice with another node and brings each what it lacks.
    pub(super) async fn reconcile_slice(
        &self,
        peer: &NodeRecord,
        slice: Positions,
        way: Way,
    ) -> Result<Moved, CompareError> {
        let mut open: Vec<_> = vec![(slice, false)];
        let mut moved = Moved::default();
        let mut pieces = 0;
        while let Some((slice, again)) = open.pop() {
            pieces += 1;
            if pieces > MOST_PIECES {
                return Err(CompareError::Nonsense);
            }
            let Some(items) = self.few_items(slice).await? else {
                open.extend(self.cut(slice, LENIENCE * self.pace.slice_items));
                continue;
            };
            match self.difference(peer, slice, &items).await? {
                Ok(difference) => {
                    let mut one = Moved::default();
                    if way == Way::Both {
                        self.fetch(peer, slice, difference.need, &mut one).await?;
                    }
                    self.push(peer, difference.have, &mut one).await?;
                    // What had expired may not have by orders that came after it.
                    let repeat =
                        if difference.more { one.taken > 0 } else { one.dead > 0 && !again };
                    if repeat {
                        open.push((slice, !difference.more));
                    } else if difference.more {
                        return Err(CompareError::Nonsense);
                    }
                    moved.add(one);
                }
                Err(TooMany(_)) if slice.first == slice.last => {
                    return Err(CompareError::Nonsense);
                }
                Err(TooMany(count)) => open.extend(self.cut(slice, count)),
            }
        }
        Ok(moved)
    }

    /// Smaller slices, in the order in which they are to be taken from the end.
    fn cut(
        &self,
        slice: Positions,
        items: usize,
    ) -> impl Iterator<Item = (Positions, bool)> + use<> {
        let pieces = (items / self.pace.slice_items.max(1)).clamp(2, MOST_PIECES / 2);
        slice.cut(u64::try_from(pieces).unwrap_or(2)).into_iter().rev().map(|piece| (piece, false))
    }

    async fn difference(
        &self,
        peer: &NodeRecord,
        slice: Positions,
        items: &[Item],
    ) -> Result<Result<Difference, TooMany>, CompareError> {
        let mut comparison = Negentropy::owned(sealed(items)?, FRAME_BYTES)?;
        let (mut have, mut need) = (Vec::new(), Vec::new());
        let mut message = Some(comparison.initiate()?);
        let (mut count, mut more) = (0, false);
        while let Some(next) = message.take() {
            count += 1;
            if count > MOST_MESSAGES {
                return Err(CompareError::Nonsense);
            }
            let reply = self.ask(peer, Call::Reconcile(slice, next)).await?;
            match Compared::decode(&reply)? {
                Compared::TooMany(theirs) => {
                    return Ok(Err(TooMany(usize::try_from(theirs).unwrap_or(usize::MAX))));
                }
                Compared::Message(reply) => {
                    message = comparison.reconcile_with_ids(&reply, &mut have, &mut need)?;
                }
            }
            if need.len() > self.pace.most_needed {
                need.truncate(self.pace.most_needed);
                more = true;
                break;
            }
        }
        let mut have: Vec<ItemId> = have.into_iter().map(Id::to_bytes).collect();
        have.sort_unstable();
        let has = |item: &&Item| have.binary_search(&item.id).is_ok();
        let have = items.iter().filter(has).copied().collect();
        let mut need: Vec<ItemId> = need.into_iter().map(Id::to_bytes).collect();
        need.sort_unstable();
        need.dedup();
        let state = self.state();
        need.retain(|id| !state.refused.contains(&(peer.id, *id)));
        Ok(Ok(Difference { have, need, more }))
    }

    /// Takes the records of these items from a member; the next are on their way while those that
    /// came are kept.
    async fn fetch(
        &self,
        peer: &NodeRecord,
        slice: Positions,
        need: Vec<ItemId>,
        moved: &mut Moved,
    ) -> Result<(), CompareError> {
        let ask = async |from: usize| {
            let ids: Vec<ItemId> = need.iter().skip(from).take(MAX_RECORDS).copied().collect();
            let count = ids.len();
            let given = Given::decode(&self.ask(peer, Call::Fetch(slice, ids)).await?)?;
            let next = given.next.and_then(|next| usize::try_from(next).ok());
            let next = from + next.unwrap_or(count).min(count);
            Ok::<_, CompareError>((given.records, next))
        };
        if need.is_empty() {
            return Ok(());
        }
        let here = [slice];
        let (mut records, mut next) = ask(0).await?;
        let mut before = 0;
        loop {
            if next <= before {
                return Err(CompareError::Nonsense);
            }
            let taking = self.take(records, &here, |_| true);
            let ids = need.get(before..next).unwrap_or_default();
            if next >= need.len() {
                self.count_taken(peer, ids, &taking.await?, moved);
                return Ok(());
            }
            let (taken, following) = futures_util::future::join(taking, ask(next)).await;
            self.count_taken(peer, ids, &taken?, moved);
            before = next;
            (records, next) = following?;
        }
    }

    fn count_taken(&self, peer: &NodeRecord, ids: &[ItemId], took: &Took, moved: &mut Moved) {
        let taken = &took.taken;
        let refused = taken.iter().filter(|one| **one == Taken::Refused).count();
        moved.taken += taken.iter().filter(|one| **one == Taken::Kept).count();
        moved.refused += refused;
        moved.dead += taken.iter().filter(|one| **one == Taken::Dead).count();
        // Where nothing of a batch holds, and each record of it was given, that node is not asked for
        // it again.
        if refused > 0 && refused == ids.len() && refused == taken.len() && !took.may_be_taken_yet {
            self.refuse(peer.id, ids.iter().copied());
        }
    }

    /// Gives a member the records of these items.
    pub(super) async fn push(
        &self,
        peer: &NodeRecord,
        items: Vec<Item>,
        moved: &mut Moved,
    ) -> Result<(), CompareError> {
        let mut rest = items.as_slice();
        while !rest.is_empty() {
            let batch = rest.iter().take(MAX_RECORDS).copied().collect();
            let (records, count) = self.given(batch).await?;
            rest = rest.get(count.max(1)..).unwrap_or_default();
            if records.is_empty() {
                continue;
            }
            let taken = Taken::decode(&self.ask(peer, Call::Records(records)).await?)?;
            moved.given += taken.iter().filter(|one| **one == Taken::Kept).count();
            moved.refused += taken.iter().filter(|one| **one == Taken::Refused).count();
            moved.dead += taken.iter().filter(|one| **one == Taken::Dead).count();
        }
        Ok(())
    }
}

/// A slice on which the other has so many items.
struct TooMany(usize);

fn width(stretch: &Positions) -> f64 {
    // Precise enough to share slices out.
    #[expect(clippy::cast_precision_loss, reason = "a share of slices, not a position")]
    let width = (stretch.last - stretch.first) as f64;
    width + 1.0
}
