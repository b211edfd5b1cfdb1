//! What handlers take out of a request: the account, a query, a body.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use warren_client::Messenger;
use warren_wire::AccountId;

use super::MOST_BODY_BYTES;
use super::session::Session;
use crate::failure::Failure;

/// How long a body may take to come.
const LONGEST_BODY: Duration = Duration::from_secs(30);

/// The session of a request that stands behind [`super::session::until_locked`].
pub struct InSession(pub Arc<Session>);

impl<S: Sync> FromRequestParts<S> for InSession {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get().cloned().map(Self).ok_or(Failure::Locked)
    }
}

/// The account that `{account}` in the path names, at work.
pub struct OfAccount {
    /// The account.
    pub messenger: Arc<Messenger>,
    /// The session it is at work in.
    pub session: Arc<Session>,
}

impl Deref for OfAccount {
    type Target = Messenger;

    fn deref(&self) -> &Messenger {
        &self.messenger
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfAccount {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let InSession(session) = InSession::from_request_parts(parts, state).await?;
        let id = id_in_path(parts, state, "account").await?;
        Ok(Self { messenger: session.messenger(&id)?, session })
    }
}

/// The person or group that `{peer}` in the path names.
pub struct OfPeer(pub AccountId);

impl<S: Send + Sync> FromRequestParts<S> for OfPeer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        id_in_path(parts, state, "peer").await.map(Self)
    }
}

async fn id_in_path<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    name: &str,
) -> Result<AccountId, Failure> {
    let params = RawPathParams::from_request_parts(parts, state).await;
    let params = params.map_err(|_| Failure::NoAccountId)?;
    let found = params.iter().find(|(key, _)| *key == name);
    found.and_then(|(_, value)| value.parse().ok()).ok_or(Failure::NoAccountId)
}

/// The query of a request.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(query)| Self(query)).map_err(|bad| Failure::BadRequest(bad.body_text()))
    }
}

/// The JSON body of a request.
pub struct Given<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Given<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let stated = request.headers().get(CONTENT_LENGTH).and_then(|size| size.to_str().ok());
        let stated = stated.and_then(|size| size.parse::<usize>().ok());
        if stated.is_some_and(|size| size > MOST_BODY_BYTES) {
            return Err(Failure::TooMuchInput(MOST_BODY_BYTES));
        }
        let body = timeout(LONGEST_BODY, Json::<T>::from_request(request, state)).await;
        body.map_err(|_| Failure::TooSlow)?.map(|Json(body)| Self(body)).map_err(
            |bad: JsonRejection| {
                if bad.status() == StatusCode::PAYLOAD_TOO_LARGE {
                    Failure::TooMuchInput(MOST_BODY_BYTES)
                } else {
                    Failure::BadRequest(bad.body_text())
                }
            },
        )
    }
}
