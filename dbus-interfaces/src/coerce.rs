//! What a client writes, brought to the type of the item: clients are sloppy (venus wiki "dbus-api"; dbus-flashmq turns
//! JSON `5` into an integer even for a real).

use crate::{Kind, Spec, Value};

/// The longest text that a client may write, in bytes.
pub const MAX_TEXT: usize = 16 * 1024;

/// Why a written value cannot be one of the item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The item is read-only.
    #[error("the item is read-only")]
    ReadOnly,
    /// The value is of a type that cannot be converted.
    #[error("{got} is not {wanted}")]
    Type {
        /// What came.
        got: String,
        /// What the item takes.
        wanted: &'static str,
    },
    /// The value is outside the item's limits.
    #[error("{got} is outside {min} to {max}")]
    Range {
        /// What came.
        got: String,
        /// The lowest allowed value.
        min: String,
        /// The highest allowed value.
        max: String,
    },
    /// The driver's own reason.
    #[error("{0}")]
    Driver(String),
}

impl Refusal {
    /// The return code of `SetValue`: 1 not writable or wrong type, 2 refused (velib_python `vedbus.py`).
    #[must_use]
    pub fn code(&self) -> i32 {
        match self {
            Refusal::ReadOnly | Refusal::Type { .. } => 1,
            Refusal::Range { .. } | Refusal::Driver(_) => 2,
        }
    }
}

/// The written value as one of the item, `None` being "no value".
///
/// # Errors
/// A [`Refusal`] where no conversion is known or the value is outside the item's limits.
pub fn coerce(spec: &Spec, written: Option<Value>) -> Result<Option<Value>, Refusal> {
    if !spec.writable {
        return Err(Refusal::ReadOnly);
    }
    let Some(written) = written else { return Ok(None) };
    let wrong = |wanted| Refusal::Type { got: shown(&written), wanted };
    let value = match spec.kind {
        Kind::Int => {
            let n = integer(&written).ok_or_else(|| wrong("an integer"))?;
            Value::Int(i32::try_from(n).map_err(|_| wrong("an integer of 32 bits"))?)
        }
        Kind::Long => Value::Long(integer(&written).ok_or_else(|| wrong("an integer"))?),
        Kind::Real => Value::Real(real(&written).ok_or_else(|| wrong("a number"))?),
        Kind::Text => Value::Text(text(&written).ok_or_else(|| wrong("text of at most 16 KiB"))?),
        Kind::Texts => match &written {
            Value::Texts(v) if v.iter().map(String::len).sum::<usize>() <= MAX_TEXT => {
                Value::Texts(v.clone())
            }
            _ => return Err(wrong("a list of texts")),
        },
    };
    if let (Some((min, max)), Some(n)) = (spec.range, value.as_f64())
        && !(min..=max).contains(&n)
    {
        let read = |v: f64| spec.text.of(Some(&Value::Real(v)));
        return Err(Refusal::Range { got: shown(&value), min: read(min), max: read(max) });
    }
    Ok(Some(value))
}

/// Towards zero, as `int()` does in Victron's own services.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Real(v) => Value::Real(v.trunc()).as_i64(),
        Value::Text(v) => v.trim().parse().ok(),
        _ => value.as_i64(),
    }
}

fn real(value: &Value) -> Option<f64> {
    let n = match value {
        Value::Text(v) => v.trim().parse().ok()?,
        _ => value.as_f64()?,
    };
    n.is_finite().then_some(n)
}

fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Text(v) => v.clone(),
        Value::Bool(_) | Value::Int(_) | Value::Long(_) | Value::Real(_) => {
            crate::Text::Plain.of(Some(value))
        }
        _ => return None,
    };
    (text.len() <= MAX_TEXT).then_some(text)
}

/// For a log line: never longer than a line, and never more than one.
fn shown(value: &Value) -> String {
    let text = crate::Text::Plain.of(Some(value)).replace(char::is_control, " ");
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Item, text as t};

    const MODE: Item<i32> = Item::new("/Mode", crate::Text::Plain).writable();
    const LIMIT: Item<f64> = Item::new("/Limit", t::AMPS).writable().range(0.0, 100.0);
    const NAME: Item<String> = Item::new("/CustomName", crate::Text::Plain).writable();
    const SOC: Item<f64> = Item::new("/Soc", t::PERCENT_1);

    fn ok(spec: Spec, v: Value) -> Option<Value> {
        coerce(&spec, Some(v)).expect("accepted")
    }

    #[test]
    fn numbers_of_any_type_and_digits_as_text_become_the_items_type() {
        for v in [Value::Int(3), Value::Long(3), Value::Real(3.9), Value::Text(" 3 ".into())] {
            assert_eq!(ok(MODE.spec(), v), Some(Value::Int(3)));
        }
        assert_eq!(ok(MODE.spec(), Value::Bool(true)), Some(Value::Int(1)));
        assert_eq!(ok(LIMIT.spec(), Value::Int(5)), Some(Value::Real(5.0)));
        assert_eq!(ok(LIMIT.spec(), Value::Text("5.5".into())), Some(Value::Real(5.5)));
        assert_eq!(ok(NAME.spec(), Value::Int(7)), Some(Value::Text("7".into())));
    }

    #[test]
    fn what_is_no_value_of_the_item_is_refused_with_the_reason() {
        let refused = |spec: Spec, v: Value| {
            let refusal = coerce(&spec, Some(v)).expect_err("refused");
            (refusal.code(), refusal.to_string())
        };
        assert_eq!(refused(SOC.spec(), Value::Real(1.0)), (1, "the item is read-only".into()));
        assert_eq!(refused(MODE.spec(), Value::Text("on".into())), (1, "on is not an integer".into()));
        assert_eq!(refused(MODE.spec(), Value::Text("1\n2".into())), (1, "1 2 is not an integer".into()));
        assert_eq!(refused(MODE.spec(), Value::Real(1e300)).0, 1);
        assert_eq!(refused(MODE.spec(), Value::Long(1 << 40)).0, 1);
        assert_eq!(refused(LIMIT.spec(), Value::Real(f64::NAN)).0, 1);
        assert_eq!(refused(LIMIT.spec(), Value::Text("inf".into())).0, 1);
        assert_eq!(refused(LIMIT.spec(), Value::Int(101)), (2, "101 is outside 0.0A to 100.0A".into()));
        assert_eq!(refused(NAME.spec(), Value::Ints(vec![1])).0, 1);
        assert_eq!(refused(NAME.spec(), Value::Text("x".repeat(MAX_TEXT + 1))).0, 1);
        assert_eq!(coerce(&MODE.spec(), None), Ok(None));
    }
}
