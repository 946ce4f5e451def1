//! A client writes any value to any kind of item.

use arbitrary::{Arbitrary, Result, Unstructured};
use dbus_interfaces::fuzzing::{announced, sent_and_received};
use dbus_interfaces::{ItemType, Kind, MAX_TEXT, Spec, Text, Value, coerce, text};

use crate::lines::assert_line;
use crate::values::{number, optional};

const TEXTS: &[Text] =
    &[Text::Plain, Text::Hex, text::VOLTS, text::WATTS, text::CELL_VOLTS, text::ALARM, Text::Words(&[])];
const KINDS: &[Kind] = &[Kind::Int, Kind::Long, Kind::Real, Kind::Text, Kind::Texts];

/// An item and a value for it, as `arbitrary` makes them of the bytes.
pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(spec) = spec(&mut u) else { return };
    let Ok(written) = optional(&mut u) else { return };
    let shown = spec.text.of(written.as_ref());
    assert_eq!(shown == text::INVALID, written.is_none() || written == Some(Value::from(text::INVALID)));
    // The message that is written by hand says what the library's own writer says.
    let told = sent_and_received(written.as_ref()).map(|value| (value, shown));
    assert_eq!(announced(spec, written.clone()), told);
    match coerce(&spec, written.clone()) {
        Ok(None) => assert_eq!(written, None),
        Ok(Some(value)) => {
            assert!(spec.writable && written.is_some());
            fits(&spec, &value);
            let told = (Some(value.clone()), spec.text.of(Some(&value)));
            assert_eq!(announced(spec, Some(value.clone())), Ok(told), "what listeners hear");
            assert_eq!(coerce(&spec, Some(value.clone())), Ok(Some(value)), "what was taken is taken again");
        }
        Err(refusal) => {
            assert!((1..=2).contains(&refusal.code()));
            assert_line(&refusal.to_string());
        }
    }
}

fn spec(u: &mut Unstructured<'_>) -> Result<Spec> {
    let range = if bool::arbitrary(u)? {
        let (a, b) = (number(u)?, number(u)?);
        Some((a.min(b), a.max(b)))
    } else {
        None
    };
    Ok(Spec {
        kind: *u.choose(KINDS)?,
        text: *u.choose(TEXTS)?,
        writable: !u.ratio(1, 16)?,
        range,
        default: None,
        every_write: u.arbitrary()?,
    })
}

/// The value is one of the item.
fn fits(spec: &Spec, value: &Value) {
    let right = match (spec.kind, value) {
        (Kind::Int, Value::Int(_)) => i32::from_value(value).is_some(),
        (Kind::Long, Value::Long(_)) => i64::from_value(value).is_some(),
        (Kind::Real, Value::Real(_)) => f64::from_value(value).is_some(),
        (Kind::Text, Value::Text(text)) => text.len() <= MAX_TEXT,
        (Kind::Texts, Value::Texts(texts)) => texts.iter().map(String::len).sum::<usize>() <= MAX_TEXT,
        _ => false,
    };
    assert!(right, "{value:?} for {spec:?}");
    if let (Some((min, max)), Some(n)) = (spec.range, value.as_f64()) {
        assert!((min..=max).contains(&n), "{value:?} for {spec:?}");
    }
}
