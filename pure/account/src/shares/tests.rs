//! Checks shares against SLIP-0039's published vectors, and that whatever is wrong with some is told apart.

use std::fmt::Debug;

use proptest::prelude::*;
use serde::Deserialize;
use warren_crypto::hash::sha256;

use super::*;
use crate::mnemonic::Mnemonic;

/// The passphrase of the published vectors.
const PASSPHRASE: &[u8] = b"TREZOR";

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    description: String,
    mnemonics: Vec<String>,
    master_secret: String,
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../../spec/vectors/slip39.json");
    serde_json::from_str::<Vectors>(text).unwrap().vectors
}

/// Hands out 0, 1, 2, ... and wraps.
struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.0;
            self.0 = self.0.wrapping_add(1);
        }
    }
}

/// Which stage refuses.
#[derive(Debug, PartialEq)]
enum Refusal {
    Share(ShareError),
    Combine(CombineError),
}

fn combine(texts: &[String]) -> Result<Combined, Refusal> {
    let mut collection = Collection::default();
    for text in texts {
        let share = Share::parse(text).map_err(Refusal::Share)?;
        collection.add(share).map_err(Refusal::Combine)?;
    }
    collection.combine_under(PASSPHRASE).map_err(Refusal::Combine)
}

fn seed_hex(seed: &Seed) -> String {
    hex::encode(Material::of_seed(seed).expose())
}

fn short(byte: u8) -> Seed {
    Seed::Short(Secret::take(&mut [byte; 16]))
}

fn texts(seed: &Seed, threshold: u8, count: u8, start: u8) -> Vec<String> {
    let shares = split(seed, threshold, count, &mut Counting(start)).unwrap();
    shares.iter().map(|share| share.words().expose().to_owned()).collect()
}

fn collect<'a>(texts: impl IntoIterator<Item = &'a String>) -> Collection {
    let mut collection = Collection::default();
    for text in texts {
        collection.add(Share::parse(text).unwrap()).unwrap();
    }
    collection
}

fn err<T: Debug, E>(result: Result<T, E>) -> E {
    result.err().unwrap()
}

#[test]
fn the_word_list_is_that_of_slip_0039() {
    let list = include_str!("../../data/slip39-english.txt");
    assert_eq!(
        hex::encode(sha256(list.as_bytes())),
        "bcc4555340332d169718aed8bf31dd9d5248cb7da6e5d355140ef4f1e601eec3"
    );
    let mut prefixes: Vec<_> = list.lines().map(|word| &word[..4]).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    assert_eq!(prefixes.len(), 1024);
    assert!(list.lines().all(|word| word.len() <= 8));
}

/// All 45: what is valid gives the published secret, groups of groups are refused by name, and of
/// what is invalid each is refused for its reason.
#[test]
fn published_vectors_hold() {
    let mut grouped = 0;
    for vector in vectors() {
        let outcome = combine(&vector.mnemonics);
        match &outcome {
            Ok(combined) => {
                assert_eq!(
                    seed_hex(&combined.seed),
                    vector.master_secret,
                    "{}",
                    vector.description
                );
                assert_eq!(combined.misfits, Vec::<usize>::new());
            }
            Err(Refusal::Share(ShareError::Grouped)) => grouped += 1,
            Err(_) => assert_eq!(vector.master_secret, "", "{}", vector.description),
        }
    }
    // Two of each length whose groups differ, and six of groups that are to be combined.
    assert_eq!(grouped, 16);
}

#[test]
fn each_published_fault_is_named() {
    let expected = [
        ("2.", Refusal::Share(ShareError::Checksum)),
        ("3.", Refusal::Share(ShareError::Malformed)),
        ("5.", Refusal::Combine(CombineError::TooFew { have: 1, need: 2 })),
        ("6.", Refusal::Combine(CombineError::OtherSet)),
        ("7.", Refusal::Combine(CombineError::OtherSet)),
        ("10.", Refusal::Share(ShareError::Malformed)),
        ("11.", Refusal::Combine(CombineError::Contradiction { earlier: 1 })),
        ("12.", Refusal::Combine(CombineError::OtherSet)),
        ("13.", Refusal::Combine(CombineError::Altered)),
        ("22.", Refusal::Share(ShareError::Malformed)),
        ("32.", Refusal::Combine(CombineError::Altered)),
        ("39.", Refusal::Share(ShareError::Count { found: 19 })),
        ("40.", Refusal::Share(ShareError::Count { found: 21 })),
    ];
    let vectors = vectors();
    for (number, refusal) in expected {
        let vector = vectors.iter().find(|vector| vector.description.starts_with(number)).unwrap();
        assert_eq!(err(combine(&vector.mnemonics)), refusal, "{}", vector.description);
    }
}

#[test]
fn any_three_of_five_bring_a_phrase_back_and_two_do_not() {
    let phrase = Mnemonic::encode(&short(7));
    let texts = texts(&Mnemonic::parse(phrase.expose()).unwrap(), 3, 5, 0);
    for chosen in choices(5, 3) {
        let picked = (0..5).filter(|at| chosen >> at & 1 == 1).map(|at| &texts[at]);
        let combined = collect(picked).combine().unwrap();
        assert_eq!(Mnemonic::encode(&combined.seed).expose(), phrase.expose());
        assert_eq!(combined.misfits, Vec::<usize>::new());
    }
    let two = collect(&texts[..2]);
    assert_eq!((two.have(), two.need(), two.is_complete()), (2, Some(3), false));
    assert_eq!(err(two.combine()), CombineError::TooFew { have: 2, need: 3 });
}

#[test]
fn a_long_seed_gives_shares_of_33_words() {
    let mut bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 7).unwrap());
    let seed = Seed::Long(Secret::take(&mut bytes));
    let texts = texts(&seed, 2, 3, 9);
    assert_eq!(texts[0].split(' ').count(), 33);
    assert_eq!(collect(&texts[1..]).combine().unwrap().seed, seed);
}

#[test]
fn shares_name_their_set_and_read_in_capitals_and_in_four_letters() {
    let shares = split(&short(1), 2, 3, &mut Counting(3)).unwrap();
    for (share, number) in shares.iter().zip(1..) {
        let words = share.words();
        assert_eq!(words.words().count(), 20);
        let name = words.words().take(2).collect::<Vec<_>>().join(" ");
        assert_eq!((share.set().name(), share.number()), (name, number));
        assert_eq!(share.set().threshold(), 2);
        assert!(words.to_qr_text().bytes().all(|byte| byte == b' ' || byte.is_ascii_uppercase()));
        let short: Vec<_> = words.words().map(|word| &word[..4]).collect();
        for text in [words.to_qr_text(), short.join("\n\t")] {
            assert_eq!(Share::parse(&text).unwrap().words().expose(), words.expose());
        }
    }
}

#[test]
fn a_share_of_another_set_or_twice_the_same_is_refused_and_changes_nothing() {
    let (one, other) = (texts(&short(1), 2, 3, 0), texts(&short(1), 2, 3, 100));
    let mut collection = collect(&one[..1]);
    assert_eq!(err(collection.add(Share::parse(&other[1]).unwrap())), CombineError::OtherSet);
    let again = CombineError::Again { earlier: 1 };
    assert_eq!(err(collection.add(Share::parse(&one[0]).unwrap())), again);
    assert_eq!(collection.have(), 1);
    collection.add(Share::parse(&one[2]).unwrap()).unwrap();
    assert_eq!(collection.combine().unwrap().seed, short(1));
}

/// The set and the number are right and the checksum was made anew: only the digest can tell.
#[test]
fn a_forged_share_gives_an_error_and_one_share_more_tells_which() {
    let shares = split(&short(5), 3, 5, &mut Counting(0)).unwrap();
    let mut forged = Share::parse(shares[1].words().expose()).unwrap();
    forged.value = Material::random(16, &mut Counting(77));
    let forged = forged.words();
    let texts: Vec<_> = [&shares[0].words(), &forged, &shares[2].words()]
        .map(|words| words.expose().to_owned())
        .into();
    let mut collection = collect(&texts);
    assert_eq!(err(collection.combine()), CombineError::Altered);
    collection.add(Share::parse(shares[4].words().expose()).unwrap()).unwrap();
    let combined = collection.combine().unwrap();
    assert_eq!((combined.seed, combined.misfits), (short(5), vec![2]));
}

#[test]
fn a_split_that_protects_nothing_or_cannot_be_is_refused() {
    for (threshold, count) in [(0, 3), (1, 3), (4, 3), (2, 0)] {
        let error = err(split(&short(1), threshold, count, &mut Counting(0)));
        assert_eq!(error, SplitError::Threshold, "{threshold} of {count}");
    }
    assert_eq!(err(split(&short(1), 2, 17, &mut Counting(0))), SplitError::TooMany);
    assert_eq!(split(&short(1), 16, 16, &mut Counting(0)).unwrap().len(), 16);
}

#[test]
fn an_unknown_word_is_named_by_its_place_and_nothing_prints_a_share() {
    let text = texts(&short(1), 2, 2, 0).remove(0);
    let strange = text.replacen(text.split(' ').nth(6).unwrap(), "xyzzy", 1);
    assert_eq!(err(Share::parse(&strange)), ShareError::UnknownWord { position: 7 });
    let share = Share::parse(&text).unwrap();
    assert_eq!(format!("{share:?}"), "Share(..)");
    assert_eq!(format!("{:?}", share.words()), "ShareWords(Phrase(..))");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_threshold_brings_every_seed_back(
        seed: [u8; 16], start: u8, threshold in 2_u8..=16, more in 0_u8..=4
    ) {
        let seed = Seed::Short(Secret::take(&mut seed.clone()));
        let count = (threshold + more).min(16);
        let mut texts = texts(&seed, threshold, count, start);
        texts.reverse();
        texts.truncate(usize::from(threshold));
        prop_assert_eq!(collect(&texts).combine().unwrap().seed, seed);
    }
}

proptest! {
    /// The code finds up to three mistaken words for certain.
    #[test]
    fn up_to_three_mistaken_words_are_found(
        start: u8, places in proptest::sample::subsequence((0..20_usize).collect::<Vec<_>>(), 1..=3), by in 1_usize..1024
    ) {
        let set = Set { id: 5, extendable: true, exponent: 1, threshold: 3 };
        let value = Material::random(16, &mut Counting(start));
        let text = Share { set, index: 1, value }.words().expose().to_owned();
        let list: Vec<_> = include_str!("../../data/slip39-english.txt").lines().collect();
        let mut words: Vec<_> = text.split(' ').collect();
        for at in places {
            let index = list.iter().position(|word| *word == words[at]).unwrap();
            words[at] = list[(index + by) % 1024];
        }
        let error = err(Share::parse(&words.join(" ")));
        prop_assert_eq!(error, ShareError::Checksum);
    }

    #[test]
    fn any_text_is_a_share_or_an_error(text in "\\PC{0,300}") {
        let _ = Share::parse(&text);
    }

    /// Words of the list with a right checksum: what is read is written the same again.
    #[test]
    fn whatever_is_read_is_written_as_it_was(
        mut words in proptest::collection::vec(0_u16..1024, 17), long in proptest::collection::vec(0_u16..1024, 13), is_long: bool, single: bool
    ) {
        if is_long {
            words.extend(long);
        }
        if single {
            words[2] = 0;
            words[3] &= 0xff;
        }
        let customization: &[u8] =
            if words[1] >> 4 & 1 == 1 { b"shamir_extendable" } else { b"shamir" };
        words.extend(checksum::create(customization, &words));
        let list: Vec<_> = include_str!("../../data/slip39-english.txt").lines().collect();
        let text = words.iter().map(|word| list[usize::from(*word)]).collect::<Vec<_>>().join(" ");
        if let Ok(share) = Share::parse(&text) {
            prop_assert!(single || words[2] == 0);
            let again = share.words();
            prop_assert_eq!(again.expose(), text);
        }
    }
}
