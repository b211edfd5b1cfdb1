//! Messages are found by words, beginnings and phrases, and what is typed is never syntax.

use proptest::prelude::*;

use super::super::search::{MARKS, RANKED};
use super::*;

fn said(db: &mut AccountDb, number: u8, peer: u8, timestamp: u64, text: &str) {
    let content = Content::Text(text.to_owned());
    let message = Fetched { content, ..fetched(number, peer, Direction::Incoming, timestamp) };
    assert!(matches!(db.record_incoming(&message).unwrap(), Recorded::New(_)));
}

/// The timestamps of what is found.
fn found(db: &AccountDb, search: &Search) -> Vec<u64> {
    let page = db.search(search, None, 50).unwrap();
    page.hits.iter().map(|hit| hit.message.timestamp).collect()
}

fn finds(db: &AccountDb, text: &str) -> Vec<u64> {
    found(db, &Search::new(text))
}

#[test]
fn words_beginnings_phrases_and_accents_are_found_newest_first() {
    let device = Device::new();
    let mut db = device.db();
    said(&mut db, 1, 1, 50, "The quick brown fox");
    said(&mut db, 2, 2, 40, "A brown, quick Crêpe");
    said(&mut db, 3, 1, 60, "quickly now");
    assert_eq!(finds(&db, "quick"), [60, 50, 40]);
    assert_eq!(finds(&db, "quick "), [50, 40]);
    assert_eq!(finds(&db, "brown qu"), [50, 40]);
    assert_eq!(finds(&db, "\"quick brown\""), [50]);
    assert_eq!(finds(&db, "crepe"), [40]);
    assert_eq!(finds(&db, "fox crepe"), [0_u64; 0]);
    let one = Search { conversation: Some(person(1)), ..Search::new("brown") };
    assert_eq!(found(&db, &one), [50]);
    let best = Search { order: SearchOrder::Best, ..Search::new("brown") };
    assert_eq!(found(&db, &best).len(), 2);
    let hit = db.search(&Search::new("fox"), None, 1).unwrap().hits.remove(0);
    assert_eq!(hit.snippet, format!("The quick brown {}fox{}", MARKS.0, MARKS.1));
}

#[test]
fn a_search_is_read_page_by_page_in_either_order() {
    let device = Device::new();
    let mut db = device.db();
    for number in 1..8 {
        said(&mut db, number, number % 2, u64::from(100 - number), "the same words");
    }
    for order in [SearchOrder::Newest, SearchOrder::Best] {
        let search = Search { order, ..Search::new("same") };
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = db.search(&search, after, 3).unwrap();
            seen.extend(page.hits.iter().map(|hit| hit.message.timestamp));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if order == SearchOrder::Newest {
            assert!(seen.is_sorted_by(|one, next| one > next));
        }
        seen.sort_unstable();
        assert_eq!(seen, (93..100).collect::<Vec<u64>>());
    }
}

#[test]
fn the_best_are_looked_for_among_the_newest_first_and_every_hit_comes_once() {
    let device = Device::new();
    let mut db = device.db();
    let count = u64::try_from(RANKED).unwrap() + 30;
    db.transact(|tx| {
        for number in 0..count {
            let mut name = [7; 32];
            name[..8].copy_from_slice(&number.to_le_bytes());
            // The oldest is the best, the tenth newest the best of the newest.
            let text = if number == 0 || number == count - 10 { "word" } else { "a word of many" };
            tx.record(&Fetched {
                hash: MessageHash::from_bytes(name),
                fingerprint: name,
                content: Content::Text(text.to_owned()),
                ..fetched(1, 1, Direction::Incoming, 100 + number)
            })?;
        }
        Ok::<_, DatabaseError>(())
    })
    .unwrap();
    let search = Search { order: SearchOrder::Best, ..Search::new("word") };
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = db.search(&search, after, 300).unwrap();
        seen.extend(page.hits.iter().map(|hit| hit.message.timestamp));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen[..3], [100 + count - 10, 100 + count - 1, 100 + count - 2]);
    assert_eq!(seen[RANKED], 100);
    seen.sort_unstable();
    assert_eq!(seen, (100..100 + count).collect::<Vec<u64>>());
}

#[test]
fn a_message_is_found_by_what_it_says_after_an_edit_and_by_its_files_and_not_once_it_is_gone() {
    let device = Device::new();
    let mut db = device.db();
    let mut message = fetched(1, 1, Direction::Incoming, 5);
    let file = NewAttachment {
        name: Some("holiday.pdf".to_owned()),
        ..NewAttachment::new(AttachmentKind::File, "application/pdf", 9)
    };
    message.details.attachments.push(file);
    let Recorded::New(id) = db.record_incoming(&message).unwrap() else { panic!("not new") };
    assert_eq!(finds(&db, "holiday"), [5]);
    assert_eq!(finds(&db, "message"), [5]);
    let edit = signal(1, 1, 5, 9, Change::Edit("other words".to_owned()));
    assert_eq!(db.apply_signal(&edit, 9).unwrap(), Applied::Done(id));
    assert_eq!(finds(&db, "message"), [0_u64; 0]);
    assert_eq!(finds(&db, "other"), [5]);
    db.transact(|tx| tx.delete_for_everyone(id)).unwrap();
    assert_eq!(finds(&db, "other"), [0_u64; 0]);
    assert_eq!(finds(&db, "holiday"), [0_u64; 0]);
    assert_eq!(db.check_integrity().unwrap(), []);
}

#[test]
fn signs_and_words_of_the_index_are_looked_for_like_any_other() {
    let device = Device::new();
    let mut db = device.db();
    said(&mut db, 1, 1, 5, "rock AND roll, body: NEAR (it) \"quoted\" a*b C++ 100%");
    for typed in
        ["AND", "NOT", "rock AND", "body:", "NEAR(", "a*b", "(it", "\"quoted", "100%", "^rock"]
    {
        let expected: &[u64] = if typed == "NOT" { &[] } else { &[5] };
        assert_eq!(finds(&db, typed), expected, "{typed}");
    }
    for nothing in ["", "  ", "\"", "\"\"", "***", "-", "{chat}:"] {
        assert_eq!(finds(&db, nothing), [0_u64; 0], "{nothing}");
    }
    // A conversation is no word.
    assert_eq!(finds(&db, &person(1).to_string()), [0_u64; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_typed_is_searched_without_an_error(texts in prop::collection::vec(".{0,40}", 8)) {
        let device = Device::new();
        let db = device.db();
        for text in texts {
            prop_assert!(db.search(&Search::new(&text), None, 5).is_ok());
            let quoted = format!("\"{text}\" {text}\"");
            prop_assert!(db.search(&Search::new(&quoted), None, 5).is_ok());
        }
    }
}

#[test]
#[ignore = "measures; run by hand with --nocapture and WARREN_TEST_MESSAGES=100000"]
fn measure_recording_and_searching_many_messages() {
    const WORDS: [&str; 12] = [
        "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india",
        "juliet", "kilo", "common",
    ];
    let device = Device::new();
    let mut db = device.db();
    let began = std::time::Instant::now();
    let told = std::env::var("WARREN_TEST_MESSAGES").ok().and_then(|text| text.parse().ok());
    let batches: u64 = told.unwrap_or(10_000_u64) / 1_000;
    for batch in 0..batches {
        db.transact(|tx| {
            for at in 0..1_000_u64 {
                let number = batch * 1_000 + at;
                let mut text = String::from("common");
                for step in 0..10_u64 {
                    let word =
                        usize::try_from((number * 31 + step * 17 + number / 7) % 11).unwrap();
                    text = format!("{text} {}{}", WORDS[word], (number * step) % 3_000);
                }
                let mut name = [0; 32];
                name[..8].copy_from_slice(&number.to_le_bytes());
                let peer = u8::try_from(number % 50).unwrap() + 1;
                tx.record(&Fetched {
                    hash: MessageHash::from_bytes(name),
                    fingerprint: name,
                    content: Content::Text(text),
                    ..fetched(1, peer, Direction::Incoming, 1_700_000_000_000 + number)
                })?;
            }
            Ok::<_, DatabaseError>(())
        })
        .unwrap();
    }
    println!("recorded in {:?}", began.elapsed());
    let size = db.size().unwrap();
    println!("{} bytes, {} a message", size.bytes, size.bytes / size.messages);
    for (text, conversation, order) in [
        ("common", None, SearchOrder::Newest),
        ("common", Some(person(7)), SearchOrder::Newest),
        ("al", None, SearchOrder::Newest),
        ("alpha", None, SearchOrder::Newest),
        ("alpha1 bravo", None, SearchOrder::Newest),
        ("\"common alpha", None, SearchOrder::Newest),
        ("alpha12", None, SearchOrder::Best),
        ("common", None, SearchOrder::Best),
    ] {
        let search = Search { text: text.to_owned(), conversation, order };
        let began = std::time::Instant::now();
        let page = db.search(&search, None, 50).unwrap();
        println!("{text} {order:?}: {} in {:?}", page.hits.len(), began.elapsed());
    }
    let began = std::time::Instant::now();
    assert_eq!(db.conversations(Listing::Requests, None, 50).unwrap().len(), 50);
    println!("conversation list in {:?}", began.elapsed());
    let began = std::time::Instant::now();
    let filter = Filter { conversation: Some(person(7)), unread: false };
    assert_eq!(db.messages(&filter, None, 50).unwrap().messages.len(), 50);
    println!("page in {:?}", began.elapsed());
}
