//! A recovery phrase written and read, beside one hash of its seed as a yardstick.

use warren_account::{Mnemonic, Seed};
use warren_crypto::hash::blake2b;
use warren_crypto::{Secret, SystemEntropy};

use crate::contest::{self, Contestant};
use crate::row::Basis;
use crate::{Effort, Outcome, Row};

const YARDSTICK: &str = "yardstick: BLAKE2b-64 of 16 bytes";

/// Measures both directions of a 13-word phrase.
///
/// # Errors
/// Where a phrase just written cannot be read.
pub fn rows(effort: Effort) -> Outcome<Vec<Row>> {
    let seed = Seed::Short(Secret::random(&mut SystemEntropy));
    let phrase = Mnemonic::encode(&seed);
    let encode = contest::of_small(
        effort,
        vec![Contestant::each("warren", || Ok(Mnemonic::encode(&seed))), yardstick()],
    )?;
    let parse = contest::of_small(
        effort,
        vec![Contestant::each("warren", || Ok(Mnemonic::parse(phrase.expose())?)), yardstick()],
    )?;
    Ok(vec![
        Row::of_contest("phrase-encode", "seed to 13 words", Basis::Cpu, &encode),
        Row::of_contest("phrase-parse", "13 words to seed, checked", Basis::Cpu, &parse),
    ])
}

fn yardstick() -> Contestant<'static> {
    Contestant::each(YARDSTICK, || Ok(blake2b::<64>(&[&[7; 16]])?))
}
