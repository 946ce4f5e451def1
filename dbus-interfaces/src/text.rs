//! How a value reads as text (`GetText`, and `Text` in every signal): venus-dbus conventions for units and decimals.

use std::fmt::{self, Write};

use crate::{Value, decimal};

/// What stands for an invalid value, as in velib_python's `vedbus.py`.
pub const INVALID: &str = "---";

/// The text format of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// The value as it is.
    Plain,
    /// A number with this many decimals and a unit behind it.
    Unit(usize, &'static str),
    /// Hexadecimal, as product ids are shown: `0xBA77`.
    Hex,
    /// The words for 0, 1, 2, ...; a value beyond the table reads as its number.
    Words(&'static [&'static str]),
}

/// Pack volts, `52.31V`.
pub const VOLTS: Text = Text::Unit(2, "V");
/// Cell volts, `3.312V`.
pub const CELL_VOLTS: Text = Text::Unit(3, "V");
/// Amperes, `-12.3A`.
pub const AMPS: Text = Text::Unit(1, "A");
/// Watts, `640W`.
pub const WATTS: Text = Text::Unit(0, "W");
/// Per cent, `54.5%`.
pub const PERCENT_1: Text = Text::Unit(1, "%");
/// Whole per cent, `12%`.
pub const PERCENT: Text = Text::Unit(0, "%");
/// Bits per second, `500000bit/s`.
pub const BITS_PER_SECOND: Text = Text::Unit(0, "bit/s");
/// Degrees Celsius, `21.5°C`.
pub const CELSIUS: Text = Text::Unit(1, "°C");
/// Ampere-hours, `280.0Ah`.
pub const AMP_HOURS: Text = Text::Unit(1, "Ah");
/// Kilowatt-hours, `12.34kWh`.
pub const KWH: Text = Text::Unit(2, "kWh");
/// Seconds, `3600s`.
pub const SECONDS: Text = Text::Unit(0, "s");
/// Hertz, `50.02Hz`.
pub const HERTZ: Text = Text::Unit(2, "Hz");
/// An alarm: 0 ok, 1 warning, 2 alarm.
pub const ALARM: Text = Text::Words(&["ok", "warning", "alarm"]);
/// A flag: 0 no, 1 yes.
pub const NO_YES: Text = Text::Words(&["no", "yes"]);

impl Text {
    /// Appends the text of `value` to `out`.
    ///
    /// # Errors
    /// Those of `out`; a `String` has none.
    pub fn write(self, value: Option<&Value>, out: &mut dyn Write) -> fmt::Result {
        let Some(value) = value else { return out.write_str(INVALID) };
        match self {
            Text::Unit(decimals, unit) => match value.as_f64() {
                Some(v) => {
                    decimal::write(v, decimals, out)?;
                    out.write_str(unit)
                }
                None => plain(value, out),
            },
            Text::Hex => match value.as_i64() {
                Some(v) => write!(out, "0x{v:X}"),
                None => plain(value, out),
            },
            Text::Words(words) => match word(words, value) {
                Some(word) => out.write_str(word),
                None => plain(value, out),
            },
            Text::Plain => plain(value, out),
        }
    }

    /// The text of `value`, as a string of its own.
    #[must_use]
    pub fn of(self, value: Option<&Value>) -> String {
        let mut out = String::new();
        // A String takes everything.
        let _ = self.write(value, &mut out);
        out
    }
}

fn word(words: &'static [&'static str], value: &Value) -> Option<&'static str> {
    words.get(usize::try_from(value.as_i64()?).ok()?).copied()
}

fn plain(value: &Value, out: &mut dyn Write) -> fmt::Result {
    match value {
        Value::Bool(v) => write!(out, "{}", i32::from(*v)),
        Value::Int(v) => write!(out, "{v}"),
        Value::Long(v) => write!(out, "{v}"),
        Value::Real(v) => write!(out, "{v}"),
        Value::Text(v) => out.write_str(v),
        Value::Ints(v) => list(v.iter().map(|x| Value::Int(*x)), out),
        Value::Reals(v) => list(v.iter().map(|x| Value::Real(*x)), out),
        Value::Texts(v) => list(v.iter().map(|x| Value::Text(x.clone())), out),
        Value::List(v) => list(v.iter().cloned(), out),
        Value::Map(v) => {
            list(v.iter().map(|(k, x)| Value::Text(format!("{k}: {}", Text::Plain.of(Some(x))))), out)
        }
    }
}

fn list(values: impl Iterator<Item = Value>, out: &mut dyn Write) -> fmt::Result {
    out.write_char('[')?;
    for (n, value) in values.enumerate() {
        if n > 0 {
            out.write_str(", ")?;
        }
        plain(&value, out)?;
    }
    out.write_char(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_decimals_and_words() {
        let text = |t: Text, v: Value| t.of(Some(&v));
        assert_eq!(text(VOLTS, Value::Real(52.314)), "52.31V");
        assert_eq!(text(CELL_VOLTS, Value::Real(3.3)), "3.300V");
        assert_eq!(text(WATTS, Value::Int(-640)), "-640W");
        assert_eq!(text(Text::Hex, Value::Int(0xBA77)), "0xBA77");
        assert_eq!(text(ALARM, Value::Int(2)), "alarm");
        assert_eq!(text(ALARM, Value::Int(7)), "7");
        assert_eq!(text(Text::Plain, Value::Texts(vec!["a".into(), "b".into()])), "[a, b]");
        assert_eq!(VOLTS.of(None), INVALID);
    }
}
