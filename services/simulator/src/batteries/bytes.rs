//! Numbers and text as bytes. A number that does not fit is sent as the nearest that does; one that is none, as 0.

use crate::can::Frame;

/// A frame with an 11-bit identifier.
pub(super) fn frame(id: u32, bytes: &[u8]) -> Frame {
    Frame::new(id, false, bytes)
}

/// 16 bits, unsigned, little-endian, in steps of `unit`.
pub(super) fn unsigned(value: f64, unit: f64) -> [u8; 2] {
    ((value / unit).round() as u16).to_le_bytes()
}

/// 16 bits, two's complement, little-endian, in steps of `unit`.
pub(super) fn signed(value: f64, unit: f64) -> [u8; 2] {
    ((value / unit).round() as i16).to_le_bytes()
}

/// 32 bits, unsigned, little-endian, in steps of `unit`.
pub(super) fn long(value: f64, unit: f64) -> [u8; 4] {
    ((value / unit).round() as u32).to_le_bytes()
}

/// 8 bits, unsigned, in steps of 1.
pub(super) fn byte(value: f64) -> u8 {
    value.round() as u8
}

/// Four 16-bit words in a row.
pub(super) fn words(words: [[u8; 2]; 4]) -> [u8; 8] {
    let [[a, b], [c, d], [e, f], [g, h]] = words;
    [a, b, c, d, e, f, g, h]
}

/// Eight characters from the `skip`th on, filled up with `fill`.
pub(super) fn text(text: &str, skip: usize, fill: u8) -> [u8; 8] {
    let mut bytes = [fill; 8];
    for (to, from) in bytes.iter_mut().zip(text.bytes().skip(skip)) {
        *to = from;
    }
    bytes
}
