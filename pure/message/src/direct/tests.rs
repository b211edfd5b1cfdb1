//! Checks that a message arrives whole, from the right person, or not at all.

use proptest::prelude::*;

use super::*;
use crate::attachment::pointer::Attachment;
use crate::content::body::Body;
use crate::content::config::ConfigKind;
use crate::content::data::{Data, What};
use crate::content::edit::Edit;
use crate::content::invitation::CommunityInvitation;
use crate::content::profile::Profile;
use crate::content::visible::Visible;
use crate::test_entropy::{Seeded, account};

const NOW: Millis = 1_750_000_000_123;

fn text(body: &str) -> Content {
    Content::text(body).unwrap()
}

fn data(body: &str) -> Data {
    Data::from(What::Visible(Visible::text(Body::new(body).unwrap())))
}

fn seal(sender: &Account, recipient: &Account, content: &Content) -> Result<Vec<u8>, SealError> {
    seal_direct(sender, &recipient.id(), content, NOW, NOW, &mut Seeded(5))
}

/// Seals content that our own types would not write.
fn seal_raw(sender: &Account, recipient: &Account, padded: &[u8]) -> Vec<u8> {
    let ephemeral = Secret::random(&mut Seeded(6));
    let sealed = sealed_v1::seal(sender, &recipient.id(), padded, ephemeral).unwrap();
    envelope::wrap(sealed, NOW)
}

#[test]
fn a_text_arrives_with_its_sender_and_time() {
    let (alice, bob) = (account(1), account(2));
    let content = Content::from(data("hello").with_profile(Profile::named("Alice")));
    let opened = open_direct(&bob, &seal(&alice, &bob, &content).unwrap()).unwrap();
    assert_eq!(opened.raw, content.encode(NOW));
    assert_eq!((opened.sender, opened.timestamp, opened.content), (alice.id(), NOW, content));
}

#[test]
fn a_copy_for_ones_own_devices_says_whom_it_was_written_to() {
    let (alice, bob) = (account(1), account(2));
    let copy = Content::from(data("hello").with_sync_target(bob.id()));
    let stored = seal(&alice, &alice, &copy).unwrap();
    assert_eq!(open_direct(&alice, &stored).unwrap().content, copy);
}

#[test]
fn a_text_that_claims_to_be_ones_own_is_refused_from_anyone_else() {
    let (mallory, bob, carol) = (account(4), account(2), account(3));
    let claim = Content::from(data("I, Bob").with_sync_target(carol.id()));
    let stored = seal(&mallory, &bob, &claim).unwrap();
    assert_eq!(open_direct(&bob, &stored), Err(OpenError::ForeignSyncTarget));
}

#[test]
fn deterministic_copies_are_equal_and_open_like_others() {
    let alice = account(1);
    let stored = seal_to_self_deterministic(&alice, &text("note"), NOW).unwrap();
    assert_eq!(stored, seal_to_self_deterministic(&alice, &text("note"), NOW).unwrap());
    assert_ne!(stored, seal_to_self_deterministic(&alice, &text("note"), NOW + 1).unwrap());
    let opened = open_direct(&alice, &stored).unwrap();
    assert_eq!((opened.sender, opened.content), (alice.id(), text("note")));
}

#[test]
fn nobody_but_the_recipient_opens_a_message() {
    let (alice, bob, carol) = (account(1), account(2), account(3));
    let stored = seal(&alice, &bob, &text("for bob")).unwrap();
    for other in [alice, carol] {
        assert_eq!(open_direct(&other, &stored), Err(OpenError::Seal(CryptoError)));
    }
}

#[test]
fn a_message_is_written_to_persons_only() {
    let mut group = *account(2).id().as_bytes();
    group[0] = 0x03;
    let group = AccountId::from_bytes(&group).unwrap();
    assert_eq!(
        seal_direct(&account(1), &group, &text("hi"), NOW, NOW, &mut Seeded(5)),
        Err(SealError::NotAPerson)
    );
}

#[test]
fn the_longest_content_fills_a_message_and_one_byte_more_is_too_long() {
    let (alice, bob) = (account(1), account(2));
    // More than can be typed: what else a message holds fills it as well.
    let seal_long = |length: usize| {
        let url = format!("https://community.example/{}", "x".repeat(length));
        let invitation = CommunityInvitation::new(url, "").unwrap();
        seal(&alice, &bob, &Data::from(What::Invitation(invitation)).into())
    };
    let (mut fits, mut too_long) = (1, MAX_DATA_BYTES);
    while too_long - fits > 1 {
        let middle = fits.midpoint(too_long);
        match seal_long(middle) {
            Ok(_) => fits = middle,
            Err(_) => too_long = middle,
        }
    }
    assert!(MAX_DATA_BYTES - seal_long(fits).unwrap().len() < 160);
    let Err(SealError::TooLong { size, limit }) = seal_long(too_long) else {
        panic!("{too_long} bytes must not fit");
    };
    assert_eq!(limit, 76_800);
    assert!(size > limit && size <= limit + 160, "{size}");
}

#[test]
fn lengths_within_a_block_look_alike() {
    let (alice, bob) = (account(1), account(2));
    let length = |body: &str| seal(&alice, &bob, &text(body)).unwrap().len();
    assert_eq!(length("y"), length("yes, and you?"));
}

#[test]
fn the_envelopes_time_is_believed_only_where_the_content_has_none() {
    let (alice, bob) = (account(1), account(2));
    let padded = padding::pad(text("hi").encode(7));
    assert_eq!(open_direct(&bob, &seal_raw(&alice, &bob, &padded)).unwrap().timestamp, 7);
    // Field 500, a string: content of a later version.
    let padded = padding::pad(hex::decode("a21f026869").unwrap());
    assert_eq!(open_direct(&bob, &seal_raw(&alice, &bob, &padded)).unwrap().timestamp, NOW);
}

#[test]
fn signed_nonsense_is_an_error() {
    let (alice, bob) = (account(1), account(2));
    let open = |padded: &[u8]| open_direct(&bob, &seal_raw(&alice, &bob, padded));
    assert_eq!(open(&[0; 159]), Err(OpenError::Padding));
    assert_eq!(open(b"\xff\xff"), Err(OpenError::Content(ContentError::Malformed)));
}

#[test]
fn altering_any_byte_leaves_the_message_as_it_was_or_closed() {
    let (alice, bob) = (account(1), account(2));
    let stored = seal(&alice, &bob, &text("hello")).unwrap();
    let opened = open_direct(&bob, &stored).unwrap();
    let sealed_len = 303;
    let sealed_at = stored.len() - sealed_len - 2; // behind it stands the request id, 20 00
    for at in 0..stored.len() {
        let mut altered = stored.clone();
        altered[at] ^= 0x01;
        match open_direct(&bob, &altered) {
            Err(_) => {}
            // Verb, path, request id and the envelope's time are signed by nobody and not used.
            Ok(again) => {
                assert_eq!(again, opened);
                assert!(at < sealed_at || at >= sealed_at + sealed_len, "byte {at}");
            }
        }
    }
}

/// One random change of a packet: bytes flipped, cut off, put in, or repeated.
fn mutate(packet: &mut Vec<u8>, random: &mut Seeded) {
    let at = random.below(packet.len());
    let end = at + random.below(packet.len() - at);
    match random.below(6) {
        0 => packet[at] ^= 1 << random.below(8),
        1 => packet.truncate(at),
        2 => packet.insert(at, random.next().to_le_bytes()[0]),
        3 => {
            let slice = packet[at..end].to_vec();
            packet.splice(at..at, slice);
        }
        4 => {
            packet.drain(at..end);
        }
        _ => {
            let slice = packet[at..end].to_vec();
            packet.extend(slice);
        }
    }
}

#[test]
fn mutated_messages_never_panic_nor_say_anything_else() {
    let (alice, bob) = (account(1), account(2));
    let mut random = Seeded(20_260_101);
    let stored = seal(&alice, &bob, &text("hello")).unwrap();
    let opened = open_direct(&bob, &stored).unwrap();
    for _ in 0..4_000 {
        let mut packet = stored.clone();
        for _ in 0..=random.below(3) {
            if !packet.is_empty() {
                mutate(&mut packet, &mut random);
            }
        }
        if let Ok(again) = open_direct(&bob, &packet) {
            assert_eq!(again, opened);
        }
    }
}

#[test]
fn mutated_content_of_an_honest_sender_never_panics_and_stays_theirs() {
    let (alice, bob) = (account(1), account(2));
    let mut random = Seeded(7);
    let content = Content::from(data("hello").with_profile(Profile::named("Alice")));
    for _ in 0..2_000 {
        let mut padded = padding::pad(content.encode(NOW));
        mutate(&mut padded, &mut random);
        if let Ok(opened) = open_direct(&bob, &seal_raw(&alice, &bob, &padded)) {
            assert_eq!(opened.sender, alice.id());
        }
    }
}

#[test]
fn a_message_is_not_printed_by_debug() {
    let (alice, bob) = (account(1), account(2));
    let opened = open_direct(&bob, &seal(&alice, &bob, &text("secret")).unwrap()).unwrap();
    assert_eq!(format!("{opened:?}"), "OpenedMessage(Visible(6 bytes, 0 files))");
}

proptest! {
    #[test]
    fn texts_arrive_as_they_were_written(body in ".+", timestamp: Millis, seed: u64) {
        let (alice, bob) = (account(1), account(2));
        let content = text(&body);
        let stored =
            seal_direct(&alice, &bob.id(), &content, timestamp, timestamp, &mut Seeded(seed)).unwrap();
        let opened = open_direct(&bob, &stored).unwrap();
        prop_assert_eq!(opened.sender, alice.id());
        prop_assert_eq!(opened.timestamp, timestamp);
        prop_assert_eq!(opened.content, content);
    }

    #[test]
    fn any_bytes_open_to_an_error(bytes: Vec<u8>) {
        prop_assert!(open_direct(&account(2), &bytes).is_err());
    }
}

#[test]
fn the_time_on_the_envelope_may_differ_from_the_time_under_the_seal() {
    let (alice, bob) = (account(1), account(2));
    let stored =
        seal_direct(&alice, &bob.id(), &text("hi"), NOW, NOW - 7_000, &mut Seeded(5)).unwrap();
    assert_eq!(envelope::unwrap(&stored).unwrap().timestamp, Some(NOW - 7_000));
    assert_eq!(open_direct(&bob, &stored).unwrap().timestamp, NOW);
}

#[test]
fn a_file_of_ones_own_says_whom_it_was_sent_to() {
    let (alice, bob) = (account(1), account(2));
    let file = Visible::files(None, vec![Attachment::default()]).unwrap();
    let content = Data::from(What::Visible(file)).with_sync_target(bob.id()).into();
    let copy = seal_direct(&alice, &alice.id(), &content, NOW, NOW, &mut Seeded(5)).unwrap();
    assert_eq!(open_direct(&alice, &copy).unwrap().sync_target, Some(bob.id()));
    let forged = seal_direct(&bob, &alice.id(), &content, NOW, NOW, &mut Seeded(5)).unwrap();
    assert_eq!(open_direct(&alice, &forged), Err(OpenError::ForeignSyncTarget));
}

#[test]
fn nobody_edits_what_another_said() {
    let (alice, bob) = (account(1), account(2));
    for (author, edited) in [(alice.id(), true), (bob.id(), false)] {
        let edit = Edit { original: 5, author, body: Body::new("new").unwrap() };
        let stored = seal(&alice, &bob, &Data::from(What::Edit(edit)).into()).unwrap();
        let opened = open_direct(&bob, &stored).unwrap();
        assert_eq!(opened.content.body(), Some("new"));
        let Kind::Data(data) = opened.content.kind else { panic!("no data") };
        assert_eq!(matches!(data.what, What::Edit(_)), edited);
    }
}

#[derive(serde::Deserialize)]
struct Vectors {
    config: Vec<Vector>,
}

#[derive(serde::Deserialize)]
struct Vector {
    seed: String,
    stored: String,
}

#[test]
fn a_configuration_message_of_an_old_client_opens() {
    let vectors = include_str!("../../../../spec/vectors/message-v1.json");
    for vector in serde_json::from_str::<Vectors>(vectors).unwrap().config {
        let seed = Secret::from_slice(&hex::decode(vector.seed).unwrap()).unwrap();
        let account = Account::from_seed32(seed).unwrap();
        let stored = hex::decode(vector.stored).unwrap();
        let opened = open_direct(&account, &stored).unwrap();
        assert_eq!(opened.sender, account.id());
        let Kind::Config(config) = opened.content.kind else { panic!("no configuration") };
        assert_eq!(config.kind, ConfigKind::UserProfile);
        assert!(!config.data.is_empty());
    }
}

#[test]
fn devices_wrap_a_configuration_message_in_the_same_bytes() {
    let alice = account(1);
    let config = SharedConfig {
        kind: ConfigKind::Contacts,
        seqno: 1,
        data: b"Hello from the other side".to_vec(),
    };
    let stored = seal_config(&alice, config.clone()).unwrap();
    assert_eq!(stored, seal_config(&alice, config.clone()).unwrap());
    let opened = open_direct(&alice, &stored).unwrap();
    assert_eq!((opened.sender, opened.timestamp), (alice.id(), 1));
    assert_eq!(opened.content, Content::from(Kind::Config(config)));
    // libsession writes no time under the seal, and pads with the mark alone.
    assert_eq!(
        hex::encode(&opened.raw),
        format!("5a1f080210011a19{}", hex::encode("Hello from the other side"))
    );
    let sealed = envelope::unwrap(&stored).unwrap().sealed;
    assert_eq!(sealed.len(), opened.raw.len() + 1 + sealed_v1::OVERHEAD_BYTES);
    for at in 0..stored.len() {
        let mut altered = stored.clone();
        altered[at] ^= 0x01;
        if let Ok(again) = open_direct(&alice, &altered) {
            assert_eq!(again.raw, opened.raw, "byte {at}");
        }
    }
}

/// `test_config_determinism.cpp` of libsession-util: BLAKE2b-32 of what `wrap_config` makes.
#[test]
fn configurations_are_wrapped_into_the_bytes_that_other_clients_write() {
    let seed = hex::decode("0123456789abcdef0123456789abcdef").unwrap();
    let seed = Secret::from_slice(&[seed, vec![0; 16]].concat()).unwrap();
    let account = Account::from_seed32(seed).unwrap();
    for (kind, digest) in [
        (
            ConfigKind::UserProfile,
            "e5bcbe0595e82d55e80079dc9cf8c8b6952c099ee8306c413833e0eecd45ce03",
        ),
        (ConfigKind::Contacts, "1573a2e233008a47f445a8f1b328fe37bcd49450c94b743202b68902a1a94a89"),
        (
            ConfigKind::ConvoInfoVolatile,
            "121dabefb251fa586c14f7e9c82590361c2db4efcb9817771bb4d9b0aaba9362",
        ),
        (
            ConfigKind::UserGroups,
            "b78bd9b62719db76ff7a9ec59eef3de0b4aaee4e4d55b515f70b04d674f8b8a9",
        ),
    ] {
        let data = b"Hello from the other side".to_vec();
        let wrapped = seal_config(&account, SharedConfig { kind, seqno: 1, data }).unwrap();
        let found: [u8; 32] = warren_crypto::hash::blake2b(&[&wrapped]).unwrap();
        assert_eq!(hex::encode(found), digest, "{kind:?}");
    }
}
