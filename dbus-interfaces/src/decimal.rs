//! Numbers with few decimals, to the letter as `{:.2}` writes them and at a fraction of its work: each item that changes has
//! one in its text.

use std::fmt::{self, Write};

/// Appends `v` with this many decimals, rounded to the nearest and halves to even, as the formatter of the language does.
pub(crate) fn write(v: f64, decimals: usize, out: &mut dyn Write) -> fmt::Result {
    let Some(mut rest) = scaled(v.abs(), decimals) else {
        return write!(out, "{v:.decimals$}");
    };
    // A number below 2^63 has 19 digits; then the point and the sign.
    let mut text = [0; 21];
    let mut free = text.iter_mut().rev();
    let mut length = 0;
    let mut put = |byte: u8| {
        if let Some(place) = free.next() {
            *place = byte;
            length += 1;
        }
    };
    for digit in 0.. {
        if digit == decimals && digit > 0 {
            put(b'.');
        }
        put(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 && digit >= decimals {
            break;
        }
    }
    if v.is_sign_negative() {
        put(b'-');
    }
    let written = text.get(text.len() - length..).unwrap_or_default();
    out.write_str(str::from_utf8(written).unwrap_or_default())
}

/// `v` times a power of ten as the nearest integer; `None` where `v` is too large for it, or the decimals are too many.
fn scaled(v: f64, decimals: usize) -> Option<u64> {
    const FRACTION: u32 = f64::MANTISSA_DIGITS - 1;
    let factor = *[1, 10, 100, 1000].get(decimals)?;
    // v = mantissa / 2^shift, exactly (IEEE 754, binary64; the smallest numbers lack the leading one).
    let (exponent, fraction) = (v.to_bits() >> FRACTION, v.to_bits() & ((1 << FRACTION) - 1));
    let mantissa = if exponent == 0 { fraction } else { fraction | 1 << FRACTION };
    let shift = u32::try_from(1075_u64.checked_sub(exponent.max(1))?).ok()?;
    // Below 2^63, because a mantissa is below 2^53.
    let product = mantissa * factor;
    if shift >= u64::BITS {
        return Some(0);
    }
    let (whole, rest) = (product >> shift, product & ((1 << shift) - 1));
    let half = (1_u64 << shift) >> 1;
    let up = rest > half || (rest == half && half > 0 && whole % 2 == 1);
    Some(whole + u64::from(up))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(v: f64, decimals: usize) -> String {
        let mut out = String::new();
        write(v, decimals, &mut out).expect("a String takes it");
        out
    }

    #[test]
    fn halves_and_the_ends_of_the_range_are_as_the_language_writes_them() {
        let halves = [0.0, 0.5, 1.5, 2.5, 0.25, 0.75, 0.125, 0.375, 0.0625, 0.1875, 1.005, 52.315, 999.9995];
        let ends = [f64::MIN_POSITIVE, 5e-324, 4e-4, 9_007_199_254_740_991.0, 9_007_199_254_740_992.0, 1e300];
        for v in halves.into_iter().chain(ends).chain([f64::INFINITY, f64::NAN, f64::EPSILON]) {
            for decimals in 0..6 {
                assert_eq!(of(v, decimals), format!("{v:.decimals$}"), "{v:e}");
                assert_eq!(of(-v, decimals), format!("{:.decimals$}", -v), "-{v:e}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_number_is_as_the_language_writes_it(bits: u64, decimals in 0_usize..5) {
            let v = f64::from_bits(bits);
            prop_assert_eq!(of(v, decimals), format!("{v:.decimals$}"));
        }

        #[test]
        fn so_is_each_number_that_a_device_may_have(thousandths in -2_000_000_000_i64..2_000_000_000, decimals in 0_usize..4) {
            for v in [thousandths as f64 / 1000.0, thousandths as f64 / 1024.0, thousandths as f64 * 0.01] {
                prop_assert_eq!(of(v, decimals), format!("{v:.decimals$}"));
            }
        }
    }
}
