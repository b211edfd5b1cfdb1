//! Searching all messages, by words and beginnings of words.

use std::sync::Arc;

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::database::{self, SearchPosition};

use super::about::complete;
use super::extract::{Asked, OfAccount};
use super::failure::ErrorBody;
use super::messages::Message;
use super::session::Home;
use crate::failure::Failure;

/// How many messages a page has where nobody says.
const USUAL_LIMIT: usize = 50;
/// The most messages of a page.
const MOST_MESSAGES: usize = 500;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(search))
}

/// What to look for.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct LookFor {
    /// Words, all of which must be there; the last may go on. A text in double quotes is a phrase.
    #[param(required = true)]
    pub text: String,
    /// In one conversation alone.
    pub conversation: Option<String>,
    /// In which order; the newest first where absent.
    #[param(inline)]
    pub order: SearchOrder,
    /// The `next` of the page before.
    pub after: Option<i64>,
    /// At most so many; 50 where absent, never more than 500.
    pub limit: Option<usize>,
}

/// In which order messages are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The best first: those that say the words often, in few words.
    Best,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hit {
    /// The message.
    pub message: Message,
    /// The part of it, or of its files' names, where it was found: U+FDD0 stands before what was
    /// looked for and U+FDD1 behind it.
    pub snippet: String,
}

/// Messages that were found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Hits {
    /// The messages, in the order asked for.
    pub hits: Vec<Hit>,
    /// What `after` must be for the next page; absent where this was the last.
    pub next: Option<i64>,
}

/// Looks for messages.
#[utoipa::path(
    get, path = "/accounts/{account}/search", tag = "messages",
    params(("account" = String, Path, description = "Account ID"), LookFor),
    responses((status = 200, body = Hits), (status = "default", body = ErrorBody)),
)]
async fn search(of: OfAccount, Asked(asked): Asked<LookFor>) -> Result<Json<Hits>, Failure> {
    let conversation = asked.conversation.as_deref().map(str::parse).transpose();
    let conversation = conversation.map_err(|_| Failure::NoAccountId)?;
    let order = match asked.order {
        SearchOrder::Newest => database::SearchOrder::Newest,
        SearchOrder::Best => database::SearchOrder::Best,
    };
    let search = database::Search { text: asked.text, conversation, order };
    let after = asked.after.map(SearchPosition::new);
    let limit = asked.limit.unwrap_or(USUAL_LIMIT).min(MOST_MESSAGES);
    of.db().with(|db| {
        let page = db.search(&search, after, limit)?;
        let hit = |hit: database::Hit| {
            let message = complete(db, hit.message)?;
            Ok(Hit { message, snippet: hit.snippet })
        };
        let hits = page.hits.into_iter().map(hit).collect::<Result<_, Failure>>()?;
        Ok(Json(Hits { hits, next: page.next.map(SearchPosition::number) }))
    })
}
