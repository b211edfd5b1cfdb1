//! `/monitor/v1`: a WebSocket on which subscriptions are made and messages are told of as they arrive.
//!
//! Binary frames carry bencode. A client that sends text frames is answered in JSON from then on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use tokio::time::{MissedTickBehavior, interval, timeout};
use warren_wire::rpc::monitor::{MonitorError, MonitorRequests, Push, encode_replies};
use warren_wire::value::Dict;
use warren_wire::{AccountId, Value, bencode};

use super::outbox::{News, Outbox, Overflow};
use super::subscriptions::Subscriptions;
use super::text;
use crate::http;
use crate::limits::Route;
use crate::node::Node;

/// The most bytes of a client's frame: a hundred subscriptions and more.
const MOST_FRAME: usize = 64 * 1024;
/// How many subscriptions of a frame may fail before the rest is not looked at.
const MOST_FAILURES: usize = 32;
/// How much of a socket's input is read at once.
const READ_BUFFER: usize = 1024;
/// The most bytes of ours that wait to be written: the largest push as JSON, and room to spare.
const WRITE_BUFFER: usize = 512 * 1024;
/// How often a client is asked whether it is still there; it has as long to say so.
const PING: Duration = Duration::from_secs(30);
/// How long a client may take to read what is sent.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take to read why the socket is closed.
const FAREWELL: Duration = Duration::from_millis(250);

/// Takes a socket on, where there is room for one more.
pub fn open(node: Arc<Node>, upgrade: WebSocketUpgrade, peer: Option<SocketAddr>) -> Response {
    if node.held.hold(node.share_of(peer), Vec::new()).is_none() {
        return http::response(503, "text/plain", "Server busy, try again later");
    }
    upgrade
        .max_message_size(MOST_FRAME)
        .max_frame_size(MOST_FRAME)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER)
        .on_upgrade(move |socket| async move { serve(&node, socket, peer).await })
}

/// Why a socket is closed from this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The node stops, or has no room.
    Stopping,
    /// The client reads too slowly, or asks too often.
    TooMuch,
    /// The client is gone; nobody is there to be told.
    Gone,
}

async fn serve(node: &Node, mut socket: WebSocket, peer: Option<SocketAddr>) {
    let ending = match node.held.hold(node.share_of(peer), Vec::new()) {
        Some(_place) => Box::pin(converse(node, &mut socket, peer)).await,
        None => Ending::Stopping,
    };
    let (code, reason) = match ending {
        Ending::Stopping => (close_code::AWAY, "Service node is not ready: shutting down"),
        Ending::TooMuch => (close_code::AGAIN, "too slow or too many requests, try again later"),
        Ending::Gone => return,
    };
    let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    // Whoever does not read it learns of it by the end of the connection.
    let _ = timeout(FAREWELL, socket.send(frame)).await;
}

/// How a client's frames are written, and its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Bencode,
    Json,
}

async fn converse(node: &Node, socket: &mut WebSocket, peer: Option<SocketAddr>) -> Ending {
    let outbox = Arc::new(Outbox::new(Arc::clone(node.held.backlog())));
    let mut subscriptions = Subscriptions::new(node, Arc::clone(&outbox));
    let mut form = Form::Bencode;
    let mut is_heard = true;
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let answer = tokio::select! {
            () = node.held.closed() => return Ending::Stopping,
            frame = socket.recv() => {
                is_heard = true;
                let requests = match frame {
                    Some(Ok(Message::Binary(bytes))) => {
                        form = Form::Bencode;
                        MonitorRequests::read(&bytes)
                    }
                    Some(Ok(Message::Text(json))) => {
                        form = Form::Json;
                        text::read(json.as_bytes())
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ending::Gone,
                };
                if !admits(node, peer) {
                    return Ending::TooMuch;
                }
                let admits = || admits(node, peer);
                match subscribe(&mut subscriptions, requests, admits).await {
                    Some((replies, listed)) => form.replies(replies, listed),
                    None => return Ending::TooMuch,
                }
            }
            news = outbox.next() => match news {
                Ok(news) => tell(&mut subscriptions, news, form).await,
                Err(Overflow) => return Ending::TooMuch,
            },
            _ = ping.tick() => {
                if !is_heard {
                    return Ending::Gone;
                }
                is_heard = false;
                subscriptions.sweep();
                Some(Message::Ping(Vec::new().into()))
            }
        };
        let Some(answer) = answer else { continue };
        tokio::select! {
            sent = timeout(PATIENCE, socket.send(answer)) => match sent {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Ending::Gone,
                Err(_) => return Ending::TooMuch,
            },
            () = outbox.overflowed() => return Ending::TooMuch,
        }
    }
}

/// Whether a client may ask once more: a frame counts as a request, and so does every subscription in
/// it behind the first.
fn admits(node: &Node, peer: Option<SocketAddr>) -> bool {
    peer.is_none_or(|peer| {
        let class = node.limits.class(peer.ip(), &node.placement());
        node.limits.admit(peer, class, Route::Other)
    })
}

/// Makes the subscriptions of one frame; `None` where a client asks for too many, or too many fail.
async fn subscribe(
    subscriptions: &mut Subscriptions<'_>,
    requests: Result<MonitorRequests, MonitorError>,
    admits: impl Fn() -> bool,
) -> Option<(Vec<Dict>, bool)> {
    match requests {
        Ok(MonitorRequests { requests, listed }) => {
            let mut replies = Vec::with_capacity(requests.len());
            let mut failures = 0;
            for request in requests {
                if failures > MOST_FAILURES || !(replies.is_empty() || admits()) {
                    return None;
                }
                let (reply, made) = subscriptions.subscribe(request).await;
                failures += usize::from(!made);
                replies.push(reply);
            }
            Some((replies, listed))
        }
        Err(error) => Some((vec![error.to_reply()], false)),
    }
}

/// What a subscriber is told of news, where they are still its business.
async fn tell(subscriptions: &mut Subscriptions<'_>, news: News, form: Form) -> Option<Message> {
    match news {
        News::Arrived(push) => match subscriptions.may_tell(&push.account).await {
            Ok(true) => form.push(&push),
            Ok(false) => None,
            Err(error) => form.end(&push.account, &error),
        },
        News::Moved(account) if subscriptions.end(&account) => {
            form.end(&account, &MonitorError::WrongSwarm)
        }
        News::Moved(_) => None,
    }
}

impl Form {
    fn replies(self, replies: Vec<Dict>, listed: bool) -> Option<Message> {
        match self {
            Self::Bencode => encode_replies(replies, listed).ok().map(Message::binary),
            Self::Json => Some(Message::text(text::replies(replies, listed))),
        }
    }

    fn push(self, push: &Push) -> Option<Message> {
        match self {
            Self::Bencode => push.encode().ok().map(Message::binary),
            Self::Json => Some(Message::text(text::push(push))),
        }
    }

    /// Word that a subscription is over: the error, and whose mailbox.
    fn end(self, account: &AccountId, error: &MonitorError) -> Option<Message> {
        let mut dict = error.to_reply();
        match self {
            Self::Bencode => {
                dict.insert("@".to_owned(), Value::Bytes(account.as_bytes().to_vec()));
                bencode::encode(&Value::Dict(dict)).ok().map(Message::binary)
            }
            Self::Json => {
                dict.insert("@".to_owned(), account.to_string().into());
                Some(Message::text(Value::Dict(dict).to_json().to_string()))
            }
        }
    }
}
