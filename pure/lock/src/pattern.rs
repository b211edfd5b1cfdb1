//! A line over cells of a grid, in one canonical form, however it was drawn or typed.

use warren_crypto::secret::SecretBytes;

use crate::code::{CodeError, MOST_BYTES};

/// The widths and heights a grid may have.
pub const SIDES: std::ops::RangeInclusive<usize> = 3..=5;
/// The fewest cells of a line, those it passes over included.
pub const FEWEST_CELLS: usize = 4;

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Not in the notation.
    #[error("a pattern is typed as its grid and its cells, row by row from 1: 3x3:1-2-3-6-9")]
    Notation,
    /// A grid that is too small or too large.
    #[error("a pattern's grid has 3 to 5 columns and 3 to 5 rows")]
    Grid,
    /// A cell outside the grid.
    #[error("a pattern's cells are numbered row by row from 1: this grid has fewer")]
    Outside,
    /// A cell twice.
    #[error("a pattern visits no cell twice")]
    Twice,
    /// Too short.
    #[error("a pattern has at least {FEWEST_CELLS} cells")]
    Short,
}

/// A line over a grid; every cell it touches, once each, in order.
#[derive(PartialEq, Eq)]
pub struct Pattern {
    width: usize,
    height: usize,
    cells: Vec<usize>,
}

impl Pattern {
    /// Reads `WxH:c-c-...`. A cell that a straight line passes over is taken in where it was not
    /// visited before, as a screen does when the line is drawn.
    ///
    /// # Errors
    /// Where it is not in the notation, leaves the grid, visits a cell twice or is too short.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let (grid, cells) = text.split_once(':').ok_or(PatternError::Notation)?;
        let (width, height) = grid.split_once('x').ok_or(PatternError::Notation)?;
        let (width, height) = (number(width)?, number(height)?);
        if !SIDES.contains(&width) || !SIDES.contains(&height) {
            return Err(PatternError::Grid);
        }
        let mut pattern = Self { width, height, cells: Vec::with_capacity(width * height) };
        for cell in cells.split('-') {
            pattern.draw_to(number(cell)?)?;
        }
        if pattern.cells.len() < FEWEST_CELLS { Err(PatternError::Short) } else { Ok(pattern) }
    }

    fn draw_to(&mut self, cell: usize) -> Result<(), PatternError> {
        if cell == 0 || cell > self.width * self.height {
            return Err(PatternError::Outside);
        }
        if self.cells.contains(&cell) {
            return Err(PatternError::Twice);
        }
        for passed in self.passed_over(cell) {
            if !self.cells.contains(&passed) {
                self.cells.push(passed);
            }
        }
        self.cells.push(cell);
        Ok(())
    }

    /// The cells strictly between the last one and another, whose centres the line meets.
    fn passed_over(&self, to: usize) -> Vec<usize> {
        let Some(from) = self.cells.last() else { return Vec::new() };
        let place = |cell: usize| ((cell - 1) % self.width, (cell - 1) / self.width);
        let ((x, y), (to_x, to_y)) = (place(*from), place(to));
        let steps = greatest_common_divisor(x.abs_diff(to_x), y.abs_diff(to_y));
        let between =
            |from: usize, to: usize, step: usize| (from * (steps - step) + to * step) / steps;
        let cell = |step| between(y, to_y, step) * self.width + between(x, to_x, step) + 1;
        (1..steps).map(cell).collect()
    }

    /// `pattern WxH c-c-...`.
    pub(crate) fn code(&self) -> Result<SecretBytes, CodeError> {
        let mut code = SecretBytes::with_capacity(MOST_BYTES);
        let mut fits = code.push(b"pattern ") && push_number(&mut code, self.width);
        fits = fits && code.push(b"x") && push_number(&mut code, self.height);
        for (at, cell) in self.cells.iter().enumerate() {
            let before: &[u8] = if at == 0 { b" " } else { b"-" };
            fits = fits && code.push(before) && push_number(&mut code, *cell);
        }
        if fits { Ok(code) } else { Err(CodeError::TooLong) }
    }
}

impl Drop for Pattern {
    fn drop(&mut self) {
        self.cells.fill(0);
        std::hint::black_box(&self.cells);
    }
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pattern(..)")
    }
}

/// One or two digits without a leading zero.
fn number(text: &str) -> Result<usize, PatternError> {
    let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || text.starts_with('0') {
        return Err(PatternError::Notation);
    }
    text.parse().map_err(|_| PatternError::Notation)
}

fn push_number(code: &mut SecretBytes, number: usize) -> bool {
    let digit = |value: usize| b'0'.saturating_add(u8::try_from(value % 10).unwrap_or(0));
    let (tens, ones) = (digit(number / 10), digit(number));
    if number < 10 { code.push(&[ones]) } else { code.push(&[tens, ones]) }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(text: &str) -> String {
        let pattern = Pattern::parse(text).unwrap();
        String::from_utf8(pattern.code().unwrap().expose().to_vec()).unwrap()
    }

    #[test]
    fn cells_that_a_straight_line_passes_over_are_taken_in() {
        assert_eq!(code("3x3:1-3-9-7"), "pattern 3x3 1-2-3-6-9-8-7");
        assert_eq!(code("3x3:1-9-3-7"), "pattern 3x3 1-5-9-6-3-7", "the middle was visited");
        assert_eq!(code("5x5:1-25"), "pattern 5x5 1-7-13-19-25");
        assert_eq!(code("5x3:1-15-11"), "pattern 5x3 1-8-15-14-13-12-11");
        assert_eq!(code("4x4:1-7-16-13"), "pattern 4x4 1-7-16-15-14-13", "a knight passes none");
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        let error = |text| Pattern::parse(text).unwrap_err();
        for text in [
            "",
            "1234",
            "3x3",
            "3x3:",
            "3:1-2-3-4",
            "3x3:1-2-3-x",
            "3x3:01-2-3-4",
            "3x3:1--2",
            "3x3:+1-2-3-6",
        ] {
            assert_eq!(error(text), PatternError::Notation, "{text}");
        }
        assert_eq!(error("2x3:1-2-3-4"), PatternError::Grid);
        assert_eq!(error("3x6:1-2-3-4"), PatternError::Grid);
        assert_eq!(error("3x3:1-2-3-10"), PatternError::Outside);
        assert_eq!(error("3x3:1-2-3-1"), PatternError::Twice);
        assert_eq!(error("3x3:1-3-2-5"), PatternError::Twice, "2 was passed over");
        assert_eq!(error("3x3:1-2-3"), PatternError::Short);
        assert!(Pattern::parse("3x3:1-3-6").is_ok(), "four with the one passed over");
    }

    proptest! {
        #[test]
        fn any_text_reads_as_a_pattern_or_an_error(text in "[0-9x:-]{0,30}|.*") {
            let _ = Pattern::parse(&text);
        }

        #[test]
        fn typing_the_cells_that_are_passed_over_makes_no_difference(
            width in 3_usize..=5,
            height in 3_usize..=5,
            cells in proptest::collection::vec(1_usize..=25, 2..10),
        ) {
            let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
            let typed = format!("{width}x{height}:{}", cells.join("-"));
            if let Ok(pattern) = Pattern::parse(&typed) {
                let whole: Vec<String> = pattern.cells.iter().map(ToString::to_string).collect();
                let whole = Pattern::parse(&format!("{width}x{height}:{}", whole.join("-")));
                prop_assert_eq!(whole.unwrap(), pattern);
            }
        }
    }
}
