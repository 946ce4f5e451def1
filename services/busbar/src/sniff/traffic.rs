//! What has been heard: the newest frame of each id, what it says, what of it is new, and how often it comes. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bms_can::frame::{CanId, Frame};
use bms_can::protocols::{Decoded, Protocol};
use tokio::time::Instant;

use crate::words;

/// So long something counts as new: batteries repeat everything each second.
const NEW_FOR: Duration = Duration::from_millis(1500);
/// The period is the mean between the first and the last of so many marks.
const MARKS: usize = 9;
/// Marks are this far apart at least: adapters hand many frames on at once.
const MARK: Duration = Duration::from_millis(100);
/// An id that has not come for so many periods has stopped.
const MISSED: u32 = 3;
/// Ids that are shown; a bus without sense can have half a milliard.
const MOST_IDS: usize = 400;

/// The newest frame of an id.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The frame.
    pub(super) frame: Frame,
    /// What it says in the present dialect.
    pub(super) decoded: Decoded,
    /// What it says in words.
    pub(super) values: Vec<(String, String)>,
    /// How often the id came.
    pub(super) count: u64,
    /// When each value became what it is, by name.
    value_changes: BTreeMap<String, Instant>,
    byte_changes: [Option<Instant>; 8],
    last: Instant,
    /// When how many had come.
    marks: VecDeque<(Instant, u64)>,
}

/// How often an id comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// It has not come often enough to tell.
    Once,
    /// With this period.
    Every(Duration),
    /// It has not come for so long, which is longer than it should be.
    Stopped(Duration),
}

/// All that has been heard.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    protocol: Option<&'static Protocol>,
    rows: BTreeMap<CanId, Row>,
    frames: u64,
    left_out: u64,
}

impl Traffic {
    /// Takes in a frame; returns what it says.
    pub(super) fn add(&mut self, frame: &Frame, now: Instant) -> Decoded {
        self.frames += 1;
        let decoded = decode(self.protocol, frame);
        let has_room = self.rows.len() < MOST_IDS;
        match self.rows.get_mut(&frame.id()) {
            Some(row) => row.add(frame, decoded, now),
            None if has_room => _ = self.rows.insert(frame.id(), Row::new(frame, decoded, now)),
            None => self.left_out += 1,
        }
        decoded
    }

    /// Reads everything in this dialect from now on.
    pub(super) fn speak(&mut self, protocol: &'static Protocol) {
        self.protocol = Some(protocol);
        for row in self.rows.values_mut() {
            row.say(decode(self.protocol, &row.frame));
        }
    }

    /// The dialect.
    pub(super) fn protocol(&self) -> Option<&'static Protocol> {
        self.protocol
    }

    /// The newest frame of each id, by id.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// How many frames came.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// How many of them have ids beyond those that are shown.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }
}

fn decode(protocol: Option<&'static Protocol>, frame: &Frame) -> Decoded {
    protocol.map_or(Decoded::NotMine, |protocol| protocol.decode(frame))
}

fn said(decoded: &Decoded) -> Vec<(String, String)> {
    match decoded {
        Decoded::Good(reading) => words::values(&reading.message),
        Decoded::Refused(_) | Decoded::NotMine => Vec::new(),
    }
}

impl Row {
    fn new(frame: &Frame, decoded: Decoded, now: Instant) -> Row {
        Row {
            frame: *frame,
            values: said(&decoded),
            decoded,
            count: 1,
            value_changes: BTreeMap::new(),
            byte_changes: [None; 8],
            last: now,
            marks: VecDeque::from([(now, 1)]),
        }
    }

    fn add(&mut self, frame: &Frame, decoded: Decoded, now: Instant) {
        self.count += 1;
        self.last = now;
        if self.marks.back().is_none_or(|(at, _)| now.saturating_duration_since(*at) >= MARK) {
            self.marks.push_back((now, self.count));
        }
        if self.marks.len() > MARKS {
            self.marks.pop_front();
        }
        if *frame == self.frame {
            return;
        }
        let (old, new) = (self.frame.data(), frame.data());
        for (n, changed) in self.byte_changes.iter_mut().enumerate() {
            if old.get(n) != new.get(n) {
                *changed = Some(now);
            }
        }
        let before: BTreeMap<String, String> = std::mem::take(&mut self.values).into_iter().collect();
        self.frame = *frame;
        self.say(decoded);
        for (name, value) in &self.values {
            if before.get(name) != Some(value) {
                self.value_changes.insert(name.clone(), now);
            }
        }
    }

    fn say(&mut self, decoded: Decoded) {
        self.values = said(&decoded);
        self.decoded = decoded;
    }

    /// Whether the byte at this place was another one a moment ago.
    pub(super) fn is_new_byte(&self, n: usize, now: Instant) -> bool {
        is_new(self.byte_changes.get(n).copied().flatten(), now)
    }

    /// Whether the value of this name was another one a moment ago.
    pub(super) fn is_new_value(&self, name: &str, now: Instant) -> bool {
        is_new(self.value_changes.get(name).copied(), now)
    }

    /// How often it comes.
    pub(super) fn rhythm(&self, now: Instant) -> Rhythm {
        let (Some((first, from)), Some((last, to))) = (self.marks.front(), self.marks.back()) else {
            return Rhythm::Once;
        };
        if from == to {
            return Rhythm::Once;
        }
        let period = last.duration_since(*first).div_f64((to - from) as f64);
        let age = now.saturating_duration_since(self.last);
        // Not at once: adapters hand frames on in portions.
        let late = (period * MISSED).max(NEW_FOR);
        if age > late { Rhythm::Stopped(age) } else { Rhythm::Every(period) }
    }
}

fn is_new(since: Option<Instant>, now: Instant) -> bool {
    since.is_some_and(|since| now.saturating_duration_since(since) < NEW_FOR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bms_can::protocols::by_name;

    const SECOND: Duration = Duration::from_secs(1);

    fn frame(id: u32, data: &[u8]) -> Frame {
        Frame::new(CanId::standard(id).unwrap(), data).unwrap()
    }

    fn row(traffic: &Traffic) -> &Row {
        traffic.rows().next().unwrap()
    }

    #[test]
    fn what_differs_from_the_frame_before_is_new_for_a_moment() {
        let start = Instant::now();
        let mut traffic = Traffic::default();
        traffic.speak(by_name("pylontech_lv").unwrap());
        traffic.add(&frame(0x355, &[0x1A, 0, 0x64, 0]), start);
        assert!(!row(&traffic).is_new_byte(0, start), "the first frame is no change");
        traffic.add(&frame(0x355, &[0x1B, 0, 0x64, 0]), start + SECOND);
        let row = row(&traffic);
        let new = |now| [0, 1, 2].map(|n| row.is_new_byte(n, now));
        assert_eq!(new(start + SECOND), [true, false, false]);
        assert!(row.is_new_value("soc_pct", start + SECOND) && !row.is_new_value("soh_pct", start + SECOND));
        assert_eq!(new(start + 3 * SECOND), [false; 3]);
        assert_eq!(
            row.values,
            [("soc_pct", "27"), ("soh_pct", "100")].map(|(n, v)| (n.to_owned(), v.to_owned()))
        );
    }

    #[test]
    fn the_period_is_the_mean_and_an_id_that_stops_is_told() {
        let start = Instant::now();
        let mut traffic = Traffic::default();
        traffic.add(&frame(0x355, &[1]), start);
        assert_eq!(row(&traffic).rhythm(start), Rhythm::Once);
        for ms in [900_u64, 2000, 3100, 4000] {
            traffic.add(&frame(0x355, &[1]), start + Duration::from_millis(ms));
        }
        let row = row(&traffic);
        assert_eq!(row.rhythm(start + 4 * SECOND), Rhythm::Every(SECOND));
        assert_eq!(row.rhythm(start + 7 * SECOND), Rhythm::Every(SECOND));
        assert_eq!(row.rhythm(start + 12 * SECOND), Rhythm::Stopped(8 * SECOND));
        assert_eq!(row.count, 5);
    }

    #[test]
    fn frames_that_are_handed_on_together_have_the_period_that_they_have_on_the_bus() {
        let start = Instant::now();
        let mut traffic = Traffic::default();
        for portion in 0..100 {
            let now = start + Duration::from_millis(20) * portion;
            (0..10).for_each(|_| _ = traffic.add(&frame(0x355, &[1]), now));
        }
        let Rhythm::Every(period) = row(&traffic).rhythm(start + 2 * SECOND) else { panic!() };
        assert!((1900..=2100).contains(&period.as_micros()), "{period:?}");
    }

    #[test]
    fn a_dialect_that_is_found_later_reads_what_came_before() {
        let now = Instant::now();
        let mut traffic = Traffic::default();
        assert_eq!(traffic.add(&frame(0x355, &[0x1A, 0, 0x64, 0]), now), Decoded::NotMine);
        traffic.speak(by_name("pylontech_lv").unwrap());
        assert!(matches!(row(&traffic).decoded, Decoded::Good(_)));
        assert!(!row(&traffic).is_new_value("soc_pct", now));
    }

    #[test]
    fn a_bus_without_sense_takes_bounded_memory() {
        let now = Instant::now();
        let mut traffic = Traffic::default();
        for id in 0..100_000 {
            traffic.add(&Frame::new(CanId::extended(id).unwrap(), &[]).unwrap(), now);
        }
        assert_eq!((traffic.rows().count(), traffic.frames()), (MOST_IDS, 100_000));
        assert_eq!(traffic.left_out(), 100_000 - MOST_IDS as u64);
    }
}
