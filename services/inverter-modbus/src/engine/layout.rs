//! Numbers and texts in registers, both ways.

use super::image::Image;
use crate::profile::kind::{Type, Words};
use crate::profile::scalar::Table;

/// Where a field is, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The table of all its registers.
    pub table: Table,
    /// Their addresses, the highest word first (a text: the first characters first).
    pub registers: Vec<u16>,
    /// What they hold.
    pub kind: Type,
    /// The bits that count.
    pub mask: Option<u64>,
    /// The low byte of a register of text is the first character.
    pub swap: bool,
}

/// What registers hold, before any scale.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    /// A whole number.
    Int(i128),
    /// A fraction; may be not a number.
    Float(f64),
    /// Text, without the blanks and zeros around it.
    Text(String),
}

impl Raw {
    /// As a number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Raw::Int(number) => Some(*number as f64),
            Raw::Float(number) => number.is_finite().then_some(*number),
            Raw::Text(_) => None,
        }
    }
}

impl Layout {
    /// Adjacent registers from `addr` on; `count` for a text.
    #[must_use]
    pub fn at(table: Table, addr: u16, kind: Type, words: Words, count: Option<u16>) -> Layout {
        let count = kind.registers().or(count).unwrap_or(1);
        let mut registers: Vec<u16> = (addr..=u16::MAX).take(usize::from(count)).collect();
        if words == Words::Lh && kind != Type::String {
            registers.reverse();
        }
        Layout { table, registers, kind, mask: None, swap: false }
    }

    /// Registers that are apart, the lowest word first.
    #[must_use]
    pub fn apart(table: Table, low_first: &[u16], kind: Type) -> Layout {
        let registers = low_first.iter().rev().copied().collect();
        Layout { table, registers, kind, mask: None, swap: false }
    }

    /// With only these bits.
    #[must_use]
    pub fn masked(mut self, mask: Option<u64>) -> Layout {
        self.mask = mask;
        self
    }

    /// With the bytes of its text in this order.
    #[must_use]
    pub fn swapped(mut self, swap: bool) -> Layout {
        self.swap = swap;
        self
    }

    /// What stands there; `None` unless every register was read.
    #[must_use]
    pub fn read(&self, image: &Image) -> Option<Raw> {
        let words: Option<Vec<u16>> =
            self.registers.iter().map(|addr| image.get(self.table, *addr)).collect();
        Some(self.decode(&words?))
    }

    /// The newest of the reads that brought it.
    #[must_use]
    pub fn read_of(&self, image: &Image) -> Option<u64> {
        self.registers.iter().filter_map(|addr| image.read_of(self.table, *addr)).max()
    }

    /// What words hold, the highest first.
    fn decode(&self, words: &[u16]) -> Raw {
        if self.kind == Type::String {
            return Raw::Text(text(words, self.swap));
        }
        let all = words.iter().take(4).fold(0_u64, |all, word| all << 16 | u64::from(*word));
        match self.kind {
            Type::F32 => return Raw::Float(f64::from(f32::from_bits(all as u32))),
            Type::F64 => return Raw::Float(f64::from_bits(all)),
            _ => {}
        }
        let [high, low] = (all as u16).to_be_bytes();
        let value = match self.kind {
            Type::U8h | Type::S8h => u64::from(high),
            Type::U8l | Type::S8l => u64::from(low),
            _ => all,
        };
        if let Some(mask) = self.mask {
            return Raw::Int(i128::from((value & mask) >> mask.trailing_zeros().min(63)));
        }
        Raw::Int(match self.kind {
            Type::S8h | Type::S8l => i128::from(value as u8 as i8),
            Type::S16 | Type::Sf16 => i128::from(value as u16 as i16),
            Type::S32 => i128::from(value as u32 as i32),
            Type::S64 => i128::from(value as i64),
            Type::Hhmm => i128::from(high) * 60 + i128::from(low),
            Type::Mmhh => i128::from(low) * 60 + i128::from(high),
            Type::BcdTime => i128::from(value / 100 * 60 + value % 100),
            Type::Bool => i128::from(value != 0),
            _ => i128::from(value),
        })
    }

    /// The words that say `raw`, each with its address and the bits of it that are meant, the highest word first. `None`
    /// if the type cannot hold it.
    #[must_use]
    pub fn encode(&self, raw: &Raw) -> Option<Vec<(u16, u16, u16)>> {
        let (all, mask) = match (raw, self.kind) {
            (Raw::Text(text), Type::String) => return Some(self.encode_text(text)),
            (raw, Type::F32) => (u64::from((raw.number()? as f32).to_bits()), u64::from(u32::MAX)),
            (raw, Type::F64) => (raw.number()?.to_bits(), u64::MAX),
            (Raw::Int(number), kind) => self.encode_int(*number, kind)?,
            _ => return None,
        };
        let shifts = (0..self.registers.len()).rev().map(|n| 16 * n);
        let word = |value: u64, shift: usize| (value >> shift.min(63)) as u16;
        Some(
            self.registers
                .iter()
                .zip(shifts)
                .map(|(addr, shift)| (*addr, word(all, shift), word(mask, shift)))
                .collect(),
        )
    }

    fn encode_int(&self, number: i128, kind: Type) -> Option<(u64, u64)> {
        if let Some(mask) = self.mask {
            let shift = mask.trailing_zeros().min(63);
            let value = u64::try_from(number).ok().filter(|value| *value <= mask >> shift)? << shift;
            // A mask of a byte lies in that byte.
            let up = if matches!(kind, Type::U8h | Type::S8h) { 8 } else { 0 };
            return (value & !mask == 0).then_some((value << up, mask << up));
        }
        let time = || {
            let (hour, minute) = (u64::try_from(number / 60).ok()?, u64::try_from(number % 60).ok()?);
            (hour < 24).then_some((hour, minute))
        };
        match kind {
            Type::Hhmm => time().map(|(hour, minute)| (hour << 8 | minute, 0xFFFF)),
            Type::Mmhh => time().map(|(hour, minute)| (minute << 8 | hour, 0xFFFF)),
            Type::BcdTime => time().map(|(hour, minute)| (hour * 100 + minute, 0xFFFF)),
            _ => {
                let (low, high) = kind.limits()?;
                let value = (low..=high).contains(&number).then_some(number as u64)?;
                Some(match kind {
                    Type::U8h | Type::S8h => ((value & 0xFF) << 8, 0xFF00),
                    Type::U8l | Type::S8l => (value & 0xFF, 0x00FF),
                    _ => (value, u64::MAX),
                })
            }
        }
    }

    fn encode_text(&self, text: &str) -> Vec<(u16, u16, u16)> {
        let mut bytes = text.bytes().filter(u8::is_ascii);
        let mut next = || bytes.next().unwrap_or(0);
        let word = |[first, second]: [u8; 2]| match self.swap {
            true => u16::from_be_bytes([second, first]),
            false => u16::from_be_bytes([first, second]),
        };
        self.registers.iter().map(|addr| (*addr, word([next(), next()]), 0xFFFF)).collect()
    }
}

/// The printable characters of a text, up to its end.
fn text(words: &[u16], swap: bool) -> String {
    let bytes = words.iter().flat_map(|word| if swap { word.to_le_bytes() } else { word.to_be_bytes() });
    let printable = bytes.filter(|byte| (0x20..0x7F).contains(byte)).map(char::from);
    printable.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn image(words: &[u16]) -> Image {
        let mut image = Image::default();
        image.put(Table::Holding, 10, words, 1);
        image
    }

    fn read(kind: Type, words: Words, registers: &[u16]) -> Raw {
        let count = Some(u16::try_from(registers.len()).unwrap());
        Layout::at(Table::Holding, 10, kind, words, count).read(&image(registers)).unwrap()
    }

    #[test]
    fn numbers_are_read_as_their_type_says() {
        assert_eq!(read(Type::U16, Words::Hl, &[0xFFFE]), Raw::Int(65_534));
        assert_eq!(read(Type::S16, Words::Hl, &[0xFFFE]), Raw::Int(-2));
        assert_eq!(read(Type::U8h, Words::Hl, &[0x64FF]), Raw::Int(100));
        assert_eq!(read(Type::S8h, Words::Hl, &[0xFE00]), Raw::Int(-2));
        assert_eq!(read(Type::U8l, Words::Hl, &[0x6432]), Raw::Int(50));
        assert_eq!(read(Type::S8l, Words::Hl, &[0x64FF]), Raw::Int(-1));
        assert_eq!(read(Type::U32, Words::Hl, &[0x0001, 0x86A0]), Raw::Int(100_000));
        assert_eq!(read(Type::U32, Words::Lh, &[0x86A0, 0x0001]), Raw::Int(100_000));
        assert_eq!(read(Type::S32, Words::Lh, &[0xFFFF, 0xFFFF]), Raw::Int(-1));
        assert_eq!(read(Type::U64, Words::Hl, &[0, 0, 1, 0]), Raw::Int(65_536));
        assert_eq!(read(Type::S64, Words::Lh, &[0xFFFE, 0xFFFF, 0xFFFF, 0xFFFF]), Raw::Int(-2));
        assert_eq!(read(Type::F32, Words::Hl, &[0x42C8, 0x0000]), Raw::Float(100.0));
        assert_eq!(read(Type::F32, Words::Lh, &[0x0000, 0x42C8]), Raw::Float(100.0));
        assert_eq!(read(Type::F64, Words::Hl, &[0x4059, 0, 0, 0]), Raw::Float(100.0));
        assert_eq!(read(Type::Hhmm, Words::Hl, &[0x173B]), Raw::Int(23 * 60 + 59));
        assert_eq!(read(Type::Mmhh, Words::Hl, &[0x3B17]), Raw::Int(23 * 60 + 59));
        assert_eq!(read(Type::BcdTime, Words::Hl, &[2359]), Raw::Int(23 * 60 + 59));
        assert_eq!(read(Type::Bool, Words::Hl, &[0xFF00]), Raw::Int(1));
    }

    #[test]
    fn texts_are_read_in_both_byte_orders_and_without_what_is_around_them() {
        let layout = Layout::at(Table::Holding, 10, Type::String, Words::Lh, Some(3));
        assert_eq!(layout.read(&image(&[0x4142, 0x4300, 0x2020])), Some(Raw::Text("ABC".into())));
        let swapped = layout.swapped(true);
        assert_eq!(swapped.read(&image(&[0x4241, 0x0043, 0xFFFF])), Some(Raw::Text("ABC".into())));
    }

    #[test]
    fn words_that_are_apart_make_one_number() {
        let layout = Layout::apart(Table::Holding, &[12, 10], Type::S32);
        assert_eq!(layout.read(&image(&[0xFFFF, 0, 0xFF38])), Some(Raw::Int(-200)));
    }

    #[test]
    fn bits_are_picked_by_a_mask() {
        let layout = Layout::at(Table::Holding, 10, Type::U16, Words::Hl, None).masked(Some(0x00F0));
        assert_eq!(layout.read(&image(&[0xABCD])), Some(Raw::Int(0xC)));
        assert_eq!(layout.encode(&Raw::Int(5)), Some(vec![(10, 0x0050, 0x00F0)]));
        assert_eq!(layout.encode(&Raw::Int(16)), None);
    }

    #[test]
    fn what_was_not_read_completely_is_nothing() {
        let layout = Layout::at(Table::Holding, 11, Type::U32, Words::Hl, None);
        assert_eq!(layout.read(&image(&[1, 2])), None);
        let beyond = Layout::at(Table::Holding, 65_535, Type::U32, Words::Hl, None);
        assert_eq!(beyond.registers.len(), 1, "there is nothing behind the last address");
    }

    #[test]
    fn numbers_are_written_as_their_type_says() {
        let encode = |kind, words, raw| Layout::at(Table::Holding, 10, kind, words, None).encode(&raw);
        assert_eq!(encode(Type::S16, Words::Hl, Raw::Int(-2)), Some(vec![(10, 0xFFFE, 0xFFFF)]));
        assert_eq!(encode(Type::U16, Words::Hl, Raw::Int(-2)), None);
        assert_eq!(
            encode(Type::S32, Words::Lh, Raw::Int(-2)),
            Some(vec![(11, 0xFFFF, 0xFFFF), (10, 0xFFFE, 0xFFFF)])
        );
        assert_eq!(encode(Type::U8h, Words::Hl, Raw::Int(7)), Some(vec![(10, 0x0700, 0xFF00)]));
        assert_eq!(encode(Type::Hhmm, Words::Hl, Raw::Int(61)), Some(vec![(10, 0x0101, 0xFFFF)]));
        assert_eq!(encode(Type::Hhmm, Words::Hl, Raw::Int(24 * 60)), None);
        assert_eq!(encode(Type::Mmhh, Words::Hl, Raw::Int(62)), Some(vec![(10, 0x0201, 0xFFFF)]));
        assert_eq!(
            encode(Type::F32, Words::Hl, Raw::Float(100.0)),
            Some(vec![(10, 0x42C8, 0xFFFF), (11, 0, 0xFFFF)])
        );
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            number in any::<i64>(),
            kind in prop::sample::select(vec![
                Type::U16, Type::S16, Type::U8h, Type::U8l, Type::S8h, Type::S8l, Type::U32, Type::S32, Type::U64,
                Type::S64, Type::Sf16,
            ]),
            words in prop::sample::select(vec![Words::Hl, Words::Lh]),
        ) {
            let layout = Layout::at(Table::Holding, 10, kind, words, None);
            if let Some(written) = layout.encode(&Raw::Int(number.into())) {
                let mut image = Image::default();
                for (addr, word, mask) in written {
                    image.put(Table::Holding, addr, &[word & mask], 1);
                }
                prop_assert_eq!(layout.read(&image), Some(Raw::Int(number.into())));
            } else {
                let (low, high) = kind.limits().unwrap();
                prop_assert!(!(low..=high).contains(&number.into()));
            }
        }
    }
}
