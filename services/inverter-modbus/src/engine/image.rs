//! The registers of a device as they were read.

use std::collections::BTreeMap;

use crate::profile::scalar::Table;

/// Registers, coils and inputs by table and address, each with the number of the read that brought it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    cells: BTreeMap<(Table, u16), (u16, u64)>,
}

impl Image {
    /// Takes in what stands from `addr` on, brought by read number `read`. What would lie behind address 65535 is dropped.
    pub fn put(&mut self, table: Table, addr: u16, values: &[u16], read: u64) {
        for (value, addr) in values.iter().zip(addr..=u16::MAX) {
            self.cells.insert((table, addr), (*value, read));
        }
    }

    /// A register; a coil is 0 or 1. `None` if it was not read.
    #[must_use]
    pub fn get(&self, table: Table, addr: u16) -> Option<u16> {
        self.cells.get(&(table, addr)).map(|(value, _)| *value)
    }

    /// The number of the read that brought a register.
    #[must_use]
    pub fn read_of(&self, table: Table, addr: u16) -> Option<u64> {
        self.cells.get(&(table, addr)).map(|(_, read)| *read)
    }

    /// Takes in what another image has of registers that this one lacks.
    pub fn fill(&mut self, other: &Image) {
        for (place, cell) in &other.cells {
            self.cells.entry(*place).or_insert(*cell);
        }
    }

    /// Forgets `count` registers from `addr` on: they are not there, or too old.
    pub fn forget(&mut self, table: Table, addr: u16, count: u16) {
        for addr in (addr..=u16::MAX).take(usize::from(count)) {
            self.cells.remove(&(table, addr));
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.cells.clear();
    }

    /// Everything, by table and address.
    pub fn iter(&self) -> impl Iterator<Item = (Table, u16, u16)> {
        self.cells.iter().map(|((table, addr), (value, _))| (*table, *addr, *value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_ends_at_the_last_address() {
        let mut image = Image::default();
        image.put(Table::Holding, 65_534, &[1, 2, 3], 7);
        assert_eq!(image.iter().count(), 2);
        assert_eq!(image.get(Table::Holding, 65_535), Some(2));
        assert_eq!(image.read_of(Table::Holding, 65_535), Some(7));
        assert_eq!(image.get(Table::Input, 65_535), None);
        image.forget(Table::Holding, 65_535, 9);
        assert_eq!(image.iter().count(), 1);
    }
}
