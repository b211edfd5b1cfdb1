//! The local API: everything this device can do, over HTTP, for the command line and for apps.
//!
//! The command line asks the same router as an app does: through the socket of a running daemon,
//! or, where none runs, without any socket in its own process ([`Api`]).
//!
//! | module | what |
//! |---|---|
//! | [`session`] | an unlocked home: its accounts at work |
//! | [`extract`] | what handlers take: an account, a query, a body |
//! | [`failure`] | failures as `{"error":{"code","message"}}` with a status |
//! | [`guard`] | who may ask over loopback: token, `Host`, `Origin` |
//! | [`caller`] | asking, over a socket or in process |
//! | [`daemon`] | the daemon: status, lock, unlock, stop |
//! | [`lock`], [`wipe`] | codes and what they do; destroying what is here |
//! | [`network`] | the network: its seed, the path in use, fetching |
//! | [`accounts`], [`contacts`], [`conversations`], [`groups`], [`messages`], [`outbox`], [`search`] | one noun each |
//! | [`settings`] | what others are told of an account's owner |
//! | [`shares`], [`recovery`] | recovery words in shares, and the friends who keep them |
//! | [`friends`] | friends who can wipe this device, and devices of theirs |
//! | [`about`], [`changes`] | what belongs to a message, and what is done to one |
//! | [`files`] | the files of messages; [`stream`] and [`transfers`] carry and keep them |
//! | [`pictures`] | what people and groups look like |
//! | [`backups`], [`restore`], [`border`] | backups made, brought back, and tried before a device is wiped |
//! | [`work`] | what of that is done in the background |
//! | [`crashes`], [`updates`] | reports of faults; whether there is a newer release |
//! | [`events`] | what changes, over a WebSocket |
//!
//! An endpoint is a function with `#[utoipa::path]` in the file of its noun, named in that file's
//! `routes`. `cargo xtask generate` then writes its description and the TypeScript types.

#![expect(unused_qualifications, reason = "what `utoipa::path` writes for parameters")]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::failure::Failure;
use session::Home;

pub mod about;
pub mod accounts;
pub mod backups;
pub mod border;
pub mod caller;
pub mod changes;
pub mod contacts;
pub mod conversations;
pub mod crashes;
pub mod daemon;
pub mod events;
pub mod expiry;
pub mod extract;
pub mod failure;
pub mod files;
pub mod friends;
pub mod groups;
pub mod guard;
pub mod lock;
pub mod messages;
pub mod network;
pub mod outbox;
pub mod pictures;
pub mod recovery;
pub mod restore;
pub mod search;
pub mod session;
pub mod settings;
pub mod shares;
pub mod stream;
pub mod transfers;
pub mod updates;
pub mod wipe;
pub mod work;

pub use caller::{AccountApi, Api};

/// The most bytes of a request that carries no file.
const MOST_BODY_BYTES: usize = 1024 * 1024;
/// How long a request may take, the longest wait for new messages included.
const LONGEST_REQUEST: Duration = Duration::from_secs(300);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Warren",
        description = "The local API of a Warren device. It is served on a Unix socket in the home \
                       directory, for its owner alone, and where asked for on loopback, with the \
                       token of the file api-token: `Authorization: Bearer TOKEN`, for a \
                       WebSocket also as the subprotocol `warren.token.TOKEN` beside \
                       `warren.v1`. Times are milliseconds since the Unix epoch.",
        license(name = "MIT OR Apache-2.0"),
    ),
    components(schemas(failure::ErrorBody, warren_client::Notice))
)]
struct Description;

/// What needs an unlocked home, each noun by itself.
fn nouns() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new()
        .merge(accounts::routes())
        .merge(shares::routes())
        .merge(recovery::routes())
        .merge(friends::routes())
        .merge(contacts::routes())
        .merge(conversations::routes())
        .merge(groups::routes())
        .merge(files::routes())
        .merge(pictures::routes())
        .merge(settings::routes())
        .merge(messages::routes())
        .merge(about::routes())
        .merge(changes::routes())
        .merge(outbox::routes())
        .merge(search::routes())
        .merge(network::routes())
        .merge(backups::routes())
        .merge(border::routes_within())
        .merge(updates::routes())
        .merge(events::routes())
        .merge(lock::routes_within())
}

fn routes(home: &Arc<Home>) -> OpenApiRouter<Arc<Home>> {
    let unlocked = middleware::from_fn_with_state(Arc::clone(home), session::until_locked);
    let nouns = nouns().route_layer(unlocked).merge(daemon::routes());
    let nouns = nouns.merge(lock::routes()).merge(wipe::routes()).merge(work::routes());
    let nouns = nouns.merge(restore::routes()).merge(border::routes()).merge(crashes::routes());
    OpenApiRouter::with_openapi(Description::openapi()).nest("/v1", nouns)
}

/// The router over a home.
pub fn router(home: &Arc<Home>) -> Router {
    let (router, _) = routes(home).split_for_parts();
    router
        .fallback(async || Failure::NoSuchEndpoint)
        .method_not_allowed_fallback(async || Failure::NoSuchEndpoint)
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .layer(middleware::from_fn(in_time))
        .layer(middleware::map_response(private))
        .with_state(Arc::clone(home))
}

/// The description of the API in OpenAPI, as JSON with a line break at its end.
///
/// # Errors
/// Where it cannot be written as JSON.
pub fn description() -> Result<String, serde_json::Error> {
    let home = Arc::new(Home::locked(std::path::PathBuf::new()));
    let (_, description) = routes(&home).split_for_parts();
    Ok(description.to_pretty_json()? + "\n")
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Failure::TooSlow.into_response(),
    }
}

/// Answers are nobody's to keep or to guess the type of.
async fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The description, for whoever asks the API itself.
async fn described(State(_): State<Arc<Home>>) -> Response {
    match description() {
        Ok(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECKED_IN: &str = include_str!("../../../../docs/api/openapi.json");

    #[test]
    fn the_checked_in_description_is_that_of_the_code() {
        assert!(description().unwrap() == CHECKED_IN, "run `cargo xtask generate`");
    }
}
