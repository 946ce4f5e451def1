//! When what is read: the request whose time is up and whose own deadline comes first, so that neither the fast ones
//! starve the slow ones nor the other way round.

use std::time::Duration;

use tokio::time::Instant;

use super::plan::Request;

/// A request that was refused although it must be there is tried again after this.
pub const REFUSED_AGAIN: Duration = Duration::from_secs(300);

/// The reads of a device, and when each is due.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    entries: Vec<Entry>,
}

/// One read of the schedule.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What.
    pub request: Request,
    /// From when on; `None` if never again.
    pub due: Option<Instant>,
    /// When it last brought something.
    pub read_at: Option<Instant>,
}

/// How late a request may be that has no period of its own, or has brought nothing yet: a device is shown when everything was
/// read, on a full line too.
const ONCE: Duration = Duration::from_secs(1);

impl Entry {
    /// How late it may be.
    fn patience(&self) -> Duration {
        let period = self.request.every.period().unwrap_or(ONCE);
        if self.read_at.is_none() { period.min(ONCE) } else { period }
    }
}

impl Schedule {
    /// Everything is due at `now`.
    #[must_use]
    pub fn new(requests: Vec<Request>, now: Instant) -> Schedule {
        let entries = requests.into_iter().map(|request| Entry { request, due: Some(now), read_at: None });
        Schedule { entries: entries.collect() }
    }

    /// The request that goes next and the time by which it should have gone; `None` while nothing is due.
    #[must_use]
    pub fn next(&self, now: Instant) -> Option<(usize, Instant)> {
        let due = self.entries.iter().enumerate().filter_map(|(n, entry)| Some((n, entry, entry.due?)));
        due.filter(|(_, _, due)| *due <= now)
            .map(|(n, entry, due)| (n, due + entry.patience()))
            .min_by_key(|(_, deadline)| *deadline)
    }

    /// When something will be due.
    #[must_use]
    pub fn wake(&self) -> Option<Instant> {
        self.entries.iter().filter_map(|entry| entry.due).min()
    }

    /// An entry by its number.
    #[must_use]
    pub fn get(&self, n: usize) -> Option<&Entry> {
        self.entries.get(n)
    }

    /// Every entry.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// It was read. The next time counts from when it was due, so that a period stays what it is; what was missed is not
    /// made up for.
    pub fn was_read(&mut self, n: usize, now: Instant) {
        let Some(entry) = self.entries.get_mut(n) else { return };
        entry.read_at = Some(now);
        entry.due = match (entry.request.every.period(), entry.due) {
            (Some(period), Some(due)) if now < due + period => Some(due + period),
            (Some(period), _) => Some(now + period.min(Duration::from_millis(100))),
            (None, _) => None,
        };
    }

    /// It is tried again at `at`.
    pub fn again(&mut self, n: usize, at: Instant) {
        if let Some(entry) = self.entries.get_mut(n) {
            entry.due = Some(at);
        }
    }

    /// It is never read again.
    pub fn drop(&mut self, n: usize) {
        if let Some(entry) = self.entries.get_mut(n) {
            entry.due = None;
        }
    }

    /// Others take its place.
    pub fn replace(&mut self, n: usize, requests: Vec<Request>, now: Instant) {
        if n < self.entries.len() {
            self.entries.swap_remove(n);
            self.entries.extend(requests.into_iter().map(|request| Entry {
                request,
                due: Some(now),
                read_at: None,
            }));
        }
    }

    /// What brings this register is due.
    pub fn due_for(&mut self, table: crate::profile::scalar::Table, addr: u16, now: Instant) {
        for entry in &mut self.entries {
            let range = entry.request.range;
            let end = u32::from(range.addr) + u32::from(range.count);
            if range.table == table
                && (u32::from(range.addr)..end).contains(&u32::from(addr))
                && entry.due.is_some()
            {
                entry.due = Some(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::Range;
    use crate::profile::scalar::{Every, Table};

    fn request(addr: u16, every_s: u64) -> Request {
        let range = Range { table: Table::Holding, addr, count: 1 };
        Request { range, every: Every::Period(Duration::from_secs(every_s)), parts: Vec::new() }
    }

    /// How often each request is read in `seconds` when a read takes `each`.
    fn reads(requests: Vec<Request>, each: Duration, seconds: u64) -> Vec<u32> {
        let start = Instant::now();
        let (mut now, count) = (start, requests.len());
        let mut schedule = Schedule::new(requests, now);
        let mut reads = vec![0; count];
        while now < start + Duration::from_secs(seconds) {
            match schedule.next(now) {
                Some((n, _)) => {
                    now += each;
                    schedule.was_read(n, now);
                    reads[n] += 1;
                }
                None => now = schedule.wake().unwrap(),
            }
        }
        reads
    }

    #[test]
    fn every_request_keeps_its_period_while_the_line_has_room() {
        let reads =
            reads(vec![request(0, 1), request(1, 1), request(2, 10)], Duration::from_millis(200), 100);
        assert_eq!(reads, [100, 100, 10]);
    }

    #[test]
    fn a_full_line_starves_nobody() {
        let reads = reads(
            vec![request(0, 1), request(1, 1), request(2, 10), request(3, 10)],
            Duration::from_millis(600),
            300,
        );
        assert!(reads[0] > 150 && reads[1] > 150, "{reads:?}");
        assert!(reads[2] >= 25 && reads[3] >= 25, "{reads:?}");
    }

    #[test]
    fn what_has_brought_nothing_yet_does_not_wait_for_a_full_line_to_become_empty() {
        let all = vec![request(0, 1), request(1, 1), request(2, 300)];
        assert_eq!(reads(all, Duration::from_millis(600), 5)[2], 1);
    }

    #[test]
    fn what_is_read_once_is_not_read_again() {
        let once = Request { every: Every::Once, ..request(0, 1) };
        let now = Instant::now();
        let mut schedule = Schedule::new(vec![once], now);
        schedule.was_read(0, now);
        assert_eq!((schedule.next(now + ONCE * 100), schedule.wake()), (None, None));
    }
}
