//! What changes, as it happens, over a WebSocket: one JSON object in each text frame.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::{Event, Listener, Notice};
use warren_wire::AccountId;

use super::extract::{Asked, InSession};
use super::failure::ErrorBody;
use super::guard::SUBPROTOCOL;
use super::session::Home;
use crate::failure::Failure;

/// The most bytes that a listener may say: nothing but pings and a close.
const MOST_FRAME_BYTES: usize = 1024;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(events))
}

/// Whose events.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Whose {
    /// Those of one account alone, and those that concern all.
    pub account: Option<String>,
}

/// Opens a WebSocket of events, each a `Notice` as JSON text. It ends where the home is locked,
/// after the event `locked`.
#[utoipa::path(
    get, path = "/events", tag = "events", params(Whose),
    responses(
        (status = 101, description = "a WebSocket of `Notice`"),
        (status = "default", body = ErrorBody),
    ),
)]
async fn events(
    InSession(session): InSession,
    Asked(whose): Asked<Whose>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Failure> {
    let account = whose.account.as_deref().map(str::parse).transpose();
    let account: Option<AccountId> = account.map_err(|_| Failure::NoAccountId)?;
    let listener = session.events().listen();
    let upgrade = upgrade.protocols([SUBPROTOCOL]).max_message_size(MOST_FRAME_BYTES);
    Ok(upgrade.on_upgrade(move |socket| tell(socket, listener, account)))
}

async fn tell(mut socket: WebSocket, mut listener: Listener, account: Option<AccountId>) {
    loop {
        let notice = tokio::select! {
            notice = listener.next() => notice,
            said = socket.recv() => match said {
                // Pings are answered below this.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                _ => return,
            },
        };
        let Some(notice) = notice else { return };
        if !concerns(&notice, account) {
            continue;
        }
        let Ok(text) = serde_json::to_string(&notice) else { return };
        let sent = socket.send(Message::Text(text.into())).await;
        if sent.is_err() || notice.event == Event::Locked {
            return;
        }
    }
}

fn concerns(notice: &Notice, account: Option<AccountId>) -> bool {
    account.is_none() || notice.account.is_none() || notice.account == account
}
