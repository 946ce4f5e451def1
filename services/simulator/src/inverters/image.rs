//! The registers of an inverter, and how a value gets into them.

use std::collections::BTreeMap;

use super::map::{Table, Type, Words};

/// The registers that are there.
#[derive(Debug, Clone, Default)]
pub struct Image {
    registers: BTreeMap<(Table, u16), u16>,
}

impl Image {
    /// Makes registers be there, holding 0.
    pub fn add(&mut self, table: Table, first: u16, count: u16) {
        for register in (first..=u16::MAX).take(usize::from(count)) {
            self.registers.entry((table, register)).or_insert(0);
        }
    }

    /// One register; `None` if it is not there.
    #[must_use]
    pub fn get(&self, table: Table, register: u16) -> Option<u16> {
        self.registers.get(&(table, register)).copied()
    }

    /// Sets one register, which is there from then on.
    pub fn set(&mut self, table: Table, register: u16, value: u16) {
        self.registers.insert((table, register), value);
    }

    /// Registers in a row; `None` if one of them is not there.
    #[must_use]
    pub fn range(&self, table: Table, first: u16, count: u16) -> Option<Vec<u16>> {
        let end = first.checked_add(count.checked_sub(1)?)?;
        (first..=end).map(|register| self.get(table, register)).collect()
    }

    /// Sets the bits of `mask` in one register.
    pub fn set_bits(&mut self, table: Table, register: u16, mask: u16, value: u16) {
        let kept = self.get(table, register).unwrap_or_default() & !mask;
        self.set(table, register, kept | value << mask.trailing_zeros() & mask);
    }

    /// Sets a wide number.
    pub fn set_all(&mut self, table: Table, places: &[u16], values: &[u16]) {
        for (place, value) in places.iter().zip(values) {
            self.set(table, *place, *value);
        }
    }
}

/// Registers of a raw number, the high one first; what does not fit is limited.
#[must_use]
pub fn registers(kind: Type, raw: f64) -> Vec<u16> {
    let whole = |low: i128, high: i128, registers: usize| {
        let bytes = (raw.round() as i128).clamp(low, high).to_be_bytes();
        let words: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
        words.get(words.len() - registers..).unwrap_or_default().to_vec()
    };
    match kind {
        Type::S16 | Type::Sf16 => whole(i16::MIN.into(), i16::MAX.into(), 1),
        Type::U32 => whole(0, u32::MAX.into(), 2),
        Type::S32 => whole(i32::MIN.into(), i32::MAX.into(), 2),
        Type::U64 => whole(0, u64::MAX.into(), 4),
        Type::S64 => whole(i64::MIN.into(), i64::MAX.into(), 4),
        Type::F32 => words(&(raw as f32).to_be_bytes()),
        Type::F64 => words(&raw.to_be_bytes()),
        _ => whole(0, u16::MAX.into(), 1),
    }
}

/// The raw number in registers, the high one first.
#[must_use]
pub fn number(kind: Type, registers: &[u16]) -> f64 {
    let whole = registers.iter().fold(0_u64, |sum, register| sum << 16 | u64::from(*register));
    match (kind, registers) {
        (Type::S16 | Type::Sf16, [one]) => one.cast_signed().into(),
        (Type::S32, _) => f64::from((whole as u32).cast_signed()),
        (Type::S64, _) => whole.cast_signed() as f64,
        (Type::F32, _) => f32::from_bits(whole as u32).into(),
        (Type::F64, _) => f64::from_bits(whole),
        _ => whole as f64,
    }
}

/// Where the registers of a number stand, the high one first.
#[must_use]
pub fn places(first: u16, registers: u16, words: Words) -> Vec<u16> {
    let all = (first..=u16::MAX).take(usize::from(registers));
    match words {
        Words::Hl => all.collect(),
        Words::Lh => all.rev().collect(),
    }
}

/// A text in registers, padded with zeros.
#[must_use]
pub fn text(text: &str, registers: u16, swap: bool) -> Vec<u16> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(usize::from(registers) * 2, 0);
    let pairs = bytes.as_chunks::<2>().0.iter();
    pairs.map(|pair| if swap { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) }).collect()
}

fn words(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fill_their_registers_and_are_limited_to_them() {
        assert_eq!(registers(Type::S32, -2.0), [0xFFFF, 0xFFFE]);
        assert_eq!(registers(Type::U16, 70_000.0), [0xFFFF]);
        assert_eq!(registers(Type::S16, -70_000.0), [0x8000]);
        assert_eq!(registers(Type::U64, 65_537.0), [0, 0, 1, 1]);
        assert_eq!(registers(Type::F32, 1.0), [0x3F80, 0]);
        for (kind, raw) in [(Type::S16, -5.0), (Type::S32, -70_000.0), (Type::U32, 3e9), (Type::F32, 0.5)] {
            assert_eq!(number(kind, &registers(kind, raw)), raw);
        }
    }

    #[test]
    fn low_words_first_and_bytes_swapped() {
        assert_eq!(places(10, 2, Words::Lh), [11, 10]);
        assert_eq!(text("AB", 2, false), [0x4142, 0]);
        assert_eq!(text("AB", 1, true), [0x4241]);
    }

    #[test]
    fn bits_leave_their_neighbours_alone() {
        let mut image = Image::default();
        image.set(Table::Holding, 5, 0xFF0F);
        image.set_bits(Table::Holding, 5, 0x00F0, 0x000A);
        assert_eq!(image.get(Table::Holding, 5), Some(0xFFAF));
        assert_eq!(image.range(Table::Holding, 5, 2), None);
        assert_eq!(image.range(Table::Holding, 5, 0), None);
    }
}
