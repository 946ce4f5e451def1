//! Numbers as they are shown: rounded, so that noise below what anybody reads is no change on the bus.

/// To this many decimals.
pub(super) fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    // Adding 0 makes a 0 of a negative one, which would be another value on the bus.
    (value * scale).round() / scale + 0.0
}

/// A limit is never rounded up: to this many decimals, downwards.
pub(super) fn floored(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    // What a decimal fraction loses as a binary one is not to cost a whole step.
    (value * scale + 1e-6).floor() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_rounded_down_and_a_decimal_fraction_stays_what_it_is() {
        assert_eq!((floored(73.999, 1), floored(0.3, 1), floored(56.15, 2)), (73.9, 0.3, 56.15));
        assert_eq!((rounded(73.96, 1), rounded(-0.04, 1)), (74.0, 0.0));
        assert!(rounded(-0.04, 1).is_sign_positive());
    }
}
