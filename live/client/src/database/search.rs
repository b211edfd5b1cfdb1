//! Searching all messages, by words and beginnings of words.
//!
//! What a person types is never taken for the index's own syntax: each word is looked for as it
//! stands, all of them must be there, a text in double quotes is looked for as a phrase, and the
//! last word may go on. A quote that is not closed is no quote.
//!
//! Beginnings of two characters have an index of their own, which is walked from the newest as
//! that of whole words is, and no further than the page goes; what begins with a longer one is
//! gathered first, of which there is less.
//!
//! The best are looked for among the newest [`RANKED`] hits, then among the next as many: a rank
//! is computed for so many at most, however many there are.

use std::collections::HashMap;
use std::fmt;

use rusqlite::{Row, params};
use warren_wire::AccountId;

use super::account::AccountDb;
use super::error::DatabaseError;
use super::messages::{Content, Message, MessageId};

/// What stands in a snippet before and behind what was found. No text holds these characters in
/// earnest: Unicode keeps them for programs.
pub const MARKS: (char, char) = ('\u{fdd0}', '\u{fdd1}');

/// The most words looked for; the rest is left out.
const MOST_WORDS: usize = 16;
/// The least characters of a last word that may go on.
const LEAST_PREFIX: usize = 2;
/// How many hits are ranked at a time.
pub const RANKED: usize = 1_000;

/// The index is walked alone; messages are looked up for the few rows that it gives. `?1` is the
/// query, `?2` where to start, `?3` how many.
const NEWEST: &str = "SELECT rowid, (SELECT id FROM messages WHERE place = search.rowid LIMIT 1),
    snippet(search, -1, '\u{fdd0}', '\u{fdd1}', '\u{2026}', 16)
    FROM search WHERE search MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC LIMIT ?3";

/// A block of hits with their ranks, less being better; the conversation's column counts nothing.
/// `?1` is the query, `?2` how many, `?3` how many newer ones are passed over.
const RANKS: &str = "SELECT rowid, bm25(search, 1.0, 1.0, 0.0)
    FROM search WHERE search MATCH ?1 ORDER BY rowid DESC LIMIT ?2 OFFSET ?3";

/// Those hits of a block that are shown: `?2` is the newest of them, `?3` all as JSON, `?4` how many.
/// The plus has the index walked once, and not looked up for each.
const OF_BLOCK: &str = "SELECT rowid, (SELECT id FROM messages WHERE place = search.rowid LIMIT 1),
    snippet(search, -1, '\u{fdd0}', '\u{fdd1}', '\u{2026}', 16)
    FROM search WHERE search MATCH ?1 AND rowid <= ?2
        AND +rowid IN (SELECT value FROM json_each(?3)) ORDER BY rowid DESC LIMIT ?4";

/// In which order messages are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SearchOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The best first: those that say the words often, in few words; of the newest [`RANKED`] hits,
    /// then of the next as many, and so on.
    Best,
}

/// What to look for.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// What the person typed.
    pub text: String,
    /// In one conversation, or in all.
    pub conversation: Option<AccountId>,
    /// In which order.
    pub order: SearchOrder,
}

/// Where the next page of a search starts. Good for the same [`Search`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchPosition(i64);

impl SearchPosition {
    /// Wraps a number, as a program hands it in.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> i64 {
        self.0
    }
}

/// A message that was found.
#[derive(Clone, PartialEq, Eq)]
pub struct Hit {
    /// The message.
    pub message: Message,
    /// The part of it, or of its files' names, where it was found, with [`MARKS`] around the words.
    pub snippet: String,
}

/// Some messages that were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPage {
    /// The messages, in the order asked for.
    pub hits: Vec<Hit>,
    /// Where the next page starts; `None` where this was the last.
    pub next: Option<SearchPosition>,
}

impl AccountDb {
    /// A page of at most `limit` messages that hold what is looked for; nothing where there is
    /// nothing to look for. A page of the best ends where a block of [`RANKED`] hits does.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn search(
        &self,
        search: &Search,
        after: Option<SearchPosition>,
        limit: usize,
    ) -> Result<SearchPage, DatabaseError> {
        let Some(query) = search.query() else {
            return Ok(SearchPage { hits: Vec::new(), next: None });
        };
        let (found, next) = match search.order {
            SearchOrder::Newest => self.newest(&query, after, limit)?,
            SearchOrder::Best => self.best(&query, after, limit)?,
        };
        let hits = found
            .into_iter()
            .map(|(_, id, snippet)| Ok(Hit { message: self.message(id)?, snippet }));
        let hits = hits.filter(|hit| match hit {
            Ok(hit) => hit.message.content != Content::Deleted,
            Err(_) => true,
        });
        Ok(SearchPage {
            hits: hits.collect::<Result<_, DatabaseError>>()?,
            next: next.map(SearchPosition),
        })
    }

    /// Hits before a place, newest first, and where the next ones start.
    fn newest(
        &self,
        query: &str,
        after: Option<SearchPosition>,
        limit: usize,
    ) -> Result<(Vec<Found>, Option<i64>), DatabaseError> {
        let start = after.map_or(i64::MAX, |after| after.0);
        let wanted = count(limit.saturating_add(1));
        let mut statement = self.connection.prepare_cached(NEWEST)?;
        let mut found: Vec<Found> =
            statement.query_map(params![query, start, wanted], read)?.collect::<Result<_, _>>()?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(place, ..)| *place);
        Ok((found, next))
    }

    /// Hits behind so many, each block of them best first, and how many are behind these.
    fn best(
        &self,
        query: &str,
        after: Option<SearchPosition>,
        limit: usize,
    ) -> Result<(Vec<Found>, Option<i64>), DatabaseError> {
        let passed = after.map_or(0, |after| usize::try_from(after.0).unwrap_or(0));
        let within = passed % RANKED;
        let mut ranks = self.ranks(query, passed - within)?;
        let further = ranks.len() > RANKED;
        ranks.truncate(RANKED);
        let block = ranks.len();
        ranks.sort_by(|(newer, one), (older, other)| {
            one.total_cmp(other).then_with(|| older.cmp(newer))
        });
        let shown: Vec<i64> =
            ranks.into_iter().map(|(place, _)| place).skip(within).take(limit).collect();
        let seen = within + shown.len();
        let more = further || seen < block;
        let next = (more && !shown.is_empty()).then(|| count(passed - within + seen));
        Ok((self.of_block(query, &shown)?, next))
    }

    /// The places and ranks of a block behind so many hits, newest first, and of one more.
    fn ranks(&self, query: &str, passed: usize) -> Result<Vec<(i64, f64)>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(RANKS)?;
        let wanted = params![query, count(RANKED + 1), count(passed)];
        let ranks = statement.query_map(wanted, |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(ranks.collect::<Result<_, _>>()?)
    }

    /// What stands at these places, in their order.
    fn of_block(&self, query: &str, places: &[i64]) -> Result<Vec<Found>, DatabaseError> {
        let Some(newest) = places.iter().max() else { return Ok(Vec::new()) };
        let mut statement = self.connection.prepare_cached(OF_BLOCK)?;
        let wanted = params![query, newest, format!("{places:?}"), count(places.len())];
        let mut found: HashMap<i64, Found> = HashMap::new();
        for row in statement.query_map(wanted, read)? {
            let row = row?;
            found.insert(row.0, row);
        }
        Ok(places.iter().filter_map(|place| found.remove(place)).collect())
    }
}

/// A hit: its place, its message, a snippet.
type Found = (i64, MessageId, String);

fn read(row: &Row<'_>) -> rusqlite::Result<Found> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Search {
    /// Looks for what a person typed, everywhere, the newest first.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// The statements that find it.
    #[cfg(test)]
    pub(super) const fn statements(&self) -> &'static [&'static str] {
        match self.order {
            SearchOrder::Newest => &[NEWEST],
            SearchOrder::Best => &[RANKS, OF_BLOCK],
        }
    }

    /// What was typed in the syntax of FTS5, every word a quoted string; `None` where there is none.
    pub(super) fn query(&self) -> Option<String> {
        let phrases = phrases(&self.text);
        if phrases.is_empty() {
            return None;
        }
        let words = format!("{{body files}} : ({})", phrases.join(" AND "));
        Some(match &self.conversation {
            Some(id) => format!("{words} AND chat : \"{id}\""),
            None => words,
        })
    }
}

/// Words and phrases as strings of FTS5. Within one nothing is syntax but the quote, and no word
/// holds one.
fn phrases(text: &str) -> Vec<String> {
    let mut phrases = Vec::new();
    let mut parts = text.split('"').peekable();
    let mut quoted = false;
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        if quoted && !is_last {
            phrases.extend(phrase(part));
        } else {
            let goes_on = is_last && !part.ends_with(char::is_whitespace);
            let words: Vec<&str> = part.split_whitespace().collect();
            let last = words.len().saturating_sub(1);
            for (at, word) in words.into_iter().enumerate() {
                let may_go_on = goes_on && at == last && word.chars().count() >= LEAST_PREFIX;
                phrases.extend(phrase(word).map(|word| word + if may_go_on { "*" } else { "" }));
            }
        }
        quoted = !quoted;
    }
    phrases.truncate(MOST_WORDS);
    phrases
}

/// A string of FTS5; `None` where no letter or number is in it, and nothing could be found by it.
fn phrase(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| *c != '\0').collect();
    text.chars().any(char::is_alphanumeric).then(|| format!("\"{text}\""))
}

impl fmt::Debug for Search {
    /// Not what is looked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Search({} bytes, {:?})", self.text.len(), self.order)
    }
}

impl fmt::Debug for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hit({})", self.message.id)
    }
}
