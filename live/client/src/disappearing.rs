//! Messages that disappear: from this device when their time is over, and from the swarm.
//!
//! A row says when it goes. Whoever reads through [`Messenger::db`] finds nothing that is due; the
//! device that reads a message which disappears after reading tells the swarm when that will be,
//! and the owner's other devices ask the swarm for it.

use warren_wire::limits::MESSAGE_TTL;
use warren_wire::{AccountId, MessageHash, Millis};

use crate::database::{DatabaseError, Expiry, Message, MessageId, Task, Tx};
use crate::error::ClientError;
use crate::events::Event;
use crate::mailbox::order::Deed;
use crate::messenger::Messenger;
use crate::outgoing::changes::remove_from_swarms;

/// The job that tells the swarm until when it is to keep messages; its data is that time, in eight
/// bytes, little-endian, and the hashes.
pub(crate) const SHORTEN: &str = "shorten";
/// The job that asks the swarm until when it keeps messages; its data is the hashes.
pub(crate) const ASK: &str = "ask expiries";
/// About how many messages one such question is.
const MOST_ASKED: usize = 256;
/// The setting with the latest time that was seen while a message's time ran.
const SEEN: &str = "clock seen";
/// How far behind that may be.
const SEEN_INTERVAL: Millis = 30_000;
/// How far the clock must have been set back: less is what threads and clocks are apart by.
const LEAST_BACK: Millis = 60_000;
/// By how much devices and nodes may differ over when something is stored.
const SLACK: Millis = 5 * 60_000;

impl Messenger {
    /// Removes what is due, for good; when the next message goes, `None` where no message's time
    /// runs. Costs two small reads where nothing is due.
    ///
    /// Where the clock was set back since, what was left of a message's time is left of it still.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn expire_due(&self) -> Result<Option<Millis>, ClientError> {
        let now = self.now();
        let (next, seen) = self.db.with(|db| -> Result<_, DatabaseError> {
            Ok((db.next_expiry()?, db.setting(SEEN)?.and_then(|seen| time(&seen))))
        })?;
        let is_current = seen.is_some_and(|seen| {
            (seen.saturating_sub(LEAST_BACK)..seen.saturating_add(SEEN_INTERVAL)).contains(&now)
        });
        match next {
            None if seen.is_none() => return Ok(None),
            Some(next) if next > now && is_current => return Ok(Some(next)),
            _ => {}
        }
        let mut removed = Vec::new();
        let next = loop {
            let remove = |tx: &Tx<'_>| {
                // Whoever waited for the database waited while the clock ran on.
                let now = self.now();
                let mut seen = tx.setting(SEEN)?.and_then(|seen| time(&seen)).unwrap_or(0);
                let back = seen.saturating_sub(now);
                if back > LEAST_BACK {
                    tx.bring_expiries_forward(back)?;
                    seen = now;
                }
                let expired = tx.remove_due(now)?;
                let runs = expired.next.map(|_| seen.max(now).to_le_bytes());
                tx.set_setting(SEEN, runs.as_ref().map(<[u8; 8]>::as_slice))?;
                remove_from_swarms(tx, &expired.hashes, now)?;
                let is_last = expired.next.is_none_or(|next| next > now);
                Ok::<_, ClientError>((expired, is_last))
            };
            let (expired, is_last) = self.db.with(|db| db.transact(remove))?;
            removed.extend(expired.messages);
            if is_last {
                break expired.next;
            }
        };
        if !removed.is_empty() {
            self.remove_doomed_files()?;
        }
        for (conversation, message_id) in removed {
            self.publish(Event::MessageDeleted { conversation, message_id });
            self.publish(Event::ConversationChanged { conversation });
        }
        Ok(next)
    }

    /// Deletes the files of messages that are gone. What the disk refuses is left for the next start.
    pub(crate) fn remove_doomed_files(&self) -> Result<(), ClientError> {
        for name in self.db.with(|db| db.doomed_files())? {
            if self.files.remove_named(&name) {
                self.db.with(|db| db.doomed_file_deleted(&name))?;
            }
        }
        Ok(())
    }

    /// Tells the swarm until when to keep messages.
    pub(crate) async fn shorten(
        &self,
        mailbox: &AccountId,
        data: &[u8],
    ) -> Result<(), ClientError> {
        let Some((expiry, hashes)) = data.split_first_chunk::<8>() else { return Ok(()) };
        let deed = Deed::Shorten(hashes_in(hashes), Millis::from_le_bytes(*expiry));
        self.network.order(&self.access_to(mailbox)?, &deed).await?;
        Ok(())
    }

    /// Asks the swarm until when it keeps messages that another device has read: that is when they
    /// disappear. Where the other device did not tell the swarm, this one does.
    ///
    /// What the swarm says counts only where somebody can have read the message: not before it was
    /// written, and not where it is the end that every message has there.
    pub(crate) async fn ask_expiries(
        &self,
        mailbox: &AccountId,
        data: &[u8],
    ) -> Result<(), ClientError> {
        let access = self.access_to(mailbox)?;
        let expiries = self.network.expiries(&access, &hashes_in(data)).await?;
        let now = self.now();
        let follow = |tx: &Tx<'_>| {
            for (hash, node_expiry) in expiries {
                let Some(id) = tx.message_by_hash(&hash)? else { continue };
                let message = tx.message(id)?;
                let (Some(own), Some(expiry)) = (message.expires_at, message.expiry) else {
                    continue;
                };
                if node_expiry > own {
                    tx.add_job(&shortening(*mailbox, own, &[hash]), &[], now)?;
                } else if let Some(end) = plausible(&message, expiry, node_expiry) {
                    tx.expire_earlier(id, end)?;
                }
            }
            Ok::<_, ClientError>(())
        };
        self.db.with(|db| db.transact(follow))?;
        self.expire_due()?;
        Ok(())
    }
}

/// When a message goes that somebody read at a time which the swarm's word for its end tells; `None`
/// where nobody told the swarm.
fn plausible(message: &Message, expiry: Expiry, node_expiry: Millis) -> Option<Millis> {
    let natural = message.timestamp.saturating_add(MESSAGE_TTL);
    if node_expiry >= natural.saturating_sub(SLACK) {
        return None;
    }
    let timer = Millis::from(expiry.seconds) * 1_000;
    Some(node_expiry.max(message.timestamp.saturating_add(timer)))
}

/// Before a conversation is marked as read on this device: saves that the swarm is told when what
/// disappears after reading will do so.
///
/// # Errors
/// Where the database fails.
pub(crate) fn shorten_unread(
    tx: &Tx<'_>,
    conversation: &AccountId,
    timestamp: Millis,
    now: Millis,
) -> Result<(), ClientError> {
    let mut waiting = tx.starts_when_read(conversation, timestamp)?;
    waiting.sort_unstable_by_key(|(_, seconds)| *seconds);
    for alike in waiting.chunk_by(|(_, one), (_, other)| one == other) {
        let Some((_, seconds)) = alike.first() else { continue };
        let ids: Vec<MessageId> = alike.iter().map(|(id, _)| *id).collect();
        let expiry = now.saturating_add(Millis::from(*seconds) * 1_000);
        for (mailbox, hashes) in names_of(tx, &ids)? {
            tx.add_job(&shortening(mailbox, expiry, &hashes), &[], now)?;
        }
    }
    Ok(())
}

/// Saves that the swarm is asked when messages disappear that another device has read.
///
/// # Errors
/// Where the database fails.
pub(crate) fn ask_later(tx: &Tx<'_>, ids: &[MessageId], now: Millis) -> Result<(), ClientError> {
    for (mailbox, hashes) in names_of(tx, ids)? {
        for hashes in hashes.chunks(MOST_ASKED) {
            let (name, target, data) = (ASK.to_owned(), Some(mailbox), joined(hashes));
            tx.add_job(&Task::Other { name, message: None, target, data }, &[], now)?;
        }
    }
    Ok(())
}

/// Mailboxes, each with the names that messages have there.
fn names_of(
    tx: &Tx<'_>,
    ids: &[MessageId],
) -> Result<Vec<(AccountId, Vec<MessageHash>)>, ClientError> {
    let mut names = Vec::new();
    for id in ids {
        names.extend(tx.message_hashes(*id)?);
    }
    names.sort_unstable_by_key(|(mailbox, _)| *mailbox);
    let of_one = names.chunk_by(|(one, _), (other, _)| one == other);
    let joined = of_one.filter_map(|names| {
        Some((names.first()?.0, names.iter().map(|(_, hash)| *hash).collect()))
    });
    Ok(joined.collect())
}

fn shortening(mailbox: AccountId, expiry: Millis, hashes: &[MessageHash]) -> Task {
    let data = [expiry.to_le_bytes().as_slice(), &joined(hashes)].concat();
    Task::Other { name: SHORTEN.to_owned(), message: None, target: Some(mailbox), data }
}

fn joined(hashes: &[MessageHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

fn hashes_in(data: &[u8]) -> Vec<MessageHash> {
    let (hashes, _) = data.as_chunks::<32>();
    hashes.iter().map(|hash| MessageHash::from_bytes(*hash)).collect()
}

fn time(bytes: &[u8]) -> Option<Millis> {
    bytes.try_into().ok().map(Millis::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use warren_wire::limits::DAY;

    use super::*;
    use crate::database::{Content, Direction, ExpiryMode, MessageState};

    const SENT: Millis = 1_000 * DAY;
    const TIMER: u32 = 3_600;

    fn end(node_says: Millis) -> Option<Millis> {
        let person = AccountId::from_bytes(&[5; 33]).unwrap();
        let expiry = Expiry { mode: ExpiryMode::AfterRead, seconds: TIMER };
        let message = Message {
            id: MessageId::START,
            conversation: person,
            author: person,
            direction: Direction::Incoming,
            content: Content::Deleted,
            timestamp: SENT,
            received_at: SENT + DAY,
            state: MessageState::Received,
            read: true,
            hash: None,
            failure: None,
            edited_at: None,
            mentions_me: false,
            expiry: Some(expiry),
            expires_at: Some(SENT + 2 * DAY),
            quote: None,
            preview: None,
        };
        plausible(&message, expiry, node_says)
    }

    #[test]
    fn nobody_has_read_a_message_before_it_was_sent() {
        let soonest = SENT + 3_600_000;
        assert_eq!(end(1), Some(soonest));
        assert_eq!(end(SENT), Some(soonest));
        assert_eq!(end(soonest + 1), Some(soonest + 1));
    }

    #[test]
    fn the_end_that_every_message_has_in_the_swarm_says_nothing_of_reading() {
        assert_eq!(end(SENT + MESSAGE_TTL), None);
        assert_eq!(end(SENT + MESSAGE_TTL - SLACK), None);
        assert!(end(SENT + MESSAGE_TTL - SLACK - 1).is_some());
    }
}
