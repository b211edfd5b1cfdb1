//! Bytes that are the same in every run, for tests.

use warren_account::Account;
use warren_crypto::Entropy;

/// SplitMix64: good enough to vary a test, good for nothing else.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.next().to_le_bytes()[0];
        }
    }
}

/// The account numbered `seed`.
pub(crate) fn account(seed: u64) -> Account {
    Account::random(&mut Seeded(seed)).unwrap()
}
