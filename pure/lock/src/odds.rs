//! How long guessing takes, for whoever has a copy of the disk and may guess as fast as they can.

use std::time::Duration;

/// Codes that consist of so many digits.
pub const fn pins(digits: u32) -> u128 {
    10_u128.saturating_pow(digits)
}

/// How long it takes to try so many codes with so many machines, where one guess takes one machine
/// so long. On the average half of it is enough.
pub fn time_to_try(codes: u128, guess: Duration, machines: u32) -> Duration {
    let nanos = codes.saturating_mul(guess.as_nanos()) / u128::from(machines.max(1));
    let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
    let rest = u32::try_from(nanos % 1_000_000_000).unwrap_or(0);
    Duration::new(seconds, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_codes_at_a_second_each_take_eleven_days_alone_and_a_thousandth_with_a_thousand() {
        let second = Duration::from_secs(1);
        assert_eq!(time_to_try(pins(6), second, 1), Duration::from_secs(1_000_000));
        assert_eq!(time_to_try(pins(6), second, 1_000), Duration::from_secs(1_000));
        assert_eq!(time_to_try(pins(4), Duration::from_millis(500), 0), Duration::from_secs(5_000));
    }

    #[test]
    fn what_is_too_long_to_say_is_the_longest_time() {
        assert_eq!(time_to_try(pins(64), Duration::MAX, 1).as_secs(), u64::MAX);
    }
}
