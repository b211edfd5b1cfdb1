//! What each client holds of something that all share, and what all clients of one site hold.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::network::{Network, SITE_CLIENTS};

/// Who holds how much. Nobody who holds nothing is remembered.
pub struct Tally {
    most: usize,
    of_site: usize,
    held: Mutex<HashMap<Network, usize>>,
}

impl Tally {
    /// So much for each client, and for a site as much as for [`SITE_CLIENTS`] of them, but no more
    /// than half of `all`.
    pub fn new(most: usize, all: usize) -> Self {
        let of_site = most.saturating_mul(SITE_CLIENTS).min(all / 2).max(most);
        Self { most, of_site, held: Mutex::default() }
    }

    /// Takes so much more for a client, where that leaves it within its share.
    pub fn take(&self, client: Network, amount: usize) -> bool {
        self.take_where(client, amount, |sum, most| sum.saturating_add(amount) <= most)
    }

    /// As [`Tally::take`]; who holds nothing may take more than the share at once.
    pub fn take_one(&self, client: Network, amount: usize) -> bool {
        let fits = |sum: usize, most| sum == 0 || sum.saturating_add(amount) <= most;
        self.take_where(client, amount, fits)
    }

    /// Takes so much whatever the share is.
    pub fn take_anyway(&self, client: Network, amount: usize) {
        self.take_where(client, amount, |_, _| true);
    }

    fn take_where(
        &self,
        client: Network,
        amount: usize,
        fits: impl Fn(usize, usize) -> bool,
    ) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let wider = client.site().map(|site| (site, self.of_site));
        let counted = [Some((client, self.most)), wider];
        let sum = |of: &Network| held.get(of).copied().unwrap_or_default();
        if !counted.iter().flatten().all(|(of, most)| fits(sum(of), *most)) {
            return false;
        }
        for (of, _) in counted.into_iter().flatten() {
            let sum = held.entry(of).or_default();
            *sum = sum.saturating_add(amount);
        }
        true
    }

    /// Gives back what a client took.
    pub fn give_back(&self, client: Network, amount: usize) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for of in [Some(client), client.site()].into_iter().flatten() {
            if let Some(sum) = held.get_mut(&of) {
                *sum = sum.saturating_sub(amount);
                if *sum == 0 {
                    held.remove(&of);
                }
            }
        }
    }

    /// Whether nobody holds anything.
    pub fn is_empty(&self) -> bool {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn client(text: &str) -> Network {
        text.parse::<IpAddr>().unwrap().into()
    }

    /// Household number so and so of a site.
    fn household(site: u16, number: u16) -> Network {
        client(&format!("2001:db8:{site:x}:{number:x}::1"))
    }

    #[test]
    fn a_client_has_its_share_and_gets_it_back() {
        let tally = Tally::new(10, 1_000);
        let one = client("192.0.2.1");
        assert!(tally.take(one, 6) && !tally.take(one, 5) && tally.take(one, 4));
        assert!(tally.take(client("192.0.2.2"), 10), "IPv4 addresses are nobody's neighbours");
        tally.take_anyway(one, 5);
        tally.give_back(one, 15);
        assert!(!tally.take(one, 11) && tally.take_one(one, 11) && !tally.take_one(one, 1));
        tally.give_back(one, 11);
        tally.give_back(client("192.0.2.2"), 10);
        assert!(tally.is_empty());
    }

    #[test]
    fn households_of_one_site_share_what_eight_may_take() {
        let tally = Tally::new(10, 1_000);
        let taken = (0..100).filter(|number| tally.take(household(1, *number), 10)).count();
        assert_eq!(taken, 8);
        assert!(!tally.take_one(household(1, 200), 1), "the site has its share");
        assert!(tally.take(household(2, 1), 10));
        (0..8).for_each(|number| tally.give_back(household(1, number), 10));
        assert!(tally.take(household(1, 200), 10));
        tally.give_back(household(1, 200), 10);
        tally.give_back(household(2, 1), 10);
        assert!(tally.is_empty());
    }

    #[test]
    fn no_site_takes_more_than_half_of_all() {
        let tally = Tally::new(10, 100);
        let taken = (0..100).filter(|number| tally.take(household(1, *number), 10)).count();
        assert_eq!(taken, 5);
    }
}
