//! How many requests one client may make: a bucket of tokens for each address, kept in memory alone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How many requests a client may make at once.
const BURST: f64 = 600.0;
/// How many more it may make each second.
const PER_SECOND: f64 = 300.0;
/// How many clients are remembered. Two seconds after its last request a client is as a new one, so
/// only a crowd of that size within two seconds finds no room.
const MOST_CLIENTS: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn refilled(self, now: Instant) -> Self {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        Self { tokens: seconds.mul_add(PER_SECOND, self.tokens).min(BURST), at: now }
    }
}

/// The clients that made requests of late. Their addresses are never logged or written.
#[derive(Default)]
pub struct Rates {
    clients: Mutex<HashMap<IpAddr, Bucket>>,
}

impl Rates {
    /// Whether a client may make one more request now, which counts.
    pub fn admit(&self, client: IpAddr, now: Instant) -> bool {
        let client = client.to_canonical();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= MOST_CLIENTS && !clients.contains_key(&client) {
            clients.retain(|_, bucket| bucket.refilled(now).tokens < BURST);
            if clients.len() >= MOST_CLIENTS {
                return false;
            }
        }
        let fresh = Bucket { tokens: BURST, at: now };
        let bucket = clients.entry(client).or_insert(fresh);
        *bucket = bucket.refilled(now);
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::time::Duration;

    use super::*;

    fn client(number: u32) -> IpAddr {
        Ipv4Addr::from(number).into()
    }

    fn admitted(rates: &Rates, client: IpAddr, now: Instant) -> usize {
        (0..2_000).filter(|_| rates.admit(client, now)).count()
    }

    #[test]
    fn a_client_has_a_burst_and_then_a_rate_of_its_own() {
        let (rates, start) = (Rates::default(), Instant::now());
        assert_eq!(admitted(&rates, client(1), start), 600);
        assert_eq!(admitted(&rates, client(2), start), 600);
        assert_eq!(admitted(&rates, client(1), start + Duration::from_secs(1)), 300);
        assert_eq!(admitted(&rates, client(1), start + Duration::from_millis(1_010)), 3);
        assert_eq!(admitted(&rates, client(1), start + Duration::from_secs(60)), 600);
        let mapped = Ipv4Addr::from(1).to_ipv6_mapped();
        assert_eq!(admitted(&rates, Ipv6Addr::into(mapped), start + Duration::from_secs(60)), 0);
    }

    #[test]
    fn a_crowd_is_forgotten_as_it_goes() {
        let (rates, start) = (Rates::default(), Instant::now());
        assert!((0..10_000).all(|number| rates.admit(client(number), start)));
        assert!(!rates.admit(client(10_000), start));
        assert!(rates.admit(client(7), start));
        assert!(rates.admit(client(10_000), start + Duration::from_secs(2)));
        assert_eq!(rates.clients.lock().unwrap_or_else(PoisonError::into_inner).len(), 1);
    }
}
