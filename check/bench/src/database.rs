//! A person's encrypted database with all their messages in it: written, listed, paged, searched.

use std::path::Path;

use warren_client::database::{
    AccountDb, AccountKeys, Contact, Filter, Index, Listing, Search, SearchOrder,
};
use warren_client::vault::{Cost, Vault};
use warren_crypto::{Secret, SystemEntropy};
use warren_wire::{AccountId, Millis};

use crate::chatter::{message, most_frequent, peer, searches, text};
use crate::contest::{self, Contestant, Result};
use crate::naive::Naive;
use crate::row::{Basis, Goal};
use crate::stopwatch::{Processor, Spent, Stopwatch};
use crate::{Effort, Outcome, Row};

/// How many messages a page brings that is recorded.
const BATCH: u64 = 1_000;
/// How many conversations, messages or hits are shown at first.
const SHOWN: usize = 50;
const NOW: Millis = 1_900_000_000_000;
const NAIVE: &str = "SQLCipher, naive queries";
const TEXTS: &str = "part: the texts alone, UTF-8";
const ONE_INDEX: &str = "SQLCipher, one index and FTS5";

/// Both databases with the same messages.
struct Filled {
    vault: Vault,
    keys: AccountKeys,
    db: AccountDb,
    naive: Naive,
    recorded: [Result; 2],
}

/// Measures a database of [`Effort::database`] messages in a folder under `scratch`.
///
/// # Errors
/// Where the disk fails, or what was stored is not there.
pub fn rows(effort: Effort, scratch: &Path) -> Outcome<Vec<Row>> {
    let folder = tempfile::tempdir_in(scratch)?;
    let filled = fill(folder.path(), effort.database)?;
    let count = effort.database;
    let recorded = format!("1,000 at a time, up to {count} messages");
    let mut rows = vec![Row::of_contest("record", recorded, Basis::Rate, &filled.recorded)];
    rows.extend(lists(effort, &filled)?);
    rows.push(page(effort, &filled)?);
    rows.extend(found(effort, &filled)?);
    rows.push(size(count, &filled)?);
    Ok(rows)
}

/// Makes both databases; the messages come in turns, page by page.
fn fill(folder: &Path, count: usize) -> Outcome<Filled> {
    let vault = Vault::create(&folder.join("home"), "measured", Cost::LEAST, &mut SystemEntropy)?;
    let keys = Index::open(&vault)?.add_account(
        &owner()?,
        "measured",
        None,
        Secret::random(&mut SystemEntropy),
        NOW,
        &mut SystemEntropy,
    )?;
    let mut db = AccountDb::open(&vault, &keys)?;
    for number in 0..BATCH {
        db.put_contact(&Contact { approved: true, ..Contact::new(peer(number)?, NOW) })?;
    }
    let mut naive = Naive::create(&folder.join("naive.db"))?;
    let mut recorded = ["warren", NAIVE].map(|name| Result { name, rounds: Vec::new() });
    let numbers: Vec<u64> = (0..u64::try_from(count)?).collect();
    for batch in numbers.chunks(usize::try_from(BATCH)?) {
        let messages = batch.iter().map(|it| message(*it)).collect::<Outcome<Vec<_>>>()?;
        let watch = Stopwatch::start(Processor::Thread);
        db.record_fetched_batch(&messages, None)?;
        let ours = watch.read();
        let watch = Stopwatch::start(Processor::Thread);
        naive.record(&messages)?;
        let theirs = watch.read();
        for (result, spent) in recorded.iter_mut().zip([ours, theirs]) {
            result.rounds.push(spent.per(batch.len()));
        }
    }
    Ok(Filled { vault, keys, db, naive, recorded })
}

fn owner() -> Outcome<AccountId> {
    Ok(AccountId::from_bytes(&[5; 33])?)
}

fn lists(effort: Effort, filled: &Filled) -> Outcome<[Row; 2]> {
    let Filled { vault, keys, db, naive, .. } = filled;
    let cold = contest::of_small(
        effort,
        vec![
            Contestant::each("warren", || list(&AccountDb::open(vault, keys)?)),
            Contestant::each(NAIVE, || expect(naive.cold_list(SHOWN)?)),
        ],
    )?;
    let warm = contest::of_small(
        effort,
        vec![
            Contestant::each("warren", || list(db)),
            Contestant::each(NAIVE, || expect(naive.list(SHOWN)?)),
        ],
    )?;
    let what = |how| format!("{how} of {} messages", effort.database);
    let goal = Goal::at_most("P10", 0.05);
    Ok([
        Row::of_contest("chat-list-cold", what("opened, 50 conversations"), Basis::Wall, &cold),
        Row::of_contest("chat-list", what("50 conversations"), Basis::Cpu, &warm)
            .with_goal(NAIVE, goal),
    ])
}

/// The list as it is shown: each conversation with its newest message.
fn list(db: &AccountDb) -> Outcome<()> {
    let chats = db.conversations(Listing::Inbox, None, SHOWN)?;
    for chat in &chats {
        db.message(chat.last_message.ok_or("a conversation without a message")?)?;
    }
    expect(chats.len())
}

fn page(effort: Effort, filled: &Filled) -> Outcome<Row> {
    let Filled { db, naive, .. } = filled;
    let conversation = peer(0)?;
    let filter = Filter { conversation: Some(conversation), unread: false };
    let results = contest::of_small(
        effort,
        vec![
            Contestant::each("warren", || Ok(db.messages(&filter, None, SHOWN)?)),
            Contestant::each(NAIVE, || naive.page(conversation.as_bytes(), SHOWN)),
        ],
    )?;
    let what = format!("50 messages of {}", effort.database);
    let row = Row::of_contest("message-page", what, Basis::Cpu, &results);
    Ok(row.with_goal(NAIVE, Goal::at_most("P10", 1.0)))
}

fn found(effort: Effort, filled: &Filled) -> Outcome<Vec<Row>> {
    let Filled { db, naive, .. } = filled;
    let find = |texts: &[String], order| -> Outcome<()> {
        for text in texts {
            let search = Search { order, ..Search::new(text) };
            let page = db.search(&search, None, SHOWN)?;
            if page.hits.is_empty() {
                return Err("nothing is found".into());
            }
        }
        Ok(())
    };
    let find_naively = |texts: &[String], best| -> Outcome<()> {
        texts.iter().try_for_each(|text| match naive.search(text, best, SHOWN)? {
            0 => Err("nothing is found".into()),
            _ => Ok(()),
        })
    };
    // A rare word is in none of a few messages.
    let mut texts = searches().to_vec();
    texts.retain(|text| naive.search(text, false, 1).is_ok_and(|found| found > 0));
    let newest = contest::of_small(
        effort,
        vec![
            Contestant::each("warren", || find(&texts, SearchOrder::Newest)),
            Contestant::each(NAIVE, || find_naively(&texts, false)),
        ],
    )?;
    let common = [format!("{} ", most_frequent())];
    let best = contest::of_small(
        effort,
        vec![
            Contestant::each("warren", || find(&common, SearchOrder::Best)),
            Contestant::each(NAIVE, || find_naively(&common, true)),
        ],
    )?;
    let what = format!("{} searches in {} messages, 50 newest", texts.len(), effort.database);
    let what_best = format!("a frequent word in {} messages, 50 best", effort.database);
    Ok(vec![
        Row::of_contest("search", what, Basis::Cpu, &newest)
            .with_goal(NAIVE, Goal::at_most("P10", 0.5)),
        Row::of_contest("search-best", what_best, Basis::Cpu, &best),
    ])
}

/// Bytes a message, on the disk.
fn size(count: usize, filled: &Filled) -> Outcome<Row> {
    let per_message = |bytes: u64| -> Outcome<Spent> {
        let bytes = f64::from(u32::try_from(bytes / 1_000)?) * 1_000.0;
        Ok(Spent { wall: bytes, cpu: 0.0 }.per(count))
    };
    let texts = (0..u64::try_from(count)?).map(|number| text(number).len()).sum::<usize>();
    let (ours, theirs) = (filled.db.size()?.bytes, filled.naive.bytes()?);
    Ok(Row::of_single(
        "database-size",
        format!("bytes on the disk for each of {count} messages"),
        Basis::Memory,
        per_message(ours)?,
        &[(ONE_INDEX, per_message(theirs)?), (TEXTS, per_message(u64::try_from(texts)?)?)],
    ))
}

fn expect(found: usize) -> Outcome<()> {
    match found {
        SHOWN => Ok(()),
        found => Err(format!("{found} conversations are listed").into()),
    }
}
