//! Medians and percentiles of samples.

/// The middle sample, or the mean of the two middle ones; 0 where there is none.
pub fn median(samples: impl IntoIterator<Item = f64>) -> f64 {
    let sorted = sort(samples);
    let middle = sorted.len() / 2;
    let at = |index: usize| sorted.get(index).copied().unwrap_or(0.0);
    if sorted.len() % 2 == 1 {
        at(middle)
    } else {
        f64::midpoint(at(middle.saturating_sub(1)), at(middle))
    }
}

/// The smallest sample that at least `percent` of 100 samples do not exceed (nearest rank);
/// 0 where there is none.
pub fn percentile(samples: impl IntoIterator<Item = f64>, percent: usize) -> f64 {
    let sorted = sort(samples);
    let rank = (sorted.len() * percent.min(100)).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

fn sort(samples: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = samples.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_median_does_not_depend_on_order_or_outliers() {
        assert_eq!(median([3.0, 1.0, 1_000.0]), 3.0);
        assert_eq!(median([4.0, 2.0, 1.0, 3.0]), 2.5);
        assert_eq!(median([7.0]), 7.0);
        assert_eq!(median([]), 0.0);
    }

    #[test]
    fn percentiles_are_samples_by_nearest_rank() {
        let hundred = (1..=100).map(f64::from);
        assert_eq!(percentile(hundred.clone(), 50), 50.0);
        assert_eq!(percentile(hundred.clone(), 99), 99.0);
        assert_eq!(percentile(hundred, 100), 100.0);
        assert_eq!(percentile([2.0, 1.0], 99), 2.0);
        assert_eq!(percentile([5.0, 6.0], 0), 5.0);
        assert_eq!(percentile([], 50), 0.0);
    }

    proptest! {
        #[test]
        fn a_percentile_is_a_sample_and_grows(
            samples in prop::collection::vec(0.0..1e9_f64, 1..200),
            low in 0..=100_usize,
            high in 0..=100_usize,
        ) {
            let (low, high) = (low.min(high), low.max(high));
            let below = percentile(samples.iter().copied(), low);
            let above = percentile(samples.iter().copied(), high);
            prop_assert!(samples.contains(&below) && samples.contains(&above));
            prop_assert!(below <= above);
        }
    }
}
