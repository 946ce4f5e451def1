//! Values for people, as JSON, and back from what somebody typed.

use dbus_interfaces::{Text, Value};
use serde_json::{Map, json};

/// As JSON; no value is `null`.
pub(crate) fn json(value: Option<&Value>) -> serde_json::Value {
    let list = |values: &[Value]| values.iter().map(|value| json(Some(value))).collect();
    match value {
        None => serde_json::Value::Null,
        Some(Value::Bool(v)) => json!(v),
        Some(Value::Int(v)) => json!(v),
        Some(Value::Long(v)) => json!(v),
        Some(Value::Real(v)) => json!(v),
        Some(Value::Text(v)) => json!(v),
        Some(Value::Ints(v)) => json!(v),
        Some(Value::Reals(v)) => json!(v),
        Some(Value::Texts(v)) => json!(v),
        Some(Value::List(v)) => list(v),
        Some(Value::Map(v)) => {
            v.iter().map(|(name, v)| (name.clone(), json(Some(v)))).collect::<Map<_, _>>().into()
        }
    }
}

/// As text without units; no value is `---`, as on the bus.
pub(crate) fn plain(value: Option<&Value>) -> String {
    Text::Plain.of(value)
}

/// The types that somebody may ask for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Type {
    /// An integer.
    I,
    /// A number.
    D,
    /// Text.
    S,
    /// No value at all, whatever VALUE is.
    None,
}

/// What somebody typed, as a value for an item that holds `present`; `wanted` goes before its type. `Ok(None)` is "no
/// value".
///
/// # Errors
/// A sentence.
pub(crate) fn typed(
    text: &str,
    wanted: Option<Type>,
    present: Option<&Value>,
) -> Result<Option<Value>, String> {
    let whole = || text.trim().parse::<i64>().ok().map(Value::from);
    let real = || text.trim().parse::<f64>().ok().and_then(Value::real);
    let held = || format!("it holds {}", plain(present));
    let value = match (wanted, present) {
        (Some(Type::None), _) => return Ok(None),
        (Some(Type::S), _) | (None, Some(Value::Text(_))) => Some(Value::Text(text.to_owned())),
        (Some(Type::I), _) => Some(whole().ok_or(format!("{text:?} is no integer"))?),
        (Some(Type::D), _) => Some(real().ok_or(format!("{text:?} is no number"))?),
        (None, Some(Value::Int(_) | Value::Long(_) | Value::Bool(_))) => {
            let cure = if real().is_some() { "; --type d sends it all the same" } else { "" };
            Some(whole().ok_or_else(|| format!("{text:?} is no integer, and {}{cure}", held()))?)
        }
        (None, Some(Value::Real(_))) => {
            Some(real().ok_or_else(|| format!("{text:?} is no number, and {}", held()))?)
        }
        (None, Some(Value::Map(_))) => return Err("it is a branch and not an item".to_owned()),
        (None, Some(_)) => {
            return Err("it holds a list, which cannot be set from here; dbus-send can".to_owned());
        }
        (None, None) if real().is_some() => {
            let why = "it holds no value at present, so its type is not known";
            return Err(format!("{why}: add --type i for an integer, d for a number, s for text"));
        }
        (None, None) => Some(Value::Text(text.to_owned())),
    };
    Ok(value)
}

/// Whether an item that holds `held` holds what was asked for, in whatever numeric type.
pub(crate) fn same(held: Option<&Value>, wanted: Option<&Value>) -> bool {
    match (held.and_then(Value::as_f64), wanted.and_then(Value::as_f64)) {
        (Some(held), Some(wanted)) => held == wanted,
        _ => held == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_json() {
        let map = Value::Map(vec![("a".to_owned(), Value::Texts(vec!["x".to_owned()]))]);
        assert_eq!(json(Some(&map)), json!({"a": ["x"]}));
        assert_eq!(json(Some(&Value::Real(54.0))), json!(54.0));
        assert_eq!(json(None), serde_json::Value::Null);
    }

    #[test]
    fn what_is_typed_becomes_what_the_item_holds() {
        let as_held = |text: &str, held: Value| typed(text, None, Some(&held));
        assert_eq!(as_held("5", Value::Int(3)), Ok(Some(Value::Int(5))));
        assert_eq!(as_held("-5", Value::Real(3.0)), Ok(Some(Value::Real(-5.0))));
        assert_eq!(as_held("5", Value::Text("x".into())), Ok(Some(Value::Text("5".into()))));
        assert_eq!(as_held("5000000000", Value::Int(3)), Ok(Some(Value::Long(5_000_000_000))));
        assert!(as_held("5.5", Value::Int(3)).unwrap_err().contains("--type d"));
        assert!(as_held("on", Value::Int(3)).unwrap_err().contains("no integer, and it holds 3"));
        assert!(as_held("nan", Value::Real(3.0)).unwrap_err().contains("no number"));
        assert!(as_held("1", Value::Ints(vec![1])).unwrap_err().contains("dbus-send"));
        assert!(as_held("1", Value::Map(vec![])).unwrap_err().contains("branch"));
    }

    #[test]
    fn an_item_without_a_value_takes_text_and_asks_for_the_type_of_a_number() {
        assert_eq!(typed("Barn", None, None), Ok(Some(Value::Text("Barn".into()))));
        assert!(typed("7", None, None).unwrap_err().contains("--type i"));
    }

    #[test]
    fn the_type_that_is_asked_for_goes_first() {
        let held = Value::Int(3);
        assert_eq!(typed("5", Some(Type::D), Some(&held)), Ok(Some(Value::Real(5.0))));
        assert_eq!(typed("5", Some(Type::S), None), Ok(Some(Value::Text("5".into()))));
        assert_eq!(typed("", Some(Type::None), Some(&held)), Ok(None));
        assert_eq!(typed("x", Some(Type::I), None), Err("\"x\" is no integer".to_owned()));
    }

    #[test]
    fn equal_numbers_are_equal_in_any_type() {
        assert!(same(Some(&Value::Int(5)), Some(&Value::Real(5.0))) && same(None, None));
        assert!(
            !same(None, Some(&Value::Int(0))) && !same(Some(&Value::Text("5".into())), Some(&Value::Int(5)))
        );
    }
}
