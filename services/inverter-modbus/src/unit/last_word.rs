//! The last word to a device: all that is undone at the end, the most important first, in as few requests as the device takes.
//!
//! A process that ends has less than a second. At 9600 baud, with the silence that devices want between requests, that is some
//! eight requests on a line that others use too. So what is known is not read again, what is undone already is not
//! written, and registers beside each other go in one request.

use super::half::Half;
use super::life::Unit;
use super::sight::sighted;
use crate::device::access::Fault;
use crate::engine::encode::Written;
use crate::engine::image::Image;
use crate::profile::link::{LinkSpec, WriteFunction};
use crate::profile::scalar::Table;

/// One request, and the writes that it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Joined {
    /// What is written.
    pub(super) whole: Written,
    /// The same one by one, for a device that does not take it at once; empty where that is the same.
    pub(super) parts: Vec<Written>,
}

/// The order: what stops a flow of current, then all else. That is the first write of each release and every limit.
pub(super) fn ordered(
    releases: Vec<Vec<Written>>,
    limits: Vec<Written>,
    is_undone: impl Fn(&Written) -> bool,
) -> Vec<Written> {
    let (mut first, mut then) = (Vec::new(), Vec::new());
    for release in releases {
        let mut writes = release.into_iter();
        first.extend(writes.next());
        then.extend(writes.filter(|write| !is_undone(write)));
    }
    first.into_iter().chain(limits).chain(then).collect()
}

/// Whether the registers of a write have its values.
pub(super) fn stands(write: &Written, image: &Image) -> bool {
    let present = present(write, image);
    present.is_some_and(|present| write.over(&present) == present)
}

/// The requests for these writes, in their order.
pub(super) fn requests(writes: Vec<Written>, link: &LinkSpec, image: &Image) -> Vec<Joined> {
    let mut requests: Vec<Joined> = Vec::new();
    // What a write leaves of a register is what the next one finds.
    let mut image = image.clone();
    for write in writes {
        let write = whole(write, &image);
        if !write.needs_read() {
            image.put(write.table, write.addr, &write.values, 0);
        }
        match requests.last_mut() {
            Some(last) if can_join(&last.whole, &write, link) => last.add(write),
            _ => requests.push(Joined { whole: write, parts: Vec::new() }),
        }
    }
    requests
}

/// The registers of a write as they were read last.
pub(super) fn present(write: &Written, image: &Image) -> Option<Vec<u16>> {
    let addresses = (write.addr..=u16::MAX).take(write.values.len());
    addresses.map(|addr| image.get(write.table, addr)).collect()
}

/// With the other bits of its registers as they were read last, where they were.
fn whole(write: Written, image: &Image) -> Written {
    match present(&write, image).filter(|_| write.needs_read()) {
        Some(present) => {
            let values = write.over(&present);
            Written { masks: vec![u16::MAX; values.len()], values, ..write }
        }
        None => write,
    }
}

/// Whether one request can carry both: only where the device is written several registers at once anyway.
fn can_join(one: &Written, other: &Written, link: &LinkSpec) -> bool {
    let count = one.values.len() + other.values.len();
    link.write_function == WriteFunction::Multiple
        && one.table == Table::Holding
        && other.table == Table::Holding
        && !one.needs_read()
        && !other.needs_read()
        && count <= usize::from(link.max_write)
        && (is_behind(one, other) || is_behind(other, one))
}

fn is_behind(one: &Written, other: &Written) -> bool {
    usize::from(one.addr) + one.values.len() == usize::from(other.addr)
}

impl Joined {
    fn add(&mut self, write: Written) {
        if self.parts.is_empty() {
            self.parts.push(self.whole.clone());
        }
        self.parts.push(write.clone());
        let is_before = write.addr < self.whole.addr;
        let (mut low, high) =
            if is_before { (write, self.whole.clone()) } else { (self.whole.clone(), write) };
        low.values.extend(high.values);
        low.masks.extend(high.masks);
        self.whole = low;
    }
}

impl Unit {
    /// Undoes what must not stay without somebody who wants it: sequences with an end, and limits that nobody stands behind any
    /// more. What the device refuses does not keep the rest from it.
    pub(super) async fn release(&mut self) {
        // A read that waits would go out between two writes.
        self.device.rest();
        let is_in_force = self.control.has_begun() || self.source.is_some();
        if !is_in_force || self.is_taken || self.halves.iter().any(Half::is_taken) {
            return;
        }
        if !self.device.is_sure().await {
            let device = self.device.access().label();
            tracing::warn!(
                device,
                "what was set cannot be undone: the device does not answer, or another one does"
            );
            return;
        }
        let decided = self.decided();
        let control = &mut self.control;
        let releases = sighted(&self.device, &self.config, |sight| control.undone(&decided, sight));
        let limits = self.last_limits();
        let (control, image) = (&self.control, self.device.image());
        let writes = ordered(releases.unwrap_or_default(), limits, |write| control.has(write, image));
        let requests = requests(writes, &self.profile.link, &control.known(image));
        if requests.is_empty() {
            return self.kept.end();
        }
        let access = self.device.access();
        let mut failed = None;
        for Joined { whole, parts } in requests {
            let outcome = match access.write(&[whole]).await {
                Err(Fault::Exception(_)) if !parts.is_empty() => access.write(&parts).await,
                outcome => outcome,
            };
            failed = failed.or(outcome.err());
        }
        match failed {
            None => {
                self.kept.end();
                tracing::info!(device = self.device.access().label(), "what was set is undone at the end");
            }
            Some(fault) => {
                tracing::warn!(
                    device = self.device.access().label(),
                    "not all that was set is undone at the end: {fault}"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::builtin;

    fn write(addr: u16, values: &[u16], mask: u16) -> Written {
        let masks = vec![mask; values.len()];
        Written { table: Table::Holding, addr, values: values.to_vec(), masks }
    }

    fn plain(addr: u16, values: &[u16]) -> Written {
        write(addr, values, u16::MAX)
    }

    /// The requests for a device, as addresses and values.
    fn asked(profile: &str, writes: Vec<Written>, image: &Image) -> Vec<(u16, Vec<u16>)> {
        let link = builtin::by_id(profile).unwrap().link;
        let requests = requests(writes, &link, image);
        requests.into_iter().map(|Joined { whole, .. }| (whole.addr, whole.values)).collect()
    }

    const DEYE: &str = "deye-one-phase";

    #[test]
    fn what_stops_a_flow_goes_before_all_else() {
        let releases = vec![
            vec![plain(1, &[0]), plain(2, &[0]), plain(3, &[0])],
            vec![plain(11, &[0]), plain(12, &[0])],
        ];
        let ordered = ordered(releases, vec![plain(20, &[0])], |write| write.addr != 3);
        let addresses: Vec<u16> = ordered.iter().map(|write| write.addr).collect();
        assert_eq!(addresses, [1, 11, 20, 3], "and what is undone already is not written, but for the first");
    }

    #[test]
    fn registers_beside_each_other_are_one_request_from_either_side() {
        let writes = vec![plain(274, &[1, 2]), plain(272, &[3, 4]), plain(276, &[5]), plain(278, &[6])];
        let expected = vec![(272, vec![3, 4, 1, 2, 5]), (278, vec![6])];
        assert_eq!(asked(DEYE, writes, &Image::default()), expected);
    }

    #[test]
    fn bits_that_are_not_meant_stay_as_they_were_read_and_are_not_read_again() {
        let mut image = Image::default();
        image.put(Table::Holding, 274, &[0x0013, 0x0000], 1);
        let bits = write(274, &[0, 1], 1);
        assert_eq!(asked(DEYE, vec![bits.clone()], &image), [(274, vec![0x0012, 0x0001])]);
        let link = builtin::by_id(DEYE).unwrap().link;
        let unknown = requests(vec![bits.clone(), plain(276, &[7])], &link, &Image::default());
        assert_eq!(unknown[0], Joined { whole: bits, parts: Vec::new() }, "what is not known is read before");
        assert_eq!(unknown.len(), 2);
    }

    #[test]
    fn bits_of_one_register_that_two_releases_clear_are_both_clear() {
        let mut image = Image::default();
        image.put(Table::Holding, 5, &[0x0013], 1);
        let writes = vec![write(5, &[0], 1), write(5, &[0], 2)];
        assert_eq!(asked(DEYE, writes, &image).last(), Some(&(5, vec![0x0010])));
    }

    #[test]
    fn a_request_can_be_taken_apart_again_into_what_it_was_made_of() {
        let writes = vec![plain(10, &[1]), plain(9, &[2])];
        let link = builtin::by_id(DEYE).unwrap().link;
        assert_eq!(requests(writes.clone(), &link, &Image::default())[0].parts, writes);
    }

    #[test]
    fn a_device_that_is_written_one_register_at_a_time_is_written_so_at_the_end_too() {
        let mut link = builtin::by_id(DEYE).unwrap().link;
        link.write_function = WriteFunction::Single;
        let writes = vec![plain(10, &[1]), plain(11, &[2])];
        assert_eq!(requests(writes.clone(), &link, &Image::default()).len(), 2);
        (link.write_function, link.max_write) = (WriteFunction::Multiple, 1);
        assert_eq!(requests(writes, &link, &Image::default()).len(), 2, "nor more than it takes");
    }

    #[test]
    fn what_has_its_values_already_is_known() {
        let mut image = Image::default();
        image.put(Table::Holding, 10, &[0x0105], 1);
        assert!(stands(&write(10, &[1], 1), &image) && !stands(&write(10, &[0], 1), &image));
        assert!(!stands(&plain(11, &[0]), &image), "what was never read is not");
    }
}
