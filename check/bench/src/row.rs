//! A line of the table: our figure, the figures beside it, their ratios and the goals.

use std::fmt;

use serde::Serialize;

use crate::contest::Result;
use crate::statistics::{median, percentile};
use crate::stopwatch::Spent;

/// What a row compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Processor time of one operation: less is better.
    Cpu,
    /// Wall time of one operation: less is better.
    Wall,
    /// Operations a second, many under way at once: more is better.
    Rate,
    /// Megabytes (10^6 bytes) a second, an operation being one megabyte: more is better.
    Throughput,
    /// Bytes of memory, which stand where the wall time of one operation stands otherwise: less is
    /// better.
    Memory,
}

impl Basis {
    /// Our figure over theirs.
    fn ratio(self, ours: Spent, theirs: Spent) -> f64 {
        let (over, under) = match self {
            Self::Cpu => (ours.cpu, theirs.cpu),
            Self::Wall | Self::Memory => (ours.wall, theirs.wall),
            Self::Rate | Self::Throughput => (theirs.wall, ours.wall),
        };
        if under > 0.0 { over / under } else { 0.0 }
    }
}

/// A ratio that a design goal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// For times.
    AtMost(f64),
    /// For rates.
    AtLeast(f64),
}

/// A goal by its number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Goal {
    /// Such as `P1`.
    pub number: &'static str,
    /// The ratio it asks for.
    pub bound: Bound,
}

impl Goal {
    /// A goal for a time.
    pub const fn at_most(number: &'static str, ratio: f64) -> Self {
        Self { number, bound: Bound::AtMost(ratio) }
    }

    /// A goal for a rate.
    pub const fn at_least(number: &'static str, ratio: f64) -> Self {
        Self { number, bound: Bound::AtLeast(ratio) }
    }

    /// Whether a ratio reaches it.
    pub fn is_met(&self, ratio: f64) -> bool {
        match self.bound {
            Bound::AtMost(most) => ratio <= most,
            Bound::AtLeast(least) => ratio >= least,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bound {
            Bound::AtMost(most) => write!(f, "{} <= {most}x", self.number),
            Bound::AtLeast(least) => write!(f, "{} >= {least}x", self.number),
        }
    }
}

/// An opponent or a floor, measured in the same run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Beside {
    /// Who.
    pub name: &'static str,
    /// What one operation took it.
    pub figure: Spent,
    /// Ours over theirs: the median of the rounds' ratios.
    pub ratio: f64,
    /// What the ratio should be.
    pub goal: Option<Goal>,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// By which `--only` finds it.
    pub name: &'static str,
    /// What one operation is.
    pub what: String,
    /// What is compared.
    pub basis: Basis,
    /// What one operation took us.
    pub figure: Spent,
    /// Who ran beside it.
    pub beside: Vec<Beside>,
}

impl Row {
    /// The first of the results is ours, the others are those beside it.
    pub fn of_contest(
        name: &'static str,
        what: impl Into<String>,
        basis: Basis,
        results: &[Result],
    ) -> Self {
        let ours = results.first().map_or(&[][..], |result| &result.rounds);
        let beside = results.iter().skip(1).map(|theirs| {
            let rounds = ours.iter().zip(&theirs.rounds);
            let ratio = median(rounds.map(|(ours, theirs)| basis.ratio(*ours, *theirs)));
            Beside { name: theirs.name, figure: middle(&theirs.rounds), ratio, goal: None }
        });
        let what = what.into();
        Self { name, what, basis, figure: middle(ours), beside: beside.collect() }
    }

    /// As [`Row::of_contest`], of single operations: the percentile of each, and their ratio.
    pub fn of_percentiles(
        name: &'static str,
        what: impl Into<String>,
        basis: Basis,
        percent: usize,
        results: &[Result],
    ) -> Self {
        let of = |result: &Result| Spent {
            wall: percentile(result.rounds.iter().map(|spent| spent.wall), percent),
            cpu: percentile(result.rounds.iter().map(|spent| spent.cpu), percent),
        };
        let figure = results.first().map_or(Spent { wall: 0.0, cpu: 0.0 }, of);
        let beside = results.iter().skip(1).map(|theirs| {
            let ratio = basis.ratio(figure, of(theirs));
            Beside { name: theirs.name, figure: of(theirs), ratio, goal: None }
        });
        Self { name, what: what.into(), basis, figure, beside: beside.collect() }
    }

    /// Of one measurement of each, such as bytes of memory; the first is ours.
    pub fn of_single(
        name: &'static str,
        what: impl Into<String>,
        basis: Basis,
        ours: Spent,
        others: &[(&'static str, Spent)],
    ) -> Self {
        let beside = others.iter().map(|(name, theirs)| Beside {
            name,
            figure: *theirs,
            ratio: basis.ratio(ours, *theirs),
            goal: None,
        });
        Self { name, what: what.into(), basis, figure: ours, beside: beside.collect() }
    }

    /// Sets a goal for the ratio to one of those beside.
    #[must_use]
    pub fn with_goal(mut self, beside: &str, goal: Goal) -> Self {
        for found in self.beside.iter_mut().filter(|found| found.name == beside) {
            found.goal = Some(goal);
        }
        self
    }
}

fn middle(rounds: &[Spent]) -> Spent {
    Spent {
        wall: median(rounds.iter().map(|spent| spent.wall)),
        cpu: median(rounds.iter().map(|spent| spent.cpu)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(name: &'static str, walls: &[f64]) -> Result {
        let rounds = walls.iter().map(|wall| Spent { wall: *wall, cpu: wall / 2.0 }).collect();
        Result { name, rounds }
    }

    #[test]
    fn a_ratio_is_the_median_of_rounds_and_not_the_ratio_of_medians() {
        let results = [result("ours", &[1.0, 2.0, 9.0]), result("theirs", &[4.0, 4.0, 4.5])];
        let row = Row::of_contest("it", "", Basis::Cpu, &results);
        assert_eq!(row.figure, Spent { wall: 2.0, cpu: 1.0 });
        assert_eq!(row.beside[0].ratio, 0.5);
    }

    #[test]
    fn percentiles_are_compared_with_percentiles() {
        let results = [result("ours", &[3.0, 1.0, 2.0]), result("theirs", &[1.0, 8.0, 4.0])];
        let row = Row::of_percentiles("it", "", Basis::Wall, 99, &results);
        assert_eq!(row.figure, Spent { wall: 3.0, cpu: 1.5 });
        assert_eq!(row.beside[0].ratio, 3.0 / 8.0);
    }

    #[test]
    fn a_rate_is_better_when_greater() {
        let results = [result("ours", &[1.0]), result("theirs", &[4.0])];
        let row = Row::of_contest("it", "", Basis::Rate, &results)
            .with_goal("theirs", Goal::at_least("P7", 1.3));
        assert_eq!(row.beside[0].ratio, 4.0);
        assert!(row.beside[0].goal.unwrap().is_met(4.0));
        assert!(!Goal::at_most("P1", 0.45).is_met(0.46));
    }
}
