//! Which reading is due while nobody asks for anything, for who shows values to the bus. Pure.
//!
//! One command at a time, without a repetition, and none for what a request has read meanwhile: a request that comes in the
//! middle waits for the rest of that one exchange.

use std::time::Duration;

use tokio::time::Instant;

use super::picture::Picture;
use crate::eza::command::{self as c, Shape};

const FAST: Duration = Duration::from_secs(1);
const SLOW: Duration = Duration::from_secs(8);
const RARE: Duration = Duration::from_secs(60);
/// Nothing in them changes.
const ONCE: Duration = Duration::from_secs(3_600);
/// A converter that is silent is asked for its mode so often, and for nothing else.
const SILENT: Duration = Duration::from_secs(2);

/// What is read, and how often.
const PARTS: usize = 12;

fn parts() -> [(&'static Shape, Duration); PARTS] {
    [
        (c::READ_MODE.shape(), FAST),
        (c::READ_STATUS.shape(), FAST),
        (c::READ_METERS.shape(), FAST),
        (c::READ_ALARMS.shape(), Duration::from_secs(4)),
        (c::READ_LIMITS.shape(), Duration::from_secs(4)),
        (c::READ_GRID_TARGET.shape(), SLOW),
        (c::READ_BATTERY_TARGET.shape(), SLOW),
        (c::READ_CHARGING.shape(), SLOW),
        (c::READ_AUXILIARY.shape(), SLOW),
        (c::READ_DEAD_ZONES.shape(), RARE),
        (c::READ_VERSION.shape(), ONCE),
        (c::READ_SECOND_VERSION.shape(), ONCE),
    ]
}

/// When each was tried last.
#[derive(Debug, Default)]
pub(super) struct Poll {
    tried: [Option<Instant>; PARTS],
    /// The last attempt was not answered.
    is_silent: bool,
    tried_at: Option<Instant>,
}

impl Poll {
    /// What is to be read next, and when.
    pub(super) fn next(&self, picture: &Picture, now: Instant) -> (Instant, &'static Shape) {
        let parts = parts();
        let first = c::READ_MODE.shape();
        let has_answered_since = picture.heard_at > self.tried_at;
        if self.is_silent && !has_answered_since {
            return (self.tried_at.map_or(now, |at| at + SILENT), first);
        }
        let due = |((shape, period), tried): (&(&'static Shape, Duration), &Option<Instant>)| {
            let last = (*tried).max(picture.seen_at(shape.code));
            (last.map_or(now, |at| at + *period), *shape)
        };
        // Of those that are due together the first of the list comes first.
        parts.iter().zip(&self.tried).map(due).min_by_key(|(at, _)| (*at).max(now)).unwrap_or((now, first))
    }

    /// One has been tried.
    pub(super) fn tried(&mut self, shape: &Shape, is_answered: bool, now: Instant) {
        self.is_silent = !is_answered;
        self.tried_at = Some(now);
        let place = parts().iter().position(|(part, _)| part.code == shape.code);
        if let Some(tried) = place.and_then(|place| self.tried.get_mut(place)) {
            *tried = Some(now);
        }
    }

    /// The port is another one: what was not answered before may be now.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(poll: &mut Poll, picture: &mut Picture, now: &mut Instant, seconds: u64) -> Vec<&'static str> {
        let end = *now + Duration::from_secs(seconds);
        let mut names = Vec::new();
        loop {
            let (at, shape) = poll.next(picture, *now);
            *now = (*now).max(at);
            if *now >= end {
                return names;
            }
            *now += Duration::from_millis(20);
            picture.note(shape.code, &vec![0; shape.answers.len()], *now);
            poll.tried(shape, true, *now);
            names.push(shape.name);
        }
    }

    #[test]
    fn everything_is_read_once_and_then_what_moves_each_second() {
        let (mut poll, mut picture, mut now) = (Poll::default(), Picture::default(), Instant::now());
        let first = run(&mut poll, &mut picture, &mut now, 1);
        assert_eq!(first[..6], ["1-1", "2-1", "10-1", "9-1", "6-1", "4-1"]);
        assert_eq!(first.len(), PARTS);
        assert!(picture.is_complete());
        let later = run(&mut poll, &mut picture, &mut now, 40);
        let count = |name| later.iter().filter(|read| **read == name).count();
        assert!((36..=41).contains(&count("10-1")), "{later:?}");
        assert!((4..=6).contains(&count("4-1")) && count("15-1") == 0, "{later:?}");
    }

    #[test]
    fn what_a_request_has_read_is_not_read_again() {
        let (mut poll, mut picture, mut now) = (Poll::default(), Picture::default(), Instant::now());
        run(&mut poll, &mut picture, &mut now, 1);
        now += Duration::from_millis(900);
        picture.note(0x09, &[0; 8], now);
        let names = run(&mut poll, &mut picture, &mut now, 1);
        assert_eq!(names.iter().filter(|name| **name == "10-1").count(), 0, "{names:?}");
    }

    #[test]
    fn of_a_silent_converter_only_the_mode_is_asked_until_it_answers() {
        let (mut poll, mut picture, now) = (Poll::default(), Picture::default(), Instant::now());
        poll.tried(c::READ_METERS.shape(), false, now);
        let (at, shape) = poll.next(&picture, now);
        assert_eq!((at, shape.name), (now + SILENT, "1-1"));
        // A request of somebody else was answered meanwhile.
        let later = now + Duration::from_millis(300);
        picture.note(0x1c, &[0; 6], later);
        assert_eq!(poll.next(&picture, later).0, later);
    }
}
