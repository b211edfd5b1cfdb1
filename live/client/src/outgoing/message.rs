//! What a person writes: saved with its sealed copies, then delivered.

use warren_message::Content;
use warren_message::Kind;
use warren_message::content::body::Body;
use warren_message::content::data::{Data, What};
use warren_message::content::mention::mentions;
use warren_message::content::notice::RequestResponse;
use warren_message::content::profile::Profile;
use warren_message::content::visible::{Quote, Visible};
use warren_message::expiration::Expiration;
use warren_wire::{AccountId, AccountKind, Millis};

use super::attaching::{self, DraftFile};
use super::deliver::Sent;
use crate::configs::people;
use crate::database::{self, DatabaseError, Details, MessageId, NewOutgoing, SealedCopy, Task, Tx};
use crate::error::ClientError;
use crate::events::Event;
use crate::incoming::arrival::expiry;
use crate::messenger::Messenger;
use crate::previews::look::DraftPreview;

/// What a person writes.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The text.
    pub body: String,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// Its files, see [`Messenger::attach`]; with them the text may be empty.
    pub files: Vec<DraftFile>,
    /// What a link in it leads to, see [`Messenger::preview_of`].
    pub preview: Option<DraftPreview>,
}

impl Draft {
    /// A text and nothing else.
    pub fn text(body: impl Into<String>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// Its files, and the image of its preview behind them.
    fn all_files(&self) -> Vec<DraftFile> {
        let image = self.preview.as_ref().and_then(|preview| preview.image.as_ref());
        self.files.iter().chain(image).cloned().collect()
    }
}

impl Messenger {
    /// Saves a message, then tries to deliver it.
    ///
    /// From the moment it is saved it is delivered sooner or later, and once: every try stores the
    /// same bytes, which a swarm keeps once.
    ///
    /// # Errors
    /// Where it cannot be sealed or saved. A network that fails is no error: the message waits.
    pub async fn send(&self, to: &AccountId, body: &str) -> Result<Sent, ClientError> {
        let (message, timestamp) = self.save_draft(to, &Draft::text(body))?;
        let state = self.deliver_message(message).await?;
        Ok(Sent { message, timestamp, state })
    }

    /// Saves a text without sending it: its number here, and its time.
    ///
    /// # Errors
    /// As [`Messenger::save_draft`].
    pub fn save_text(
        &self,
        to: &AccountId,
        body: &str,
    ) -> Result<(MessageId, Millis), ClientError> {
        self.save_draft(to, &Draft::text(body))
    }

    /// Saves a message without sending it: its number here, and its time. It leaves with whatever
    /// delivers next.
    ///
    /// # Errors
    /// Where it cannot be sealed or saved, or what it answers is gone.
    pub fn save_draft(
        &self,
        to: &AccountId,
        draft: &Draft,
    ) -> Result<(MessageId, Millis), ClientError> {
        loop {
            match self.queue(to, draft) {
                // Another process took the same millisecond.
                Err(ClientError::Database(DatabaseError::TimestampTaken)) => {}
                Err(error) => return Err(error),
                Ok((message, timestamp)) => {
                    self.publish(Event::MessageNew { conversation: *to, message_id: message });
                    return Ok((message, timestamp));
                }
            }
        }
    }

    /// Saves a message, in one transaction with its sealed copies; or, where it has files, with what
    /// is to be done before it can be sealed.
    fn queue(&self, to: &AccountId, draft: &Draft) -> Result<(MessageId, Millis), ClientError> {
        let now = self.now();
        let timestamp = self.db.with(|db| db.free_timestamp(to, now))?;
        attaching::check(&draft.files)?;
        let expiration = self.expiration_in(to)?;
        let details = self.details(to, draft, expiration)?;
        let files = draft.all_files();
        let copies = if files.is_empty() {
            self.text_copies(to, draft, &details, expiration, timestamp)?
        } else {
            Vec::new()
        };
        let message = NewOutgoing {
            conversation: *to,
            content: &database::Content::Text(draft.body.clone()),
            details: &details,
            timestamp,
            now,
            copies: &copies,
        };
        let profile = self.own_profile();
        let save = |tx: &Tx<'_>| {
            self.approve(tx, to, profile, now)?;
            let before = tx.conversation(to)?;
            let id = tx.queue_message(&message)?;
            if !files.is_empty() {
                attaching::queue_files(tx, id, &files, now)?;
            }
            people::note_shown(tx, &self.account, before.as_ref(), now)?;
            Ok::<_, ClientError>(id)
        };
        Ok((self.db.with(|db| db.transact(save))?, timestamp))
    }

    fn details(
        &self,
        to: &AccountId,
        draft: &Draft,
        expiration: Option<Expiration>,
    ) -> Result<Details, ClientError> {
        if !draft.body.is_empty() {
            Body::new(draft.body.clone())?;
        }
        let quote = match draft.reply_to {
            None => None,
            Some(reply_to) => {
                let answered = self.db.with(|db| db.message(reply_to))?;
                if answered.conversation != *to {
                    return Err(ClientError::OtherConversation);
                }
                let (author, timestamp) = (answered.author, answered.timestamp);
                let text = match answered.content {
                    database::Content::Text(text) => Some(text).filter(|text| !text.is_empty()),
                    _ => None,
                };
                Some(database::Quote { author, timestamp, text })
            }
        };
        let own = self.account.id();
        Ok(Details {
            quote,
            preview: draft.preview.as_ref().map(|preview| database::Preview {
                url: preview.url.clone(),
                title: preview.title.clone(),
            }),
            mentions_me: mentions(&draft.body).any(|mention| mention.account == own),
            expiry: expiry(expiration),
            attachments: attaching::about(&draft.all_files()),
        })
    }

    fn text_copies(
        &self,
        to: &AccountId,
        draft: &Draft,
        details: &Details,
        expiration: Option<Expiration>,
        timestamp: Millis,
    ) -> Result<Vec<SealedCopy>, ClientError> {
        let mut visible = Visible::text(Body::new(draft.body.clone())?);
        if let Some(quote) = &details.quote {
            // Who has what is quoted knows its words, and nobody else is to be told them.
            visible = visible.with_quote(Quote::of(quote.timestamp, quote.author));
        }
        if let Some(preview) = details.preview.as_ref().and_then(attaching::in_words) {
            visible = visible.with_preview(preview);
        }
        let data = Data::from(What::Visible(visible)).with_profile(self.own_profile());
        let content = Content { expiration, ..Content::from(data) };
        self.copies(to, &content, timestamp)
    }

    /// Whom one writes to, one wants to hear from; who asked to be heard is told.
    pub(crate) fn approve(
        &self,
        tx: &Tx<'_>,
        peer: &AccountId,
        profile: Option<Profile>,
        now: Millis,
    ) -> Result<(), ClientError> {
        let known = tx.contact(peer)?;
        if peer.kind() != AccountKind::Person
            || *peer == self.account.id()
            || known.as_ref().is_some_and(|contact| contact.approved)
        {
            return Ok(());
        }
        let asked = tx.conversation(peer)?.is_some_and(|conversation| conversation.is_request);
        tx.accept_request(peer, now)?;
        let approved_me = known.is_some_and(|contact| contact.approved_me);
        people::change_person(tx, &self.account, peer, now, |contact| {
            people::approve(contact);
            contact.blocked = false;
            contact.approved_me |= approved_me;
        })?;
        if asked {
            let response = RequestResponse { approved: true, profile };
            let content = Content::from(Kind::RequestResponse(response));
            // Before the message it may go with, for messages are named by author and time.
            for copy in self.copies(peer, &content, now.saturating_sub(1))? {
                tx.add_job(&Task::Store { message: None, copy }, &[], now)?;
            }
        }
        Ok(())
    }
}
