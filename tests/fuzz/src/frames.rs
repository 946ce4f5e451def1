//! Frames with the time between them, 14 bytes each: how much later, identifier (4 bytes, the first bit for an extended
//! one), length, data. A shape that a fuzzer's mutations keep.

use std::time::Duration;

use bms_can::frame::{CanId, Frame};

const RECORD: usize = 14;
const EXTENDED: u32 = 0x8000_0000;
/// In the byte of the length.
const REMOTE: u8 = 0x80;

/// The frames in `data`, each with its time from the first on; what is less than a whole one at the end is left out.
pub(crate) fn frames(data: &[u8]) -> impl Iterator<Item = (Duration, Frame)> {
    let mut now = Duration::ZERO;
    data.as_chunks::<RECORD>().0.iter().filter_map(move |record| {
        let [later, a, b, c, d, len, data @ ..] = *record;
        now += pause(later);
        let number = u32::from_be_bytes([a, b, c, d]);
        let id = if number & EXTENDED != 0 {
            CanId::extended(number & 0x1FFF_FFFF)
        } else {
            CanId::standard(number & 0x7FF)
        }?;
        let length = (len & 0xF).min(8);
        let frame = if len & REMOTE != 0 {
            Frame::remote(id, length)
        } else {
            Frame::new(id, &data[..usize::from(length)])
        };
        Some((now, frame?))
    })
}

/// Up to 1.27 s in steps of 10 ms, beyond that up to 64 s in steps of half a second.
fn pause(byte: u8) -> Duration {
    match byte {
        0..128 => Duration::from_millis(10) * u32::from(byte),
        128.. => Duration::from_millis(500) * u32::from(byte - 127),
    }
}
