//! Which registers were written last, when, and with what: what was read before says nothing of them any more, whoever shows it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::engine::encode::Written;
use crate::engine::image::Image;
use crate::engine::map::WriteAt;
use crate::profile::scalar::Table;

/// The writes of all set points of a device.
#[derive(Debug, Default)]
pub(super) struct Traces {
    written: BTreeMap<(Table, u16), Trace>,
    /// By set point: the number of the order, and its registers.
    under_way: BTreeMap<String, (u64, Vec<(Table, u16)>)>,
    orders: u64,
}

/// The last write to a register.
#[derive(Debug, Clone, Copy)]
struct Trace {
    order: u64,
    /// The number of reads when it was over; nothing while it is under way.
    over: Option<u64>,
    was_taken: bool,
    /// What was known to stand there.
    before: Option<u16>,
    /// What stands there if it has arrived; nothing where other bits were not known.
    after: Option<u16>,
}

impl Trace {
    /// What certainly stands there.
    fn known(&self) -> Option<u16> {
        let is_certain = (self.over.is_some() && self.was_taken) || self.before == self.after;
        self.after.filter(|_| is_certain)
    }
}

impl Traces {
    /// The writes of a set point go out, to registers that were read so.
    pub(super) fn begin(&mut self, name: &str, writes: &[Written], image: &Image) {
        self.orders += 1;
        let order = self.orders;
        let all: Vec<_> = writes.iter().flat_map(places).collect();
        for write in writes {
            for (place, (value, mask)) in places(write).zip(write.values.iter().zip(&write.masks)) {
                // An order may write a register twice.
                let again = self.written.get(&place).filter(|trace| trace.order == order);
                let before = again.map_or_else(|| self.known_at(place, image), |trace| trace.before);
                let under = again.map_or(before, |trace| trace.after);
                let after = match mask {
                    &u16::MAX => Some(*value),
                    mask => under.map(|under| (value & mask) | (under & !mask)),
                };
                self.written.insert(place, Trace { order, over: None, was_taken: false, before, after });
            }
        }
        self.under_way.insert(name.to_owned(), (order, all));
    }

    /// They are over, arrived or not.
    pub(super) fn done(&mut self, name: &str, was_taken: bool, reads: u64) {
        let Some((order, places)) = self.under_way.remove(name) else { return };
        for place in places {
            // What another order writes there meanwhile is not over.
            if let Some(trace) = self.written.get_mut(&place).filter(|trace| trace.order == order) {
                (trace.over, trace.was_taken) = (Some(reads), was_taken);
            }
        }
    }

    /// The device was recognised anew, and everything of it will be read.
    pub(super) fn forget(&mut self) {
        (self.written, self.under_way) = (BTreeMap::new(), BTreeMap::new());
    }

    /// Whether what shows a set point was read before one of its registers was written with something else.
    pub(super) fn is_stale(&self, write: &WriteAt, image: &Image) -> bool {
        let is_other = |(table, addr): (Table, u16), trace: &Trace| trace.known() != image.get(table, addr);
        write.seen.iter().any(|place| self.old(*place, image).is_some_and(|trace| is_other(*place, trace)))
    }

    /// Whether one of these registers was read before it was written.
    pub(super) fn is_any_stale(&self, write: &Written, image: &Image) -> bool {
        places(write).any(|place| self.old(place, image).is_some())
    }

    /// The registers as they certainly are: as they were read or, where they were written since, as the device took that.
    /// Those of which neither is known are left out.
    pub(super) fn known<'i>(&self, image: &'i Image) -> Cow<'i, Image> {
        self.patched(image, Trace::known)
    }

    /// The registers as they are if everything has arrived and will, as far as that can be known.
    pub(super) fn supposed<'i>(&self, image: &'i Image) -> Cow<'i, Image> {
        self.patched(image, |trace| trace.after)
    }

    /// The registers of writes that are over, of which nobody knows whether they have arrived.
    pub(super) fn uncertain(&self, image: &Image) -> Vec<(Table, u16)> {
        let is_uncertain = |trace: &Trace| trace.over.is_some() && trace.known().is_none();
        let old = self.written.keys().filter(|place| self.old(**place, image).is_some_and(is_uncertain));
        old.copied().collect()
    }

    fn patched<'i>(&self, image: &'i Image, value: impl Fn(&Trace) -> Option<u16>) -> Cow<'i, Image> {
        let mut patched = Cow::Borrowed(image);
        for (place, trace) in &self.written {
            if self.old(*place, image).is_none() {
                continue;
            }
            let (table, addr) = *place;
            match value(trace) {
                Some(word) => {
                    let read = image.read_of(table, addr).unwrap_or_default();
                    patched.to_mut().put(table, addr, &[word], read);
                }
                None => patched.to_mut().forget(table, addr, 1),
            }
        }
        patched
    }

    fn known_at(&self, place: (Table, u16), image: &Image) -> Option<u16> {
        self.old(place, image).map_or_else(|| image.get(place.0, place.1), Trace::known)
    }

    /// The last write to a register, if that was not read since.
    fn old(&self, place: (Table, u16), image: &Image) -> Option<&Trace> {
        let trace = self.written.get(&place)?;
        let read = image.read_of(place.0, place.1);
        let is_read = trace.over.is_some_and(|over| read.is_some_and(|read| read > over));
        (!is_read).then_some(trace)
    }
}

/// The registers of a write.
fn places(write: &Written) -> impl Iterator<Item = (Table, u16)> {
    let table = write.table;
    (write.addr..=u16::MAX).take(write.values.len()).map(move |addr| (table, addr))
}
