//! Buckets of tokens, one for each client, node or mailbox, kept in memory alone.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::network::{Network, SITE_CLIENTS};

/// How many keys are remembered. A full bucket is as good as none, so only a crowd of that size
/// within the time that a bucket takes to fill finds no room.
const MOST_KEYS: usize = 10_000;

/// How large a bucket is and how fast it fills.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// How many requests may come at once.
    pub burst: f64,
    /// How many more may come each second.
    pub per_second: f64,
}

impl Rate {
    /// So many at once and so many more each second.
    pub fn new(burst: u32, per_second: u32) -> Self {
        Self { burst: burst.into(), per_second: per_second.into() }
    }

    /// What all clients of one site may do together.
    fn of_site(self) -> Self {
        let clients = f64::from(u32::try_from(SITE_CLIENTS).unwrap_or(u32::MAX));
        Self { burst: self.burst * clients, per_second: self.per_second * clients }
    }
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn refilled(self, rate: Rate, now: Instant) -> Self {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        Self { tokens: seconds.mul_add(rate.per_second, self.tokens).min(rate.burst), at: now }
    }
}

/// Who made requests of late. Keys are never logged or written.
#[derive(Debug)]
pub struct Rates<K> {
    buckets: Mutex<HashMap<K, Bucket>>,
}

impl<K> Default for Rates<K> {
    fn default() -> Self {
        Self { buckets: Mutex::default() }
    }
}

impl<K: Eq + Hash> Rates<K> {
    /// Whether one more request of this key may be served, which counts.
    pub fn admit(&self, key: K, rate: Rate, now: Instant) -> bool {
        self.take(key, rate, now, 0.0)
    }

    /// Whether one more request of a client may be served, which counts for it and for its site.
    /// `key` is under what either is counted.
    pub fn admit_client(
        &self,
        client: Network,
        key: impl Fn(Network) -> K,
        rate: Rate,
        now: Instant,
    ) -> bool {
        // First, so that who changes households as it pleases has no more of them remembered.
        if let Some(site) = client.site()
            && !self.admit(key(site), rate.of_site(), now)
        {
            return false;
        }
        let admitted = self.admit(key(client), rate, now);
        if let Some(site) = client.site().filter(|_| !admitted) {
            self.give_back(&key(site), rate.of_site(), now);
        }
        admitted
    }

    /// Gives back what [`Rates::admit_client`] took.
    pub fn give_back_client(
        &self,
        client: Network,
        key: impl Fn(Network) -> K,
        rate: Rate,
        now: Instant,
    ) {
        if let Some(site) = client.site() {
            self.give_back(&key(site), rate.of_site(), now);
        }
        self.give_back(&key(client), rate, now);
    }

    /// Counts a request that is served in any case; a bucket may owe as much as it holds.
    pub fn charge(&self, key: K, rate: Rate, now: Instant) {
        self.take(key, rate, now, rate.burst);
    }

    /// Gives a token back that was taken.
    pub fn give_back(&self, key: &K, rate: Rate, now: Instant) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(key) {
            let refilled = bucket.refilled(rate, now);
            *bucket = Bucket { tokens: (refilled.tokens + 1.0).min(rate.burst), at: now };
        }
    }

    /// Takes a token where the bucket then owes no more than `debt`.
    fn take(&self, key: K, rate: Rate, now: Instant, debt: f64) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_KEYS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| bucket.refilled(rate, now).tokens < rate.burst);
            if buckets.len() >= MOST_KEYS {
                return false;
            }
        }
        let fresh = Bucket { tokens: rate.burst, at: now };
        let bucket = buckets.entry(key).or_insert(fresh);
        *bucket = bucket.refilled(rate, now);
        let admitted = bucket.tokens + debt >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RATE: Rate = Rate { burst: 600.0, per_second: 300.0 };

    fn admitted(rates: &Rates<u32>, key: u32, now: Instant) -> usize {
        (0..2_000).filter(|_| rates.admit(key, RATE, now)).count()
    }

    #[test]
    fn a_key_has_a_burst_and_then_a_rate_of_its_own() {
        let (rates, start) = (Rates::default(), Instant::now());
        assert_eq!(admitted(&rates, 1, start), 600);
        assert_eq!(admitted(&rates, 2, start), 600);
        assert_eq!(admitted(&rates, 1, start + Duration::from_secs(1)), 300);
        assert_eq!(admitted(&rates, 1, start + Duration::from_millis(1_010)), 3);
        assert_eq!(admitted(&rates, 1, start + Duration::from_secs(60)), 600);
    }

    #[test]
    fn what_is_charged_puts_off_what_asks() {
        let (rates, start) = (Rates::default(), Instant::now());
        (0..5_000).for_each(|_| rates.charge(1, RATE, start));
        assert_eq!(admitted(&rates, 1, start + Duration::from_secs(2)), 0);
        assert_eq!(admitted(&rates, 1, start + Duration::from_secs(3)), 300);
    }

    #[test]
    fn what_is_given_back_was_never_taken() {
        let (rates, start) = (Rates::default(), Instant::now());
        (0..5_000).for_each(|_| {
            assert!(rates.admit(1, RATE, start));
            rates.give_back(&1, RATE, start);
        });
        assert_eq!(admitted(&rates, 1, start), 600);
        rates.give_back(&1, RATE, start);
        assert_eq!(admitted(&rates, 1, start), 1);
        (0..5_000).for_each(|_| rates.give_back(&1, RATE, start));
        assert_eq!(admitted(&rates, 1, start), 600);
    }

    #[test]
    fn a_site_of_many_households_has_what_eight_have() {
        let (rates, now) = (Rates::default(), Instant::now());
        let client = |text: String| Network::from(text.parse::<std::net::IpAddr>().unwrap());
        let admitted = |text: String| {
            let client = client(text);
            (0..700).filter(|_| rates.admit_client(client, |it| it, RATE, now)).count()
        };
        let households = (0..100).map(|number| admitted(format!("2001:db8:1:{number:x}::1")));
        let households: Vec<usize> = households.collect();
        assert_eq!(households[..8], [600; 8], "who is put off costs the others nothing");
        assert_eq!(households[8..], [0; 92]);
        assert_eq!(admitted("2001:db8:2::1".into()), 600);
        assert_eq!(
            (1..20).map(|last| admitted(format!("192.0.2.{last}"))).sum::<usize>(),
            19 * 600
        );
        rates.give_back_client(client("2001:db8:1::1".into()), |it| it, RATE, now);
        assert_eq!(admitted("2001:db8:1::1".into()), 1);
    }

    #[test]
    fn a_crowd_is_forgotten_as_it_goes() {
        let (rates, start) = (Rates::default(), Instant::now());
        assert!((0..10_000).all(|number| rates.admit(number, RATE, start)));
        assert!(!rates.admit(10_000, RATE, start));
        assert!(rates.admit(7, RATE, start));
        assert!(rates.admit(10_000, RATE, start + Duration::from_secs(2)));
        assert_eq!(rates.buckets.lock().unwrap().len(), 1);
    }
}
