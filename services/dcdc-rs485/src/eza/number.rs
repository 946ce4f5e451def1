//! Decimal numbers as they are written: nothing is rounded before it has to be.

use std::cmp::Ordering;
use std::fmt;

/// Digits that count; further ones are dropped. The reference computes with as many.
const DIGITS: usize = 28;
/// Exponents beyond this mean zero or too large, whatever the digits are.
const LARGEST_EXPONENT: i32 = 1_000;

/// A finite decimal number: `mantissa` · 10^`exponent`, with its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    mantissa: u128,
    exponent: i32,
}

/// A text is no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a number: {0:?}")]
pub struct NoNumber(pub String);

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal { negative: false, mantissa: 0, exponent: 0 };

    /// Reads `350`, `3.5e2`, `.5`, `350.`, `+1`, `1.0E-4`, with blanks around it.
    ///
    /// # Errors
    /// Anything else, infinity and NaN among it.
    pub fn parse(text: &str) -> Result<Self, NoNumber> {
        let refuse = || NoNumber(text.chars().take(40).collect());
        let trimmed = text.trim();
        let (negative, unsigned) = match trimmed.as_bytes().first() {
            Some(b'-') => (true, trimmed.get(1..).unwrap_or_default()),
            Some(b'+') => (false, trimmed.get(1..).unwrap_or_default()),
            _ => (false, trimmed),
        };
        let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, self::exponent(exponent).ok_or_else(refuse)?),
            None => (unsigned, 0),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let all = || whole.bytes().chain(part.bytes());
        if all().next().is_none() || !all().all(|byte| byte.is_ascii_digit()) {
            return Err(refuse());
        }
        let length = |text: &str| i32::try_from(text.len()).unwrap_or(i32::MAX);
        let (mut mantissa, mut counted, mut dropped) = (0_u128, 0, 0_i32);
        for digit in all() {
            if counted < DIGITS {
                mantissa = mantissa * 10 + u128::from(digit - b'0');
                counted += usize::from(mantissa != 0);
            } else {
                dropped = dropped.saturating_add(1);
            }
        }
        let exponent = exponent.saturating_sub(length(part)).saturating_add(dropped);
        Ok(Self { negative, mantissa, exponent })
    }

    /// A binary number, by the shortest text that stands for it.
    #[must_use]
    pub fn from_f64(number: f64) -> Option<Self> {
        number.is_finite().then(|| Self::parse(&number.to_string()).ok()).flatten()
    }

    /// This number times `factor.0 / factor.1`, without its fraction. `None` above `u16` and below zero; what is
    /// negative and becomes zero is zero.
    #[must_use]
    pub fn scaled(self, factor: (u64, u64)) -> Option<u16> {
        let (numerator, denominator) = (u128::from(factor.0), u128::from(factor.1.max(1)));
        let count = match (self.mantissa, power(self.exponent.unsigned_abs())) {
            (0, _) => 0,
            (_, None) if self.exponent > 0 => return None,
            (_, None) => 0,
            (mantissa, Some(power)) if self.exponent >= 0 => {
                mantissa.checked_mul(power)?.checked_mul(numerator)? / denominator
            }
            (mantissa, Some(power)) => match denominator.checked_mul(power) {
                Some(divisor) => mantissa.checked_mul(numerator)? / divisor,
                None => 0,
            },
        };
        match (self.negative, count) {
            (_, 0) => Some(0),
            (true, _) => None,
            (false, count) => u16::try_from(count).ok(),
        }
    }

    fn is_negative(self) -> bool {
        self.negative && self.mantissa != 0
    }

    /// The order of the magnitudes.
    fn magnitude(self, other: Self) -> Ordering {
        let digits = |number: Self| number.mantissa.checked_ilog10().map(i64::from);
        let place = |number: Self| digits(number).map(|digits| digits + i64::from(number.exponent));
        let by_place = place(self).cmp(&place(other));
        if by_place.is_ne() || self.mantissa == 0 {
            return by_place;
        }
        // As long as each other: the shorter mantissa gets zeros, of which 28 digits leave room for ten.
        let common = self.exponent.min(other.exponent);
        let whole = |number: Self| {
            power(number.exponent.saturating_sub(common).unsigned_abs())
                .and_then(|power| number.mantissa.checked_mul(power))
        };
        whole(self).unwrap_or(u128::MAX).cmp(&whole(other).unwrap_or(u128::MAX))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(match (self.is_negative(), other.is_negative()) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.magnitude(*other),
            (true, true) => other.magnitude(*self),
        })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        match self.exponent {
            0 => write!(f, "{sign}{}", self.mantissa),
            exponent => write!(f, "{sign}{}e{exponent}", self.mantissa),
        }
    }
}

fn exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Too many digits: as good as the largest.
    let size = digits.parse::<i32>().unwrap_or(LARGEST_EXPONENT).min(LARGEST_EXPONENT);
    Some(if text.starts_with('-') { -size } else { size })
}

fn power(exponent: u32) -> Option<u128> {
    10_u128.checked_pow(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn a_number_may_be_written_as_java_and_python_write_it() {
        for text in ["350", "3.5e2", "350.", " 350 ", "+350", "350.000", "3500E-1", "0350", "0.0035e+5"] {
            assert_eq!(of(text).partial_cmp(&of("350")), Some(Ordering::Equal), "{text}");
        }
        assert_eq!(of(".5").partial_cmp(&of("0.5")), Some(Ordering::Equal));
        assert_eq!(of("-0").partial_cmp(&of("0")), Some(Ordering::Equal));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in
            ["", " ", "abc", "350,5", "0x15e", "NaN", "inf", "1e", "e5", ".", "1.2.3", "--1", "1 2", "1_000"]
        {
            assert!(Decimal::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn scaling_does_not_lose_the_count_that_binary_numbers_lose() {
        assert_eq!(of("52.08").scaled((8_192 * 100, 5_208)), Some(8_192));
        assert_eq!(of("349.98779296875").scaled((16_384, 380)), Some(15_090));
        assert_eq!(of("349.98779296874999").scaled((16_384, 380)), Some(15_089));
    }

    #[test]
    fn the_edges_of_a_word_are_kept() {
        assert_eq!(of("65535").scaled((1, 1)), Some(65_535));
        assert_eq!(of("65535.999").scaled((1, 1)), Some(65_535));
        assert_eq!(of("65536").scaled((1, 1)), None);
        assert_eq!(of("-0.00001").scaled((1, 1)), Some(0));
        assert_eq!(of("-1").scaled((1, 1)), None);
        assert_eq!(of("1e999999999999").scaled((1, 1)), None);
        assert_eq!(of("1e-999999999999").scaled((1, 1)), Some(0));
        assert_eq!(of("0e999").scaled((1, 1)), Some(0));
    }

    #[test]
    fn numbers_compare_by_value() {
        assert!(of("1e400") > of("390") && of("390.01") > of("390") && of("-1") < of("-0.5"));
        assert!(of("0.00001") > of("0") && of("-1e-9") < of("0") && of("9.999e1") < of("100"));
    }
}
