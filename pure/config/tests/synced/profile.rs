//! The profile (libsession's test_config_userprofile).

use warren_config::base::State;
use warren_config::values::truncated;
use warren_config::{ConfigError, ProfilePicture, Synced, UserProfile};
use warren_wire::Namespace;

use super::*;

fn picture(url: &str, key: &[u8]) -> ProfilePicture {
    ProfilePicture { url: url.to_owned(), key: Secret::from_slice(key).unwrap() }
}

const KALLIE: &str = "9693a69686da3055f1ecdfb239c3bf8e746951a36d888c2fb7c02e856a5c2091b24e39a7e1af828f\
    1fa09fe8bf7d274afde0a0847ba143c43ffb8722301b5ae32e2f078b9a5e19097403336e50b18c84\
    aade446cd2823b011f97d6ad2116a53feb814efecc086bc172d31f4214b4d7c630b63bbe575b0868\
    2d146da44915063a07a78556ab5eff4f67f6aa26211e8d330b53d28567a931028c393709a325425d\
    e7486ccde24416a7fd4a8ba5fa73899c65f4276dfaddd5b2100adcf0f793104fb235b31ce32ec656\
    056009a9ebf58d45d7d696b74e0c7ff0499c4d23204976f19561dc0dba6dc53a2497d28ce03498ea\
    49bf122762d7bc1d6d9c02f6d54f8384";

fn kallie() -> UserProfile {
    let mut profile = UserProfile::new(seed()).unwrap();
    profile.set_name("Kallie", 123_000).unwrap();
    let image = picture("http://example.org/omg-pic-123.bmp", b"secret78901234567890123456789012");
    profile.set_picture(Some(&image), 123_000).unwrap();
    profile.set_note_to_self_priority(9).unwrap();
    profile
}

#[test]
fn an_empty_profile_has_nothing_to_push_and_can_be_pushed() {
    let mut profile = UserProfile::new(seed()).unwrap();
    assert!(!profile.needs_push() && !profile.needs_dump());
    assert_eq!(profile.namespace(), Namespace::new(2));
    assert_eq!((profile.name(), profile.picture()), (None, None));
    let push = profile.push(NOW).unwrap();
    assert_eq!((push.seqno, push.messages.len(), push.messages[0].len()), (0, 1, 256));
    assert_eq!(opened(&profile, &push, &seed()), "d1:#i0e1:&de1:<le1:=dee");
}

#[test]
fn a_profile_is_pushed_and_dumped_in_the_published_bytes() {
    let mut profile = kallie();
    assert!(profile.needs_push() && profile.needs_dump());
    let push = profile.push(NOW).unwrap();
    assert_eq!(push.seqno, 1);
    let hash0 = hex::decode("ea173b57beca8af18c3519a7bbf69c3e7a05d1c049fa9558341d8ebb48b0c965");
    let plain = [
        b"d1:#i1e1:&d1:+i9e1:n6:Kallie1:p34:http://example.org/omg-pic-123.bmp\
          1:q32:secret789012345678901234567890121:ti123ee1:<lli0e32:"
            .as_slice(),
        &hash0.unwrap(),
        b"deee1:=d1:+0:1:n0:1:p0:1:q0:1:t0:ee",
    ]
    .concat();
    assert_eq!(opened(&profile, &push, &seed()), plain.escape_ascii().to_string());
    assert!(profile.needs_push() && profile.needs_dump());

    let dump = |state: &str, current: &str| {
        let size = plain.len().to_string();
        [b"d1:!", state.as_bytes(), b"1:$", size.as_bytes(), b":", &plain, current.as_bytes()]
            .concat()
    };
    assert_eq!(profile.dump(NOW).unwrap(), dump("i2e", "1:(le1:)le1:*de1:+dee"));
    assert!(!profile.needs_dump());
    profile.confirm_pushed(1, vec!["fakehash1".to_owned()]);
    assert!(!profile.needs_push() && profile.needs_dump());
    assert_eq!(profile.dump(NOW).unwrap(), dump("i0e", "1:(l9:fakehash1e1:)le1:*de1:+dee"));
}

#[test]
fn what_a_published_client_pushed_is_read() {
    let mut profile = UserProfile::new(seed()).unwrap();
    let message = ("fakehash1".to_owned(), hex::decode(KALLIE).unwrap());
    assert_eq!(profile.merge(&[message], NOW).unwrap(), set(["fakehash1"]));
    assert!(profile.needs_dump() && !profile.needs_push());
    assert_eq!(profile.name().unwrap(), "Kallie");
    assert_eq!(profile.picture().unwrap().url, "http://example.org/omg-pic-123.bmp");
    assert_eq!(profile.picture().unwrap().key.expose(), b"secret78901234567890123456789012");
    assert_eq!((profile.note_to_self_priority(), profile.updated()), (9, 0));
}

#[test]
fn a_push_is_compressed_and_encrypted_to_the_published_bytes() {
    let mut profile = UserProfile::new(seed()).unwrap();
    let config = profile.config_mut();
    config.set(&[b"n"], "Kallie".into()).unwrap();
    config.set(&[b"p"], "http://example.org/omg-pic-123.bmp".into()).unwrap();
    config.set(&[b"q"], "secret78901234567890123456789012".into()).unwrap();
    config.set(&[b"+"], 9.into()).unwrap();
    let push = profile.push(NOW).unwrap();
    assert_eq!(hex::encode(&push.messages[0]), KALLIE);
}

#[test]
fn two_devices_that_change_the_profile_at_once_agree_on_what_libsession_agrees_on() {
    let mut one = kallie();
    pushed(&mut one, "fakehash1");
    let mut two = UserProfile::new(seed()).unwrap();
    // As published: the other device knows the state from before profiles had a time.
    two.merge(&[("fakehash1".to_owned(), hex::decode(KALLIE).unwrap())], NOW).unwrap();

    one.set_name("Nibbler", 123_000).unwrap();
    two.set_name("Raz", 124_000).unwrap();
    let new = picture("http://new.example.com/pic", b"qwert\0yuio1234567890123456789012");
    two.set_picture(Some(&new), 124_000).unwrap();
    two.set_note_to_self_timer(Some(86_400)).unwrap();
    two.set_blinded_requests(Some(false), 124_000).unwrap();
    two.set_blinded_requests(None, 124_000).unwrap();
    assert_eq!(two.blinded_requests(), None);
    two.set_blinded_requests(Some(true), 124_000).unwrap();

    let (first, second) = (pushed(&mut one, "fakehash2"), pushed(&mut two, "fakehash3"));
    assert_eq!((first.seqno, second.seqno), (2, 2));
    assert_eq!(obsolete(&first), set(["fakehash1"]));
    merged(&mut two, &[("fakehash2", &first)]);
    merged(&mut one, &[("fakehash3", &second)]);
    assert!(one.needs_push() && two.needs_push());
    let (first, second) = (pushed(&mut one, "fakehash4"), pushed(&mut two, "fakehash4"));
    assert_eq!((first.seqno, &first.messages), (3, &second.messages));
    assert_eq!(obsolete(&first), set(["fakehash2", "fakehash3"]));

    for profile in [&one, &two] {
        // Not Raz: the message of the other has the greater hash, as published.
        assert_eq!(profile.name().unwrap(), "Nibbler");
        assert_eq!(profile.picture().unwrap(), new);
        assert_eq!(profile.note_to_self_priority(), 9);
        assert_eq!(profile.note_to_self_timer(), Some(86_400));
        assert_eq!(profile.blinded_requests(), Some(true));
        assert_eq!(profile.config().state(), State::Clean);
    }
}

#[test]
fn a_picture_stored_again_counts_until_the_owner_changes_it() {
    let mut profile = kallie();
    let again = picture("testUrl", b"secret78901234567890123456789000");
    profile.set_stored_again(Some(&again), 200_000).unwrap();
    assert_eq!(profile.picture().unwrap(), again);
    assert_eq!(profile.updated(), 200);
    let new = picture("testNewUrl", b"secret78901234567890123456789111");
    profile.set_picture(Some(&new), 201_000).unwrap();
    assert_eq!(profile.picture().unwrap(), new);
    profile.set_picture(None, 202_000).unwrap();
    assert_eq!(profile.picture(), None);
    assert_eq!(profile.updated(), 202);
}

#[test]
fn what_stays_as_it_was_is_no_change() {
    let mut profile = kallie();
    profile.set_blinded_requests(Some(true), 123_000).unwrap();
    let image = profile.picture().unwrap();
    pushed(&mut profile, "fakehash1");
    profile.set_name("Kallie", 125_000).unwrap();
    profile.set_picture(Some(&image), 125_000).unwrap();
    profile.set_blinded_requests(Some(true), 125_000).unwrap();
    profile.set_note_to_self_priority(9).unwrap();
    profile.set_note_to_self_timer(None).unwrap();
    assert!(!profile.needs_push());
    assert_eq!(profile.updated(), 123);
    profile.set_name("Kallie1", 125_000).unwrap();
    assert!(profile.needs_push());
    assert_eq!(profile.updated(), 125);
}

#[test]
fn a_name_longer_than_clients_take_is_refused_or_cut_between_characters() {
    let mut profile = UserProfile::new(seed()).unwrap();
    let long = "1234567890".repeat(10);
    assert_eq!(profile.set_name(&format!("{long}A"), NOW), Err(ConfigError::Value));
    assert_eq!(truncated(&format!("{long}A"), 100), long);
    assert_eq!(truncated(&format!("{}🎂", &long[..97]), 100), &long[..97]);
    let cakes = format!("{}🎂🎂", &long[..95]);
    assert_eq!(truncated(&cakes, 100), format!("{}🎂", &long[..95]));
    profile.set_name(truncated(&cakes, 100), NOW).unwrap();
    let happy = "happy 🎂🎂🎂!!";
    let sizes: Vec<usize> = (0..=21).map(|size| truncated(happy, size).len()).collect();
    let expected = [0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 10, 10, 10, 10, 14, 14, 14, 14, 18, 19, 20, 20];
    assert_eq!(sizes, expected);
}

#[test]
fn fields_of_newer_clients_are_kept() {
    let mut newer = kallie();
    newer.config_mut().set(&[b"s", b"p"], "proof".into()).unwrap();
    newer.config_mut().set(&[b"E"], 1_800_000_000.into()).unwrap();
    newer.config_mut().set_member(&[b"f"], 1.into(), true).unwrap();
    let push = pushed(&mut newer, "hash1");
    let mut older = UserProfile::new(seed()).unwrap();
    merged(&mut older, &[("hash1", &push)]);
    assert_eq!(older.features(), 2);
    older.set_name("Raz", NOW).unwrap();
    let push = pushed(&mut older, "hash2");
    merged(&mut newer, &[("hash2", &push)]);
    assert_eq!(newer.name().unwrap(), "Raz");
    assert_eq!(newer.config().get(&[b"s", b"p"]), Some(&"proof".into()));
    assert_eq!(newer.config().get(&[b"E"]), Some(&1_800_000_000.into()));
}
