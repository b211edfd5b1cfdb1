//! Checks that every kind of content is read as it was written, and that nothing is lost.

use proptest::prelude::*;
use warren_account::mnemonic::Seed;
use warren_account::shares;
use warren_crypto::Secret;
use warren_lock::tripwire::order::Action;
use warren_lock::tripwire::{Order, SetId, Verifier};

use super::config::ConfigKind;
use super::edit::Edit;
use super::invitation::CommunityInvitation;
use super::notice::CallStep;
use super::pro::ProProof;
use super::profile::{Picture, Profile};
use super::reaction::{Emoji, Reaction};
use super::share::CarriedShare;
use super::tripwire::{CarriedOrder, Offer};
use super::visible::{MAX_ATTACHMENTS, Preview, Quote};
use super::*;
use crate::attachment::pointer::{Attachment, FileKey, RemoteFile};
use crate::attachment::url::FileUrl;
use crate::expiration::{Mode, Timer};
use crate::test_entropy::{Seeded, account};

mod groups;

fn data(message: proto::DataMessage) -> Vec<u8> {
    proto::Content { data_message: Some(message), ..Default::default() }.encode_to_vec()
}

fn decoded(raw: &[u8]) -> Content {
    Content::decode(raw).unwrap().0
}

fn assert_unknown(raw: &[u8]) {
    let content = decoded(raw);
    assert!(matches!(content.kind, Kind::Unknown(_)), "{content:?}");
    assert_eq!(content.encode(9), raw, "kept as it came");
}

/// What a Session client sends never has the field, and what this one cannot read is kept whole.
#[test]
fn a_share_that_is_none_is_unknown_and_none_is_printed() {
    use proto::warren_share::Type;
    let message = |kind: Type, words: &str, set: &str| {
        let share = proto::WarrenShare {
            r#type: Some(kind.into()),
            words: Some(words.to_owned()),
            set: Some(set.to_owned()),
            number: Some(300),
            account: Some("05".to_owned()),
        };
        proto::Content { warren_share: Some(share), ..Default::default() }.encode_to_vec()
    };
    assert_unknown(&message(Type::Keep, "shadow pistol academic", "shadow pistol"));
    assert_unknown(&message(Type::Return, "", "shadow pistol"));
    assert_unknown(&message(Type::Ask, "", ""));
    assert_unknown(&message(Type::Kept, "", "shadow pistol"));
    assert_unknown(&message(Type::Kept, "", "\u{202e}"));
    let words = "shadow pistol academic always adequate wildlife fancy gross oasis cylinder mustang \
                 wrist rescue view short owner flip making coding armed";
    let content = decoded(&message(Type::Keep, words, ""));
    assert_eq!(format!("{content:?}"), "Share(Keep)");
}

#[test]
fn a_word_about_a_tripwire_that_is_none_is_unknown_and_none_is_printed() {
    use proto::warren_tripwire::Type;
    let message = |kind: Type, share: &[u8], device: &str| {
        let tripwire = proto::WarrenTripwire {
            r#type: Some(kind.into()),
            share: Some(share.to_vec()),
            inbox: Some(format!("05{}", "ab".repeat(32))),
            device: Some(device.to_owned()),
            set: Some(vec![1; 7]),
            number: Some(256),
            at: None,
            order: Some(vec![2; 44]),
        };
        proto::Content { warren_tripwire: Some(tripwire), ..Default::default() }.encode_to_vec()
    };
    let (_, shares) = Verifier::draw(1, 1, &mut Seeded(1)).unwrap();
    let share = shares[0].encode();
    assert_unknown(&message(Type::Offer, &share.expose()[1..], "phone"));
    assert_unknown(&message(Type::Offer, share.expose(), &"x".repeat(65)));
    for kind in [Type::Taken, Type::Declined, Type::Revoked, Type::Tested, Type::Order] {
        assert_unknown(&message(kind, share.expose(), "phone"));
    }
    let content = decoded(&message(Type::Offer, share.expose(), "phone"));
    assert_eq!(format!("{content:?}"), "Tripwire(Offer)");
}

#[test]
fn a_file_without_a_word_is_a_message() {
    let raw = data(proto::DataMessage {
        body: Some(String::new()),
        attachments: vec![proto::AttachmentPointer { id: Some(7), ..Default::default() }],
        timestamp: Some(5),
        ..Default::default()
    });
    let (content, timestamp) = Content::decode(&raw).unwrap();
    assert_eq!((content.body(), timestamp), (None, Some(5)));
    assert_eq!(format!("{content:?}"), "Visible(0 bytes, 1 files)");
}

#[test]
fn more_files_than_one_message_holds_are_not_sent_and_yet_read() {
    let files = vec![Attachment::default(); MAX_ATTACHMENTS + 1];
    let error = ContentError::TooManyAttachments { count: 33, limit: 32 };
    assert_eq!(Visible::files(None, files), Err(error));
    assert_eq!(Visible::files(None, Vec::new()), Err(ContentError::EmptyText));
    let attachments = vec![proto::AttachmentPointer::default(); 40];
    let raw = data(proto::DataMessage { attachments, ..Default::default() });
    assert!(matches!(decoded(&raw).kind, Kind::Data(_)));
}

#[test]
fn a_text_longer_than_can_be_written_is_read() {
    let body = Some("x".repeat(20_000));
    let raw = data(proto::DataMessage { body: body.clone(), ..Default::default() });
    assert_eq!(decoded(&raw).body(), body.as_deref());
    assert!(matches!(Content::text("x".repeat(20_000)), Err(ContentError::TextTooLong { .. })));
}

#[test]
fn fields_of_a_later_version_do_no_harm_to_a_known_message() {
    // A text, and fields 500 of the data message and of the content, strings both.
    let mut message = data(proto::DataMessage { body: Some("hi".into()), ..Default::default() });
    message.extend(hex::decode("a21f026869").unwrap());
    assert_eq!(decoded(&message).body(), Some("hi"));
    let raw = hex::decode("0a090a026869a21f026869").unwrap();
    assert_eq!(decoded(&raw).body(), Some("hi"));
}

#[test]
fn what_this_version_cannot_read_is_kept_as_it_came() {
    assert_unknown(&[]);
    assert_unknown(&hex::decode("a21f026869").unwrap());
    assert_unknown(&data(proto::DataMessage::default()));
    // Flags that nobody has defined; an action that is none; a call step that is none.
    let body = Some("hi".to_owned());
    assert_unknown(&data(proto::DataMessage { flags: Some(4), body, ..Default::default() }));
    let typing = proto::TypingMessage { action: Some(7), ..Default::default() };
    let raw = proto::Content { typing_message: Some(typing), ..Default::default() };
    assert_unknown(&raw.encode_to_vec());
    let call = proto::CallMessage { r#type: Some(77), ..Default::default() };
    let raw = proto::Content { call_message: Some(call), ..Default::default() };
    assert_unknown(&raw.encode_to_vec());
}

#[test]
fn a_text_to_be_filed_under_no_id_is_not_shown_as_a_text() {
    assert_unknown(&data(proto::DataMessage {
        body: Some("hi".into()),
        sync_target: Some("nobody".into()),
        ..Default::default()
    }));
}

#[test]
fn unknown_content_of_ones_own_says_whom_it_was_sent_to() {
    let peer = account(2).id();
    let raw = data(proto::DataMessage {
        sync_target: Some(peer.to_string()),
        flags: Some(64),
        ..Default::default()
    });
    assert_unknown(&raw);
    assert_eq!(decoded(&raw).sync_target(), Some(peer));
}

#[test]
fn a_bad_quote_or_preview_does_not_cost_the_text() {
    let quote = proto::data_message::Quote { author: Some("?".into()), ..Default::default() };
    let raw = data(proto::DataMessage {
        body: Some("hi".into()),
        quote: Some(quote),
        preview: vec![proto::data_message::Preview::default()],
        ..Default::default()
    });
    assert_eq!(decoded(&raw), Content::text("hi").unwrap());
}

#[test]
fn the_signed_time_of_the_content_goes_before_that_of_the_data_message() {
    let message =
        proto::DataMessage { body: Some("hi".into()), timestamp: Some(1), ..Default::default() };
    let mut content = proto::Content { data_message: Some(message), ..Default::default() };
    assert_eq!(Content::decode(&content.encode_to_vec()).unwrap().1, Some(1));
    content.sig_timestamp = Some(2);
    assert_eq!(Content::decode(&content.encode_to_vec()).unwrap().1, Some(2));
}

#[test]
fn that_nothing_disappears_is_spelled_out_where_something_could() {
    let off = Content::from(Data::from(What::TimerUpdate)).encode(9);
    let content = proto::Content::decode(off.as_slice()).unwrap();
    assert_eq!((content.expiration_type, content.expiration_timer), (Some(0), Some(0)));
    assert_eq!(decoded(&off).expiration, None);
    let typing = Content::from(Kind::Typing(Typing::Started)).encode(9);
    assert_eq!(proto::Content::decode(typing.as_slice()).unwrap().expiration_type, None);
}

#[test]
fn a_client_without_edits_shows_the_new_text_as_an_answer_to_the_old() {
    let edit = Edit { original: 5, author: account(1).id(), body: Body::new("new").unwrap() };
    let raw = Content::from(Data::from(What::Edit(edit.clone()))).encode(9);
    let mut seen = proto::Content::decode(raw.as_slice()).unwrap();
    let message = seen.data_message.as_mut().unwrap();
    assert_eq!(message.replaces.take(), Some(5));
    let expected = Content::from(Data::from(What::Visible(edit.as_visible())));
    assert_eq!(decoded(&seen.encode_to_vec()), expected);
    assert_eq!(expected.body(), Some("new"));
}

#[test]
fn an_edit_that_contradicts_itself_is_a_message_of_its_own() {
    let edit = Edit { original: 5, author: account(1).id(), body: Body::new("new").unwrap() };
    let raw = Content::from(Data::from(What::Edit(edit))).encode(9);
    let mut content = proto::Content::decode(raw.as_slice()).unwrap();
    content.data_message.as_mut().unwrap().replaces = Some(6);
    let Kind::Data(data) = decoded(&content.encode_to_vec()).kind else { panic!("no data") };
    assert!(matches!(data.what, What::Visible(_)));
}

#[test]
fn an_emoji_is_short_and_not_blank() {
    for text in ["👍", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "x"] {
        assert!(Emoji::new(text).is_ok(), "{text}");
    }
    for text in ["", " ", "\u{7}", &"👍".repeat(17)] {
        assert_eq!(Emoji::new(text), Err(ContentError::NotAnEmoji));
    }
}

#[test]
fn nodes_keep_each_kind_as_long_as_it_is_of_use() {
    let second = warren_wire::limits::SECOND;
    assert_eq!(Content::from(Kind::Typing(Typing::Started)).ttl(), 20 * second);
    let config = SharedConfig { kind: ConfigKind::Contacts, seqno: 1, data: vec![] };
    assert_eq!(Content::from(Kind::Config(config)).ttl(), 30 * warren_wire::limits::DAY);
    let mut text = Content::text("hi").unwrap();
    assert_eq!(text.ttl(), 14 * warren_wire::limits::DAY);
    let timer = Timer::seconds(43_200).unwrap();
    text.expiration = Some(Expiration { mode: Mode::AfterSend, timer });
    assert_eq!(text.ttl(), 43_200 * second);
}

#[test]
fn what_is_said_is_not_printed_by_debug() {
    let text = Content::text("secret").unwrap();
    assert_eq!(format!("{text:?}"), "Visible(6 bytes, 0 files)");
    let seen = Kind::Receipt(Receipt { read: true, messages: vec![1_750_000_000_000] });
    assert_eq!(format!("{seen:?}"), "Receipt(..)");
}

// ---- Every kind, with anything in it --------------------------------------------------------

fn id() -> impl Strategy<Value = AccountId> {
    (0_u64..8).prop_map(|seed| account(seed).id())
}

fn profile() -> impl Strategy<Value = Option<Profile>> {
    let picture = proptest::option::of(("[!-~]{1,223}", any::<[u8; 32]>()))
        .prop_map(|of| of.and_then(|(url, mut key)| Picture::new(url, Secret::take(&mut key))));
    let name = proptest::option::of(".{1,120}");
    proptest::option::of((name, picture, any::<Option<u64>>()).prop_map(
        |(name, picture, updated)| {
            let name = name.and_then(|name| profile::DisplayName::cut(&name));
            Profile { name, picture, updated }
        },
    ))
}

fn attachment() -> impl Strategy<Value = Attachment> {
    let key = prop_oneof![
        any::<[u8; 32]>().prop_map(|mut key| FileKey::Stream(Secret::take(&mut key))),
        (any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(half, digest)| {
            let keys = Secret::from_slice(&[half, half].concat()).unwrap();
            FileKey::Legacy { keys, digest }
        }),
    ];
    let file = proptest::option::of(("[0-9a-zA-Z_-]{1,44}", key)).prop_map(|file| {
        file.map(|(name, key)| {
            RemoteFile::new(&FileUrl::new("http://files.example", &name, None).unwrap(), key)
        })
    });
    let texts = (any::<Option<String>>(), any::<Option<String>>(), any::<Option<String>>());
    let more = (
        any::<Option<u32>>(),
        any::<bool>(),
        any::<Option<(u32, u32)>>(),
        any::<Option<Vec<u8>>>(),
    );
    (file, texts, more).prop_map(
        |(file, (media_type, file_name, caption), (size, voice, dimensions, thumbnail))| {
            Attachment { file, media_type, file_name, caption, size, voice, dimensions, thumbnail }
        },
    )
}

fn visible() -> impl Strategy<Value = Visible> {
    let attachments = proptest::collection::vec(attachment(), 0..3);
    let quote = proptest::option::of((any::<u64>(), id(), any::<Option<String>>()));
    let previews = proptest::collection::vec((".+", any::<Option<String>>(), attachment()), 0..2);
    let body = proptest::option::of(".{1,200}");
    (body, attachments, quote, previews).prop_map(|(body, attachments, quote, previews)| {
        let body = match body {
            None if attachments.is_empty() => Some("hi".to_owned()),
            body => body,
        };
        let body = body.map(|body| Body::new(body).unwrap());
        let mut visible = Visible::files(body, attachments).unwrap();
        if let Some((to, author, text)) = quote {
            visible = visible.with_quote(Quote { text, ..Quote::of(to, author) });
        }
        previews.into_iter().fold(visible, |visible, (url, title, image)| {
            let mut preview = Preview::new(url).unwrap();
            (preview.title, preview.image) = (title, Some(image));
            visible.with_preview(preview)
        })
    })
}

fn what() -> impl Strategy<Value = What> {
    let edit = (any::<u64>(), id(), ".{1,50}").prop_map(|(original, author, body)| {
        What::Edit(Edit { original, author, body: Body::new(body).unwrap() })
    });
    let reaction = (any::<u64>(), id(), "[a-z👍❤]{1,8}", any::<bool>()).prop_map(
        |(to, author, emoji, removed)| {
            What::Reaction(Reaction { to, author, emoji: Emoji::new(emoji).unwrap(), removed })
        },
    );
    let invitation = (".+", any::<String>())
        .prop_map(|(url, name)| What::Invitation(CommunityInvitation::new(url, name).unwrap()));
    prop_oneof![
        visible().prop_map(What::Visible),
        edit,
        reaction,
        Just(What::TimerUpdate),
        invitation,
        groups::update().prop_map(What::Group),
    ]
}

fn call() -> impl Strategy<Value = Kind> {
    let step = prop_oneof![
        Just(CallStep::PreOffer),
        Just(CallStep::Offer),
        Just(CallStep::Answer),
        Just(CallStep::ProvisionalAnswer),
        Just(CallStep::IceCandidates),
        Just(CallStep::EndCall),
    ];
    let lists = (any::<Vec<String>>(), any::<Vec<u32>>(), any::<Vec<String>>());
    (step, any::<String>(), lists).prop_map(|(step, uuid, (sdps, sdp_line_indexes, sdp_mids))| {
        Kind::Call(Call { step, uuid, sdps, sdp_line_indexes, sdp_mids })
    })
}

fn carried() -> impl Strategy<Value = CarriedShare> {
    (any::<u64>(), 2_u8..=4).prop_map(|(random, threshold)| {
        let entropy = &mut Seeded(random);
        let seed = Seed::Short(Secret::random(entropy));
        let shares = shares::split(&seed, threshold, 4, entropy).unwrap();
        CarriedShare::new(&shares[2])
    })
}

fn share() -> impl Strategy<Value = Kind> {
    prop_oneof![
        carried().prop_map(ShareMessage::Keep),
        carried().prop_map(ShareMessage::Return),
        id().prop_map(|account| ShareMessage::Ask { account }),
        ("[a-z]{4,8} [a-z]{4,8}", any::<u8>())
            .prop_map(|(set, number)| ShareMessage::Kept { set, number }),
    ]
    .prop_map(Kind::Share)
}

fn tripwire() -> impl Strategy<Value = Kind> {
    let drawn = (any::<u64>(), 1_u8..=8).prop_map(|(random, count)| {
        let (_, shares) = Verifier::draw(1, count, &mut Seeded(random)).unwrap();
        shares.into_iter().last().unwrap()
    });
    let about = (any::<[u8; 8]>().prop_map(SetId), any::<u8>(), any::<u64>());
    let name = "[ -~]{0,64}";
    (drawn, id(), name, about, 0..7).prop_map(|(share, inbox, name, (set, number, at), which)| {
        let order = |action| TripwireMessage::Order(CarriedOrder(Order::of(&share, action)));
        Kind::Tripwire(match which {
            0 => order(Action::Wipe),
            1 => order(Action::Test),
            2 => TripwireMessage::Taken { set, number },
            3 => TripwireMessage::Declined { set, number },
            4 => TripwireMessage::Revoked { set },
            5 => TripwireMessage::Tested { set, number, at },
            _ => TripwireMessage::Offer(Offer::new(share, inbox, &name)),
        })
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    let data = (what(), profile(), proptest::option::of(id()), any::<Option<bool>>()).prop_map(
        |(what, profile, sync_target, blocks_community_requests)| {
            Kind::Data(Box::new(Data { what, profile, sync_target, blocks_community_requests }))
        },
    );
    let config_kind = prop_oneof![
        Just(ConfigKind::UserProfile),
        Just(ConfigKind::Contacts),
        Just(ConfigKind::ConvoInfoVolatile),
        Just(ConfigKind::UserGroups),
    ];
    prop_oneof![
        6 => data,
        1 => any::<bool>().prop_map(|on| Kind::Typing(if on { Typing::Started } else { Typing::Stopped })),
        1 => (any::<bool>(), any::<Vec<u64>>()).prop_map(|(read, messages)| Kind::Receipt(Receipt { read, messages })),
        1 => (any::<u64>(), id()).prop_map(|(message, author)| Kind::Unsend(Unsend { message, author })),
        1 => (any::<bool>(), profile()).prop_map(|(approved, profile)| Kind::RequestResponse(RequestResponse { approved, profile })),
        1 => Just(Kind::Extraction(Extraction::Screenshot)),
        1 => any::<Option<u64>>().prop_map(|sent| Kind::Extraction(Extraction::MediaSaved(sent))),
        1 => call(),
        1 => share(),
        1 => tripwire(),
        1 => (config_kind, any::<i64>(), any::<Vec<u8>>()).prop_map(|(kind, seqno, data)| Kind::Config(SharedConfig { kind, seqno, data })),
    ]
}

fn expiration() -> impl Strategy<Value = Option<Expiration>> {
    let mode = prop_oneof![Just(Mode::AfterRead), Just(Mode::AfterSend)];
    proptest::option::of(
        (mode, 1_u32..).prop_map(|(mode, seconds)| Expiration {
            mode,
            timer: Timer::seconds(seconds).unwrap(),
        }),
    )
}

fn pro() -> impl Strategy<Value = Option<Pro>> {
    let bytes = || any::<Option<Vec<u8>>>();
    let proof = (bytes(), bytes(), any::<Option<u64>>(), bytes());
    let pro = (proptest::option::of(proof), any::<Option<u64>>(), any::<Option<u64>>(), bytes());
    proptest::option::of(pro.prop_map(|(proof, profile_features, message_features, signature)| {
        let proof = proof.map(|(revocation_tag, rotating_key, expires, signature)| ProProof {
            revocation_tag,
            rotating_key,
            expires,
            signature,
        });
        Pro { proof, profile_features, message_features, community_signature: signature }
    }))
}

proptest! {
    #[test]
    fn every_kind_survives_being_written_and_read(
        kind in kind(),
        expiration in expiration(),
        pro in pro(),
        timestamp: Millis,
    ) {
        let content = Content { kind, expiration, pro };
        let says_no_time = matches!(content.kind, Kind::Config(_));
        let (read, time) = Content::decode(&content.encode(timestamp)).unwrap();
        prop_assert_eq!(time, (!says_no_time).then_some(timestamp));
        // Not by the message of an assertion: Debug hides what differs.
        prop_assert!(read == content, "{:?} was read as {:?}", content, read);
    }

    #[test]
    fn any_bytes_read_as_content_or_an_error(bytes: Vec<u8>) {
        if let Ok((Content { kind: Kind::Unknown(unknown), .. }, _)) = Content::decode(&bytes) {
            prop_assert_eq!(unknown.raw(), bytes);
        }
    }

    #[test]
    fn altered_content_reads_as_content_or_an_error(
        kind in kind(),
        at: proptest::sample::Index,
        bit in 0_u8..8,
        cut: proptest::sample::Index,
    ) {
        let mut raw = Content::from(kind).encode(1_750_000_000_000);
        let (at, length) = (at.index(raw.len()), cut.index(raw.len()) + 1);
        raw[at] ^= 1 << bit;
        for bytes in [&raw[..], &raw[..length]] {
            if let Ok((content, _)) = Content::decode(bytes) {
                let again = decoded(&content.encode(1));
                prop_assert!(again == content, "{:?} was read as {:?}", content, again);
            }
        }
    }
}
