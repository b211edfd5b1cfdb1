//! `warren search`: messages on this device that say something.

use crate::api::search::{Hits, LookFor, SearchOrder};
use crate::cli::SearchArgs;
use crate::commands::read::{message_json, message_text};
use crate::failure::{Exit, Failure};
use crate::people::Names;
use crate::start::Start;

/// Carries the command out.
///
/// # Errors
/// Where the home or the database fails.
pub async fn run(start: &Start, args: &SearchArgs) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let conversation = match &args.from {
        Some(from) => Some(account.find(from.trim()).await?.account_id),
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
    let mut names = Names::new(account.clone());
    for hit in &hits {
        let cast = names.cast(&hit.message).await?;
        let value = message_json(&hit.message, &cast);
        let text = message_text(&hit.message, &cast);
        start.output.result(&value, text)?;
    }
    if hits.is_empty() {
        start.output.text("Nothing was found.")?;
    }
    Ok(Exit::Done)
}
