//! What a setting holds, and how whatever a client sends becomes that.

use std::cmp::Ordering;

use dbus_interfaces::{MAX_TEXT, Value};

/// The types of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `i`: an integer of 64 bits.
    Int,
    /// `f`: a real, never NaN or infinite.
    Float,
    /// `s`: text.
    Text,
}

/// What a setting holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Of type `i`.
    Int(i64),
    /// Of type `f`.
    Float(f64),
    /// Of type `s`.
    Text(String),
}

impl Type {
    /// By its letter in `AddSetting` and in the file.
    #[must_use]
    pub fn from_letter(letter: &str) -> Option<Type> {
        match letter {
            "i" => Some(Type::Int),
            "f" => Some(Type::Float),
            "s" => Some(Type::Text),
            _ => None,
        }
    }

    /// The letter in the file.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Type::Int => "i",
            Type::Float => "f",
            Type::Text => "s",
        }
    }

    /// A value from the bus as one of this type, as the conversions of Victron's localsettings (Python's `int`, `float`
    /// and `str`) make it: reals are cut towards zero, digits in text are a number, any number is a text.
    ///
    /// `None` where there is no conversion, for what is not finite, and for text that a file cannot keep.
    #[must_use]
    pub fn convert(self, value: &Value) -> Option<Content> {
        match (self, value) {
            (_, Value::Text(v)) if self != Type::Text => self.parse(v),
            (Type::Int, Value::Real(v)) => Value::Real(v.trunc()).as_i64().map(Content::Int),
            (Type::Int, _) => value.as_i64().map(Content::Int),
            (Type::Float, _) => value.as_f64().filter(|v| v.is_finite()).map(Content::Float),
            (Type::Text, _) => {
                let text = text_of(value)?;
                (text.len() <= MAX_TEXT && is_xml_text(&text)).then_some(Content::Text(text))
            }
        }
    }

    /// A value from its text, as it stands in the file.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<Content> {
        match self {
            Type::Int => text.trim().parse().ok().map(Content::Int),
            Type::Float => text.trim().parse().ok().filter(|v: &f64| v.is_finite()).map(Content::Float),
            Type::Text => is_xml_text(text).then(|| Content::Text(text.to_owned())),
        }
    }
}

impl Content {
    /// Of which type it is.
    #[must_use]
    pub fn kind(&self) -> Type {
        match self {
            Content::Int(_) => Type::Int,
            Content::Float(_) => Type::Float,
            Content::Text(_) => Type::Text,
        }
    }

    /// As it travels: integers as `i`, or `x` where they need it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Content::Int(v) => Value::from(*v),
            Content::Float(v) => Value::Real(*v),
            Content::Text(v) => Value::Text(v.clone()),
        }
    }

    /// As `GetText` tells it and as it stands in the file.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Content::Int(v) => v.to_string(),
            Content::Float(v) => float_text(*v),
            Content::Text(v) => v.clone(),
        }
    }

    /// Zero of either number type.
    pub(crate) fn is_zero(&self) -> bool {
        matches!(self, Content::Int(0)) || matches!(self, Content::Float(v) if *v == 0.0)
    }

    /// Whether a number is within limits of its own type, each of which may be missing.
    pub(crate) fn is_within(&self, min: Option<&Content>, max: Option<&Content>) -> bool {
        min.is_none_or(|min| self.order(min) != Some(Ordering::Less))
            && max.is_none_or(|max| self.order(max) != Some(Ordering::Greater))
    }

    fn order(&self, other: &Content) -> Option<Ordering> {
        match (self, other) {
            (Content::Int(a), Content::Int(b)) => Some(a.cmp(b)),
            (Content::Float(a), Content::Float(b)) => a.partial_cmp(b),
            _ => None,
        }
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(v) => Some(v.clone()),
        Value::Bool(v) => Some(i32::from(*v).to_string()),
        Value::Int(v) => Some(v.to_string()),
        Value::Long(v) => Some(v.to_string()),
        Value::Real(v) => Some(float_text(*v)),
        Value::Ints(_) | Value::Reals(_) | Value::Texts(_) | Value::List(_) | Value::Map(_) => None,
    }
}

/// A real as Python writes it (`float.__repr__`: shortest digits, an exponent below 1e-4 and from 1e16), so that files
/// and texts do not differ from localsettings's own.
fn float_text(v: f64) -> String {
    let scientific = format!("{v:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        return format!("{v:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// Whether every character may stand in an XML 1.0 document (`Char` in its section 2.2).
#[must_use]
pub fn is_xml_text(text: &str) -> bool {
    text.chars().all(
        |c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reals_read_as_python_writes_them() {
        let cases = [
            (103.0, "103.0"),
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (1e-4, "0.0001"),
            (1.5e-5, "1.5e-05"),
            (1e300, "1e+300"),
            (5e-324, "5e-324"),
        ];
        for (v, text) in cases {
            assert_eq!(float_text(v), text);
            assert_eq!(Type::Float.parse(text), Some(Content::Float(v)));
        }
    }

    #[test]
    fn integers_are_cut_parsed_and_never_wrapped() {
        let int = |v: Value| match Type::Int.convert(&v) {
            Some(Content::Int(v)) => Some(v),
            _ => None,
        };
        assert_eq!(int(Value::Real(5.7)), Some(5));
        assert_eq!(int(Value::Real(-5.7)), Some(-5));
        assert_eq!(int(Value::Text(" +6 ".into())), Some(6));
        assert_eq!(int(Value::Bool(true)), Some(1));
        for v in ["5.7", "", "0x10", "six", "99999999999999999999"] {
            assert_eq!(int(Value::from(v)), None, "{v}");
        }
        assert_eq!(int(Value::Real(1e30)), None);
        assert_eq!(int(Value::Ints(vec![3])), None);
    }

    #[test]
    fn text_takes_any_scalar_but_nothing_that_a_file_cannot_keep() {
        let text = |v: Value| Type::Text.convert(&v).map(|v| v.text());
        assert_eq!(text(Value::Real(2.0)), Some("2.0".into()));
        assert_eq!(text(Value::Bool(true)), Some("1".into()));
        assert_eq!(text(Value::from("a\tb\nc\r€🔋")), Some("a\tb\nc\r€🔋".into()));
        assert_eq!(text(Value::from("bell \u{7}")), None);
        assert_eq!(text(Value::from("\u{FFFE}")), None);
        assert_eq!(text(Value::from("x".repeat(MAX_TEXT + 1))), None);
        assert_eq!(text(Value::Ints(vec![])), None);
    }
}
