//! A number that is shown as it was written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::eza::field::{Field, Unsendable};

/// A number of the configuration: `52` stays `52`, and `57.6` stays `57.6`.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// A whole number.
    Int(i64),
    /// Any other.
    Real(f64),
    /// One in quotes.
    Text(String),
}

impl Setting {
    /// The word that is sent for it.
    ///
    /// # Errors
    /// It is no number, or none that can be sent.
    pub fn word(&self, field: &Field, check_range: bool) -> Result<u16, Unsendable> {
        let text = match self {
            Self::Int(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Text(text) => match text.strip_prefix("0x").map(|digits| u16::from_str_radix(digits, 16)) {
                Some(Ok(word)) => word.to_string(),
                _ => text.clone(),
            },
        };
        field.word(&text, check_range)
    }

    /// As it is shown.
    #[must_use]
    pub fn json(&self) -> Value {
        match self {
            Self::Int(number) => Value::from(*number),
            Self::Real(number) => Value::from(*number),
            Self::Text(text) => Value::from(text.as_str()),
        }
    }

    /// The product of two, whole if both are.
    #[must_use]
    pub fn times(&self, other: &Self) -> Value {
        let real = |setting: &Self| match setting {
            Self::Int(number) => *number as f64,
            Self::Real(number) => *number,
            Self::Text(text) => text.trim().parse().unwrap_or_default(),
        };
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Value::from(a.saturating_mul(*b)),
            _ => Value::from(real(self) * real(other)),
        }
    }
}

impl Serialize for Setting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Real(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Setting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Setting, E> {
                Ok(Setting::Int(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Setting, E> {
                i64::try_from(number).map(Setting::Int).map_err(E::custom)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Setting, E> {
                Ok(Setting::Real(number))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Setting, E> {
                Ok(Setting::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Number)
    }
}
