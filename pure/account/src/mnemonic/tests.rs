//! Checks the phrase against the published vectors, and its errors against leaks.

use proptest::prelude::*;
use serde::Deserialize;
use warren_crypto::hash::sha256;

use super::*;

#[derive(Deserialize)]
struct Vectors {
    valid: Vec<Valid>,
    invalid: Vec<Invalid>,
}

#[derive(Deserialize)]
struct Valid {
    seed: String,
    mnemonic: String,
}

#[derive(Deserialize)]
struct Invalid {
    mnemonic: String,
    error: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../../spec/vectors/mnemonic.json")).unwrap()
}

fn seed(bytes: &[u8]) -> Seed {
    match bytes.len() {
        16 => Seed::Short(Secret::from_slice(bytes).unwrap()),
        _ => Seed::Long(Secret::from_slice(bytes).unwrap()),
    }
}

/// A phrase with one word of the list replaced by another or by a stranger.
fn with_word(phrase: &str, at: usize, word: &str) -> String {
    let mut words: Vec<&str> = phrase.split(' ').collect();
    words[at] = word;
    words.join(" ")
}

#[test]
fn the_word_list_is_the_one_of_the_wire_spec() {
    let words: Vec<&str> = LIST.lines().collect();
    assert_eq!(words.len() as u64, N);
    assert_eq!(
        hex::encode(sha256(words.join("\n").as_bytes())),
        "998df55cb16d2318130c5cf7e9d4408247c8c4674935ee6e07d53f2f00ccf19b"
    );
    let mut prefixes: Vec<_> = words.iter().map(|word| prefix(word).unwrap()).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    assert_eq!(prefixes.len(), words.len());
    assert!(words.iter().all(|word| word.len() <= 12));
}

#[test]
fn published_phrases_and_seeds_stand_for_each_other() {
    for vector in vectors().valid {
        let seed = seed(&hex::decode(&vector.seed).unwrap());
        assert_eq!(Mnemonic::encode(&seed).expose(), vector.mnemonic);
        assert_eq!(Mnemonic::parse(&vector.mnemonic), Ok(seed));
    }
}

#[test]
fn published_impossible_phrases_are_refused_with_the_place() {
    for vector in vectors().invalid {
        let error = Mnemonic::parse(&vector.mnemonic).unwrap_err();
        assert_eq!(error.to_string(), vector.error);
    }
}

#[test]
fn case_spacing_and_letters_behind_the_third_do_not_matter() {
    let expected = hex::decode("39038c8988db02c1af44e8c847bd9713").unwrap();
    let phrase = "  PUFFIN lux\tAnnoyedest rustled\nmemoir fax smidgen puddle kiwi nylon utopia \
                  zinger KIW ";
    assert_eq!(Mnemonic::parse(phrase), Ok(seed(&expected)));
}

#[test]
fn a_phrase_without_its_checksum_word_stands_for_the_same_seed() {
    for vector in vectors().valid {
        let (data, _) = vector.mnemonic.rsplit_once(' ').unwrap();
        assert_eq!(Mnemonic::parse(data), Ok(seed(&hex::decode(&vector.seed).unwrap())));
    }
}

#[test]
fn a_wrong_word_is_named_by_its_place_alone() {
    let phrase = "python costume hamburger heels amnesty lukewarm antics value picked roped \
                  sowed southern amnesty";
    assert_eq!(
        Mnemonic::parse(&with_word(phrase, 3, "qqqq")),
        Err(MnemonicError::UnknownWord { position: 4 })
    );
    assert_eq!(
        Mnemonic::parse(&with_word(phrase, 12, "ñandu")),
        Err(MnemonicError::UnknownWord { position: 13 })
    );
    assert_eq!(
        Mnemonic::parse(&with_word(phrase, 12, "python")),
        Err(MnemonicError::Checksum { position: 13 })
    );
    assert_eq!(Mnemonic::parse("python costume"), Err(MnemonicError::Count { found: 2 }));
    assert_eq!(Mnemonic::parse(""), Err(MnemonicError::Count { found: 0 }));
}

#[test]
fn an_exchanged_pair_of_words_does_not_pass_the_checksum() {
    let phrase = "costume python hamburger heels amnesty lukewarm antics value picked roped \
                  sowed southern amnesty";
    assert!(Mnemonic::parse(phrase).is_err());
}

#[test]
fn a_phrase_is_not_printed_by_debug() {
    let phrase = Mnemonic::encode(&seed(&[7; 16]));
    assert_eq!(format!("{phrase:?}"), "Mnemonic(..)");
    assert_eq!(phrase.words().count(), 13);
    assert_eq!(format!("{:?}", Mnemonic::parse(phrase.expose()).unwrap()), "Short(Secret<16>)");
}

#[test]
fn the_longest_phrase_fits() {
    // The longest words of the list, as many as a phrase can have.
    let longest = LIST.lines().max_by_key(|word| word.len()).unwrap();
    let phrase: Phrase = std::iter::repeat_n(longest, 25).collect();
    assert_eq!(phrase.words().filter(|word| *word == longest).count(), 25);
}

proptest! {
    #[test]
    fn short_seeds_survive_being_written_and_read(bytes: [u8; 16]) {
        let seed = seed(&bytes);
        prop_assert_eq!(Mnemonic::parse(Mnemonic::encode(&seed).expose()).unwrap(), seed);
    }

    #[test]
    fn long_seeds_survive_being_written_and_read(bytes: [u8; 32]) {
        let seed = seed(&bytes);
        prop_assert_eq!(Mnemonic::parse(Mnemonic::encode(&seed).expose()).unwrap(), seed);
    }

    #[test]
    fn a_long_phrase_for_a_short_seed_stays_long(bytes: [u8; 16]) {
        let mut long = [0; 32];
        long[..16].copy_from_slice(&bytes);
        let phrase = Mnemonic::encode(&seed(&long));
        prop_assert_eq!(phrase.words().count(), 25);
        let read = Mnemonic::parse(phrase.expose()).unwrap();
        prop_assert_eq!(&read, &seed(&long));
        prop_assert_eq!(read.to_seed32(), seed(&bytes).to_seed32());
    }

    #[test]
    fn any_text_reads_as_a_seed_or_an_error(text: String) {
        let _ = Mnemonic::parse(&text);
    }

    #[test]
    fn any_words_of_the_list_read_as_a_seed_or_an_error(
        words in proptest::collection::vec(0..N, 0..26)
    ) {
        let words: Vec<_> = words.into_iter().map(list_word).collect();
        if let Ok(seed) = Mnemonic::parse(&words.join(" ")) {
            let again = Mnemonic::encode(&seed);
            let kept = again.words().take(words.len() / 12 * 12);
            prop_assert_eq!(kept.collect::<Vec<_>>(), &words[..words.len() / 12 * 12]);
        }
    }

    #[test]
    fn no_error_repeats_a_word_of_the_phrase(
        bytes: [u8; 16],
        at in 0..13_usize,
        other in 0..N,
        stranger in "[qx]{3,8}",
        cut in 0..12_usize,
    ) {
        let phrase = Mnemonic::encode(&seed(&bytes));
        let short: Vec<_> = phrase.words().take(cut).collect();
        for broken in [
            with_word(phrase.expose(), at, list_word(other)),
            with_word(phrase.expose(), at, &stranger),
            short.join(" "),
        ] {
            let Err(error) = Mnemonic::parse(&broken) else { continue };
            let shown = format!("{error} {error:?}").to_lowercase();
            let shown: Vec<_> = shown.split(|letter: char| !letter.is_alphabetic()).collect();
            // These are words of the list and of the errors' own English.
            let own = ["last", "unknown", "wrong"];
            for word in broken.split(' ').filter(|word| !own.contains(word) && !word.is_empty()) {
                prop_assert!(!shown.contains(&word));
            }
        }
    }
}
