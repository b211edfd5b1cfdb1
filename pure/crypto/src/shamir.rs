//! Shamir's secret sharing over GF(256): the value of a polynomial at one point, from its values at others.

use vsss_rs::Gf256;
use zeroize::{Zeroize, Zeroizing};

use crate::CryptoError;

/// What the polynomials of one sharing say at one point: one byte of each.
pub struct Point<'a> {
    /// The point.
    pub at: u8,
    /// The values there.
    pub values: &'a [u8],
}

/// Writes to `values` what the polynomials say at `at` (Shamir 1979), in the field of AES (FIPS 197,
/// section 4.2), by `vsss-rs`, which takes the same time for all values.
///
/// The library gives the value at zero. Lagrange's formula knows differences alone, and in this field
/// a difference is an exclusive or, so every point is moved by `at` first.
///
/// Knows nothing of thresholds: fewer points than were needed, or altered ones, give other values and
/// no error. Whoever calls it checks what comes out.
///
/// # Errors
/// Where there are fewer than two points, two of them are the same or one is `at` itself, or where
/// their lengths differ from each other or from that of `values`.
pub fn interpolate(points: &[Point<'_>], at: u8, values: &mut [u8]) -> Result<(), CryptoError> {
    if points.iter().any(|point| point.values.len() != values.len()) {
        return Err(CryptoError);
    }
    let moved = |point: &Point<'_>| {
        let mut share = Vec::with_capacity(1 + point.values.len());
        share.push(point.at ^ at);
        share.extend_from_slice(point.values);
        share
    };
    let mut shares: Vec<Vec<u8>> = points.iter().map(moved).collect();
    let combined = Gf256::combine_bytes(&shares).map(Zeroizing::new);
    shares.zeroize();
    let combined = combined.map_err(|_| CryptoError)?;
    if combined.len() != values.len() {
        return Err(CryptoError);
    }
    values.copy_from_slice(&combined);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(points: &[(u8, Vec<u8>)], at: u8) -> Result<Vec<u8>, CryptoError> {
        let mut values = vec![0; points.first().map_or(1, |point| point.1.len())];
        let points: Vec<_> = points.iter().map(|(at, values)| Point { at: *at, values }).collect();
        interpolate(&points, at, &mut values).map(|()| values)
    }

    /// Worked by hand: in the field of AES, 3 + 5x is 6 at 1, and at 2 it is 3 + 0x0a = 9.
    #[test]
    fn a_line_is_known_from_two_of_its_points() {
        let line = [(1, vec![6]), (2, vec![9])];
        assert_eq!(at(&line, 0).unwrap(), [3]);
        assert_eq!(at(&line, 4).unwrap(), [3 ^ 0x14]);
        // 5 * 0x80 leaves the byte and is reduced by 0x11b: 0x280 becomes 0x80 ^ 0x36.
        assert_eq!(at(&line, 0x80).unwrap(), [3 ^ 0x80 ^ 0x36]);
    }

    #[test]
    fn points_that_determine_nothing_are_refused() {
        for points in [
            vec![],
            vec![(1, vec![6])],
            vec![(1, vec![6]), (1, vec![9])],
            vec![(1, vec![6]), (2, vec![9, 9])],
            vec![(0, vec![6]), (2, vec![9])],
            vec![(1, vec![]), (2, vec![])],
        ] {
            assert_eq!(at(&points, 0), Err(CryptoError), "{points:?}");
        }
    }

    proptest! {
        #[test]
        fn any_three_points_of_a_parabola_give_all_others(
            values: [[u8; 16]; 3], at_points in proptest::sample::subsequence((0..=255_u8).collect::<Vec<_>>(), 5)
        ) {
            let known: Vec<_> = at_points.iter().copied().zip(values.map(Vec::from)).collect();
            let fourth = (at_points[3], at(&known, at_points[3]).unwrap());
            let fifth = (at_points[4], at(&known, at_points[4]).unwrap());
            let others = [known[2].clone(), fifth, fourth];
            prop_assert_eq!(at(&others, at_points[0]).unwrap(), known[0].1.clone());
            prop_assert_eq!(at(&others, at_points[1]).unwrap(), known[1].1.clone());
        }
    }
}
