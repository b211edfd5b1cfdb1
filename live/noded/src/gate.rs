//! Who is answered by an authority or a seed, how often, and what their answers hold in memory.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::bodies::BodyError;
use crate::http::response;
use crate::limits::answers::Answers;
use crate::limits::network::Network;
use crate::limits::rate::{Rate, Rates};

/// What one client may ask at once, and then each second.
const RATE: (u32, u32) = (300, 50);
/// How many bytes of answers are in memory at once whose clients do not read.
const ANSWER_ROOM_BYTES: usize = 256 * 1024 * 1024;

/// How many of them one client's answers may take.
const CLIENT_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// What was asked of late, and the room for answers.
pub(crate) struct Gate {
    rates: Rates<Network>,
    answers: Answers,
}

impl Gate {
    /// Nothing was asked yet.
    pub(crate) fn new() -> Arc<Self> {
        let answers = Answers::new(ANSWER_ROOM_BYTES, CLIENT_ANSWER_BYTES);
        Arc::new(Self { rates: Rates::default(), answers })
    }

    fn admits(&self, client: IpAddr, now: Instant) -> bool {
        let network = Network::from(client);
        let rate = Rate::new(RATE.0, RATE.1);
        network.is_loopback() || self.rates.admit_client(network, |it| it, rate, now)
    }
}

/// Puts off who asks too often, and counts the answer until its client has it.
pub(crate) async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let client = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|client| client.0.ip());
    if client.is_some_and(|client| !gate.admits(client, Instant::now())) {
        return response(429, "text/plain", "Too Many Requests\n");
    }
    let client = client.map(Network::from).filter(|client| !client.is_loopback());
    gate.answers.hold(next.run(request).await, client, |_| None).await.unwrap_or_else(|| {
        let error = BodyError::Busy;
        response(error.status(), "text/plain", error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_a_rate_of_its_own_and_programs_on_this_machine_have_none() {
        let (gate, now) = (Gate::new(), Instant::now());
        let admitted = |client: &str| {
            let client = client.parse().unwrap();
            (0..400).filter(|_| gate.admits(client, now)).count()
        };
        assert_eq!((admitted("192.0.2.1"), admitted("192.0.2.2")), (300, 300));
        assert_eq!((admitted("2001:db8::1"), admitted("2001:db8::2")), (300, 0), "one household");
        assert_eq!(admitted("127.0.0.1"), 400);
    }
}
