//! Asking the API: over the socket of a running daemon, or the router itself in this process.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;
use warren_wire::AccountId;

use super::accounts::Account;
use super::failure::ErrorBody;
use super::session::Home;
use super::stream;
use crate::daemon::socket;
use crate::failure::Failure;

/// The most bytes of an answer.
const MOST_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// How many parts of a file are read ahead.
const PARTS: usize = 4;
/// The type of a file on its way.
const BYTES: &str = "application/octet-stream";

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

    /// Puts a file in the place of what is there.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn put_file(&self, path: &str, file: File) -> Result<(), Failure> {
        let body = stream::body(file, PARTS);
        let (head, body) = self.open(Method::PUT, path, BYTES, body).await?.into_parts();
        let body = collect(body).await?;
        if head.status.is_success() { Ok(()) } else { Err(failure(head.status, &body)) }
    }

    /// Hands a file in, and gives what comes back.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn upload<T: DeserializeOwned>(&self, path: &str, file: File) -> Result<T, Failure> {
        let body = stream::body(file, PARTS);
        let (head, body) = self.open(Method::POST, path, BYTES, body).await?.into_parts();
        let body = collect(body).await?;
        if head.status.is_success() { read(&body) } else { Err(failure(head.status, &body)) }
    }

    /// Writes a file that is asked for below `/v1` into another; `place` is what to call that.
    ///
    /// # Errors
    /// As [`Api::get`], and where it cannot be written.
    pub async fn download(&self, path: &str, to: &mut File, place: &Path) -> Result<(), Failure> {
        let answer = self.open(Method::GET, path, BYTES, Body::empty()).await?;
        let (head, mut body) = answer.into_parts();
        if !head.status.is_success() {
            return Err(failure(head.status, &collect(body).await?));
        }
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failure::DaemonTrouble)?;
            if let Some(part) = frame.data_ref() {
                to.write_all(part)
                    .map_err(|error| Failure::Path { path: place.to_owned(), error })?;
            }
        }
        Ok(())
    }

    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, Failure> {
        let answer = self.open(method, path, "application/json", body.into()).await?;
        let (head, body) = answer.into_parts();
        let body = collect(body).await?;
        if head.status.is_success() { Ok(body) } else { Err(failure(head.status, &body)) }
    }

    async fn open(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Body,
    ) -> Result<Response<Body>, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1/{path}"))
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, kind);
        let request = request.body(body).map_err(|_| Failure::DaemonTrouble)?;
        match &self.0 {
            Way::Socket(path) => {
                let answer = socket::ask(path, request).await.ok_or(Failure::DaemonTrouble)?;
                Ok(answer.map(Body::new))
            }
            Way::Here(router) => match router.clone().oneshot(request).await {
                Ok(answer) => Ok(answer),
                Err(never) => match never {},
            },
        }
    }
}

async fn collect(body: Body) -> Result<Bytes, Failure> {
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

    /// Hands a file in with a query that says how, and gives what comes back.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn upload<T: DeserializeOwned>(
        &self,
        rest: &str,
        query: &impl Serialize,
        file: File,
    ) -> Result<T, Failure> {
        let query = serde_urlencoded::to_string(query).map_err(|_| Failure::DaemonTrouble)?;
        self.api.upload(&self.path(&format!("{rest}?{query}")), file).await
    }

    /// Puts a file in the place of what is there.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn put_file(&self, rest: &str, file: File) -> Result<(), Failure> {
        self.api.put_file(&self.path(rest), file).await
    }

    /// Writes a file of the account into another; `place` is what to call that.
    ///
    /// # Errors
    /// As [`Api::download`].
    pub async fn download(&self, rest: &str, to: &mut File, place: &Path) -> Result<(), Failure> {
        self.api.download(&self.path(rest), to, place).await
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
