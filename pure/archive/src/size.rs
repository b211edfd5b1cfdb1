//! The few sizes that objects have, so that a size says little.
//!
//! Powers of two from 16 KiB to 8 MiB, and above that Padmé (Nikitin et al., "Reducing Metadata Leakage
//! from Encrypted Files and Communication with PURBs", section 4), which adds at most 12 %.

/// The smallest object, in bytes.
pub const LEAST: usize = 16 * 1024;
/// Up to here sizes are powers of two. A pack is never larger.
pub const PACK: usize = 8 * 1024 * 1024;

/// The size of an object that has to hold `bytes`; `None` where there is none so large.
pub fn padded(bytes: usize) -> Option<usize> {
    if bytes <= PACK {
        return bytes.max(LEAST).checked_next_power_of_two();
    }
    let exponent = bytes.ilog2();
    let mantissa_bits = exponent.ilog2() + 1;
    let mask = (1_usize << exponent.checked_sub(mantissa_bits)?) - 1;
    Some(bytes.checked_add(mask)? & !mask)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_objects_are_alike_and_a_full_pack_grows_no_further() {
        assert_eq!(padded(0), Some(LEAST));
        assert_eq!(padded(LEAST), Some(LEAST));
        assert_eq!(padded(LEAST + 1), Some(2 * LEAST));
        assert_eq!(padded(PACK), Some(PACK));
        assert_eq!(padded(usize::MAX), None);
    }

    proptest! {
        #[test]
        fn what_is_padded_fits_and_stays_as_it_is(bytes in 0_usize..1 << 40) {
            let size = padded(bytes).unwrap();
            prop_assert!(size >= bytes);
            prop_assert_eq!(padded(size), Some(size));
            if bytes > PACK {
                prop_assert!(size - bytes <= bytes * 12 / 100);
            }
        }
    }
}
