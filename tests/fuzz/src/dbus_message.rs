//! A message of another service: any body of any types, read by everything that reads messages.

use dbus_interfaces::Value;
use dbus_interfaces::fuzzing::{read_everywhere, sent_and_received};

/// The first byte has the byte order and the length of the signature; then the signature and the body.
pub fn run(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else { return };
    let Some((signature, body)) = rest.split_at_checked(usize::from(first >> 1)) else { return };
    let Ok(signature) = std::str::from_utf8(signature) else { return };
    for mut value in read_everywhere(signature, body, first & 1 != 0).into_iter().flatten() {
        check(&value);
        let mut again = sent_and_received(Some(&value)).expect("it can be sent");
        if sort(&mut value) {
            again.iter_mut().for_each(|value| _ = sort(value));
            assert_eq!(again, Some(value));
        }
    }
}

/// The order of a dictionary means nothing. False if it has a name twice, as when names were numbers beyond 63 bits.
fn sort(value: &mut Value) -> bool {
    match value {
        Value::List(v) => v.iter_mut().all(sort),
        Value::Map(v) => {
            v.sort_by(|(a, _), (b, _)| a.cmp(b));
            v.is_sorted_by(|(a, _), (b, _)| a < b) && v.iter_mut().all(|(_, v)| sort(v))
        }
        _ => true,
    }
}

/// A value never means "no value".
fn check(value: &Value) {
    match value {
        Value::Real(v) => assert!(v.is_finite()),
        Value::Ints(v) => assert!(!v.is_empty()),
        Value::Reals(v) => assert!(!v.is_empty() && v.iter().all(|v| v.is_finite())),
        Value::Texts(v) => assert!(!v.is_empty()),
        Value::List(v) => {
            assert!(!v.is_empty());
            v.iter().for_each(check);
        }
        Value::Map(v) => v.iter().for_each(|(_, v)| check(v)),
        Value::Bool(_) | Value::Int(_) | Value::Long(_) | Value::Text(_) => {}
    }
}
