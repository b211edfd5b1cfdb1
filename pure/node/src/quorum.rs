//! How many members of a swarm are enough: to keep something, and to know all that was kept.

/// How many of a swarm's members must have something durably before a client is told so.
pub const fn to_keep(members: usize) -> usize {
    members / 2 + 1
}

/// How many *other* members a member must have heard to have met one, at least, that has any given
/// thing which a quorum kept, its own copy not counted: it may be new, or have lost its disk.
pub const fn to_know(members: usize) -> usize {
    let others = members.saturating_sub(1);
    let enough = (members + 1).saturating_sub(to_keep(members));
    if enough < others { enough } else { others }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_quorums_always_share_a_member() {
        for members in 1..50 {
            assert!(2 * to_keep(members) > members && to_keep(members) <= members);
        }
    }

    #[test]
    fn whoever_knows_enough_has_met_a_keeper_of_everything() {
        for members in 2..50_usize {
            // This member kept it too and lost it: the rest of that quorum are others, if any.
            let keepers = to_keep(members) - 1;
            assert!(keepers == 0 || keepers + to_know(members) > members - 1, "{members}");
        }
        assert_eq!([1, 2, 3, 5, 7, 10].map(to_know), [0, 1, 2, 3, 4, 5]);
    }
}
