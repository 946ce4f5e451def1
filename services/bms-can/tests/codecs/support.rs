//! Short ways to say what the tests say often.

use bms_can::frame::{CanId, Frame};
use bms_can::message::Message;
use bms_can::protocols::{Decoded, Protocol, Reading, Refusal, by_name};
use serde_json::Value;

/// A data frame with a standard id.
pub(crate) fn frame(id: u32, bytes: &[u8]) -> Frame {
    Frame::new(CanId::standard(id).unwrap(), bytes).unwrap()
}

/// A data frame with an extended id.
pub(crate) fn extended(id: u32, bytes: &[u8]) -> Frame {
    Frame::new(CanId::extended(id).unwrap(), bytes).unwrap()
}

/// The dialect of that name.
pub(crate) fn protocol(name: &str) -> &'static Protocol {
    by_name(name).unwrap_or_else(|| panic!("no protocol {name}"))
}

/// What a good frame says.
pub(crate) fn reading(name: &str, frame: &Frame) -> Reading {
    match protocol(name).decode(frame) {
        Decoded::Good(reading) => reading,
        other => panic!("{name} makes {other:?} of {frame:?}"),
    }
}

/// What a good frame says, as it is printed.
pub(crate) fn values(name: &str, id: u32, bytes: &[u8]) -> Value {
    json(&reading(name, &frame(id, bytes)).message)
}

/// Why a frame is refused.
pub(crate) fn refusal(name: &str, id: u32, bytes: &[u8]) -> Refusal {
    match protocol(name).decode(&frame(id, bytes)) {
        Decoded::Refused(refused) => refused.why,
        other => panic!("{name} makes {other:?} of {id:#X} {bytes:02X?}"),
    }
}

/// As it is printed.
pub(crate) fn json(message: &Message) -> Value {
    serde_json::to_value(message).unwrap()
}

/// Bytes from hexadecimal text.
pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.replace(' ', "");
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}
