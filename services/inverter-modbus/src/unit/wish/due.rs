//! Whether a wish is written now.

use std::time::Duration;

use tokio::time::Instant;

use super::{ATTEMPTS, CONFIRM, Sent, Wish};
use crate::engine::map::WriteAt;
use crate::profile::scalar::Table;
use crate::unit::sight::Sight;
use crate::unit::wear::{Allowance, Hurry};

/// Two times that are no nearer than this are different ones.
const SAME: Duration = Duration::from_secs(1);

impl Wish {
    /// Whether it is written now, if the memory allows. With `is_stale`, what the device shows of it is older than a write.
    pub(in crate::unit) fn is_due(
        &mut self,
        write: &WriteAt,
        sight: &Sight<'_>,
        allowance: &Allowance,
        is_stale: bool,
        now: Instant,
    ) -> bool {
        if self.rests_until.is_some_and(|until| until <= now) {
            (self.rests_until, self.sent, self.tries) = (None, None, 0);
        }
        let waited_until = self.waits_until.take();
        if self.under_way || self.rests_until.is_some() {
            return false;
        }
        let sent = self.sent.filter(|sent| sent.value == self.value);
        if self.is_over {
            // An end waits for no allowance.
            return sent.is_none() && self.not_before.is_none_or(|at| at <= now);
        }
        if let (Some(sent), Some(refresh)) = (sent, write.spec.refresh)
            && now.duration_since(sent.at) >= refresh.0
        {
            self.tries = 0;
            return self.has_turn(write, allowance, Hurry::Some, waited_until, now);
        }
        if let Some(sent) = sent {
            let overdue = now.duration_since(sent.at) >= CONFIRM;
            // What was shown once stays believed while nothing is read.
            let may_wait = self.is_settled || !overdue;
            if write.shown.is_none() || (!read_since(write, sight, sent.reads) && may_wait) {
                return false;
            }
        }
        // What has an end is begun by us even if the device shows it already: only so it is ours to end.
        let may_be_there = write.spec.release.is_empty() || sent.is_some();
        if may_be_there && self.awaits_first_read(write, sight, now) {
            return false;
        }
        let is_current = !is_stale && !self.is_unread(write, sight);
        if may_be_there && is_current && write.is_shown(self.value, sight.image, sight.point) == Some(true) {
            // Somebody has set it already.
            if sent.is_none() {
                self.sent = Some(Sent { value: self.value, at: now, reads: 0 });
                self.was_taken = true;
            }
            return false;
        }
        if sent.is_some() && self.tries >= ATTEMPTS {
            return false;
        }
        let rise = self.rise(write, sight);
        if rise.is_some_and(|rise| rise > 0.0 && rise < write.spec.deadband) {
            return false;
        }
        let since_last = self.last.map(|last| now.duration_since(last.at));
        let hurry = Hurry::of(write, self.value, rise, since_last);
        let is_due = self.has_turn(write, allowance, hurry, waited_until, now);
        // What the device showed once and does not any more is to be confirmed anew.
        if is_due && sent.is_some() {
            (self.is_settled, self.has_begun) = (false, false);
        }
        is_due
    }

    /// Whether the memory allows a write that is due; otherwise it waits.
    fn has_turn(
        &mut self,
        write: &WriteAt,
        allowance: &Allowance,
        hurry: Hurry,
        waited_until: Option<Instant>,
        now: Instant,
    ) -> bool {
        let has_turn = allowance.allows(hurry);
        self.waits_until = (!has_turn).then(|| {
            let until = now + allowance.wait(write, hurry);
            // The allowance fills evenly: what was said before holds, but for what others take of it.
            let before = waited_until.filter(|before| until.max(*before) - until.min(*before) < SAME);
            before.unwrap_or(until)
        });
        has_turn
    }

    /// By how much it raises what the device has, where that is known.
    pub(in crate::unit) fn rise(&self, write: &WriteAt, sight: &Sight<'_>) -> Option<f64> {
        let sent = self.sent.filter(|_| write.shown.is_none()).map(|sent| sent.value);
        let shown = sent.or_else(|| write.shown(sight.image, sight.point));
        // Whether the last write has arrived is not known: a raise is one over both.
        let last = self.last.filter(|_| self.is_unread(write, sight)).map(|last| last.value);
        let before = shown.map(|shown| last.map_or(shown, |last| last.max(shown)));
        before.map(|before| self.value - before)
    }

    /// What was read is older than the last write: the device may have something else by now.
    fn is_unread(&self, write: &WriteAt, sight: &Sight<'_>) -> bool {
        let last = self.last.filter(|_| write.shown.is_some());
        last.is_some_and(|last| !read_since(write, sight, last.reads))
    }

    /// Nothing was read yet of what shows it, and may be soon: what the device has already need not be written.
    fn awaits_first_read(&mut self, write: &WriteAt, sight: &Sight<'_>, now: Instant) -> bool {
        let since = *self.looked_at.get_or_insert(now);
        let is_known = |(table, addr): &(Table, u16)| sight.image.read_of(*table, *addr).is_some();
        let is_first = !write.seen.is_empty() && !write.seen.iter().any(is_known);
        is_first && now.duration_since(since) < CONFIRM
    }
}

/// Whether all registers that show it, as far as the device has them, were read after read number `reads`.
pub(super) fn read_since(write: &WriteAt, sight: &Sight<'_>, reads: u64) -> bool {
    let mut read =
        write.seen.iter().filter_map(|(table, addr)| sight.image.read_of(*table, *addr)).peekable();
    read.peek().is_some() && read.all(|at| at > reads)
}
