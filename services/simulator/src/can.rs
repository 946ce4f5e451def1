//! A classic CAN data frame.

/// One frame. Bytes beyond `len` are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Identifier, 11 or 29 bits.
    pub id: u32,
    /// 29-bit identifier.
    pub extended: bool,
    len: u8,
    data: [u8; 8],
}

impl Frame {
    /// A frame with these bytes; what is beyond eight is cut off, identifiers are cut to their width.
    pub fn new(id: u32, extended: bool, bytes: &[u8]) -> Self {
        let mut data = [0; 8];
        let mut len = 0;
        for (to, from) in data.iter_mut().zip(bytes) {
            *to = *from;
            len += 1;
        }
        let id = id & if extended { 0x1FFF_FFFF } else { 0x7FF };
        Self { id, extended, len, data }
    }

    /// The data bytes, 0 to 8.
    pub fn data(&self) -> &[u8] {
        self.data.get(..usize::from(self.len)).unwrap_or(&self.data)
    }

    /// The same frame with another length: cut, or filled with zeros.
    pub fn resized(self, len: usize) -> Self {
        let len = len.min(8);
        let mut data = self.data;
        data.iter_mut().skip(len).for_each(|byte| *byte = 0);
        Self { len: len as u8, data, ..self }
    }

    /// The same frame with one bit of its data turned over; `bit` counts from 0 and wraps around.
    pub fn flipped(self, bit: usize) -> Self {
        let mut data = self.data;
        let bit = bit % (8 * usize::from(self.len)).max(1);
        if let Some(byte) = data.get_mut(bit / 8).filter(|_| self.len > 0) {
            *byte ^= 1 << (bit % 8);
        }
        Self { data, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_keeps_what_fits_and_changes_as_asked() {
        let frame = Frame::new(0xFFF, false, &[1, 2, 3, 4]);
        assert_eq!((frame.id, frame.data()), (0x7FF, &[1u8, 2, 3, 4][..]));
        assert_eq!(frame.resized(2).data(), [1, 2]);
        assert_eq!(frame.resized(6).data(), [1, 2, 3, 4, 0, 0]);
        assert_eq!(frame.flipped(8).data(), [1, 3, 3, 4]);
        assert_eq!(Frame::new(1, true, &[0; 9]).data().len(), 8);
        assert_eq!(Frame::new(1, true, &[]).flipped(3).data(), [0u8; 0]);
    }
}
