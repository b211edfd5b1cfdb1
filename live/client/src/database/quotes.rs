//! What answers quote: words are taken from the message that is quoted, where it is here.
//!
//! Who answers could put any words into another's mouth, so that what an answer itself says of them
//! is not kept.

use rusqlite::{OptionalExtension, params};
use warren_wire::AccountId;

use super::account::{AccountDb, Tx};
use super::column::Col;
use super::details::Quote;
use super::error::DatabaseError;
use super::messages::{Content, Message};

impl AccountDb {
    /// The words of what is quoted in a conversation; `None` where it is not here or holds none.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn quoted_text(
        &self,
        conversation: &AccountId,
        quote: &Quote,
    ) -> Result<Option<String>, DatabaseError> {
        let found: Option<Option<String>> = self
            .connection
            .prepare_cached(
                "SELECT body FROM messages WHERE conversation = ?1 AND timestamp = ?2
                     AND author = ?3 ORDER BY id LIMIT 1",
            )?
            .query_row(
                params![Col(conversation), Col(quote.timestamp), Col(&quote.author)],
                |row| row.get(0),
            )
            .optional()?;
        Ok(found.flatten().filter(|text| !text.is_empty()))
    }
}

impl Tx<'_> {
    /// Gives answers that came before a message its words. The plus keeps SQLite from walking the
    /// whole conversation.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn fill_quotes(&self, message: &super::Fetched) -> Result<(), DatabaseError> {
        let Content::Text(text) = &message.content else { return Ok(()) };
        let fill = "UPDATE messages SET quote_text = ?4 WHERE quote_timestamp = ?1
                        AND quote_author = ?2 AND +conversation = ?3 AND quote_text IS NULL";
        self.connection.prepare_cached(fill)?.execute(params![
            Col(message.timestamp),
            Col(&message.author),
            Col(&message.conversation),
            Some(text).filter(|text| !text.is_empty()),
        ])?;
        Ok(())
    }

    /// Takes the words of a message that goes out of what quotes it.
    pub(super) fn forget_quotes(&self, message: &Message) -> Result<(), DatabaseError> {
        let forget = "UPDATE messages SET quote_text = NULL WHERE quote_timestamp = ?1
                          AND quote_author = ?2 AND +conversation = ?3 AND quote_text IS NOT NULL";
        self.connection.prepare_cached(forget)?.execute(params![
            Col(message.timestamp),
            Col(&message.author),
            Col(&message.conversation)
        ])?;
        Ok(())
    }
}
