//! Pairs of 0x35A as edges: "arrives" and "leaves" are told once, as SMA's technical information on external batteries
//! has it, and 00 says that nothing changed.

use crate::can::Frame;

/// Where the pairs are in all protocols that have them.
const ID: u32 = 0x35A;

/// The pairs as they were told last.
#[derive(Debug, Default)]
pub(super) struct Edges {
    told: Option<u64>,
}

impl Edges {
    /// Takes every frame that is sent; while `only_changes`, pairs that are as they were become 00.
    pub(super) fn pass(&mut self, frame: Frame, only_changes: bool) -> Frame {
        if frame.id != ID || frame.extended {
            return frame;
        }
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(frame.data()).for_each(|(to, from)| *to = *from);
        let now = u64::from_le_bytes(bytes);
        let changed = self.told.replace(now).map_or(u64::MAX, |told| now ^ told);
        if !only_changes {
            return frame;
        }
        let pairs = (0..32).map(|place| 0b11 << (2 * place)).filter(|pair: &u64| changed & pair != 0);
        let kept = now & pairs.fold(0, |mask, pair| mask | pair);
        Frame::new(ID, false, &kept.to_le_bytes()).resized(frame.data().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_once_in_its_pair_and_the_others_are_zero() {
        let mut edges = Edges::default();
        let mut pass = |hex: u64, only_changes| {
            let frame = Frame::new(ID, false, &hex.to_be_bytes());
            let mut bytes = [0; 8];
            bytes.copy_from_slice(edges.pass(frame, only_changes).data());
            u64::from_be_bytes(bytes)
        };
        assert_eq!(pass(0xA882_8202_A882_8202, false), 0xA882_8202_A882_8202);
        assert_eq!(pass(0xA882_8202_A882_8202, true), 0);
        assert_eq!(pass(0xA482_8202_A882_8202, true), 0x0400_0000_0000_0000);
        assert_eq!(pass(0xA482_8202_A882_8202, true), 0);
        assert_eq!(pass(0xA882_8202_A882_8202, true), 0x0800_0000_0000_0000);
        assert_eq!(pass(0xA882_8202_A882_8202, true), 0);
        assert_eq!(pass(0xA882_8202_A882_8202, false), 0xA882_8202_A882_8202);
    }

    #[test]
    fn from_the_start_everything_is_told_once_and_other_frames_and_lengths_stay() {
        let mut edges = Edges::default();
        let packed = Frame::new(ID, false, &[0xAB, 0xAA, 0xFE, 0xAF, 0xAA, 0xFA, 0xFF]);
        assert_eq!(edges.pass(packed, true), packed);
        assert_eq!(edges.pass(packed, true).data(), [0; 7]);
        let other = Frame::new(0x359, false, &[2, 0]);
        assert_eq!(edges.pass(other, true), other);
    }
}
