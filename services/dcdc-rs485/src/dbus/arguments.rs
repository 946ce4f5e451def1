//! The arguments of commands, read. Pure.

use std::path::Path;
use std::time::Duration;

use dbus_interfaces::Value;
use dbus_interfaces::bus1::{Answer, Code, Entries};

use crate::battery::RawRequest;
use crate::eza::command::Shape;
use crate::eza::field::Field;

/// How long a Modbus answer is waited for, ms.
const TIMEOUTS: std::ops::RangeInclusive<i64> = 10..=5_000;
const TIMEOUT: i64 = 1_000;
/// The longest Modbus request, function and data (Modbus application protocol V1.1b3, 4.1).
const LONGEST_PDU: usize = 253;
/// The requests whose answers are the same bytes as an echo of themselves.
const LIKE_THEIR_ECHO: [u8; 2] = [5, 6];

pub(super) fn text<'a>(arguments: &'a Entries, key: &str) -> Option<&'a str> {
    value(arguments, key).and_then(Value::as_str)
}

fn value<'a>(arguments: &'a Entries, key: &str) -> Option<&'a Value> {
    arguments.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

/// A port by its whole name, or by the last part of it.
pub(super) fn is_port(wanted: &str, port: Option<&Path>) -> bool {
    port.is_some_and(|port| port == Path::new(wanted) || port.file_name().is_some_and(|last| last == wanted))
}

pub(super) fn bad(key: &str, allowed: &str) -> Answer {
    let mut answer = Answer::failed(Code::BadArgs, format!("{key}: {allowed}"));
    answer.data.push(("key".to_owned(), Value::from(key)));
    answer
}

/// The words of a command: `words` as they are, or `values` by their names in their units.
pub(super) fn words(arguments: &Entries, shape: &Shape, check_range: bool) -> Option<Vec<u16>> {
    let word = |number: i32| u16::try_from(number).ok();
    match (value(arguments, "words"), value(arguments, "values")) {
        (Some(Value::Ints(numbers)), None) => {
            let words: Vec<u16> = numbers.iter().map(|number| word(*number)).collect::<Option<_>>()?;
            let is_declared = |(field, word): (&&Field, &u16)| {
                field.word(&field.value(*word).to_string(), check_range).is_ok()
            };
            let fits = words.len() == shape.sends.len() && shape.sends.iter().zip(&words).all(is_declared);
            fits.then_some(words)
        }
        (None, Some(Value::Map(values))) => {
            let number = |field: &&Field| {
                let (_, value) = values.iter().find(|(name, _)| name == field.name)?;
                let text = match value {
                    Value::Text(text) => text.clone(),
                    number => number.as_f64()?.to_string(),
                };
                field.word(&text, check_range).ok()
            };
            if values.len() != shape.sends.len() {
                return None;
            }
            shape.sends.iter().map(number).collect()
        }
        (None, None) if shape.sends.is_empty() => Some(Vec::new()),
        _ => None,
    }
}

/// A Modbus request from its arguments; the key that is wrong, and what it takes.
pub(super) fn modbus_request(arguments: &Entries) -> Result<RawRequest, (&'static str, &'static str)> {
    let number = |key: &str| value(arguments, key).and_then(Value::as_i64);
    let unit =
        number("unit").and_then(|unit| u8::try_from(unit).ok()).filter(|unit| (1..=247).contains(unit));
    let unit = unit.ok_or(("unit", "1 to 247"))?;
    let timeout = number("timeout_ms").unwrap_or(TIMEOUT);
    let timeout = Some(timeout).filter(|ms| TIMEOUTS.contains(ms)).and_then(|ms| u64::try_from(ms).ok());
    let timeout = Duration::from_millis(timeout.ok_or(("timeout_ms", "10 to 5000"))?);
    let pdu = match text(arguments, "pdu") {
        Some(text) => from_hex(text).ok_or(("pdu", "1 to 253 bytes, hexadecimal"))?,
        None => pdu(arguments)?,
    };
    match pdu.first() {
        Some(function) if LIKE_THEIR_ECHO.contains(function) => {
            Err(("function", "5 and 6 cannot be told from their echo: use 15 or 16"))
        }
        Some(1..=0x7F) => Ok(RawRequest { unit, pdu, timeout }),
        _ => Err(("function", "1 to 127")),
    }
}

fn pdu(arguments: &Entries) -> Result<Vec<u8>, (&'static str, &'static str)> {
    let word = |key: &str| {
        let number = value(arguments, key).and_then(Value::as_i64);
        number.and_then(|number| u16::try_from(number).ok())
    };
    let address = word("address").ok_or(("address", "0 to 65535, as it is on the wire"))?.to_be_bytes();
    let function = word("function").and_then(|function| u8::try_from(function).ok());
    match function {
        Some(function @ 1..=4) => {
            let count = word("count").filter(|count| (1..=125).contains(count));
            let count = count.ok_or(("count", "1 to 125"))?.to_be_bytes();
            Ok([&[function][..], &address, &count].concat())
        }
        Some(16) => {
            let Some(Value::Ints(values)) = value(arguments, "values") else {
                return Err(("values", "1 to 123 words"));
            };
            let words: Option<Vec<u16>> = values.iter().map(|value| u16::try_from(*value).ok()).collect();
            let words =
                words.filter(|words| (1..=123).contains(&words.len())).ok_or(("values", "1 to 123 words"))?;
            // At most 123 words, 246 bytes.
            let count = u8::try_from(words.len()).unwrap_or(u8::MAX);
            let mut pdu = [&[16][..], &address, &[0, count, count.saturating_mul(2)]].concat();
            pdu.extend(words.iter().flat_map(|word| word.to_be_bytes()));
            Ok(pdu)
        }
        _ => Err(("function", "1 to 4 or 16; others as pdu")),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    let is_whole = bytes.1.is_empty() && (1..=LONGEST_PDU).contains(&bytes.0.len());
    if is_whole { bytes.0.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eza::command;

    fn arguments(entries: &[(&str, Value)]) -> Entries {
        entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_modbus_request_is_built_from_its_parts_or_taken_as_it_is() {
        let parts = [("unit", 1.into()), ("function", 4.into()), ("address", 29.into()), ("count", 2.into())];
        let request = modbus_request(&arguments(&parts)).unwrap();
        assert_eq!(request.pdu, [4, 0, 29, 0, 2]);
        let whole = arguments(&[("unit", 1.into()), ("pdu", "04001d0002".into())]);
        assert_eq!(modbus_request(&whole), Ok(request));
        let write = [
            ("unit", 7.into()),
            ("function", 16.into()),
            ("address", 9.into()),
            ("values", Value::Ints(vec![258])),
        ];
        assert_eq!(modbus_request(&arguments(&write)).unwrap().pdu, [16, 0, 9, 0, 1, 2, 1, 2]);
    }

    #[test]
    fn what_is_wrong_in_a_modbus_request_is_named_by_its_key() {
        let key = |entries: &[(&str, Value)]| modbus_request(&arguments(entries)).unwrap_err().0;
        assert_eq!(key(&[("unit", 0.into())]), "unit");
        assert_eq!(key(&[("unit", 1.into()), ("timeout_ms", 9.into())]), "timeout_ms");
        assert_eq!(key(&[("unit", 1.into()), ("pdu", "0".into())]), "pdu");
        assert_eq!(key(&[("unit", 1.into()), ("pdu", "84".into())]), "function");
        assert_eq!(key(&[("unit", 1.into()), ("pdu", "0600010001".into())]), "function");
        assert_eq!(key(&[("unit", 1.into()), ("function", 4.into())]), "address");
        assert_eq!(key(&[("unit", 1.into()), ("function", 4.into()), ("address", 1.into())]), "count");
    }

    #[test]
    fn the_words_of_a_command_come_by_name_or_as_they_are_and_within_their_ranges() {
        let shape = command::by_name("5-4").unwrap();
        let named = Value::Map(vec![("mdz".to_owned(), 0.into()), ("pdz".to_owned(), "1.9".into())]);
        let of = |entries: &[(&str, Value)]| words(&arguments(entries), shape, true);
        assert_eq!(of(&[("values", named)]), Some(vec![81, 0]));
        assert_eq!(of(&[("words", Value::Ints(vec![81, 0]))]), Some(vec![81, 0]));
        assert_eq!(of(&[("words", Value::Ints(vec![16_000, 0]))]), None);
        assert_eq!(of(&[("words", Value::Ints(vec![81]))]), None);
        assert_eq!(of(&[]), None);
        assert_eq!(words(&Entries::new(), command::by_name("10-1").unwrap(), true), Some(Vec::new()));
    }
}
