//! What is heard on a serial line by somebody who has set another rate or parity than who speaks.

use std::fmt;

use serde::Deserialize;
pub use service_kit::serial::{Character, Parity};

/// Data bits of a character.
const DATA_BITS: u64 = 8;
/// Both ends of a line sample well up to about this deviation of their rates, in per cent.
const TOLERANCE_PERCENT: u64 = 3;

/// How one end of a line makes its characters: eight data bits, the low one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Rate in bit/s.
    pub baud: u32,
    /// Parity and stop bits.
    pub character: Character,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.character.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        let stop = if self.character.two_stop_bits { 2 } else { 1 };
        write!(f, "{} 8{parity}{stop}", self.baud)
    }
}

impl Setting {
    /// Bits of a character: a start bit, the data, the parity if there is one, one or two stop bits.
    #[must_use]
    pub fn bits_per_byte(&self) -> u32 {
        let parity = u32::from(self.character.parity != Parity::None);
        let stop = if self.character.two_stop_bits { 2 } else { 1 };
        1 + 8 + parity + stop
    }

    /// Whether both understand each other. A receiver looks at one stop bit only.
    #[must_use]
    pub fn agrees(&self, other: &Setting) -> bool {
        let [one, another] = [self.baud, other.baud].map(u64::from);
        one.abs_diff(another) * 100 <= one * TOLERANCE_PERCENT
            && self.character.parity == other.character.parity
    }

    /// The levels of characters one after the other, a bit each.
    fn levels(&self, bytes: &[u8]) -> Vec<bool> {
        let character = |byte: &u8| {
            let data = (0..DATA_BITS).map(|bit| byte >> bit & 1 == 1);
            let parity = self.parity_of(*byte);
            let stop = if self.character.two_stop_bits { 2 } else { 1 };
            std::iter::once(false).chain(data).chain(parity).chain(vec![true; stop]).collect::<Vec<_>>()
        };
        bytes.iter().flat_map(character).collect()
    }

    fn parity_of(&self, byte: u8) -> Option<bool> {
        let is_odd = byte.count_ones() % 2 == 1;
        match self.character.parity {
            Parity::None => None,
            Parity::Even => Some(is_odd),
            Parity::Odd => Some(!is_odd),
        }
    }
}

/// The parity bit of a character, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParityBit {
    /// There is none.
    #[default]
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

impl From<ParityBit> for Parity {
    fn from(bit: ParityBit) -> Parity {
        match bit {
            ParityBit::None => Parity::None,
            ParityBit::Even => Parity::Even,
            ParityBit::Odd => Parity::Odd,
        }
    }
}

/// What `listener` makes of bytes that `speaker` sends without a pause: it begins at each falling edge and looks at the
/// level in the middle of its own bits. Characters with a wrong parity or without a stop bit are dropped.
#[must_use]
pub fn heard(bytes: &[u8], speaker: Setting, listener: Setting) -> Vec<u8> {
    if speaker.agrees(&listener) {
        return bytes.to_vec();
    }
    let levels = speaker.levels(bytes);
    // In units of which either's bit has a whole and even number.
    let (sent_bit, heard_bit) = (2 * u64::from(listener.baud.max(1)), 2 * u64::from(speaker.baud.max(1)));
    let level = |at: u64| {
        let bit = usize::try_from(at / sent_bit).ok().and_then(|bit| levels.get(bit));
        bit.copied().unwrap_or(true)
    };
    let edges = (0_u64..).zip(&levels).filter(|(_, level)| !**level).map(|(bit, _)| bit * sent_bit);
    let edges: Vec<u64> = edges.filter(|at| *at == 0 || level(at - 1)).collect();
    let (mut free, mut understood) = (0, Vec::new());
    for edge in edges {
        if edge < free {
            continue;
        }
        let middle = |bit: u64| edge + heard_bit * bit + heard_bit / 2;
        if level(middle(0)) {
            // Too short for a start bit.
            free = middle(0);
            continue;
        }
        let byte = (0..DATA_BITS).fold(0, |byte, bit| byte | u8::from(level(middle(1 + bit))) << bit);
        let parity = listener.parity_of(byte);
        let stop = 1 + DATA_BITS + u64::from(parity.is_some());
        let is_even = parity.is_none_or(|parity| parity == level(middle(1 + DATA_BITS)));
        if is_even && level(middle(stop)) {
            understood.push(byte);
        }
        free = middle(stop);
    }
    understood
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(baud: u32, parity: Parity) -> Setting {
        Setting { baud, character: Character { parity, two_stop_bits: false } }
    }

    #[test]
    fn who_agrees_understands_everything() {
        let all: Vec<u8> = (0..=255).collect();
        let two = Character { parity: Parity::None, two_stop_bits: true };
        for (one, other) in [
            (setting(9_600, Parity::None), setting(9_600, Parity::None)),
            (setting(19_200, Parity::Odd), setting(19_200, Parity::Odd)),
            // A divider that does not hit the rate.
            (setting(115_200, Parity::None), setting(117_000, Parity::None)),
            (setting(9_600, Parity::None), Setting { baud: 9_600, character: two }),
        ] {
            assert_eq!(heard(&all, one, other), all, "{one} {other}");
            assert_eq!(heard(&all, other, one), all);
        }
        assert_eq!(setting(9_600, Parity::Even).bits_per_byte(), 11);
        assert_eq!(setting(9_600, Parity::Even).to_string(), "9600 8E1");
    }

    /// Drawn by hand: 0x55 is 0 10101010 1 on the wire, each of its bits two of the listener's.
    #[test]
    fn at_twice_the_rate_each_bit_is_heard_twice() {
        let (slow, fast) = (setting(9_600, Parity::None), setting(19_200, Parity::None));
        assert_eq!(heard(&[0x55], slow, fast), [0xE6]);
    }

    /// Drawn by hand: 0xFF and 0xFF are 0 11111111 1 0 11111111 1; the listener's bit is two of them.
    #[test]
    fn at_half_the_rate_a_lone_start_bit_is_none() {
        let (slow, fast) = (setting(9_600, Parity::None), setting(19_200, Parity::None));
        // Its middle is where the first data bit begins.
        assert_eq!(heard(&[0xFF, 0xFF], fast, slow), []);
        // 0 00000000 1: a start bit and three bits of 0; then nothing but 1.
        assert_eq!(heard(&[0x00], fast, slow), [0b1111_1000]);
    }

    #[test]
    fn a_parity_bit_that_nobody_expects_is_taken_for_the_stop_bit() {
        let (even, none) = (setting(9_600, Parity::Even), setting(9_600, Parity::None));
        // The parity of 0x03 is 0, which is no stop bit.
        assert_eq!(heard(&[0x01, 0x03, 0x01], even, none), [0x01, 0x01]);
        // The stop bit of 0x01 is its parity, that of 0x03 is not; then comes no other start bit.
        assert_eq!(heard(&[0x01], none, even), [0x01]);
        assert_eq!(heard(&[0x03], none, even), []);
        assert_eq!(heard(&[0x01], setting(9_600, Parity::Odd), even), []);
    }

    #[test]
    fn no_request_survives_another_rate_or_parity() {
        // Read 10 holding registers of unit 1 from 0 on.
        let request = [0x01, 0x03, 0x00, 0x00, 0x00, 0x0A, 0xC5, 0xCD];
        let right = setting(19_200, Parity::Even);
        for wrong in [
            setting(9_600, Parity::Even),
            setting(38_400, Parity::Even),
            setting(19_200, Parity::None),
            setting(19_200, Parity::Odd),
        ] {
            assert_ne!(heard(&request, wrong, right), request, "{wrong}");
            assert_ne!(heard(&request, right, wrong), request, "{wrong}");
        }
    }
}
