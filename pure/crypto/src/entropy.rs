//! Where random bytes come from: a trait for `pure/`, and the operating system's source for `live/`.

/// A source of cryptographically secure random bytes.
///
/// Pure code takes `&mut dyn Entropy`, so that a test or a simulation can replay it.
pub trait Entropy {
    /// Fills `buffer` with random bytes.
    fn fill(&mut self, buffer: &mut [u8]);
}

/// `N` random bytes.
pub fn random<const N: usize>(entropy: &mut dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// A uniformly random index below `bound`, by rejection, or `None` where `bound` is zero.
pub fn random_index(entropy: &mut dyn Entropy, bound: usize) -> Option<usize> {
    let bound = u64::try_from(bound).ok().filter(|bound| *bound > 0)?;
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let draw = u64::from_le_bytes(random(entropy));
        if draw < limit {
            return usize::try_from(draw % bound).ok();
        }
    }
}

/// The operating system's generator, through libsodium's `randombytes_buf`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, buffer: &mut [u8]) {
        libsodium_rs::random::fill_bytes(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_index_stays_below_its_bound_and_reaches_every_value() {
        let mut seen = [false; 7];
        for _ in 0..1_000 {
            seen[random_index(&mut SystemEntropy, 7).unwrap()] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(random_index(&mut SystemEntropy, 0), None);
    }
}
