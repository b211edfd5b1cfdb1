//! The rows as a person reads them: columns of text, one line for each of those beside.

use crate::row::{Basis, Beside, Row};
use crate::stopwatch::Spent;

const HEAD: [&str; 9] = ["name", "what", "ours", "cpu", "beside", "theirs", "cpu", "ratio", "goal"];
/// Columns of numbers, set to the right.
const NUMBERS: [usize; 5] = [2, 3, 5, 6, 7];

/// Sets the rows in columns wide enough for each.
pub fn format(rows: &[Row]) -> String {
    let mut lines = vec![HEAD.map(str::to_owned)];
    lines.extend(rows.iter().flat_map(lines_of));
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| {
            let widths = lines.iter().filter_map(|line| line.get(column));
            widths.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if NUMBERS.contains(&column) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn lines_of(row: &Row) -> Vec<[String; 9]> {
    let [name, what] = [row.name, &row.what].map(str::to_owned);
    let [ours, cpu] = figures(row.basis, row.figure);
    let empty = String::new;
    if row.beside.is_empty() {
        let dash = "-".to_owned();
        return vec![[name, what, ours, cpu, dash, empty(), empty(), empty(), empty()]];
    }
    let first = [name, what, ours, cpu];
    let others = std::iter::repeat_with(|| [empty(), empty(), empty(), empty()]);
    std::iter::once(first)
        .chain(others)
        .zip(&row.beside)
        .map(|([name, what, ours, cpu], beside)| {
            let [theirs, their_cpu] = figures(row.basis, beside.figure);
            let ratio = format!("{:.2}x", beside.ratio);
            [name, what, ours, cpu, beside.name.to_owned(), theirs, their_cpu, ratio, goal(beside)]
        })
        .collect()
}

fn goal(beside: &Beside) -> String {
    beside.goal.map_or_else(String::new, |goal| {
        let verdict = if goal.is_met(beside.ratio) { "met" } else { "MISSED" };
        format!("{goal} {verdict}")
    })
}

fn figures(basis: Basis, spent: Spent) -> [String; 2] {
    let main = match basis {
        Basis::Cpu | Basis::Wall => duration(spent.wall),
        Basis::Rate => rate(spent.wall),
        Basis::Throughput => throughput(spent.wall),
        Basis::Memory => return [bytes(spent.wall), String::new()],
    };
    [main, duration(spent.cpu)]
}

/// Three digits and a unit.
fn duration(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s if s >= 1e-6 => (s * 1e6, "us"),
        s => (s * 1e9, "ns"),
    };
    format!("{} {unit}", three_digits(value))
}

/// Operations a second, of which each took so many seconds.
fn rate(seconds: f64) -> String {
    if seconds <= 0.0 {
        return "-".to_owned();
    }
    let rate = 1.0 / seconds;
    if rate >= 1e3 {
        format!("{} k/s", three_digits(rate / 1e3))
    } else {
        format!("{} /s", three_digits(rate))
    }
}

/// Megabytes a second, of which each took so many seconds.
fn throughput(seconds: f64) -> String {
    if seconds <= 0.0 { "-".to_owned() } else { format!("{} MB/s", three_digits(1.0 / seconds)) }
}

fn bytes(count: f64) -> String {
    match count {
        b if b >= 1e6 => format!("{} MB", three_digits(b / 1e6)),
        b if b >= 1e3 => format!("{} kB", three_digits(b / 1e3)),
        b => format!("{b:.0} B"),
    }
}

fn three_digits(value: f64) -> String {
    match value {
        v if v >= 99.95 => format!("{v:.0}"),
        v if v >= 9.995 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Goal;

    fn row(name: &'static str, basis: Basis, beside: Vec<Beside>) -> Row {
        Row { name, what: "one".into(), basis, figure: Spent { wall: 2e-5, cpu: 1e-5 }, beside }
    }

    #[test]
    fn figures_have_three_digits_and_a_fitting_unit() {
        let read = [2.5e-8, 1.2345e-5, 9.999e-3, 0.1, 12.0].map(duration);
        assert_eq!(read, ["25.0 ns", "12.3 us", "10.0 ms", "100 ms", "12.0 s"]);
        assert_eq!([1e-5, 0.004, 0.0].map(rate), ["100 k/s", "250 /s", "-"]);
        assert_eq!([0.02, 0.0].map(throughput), ["50.0 MB/s", "-"]);
        assert_eq!([900.0, 21_500.0, 3.1e6].map(bytes), ["900 B", "21.5 kB", "3.10 MB"]);
    }

    #[test]
    fn columns_are_aligned_and_further_opponents_get_a_line_without_our_figure() {
        let figure = Spent { wall: 4e-5, cpu: 4e-5 };
        let goal = Some(Goal::at_most("P1", 0.2));
        let beside = vec![
            Beside { name: "them", figure, ratio: 0.25, goal },
            Beside { name: "the floor", figure, ratio: 1.5, goal: None },
        ];
        let rows = [row("peel", Basis::Cpu, beside), row("alone", Basis::Rate, Vec::new())];
        let expected = "\
name   what      ours      cpu  beside      theirs      cpu  ratio  goal
peel   one    20.0 us  10.0 us  them       40.0 us  40.0 us  0.25x  P1 <= 0.2x MISSED
                                the floor  40.0 us  40.0 us  1.50x
alone  one   50.0 k/s  10.0 us  -
";
        assert_eq!(format(&rows), expected);
    }
}
