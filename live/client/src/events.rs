//! What changed on this device, told to whoever listens.
//!
//! An event names what changed and says nothing of it: the listener asks the database. It is sent
//! after the commit, so that whoever asks finds it there. A listener that falls behind gets
//! [`Event::Missed`] and reads everything anew.

use std::fmt::Display;

use serde::{Serialize, Serializer};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};
use utoipa::ToSchema;
use warren_wire::AccountId;

use crate::database::MessageId;

/// How many events a listener may fall behind.
const BACKLOG: usize = 1024;

/// What changed. Conversations are named by the other side: a person, a group, or the account
/// itself for notes to oneself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A message came, or one was written on this or another device.
    MessageNew {
        /// Where.
        #[serde(serialize_with = "as_text")]
        #[schema(value_type = String)]
        conversation: AccountId,
        /// Which.
        #[serde(serialize_with = "as_number")]
        #[schema(value_type = i64)]
        message_id: MessageId,
    },
    /// A message was edited, read, reacted to, or got further on its way.
    MessageChanged {
        /// Where.
        #[serde(serialize_with = "as_text")]
        #[schema(value_type = String)]
        conversation: AccountId,
        /// Which.
        #[serde(serialize_with = "as_number")]
        #[schema(value_type = i64)]
        message_id: MessageId,
    },
    /// A message is gone.
    MessageDeleted {
        /// Where.
        #[serde(serialize_with = "as_text")]
        #[schema(value_type = String)]
        conversation: AccountId,
        /// Which.
        #[serde(serialize_with = "as_number")]
        #[schema(value_type = i64)]
        message_id: MessageId,
    },
    /// The row of a conversation in the list changed: its settings, members, or unread count.
    ConversationChanged {
        /// Which.
        #[serde(serialize_with = "as_text")]
        #[schema(value_type = String)]
        conversation: AccountId,
    },
    /// What is known of a person changed, or they are no contact any more.
    ContactChanged {
        /// Whom.
        #[serde(serialize_with = "as_text")]
        #[schema(value_type = String)]
        contact: AccountId,
    },
    /// Somebody began or ceased to type.
    Typing {
        /// Where.
        #[serde(serialize_with = "as_text")]
        #[schema(value_type = String)]
        conversation: AccountId,
        /// Who.
        #[serde(serialize_with = "as_text")]
        #[schema(value_type = String)]
        author: AccountId,
        /// Whether they type.
        typing: bool,
    },
    /// How far a message of one's own got.
    Delivery {
        /// Where.
        #[serde(serialize_with = "as_text")]
        #[schema(value_type = String)]
        conversation: AccountId,
        /// Which.
        #[serde(serialize_with = "as_number")]
        #[schema(value_type = i64)]
        message_id: MessageId,
        /// How far.
        state: DeliveryState,
    },
    /// How far an attachment is sent or fetched.
    Transfer {
        /// Whose attachment.
        #[serde(serialize_with = "as_number")]
        #[schema(value_type = i64)]
        message_id: MessageId,
        /// Which of the message's, from 0.
        position: u32,
        /// Bytes that are there.
        done: u64,
        /// All its bytes.
        total: u64,
    },
    /// How far what is done in the background got: a backup, its trial, its restoring. The last one
    /// says that it ended.
    Work {
        /// Bytes done.
        done: u64,
        /// Bytes in all; 0 where nobody knows.
        total: u64,
        /// Whether it goes on.
        running: bool,
    },
    /// Whether the network answers.
    Network {
        /// It does.
        connected: bool,
    },
    /// The account's settings changed, or it came onto or left this device.
    AccountChanged,
    /// The keys are out of memory, and nothing is told until somebody unlocks.
    Locked,
    /// Events were lost: everything shown must be read anew.
    Missed,
}

/// How far a message of one's own got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// In the outbox.
    Waiting,
    /// In its recipient's mailbox.
    Delivered,
    /// Given up.
    Failed,
}

/// An event, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Notice {
    /// The account it happened to; absent where it concerns them all.
    #[serde(serialize_with = "as_text_if_any", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub account: Option<AccountId>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// Where the events of all accounts on a device meet.
#[derive(Debug, Clone)]
pub struct Events(Sender<Notice>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl Events {
    /// Tells an event of one account, or of all. Nobody may be listening.
    pub fn publish(&self, account: Option<AccountId>, event: Event) {
        // An error says that nobody listens.
        let _ = self.0.send(Notice { account, event });
    }

    /// Listens to what happens from now on.
    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

/// Somebody who listens.
#[derive(Debug)]
pub struct Listener(Receiver<Notice>);

impl Listener {
    /// The next event; `None` where there will be none. What was lost is told as
    /// [`Event::Missed`].
    pub async fn next(&mut self) -> Option<Notice> {
        match self.0.recv().await {
            Ok(notice) => Some(notice),
            Err(RecvError::Lagged(_)) => Some(Notice { account: None, event: Event::Missed }),
            Err(RecvError::Closed) => None,
        }
    }
}

fn as_text<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

fn as_text_if_any<S: Serializer>(id: &Option<AccountId>, to: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => to.collect_str(id),
        None => to.serialize_none(),
    }
}

fn as_number<S: Serializer>(id: &MessageId, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i64(id.number())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "05aa654f00fc39fc69fd0db829410ca38177d7732a8d2f0934ab3872ac56d5aa74";

    #[test]
    fn an_event_is_one_flat_object_with_its_name_and_its_account() {
        let conversation: AccountId = ID.parse().unwrap();
        let event = Event::MessageNew { conversation, message_id: MessageId::new(7) };
        let json = serde_json::to_value(Notice { account: Some(conversation), event }).unwrap();
        let expected = serde_json::json!({
            "account": ID, "event": "message_new", "conversation": ID, "message_id": 7,
        });
        assert_eq!(json, expected);
        let locked = Notice { account: None, event: Event::Locked };
        assert_eq!(serde_json::to_string(&locked).unwrap(), r#"{"event":"locked"}"#);
    }

    #[tokio::test]
    async fn who_falls_behind_is_told_so_and_hears_the_rest() {
        let events = Events::default();
        let mut listener = events.listen();
        for _ in 0..=BACKLOG {
            events.publish(None, Event::AccountChanged);
        }
        assert_eq!(listener.next().await.unwrap().event, Event::Missed);
        for _ in 0..BACKLOG {
            assert_eq!(listener.next().await.unwrap().event, Event::AccountChanged);
        }
        drop(events);
        assert_eq!(listener.next().await, None);
    }
}
