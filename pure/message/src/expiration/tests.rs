//! Checks when messages disappear, minute by minute.

use super::*;

const SENT: Millis = 1_750_000_000_000;
const DAY_MS: Millis = 24 * 60 * 60 * SECOND;

fn of(mode: Mode, seconds: u32) -> Expiration {
    Expiration { mode, timer: Timer::seconds(seconds).unwrap() }
}

#[test]
fn the_timers_are_those_of_session() {
    let seconds = |timers: &[Timer]| timers.iter().map(|t| t.as_seconds()).collect::<Vec<_>>();
    assert_eq!(seconds(&AFTER_READ), [300, 3_600, 43_200, 86_400, 604_800, 1_209_600]);
    assert_eq!(seconds(&AFTER_SEND), [43_200, 86_400, 604_800, 1_209_600]);
    assert_eq!(Timer::seconds(0), None);
}

#[test]
fn after_send_a_message_goes_at_the_same_instant_everywhere() {
    let expiration = of(Mode::AfterSend, 60);
    assert_eq!(expiration.at_sender(SENT, SENT + 5), SENT + 60_000);
    for read in [None, Some(SENT + 20_000), Some(SENT + DAY_MS)] {
        let expires = expiration.at_recipient(SENT, SENT + 10_000, read);
        assert_eq!(expires, Some(SENT + 60_000));
    }
}

#[test]
fn a_message_that_arrives_after_its_time_is_gone_at_once() {
    let expires = of(Mode::AfterSend, 60).at_recipient(SENT, SENT + DAY_MS, None).unwrap();
    assert!(expires < SENT + DAY_MS);
}

#[test]
fn after_read_a_message_waits_for_its_reader_and_not_at_its_sender() {
    let expiration = of(Mode::AfterRead, 60);
    assert_eq!(expiration.at_recipient(SENT, SENT + 1, None), None);
    let read = SENT + 3 * DAY_MS;
    assert_eq!(expiration.at_recipient(SENT, SENT + 1, Some(read)), Some(read + 60_000));
    assert_eq!(expiration.at_sender(SENT, SENT), SENT + 60_000);
}

#[test]
fn a_sender_whose_clock_runs_ahead_gains_no_time() {
    let expiration = of(Mode::AfterSend, 60);
    let ahead = SENT + 365 * DAY_MS;
    assert_eq!(expiration.at_recipient(ahead, SENT, None), Some(SENT + 60_000));
    assert_eq!(expiration.at_sender(ahead, SENT), SENT + 60_000);
    assert_eq!(expiration.at_recipient(Millis::MAX, Millis::MAX, None), Some(Millis::MAX));
}

#[test]
fn what_another_device_read_has_the_rest_of_its_time() {
    let expiration = of(Mode::AfterRead, 86_400);
    let now = SENT + 2 * DAY_MS;
    // Read there 20 hours ago: 4 are left.
    let left = now + DAY_MS / 6;
    let known = expiration.read_elsewhere(left, now);
    assert_eq!(known, ReadElsewhere { expires: left, shorten: false });
    // The other device did not get to telling the nodes.
    let unknown = expiration.read_elsewhere(SENT + 14 * DAY_MS, now);
    assert_eq!(unknown, ReadElsewhere { expires: now + DAY_MS, shorten: true });
}

#[test]
fn nodes_keep_a_message_for_its_timer_after_send_and_two_weeks_after_read() {
    assert_eq!(ttl(None), MESSAGE_TTL);
    assert_eq!(ttl(Some(of(Mode::AfterRead, 60))), MESSAGE_TTL);
    assert_eq!(ttl(Some(of(Mode::AfterSend, 43_200))), DAY_MS / 2);
    assert_eq!(ttl(Some(of(Mode::AfterSend, 1))), MIN_TTL);
    assert_eq!(ttl(Some(of(Mode::AfterSend, u32::MAX))), MESSAGE_TTL);
}

#[test]
fn where_nobody_can_tell_who_read_it_the_timer_runs_from_sending() {
    let set = of(Mode::AfterRead, 60);
    assert_eq!(set.within(Conversation::Direct), set);
    assert_eq!(set.within(Conversation::Group).mode, Mode::AfterSend);
    assert_eq!(set.within(Conversation::NoteToSelf).mode, Mode::AfterSend);
    assert_eq!(of(Mode::AfterSend, 60).of_notice(), set);
}

#[test]
fn a_timer_without_a_mode_is_none() {
    for kind in [None, Some(0), Some(9)] {
        let content = proto::Content {
            expiration_type: kind,
            expiration_timer: Some(60),
            ..Default::default()
        };
        assert_eq!(Expiration::read(&content), None);
    }
    let content = proto::Content { expiration_type: Some(1), ..Default::default() };
    assert_eq!(Expiration::read(&content), None);
}
