//! Values on the wire: how Victron's bus encodes them, and what becomes of those that come in. (The one message that is
//! sent all day is written in `marshal`.)

use std::collections::HashMap;

use serde::ser::{Serialize, SerializeStruct, Serializer};
use zbus::wire::{Signature, Type};
use zbus::{Message, Variant};

use crate::Value;

/// A value inside a variant; no value is an empty `ai` (velib_python `ve_utils.py`).
pub(crate) struct Wire<'a>(pub(crate) Option<&'a Value>);

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut variant = serializer.serialize_struct("Variant", 2)?;
        match self.0 {
            None => put(&mut variant, "ai", &[0_i32; 0][..])?,
            Some(Value::Bool(v)) => put(&mut variant, "b", v)?,
            Some(Value::Int(v)) => put(&mut variant, "i", v)?,
            Some(Value::Long(v)) => put(&mut variant, "x", v)?,
            Some(Value::Real(v)) => put(&mut variant, "d", v)?,
            Some(Value::Text(v)) => put(&mut variant, "s", v)?,
            Some(Value::Ints(v)) => put(&mut variant, "ai", v)?,
            Some(Value::Reals(v)) => put(&mut variant, "ad", v)?,
            Some(Value::Texts(v)) => put(&mut variant, "as", v)?,
            Some(Value::List(v)) => put(&mut variant, "av", &Each(v))?,
            Some(Value::Map(v)) => put(&mut variant, "a{sv}", &Entries(v))?,
        }
        variant.end()
    }
}

impl Type for Wire<'_> {
    const SIGNATURE: &'static Signature = &Signature::Variant;
}

fn put<S: SerializeStruct, T: Serialize + ?Sized>(
    to: &mut S,
    signature: &'static str,
    v: &T,
) -> Result<(), S::Error> {
    to.serialize_field("signature", signature)?;
    to.serialize_field("value", v)
}

struct Each<'a>(&'a [Value]);

impl Serialize for Each<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|v| Wire(Some(v))))
    }
}

struct Entries<'a>(&'a [(String, Value)]);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(k, v)| (k, Wire(Some(v)))))
    }
}

/// `a{sv}` of names and values, invalid ones included.
pub(crate) struct Dict<'a>(pub(crate) &'a [(&'a str, Option<&'a Value>)]);

impl Serialize for Dict<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(k, v)| (k, Wire(*v))))
    }
}

impl Type for Dict<'_> {
    const SIGNATURE: &'static Signature = <HashMap<&str, Variant<'_>> as Type>::SIGNATURE;
}

/// `aa{sv}`.
pub(crate) struct Dicts<'a>(pub(crate) &'a [Vec<(&'a str, Option<&'a Value>)>]);

impl Serialize for Dicts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|d| Dict(d)))
    }
}

impl Type for Dicts<'_> {
    const SIGNATURE: &'static Signature = <Vec<HashMap<&str, Variant<'_>>> as Type>::SIGNATURE;
}

/// How deep values may stand in each other. A message may go deeper, but then what it holds could not be sent on: each of
/// our lists is an array of variants.
const DEEPEST: usize = 16;

/// A value as it came, `None` for every empty array of whatever type, for NaN, and for what no BusItem holds.
pub(crate) fn value_of(variant: &Variant<'_>) -> Option<Value> {
    within(variant, DEEPEST)
}

fn within(variant: &Variant<'_>, levels: usize) -> Option<Value> {
    let inside = |variant: &Variant<'_>| within(variant, levels.checked_sub(1)?);
    Some(match variant {
        Variant::U8(v) => Value::Int(i32::from(*v)),
        Variant::Bool(v) => Value::Bool(*v),
        Variant::I16(v) => Value::Int(i32::from(*v)),
        Variant::U16(v) => Value::Int(i32::from(*v)),
        Variant::I32(v) => Value::Int(*v),
        Variant::U32(v) => Value::from(i64::from(*v)),
        Variant::I64(v) => Value::Long(*v),
        Variant::U64(v) => Value::Long(i64::try_from(*v).unwrap_or(i64::MAX)),
        Variant::F64(v) => Value::real(*v)?,
        Variant::Str(v) => Value::Text(v.to_string()),
        Variant::Signature(v) => Value::Text(v.to_string()),
        Variant::ObjectPath(v) => Value::Text(v.to_string()),
        Variant::Variant(v) => within(v, levels)?,
        Variant::Array(v) => array_of(v.iter().filter_map(inside).collect())?,
        Variant::Dict(v) => {
            let name = |k: &Variant<'_>| Some(crate::Text::Plain.of(Some(&inside(k)?)));
            Value::Map(v.iter().filter_map(|(k, v)| Some((name(k)?, inside(v)?))).collect())
        }
        Variant::Structure(v) => array_of(v.fields().iter().filter_map(inside).collect())?,
        Variant::Fd(_) => return None,
    })
}

/// Also an array of nothing but no values is no value.
fn array_of(values: Vec<Value>) -> Option<Value> {
    fn all<T>(values: &[Value], one: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
        values.iter().map(one).collect()
    }
    let int = |v: &Value| if let Value::Int(v) = v { Some(*v) } else { None };
    let real = |v: &Value| if let Value::Real(v) = v { Some(*v) } else { None };
    let text = |v: &Value| if let Value::Text(v) = v { Some(v.clone()) } else { None };
    if values.is_empty() {
        return None;
    }
    let same = all(&values, int)
        .map(Value::Ints)
        .or_else(|| all(&values, real).map(Value::Reals))
        .or_else(|| all(&values, text).map(Value::Texts));
    Some(same.unwrap_or(Value::List(values)))
}

/// The arguments of a message; `None` where the body cannot be read.
pub(crate) fn arguments(message: &Message) -> Option<Vec<Option<Value>>> {
    let body = message.body();
    if body.is_empty() {
        return Some(Vec::new());
    }
    let arguments = body.deserialize::<zbus::Structure<'_>>().ok()?;
    Some(arguments.fields().iter().map(value_of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use zbus::wire::{LE, serialized::Context, to_bytes};

    fn round(value: Option<Value>) -> Option<Value> {
        let bytes = to_bytes(Context::new(LE, 0), &Wire(value.as_ref())).expect("encodes");
        let (variant, _) = bytes.deserialize::<Variant<'_>>().expect("decodes");
        value_of(&variant)
    }

    #[test]
    fn every_value_survives_the_wire() {
        let values = [
            Value::Bool(true),
            Value::Int(-7),
            Value::Long(1 << 40),
            Value::Real(52.31),
            Value::Text("Größe".into()),
            Value::Ints(vec![1, 2]),
            Value::Reals(vec![0.5]),
            Value::Texts(vec!["a".into(), "b".into()]),
            Value::List(vec![Value::Int(1), Value::Text("x".into())]),
            Value::Map(vec![("k".into(), Value::List(vec![Value::Map(vec![("n".into(), Value::Int(1))])]))]),
        ];
        for value in values {
            assert_eq!(round(Some(value.clone())), Some(value));
        }
        assert_eq!(round(None), None);
    }

    #[test]
    fn any_empty_array_and_nan_are_no_value() {
        assert_eq!(value_of(&Variant::new(Vec::<String>::new())), None);
        assert_eq!(value_of(&Variant::new(Vec::<u32>::new())), None);
        assert_eq!(value_of(&Variant::new(f64::NAN)), None);
        assert_eq!(value_of(&Variant::new(vec![f64::NAN])), None);
    }

    #[test]
    fn what_was_read_can_be_sent_on_however_deep_it_was() {
        let nested =
            |depth| (0..depth).fold(Value::Int(1), |inner, _| Value::List(vec![Value::Bool(true), inner]));
        assert_eq!(round(Some(nested(DEEPEST))), Some(nested(DEEPEST)));
        let cut = round(Some(nested(DEEPEST + 9)));
        assert!(cut.is_some());
        assert_eq!(round(cut.clone()), cut);
    }
}
