//! A classic CAN frame, as every part of this crate sees it. No CAN FD: no battery or inverter here speaks it.

use std::fmt;

/// Marks a 29-bit identifier inside [`CanId`], at the place where SocketCAN has its flag too.
const EXTENDED: u32 = 0x8000_0000;

/// A CAN identifier: 11 bit (standard) or 29 bit (extended). The two are different ids even with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanId(u32);

impl CanId {
    /// A standard id, 0 to 0x7FF; `None` beyond.
    #[must_use]
    pub const fn standard(number: u32) -> Option<CanId> {
        if number <= 0x7FF { Some(CanId(number)) } else { None }
    }

    /// An extended id, 0 to 0x1FFF_FFFF; `None` beyond.
    #[must_use]
    pub const fn extended(number: u32) -> Option<CanId> {
        if number <= 0x1FFF_FFFF { Some(CanId(number | EXTENDED)) } else { None }
    }

    /// Whether it has 29 bits.
    #[must_use]
    pub const fn is_extended(self) -> bool {
        self.0 & EXTENDED != 0
    }

    /// The number on the wire, without the mark of its kind.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0 & !EXTENDED
    }
}

/// `0x351`, `0x4355`: at least three digits, upper case.
impl fmt::Display for CanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:03X}", self.number())
    }
}

/// A classic CAN frame: data of 0 to 8 bytes, or a remote request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Frame {
    id: CanId,
    remote: bool,
    len: u8,
    // Bytes from `len` on are zero, so that equality is what it looks like.
    data: [u8; 8],
}

impl Frame {
    /// A data frame; `None` for more than 8 bytes.
    #[must_use]
    pub fn new(id: CanId, bytes: &[u8]) -> Option<Frame> {
        let mut data = [0; 8];
        data.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Frame { id, remote: false, len: bytes.len() as u8, data })
    }

    /// A remote request for a frame of `len` bytes; `None` for more than 8.
    #[must_use]
    pub const fn remote(id: CanId, len: u8) -> Option<Frame> {
        if len <= 8 { Some(Frame { id, remote: true, len, data: [0; 8] }) } else { None }
    }

    /// Its identifier.
    #[must_use]
    pub const fn id(&self) -> CanId {
        self.id
    }

    /// Whether it asks for data instead of carrying some.
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        self.remote
    }

    /// The length on the wire, 0 to 8. A remote request has one too, and no data.
    #[must_use]
    pub const fn len(&self) -> u8 {
        self.len
    }

    /// Whether it has no byte.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The data; empty for a remote request.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        let len = if self.remote { 0 } else { usize::from(self.len) };
        self.data.get(..len).unwrap_or(&self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_beyond_their_width_do_not_exist() {
        assert_eq!(CanId::standard(0x7FF).unwrap().number(), 0x7FF);
        assert_eq!(CanId::standard(0x800), None);
        assert_eq!(CanId::extended(0x1FFF_FFFF).unwrap().number(), 0x1FFF_FFFF);
        assert_eq!(CanId::extended(0x2000_0000), None);
    }

    #[test]
    fn the_same_number_is_another_id_in_the_other_width() {
        assert_ne!(CanId::standard(0x351), CanId::extended(0x351));
        assert_eq!(CanId::extended(0x4355).unwrap().to_string(), "0x4355");
        assert_eq!(CanId::standard(0x0C).unwrap().to_string(), "0x00C");
    }

    #[test]
    fn a_frame_holds_up_to_eight_bytes_and_stays_small() {
        let id = CanId::standard(0x351).unwrap();
        assert_eq!(Frame::new(id, &[1, 2, 3]).unwrap().data(), [1, 2, 3]);
        assert_eq!(Frame::new(id, &[0; 9]), None);
        assert_eq!(Frame::remote(id, 9), None);
        let remote = Frame::remote(id, 8).unwrap();
        assert!(remote.is_remote() && remote.len() == 8 && remote.data().is_empty());
        assert!(size_of::<Frame>() <= 16);
    }
}
