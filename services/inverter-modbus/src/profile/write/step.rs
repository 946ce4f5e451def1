//! One write of a sequence, and what it writes.

use serde::Deserialize;
use serde::de::{self, Deserializer};

use crate::profile::expr::Expr;
use crate::profile::kind::{Type, Words};
use crate::profile::scalar::{Table, holding, one};

/// One write of a sequence.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The SunSpec models in which it is; otherwise those of its set point. A device without them has no such sequence.
    #[serde(default)]
    pub model: Vec<u16>,
    /// Which of several such models in the chain, from 0.
    #[serde(default)]
    pub instance: u16,
    /// Address of the (first) register.
    pub addr: u16,
    /// Where.
    #[serde(default = "holding")]
    pub table: Table,
    /// What the registers hold.
    #[serde(default, rename = "type")]
    pub kind: Type,
    /// Order of the registers; the link says it otherwise.
    #[serde(default)]
    pub words: Option<Words>,
    /// value = raw * scale
    #[serde(default = "one")]
    pub scale: f64,
    /// As of a point.
    #[serde(default)]
    pub scale_addr: Option<u16>,
    /// As of a point.
    #[serde(default)]
    pub scale_from: Option<String>,
    /// The bits that are written.
    #[serde(default)]
    pub mask: Option<u64>,
    /// What is written.
    pub value: Given,
    /// What is written instead when the process ends: a limit that lapses by itself is to stay then.
    #[serde(default)]
    pub last: Option<f64>,
    /// In one request with the step before.
    #[serde(default)]
    pub join: bool,
    /// Only at the beginning, not when it is repeated or gets another value: for memory that wears out.
    #[serde(default)]
    pub once: bool,
}

/// What a step writes.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// This.
    Number(f64),
    /// What is wanted.
    Wanted,
    /// Its magnitude.
    Magnitude,
    /// What stood there before.
    Saved,
    /// What stands there now: for devices that take only a whole block.
    Kept,
    /// A secret of the configuration, by name.
    Secret(String),
    /// Made of points, and of `value` for what is wanted.
    Made(Expr),
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl de::Visitor<'_> for Form {
            type Value = Given;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, \"value\", \"abs\", \"saved\", \"kept\", \"secret:NAME\", \"point:NAME\" or \"= EXPRESSION\"")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Given, E> {
                Ok(Given::Number(number as f64))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Given, E> {
                Ok(Given::Number(number as f64))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Given, E> {
                Ok(Given::Number(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Given, E> {
                if let Some(secret) = text.strip_prefix("secret:").filter(|name| !name.is_empty()) {
                    return Ok(Given::Secret(secret.to_owned()));
                }
                if let Some(point) = text.strip_prefix("point:").filter(|name| !name.is_empty()) {
                    return Ok(Given::Made(Expr::Point(point.to_owned())));
                }
                if let Some(expr) = text.strip_prefix('=') {
                    return Expr::parse(expr).map(Given::Made).map_err(E::custom);
                }
                match text {
                    "value" => Ok(Given::Wanted),
                    "abs" => Ok(Given::Magnitude),
                    "saved" => Ok(Given::Saved),
                    "kept" => Ok(Given::Kept),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Form)
    }
}
