//! What a frame costs on the wire.

use bms_can::frame::Frame;

/// After the CRC come its delimiter, acknowledgement and its delimiter, seven bits of end and three of rest, none of
/// them stuffed (ISO 11898-1).
const UNSTUFFED_BITS: u32 = 13;
/// The generator of the CRC, without its highest bit (ISO 11898-1).
const CRC_15: u16 = 0x4599;

/// Bits on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bits {
    /// As the frame is, with the stuff bits that its content needs.
    pub(super) exact: u32,
    /// With as many stuff bits as a frame of its length can need.
    pub(super) worst: u32,
}

impl Bits {
    /// The bits of a frame, from its start to the end of the rest after it.
    pub(super) fn of(frame: &Frame) -> Bits {
        let mut content = Content::default();
        let (number, data) = (frame.id().number(), frame.data());
        let remote = u32::from(frame.is_remote());
        content.push(0, 1);
        if frame.id().is_extended() {
            content.push(number >> 18, 11);
            content.push(0b11, 2);
            content.push(number & 0x3_FFFF, 18);
            content.push(remote, 1);
            content.push(0, 2);
        } else {
            content.push(number, 11);
            content.push(remote, 1);
            content.push(0, 2);
        }
        content.push(u32::from(frame.len()), 4);
        data.iter().for_each(|byte| content.push(u32::from(*byte), 8));
        content.push(u32::from(content.crc()), 15);
        // Each stuff bit after the first four bits can be the first of the next five equal ones.
        let most_stuff = (content.len - 1) / 4;
        Bits {
            exact: content.len + content.stuff_bits() + UNSTUFFED_BITS,
            worst: content.len + most_stuff + UNSTUFFED_BITS,
        }
    }
}

/// The bits that are stuffed: at most 118, the first one highest.
#[derive(Debug, Clone, Copy, Default)]
struct Content {
    bits: u128,
    len: u32,
}

impl Content {
    fn push(&mut self, value: u32, count: u32) {
        self.bits = self.bits << count | u128::from(value);
        self.len += count;
    }

    fn iter(self) -> impl Iterator<Item = bool> {
        (0..self.len).rev().map(move |place| self.bits >> place & 1 == 1)
    }

    fn crc(self) -> u16 {
        self.iter().fold(0, |crc, bit| {
            let next = bit != (crc & 0x4000 != 0);
            (crc << 1 & 0x7FFF) ^ if next { CRC_15 } else { 0 }
        })
    }

    fn stuff_bits(self) -> u32 {
        let (mut last, mut run, mut stuffed) = (true, 0, 0);
        for bit in self.iter() {
            run = if bit == last { run + 1 } else { 1 };
            last = bit;
            if run == 5 {
                stuffed += 1;
                (last, run) = (!bit, 1);
            }
        }
        stuffed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bms_can::frame::CanId;

    fn standard(id: u32, data: &[u8]) -> Frame {
        Frame::new(CanId::standard(id).unwrap(), data).unwrap()
    }

    fn extended(id: u32, data: &[u8]) -> Frame {
        Frame::new(CanId::extended(id).unwrap(), data).unwrap()
    }

    #[test]
    fn the_longest_frames_are_as_long_as_the_standard_says() {
        assert_eq!(Bits::of(&standard(0x555, &[0x55; 8])).worst, 135);
        assert_eq!(Bits::of(&extended(0x1555_5555, &[0x55; 8])).worst, 160);
        assert_eq!(Bits::of(&standard(0x555, &[])).worst, 55);
    }

    /// The figures are those of can-utils (`canframelen.c`, exact).
    #[test]
    fn frames_are_as_long_as_their_content_makes_them() {
        for (frame, exact) in [
            (standard(0x351, &[0x14, 0x02, 0x74, 0x0E, 0x74, 0x0E, 0xCC, 0x01]), 116),
            (standard(0x355, &[0x1A, 0, 0x64, 0]), 85),
            (standard(0x359, &[0, 0, 0, 0, 0x0A, 0x50, 0x4E]), 111),
            (standard(0x305, &[0; 8]), 125),
            (standard(0x7FF, &[0xFF; 8]), 126),
            (standard(0x555, &[0x55; 8]), 112),
            (standard(0, &[]), 53),
            (extended(0x4355, &[0; 8]), 146),
            (extended(0x1FFF_FFFF, &[]), 74),
        ] {
            assert_eq!(Bits::of(&frame).exact, exact, "{frame:?}");
        }
    }
}
