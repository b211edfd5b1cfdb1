//! `warren search`: messages on this device that say something.

use std::collections::HashMap;

use crate::api::contacts::Contact;
use crate::api::search::{Hits, LookFor, SearchOrder};
use crate::cli::SearchArgs;
use crate::commands::read::{message_json, message_text};
use crate::failure::{Exit, Failure};
use crate::people;
use crate::start::Start;
use crate::wording::person_shown;

/// Carries the command out.
///
/// # Errors
/// Where the home or the database fails.
pub async fn run(start: &Start, args: &SearchArgs) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let conversation = match &args.from {
        Some(from) => Some(people::peer(&account, from).await?.account_id),
        None => None,
    };
    let asked = LookFor {
        text: args.text.join(" "),
        conversation,
        order: if args.best { SearchOrder::Best } else { SearchOrder::Newest },
        after: None,
        limit: Some(args.limit),
    };
    let Hits { hits, .. } = account.query("search", &asked).await?;
    let mut known: HashMap<&str, Option<Contact>> = HashMap::new();
    for hit in &hits {
        let id = hit.message.conversation.as_str();
        if !known.contains_key(id) {
            known.insert(id, account.find(id).await?.contact);
        }
        let contact = known.get(id).and_then(Option::as_ref);
        let value = message_json(&hit.message, contact);
        let text = message_text(&hit.message, &person_shown(id, contact));
        start.output.result(&value, text)?;
    }
    if hits.is_empty() {
        start.output.text("Nothing was found.")?;
    }
    Ok(Exit::Done)
}
