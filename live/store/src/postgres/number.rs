//! Unsigned numbers in signed columns, so that the database sorts them as we do.

const SIGN: u64 = 1 << 63;

/// The number that stands for `number` in a `BIGINT` column: the order stays, the least is
/// `i64::MIN`.
pub(super) const fn to_column(number: u64) -> i64 {
    (number ^ SIGN).cast_signed()
}

/// The number for which a `BIGINT` column stands.
pub(super) const fn from_column(column: i64) -> u64 {
    column.cast_unsigned() ^ SIGN
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn columns_sort_as_numbers_do(one: u64, other: u64) {
            prop_assert_eq!(to_column(one).cmp(&to_column(other)), one.cmp(&other));
            prop_assert_eq!(from_column(to_column(one)), one);
        }
    }

    #[test]
    fn the_ends_are_the_ends() {
        assert_eq!((to_column(0), to_column(u64::MAX)), (i64::MIN, i64::MAX));
    }
}
