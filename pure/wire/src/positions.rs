//! Stretches of the ring of swarms: cutting them, and what two of them share.

/// A stretch of the ring of swarms, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Positions {
    /// The first position.
    pub first: u64,
    /// The last position, not less than the first.
    pub last: u64,
}

impl Positions {
    /// The whole ring.
    pub const ALL: Self = Self { first: 0, last: u64::MAX };

    /// The stretch of one position.
    pub const fn at(position: u64) -> Self {
        Self { first: position, last: position }
    }

    /// Whether a position lies in it.
    pub const fn contain(&self, position: u64) -> bool {
        self.first <= position && position <= self.last
    }

    /// What lies in both.
    pub fn shared_with(&self, other: &Self) -> Option<Self> {
        let both = Self { first: self.first.max(other.first), last: self.last.min(other.last) };
        (both.first <= both.last).then_some(both)
    }

    /// Cuts it into at most so many pieces of nearly one length, in order.
    pub fn cut(&self, pieces: u64) -> Vec<Self> {
        let width = u128::from(self.last.saturating_sub(self.first)) + 1;
        let pieces = u128::from(pieces.max(1)).min(width);
        let edge = |piece: u128| {
            let offset = u64::try_from(width * piece / pieces).unwrap_or(u64::MAX);
            self.first.saturating_add(offset)
        };
        (0..pieces)
            .map(|piece| {
                let last = if piece + 1 == pieces { self.last } else { edge(piece + 1) - 1 };
                Self { first: edge(piece), last }
            })
            .collect()
    }
}

/// What of `from` lies in none of `without`, sorted. Both may overlap within themselves.
pub fn outside(from: &[Positions], without: &[Positions]) -> Vec<Positions> {
    let mut left = from.to_vec();
    for hole in without {
        left = left.iter().flat_map(|piece| cut_out(piece, hole)).collect();
    }
    left.sort_unstable();
    left
}

fn cut_out(piece: &Positions, hole: &Positions) -> Vec<Positions> {
    let Some(hole) = piece.shared_with(hole) else { return vec![*piece] };
    let before =
        (piece.first < hole.first).then(|| Positions { first: piece.first, last: hole.first - 1 });
    let after =
        (hole.last < piece.last).then(|| Positions { first: hole.last + 1, last: piece.last });
    before.into_iter().chain(after).collect()
}

/// What lies in one of `some` and in one of `others`.
pub fn shared(some: &[Positions], others: &[Positions]) -> Vec<Positions> {
    some.iter().flat_map(|one| others.iter().filter_map(|other| one.shared_with(other))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stretch() -> impl Strategy<Value = Positions> {
        // Small numbers meet each other and the ring's start; great ones its end.
        let end = prop_oneof![0..40_u64, (u64::MAX - 40)..=u64::MAX];
        (end.clone(), end).prop_map(|(a, b)| Positions { first: a.min(b), last: a.max(b) })
    }

    fn any_of(stretches: &[Positions], position: u64) -> bool {
        stretches.iter().any(|stretch| stretch.contain(position))
    }

    proptest! {
        #[test]
        fn pieces_follow_each_other_from_end_to_end(whole in stretch(), pieces in 0..50_u64) {
            let cut = whole.cut(pieces);
            prop_assert!(cut.len() as u64 <= pieces.max(1));
            prop_assert_eq!(cut[0].first, whole.first);
            prop_assert_eq!(cut[cut.len() - 1].last, whole.last);
            prop_assert!(cut.iter().all(|piece| piece.first <= piece.last));
            prop_assert!(cut.windows(2).all(|pair| pair[0].last + 1 == pair[1].first));
        }

        #[test]
        fn a_position_is_shared_or_outside_as_its_stretches_say(
            some in prop::collection::vec(stretch(), 0..4),
            others in prop::collection::vec(stretch(), 0..4),
        ) {
            let (both, without) = (shared(&some, &others), outside(&some, &others));
            for position in (0..41).chain((u64::MAX - 40)..=u64::MAX) {
                let (here, there) = (any_of(&some, position), any_of(&others, position));
                prop_assert_eq!(any_of(&both, position), here && there);
                prop_assert_eq!(any_of(&without, position), here && !there);
            }
        }
    }

    #[test]
    fn the_whole_ring_is_cut_evenly() {
        let cut = Positions::ALL.cut(4);
        assert_eq!(cut.len(), 4);
        assert_eq!(cut[1], Positions { first: 1 << 62, last: (1 << 63) - 1 });
    }
}
