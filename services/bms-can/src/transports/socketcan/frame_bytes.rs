//! A frame as it goes through a raw CAN socket: `struct can_frame` of `include/uapi/linux/can.h`, 16 bytes.

use super::error_frame::ErrorFrame;
use crate::frame::{CanId, Frame};

/// Its size.
pub const SIZE: usize = 16;

const EXTENDED: u32 = 0x8000_0000;
const REMOTE: u32 = 0x4000_0000;
const EXTENDED_ID: u32 = 0x1FFF_FFFF;
const STANDARD_ID: u32 = 0x7FF;

/// What was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// A frame of the bus.
    Frame(Frame),
    /// A message of the controller.
    Error(ErrorFrame),
}

/// The content of the 16 bytes; `None` if no kernel writes such (a length over 8, or not 16 bytes).
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<Received> {
    let [i0, i1, i2, i3, len, _, _, _, data @ ..] = *<&[u8; SIZE]>::try_from(bytes).ok()?;
    let id = u32::from_ne_bytes([i0, i1, i2, i3]);
    if let Some(error) = ErrorFrame::from_raw(id, data) {
        return Some(Received::Error(error));
    }
    let number = if id & EXTENDED == 0 {
        CanId::standard(id & STANDARD_ID)
    } else {
        CanId::extended(id & EXTENDED_ID)
    };
    let frame = match id & REMOTE {
        0 => Frame::new(number?, data.get(..usize::from(len))?),
        _ => Frame::remote(number?, len),
    };
    frame.map(Received::Frame)
}

/// The 16 bytes that send a frame.
#[must_use]
pub fn encode(frame: &Frame) -> [u8; SIZE] {
    let flags = if frame.is_remote() { REMOTE } else { 0 };
    let mut bytes = [0; SIZE];
    let content = (raw_id(frame.id()) | flags).to_ne_bytes().into_iter().chain([frame.len(), 0, 0, 0]);
    for (to, from) in bytes.iter_mut().zip(content.chain(frame.data().iter().copied())) {
        *to = from;
    }
    bytes
}

/// A filter: a frame passes if its raw identifier equals the first number in the bits of the second. All bits that tell
/// kinds of frames apart are compared, so a standard id never matches an extended frame of the same number or a remote
/// request.
#[must_use]
pub fn filter(id: CanId) -> (u32, u32) {
    let number = if id.is_extended() { EXTENDED_ID } else { STANDARD_ID };
    (raw_id(id), number | EXTENDED | REMOTE)
}

fn raw_id(id: CanId) -> u32 {
    id.number() | if id.is_extended() { EXTENDED } else { 0 }
}
