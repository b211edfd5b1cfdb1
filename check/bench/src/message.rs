//! A direct message sealed and opened, beside nothing but its signature and its sealed box.

use warren_account::Account;
use warren_crypto::ed25519::SIGNATURE_BYTES;
use warren_crypto::{Secret, SystemEntropy, sealed_box};
use warren_message::{Content, open_direct, seal_direct};
use warren_wire::Millis;

use crate::contest::{self, Contestant};
use crate::row::Basis;
use crate::{Effort, Outcome, Row};

/// Bytes of the text.
const TEXT_BYTES: usize = 1_024;
/// Bytes of the padded content around it: the next multiple of 160.
const PADDED_BYTES: usize = 1_120;
/// A sender's key and a recipient's key stand in what is signed, the former also in the box.
const KEY_BYTES: usize = 32;
const TIMESTAMP: Millis = 1_700_000_000_000;
const SEAL_FLOOR: &str = "floor: signature + sealed box";
const OPEN_FLOOR: &str = "floor: sealed box + signature + key map";

/// Measures sealing and opening a text of 1 KiB.
///
/// # Errors
/// Where a message just sealed does not open.
pub fn rows(effort: Effort) -> Outcome<Vec<Row>> {
    let sender = Account::random(&mut SystemEntropy)?;
    let recipient = Account::random(&mut SystemEntropy)?;
    let content = Content::text("x".repeat(TEXT_BYTES))?;
    let key = sender.signing_key().verifying_key();
    let signed = vec![7; PADDED_BYTES + 2 * KEY_BYTES];
    let boxed = vec![7; PADDED_BYTES + KEY_BYTES + SIGNATURE_BYTES];
    let to = recipient.x25519().public_key();

    let seal_message = || {
        let to = recipient.id();
        Ok(seal_direct(&sender, &to, &content, TIMESTAMP, TIMESTAMP, &mut SystemEntropy)?)
    };
    let seal_parts = || {
        let signature = sender.signing_key().sign(&signed)?;
        let sealed = sealed_box::seal(&boxed, &to, Secret::random(&mut SystemEntropy))?;
        Ok((signature, sealed))
    };
    let stored = seal_message()?;
    let (signature, sealed) = seal_parts()?;
    let seal = contest::of_small(
        effort,
        vec![Contestant::each("warren", seal_message), Contestant::each(SEAL_FLOOR, seal_parts)],
    )?;
    let open_parts = || {
        let opened = sealed_box::open(&sealed, recipient.x25519())?;
        key.verify(&signed, &signature)?;
        // The sender's id is an X25519 key, the signature was made with an Ed25519 one.
        Ok((opened, key.to_x25519()?))
    };
    let open = contest::of_small(
        effort,
        vec![
            Contestant::each("warren", || Ok(open_direct(&recipient, &stored)?)),
            Contestant::each(OPEN_FLOOR, open_parts),
        ],
    )?;
    Ok(vec![
        Row::of_contest("message-seal", "v1 message, 1 KiB text", Basis::Cpu, &seal),
        Row::of_contest("message-open", "v1 message, 1 KiB text", Basis::Cpu, &open),
    ])
}
