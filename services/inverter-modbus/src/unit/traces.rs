//! Which registers were written last, and when: what was read before says nothing of them any more, whoever shows it.

use std::collections::BTreeMap;

use crate::engine::encode::Written;
use crate::engine::image::Image;
use crate::engine::map::WriteAt;
use crate::profile::scalar::Table;

/// The writes of all set points of a device.
#[derive(Debug, Default)]
pub(super) struct Traces {
    /// The number of reads when a register had been written; nothing while that is under way.
    written: BTreeMap<(Table, u16), Option<u64>>,
    under_way: BTreeMap<String, Vec<(Table, u16)>>,
}

impl Traces {
    /// The writes of a set point go out.
    pub(super) fn begin(&mut self, name: &str, writes: &[Written]) {
        let places: Vec<_> = writes.iter().flat_map(places).collect();
        self.written.extend(places.iter().map(|place| (*place, None)));
        self.under_way.insert(name.to_owned(), places);
    }

    /// They are over, arrived or not.
    pub(super) fn done(&mut self, name: &str, reads: u64) {
        for place in self.under_way.remove(name).unwrap_or_default() {
            self.written.insert(place, Some(reads));
        }
    }

    /// The device was recognised anew, and everything of it will be read.
    pub(super) fn forget(&mut self) {
        (self.written, self.under_way) = (BTreeMap::new(), BTreeMap::new());
    }

    /// Whether what shows a set point was read before one of its registers was written.
    pub(super) fn is_stale(&self, write: &WriteAt, image: &Image) -> bool {
        write.seen.iter().any(|place| self.is_old(place, image))
    }

    /// Whether one of these registers was read before it was written.
    pub(super) fn is_any_stale(&self, write: &Written, image: &Image) -> bool {
        places(write).any(|place| self.is_old(&place, image))
    }

    fn is_old(&self, place: &(Table, u16), image: &Image) -> bool {
        match self.written.get(place) {
            None => false,
            Some(None) => true,
            Some(Some(reads)) => image.read_of(place.0, place.1).is_none_or(|read| read <= *reads),
        }
    }
}

/// The registers of a write.
fn places(write: &Written) -> impl Iterator<Item = (Table, u16)> {
    let table = write.table;
    (write.addr..=u16::MAX).take(write.values.len()).map(move |addr| (table, addr))
}
