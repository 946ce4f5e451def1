//! The arguments of commands, read. Pure.

use std::path::Path;

use super::{Answer, Code, Entries};
use crate::Value;

/// What is wrong with an argument: its key, and what it takes.
pub type Wrong = (&'static str, &'static str);

/// An argument.
#[must_use]
pub fn value<'a>(arguments: &'a Entries, key: &str) -> Option<&'a Value> {
    arguments.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

/// An argument that is a text.
#[must_use]
pub fn text<'a>(arguments: &'a Entries, key: &str) -> Option<&'a str> {
    value(arguments, key).and_then(Value::as_str)
}

/// An argument that is a whole number.
#[must_use]
pub fn number(arguments: &Entries, key: &str) -> Option<i64> {
    value(arguments, key).and_then(Value::as_i64)
}

/// A port by its whole name, or by the last part of it.
#[must_use]
pub fn is_port(wanted: &str, port: &Path) -> bool {
    port == Path::new(wanted) || port.file_name().is_some_and(|last| last == wanted)
}

/// The answer to a wrong argument.
#[must_use]
pub fn bad(key: &str, allowed: &str) -> Answer {
    let mut answer = Answer::failed(Code::BadArgs, format!("{key}: {allowed}"));
    answer.data.push(("key".to_owned(), Value::from(key)));
    answer
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hexadecimal digits as bytes.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    if bytes.1.is_empty() { bytes.0.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_round_as_hexadecimal_digits_and_nothing_else_does() {
        assert_eq!(from_hex(&hex(&[0, 0x1F, 0xFF])), Some(vec![0, 0x1F, 0xFF]));
        assert_eq!(from_hex("0A"), from_hex("0a"));
        for wrong in ["0", "0x", "001", "é0", " 1"] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_port_is_meant_by_its_whole_name_or_its_last_part() {
        let port = Path::new("/dev/ttyUSB0");
        assert!(is_port("/dev/ttyUSB0", port) && is_port("ttyUSB0", port));
        assert!(!is_port("USB0", port) && !is_port("", port));
    }
}
