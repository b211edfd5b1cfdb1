//! Asking the API: over the socket of a running daemon, or the router itself in this process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;
use warren_wire::AccountId;

use super::accounts::Account;
use super::failure::ErrorBody;
use super::session::Home;
use crate::daemon::socket;
use crate::failure::Failure;

/// The most bytes of an answer.
const MOST_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// A way to ask the API.
#[derive(Clone)]
pub struct Api(Way);

#[derive(Clone)]
enum Way {
    Socket(PathBuf),
    Here(Router),
}

impl Api {
    /// Asks the daemon that serves a home; `None` where none does.
    pub async fn of_daemon(home: &Path) -> Option<Self> {
        let path = socket::path(home);
        socket::connect(&path).await.map(|_| Self(Way::Socket(path)))
    }

    /// Asks in this process.
    pub fn here(home: Home) -> Self {
        Self(Way::Here(super::router(&Arc::new(home))))
    }

    /// Whether a daemon answers.
    pub const fn is_daemon(&self) -> bool {
        matches!(self.0, Way::Socket(_))
    }

    /// Asks for something below `/v1`.
    ///
    /// # Errors
    /// What the API says, and where the daemon does not answer.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        read(&self.ask(Method::GET, path, Bytes::new()).await?)
    }

    /// Sends something, and gives what comes back.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(|_| Failure::DaemonTrouble)?;
        read(&self.ask(method, path, body.into()).await?)
    }

    /// As [`Api::send`], where nothing comes back.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn tell(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<(), Failure> {
        let body = serde_json::to_vec(body).map_err(|_| Failure::DaemonTrouble)?;
        self.ask(method, path, body.into()).await.map(drop)
    }

    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1/{path}"))
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json");
        let request = request.body(Full::new(body)).map_err(|_| Failure::DaemonTrouble)?;
        let (status, body) = match &self.0 {
            Way::Socket(path) => {
                let answer = socket::ask(path, request).await.ok_or(Failure::DaemonTrouble)?;
                let (head, body) = answer.into_parts();
                (head.status, collect(body).await?)
            }
            Way::Here(router) => {
                let answer = match router.clone().oneshot(request.map(Body::new)).await {
                    Ok(answer) => answer,
                    Err(never) => match never {},
                };
                let (head, body) = answer.into_parts();
                (head.status, collect(body).await?)
            }
        };
        if status.is_success() { Ok(body) } else { Err(failure(status, &body)) }
    }
}

async fn collect<B>(body: B) -> Result<Bytes, Failure>
where
    B: axum::body::HttpBody<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let collected = Limited::new(body, MOST_ANSWER_BYTES).collect().await;
    collected.map(http_body_util::Collected::to_bytes).map_err(|_| Failure::DaemonTrouble)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|_| Failure::DaemonTrouble)
}

fn failure(status: StatusCode, body: &[u8]) -> Failure {
    match serde_json::from_slice::<ErrorBody>(body) {
        Ok(ErrorBody { error }) => {
            let is_network = status == StatusCode::SERVICE_UNAVAILABLE;
            Failure::Api { is_network, code: error.code, message: error.message }
        }
        Err(_) => Failure::DaemonTrouble,
    }
}

/// The API of one account.
#[derive(Clone)]
pub struct AccountApi {
    api: Api,
    /// The account.
    pub account: Account,
}

impl AccountApi {
    /// Takes a way to ask and an account.
    pub const fn new(api: Api, account: Account) -> Self {
        Self { api, account }
    }

    /// The API of all accounts.
    pub const fn api(&self) -> &Api {
        &self.api
    }

    fn path(&self, rest: &str) -> String {
        format!("accounts/{}/{rest}", self.account.account_id)
    }

    /// Asks for something below the account.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn get<T: DeserializeOwned>(&self, rest: &str) -> Result<T, Failure> {
        self.api.get(&self.path(rest)).await
    }

    /// The same with a query.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn query<T: DeserializeOwned>(
        &self,
        rest: &str,
        query: &impl Serialize,
    ) -> Result<T, Failure> {
        let query = serde_urlencoded::to_string(query).map_err(|_| Failure::DaemonTrouble)?;
        self.get(&format!("{rest}?{query}")).await
    }

    /// Sends something, and gives what comes back.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        rest: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.api.send(method, &self.path(rest), body).await
    }

    /// As [`AccountApi::send`], where nothing comes back.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn tell(
        &self,
        method: Method,
        rest: &str,
        body: &impl Serialize,
    ) -> Result<(), Failure> {
        self.api.tell(method, &self.path(rest), body).await
    }

    /// Whom a contact's name or an Account ID means.
    ///
    /// # Errors
    /// Where no contact fits.
    pub async fn find(&self, who: &str) -> Result<super::contacts::Found, Failure> {
        self.query("find", &super::contacts::Who { who: who.to_owned() }).await
    }

    /// What is known of somebody; `None` for a stranger.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn contact(
        &self,
        id: &AccountId,
    ) -> Result<Option<super::contacts::Contact>, Failure> {
        Ok(self.find(&id.to_string()).await?.contact)
    }
}
