//! What an account's owner sets for themselves: what others are told of them.

use std::sync::Arc;

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::{Messenger, PreviewSetting};

use super::extract::{Given, OfAccount};
use super::failure::ErrorBody;
use super::session::Home;
use crate::failure::Failure;
use crate::wording;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(show, change))
}

/// What others are told of an account's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// What the people they write to are told they are called; absent where they are told nothing.
    pub display_name: Option<String>,
    /// Whether authors are told that their messages were read. On this device alone.
    pub read_receipts: bool,
    /// Whether others are told that the owner types. On this device alone.
    pub typing: bool,
    /// Whether what links lead to is looked up when a message with one is sent. On this device alone.
    pub link_previews: bool,
    /// The proxy it is looked up through; absent where the site sees this device's address.
    pub preview_proxy: Option<String>,
}

/// What changes of it; what is absent stays.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SettingsChange {
    /// What the people they write to are told, from the next message on. On all of their devices.
    pub display_name: Option<String>,
    /// Whether authors are told that their messages were read.
    pub read_receipts: Option<bool>,
    /// Whether others are told that the owner types.
    pub typing: Option<bool>,
    /// Whether what links lead to is looked up.
    pub link_previews: Option<bool>,
    /// The proxy it is looked up through: `socks5://HOST:PORT` or `http://HOST:PORT`; an empty text
    /// means none.
    pub preview_proxy: Option<String>,
}

/// Shows what others are told of the owner.
#[utoipa::path(
    get, path = "/accounts/{account}/settings", tag = "accounts",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = Settings), (status = "default", body = ErrorBody)),
)]
async fn show(of: OfAccount) -> Result<Json<Settings>, Failure> {
    settings(&of).map(Json)
}

/// Changes what others are told of the owner.
#[utoipa::path(
    patch, path = "/accounts/{account}/settings", tag = "accounts",
    params(("account" = String, Path, description = "Account ID")),
    request_body = SettingsChange,
    responses((status = 200, body = Settings), (status = "default", body = ErrorBody)),
)]
async fn change(
    of: OfAccount,
    Given(change): Given<SettingsChange>,
) -> Result<Json<Settings>, Failure> {
    if let Some(name) = change.display_name.as_deref().map(wording::name).transpose()? {
        of.set_display_name(name)?;
    }
    if change.read_receipts.is_some() || change.typing.is_some() {
        let (receipts, typing) = of.tells()?;
        of.set_tells(change.read_receipts.unwrap_or(receipts), change.typing.unwrap_or(typing))?;
    }
    if change.link_previews.is_some() || change.preview_proxy.is_some() {
        let before = of.previews()?;
        let proxy = change
            .preview_proxy
            .map_or(before.proxy, |proxy| Some(proxy).filter(|proxy| !proxy.is_empty()));
        let on = change.link_previews.unwrap_or(before.on);
        of.set_previews(&PreviewSetting { on, proxy })?;
    }
    settings(&of).map(Json)
}

fn settings(of: &Messenger) -> Result<Settings, Failure> {
    let (read_receipts, typing) = of.tells()?;
    let PreviewSetting { on: link_previews, proxy: preview_proxy } = of.previews()?;
    let display_name = of.display_name();
    Ok(Settings { display_name, read_receipts, typing, link_previews, preview_proxy })
}
