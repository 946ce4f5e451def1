//! What is wanted of one set point, and what has become of it; `due`: whether it is written now.

mod due;

use std::time::Duration;

use tokio::time::Instant;

use crate::engine::encode::{Known, Refused, Written};
use crate::engine::image::Image;
use crate::engine::map::WriteAt;
use crate::profile::write::{ON_OFF, Persist};

use super::sight::Sight;
use super::undo;
use due::read_since;

/// So long the device has to show what was written.
const CONFIRM: Duration = Duration::from_secs(20);
/// Attempts before the device is left alone.
const ATTEMPTS: u32 = 2;
/// And for how long; memory that wears out twice as long after each failure, up to the longest.
const LEFT_ALONE: Duration = Duration::from_secs(60);
const LONGEST_ALONE: Duration = Duration::from_secs(24 * 3600);
/// What lowers a limit, or may, is not left alone for long: longer after each failure, up to the longest.
const LOWERS_AGAIN: Duration = Duration::from_secs(2);
const LONGEST_HIGH: Duration = Duration::from_secs(60);
/// An end that may not have arrived goes out again, but not more often.
const END_AGAIN: Duration = Duration::from_secs(10);

/// What is wanted of one set point.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) value: f64,
    sent: Option<Sent>,
    /// What went out last, whatever is wanted now: older reads say nothing of what the device has.
    last: Option<Sent>,
    /// The one before it, should that not leave the process.
    before_last: Option<Sent>,
    /// When it was looked at first, whether it is due.
    looked_at: Option<Instant>,
    /// So often it went out without being shown.
    tries: u32,
    under_way: bool,
    /// What went out last while it was wanted, as it is repeated.
    words: Vec<Written>,
    /// The device took what was sent last.
    was_taken: bool,
    rests_until: Option<Instant>,
    /// It is due, and waits for the allowance of its memory until then.
    pub(super) waits_until: Option<Instant>,
    /// So often in a row it was left alone.
    failures: u32,
    /// Since when it cannot be said what is to be written.
    puzzled_at: Option<Instant>,
    /// An end does not go out before.
    not_before: Option<Instant>,
    pub(super) is_settled: bool,
    /// The device has shown or taken its sequence: it need not begin anew.
    has_begun: bool,
    /// What stood in the registers before its sequence, as long as that is not undone.
    pub(super) before: Option<Image>,
    /// What stood there before the sequences that make room for this one.
    pub(super) inherited: Image,
    /// The sequences that must be undone before.
    pub(super) behind: Vec<String>,
    /// Nobody wants it any more: its sequence is to be undone.
    pub(super) is_over: bool,
    /// Who wants it does not look at it any more once it is in force.
    pub(super) is_once: bool,
}

/// What went out for it.
#[derive(Debug, Clone, Copy)]
struct Sent {
    value: f64,
    at: Instant,
    /// The number of reads when it went out.
    reads: u64,
}

/// What has become of it.
#[derive(Debug, PartialEq)]
pub(super) enum Became {
    /// The device shows it, or took it where it shows nothing.
    Confirmed,
    /// The device does not show it.
    Failed(String),
    /// It is undone.
    Released,
    /// It was undone, and the device still shows it.
    Stuck,
}

impl Wish {
    /// A wish of which nothing has gone out.
    pub(super) fn new(value: f64) -> Wish {
        Wish {
            value,
            sent: None,
            last: None,
            before_last: None,
            looked_at: None,
            tries: 0,
            under_way: false,
            words: Vec::new(),
            was_taken: false,
            rests_until: None,
            waits_until: None,
            failures: 0,
            puzzled_at: None,
            not_before: None,
            is_settled: false,
            has_begun: false,
            before: None,
            inherited: Image::default(),
            behind: Vec::new(),
            is_over: false,
            is_once: false,
        }
    }

    /// From now on this value is wanted.
    pub(super) fn change(&mut self, value: f64) {
        if value != self.value {
            self.failures = 0;
        }
        (self.value, self.tries, self.rests_until, self.is_settled) = (value, 0, None, false);
        if std::mem::take(&mut self.is_over) {
            self.begin_anew();
        }
    }

    /// Takes up a value that is no other one to the device, which has shown that of before. False if it is, or has not.
    pub(super) fn is_as_good(&mut self, value: f64, write: &WriteAt, sight: &Sight<'_>) -> bool {
        let nothing = Image::default();
        let known = Known { point: sight.point, secret: sight.secret, image: sight.image, saved: &nothing };
        let is_in_force = self.is_settled && !self.is_over && !self.under_way;
        let is_shown = || {
            write.shown.is_none()
                || write.shows_state()
                || write.is_shown(value, sight.image, sight.point) == Some(true)
        };
        let is_same =
            is_in_force && write.repeated(value, &known).is_ok_and(|words| words == self.words) && is_shown();
        if is_same {
            self.value = value;
            for sent in [&mut self.sent, &mut self.last].into_iter().flatten() {
                sent.value = value;
            }
        }
        is_same
    }

    /// From now on its sequence is to be undone.
    pub(super) fn end(&mut self) {
        if !self.is_over {
            self.begin_anew();
            self.is_over = true;
        }
    }

    /// It was begun by a process before this one, over these registers, and nobody wants it any more.
    pub(super) fn left(before: Image) -> Wish {
        let mut wish = Wish::new(0.0);
        (wish.before, wish.is_over) = (Some(before), true);
        wish
    }

    /// What was sent is forgotten: the device was recognised anew.
    pub(super) fn forget(&mut self) {
        self.begin_anew();
        self.under_way = false;
    }

    /// Something else is to be written. The answer to what is under way is waited for: it is none to that.
    fn begin_anew(&mut self) {
        (self.sent, self.tries) = (None, 0);
        (self.rests_until, self.is_settled, self.has_begun) = (None, false, false);
        (self.looked_at, self.not_before, self.puzzled_at) = (None, None, None);
    }

    /// Whether it needs no more than to be in force: its memory wears out, or it is a switch that others have too.
    pub(super) fn is_done(&self, write: &WriteAt) -> bool {
        let is_lasting = write.spec.persist == Persist::Flash || write.spec.name == ON_OFF;
        self.is_once && is_lasting && write.spec.refresh.is_none()
    }

    /// Whether it has to be undone first.
    pub(super) fn blocks(&self) -> bool {
        self.is_over && self.rests_until.is_none()
    }

    /// The writes that fulfil it: a sequence, with what it overwrites kept, or the end of one.
    pub(super) fn writes(&mut self, write: &WriteAt, sight: &Sight<'_>) -> Result<Vec<Written>, Refused> {
        if self.is_over {
            return self.before.as_ref().map_or(Ok(Vec::new()), |before| undo::release(write, before, sight));
        }
        let before = match &self.before {
            None if !write.spec.release.is_empty() => Some(undo::before(write, sight, &self.inherited)?),
            kept => kept.clone(),
        };
        let nothing = Image::default();
        let known = Known { point: sight.point, secret: sight.secret, image: sight.image, saved: &nothing };
        let words = write.repeated(self.value, &known)?;
        let writes = if self.has_begun { words.clone() } else { write.writes(self.value, &known)? };
        (self.before, self.words) = (before, words);
        Ok(writes)
    }

    /// It goes out now.
    pub(super) fn goes_out(&mut self, sight: &Sight<'_>, now: Instant) {
        self.sent = Some(Sent { value: self.value, at: now, reads: sight.reads });
        self.before_last = std::mem::replace(&mut self.last, self.sent);
        self.tries += 1;
        (self.under_way, self.was_taken, self.puzzled_at) = (true, false, None);
    }

    /// It cannot be written now.
    pub(super) fn rests(&mut self, write: &WriteAt, sight: &Sight<'_>, now: Instant) {
        let wears = write.spec.persist == Persist::Flash && !self.is_over;
        let doubled = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let is_too_high = write.is_limit() && self.rise(write, sight).is_none_or(|rise| rise < 0.0);
        let pause = match (is_too_high, wears) {
            (true, _) => LOWERS_AGAIN.saturating_mul(doubled).min(LONGEST_HIGH),
            (false, true) => LEFT_ALONE.saturating_mul(doubled).min(LONGEST_ALONE),
            (false, false) => LEFT_ALONE,
        };
        self.rests_until = Some(now + pause);
    }

    /// It cannot be written for want of something that was not read; after a while that is a failure. True when it becomes one.
    pub(super) fn puzzles(&mut self, write: &WriteAt, sight: &Sight<'_>, now: Instant) -> bool {
        let is_late = now.duration_since(*self.puzzled_at.get_or_insert(now)) >= CONFIRM;
        let is_news = is_late && self.failures == 0;
        if is_late {
            self.rests(write, sight, now);
        }
        is_news
    }

    /// The process could not send it: nothing has come of it, not even wear.
    pub(super) fn did_not_leave(&mut self) {
        (self.sent, self.under_way) = (None, false);
        self.last = self.before_last.take();
        self.tries = self.tries.saturating_sub(1);
    }

    /// Whether the device was told, or could not be, and shows something else.
    pub(super) fn is_unheeded(&self) -> bool {
        self.failures > 0 && !self.is_settled && !self.is_over
    }

    /// A write is over; only what is read from now on, after read number `reads`, can show it.
    pub(super) fn done(&mut self, was_taken: bool, reads: u64) {
        (self.under_way, self.was_taken) = (false, was_taken);
        for sent in [&mut self.sent, &mut self.last].into_iter().flatten() {
            sent.reads = reads;
        }
    }

    /// What has become of it since the last call.
    pub(super) fn became(&mut self, write: &WriteAt, sight: &Sight<'_>, now: Instant) -> Option<Became> {
        let sent = self.sent.filter(|sent| sent.value == self.value)?;
        if self.is_settled || self.under_way || self.rests_until.is_some() {
            return None;
        }
        let is_shown = self.is_shown(write, sight, sent);
        // Its registers would show 0 as well as any other value: only a state says that it has ended.
        let is_silent = write.seen.is_empty() || (self.is_over && !write.shows_state());
        if is_silent && !self.was_taken {
            return self.was_lost(write, sent, sight, now);
        }
        if is_silent || is_shown.is_some_and(|is_shown| is_shown != self.is_over) {
            (self.is_settled, self.has_begun, self.tries, self.failures) = (true, true, 0, 0);
            return Some(if self.is_over { Became::Released } else { Became::Confirmed });
        }
        let is_late = now.duration_since(sent.at) >= CONFIRM;
        if is_shown.is_none() && !is_late {
            return None;
        }
        self.has_begun = false;
        if self.tries < ATTEMPTS {
            if self.is_over {
                self.sent = None;
            }
            return None;
        }
        if self.is_over {
            return Some(Became::Stuck);
        }
        self.rests(write, sight, now);
        let shown = write.shown(sight.image, sight.point);
        Some(Became::Failed(shown.map_or("it shows nothing".to_owned(), |shown| format!("it shows {shown}"))))
    }

    /// Nothing will show whether it arrived: once more, and an end for as long as it takes.
    fn was_lost(&mut self, write: &WriteAt, sent: Sent, sight: &Sight<'_>, now: Instant) -> Option<Became> {
        self.has_begun = false;
        if self.is_over {
            (self.sent, self.not_before) = (None, Some(sent.at + END_AGAIN));
        } else if self.tries < ATTEMPTS {
            self.sent = None;
        } else {
            self.rests(write, sight, now);
            return Some(Became::Failed("there was no answer".to_owned()));
        }
        None
    }

    /// Whether the device shows it, once it was read since it was sent.
    fn is_shown(&self, write: &WriteAt, sight: &Sight<'_>, sent: Sent) -> Option<bool> {
        let is_newer = read_since(write, sight, sent.reads);
        is_newer.then(|| write.is_shown(self.value, sight.image, sight.point) == Some(true))
    }
}
