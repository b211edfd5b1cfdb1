//! The directory's signed documents: descriptors, votes, and lists that k of n must have signed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use proptest::prelude::*;
use serde_json::Value as Json;
use warren_crypto::ed25519::{SigningKey, VerifyingKey};
use warren_crypto::hash::sha256;
use warren_crypto::{Secret, x25519};
use warren_wire::directory::list::{CLOCK_TOLERANCE, MAX_LIST_BYTES};
use warren_wire::directory::{
    Challenge, Descriptor, DirectoryKeys, Finding, KeysError, ListBody, ListError, ListSignature,
    ListTimes, NodeList, NodeRecord, Proposal, ProposalHead, Roles, UnverifiedDescriptor,
    UnverifiedList, UnverifiedVote, VoteRequest,
};
use warren_wire::{NodeId, SwarmId};

const NOW: u64 = 1_700_000_000_000;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(Secret::take(&mut [seed; 32])).unwrap()
}

fn keys(threshold: usize, seeds: &[u8]) -> DirectoryKeys {
    let keys = seeds.iter().map(|seed| key(*seed).verifying_key()).collect();
    DirectoryKeys::new(keys, threshold).unwrap()
}

fn descriptor(seed: u8) -> Descriptor {
    Descriptor {
        id: NodeId::from_bytes(*key(seed).verifying_key().as_bytes()),
        x25519: x25519::PublicKey::from_bytes([seed; 32]),
        ip: [127, 0, seed, 1].into(),
        port: 22_100,
        certificate: [seed; 32],
        version: [0, 1, 0],
        published: NOW,
        roles: Roles { files: seed.is_multiple_of(2) },
    }
}

fn record(seed: u8) -> NodeRecord {
    descriptor(seed).record(SwarmId(u64::MAX - 1))
}

fn body(sequence: u64, valid_after: u64) -> ListBody {
    let times = ListTimes::starting(valid_after, 7_200_000, 172_800_000);
    ListBody::new(sequence, times, Some([3; 32]), &[record(1), record(2)])
}

fn signed_by(list: &str, seeds: &[u8]) -> UnverifiedList {
    let sign = |seed: &u8| ListSignature::sign(list, &key(*seed)).unwrap();
    UnverifiedList { list: list.to_owned(), signatures: seeds.iter().map(sign).collect() }
}

#[test]
fn a_list_is_believed_when_enough_different_pinned_keys_signed_it() {
    let text = body(7, NOW).text().unwrap();
    let too_few = |found, needed| Err(ListError::TooFewSignatures { found, needed });
    type Row<'a> = (usize, &'a [u8], &'a [u8], Result<(), ListError>);
    let table: [Row<'_>; 11] = [
        (1, &[11], &[11], Ok(())),
        (1, &[11], &[12], Err(ListError::WrongKey)),
        (1, &[11], &[], Err(ListError::Unsigned)),
        (2, &[11, 12, 13], &[11, 12], Ok(())),
        (2, &[11, 12, 13], &[13, 11, 12], Ok(())),
        (2, &[11, 12, 13], &[12], too_few(1, 2)),
        (2, &[11, 12, 13], &[12, 12], too_few(1, 2)),
        (2, &[11, 12, 13], &[12, 14, 15], too_few(1, 2)),
        (2, &[11, 12, 13], &[14, 15], Err(ListError::WrongKey)),
        (3, &[11, 12, 13], &[11, 12, 14], too_few(2, 3)),
        (3, &[11, 12, 13, 14, 15], &[15, 11, 13, 99], Ok(())),
    ];
    for (threshold, pinned, signers, expected) in table {
        let found = signed_by(&text, signers).verify(&keys(threshold, pinned));
        assert_eq!(found.map(|_| ()), expected, "{threshold} of {pinned:?} by {signers:?}");
    }
}

#[test]
fn what_is_read_is_what_was_signed() {
    let list = signed_by(&body(7, NOW).text().unwrap(), &[11]);
    let read = list.verify(&keys(1, &[11])).unwrap();
    assert_eq!(*read.nodes, NodeList::new(vec![record(1), record(2)]).unwrap());
    assert_eq!((read.header.sequence, read.header.previous), (7, Some([3; 32])));
    assert_eq!(read.header.times, ListTimes::starting(NOW, 7_200_000, 172_800_000));
    let mut altered = list.clone();
    altered.list = altered.list.replace("127.0.1.1", "127.0.9.1");
    assert_eq!(altered.verify(&keys(1, &[11])), Err(ListError::BadSignature));
    let mut renamed = list;
    renamed.signatures[0].key = hex::encode(key(12).verifying_key().as_bytes());
    assert_eq!(renamed.verify(&keys(1, &[12])), Err(ListError::BadSignature));
}

#[test]
fn a_bad_signature_beside_enough_good_ones_does_no_harm() {
    let mut list = signed_by(&body(7, NOW).text().unwrap(), &[11, 12, 13]);
    list.signatures[0].signature = list.signatures[1].signature.clone();
    list.verify(&keys(2, &[11, 12, 13])).unwrap();
    let too_few = ListError::TooFewSignatures { found: 2, needed: 3 };
    assert_eq!(list.verify(&keys(3, &[11, 12, 13])), Err(too_few));
}

#[test]
fn a_list_holds_for_its_time_alone() {
    let list = signed_by(&body(7, NOW).text().unwrap(), &[11]).read().unwrap();
    let check = |now| list.header.check_time(now);
    assert_eq!(check(NOW), Ok(()));
    assert_eq!(check(NOW - CLOCK_TOLERANCE), Ok(()));
    assert_eq!(check(NOW - CLOCK_TOLERANCE - 1), Err(ListError::NotYetValid));
    assert_eq!(check(NOW + 172_799_999), Ok(()));
    assert_eq!(check(NOW + 172_800_000), Err(ListError::Expired));
}

#[test]
fn no_list_is_followed_by_an_older_one_or_by_another_of_its_number() {
    let header = |sequence, valid_after| {
        signed_by(&body(sequence, valid_after).text().unwrap(), &[11]).read().unwrap().header
    };
    let seen = header(7, NOW);
    assert_eq!(header(7, NOW).check_follows(&seen), Ok(()));
    assert_eq!(header(8, NOW + 1).check_follows(&seen), Ok(()));
    assert_eq!(header(9, NOW).check_follows(&seen), Ok(()));
    assert_eq!(header(6, NOW + 1).check_follows(&seen), Err(ListError::RolledBack));
    assert_eq!(header(8, NOW - 1).check_follows(&seen), Err(ListError::RolledBack));
    assert_eq!(header(7, NOW + 1).check_follows(&seen), Err(ListError::Conflict));
}

#[test]
fn a_list_that_names_a_node_twice_is_refused() {
    assert_eq!(NodeList::new(vec![record(1), record(1)]), Err(ListError::Duplicate));
    let mut twice = body(7, NOW);
    twice.nodes.push(twice.nodes[0].clone());
    let list = UnverifiedList::sign(&twice, &key(11)).unwrap();
    assert_eq!(list.verify(&keys(1, &[11])), Err(ListError::Duplicate));
}

#[test]
fn keys_are_written_with_their_threshold_and_order_does_not_matter() {
    let hex = |seed| hex::encode(key(seed).verifying_key().as_bytes());
    let text = format!("2:{},{},{}", hex(1), hex(2), hex(3));
    let other = format!("2:{},{},{}", hex(3), hex(1), hex(2));
    let (read, same): (DirectoryKeys, DirectoryKeys) =
        (text.parse().unwrap(), other.parse().unwrap());
    assert_eq!((&read, read.id()), (&same, same.id()));
    assert_eq!(read.to_string().parse::<DirectoryKeys>().unwrap(), read);
    assert_eq!(hex(1).parse::<DirectoryKeys>().unwrap(), keys(1, &[1]));
    assert_ne!(keys(1, &[1, 2]).id(), keys(2, &[1, 2]).id());
    for (bad, error) in [
        ("ab".to_owned(), KeysError::Key),
        (format!("{},{}", hex(1), hex(2)), KeysError::Threshold),
        (format!("0:{}", hex(1)), KeysError::Threshold),
        (format!("3:{},{}", hex(1), hex(2)), KeysError::Threshold),
        (format!("x:{}", hex(1)), KeysError::Threshold),
        (format!("1:{},{}", hex(1), hex(1)), KeysError::Twice),
    ] {
        assert_eq!(bad.parse::<DirectoryKeys>(), Err(error), "{bad}");
    }
}

#[test]
fn a_descriptor_is_its_nodes_word_alone() {
    let signed = descriptor(1).sign(&key(1)).unwrap();
    assert_eq!(signed.verify().unwrap(), descriptor(1));
    assert!(descriptor(1).sign(&key(2)).is_err(), "a node signs for itself");
    let stolen = UnverifiedDescriptor {
        descriptor: signed
            .descriptor
            .replace(&descriptor(1).id.to_string(), &descriptor(2).id.to_string()),
        ..signed.clone()
    };
    assert_eq!(stolen.verify(), Err(ListError::BadSignature));
    let moved = UnverifiedDescriptor {
        descriptor: signed.descriptor.replace("127.0.1.1", "127.0.9.1"),
        ..signed
    };
    assert_eq!(moved.verify(), Err(ListError::BadSignature));
}

#[test]
fn a_vote_counts_from_an_authority_alone() {
    let finding = |seed: u8, reachable| Finding {
        node: descriptor(seed).id,
        reachable,
        descriptor: reachable.then(|| descriptor(seed).sign(&key(seed)).unwrap()),
    };
    let findings = vec![finding(1, true), finding(2, false)];
    let vote = UnverifiedVote::sign(7, NOW, findings.clone(), &key(11)).unwrap();
    let read = vote.verify(&keys(2, &[11, 12])).unwrap();
    assert_eq!((read.authority, read.sequence), (key(11).verifying_key(), 7));
    assert_eq!(read.findings, findings);
    assert_eq!(vote.verify(&keys(1, &[12])), Err(ListError::WrongKey));
    let mut claimed = vote;
    claimed.key = hex::encode(key(12).verifying_key().as_bytes());
    assert_eq!(claimed.verify(&keys(1, &[12])), Err(ListError::BadSignature));
    let twice = UnverifiedVote::sign(7, NOW, vec![finding(1, true), finding(1, false)], &key(11));
    assert_eq!(twice.unwrap().verify(&keys(1, &[11])), Err(ListError::Duplicate));
}

#[test]
fn only_authorities_ask_for_votes() {
    let (own, other) = (key(12).verifying_key(), key(13).verifying_key());
    let request = VoteRequest::sign(7, &own, &key(11)).unwrap();
    assert_eq!(request.verify(&keys(1, &[11]), &own).unwrap(), key(11).verifying_key());
    assert_eq!(request.verify(&keys(1, &[12]), &own), Err(ListError::WrongKey));
    assert_eq!(request.verify(&keys(1, &[11]), &other), Err(ListError::BadSignature), "passed on");
    let later = VoteRequest { sequence: 8, ..request };
    assert_eq!(later.verify(&keys(1, &[11]), &own), Err(ListError::BadSignature));
}

#[test]
fn a_proposal_is_read_only_as_its_authority_signed_it_for_its_receiver() {
    let (own, other) = (key(12).verifying_key(), key(13).verifying_key());
    let proposal = Proposal { list: "a".to_owned(), votes: Vec::new(), previous: None };
    let body = serde_json::to_vec(&proposal).unwrap();
    let head = ProposalHead::sign(7, sha256(&body), &own, &key(11)).unwrap();
    assert_eq!(head.verify(&keys(1, &[11]), &own).unwrap(), key(11).verifying_key());
    assert_eq!(head.open(&body).unwrap(), proposal);
    assert_eq!(head.open(b"[[[["), Err(ListError::BadSignature), "not parsed");
    assert_eq!(head.verify(&keys(1, &[12]), &own), Err(ListError::WrongKey));
    assert_eq!(head.verify(&keys(1, &[11]), &other), Err(ListError::BadSignature), "passed on");
    let later = ProposalHead { sequence: 8, ..head.clone() };
    assert_eq!(later.verify(&keys(1, &[11]), &own), Err(ListError::BadSignature));
    let another = ProposalHead { proposal: hex::encode(sha256(b"[[[[")), ..head };
    assert_eq!(another.verify(&keys(1, &[11]), &own), Err(ListError::BadSignature));
    assert_eq!(another.open(b"[[[["), Err(ListError::Malformed));
}

#[test]
fn a_list_beyond_the_most_bytes_is_not_read_whoever_brings_it() {
    let mut large = UnverifiedList { list: body(7, NOW).text().unwrap(), signatures: Vec::new() };
    large.read().unwrap();
    large.list.push_str(&" ".repeat(MAX_LIST_BYTES));
    assert_eq!(large.read().map(|_| ()), Err(ListError::Malformed));
}

#[test]
fn a_challenge_is_answered_by_the_node_alone() {
    let answer = Challenge([5; 32]).answer(&key(1)).unwrap();
    assert!(Challenge([5; 32]).is_answered_by(answer.as_bytes(), &descriptor(1).id));
    assert!(!Challenge([6; 32]).is_answered_by(answer.as_bytes(), &descriptor(1).id));
    assert!(!Challenge([5; 32]).is_answered_by(answer.as_bytes(), &descriptor(2).id));
    assert!(!Challenge([5; 32]).is_answered_by(b"", &descriptor(1).id));
}

#[test]
fn the_published_documents_are_read_and_written_alike() {
    let vectors: Json =
        serde_json::from_str(include_str!("../../../spec/vectors/directory.json")).unwrap();
    let written = serde_json::json!({
        "descriptor": descriptor(2).sign(&key(2)).unwrap(),
        "vote": UnverifiedVote::sign(7, NOW, vec![Finding {
            node: descriptor(2).id,
            reachable: true,
            descriptor: Some(descriptor(2).sign(&key(2)).unwrap()),
        }], &key(11)).unwrap(),
        "list": signed_by(&body(7, NOW).text().unwrap(), &[11, 12]),
        "list_sha256": hex::encode(
            signed_by(&body(7, NOW).text().unwrap(), &[11]).read().unwrap().header.hash
        ),
        "challenge": { "challenge": "05".repeat(32), "answer": Challenge([5; 32]).answer(&key(1)).unwrap() },
        "keys": { "written": keys(2, &[11, 12, 13]).to_string(), "id": hex::encode(keys(2, &[11, 12, 13]).id()) },
    });
    for (name, value) in written.as_object().unwrap() {
        assert_eq!(vectors[name], *value, "{name}: {written:#}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_document_or_an_error(text: String, bytes: Vec<u8>) {
        let pinned = keys(1, &[11]);
        let _ = text.parse::<DirectoryKeys>();
        let list = signed_by(&text, &[11]);
        prop_assert!(list.verify(&pinned).is_err());
        let signature = hex::encode(&bytes);
        let vote = UnverifiedVote { vote: text.clone(), key: signature.clone(), signature: signature.clone() };
        prop_assert!(vote.verify(&pinned).is_err());
        let descriptor = UnverifiedDescriptor { descriptor: text, signature };
        prop_assert!(descriptor.verify().is_err());
        let _ = serde_json::from_slice::<UnverifiedList>(&bytes);
    }

    #[test]
    fn one_altered_character_of_a_list_is_noticed(at: prop::sample::Index, flip in 1..=9_u8) {
        let list = signed_by(&body(7, NOW).text().unwrap(), &[11, 12]);
        let mut bytes = list.list.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(text) = String::from_utf8(bytes) {
            let altered = UnverifiedList { list: text, ..list };
            prop_assert!(altered.verify(&keys(1, &[11, 12])).is_err());
        }
    }

    #[test]
    fn only_pinned_signers_are_counted(signers in proptest::collection::vec(1..=9_u8, 0..9)) {
        let text = body(7, NOW).text().unwrap();
        let mut counted: Vec<VerifyingKey> = signers.iter().filter(|seed| **seed <= 5).map(|seed| key(*seed).verifying_key()).collect();
        counted.sort_unstable();
        counted.dedup();
        let believed = signed_by(&text, &signers).verify(&keys(3, &[1, 2, 3, 4, 5])).is_ok();
        prop_assert_eq!(believed, counted.len() >= 3);
    }

    #[test]
    fn descriptors_and_lists_read_back(seed in 1..=200_u8, port in 1..=u16::MAX, published: u64, sequence: u64, at in 0..u64::MAX / 2) {
        let descriptor = Descriptor { port, published, ..descriptor(seed) };
        prop_assert_eq!(descriptor.sign(&key(seed)).unwrap().verify().unwrap(), descriptor);
        let list = signed_by(&body(sequence, at).text().unwrap(), &[11]).read().unwrap();
        prop_assert_eq!((list.header.sequence, list.header.times.valid_after), (sequence, at));
    }
}
