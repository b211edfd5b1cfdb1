//! Which snapshots stay: the last few, and the last of each of some days, weeks and months.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use warren_wire::Millis;

/// How many snapshots stay for each reason; one may stay for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// The newest.
    pub last: usize,
    /// The newest of each day that has one.
    pub daily: usize,
    /// The newest of each week that has one; weeks begin on Monday.
    pub weekly: usize,
    /// The newest of each month that has one.
    pub monthly: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self { last: 3, daily: 7, weekly: 4, monthly: 12 }
    }
}

impl Retention {
    /// Which snapshots made at these times stay, in UTC, as places in `times`. The newest always does.
    pub fn kept(&self, times: &[Millis]) -> HashSet<usize> {
        let mut newest_first: Vec<usize> = (0..times.len()).collect();
        newest_first.sort_by_key(|at| std::cmp::Reverse((times.get(*at), *at)));
        let mut kept: HashSet<usize> =
            newest_first.iter().copied().take(self.last.max(1)).collect();
        let rules: [(usize, PeriodOf); 3] =
            [(self.daily, day), (self.weekly, week), (self.monthly, month)];
        for (count, period) in rules {
            let mut seen = HashSet::new();
            for at in &newest_first {
                let time = times.get(*at).copied().unwrap_or_default();
                if seen.len() < count && seen.insert(period(time)) {
                    kept.insert(*at);
                }
            }
        }
        kept
    }
}

/// A day, week or month: its year and number.
type Period = (i16, i16);
/// The period that a time lies in.
type PeriodOf = fn(Millis) -> Period;

fn day(time: Millis) -> Period {
    let date = date(time);
    (date.year(), date.day_of_year())
}

fn week(time: Millis) -> Period {
    let week = date(time).iso_week_date();
    (week.year(), week.week().into())
}

fn month(time: Millis) -> Period {
    let date = date(time);
    (date.year(), date.month().into())
}

fn date(time: Millis) -> jiff::civil::Date {
    let time = i64::try_from(time).ok().and_then(|time| Timestamp::from_millisecond(time).ok());
    time.unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Millis = 60 * 60 * 1000;
    /// Wednesday, 15 November 2023, 00:00 UTC.
    const WEDNESDAY: Millis = 1_700_006_400_000;

    fn kept(retention: Retention, times: &[Millis]) -> Vec<usize> {
        let mut kept: Vec<usize> = retention.kept(times).into_iter().collect();
        kept.sort_unstable();
        kept
    }

    const NONE: Retention = Retention { last: 0, daily: 0, weekly: 0, monthly: 0 };

    #[test]
    fn the_newest_of_each_day_week_and_month_stay() {
        let times: Vec<Millis> = (0..100).map(|n| WEDNESDAY + n * 12 * HOUR).collect();
        assert_eq!(kept(NONE, &times), [99]);
        assert_eq!(kept(Retention { last: 3, ..NONE }, &times), [97, 98, 99]);
        assert_eq!(kept(Retention { daily: 3, ..NONE }, &times), [95, 97, 99]);
        // Day 49 is Wednesday, 3 January: Sundays before it are days 46, 39.
        assert_eq!(kept(Retention { weekly: 3, ..NONE }, &times), [79, 93, 99]);
        assert_eq!(kept(Retention { monthly: 9, ..NONE }, &times), [31, 93, 99]);
    }

    proptest! {
        #[test]
        fn no_more_stay_than_asked_for_and_never_none(
            times in prop::collection::vec(any::<u64>(), 1..50), last in 0_usize..5, daily in 0_usize..5,
        ) {
            let kept = Retention { last, daily, weekly: 0, monthly: 0 }.kept(&times);
            prop_assert!((1..=last.max(1) + daily).contains(&kept.len()));
            let newest = (0..times.len()).max_by_key(|at| (times[*at], *at)).unwrap();
            prop_assert!(kept.contains(&newest));
        }
    }
}
