//! The bytes of a frame, read and written one number after the other in the byte order of the dialect.

use crate::message::Text;

/// Which byte of a number comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The least significant.
    Little,
    /// The most significant.
    Big,
}

/// Reads numbers from a frame. After the first `None`, because the frame is too short or the value not there, every
/// further one is `None` too, and the bytes from there on are the rest: they would be read at the wrong place.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    order: Order,
    ended: bool,
}

impl<'a> Reader<'a> {
    /// At the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8], order: Order) -> Reader<'a> {
        Reader { rest: bytes, order, ended: false }
    }

    /// What has not been read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        match self.rest.split_first_chunk() {
            Some((bytes, rest)) if !self.ended => {
                self.rest = rest;
                Some(*bytes)
            }
            _ => {
                self.ended = true;
                None
            }
        }
    }

    /// Bytes as they are.
    pub fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take()
    }

    /// One byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.take().map(u8::from_le_bytes)
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Option<u16> {
        let order = self.order;
        self.take().map(|b| if order == Order::Big { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) })
    }

    /// Two bytes, two's complement.
    pub fn i16(&mut self) -> Option<i16> {
        self.u16().map(u16::cast_signed)
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Option<u32> {
        let order = self.order;
        self.take().map(|b| if order == Order::Big { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) })
    }

    /// A value that a dialect may leave blank: `read` says whether it is there. If not, reading ends before it.
    pub fn only_if<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.rest;
        let value = read(self);
        if value.is_none() {
            self.rest = before;
            self.ended = true;
        }
        value
    }

    /// Consumes `count` bytes.
    pub fn skip(&mut self, count: usize) -> Option<()> {
        let rest = self.rest.get(count..).filter(|_| !self.ended);
        self.ended |= rest.is_none();
        self.rest = rest?;
        Some(())
    }
}

/// Writes numbers into a frame. Every method is `None` when the value does not fit the wire or the frame is full.
#[derive(Debug, Clone)]
pub struct Writer {
    bytes: [u8; 8],
    len: usize,
    order: Order,
    ended: bool,
}

impl Writer {
    /// Empty.
    #[must_use]
    pub const fn new(order: Order) -> Writer {
        Writer { bytes: [0; 8], len: 0, order, ended: false }
    }

    /// What was written.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        self.bytes.get_mut(self.len..)?.get_mut(..bytes.len())?.copy_from_slice(bytes);
        self.len += bytes.len();
        Some(())
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) -> Option<()> {
        self.bytes(&[value])
    }

    /// Two bytes.
    pub fn u16(&mut self, value: u16) -> Option<()> {
        self.bytes(&if self.order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() })
    }

    /// Two bytes, two's complement.
    pub fn i16(&mut self, value: i16) -> Option<()> {
        self.u16(value.cast_unsigned())
    }

    /// Four bytes.
    pub fn u32(&mut self, value: u32) -> Option<()> {
        self.bytes(&if self.order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() })
    }

    /// Text, without padding.
    pub fn text(&mut self, text: &Text) -> Option<()> {
        self.bytes(text.as_str().as_bytes())
    }

    /// A value that may be left out, as long as nothing follows it: after the first `None` every further value must be
    /// `None` too, or the frame could not say which one is missing.
    pub fn unless_ended<T>(
        &mut self,
        value: Option<T>,
        write: impl FnOnce(&mut Self, T) -> Option<()>,
    ) -> Option<()> {
        match value {
            Some(_) if self.ended => None,
            Some(value) => write(self, value),
            None => {
                self.ended = true;
                Some(())
            }
        }
    }
}

/// `value` in steps of 1/`per_unit`, as an unsigned 16-bit number.
#[must_use]
pub(crate) fn unsigned(value: f64, per_unit: f64) -> Option<u16> {
    let steps = (value * per_unit).round();
    (0.0..=65_535.0).contains(&steps).then_some(steps as u16)
}

/// `value` in steps of 1/`per_unit`, as a signed 16-bit number.
#[must_use]
pub(crate) fn signed(value: f64, per_unit: f64) -> Option<i16> {
    let steps = (value * per_unit).round();
    (-32_768.0..=32_767.0).contains(&steps).then_some(steps as i16)
}

/// `value` in steps of 1/`per_unit`, as an unsigned 32-bit number.
#[must_use]
pub(crate) fn unsigned_32(value: f64, per_unit: f64) -> Option<u32> {
    let steps = (value * per_unit).round();
    (0.0..=4_294_967_295.0).contains(&steps).then_some(steps as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_the_order_of_the_dialect() {
        let bytes = [0x12, 0x34, 0x56, 0x78];
        assert_eq!(Reader::new(&bytes, Order::Little).u16(), Some(0x3412));
        assert_eq!(Reader::new(&bytes, Order::Big).u16(), Some(0x1234));
        assert_eq!(Reader::new(&bytes, Order::Little).u32(), Some(0x7856_3412));
        let mut writer = Writer::new(Order::Big);
        writer.u32(0x1234_5678).unwrap();
        assert_eq!(writer.written(), bytes);
    }

    #[test]
    fn nothing_is_read_behind_a_value_that_is_not_there() {
        let mut reader = Reader::new(&[1, 2, 3], Order::Little);
        assert_eq!((reader.u8(), reader.u32(), reader.u8()), (Some(1), None, None));
        assert_eq!(reader.rest(), [2, 3]);
        let mut reader = Reader::new(&[1, 2, 3], Order::Little);
        assert_eq!(reader.only_if(|r| r.u8().filter(|&b| b == 9)), None);
        assert_eq!((reader.u8(), reader.rest()), (None, &[1, 2, 3][..]));
    }

    #[test]
    fn a_value_after_a_missing_one_cannot_be_written() {
        let mut writer = Writer::new(Order::Little);
        assert_eq!(writer.unless_ended(Some(1), Writer::u8), Some(()));
        assert_eq!(writer.unless_ended(None, Writer::u8), Some(()));
        assert_eq!(writer.unless_ended(Some(3), Writer::u8), None);
    }

    #[test]
    fn what_does_not_fit_the_wire_is_not_written() {
        assert_eq!(unsigned(53.2, 10.0), Some(532));
        assert_eq!(unsigned(-0.1, 10.0), None);
        assert_eq!(unsigned(6553.6, 10.0), None);
        assert_eq!(unsigned(f64::NAN, 10.0), None);
        assert_eq!(signed(-3276.8, 10.0), Some(i16::MIN));
        assert_eq!(signed(3276.8, 10.0), None);
        let mut writer = Writer::new(Order::Little);
        assert_eq!(writer.bytes(&[0; 9]), None);
    }
}
