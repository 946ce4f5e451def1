//! What is wanted of one set point, and whether it is due: a point in memory that wears out has an allowance.

use std::time::Duration;

use tokio::time::Instant;

use crate::engine::encode::{Known, Refused, Written};
use crate::engine::image::Image;
use crate::engine::map::WriteAt;
use crate::profile::write::Persist;

use super::sight::Sight;
use super::undo;

/// Writes that an allowance holds.
const ALLOWANCE: f64 = 3.0;
/// What a raise leaves in it.
const RESERVE: f64 = 1.0;
/// Usual times between two writes.
const FLASH: Duration = Duration::from_secs(30);
const RAM: Duration = Duration::from_secs(1);
/// So long the device has to show what was written.
pub(super) const CONFIRM: Duration = Duration::from_secs(20);
/// Attempts before the device is left alone.
pub(super) const ATTEMPTS: u32 = 2;
/// And for how long.
pub(super) const LEFT_ALONE: Duration = Duration::from_secs(60);

/// What is wanted of one set point.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) value: f64,
    pub(super) allowance: f64,
    pub(super) filled_at: Instant,
    pub(super) sent: Option<Sent>,
    pub(super) under_way: bool,
    /// The device took what was sent last.
    pub(super) was_taken: bool,
    pub(super) rests_until: Option<Instant>,
    pub(super) is_settled: bool,
    /// What stood in the registers before its sequence, as long as that is not undone.
    pub(super) before: Option<Image>,
    /// That is being undone.
    pub(super) is_ending: bool,
}

/// What went out for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) value: f64,
    pub(super) at: Instant,
    /// The number of reads when it went out.
    pub(super) reads: u64,
    pub(super) tries: u32,
}

/// Whether the registers that show it were read after read number `reads`.
pub(super) fn read_since(write: &WriteAt, sight: &Sight<'_>, reads: u64) -> bool {
    let at = write.shown.as_ref().and_then(|(layout, ..)| layout.read_of(sight.image));
    at.is_some_and(|at| at > reads)
}

impl Wish {
    /// A wish with a full allowance.
    pub(super) fn new(value: f64, now: Instant) -> Wish {
        Wish {
            value,
            allowance: ALLOWANCE,
            filled_at: now,
            sent: None,
            under_way: false,
            was_taken: false,
            rests_until: None,
            is_settled: false,
            before: None,
            is_ending: false,
        }
    }

    /// The writes that fulfil it: a sequence, with what it overwrites kept, or the end of one.
    pub(super) fn writes(&mut self, write: &WriteAt, sight: &Sight<'_>) -> Result<Vec<Written>, Refused> {
        if self.value == 0.0 && undo::is_switch(&write.spec) {
            let Some(before) = &self.before else { return Ok(Vec::new()) };
            self.is_ending = true;
            return undo::release(write, before, sight);
        }
        let before = match &self.before {
            None if !write.spec.release.is_empty() => Some(undo::before(&write.spec, sight.image)?),
            kept => kept.clone(),
        };
        let nothing = Image::default();
        let known = Known { point: sight.point, secret: sight.secret, image: sight.image, saved: &nothing };
        let writes = write.writes(self.value, &known)?;
        (self.before, self.is_ending) = (before, false);
        Ok(writes)
    }

    /// Whether it is written now.
    pub(super) fn is_due(&mut self, write: &WriteAt, sight: &Sight<'_>, now: Instant) -> bool {
        self.fill(write, now);
        if self.rests_until.is_some_and(|until| until <= now) {
            self.rests_until = None;
            self.sent = None;
        }
        if self.under_way || self.rests_until.is_some() {
            return false;
        }
        let sent = self.sent.filter(|sent| sent.value == self.value);
        if let (Some(sent), Some(refresh)) = (sent, write.spec.refresh)
            && now.duration_since(sent.at) >= refresh.0
        {
            return self.allowance >= 1.0;
        }
        if let Some(sent) = sent {
            let overdue = now.duration_since(sent.at) >= CONFIRM;
            let is_newer = read_since(write, sight, sent.reads);
            if write.shown.is_none() || (!is_newer && !overdue) {
                return false;
            }
        }
        let shown = write.shown(sight.image);
        if write.shown.is_some() && write.is_shown(self.value, sight.image) == Some(true) {
            // Somebody has set it already.
            self.sent.get_or_insert(Sent { value: self.value, at: now, reads: 0, tries: 1 });
            if sent.is_none() {
                self.sent = Some(Sent { value: self.value, at: now, reads: 0, tries: 1 });
            }
            return false;
        }
        if sent.is_some_and(|sent| sent.tries >= ATTEMPTS) {
            return false;
        }
        let before = self.sent.filter(|_| write.shown.is_none()).map(|sent| sent.value).or(shown);
        let rise = before.map(|before| self.value - before);
        let is_rise = rise.is_some_and(|rise| rise > 0.0);
        if is_rise && rise.is_some_and(|rise| rise < write.spec.deadband) {
            return false;
        }
        self.allowance >= 1.0 + if is_rise { RESERVE } else { 0.0 }
    }

    fn fill(&mut self, write: &WriteAt, now: Instant) {
        let usual = if write.spec.persist == Persist::Flash { FLASH } else { RAM };
        let every = write.spec.every_s.map_or(usual, Duration::from_secs).max(Duration::from_millis(100));
        let more = now.duration_since(self.filled_at).as_secs_f64() / every.as_secs_f64();
        self.allowance = (self.allowance + more).min(ALLOWANCE);
        self.filled_at = now;
    }
}
