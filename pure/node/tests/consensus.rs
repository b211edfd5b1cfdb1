//! How authorities agree: which votes make which list, and what none of them signs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use proptest::prelude::*;
use warren_crypto::Secret;
use warren_crypto::ed25519::{SigningKey, VerifyingKey};
use warren_node::consensus::{
    Ballots, ConsensusError, Ledger, Slot, Terms, derive, examine, proposer, slot_of_proposer,
};
use warren_node::reachability::{AnnounceError, DESCRIPTOR_LIFE, Observations};
use warren_wire::directory::{
    Descriptor, DirectoryKeys, Finding, ListError, ListSignature, NodeList, Proposal, Roles,
    Standing, UnverifiedList, UnverifiedVote, VerifiedList, Vote,
};
use warren_wire::swarm::INVALID_SWARM;
use warren_wire::{Millis, NodeId};

const NOW: Millis = 1_700_000_400_000;
const TERMS: Terms =
    Terms { interval: 600_000, fresh: 7_200_000, valid: 172_800_000, private_addresses: false };

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(Secret::take(&mut [seed; 32])).unwrap()
}

/// Authorities 101, 102 and so on.
fn keys(threshold: usize, count: u8) -> DirectoryKeys {
    let keys = (101..101 + count).map(|seed| key(seed).verifying_key()).collect();
    DirectoryKeys::new(keys, threshold).unwrap()
}

fn id(seed: u8) -> NodeId {
    NodeId::from_bytes(*key(seed).verifying_key().as_bytes())
}

fn descriptor(seed: u8, port: u16, published: Millis) -> Descriptor {
    Descriptor {
        id: id(seed),
        x25519: key(seed).verifying_key().to_x25519().unwrap(),
        ip: [9, 9, seed, 1].into(),
        port,
        certificate: [seed; 32],
        version: [0, 1, 0],
        published,
        roles: Roles::default(),
    }
}

fn found(seed: u8) -> Finding {
    let signed = descriptor(seed, 1, NOW).sign(&key(seed)).unwrap();
    Finding { node: id(seed), reachable: true, descriptor: Some(signed) }
}

fn missed(seed: u8) -> Finding {
    Finding { node: id(seed), reachable: false, descriptor: None }
}

fn slot() -> Slot {
    TERMS.slot(NOW)
}

fn signed_vote(authority: u8, slot: Slot, findings: Vec<Finding>) -> UnverifiedVote {
    UnverifiedVote::sign(slot.sequence(), NOW, findings, &key(authority)).unwrap()
}

fn votes(keys: &DirectoryKeys, findings: &[Vec<Finding>]) -> Vec<Vote> {
    (101..)
        .zip(findings)
        .map(|(authority, found)| {
            signed_vote(authority, slot(), found.clone()).verify(keys).unwrap()
        })
        .collect()
}

/// The list of the slot before, with these nodes.
fn before(keys: &DirectoryKeys, nodes: &[u8]) -> (VerifiedList, UnverifiedList) {
    let earlier = TERMS.slot(NOW - TERMS.interval);
    let findings: Vec<Finding> = nodes.iter().map(|seed| found(*seed)).collect();
    let votes: Vec<Vote> = (101..)
        .take(keys.threshold())
        .map(|seed| signed_vote(seed, earlier, findings.clone()).verify(keys).unwrap())
        .collect();
    let text = derive(keys, &TERMS, earlier, None, &votes).unwrap().text().unwrap();
    let signatures = (101..).take(keys.threshold());
    let signatures = signatures.map(|seed| ListSignature::sign(&text, &key(seed)).unwrap());
    let signed = UnverifiedList { list: text.clone(), signatures: signatures.collect() };
    (signed.verify(keys).unwrap(), signed)
}

/// Which nodes a list made of these votes names.
fn listed(previous: &[u8], findings: &[Vec<Finding>]) -> Vec<u8> {
    let keys = keys(2, 3);
    let previous = (!previous.is_empty()).then(|| before(&keys, previous).0);
    let body = derive(&keys, &TERMS, slot(), previous.as_ref(), &votes(&keys, findings)).unwrap();
    let named =
        |seed: &u8| body.nodes.iter().any(|node| node.pubkey_ed25519 == id(*seed).to_string());
    (1..20).filter(named).collect()
}

#[test]
fn a_node_enters_by_a_majority_of_the_votes_and_leaves_by_more_against_than_for() {
    let all = vec![found(1), found(2)];
    assert_eq!(listed(&[], &[all.clone(), all.clone(), vec![found(1)]]), [1, 2]);
    assert_eq!(listed(&[], &[all.clone(), vec![found(1)], vec![found(1), missed(2)]]), [1]);
    assert_eq!(listed(&[], &[all.clone(), vec![found(1)]]), [1], "half is no majority");
    assert_eq!(listed(&[1, 2], &[all.clone(), vec![found(1), missed(2)]]), [1, 2], "a tie");
    assert_eq!(listed(&[1, 2], &[vec![found(1)], vec![found(1)]]), [1, 2], "nobody tried");
    let against = vec![found(1), missed(2)];
    assert_eq!(listed(&[1, 2], &[all, against.clone(), against]), [1]);
}

#[test]
fn a_node_is_where_more_than_half_of_the_votes_have_it_by_its_own_word() {
    let finding = |port, published, signer: u8| {
        let mut signed = descriptor(1, port, published).sign(&key(1)).unwrap();
        if signer != 1 {
            signed.signature = descriptor(2, port, published).sign(&key(2)).unwrap().signature;
        }
        Finding { node: id(1), reachable: true, descriptor: Some(signed) }
    };
    let keys = keys(2, 3);
    let (previous, _) = before(&keys, &[1]);
    let port = |previous: Option<&VerifiedList>, findings: [Finding; 3]| {
        let votes = votes(&keys, &findings.map(|finding| vec![finding]));
        let body = derive(&keys, &TERMS, slot(), previous, &votes).ok()?;
        Some(body.nodes[0].storage_port)
    };
    let good = || finding(5, NOW, 1);
    assert_eq!(port(None, [good(), finding(5, NOW + 1, 1), finding(4, NOW + 2, 1)]), Some(5));
    assert_eq!(port(None, [good(), finding(5, NOW, 2), finding(4, NOW + 2, 1)]), None, "forged");
    // A liar that holds a word of the node's own moves it nowhere, neither forward nor back.
    let split = || [good(), finding(6, NOW, 1), finding(4, NOW + 1, 1)];
    assert_eq!((port(None, split()), port(Some(&previous), split())), (None, Some(1)));
    let old = || finding(9, NOW - DESCRIPTOR_LIFE - 1, 1);
    assert_eq!(port(Some(&previous), [old(), old(), old()]), Some(1), "too old for any authority");
    let early = || finding(9, NOW + 2 * TERMS.interval + 1, 1);
    assert_eq!(port(Some(&previous), [early(), early(), early()]), Some(1));
    let foreign = || {
        let x25519 = descriptor(2, 9, NOW).x25519;
        let signed = Descriptor { x25519, ..descriptor(1, 9, NOW) }.sign(&key(1)).unwrap();
        Finding { node: id(1), reachable: true, descriptor: Some(signed) }
    };
    assert_eq!(port(Some(&previous), [foreign(), foreign(), foreign()]), Some(1));
}

#[test]
fn too_few_votes_or_votes_for_another_list_make_none() {
    let keys = keys(2, 3);
    let one = votes(&keys, &[vec![found(1)]]);
    let derive = |votes: &[Vote]| derive(&keys, &TERMS, slot(), None, votes).map(|_| ());
    let too_few = Err(ConsensusError::TooFewVotes { found: 1, needed: 2 });
    assert_eq!(derive(&one), too_few);
    assert_eq!(derive(&[one[0].clone(), one[0].clone()]), too_few, "one authority twice");
    let mut other = votes(&keys, &[vec![found(1)], vec![found(1)]]);
    other[1].sequence += 1;
    assert_eq!(derive(&other), Err(ConsensusError::ForeignVote));
    let nobody = votes(&keys, &[vec![missed(1)], vec![]]);
    assert_eq!(derive(&nobody), Err(ConsensusError::NoNodes));
}

#[test]
fn every_authority_proposes_in_turn_and_numbers_grow() {
    let keys = keys(2, 3);
    let slots: Vec<Slot> = (0..6).map(|round| TERMS.slot(NOW + round * TERMS.interval)).collect();
    let turns: Vec<_> = slots.iter().map(|slot| *proposer(&keys, *slot).unwrap()).collect();
    assert_eq!(turns[..3], turns[3..]);
    assert!(keys.keys().iter().all(|key| turns[..3].contains(key)));
    assert!(slots.windows(2).all(|pair| pair[0].sequence() < pair[1].sequence()));
    assert_eq!(TERMS.next(NOW), slots[1].begins);
    let faster = Terms { interval: 2_000, ..TERMS };
    assert!(faster.slot(NOW + 3_000).sequence() > slots[0].sequence());
}

#[test]
fn only_the_proposer_of_the_slot_of_now_is_given_votes_and_signatures() {
    let keys = keys(2, 3);
    let next = TERMS.slot(TERMS.next(NOW));
    let asked = |slot: Slot, asker: &VerifyingKey, now| {
        slot_of_proposer(&keys, &TERMS, slot.sequence(), asker, now)
    };
    for asker in keys.keys() {
        let expected = if Some(asker) == proposer(&keys, slot()) {
            Ok(slot())
        } else {
            Err(ConsensusError::NotItsTurn)
        };
        assert_eq!(asked(slot(), asker, NOW), expected);
    }
    let turn = proposer(&keys, next).unwrap();
    assert_eq!(asked(next, turn, next.begins - TERMS.interval / 4), Ok(next), "clocks differ");
    for now in [next.begins - TERMS.interval / 4 - 1, next.begins + TERMS.interval] {
        assert_eq!(asked(next, turn, now), Err(ConsensusError::OtherTime));
    }
}

#[test]
fn one_vote_is_signed_for_each_slot_in_whatever_order_they_are_asked_for() {
    let mut ballots = Ballots::default();
    let next = TERMS.slot(TERMS.next(NOW));
    let mut kept = Ballots::default();
    let mut vote = |slot: Slot, findings: Vec<Finding>| {
        let make = || (!findings.is_empty()).then(|| signed_vote(101, slot, findings));
        let keep = |all: &Ballots| {
            kept = all.clone();
            Ok::<(), ()>(())
        };
        ballots.of_slot(slot, make, keep).unwrap()
    };
    assert_eq!(vote(slot(), vec![]), None, "who reaches nobody may yet");
    let first = vote(slot(), vec![found(1)]);
    let second = vote(next, vec![found(2)]);
    assert_eq!(vote(slot(), vec![missed(1)]), first);
    assert_eq!(vote(next, vec![missed(2)]), second);
    assert!(first.is_some() && second.is_some());
    let after = |slots: Millis| TERMS.slot(NOW + slots * TERMS.interval);
    assert!((2..5).all(|number| vote(after(number), vec![found(1)]).is_some()));
    assert_eq!(vote(slot(), vec![missed(1)]), None, "nobody knows what was signed then");
    assert_eq!(kept, ballots);
}

#[test]
fn a_vote_that_is_not_kept_is_not_given_and_another_may_be_made() {
    let mut ballots = Ballots::default();
    let first =
        ballots.of_slot(slot(), || Some(signed_vote(101, slot(), vec![found(1)])), |_| Err(()));
    assert_eq!(first, Err(()));
    let make = || Some(signed_vote(101, slot(), vec![found(2)]));
    let second = ballots.of_slot(slot(), make, |_| Ok::<(), ()>(()));
    assert_eq!(second.unwrap(), make());
}

#[test]
fn an_address_that_nobody_outside_reaches_is_not_listed_whoever_votes_for_it() {
    let keys = keys(2, 3);
    let at = |ip: [u8; 4]| {
        let place = Descriptor { ip: ip.into(), ..descriptor(1, 1, NOW) };
        let signed = place.sign(&key(1)).unwrap();
        vec![Finding { node: id(1), reachable: true, descriptor: Some(signed) }, found(2)]
    };
    for ip in [[127, 0, 0, 1], [10, 0, 0, 1], [192, 168, 1, 1], [169, 254, 1, 1], [0, 0, 0, 0]] {
        let votes = votes(&keys, &[at(ip), at(ip), at(ip)]);
        let count = |terms: &Terms| derive(&keys, terms, slot(), None, &votes).unwrap().nodes.len();
        assert_eq!(count(&TERMS), 1, "{ip:?}");
        assert_eq!(count(&Terms { private_addresses: true, ..TERMS }), 2, "{ip:?}");
    }
}

/// A proposal that everybody should sign, with the list it rests on.
fn proposal(keys: &DirectoryKeys) -> (Proposal, VerifiedList) {
    let (list, signed) = before(keys, &[1, 2, 3]);
    let votes: Vec<_> =
        (101..103).map(|seed| signed_vote(seed, slot(), vec![found(1), found(4)])).collect();
    let counted: Vec<_> = votes.iter().map(|vote| vote.verify(keys).unwrap()).collect();
    let body = derive(keys, &TERMS, slot(), Some(&list), &counted).unwrap();
    (Proposal { list: body.text().unwrap(), votes, previous: Some(signed) }, list)
}

#[test]
fn what_follows_from_its_votes_is_signed_and_nothing_else() {
    let keys = keys(2, 3);
    let (good, previous) = proposal(&keys);
    let examine = |proposal: &Proposal, now| {
        examine(proposal, &keys, &TERMS, now, Some(&previous)).map(|found| found.list)
    };
    assert_eq!(examine(&good, NOW).unwrap().nodes.nodes().len(), 4);

    let mut altered = good.clone();
    altered.list = altered.list.replace("9.9.1.1", "9.9.9.9");
    assert_eq!(examine(&altered, NOW), Err(ConsensusError::Differs));
    let mut withheld = good.clone();
    withheld.votes.pop();
    let too_few = ConsensusError::TooFewVotes { found: 1, needed: 2 };
    assert_eq!(examine(&withheld, NOW), Err(too_few));
    let mut forged = good.clone();
    forged.votes[1].vote = forged.votes[1].vote.replace("true", "false");
    assert_eq!(examine(&forged, NOW), Err(ListError::BadSignature.into()));
    let mut stranger = good.clone();
    stranger.votes[1] = signed_vote(99, slot(), vec![found(1)]);
    assert_eq!(examine(&stranger, NOW), Err(ListError::WrongKey.into()));
    let mut unsigned = good.clone();
    unsigned.previous.as_mut().unwrap().signatures.pop();
    let unsigned_before = ListError::TooFewSignatures { found: 1, needed: 2 };
    assert_eq!(examine(&unsigned, NOW), Err(unsigned_before.into()));
    let mut forgetful = good.clone();
    forgetful.previous = None;
    assert_eq!(examine(&forgetful, NOW), Err(ConsensusError::OldPrevious));
    for other_time in [NOW - TERMS.interval, NOW + TERMS.interval] {
        assert_eq!(examine(&good, other_time), Err(ConsensusError::OtherTime));
    }
}

#[test]
fn one_list_of_each_number_is_signed() {
    let keys = keys(2, 3);
    let (good, previous) = proposal(&keys);
    let list = examine(&good, &keys, &TERMS, NOW, Some(&previous)).unwrap().list;
    let fresh = Ledger::default();
    let signed = fresh.permit(&list).unwrap();
    assert_eq!(signed.permit(&list).unwrap(), signed, "the same again");
    let mut other = list.clone();
    other.header.hash = [1; 32];
    assert_eq!(signed.permit(&other), Err(ConsensusError::AlreadySigned));
    let mut older = list.clone();
    older.header.sequence -= 1;
    assert_eq!(signed.permit(&older), Err(ConsensusError::AlreadySigned));
    let mut newer = other;
    newer.header.sequence += 1;
    signed.permit(&newer).unwrap();
}

#[test]
fn one_failed_try_does_not_throw_a_node_out_and_three_do() {
    let mut nodes = Observations::new(false);
    let list = before(&keys(1, 1), &[1, 2]).0.nodes;
    nodes.follow(&list, NOW);
    for seed in [1, 2] {
        let described = descriptor(seed, 1, NOW);
        let signed = described.sign(&key(seed)).unwrap();
        assert_eq!(nodes.announce(&described, signed, None, NOW), Ok(Standing::Untested));
    }
    assert_eq!(nodes.findings(&list), None, "nothing was tried yet");
    let tried = nodes.to_try();
    let one = tried.iter().find(|record| record.id == id(1)).unwrap();
    let two = tried.iter().find(|record| record.id == id(2)).unwrap();
    nodes.note(one, true);
    let opinion = |nodes: &Observations, seed| {
        let findings = nodes.findings(&list).unwrap();
        findings.iter().find(|finding| finding.node == id(seed)).map(|finding| finding.reachable)
    };
    assert_eq!((opinion(&nodes, 1), opinion(&nodes, 2)), (Some(true), None));
    nodes.note(two, true);
    for (failures, expected) in [(1, true), (2, true), (3, false)] {
        nodes.note(two, false);
        assert_eq!(opinion(&nodes, 2), Some(expected), "{failures}");
    }
    nodes.note(two, true);
    assert_eq!(opinion(&nodes, 2), Some(true));
    for _ in 0..3 {
        nodes.note(one, false);
        nodes.note(two, false);
    }
    assert_eq!(nodes.findings(&list), None, "who reaches nobody is cut off itself");
}

#[test]
fn a_node_that_moves_is_tried_at_its_new_place() {
    let mut nodes = Observations::new(false);
    let old = descriptor(1, 1, NOW);
    nodes.announce(&old, old.sign(&key(1)).unwrap(), None, NOW).unwrap();
    let tried = nodes.newcomers();
    nodes.note(&tried[0], true);
    assert_eq!(nodes.standing(&id(1)), Standing::Reachable);
    let new = descriptor(1, 2, NOW + 1);
    let standing = nodes.announce(&new, new.sign(&key(1)).unwrap(), None, NOW + 1).unwrap();
    assert_eq!((standing, nodes.to_try()[0].port), (Standing::Untested, 2));
    nodes.note(&tried[0], true);
    assert_eq!(nodes.standing(&id(1)), Standing::Untested, "that was the old place");
    nodes.announce(&old, old.sign(&key(1)).unwrap(), None, NOW + 2).unwrap();
    assert_eq!(nodes.to_try()[0].port, 2, "a replayed announcement changes nothing");
}

#[test]
fn announcements_are_of_this_time_from_outside_and_with_keys_that_belong_together() {
    let mut nodes = Observations::new(false);
    let mut announce = |descriptor: Descriptor| {
        nodes.announce(&descriptor, descriptor.sign(&key(1)).unwrap(), None, NOW).map(|_| ())
    };
    let good = || descriptor(1, 1, NOW);
    assert_eq!(announce(descriptor(1, 1, NOW + 601_000)), Err(AnnounceError::Time));
    assert_eq!(announce(descriptor(1, 1, NOW - DESCRIPTOR_LIFE - 1)), Err(AnnounceError::Time));
    let foreign = Descriptor { x25519: descriptor(2, 1, NOW).x25519, ..good() };
    assert_eq!(announce(foreign), Err(AnnounceError::ForeignKey));
    for ip in [[127, 0, 0, 1], [10, 1, 1, 1], [169, 254, 1, 1], [100, 64, 0, 1], [224, 0, 0, 1]] {
        let inside = Descriptor { ip: ip.into(), ..good() };
        assert_eq!(announce(inside), Err(AnnounceError::PrivateAddress(ip.into())));
    }
    assert_eq!(announce(good()), Ok(()));
}

/// A node made of a number, at an address of its own.
fn numbered(number: u16) -> (Descriptor, SigningKey) {
    let [high, low] = number.to_be_bytes();
    let mut seed = [7; 32];
    seed[..2].copy_from_slice(&[high, low]);
    let key = SigningKey::from_seed(Secret::take(&mut seed)).unwrap();
    let made = Descriptor {
        id: NodeId::from_bytes(*key.verifying_key().as_bytes()),
        x25519: key.verifying_key().to_x25519().unwrap(),
        ip: [9, 8, high, low].into(),
        ..descriptor(1, 1, NOW)
    };
    (made, key)
}

fn announce(
    nodes: &mut Observations,
    (described, key): &(Descriptor, SigningKey),
    sender: Option<&[u8]>,
) -> Result<Standing, AnnounceError> {
    nodes.announce(described, described.sign(key).unwrap(), sender, NOW)
}

#[test]
fn keys_that_claim_an_address_do_not_crowd_out_the_node_that_is_there() {
    let mut nodes = Observations::new(false);
    let ip = [9, 9, 1, 1].into();
    let at_address = |number| {
        let (made, key) = numbered(number);
        (Descriptor { ip, ..made }, key)
    };
    for number in 0..40 {
        announce(&mut nodes, &at_address(number), None).unwrap();
    }
    let honest = at_address(40);
    announce(&mut nodes, &honest, None).unwrap();
    nodes.note(&honest.0.record(INVALID_SWARM), true);
    assert_eq!(announce(&mut nodes, &honest, None), Ok(Standing::Reachable));
    // Those that are there do count, and none gets past them by announcing itself earlier.
    for number in 0..30 {
        nodes.note(&at_address(number).0.record(INVALID_SWARM), true);
    }
    assert_eq!(nodes.to_try().len(), 16);
    assert_eq!(announce(&mut nodes, &at_address(41), None), Err(AnnounceError::Crowded(ip)));
    assert_eq!(announce(&mut nodes, &honest, None), Ok(Standing::Reachable));
}

#[test]
fn nodes_that_proved_nothing_are_few_and_leave_room_for_those_that_did() {
    let mut nodes = Observations::new(false);
    for number in 0..4 {
        announce(&mut nodes, &numbered(number), Some(b"one")).unwrap();
    }
    assert_eq!(announce(&mut nodes, &numbered(4), Some(b"one")), Err(AnnounceError::TooMany));
    // Proven, it takes no place of a newcomer; failed, it gives its place up but knows that it failed.
    nodes.note(&numbered(0).0.record(INVALID_SWARM), true);
    announce(&mut nodes, &numbered(4), Some(b"one")).unwrap();
    nodes.note(&numbered(1).0.record(INVALID_SWARM), false);
    assert_eq!(nodes.standing(&numbered(1).0.id), Standing::Unreachable);
    assert_eq!(nodes.newcomers().len(), 3, "one try for each announcement");
    announce(&mut nodes, &numbered(5), Some(b"one")).unwrap();
    assert_eq!(nodes.standing(&numbered(1).0.id), Standing::Untested);

    for number in 100..1_096 {
        announce(&mut nodes, &numbered(number), Some(&number.to_be_bytes())).unwrap();
    }
    let one_more = |nodes: &mut Observations| announce(nodes, &numbered(2_000), Some(b"two"));
    assert_eq!(one_more(&mut nodes), Err(AnnounceError::Full));
    assert_eq!(nodes.to_try().len(), 1, "the crowd is not among those that are tried each time");
    nodes.note(&numbered(100).0.record(INVALID_SWARM), false);
    assert_eq!(one_more(&mut nodes), Ok(Standing::Untested));
    assert_eq!(announce(&mut nodes, &numbered(0), Some(b"one")), Ok(Standing::Reachable));
}

#[test]
fn nodes_of_the_list_are_tried_too_and_others_are_forgotten_in_time() {
    let mut nodes = Observations::new(false);
    let list = before(&keys(1, 1), &[1, 2]).0.nodes;
    let stranger = descriptor(3, 1, NOW);
    nodes.announce(&stranger, stranger.sign(&key(3)).unwrap(), None, NOW).unwrap();
    nodes.follow(&list, NOW);
    assert_eq!((nodes.to_try().len(), nodes.newcomers().len()), (2, 1));
    nodes.follow(&list, NOW + DESCRIPTOR_LIFE + 1);
    assert_eq!((nodes.to_try().len(), nodes.newcomers().len()), (2, 0));
    nodes.follow(&NodeList::default(), NOW + DESCRIPTOR_LIFE + 1);
    assert!(nodes.to_try().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_the_votes_changes_nothing(
        opinions in proptest::collection::vec(proptest::collection::vec(0..3_u8, 12), 3..6),
        rotation in 0..6_usize,
    ) {
        let keys = keys(3, 6);
        let findings: Vec<Vec<Finding>> = opinions.iter().map(|opinions| {
            (1..).zip(opinions).filter_map(|(seed, opinion)| match opinion {
                0 => None,
                1 => Some(missed(seed)),
                _ => Some(found(seed)),
            }).collect()
        }).collect();
        let previous = before(&keys, &[1, 2, 3, 4]).0;
        let mut votes = votes(&keys, &findings);
        let first = derive(&keys, &TERMS, slot(), Some(&previous), &votes);
        let count = votes.len();
        votes.rotate_left(rotation % count);
        let second = derive(&keys, &TERMS, slot(), Some(&previous), &votes);
        let text = |made: Result<warren_wire::directory::ListBody, _>| made.map(|body| body.text().unwrap());
        prop_assert_eq!(text(first), text(second));
    }

    #[test]
    fn any_bytes_are_a_proposal_or_an_error(list: String, vote: String) {
        let keys = keys(1, 1);
        let votes = vec![UnverifiedVote { vote, key: String::new(), signature: String::new() }];
        let proposal = Proposal { list, votes, previous: None };
        prop_assert!(examine(&proposal, &keys, &TERMS, NOW, None).is_err());
    }
}
