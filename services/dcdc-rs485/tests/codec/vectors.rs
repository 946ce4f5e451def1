//! `vectors/eza2500-vectors.json`: what SonyCSL/apis-dcdc_batt_comm sends and makes of what it receives.

use dcdc_rs485::eza::command::{self, Shape};
use dcdc_rs485::eza::frame::{Addresses, Request};
use dcdc_rs485::eza::reply::{self, Reply};
use serde_json::Value;

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../vectors/eza2500-vectors.json")).unwrap()
}

fn shape(vector: &Value) -> &'static Shape {
    let name = vector["command"].as_str().unwrap();
    command::by_name(name).unwrap_or_else(|| panic!("no command {name}"))
}

fn bytes(hex: &Value) -> Option<Vec<u8>> {
    let hex = hex.as_str()?;
    Some((0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect())
}

fn addresses(vector: &Value) -> Addresses {
    let of = |key: &str| u8::try_from(vector[key].as_u64().unwrap()).unwrap();
    Addresses { converter: of("address1"), own: of("address2") }
}

/// The request, with the range checked or not; why not, where it cannot be built.
fn request(vector: &Value, check_range: bool) -> Result<Request, String> {
    let shape = shape(vector);
    let mut words = Vec::new();
    for field in shape.sends {
        let text = match &vector["params"][field.name] {
            Value::Null => return Err(format!("no {}", field.name)),
            Value::String(text) => text.clone(),
            number => number.to_string(),
        };
        words.push(field.word(&text, check_range).map_err(|error| error.to_string())?);
    }
    Request::of_shape(shape, &words, addresses(vector)).ok_or_else(|| "does not fit".to_owned())
}

/// Numbers of the configuration pass through binary arithmetic in the reference: one count off is equal.
fn equal(vector: &Value, ours: &[u8], theirs: &[u8]) -> bool {
    if ours == theirs {
        return true;
    }
    let sends = shape(vector).sends;
    let word = |bytes: &[u8], n: usize| i32::from(u16::from_le_bytes([bytes[5 + 2 * n], bytes[6 + 2 * n]]));
    ours[..5] == theirs[..5]
        && sends.iter().enumerate().all(|(n, field)| {
            let allowed = i32::from(vector["params"][field.name].is_f64());
            (word(ours, n) - word(theirs, n)).abs() <= allowed
        })
}

#[test]
fn every_request_has_the_bytes_of_the_reference_or_fails_as_it_does() {
    let mut checked = 0;
    for vector in vectors() {
        let ours = request(&vector, false);
        match bytes(&vector["request_hex"]) {
            Some(theirs) => {
                let ours = ours.unwrap_or_else(|why| panic!("{why}: {vector}"));
                assert!(equal(&vector, ours.bytes(), &theirs), "{:02x?} for {vector}", ours.bytes());
                let is_outside = vector["outside_declared_range"] == true;
                assert_eq!(request(&vector, true).is_err(), is_outside, "{vector}");
            }
            None => assert!(ours.is_err(), "{vector}"),
        }
        checked += 1;
    }
    assert_eq!(checked, 766);
}

/// What the fields of a payload are worth.
fn decoded(shape: &Shape, mut payload: &[u8]) -> Vec<(&'static str, u16, f64)> {
    let mut fields = Vec::new();
    for field in shape.answers {
        let (bytes, rest) = payload.split_at(field.size());
        payload = rest;
        let word = bytes.iter().rev().fold(0, |word: u16, byte| word << 8 | u16::from(*byte));
        fields.push((field.name, word, field.value(word)));
    }
    assert!(payload.is_empty());
    fields
}

#[test]
fn every_response_means_what_it_means_to_the_reference() {
    for vector in vectors() {
        let Some(received) = bytes(&vector["response_hex"]) else { continue };
        let request = request(&vector, false).unwrap();
        let found = reply::find(&received, &request, true);
        let theirs = &vector["decoded"];
        if let Some(ercd) = vector["error"]["ercd"].as_u64() {
            assert_eq!(found, Ok(Reply::Refused(u16::try_from(ercd).unwrap())), "{vector}");
        } else if theirs.is_object() {
            let Ok(Reply::Done(payload)) = found else { panic!("{found:?} for {vector}") };
            for (name, word, value) in decoded(shape(&vector), payload) {
                assert!((theirs[name].as_f64().unwrap() - value).abs() < 1e-9, "{name} {value}: {vector}");
                if let Some(raw) = vector["response_raw"][name].as_i64() {
                    assert!(
                        raw == i64::from(word) || raw == i64::from(word.cast_signed()),
                        "{name}: {vector}"
                    );
                }
            }
        } else if vector["note"] == "a spare 02 before the frame" {
            assert!(matches!(found, Ok(Reply::Done(_))), "better than the reference: {vector}");
        } else {
            assert!(found.is_err(), "{found:?} for {vector}");
        }
    }
}

#[test]
fn the_answer_of_a_write_is_rebuilt_from_what_it_decodes_to() {
    for vector in vectors() {
        let (Some(raw), Some(received)) =
            (vector["response_raw"].as_object(), bytes(&vector["response_hex"]))
        else {
            continue;
        };
        let shape = shape(&vector);
        let mut frame = vec![2, u8::try_from(shape.answer_size()).unwrap()];
        frame.extend([addresses(&vector).converter, addresses(&vector).own, shape.code]);
        for field in shape.answers {
            let value = field.value(u16::try_from(raw[field.name].as_i64().unwrap() & 0xFFFF).unwrap());
            // Signed fields are never sent, so they have no text form; the others go through it.
            let word = match field.word(&value.to_string(), false) {
                Ok(word) if i64::from(word) == raw[field.name].as_i64().unwrap() => word,
                _ => u16::try_from(raw[field.name].as_i64().unwrap() & 0xFFFF).unwrap(),
            };
            frame.extend(&word.to_le_bytes()[..field.size()]);
        }
        let sum = dcdc_rs485::eza::frame::checksum(&frame[2..]);
        frame.extend(sum.to_le_bytes());
        assert_eq!(frame, received, "{vector}");
    }
}
