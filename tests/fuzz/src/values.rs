//! Values of the bus out of a fuzzer's bytes.

use arbitrary::{Arbitrary, Result, Unstructured};
use dbus_interfaces::Value;

/// Numbers at which conversions go wrong.
const EDGES: [f64; 12] = [
    0.0,
    -0.0,
    0.5,
    -0.5,
    2_147_483_647.0,
    2_147_483_648.0,
    -2_147_483_649.0,
    9_223_372_036_854_775_807.0,
    -9_223_372_036_854_775_808.0,
    f64::MAX,
    f64::MIN_POSITIVE,
    1e16,
];

/// Any value, lists and maps at most four deep.
pub(crate) fn value(u: &mut Unstructured<'_>) -> Result<Value> {
    nested(u, 4)
}

/// Any value or none.
pub(crate) fn optional(u: &mut Unstructured<'_>) -> Result<Option<Value>> {
    if u.ratio(1, 16)? { Ok(None) } else { value(u).map(Some) }
}

/// Any text that D-Bus can carry.
pub(crate) fn text(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(<&str>::arbitrary(u)?.replace('\0', "0"))
}

/// Any finite number, edges more often than their share.
pub(crate) fn number(u: &mut Unstructured<'_>) -> Result<f64> {
    Ok(match u.int_in_range(0..=3)? {
        0 => *u.choose(&EDGES)?,
        1 => f64::from(i16::arbitrary(u)?) / 10.0,
        2 => i64::arbitrary(u)? as f64,
        _ => Some(f64::arbitrary(u)?).filter(|v| v.is_finite()).unwrap_or_default(),
    })
}

fn nested(u: &mut Unstructured<'_>, depth: u8) -> Result<Value> {
    let kinds = if depth > 0 { 9 } else { 7 };
    Ok(match u.int_in_range(0..=kinds)? {
        0 => Value::Bool(bool::arbitrary(u)?),
        1 => Value::Int(i32::arbitrary(u)?),
        2 => Value::Long(i64::arbitrary(u)?),
        3 => Value::Real(number(u)?),
        4 => Value::Text(text(u)?),
        5 => Value::Ints(many(u, |u| u.arbitrary())?),
        6 => Value::Reals(many(u, number)?),
        7 => Value::Texts(many(u, text)?),
        8 => Value::List(many(u, |u| nested(u, depth - 1))?),
        _ => Value::Map(many(u, |u| Ok((text(u)?, nested(u, depth - 1)?)))?),
    })
}

fn many<T>(u: &mut Unstructured<'_>, one: impl Fn(&mut Unstructured<'_>) -> Result<T>) -> Result<Vec<T>> {
    // Not none: an empty array is no value.
    (0..u.int_in_range(1..=5)?).map(|_| one(u)).collect()
}
