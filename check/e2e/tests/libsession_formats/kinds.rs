//! What our kinds of configuration hold, libsession's kinds read whole and write the same.
//!
//! Groups are left out where they stand by id: the library for Rust wants ids without their prefix
//! there, and Session's clients write them with it (`src/config/user_groups.cpp`).

use std::collections::BTreeMap;

use serde_json::json;
use warren_config::group_members::{GroupMembers, Member, Sending};
use warren_config::user_groups::{Community, LegacyGroup, Membership};
use warren_config::{
    Contact, Contacts, Conversation, ConversationId, ConvoInfoVolatile, Expiration, GroupInfo,
    Notify, ProfilePicture, Room, Signing, Synced, UserGroups, UserProfile,
};
use warren_crypto::ed25519::SigningKey;
use warren_e2e::Libsession;
use warren_wire::AccountId;

use super::{NOW, libsession, random, secret, to_json};

const NAME: &str = "\u{1f407} Rabbit";

/// Has libsession's kind read the configuration and write what it knows of it.
async fn assert_known_whole(libsession: &mut Libsession, config: &dyn Synced) {
    let (domain, ours) = (config.config().kind().domain, to_json(config.config().data()));
    let reload = json!({ "command": "config_reload", "domain": domain, "tree": ours });
    assert_eq!(libsession.ask(reload).await, ours, "{domain}");
}

fn id(prefix: &str) -> AccountId {
    format!("{prefix}{}", hex::encode(random::<32>())).parse().unwrap()
}

fn picture() -> Option<ProfilePicture> {
    Some(ProfilePicture { url: "http://example.org/file/1".to_owned(), key: secret(random()) })
}

#[tokio::test]
async fn profiles_and_contacts() {
    let mut libsession = libsession();
    let mut profile = UserProfile::new(secret(random())).unwrap();
    profile.set_name(NAME, NOW).unwrap();
    assert_known_whole(&mut libsession, &profile).await;
    profile.set_picture(picture().as_ref(), NOW).unwrap();
    profile.set_note_to_self_priority(-1).unwrap();
    profile.set_note_to_self_timer(Some(3_600)).unwrap();
    for wanted in [Some(true), Some(false), None] {
        profile.set_blinded_requests(wanted, NOW).unwrap();
        assert_known_whole(&mut libsession, &profile).await;
    }

    let mut contacts = Contacts::new(secret(random())).unwrap();
    contacts.set(&Contact::new(id("05"))).unwrap();
    for (number, notify) in (1_i32..).zip([Notify::Default, Notify::All, Notify::Nothing]) {
        for expiration in [Expiration::Off, Expiration::AfterSend(60), Expiration::AfterRead(1)] {
            let contact = Contact {
                name: NAME.to_owned(),
                nickname: format!("number {number}"),
                picture: picture(),
                profile_updated: 1_700_000_000,
                approved: number == 1,
                approved_me: number != 1,
                blocked: number == 3,
                priority: number - 2,
                notify,
                mute_until: 1_900_000_000,
                expiration,
                created: 1_600_000_000,
                features: 0b101,
                ..Contact::new(id("05"))
            };
            contacts.set(&contact).unwrap();
        }
    }
    assert_known_whole(&mut libsession, &contacts).await;
}

#[tokio::test]
async fn legacy_groups_and_communities() {
    let mut libsession = libsession();
    let mut groups = UserGroups::new(secret(random())).unwrap();
    let membership = Membership {
        priority: 2,
        joined_at: 1_700_000_000,
        notify: Notify::Mentions,
        mute_until: 1_900_000_000,
        invited: true,
    };
    let legacy = LegacyGroup {
        name: NAME.to_owned(),
        keys: Some((random(), secret(random()))),
        members: BTreeMap::from([(id("05"), true), (id("05"), false), (id("05"), false)]),
        timer: 60,
        membership,
        ..LegacyGroup::new(id("05"))
    };
    groups.set_legacy_group(&legacy).unwrap();
    assert_known_whole(&mut libsession, &groups).await;
    let room = Room::new("https://open.example.org", "Lobby").unwrap();
    groups.set_community(&Community { room, server_key: random(), membership }).unwrap();
    assert_known_whole(&mut libsession, &groups).await;
}

#[tokio::test]
async fn how_far_conversations_are_read() {
    let mut libsession = libsession();
    let mut conversations = ConvoInfoVolatile::new(secret(random())).unwrap();
    let room = Room::new("https://open.example.org", "lobby").unwrap();
    let ids = [
        ConversationId::Person(id("05")),
        ConversationId::LegacyGroup(id("05")),
        ConversationId::Blinded(id("25")),
        ConversationId::Room(room),
    ];
    for id in ids {
        for unread in [false, true] {
            let server_key = matches!(id, ConversationId::Room(_)).then(random);
            let conversation = Conversation {
                last_read: NOW - 1,
                unread,
                server_key,
                ..Conversation::new(id.clone())
            };
            conversations.set(&conversation, NOW).unwrap();
            assert_known_whole(&mut libsession, &conversations).await;
        }
    }
}

#[tokio::test]
async fn what_groups_are_and_who_is_in_them() {
    let mut libsession = libsession();
    let seed = random();
    let signing = || Signing::Sign(SigningKey::from_seed(secret(seed)).unwrap());
    let mut info = GroupInfo::new(signing()).unwrap();
    info.set_name(NAME).unwrap();
    info.set_description("about rabbits").unwrap();
    info.set_picture(picture().as_ref()).unwrap();
    info.set_expiry_timer(Some(60)).unwrap();
    info.set_created(Some(1_700_000_000)).unwrap();
    info.set_delete_before(Some(1_700_000_001)).unwrap();
    info.set_delete_attachments_before(Some(1_700_000_002)).unwrap();
    assert_known_whole(&mut libsession, &info).await;
    info.destroy().unwrap();
    assert_known_whole(&mut libsession, &info).await;

    let mut members = GroupMembers::new(signing()).unwrap();
    for sending in [Sending::NotSent, Sending::Sent, Sending::Failed] {
        let invited = Member {
            name: NAME.to_owned(),
            picture: picture(),
            invitation: Some(sending),
            supplement: sending == Sending::Sent,
            ..Member::new(id("05"))
        };
        members.set(&invited).unwrap();
        let mut promoted = Member::new(id("05"));
        promoted.accept_invitation();
        members.set(&promoted).unwrap();
        promoted.promote(Some(sending));
        members.set(&promoted).unwrap();
    }
    let mut admin = Member::new(id("05"));
    admin.promote(None);
    members.set(&admin).unwrap();
    assert_known_whole(&mut libsession, &members).await;
}
