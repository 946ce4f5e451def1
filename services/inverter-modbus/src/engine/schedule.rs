//! When what is read: the request whose time is up and whose own deadline comes first, so that neither the fast ones
//! starve the slow ones nor the other way round.

use std::time::Duration;

use tokio::time::Instant;

use super::plan::{Range, Request};

/// What was refused although it must be there is tried again after this, for good.
const REFUSED_AGAIN: Duration = Duration::from_secs(300);
/// And before, as a device that starts or is busy refuses what it has: so soon after the first refusals.
const PERHAPS_AGAIN: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];
/// What has answered before is tried again after a second, and at last so often.
const DENIED_AGAIN: Duration = Duration::from_secs(8);
/// Attempts at a read before it waits for its next time.
const ATTEMPTS: u32 = 3;
/// What is read once and has not answered is tried again after this.
const ONCE_AGAIN: Duration = Duration::from_secs(60);
/// What was read lasts so long when nothing newer comes, or so many periods where they are longer.
const LASTS: Duration = Duration::from_secs(10);
const LASTS_PERIODS: u32 = 3;

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
    /// Whether it was asked, and either brought something or is known to bring nothing.
    pub is_known: bool,
    /// Attempts in a row that brought nothing, before it waits for its next time.
    pub tries: u32,
    /// Refusals in a row.
    refusals: u32,
    /// Somebody waits for it.
    is_urgent: bool,
}

/// How late a request may be that has no period of its own, or has brought nothing yet: a device is shown when everything was
/// read, on a full line too.
const ONCE: Duration = Duration::from_secs(1);

impl Entry {
    fn new(request: Request, now: Instant) -> Entry {
        let (due, read_at) = (Some(now), None);
        Entry { request, due, read_at, is_known: false, tries: 0, refusals: 0, is_urgent: false }
    }

    /// How late it may be.
    fn patience(&self) -> Duration {
        let period = self.request.every.period().unwrap_or(ONCE);
        if !self.is_known || self.is_urgent { period.min(ONCE) } else { period }
    }

    /// Whether what it brought last is too old to be shown.
    fn is_stale(&self, now: Instant) -> bool {
        let lasts = match self.request.every.period() {
            Some(period) if period > LASTS => period * LASTS_PERIODS,
            _ => LASTS,
        };
        self.read_at.is_none_or(|at| now.duration_since(at) >= lasts)
    }
}

impl Schedule {
    /// Everything is due at `now`.
    #[must_use]
    pub fn new(requests: Vec<Request>, now: Instant) -> Schedule {
        Schedule { entries: requests.into_iter().map(|request| Entry::new(request, now)).collect() }
    }

    /// The same for other requests. What both have is due when it was.
    #[must_use]
    pub fn renewed(&self, requests: Vec<Request>, now: Instant) -> Schedule {
        let known = |request: &Request| self.entries.iter().find(|entry| entry.request == *request);
        let entry = |request: Request| known(&request).cloned().unwrap_or_else(|| Entry::new(request, now));
        Schedule { entries: requests.into_iter().map(entry).collect() }
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

    /// Whether every one was asked, and has answered or is known not to; and one of them did.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.clone().all(|entry| entry.is_known) && entries.any(|entry| entry.read_at.is_some())
    }

    /// Whether something of it was read, ever.
    #[must_use]
    pub fn has_answered(&self, n: usize) -> bool {
        self.entries.get(n).is_some_and(|entry| entry.read_at.is_some())
    }

    /// Whether all was asked, and nothing of it answered: a device that has none of its registers is not ready.
    #[must_use]
    pub fn is_barren(&self) -> bool {
        self.entries.iter().all(|entry| entry.is_known && entry.read_at.is_none())
    }

    /// It was read. The next time counts from when it was due, so that a period stays what it is; what was missed is not
    /// made up for. True if it had been refused before.
    pub fn was_read(&mut self, n: usize, now: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(n) else { return false };
        (entry.read_at, entry.is_known, entry.tries, entry.is_urgent) = (Some(now), true, 0, false);
        entry.due = match (entry.request.every.period(), entry.due) {
            (Some(period), Some(due)) if now < due + period => Some(due + period),
            (Some(period), _) => Some(now + period.min(Duration::from_millis(100))),
            (None, _) => None,
        };
        std::mem::take(&mut entry.refusals) > 0
    }

    /// It brought nothing. It is tried again at once or at `soon`, and after some attempts when its period is over. Then the range is
    /// returned, if what it brought before is too old to be shown.
    pub fn failed(&mut self, n: usize, now: Instant, soon: Option<Instant>) -> Option<Range> {
        let entry = self.entries.get_mut(n)?;
        entry.tries += 1;
        if entry.tries < ATTEMPTS {
            entry.due = soon.or(entry.due);
            return None;
        }
        (entry.is_known, entry.tries, entry.is_urgent) = (true, 0, false);
        entry.due = Some(now + entry.request.every.period().unwrap_or(ONCE_AGAIN));
        entry.is_stale(now).then_some(entry.request.range)
    }

    /// The device says that it does not have it. It is tried again later, twice if it need not be there. True the first time.
    pub fn refused(&mut self, n: usize, now: Instant, is_optional: bool) -> bool {
        let Some(entry) = self.entries.get_mut(n) else { return false };
        let soon = PERHAPS_AGAIN.get(usize::try_from(entry.refusals).unwrap_or(usize::MAX)).copied();
        let again = if is_optional { soon } else { soon.or(Some(REFUSED_AGAIN)) };
        entry.refusals = entry.refusals.saturating_add(1);
        entry.due = again.map(|again| now + again);
        (entry.is_known, entry.tries, entry.is_urgent) = (true, 0, false);
        entry.refusals == 1
    }

    /// The device says that it does not have what it had: it is tried again soon. The range is returned, if what it brought before
    /// is too old to be shown.
    pub fn denied(&mut self, n: usize, now: Instant) -> Option<Range> {
        let entry = self.entries.get_mut(n)?;
        entry.due = Some(now + DENIED_AGAIN.min(Duration::from_secs(1) * (1 << entry.refusals.min(8))));
        entry.refusals = entry.refusals.saturating_add(1);
        (entry.tries, entry.is_urgent) = (0, false);
        entry.is_stale(now).then_some(entry.request.range)
    }

    /// It could not be asked: it is tried again at `at`.
    pub fn again(&mut self, n: usize, at: Instant) {
        if let Some(entry) = self.entries.get_mut(n) {
            entry.due = Some(at);
        }
    }

    /// Others take its place.
    pub fn replace(&mut self, n: usize, requests: Vec<Request>, now: Instant) {
        if n < self.entries.len() {
            self.entries.swap_remove(n);
            self.entries.extend(requests.into_iter().map(|request| Entry::new(request, now)));
        }
    }

    /// What brings this register is due, and somebody waits for it.
    pub fn due_for(&mut self, table: crate::profile::scalar::Table, addr: u16, now: Instant) {
        for entry in &mut self.entries {
            let range = entry.request.range;
            let end = u32::from(range.addr) + u32::from(range.count);
            if range.table == table
                && (u32::from(range.addr)..end).contains(&u32::from(addr))
                && entry.due.is_some()
            {
                (entry.due, entry.is_urgent) = (Some(now), true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn after(seconds: u64, start: Instant) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn what_does_not_answer_is_known_after_three_attempts_and_its_age_is_that_of_its_last_answer() {
        let start = Instant::now();
        let mut schedule = Schedule::new(vec![request(0, 1)], start);
        assert!(!schedule.entries[0].is_known);
        for is_known in [false, false, true] {
            assert_eq!(schedule.entries[0].due, Some(start), "at once");
            schedule.failed(0, start, None);
            assert_eq!(schedule.entries[0].is_known, is_known);
        }
        assert_eq!((schedule.entries[0].read_at, schedule.wake()), (None, Some(after(1, start))));
        schedule.was_read(0, after(1, start));
        for _ in 0..ATTEMPTS {
            schedule.failed(0, after(3, start), None);
        }
        assert_eq!(schedule.entries[0].read_at, Some(after(1, start)));
        assert_eq!(schedule.wake(), Some(after(4, start)));
    }

    #[test]
    fn what_was_read_lasts_ten_seconds_or_three_long_periods() {
        let start = Instant::now();
        let mut schedule = Schedule::new(vec![request(0, 1), request(1, 60)], start);
        let lasts = |schedule: &mut Schedule, n: usize| {
            schedule.was_read(n, start);
            let ends =
                |at: &u64| (0..ATTEMPTS).any(|_| schedule.failed(n, after(*at, start), None).is_some());
            (1..600).find(ends).unwrap()
        };
        assert_eq!((lasts(&mut schedule, 0), lasts(&mut schedule, 1)), (10, 180));
    }

    #[test]
    fn one_lost_answer_costs_no_value() {
        let start = Instant::now();
        let mut schedule = Schedule::new(vec![request(0, 10)], start);
        schedule.was_read(0, start);
        assert_eq!(schedule.failed(0, after(11, start), None), None);
    }

    #[test]
    fn what_somebody_waits_for_is_not_late_on_a_full_line() {
        let start = Instant::now();
        let mut schedule = Schedule::new(vec![request(0, 5), request(1, 300)], start);
        schedule.was_read(0, start);
        schedule.was_read(1, start);
        schedule.due_for(Table::Holding, 1, after(6, start));
        assert_eq!(schedule.next(after(6, start)), Some((1, after(7, start))));
        schedule.was_read(1, after(7, start));
        assert_eq!(schedule.wake(), Some(after(5, start)), "its period is what it was");
        assert_eq!(schedule.entries[1].patience(), Duration::from_secs(300));
    }

    #[test]
    fn what_is_refused_is_asked_for_again_before_it_is_given_up_and_what_has_answered_is_never() {
        let start = Instant::now();
        let mut schedule = Schedule::new(vec![request(0, 300), request(1, 300)], start);
        for (is_optional, last) in [(true, None), (false, Some(after(300, start)))] {
            let n = usize::from(!is_optional);
            for due in [Some(after(5, start)), Some(after(30, start)), last] {
                schedule.refused(n, start, is_optional);
                assert_eq!(schedule.entries[n].due, due);
            }
        }
        assert!(schedule.is_barren() && schedule.was_read(1, start) && !schedule.is_barren());
        let again: Vec<_> = (0..6)
            .map(|_| {
                assert_eq!(schedule.denied(1, after(1, start)), None, "what it brought still holds");
                schedule.entries[1].due
            })
            .collect();
        assert_eq!(again, [2, 3, 5, 9, 9, 9].map(|at| Some(after(at, start))));
        let range = schedule.entries[1].request.range;
        assert_eq!(schedule.denied(1, after(900, start)), Some(range));
        assert!(schedule.was_read(1, after(900, start)) && !schedule.was_read(1, after(901, start)));
    }

    #[test]
    fn another_choice_of_blocks_keeps_what_is_known_of_those_that_stay() {
        let start = Instant::now();
        let mut schedule = Schedule::new(vec![request(0, 10), request(1, 10)], start);
        schedule.was_read(0, start);
        let renewed = schedule.renewed(vec![request(2, 10), request(0, 10)], after(1, start));
        let due: Vec<_> = renewed.iter().map(|entry| entry.due).collect();
        assert_eq!(due, [Some(after(1, start)), Some(after(10, start))]);
        assert!(renewed.has_answered(1) && !renewed.has_answered(0));
    }

    #[test]
    fn what_is_read_once_and_has_not_answered_is_tried_again() {
        let once = Request { every: Every::Once, ..request(0, 1) };
        let start = Instant::now();
        let mut schedule = Schedule::new(vec![once], start);
        for _ in 0..ATTEMPTS {
            schedule.failed(0, start, None);
        }
        assert_eq!(schedule.wake(), Some(start + ONCE_AGAIN));
    }
}
