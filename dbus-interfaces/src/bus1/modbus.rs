//! `serial.modbus.request`: one request of the caller's own, as its parts or as a PDU, and the answer to it. Pure (Modbus
//! Application Protocol Specification V1.1b3).

use std::time::Duration;

use super::arguments::{Wrong, from_hex, hex, number, text, value};
use super::{Answer, Code, Entries};
use crate::Value;

/// The command.
pub const COMMAND: &str = "serial.modbus.request";
/// The longest PDU, function and data (4.1).
pub const LONGEST_PDU: usize = 253;
/// Registers in one read, and in one write (6.3, 6.12).
const MOST_READ: u16 = 125;
const MOST_WRITTEN: usize = 123;
/// Bits in one read, and in one write (6.1, 6.11).
const MOST_BITS_READ: u16 = 2000;
const MOST_BITS_WRITTEN: usize = 1968;
/// How long an answer is waited for, ms.
const TIMEOUTS: std::ops::RangeInclusive<i64> = 10..=5_000;
const TIMEOUT: i64 = 1_000;
/// What may be said.
const KEYS: [&str; 9] =
    ["cmd", "port", "unit", "function", "address", "count", "values", "pdu", "timeout_ms"];

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Address of the device on the line.
    pub unit: u8,
    /// Function, 1 to 127, and data.
    pub pdu: Vec<u8>,
    /// How long the answer may take.
    pub timeout: Duration,
}

impl Request {
    /// A request from its arguments.
    ///
    /// # Errors
    /// The key that is wrong, and what it takes.
    pub fn read(arguments: &Entries) -> Result<Request, Wrong> {
        if arguments.iter().any(|(key, _)| !KEYS.contains(&key.as_str())) {
            return Err((
                "cmd",
                "port, unit, function, address, count, values, pdu and timeout_ms, and nothing else",
            ));
        }
        let unit = number(arguments, "unit").and_then(|unit| u8::try_from(unit).ok());
        let unit = unit.ok_or(("unit", "0 to 255"))?;
        let timeout = if value(arguments, "timeout_ms").is_some() {
            number(arguments, "timeout_ms")
        } else {
            Some(TIMEOUT)
        };
        let timeout = timeout.filter(|ms| TIMEOUTS.contains(ms)).and_then(|ms| u64::try_from(ms).ok());
        let timeout = Duration::from_millis(timeout.ok_or(("timeout_ms", "10 to 5000"))?);
        let pdu = match value(arguments, "pdu") {
            Some(_) => whole(arguments)?,
            None => parts(arguments)?,
        };
        match pdu.first() {
            Some(1..=0x7F) => Ok(Request { unit, pdu, timeout }),
            _ => Err(("function", "1 to 127")),
        }
    }

    /// The function.
    #[must_use]
    pub fn function(&self) -> u8 {
        self.pdu.first().copied().unwrap_or_default()
    }

    /// What the PDU of an answer says: the exception, or the bytes, with the registers or bits of a read.
    #[must_use]
    pub fn answered(&self, pdu: &[u8]) -> Answer {
        let mut data = vec![("pdu".to_owned(), Value::Text(hex(pdu)))];
        let mut values = |values: Vec<i32>| data.push(("values".to_owned(), Value::Ints(values)));
        match *pdu {
            [function, code, ..] if function & 0x80 != 0 => {
                data.push(("exception".to_owned(), Value::Int(i32::from(code))));
                let message = Some(format!("exception {code:02}"));
                return Answer { code: Code::DeviceError, message, data };
            }
            [1 | 2, _, ref bytes @ ..] => {
                let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| i32::from(byte >> bit & 1)));
                // As many as were asked for; the last byte is filled up.
                let count = self.pdu.get(3..5).and_then(|count| count.first_chunk::<2>());
                values(bits.take(count.map_or(0, |count| u16::from_be_bytes(*count)).into()).collect());
            }
            [3 | 4 | 0x17, _, ref bytes @ ..] => {
                let words = bytes.as_chunks::<2>().0.iter();
                values(words.map(|word| i32::from(u16::from_be_bytes(*word))).collect());
            }
            _ => {}
        }
        Answer::done(data)
    }
}

fn whole(arguments: &Entries) -> Result<Vec<u8>, Wrong> {
    let has_parts =
        ["function", "address", "count", "values"].iter().any(|key| value(arguments, key).is_some());
    if has_parts {
        return Err(("pdu", "either pdu, or function with its parts"));
    }
    let bytes = text(arguments, "pdu").and_then(from_hex);
    bytes
        .filter(|bytes| (1..=LONGEST_PDU).contains(&bytes.len()))
        .ok_or(("pdu", "1 to 253 bytes, hexadecimal"))
}

fn parts(arguments: &Entries) -> Result<Vec<u8>, Wrong> {
    let word = |key: &str| number(arguments, key).and_then(|number| u16::try_from(number).ok());
    let function = word("function").and_then(|function| u8::try_from(function).ok());
    let function = function
        .filter(|function| matches!(function, 1..=6 | 15 | 16 | 17 | 22))
        .ok_or(("function", "1 to 6, 15 to 17 or 22; others as pdu"))?;
    if function == 17 {
        return Ok(vec![17]);
    }
    let address = word("address").ok_or(("address", "0 to 65535, as it is on the wire"))?.to_be_bytes();
    let begun = [&[function][..], &address].concat();
    let read = |most: u16, allowed: &'static str| {
        let count = word("count").filter(|count| (1..=most).contains(count));
        Ok([begun.as_slice(), &count.ok_or(("count", allowed))?.to_be_bytes()].concat())
    };
    match function {
        1 | 2 => read(MOST_BITS_READ, "1 to 2000"),
        3 | 4 => read(MOST_READ, "1 to 125"),
        5 => {
            let [on] = bits(arguments, 1)?[..] else { return Err(("values", "one of 0 and 1")) };
            Ok([begun.as_slice(), if on { &[0xFF, 0] } else { &[0, 0] }].concat())
        }
        15 => {
            let on = bits(arguments, MOST_BITS_WRITTEN)?;
            let packed: Vec<u8> = on
                .chunks(8)
                .map(|eight| eight.iter().rev().fold(0, |byte, on| byte << 1 | u8::from(*on)))
                .collect();
            Ok([begun, counted(on.len(), packed.len()), packed].concat())
        }
        6 | 22 => {
            let wanted = if function == 6 { 1 } else { 2 };
            let words = words(arguments, wanted)?;
            let is_right = words.len() == wanted;
            let values = words.iter().flat_map(|word| word.to_be_bytes());
            is_right
                .then(|| begun.iter().copied().chain(values).collect())
                .ok_or(("values", "one word for 6; and-mask and or-mask for 22"))
        }
        _ => {
            let words = words(arguments, MOST_WRITTEN)?;
            let values = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            Ok([begun, counted(words.len(), 2 * words.len()), values].concat())
        }
    }
}

/// How many there are, and in how many bytes; both are bounded by what a request holds.
fn counted(count: usize, bytes: usize) -> Vec<u8> {
    let [high, low] = u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes();
    vec![high, low, u8::try_from(bytes).unwrap_or(u8::MAX)]
}

fn list(arguments: &Entries, most: usize) -> Option<&[i32]> {
    match value(arguments, "values") {
        Some(Value::Ints(values)) => {
            Some(values.as_slice()).filter(|values| (1..=most).contains(&values.len()))
        }
        _ => None,
    }
}

fn words(arguments: &Entries, most: usize) -> Result<Vec<u16>, Wrong> {
    let words = list(arguments, most)
        .and_then(|values| values.iter().map(|value| u16::try_from(*value).ok()).collect());
    words.ok_or(("values", "1 to 123 words of 0 to 65535"))
}

fn bits(arguments: &Entries, most: usize) -> Result<Vec<bool>, Wrong> {
    let bit = |value: &i32| match value {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    let bits = list(arguments, most).and_then(|values| values.iter().map(bit).collect());
    bits.ok_or(("values", "1 to 1968 of 0 and 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(entries: &[(&str, Value)]) -> Entries {
        entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn pdu(function: i32, more: &[(&str, Value)]) -> Vec<u8> {
        let mut entries = arguments(&[("unit", 7.into()), ("function", function.into())]);
        entries.extend(arguments(more));
        Request::read(&entries).unwrap().pdu
    }

    /// The examples of V1.1b3, 6.1 to 6.6, 6.11, 6.12, 6.13 and 6.16.
    #[test]
    fn a_request_is_built_from_its_parts_as_the_specification_has_it() {
        let read = |addr: i32, count: i32| [("address", addr.into()), ("count", count.into())];
        let write =
            |addr: i32, values: &[i32]| [("address", addr.into()), ("values", Value::Ints(values.to_vec()))];
        assert_eq!(pdu(1, &read(0x13, 0x13)), [1, 0, 0x13, 0, 0x13]);
        assert_eq!(pdu(2, &read(0xC4, 0x16)), [2, 0, 0xC4, 0, 0x16]);
        assert_eq!(pdu(3, &read(0x6B, 3)), [3, 0, 0x6B, 0, 3]);
        assert_eq!(pdu(4, &read(8, 1)), [4, 0, 8, 0, 1]);
        assert_eq!(pdu(5, &write(0xAC, &[1])), [5, 0, 0xAC, 0xFF, 0]);
        assert_eq!(pdu(6, &write(1, &[3])), [6, 0, 1, 0, 3]);
        assert_eq!(pdu(15, &write(0x13, &[1, 0, 1, 1, 0, 0, 1, 1, 1, 0])), [15, 0, 0x13, 0, 10, 2, 0xCD, 1]);
        assert_eq!(pdu(16, &write(1, &[0x0A, 0x0102])), [16, 0, 1, 0, 2, 4, 0, 0x0A, 1, 2]);
        assert_eq!(pdu(17, &[]), [17]);
        assert_eq!(pdu(22, &write(4, &[0xF2, 0x25])), [22, 0, 4, 0, 0xF2, 0, 0x25]);
        assert_eq!(pdu(15, &write(0, &[1; 1968])).len(), 6 + 246);
        assert_eq!(pdu(16, &write(0, &[1; 123])).len(), 6 + 246);
    }

    #[test]
    fn a_request_is_taken_as_it_is() {
        let whole = arguments(&[("unit", 1.into()), ("pdu", "2b0e0100".into()), ("timeout_ms", 50.into())]);
        let request = Request::read(&whole).unwrap();
        assert_eq!((request.function(), request.timeout), (0x2B, Duration::from_millis(50)));
        assert_eq!(request.pdu, [0x2B, 0x0E, 1, 0]);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_key() {
        let key = |entries: &[(&str, Value)]| Request::read(&arguments(entries)).unwrap_err().0;
        let with = |more: &[(&'static str, Value)]| key(&[&[("unit", Value::from(1))], more].concat());
        assert_eq!(key(&[]), "unit");
        assert_eq!(key(&[("unit", 256.into())]), "unit");
        assert_eq!(with(&[("timeout_ms", 9.into())]), "timeout_ms");
        assert_eq!(with(&[("timeout_ms", "x".into())]), "timeout_ms");
        assert_eq!(with(&[("pdu", "0".into())]), "pdu");
        assert_eq!(with(&[("pdu", "".into())]), "pdu");
        assert_eq!(with(&[("pdu", "04".repeat(254).into())]), "pdu");
        assert_eq!(with(&[("pdu", "04".into()), ("function", 4.into())]), "pdu");
        assert_eq!(with(&[("pdu", "84".into())]), "function");
        assert_eq!(with(&[("function", 23.into())]), "function");
        assert_eq!(with(&[("function", 4.into())]), "address");
        assert_eq!(with(&[("function", 4.into()), ("address", 1.into())]), "count");
        assert_eq!(with(&[("function", 4.into()), ("adress", 1.into())]), "cmd");
        for (function, values) in
            [(5, vec![2]), (5, vec![1, 1]), (6, vec![1, 2]), (6, vec![-1]), (22, vec![1]), (16, vec![1; 124])]
        {
            let values = ("values", Value::Ints(values));
            assert_eq!(
                with(&[("function", function.into()), ("address", 1.into()), values]),
                "values",
                "{function}"
            );
        }
    }

    #[test]
    fn an_answer_has_its_bytes_and_what_a_read_brought() {
        let request = |bytes: &[u8]| Request { unit: 1, pdu: bytes.to_vec(), timeout: Duration::ZERO };
        let values = |of: &[u8], pdu: &[u8]| {
            let answer = request(of).answered(pdu);
            assert_eq!((answer.code, text(&answer.data, "pdu")), (Code::Ok, Some(hex(pdu).as_str())));
            value(&answer.data, "values").cloned()
        };
        assert_eq!(values(&[1, 0, 0, 0, 3], &[1, 1, 0xFD]), Some(Value::Ints(vec![1, 0, 1])));
        assert_eq!(values(&[4, 0, 0, 0, 2], &[4, 4, 0, 1, 0xFF, 0xFF]), Some(Value::Ints(vec![1, 65_535])));
        assert_eq!(values(&[0x11], &[0x11, 1, 9]), None);
        assert_eq!(values(&[1], &[1]), None);
        let refused = request(&[6, 0, 1, 0, 1]).answered(&[0x86, 2]);
        assert_eq!((refused.code, number(&refused.data, "exception")), (Code::DeviceError, Some(2)));
    }
}
