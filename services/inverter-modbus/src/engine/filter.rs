//! Which values are believed: one read that cannot be right changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::decode::{Heard, Said, Value};

/// So many reads in a row may bring a value that cannot be, or a number without a word, before there is none.
const WILD: u32 = 3;
/// So many reads in a row must bring a lower counter before it counts: the device was replaced or reset.
const LOWER: u32 = 3;
/// A device with more unknown states than this says nothing that is worth a line.
const MOST_UNKNOWN: usize = 16;

/// The points as they are believed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    points: BTreeMap<String, Believed>,
}

#[derive(Debug, Clone, Default)]
struct Believed {
    value: Option<Value>,
    read: u64,
    wild: u32,
    /// What a counter showed last, also while it shows nothing.
    counted: Option<f64>,
    lower: u32,
    unknown: BTreeSet<i128>,
    was_seen: bool,
}

impl Filter {
    /// Takes in what an image says. Returns the numbers without a word that are new, with their points.
    pub fn take<'h>(&mut self, heard: &[Heard<'h>]) -> Vec<(&'h str, i128)> {
        let mut unknown = Vec::new();
        for point in heard {
            let believed = match self.points.get_mut(point.name) {
                Some(believed) => believed,
                None => self.points.entry(point.name.to_owned()).or_default(),
            };
            if let Some(number) = believed.take(point) {
                unknown.push((point.name, number));
            }
        }
        unknown
    }

    /// A point; `None` without a value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.points.get(name)?.value.as_ref()
    }

    /// A point as a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.number()
    }

    /// A point as text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) | Value::Word(text, _) => Some(text),
            _ => None,
        }
    }

    /// Whether a point has ever had a value.
    #[must_use]
    pub fn was_seen(&self, name: &str) -> bool {
        self.points.get(name).is_some_and(|believed| believed.was_seen)
    }

    /// Every point that has a value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.points.iter().filter_map(|(name, believed)| Some((name.as_str(), believed.value.as_ref()?)))
    }

    /// Forgets every value: the device was away. What it has at all stays known, as it will be the same one, and so does how far
    /// its counters were: one that has just begun may say 0.
    pub fn clear(&mut self) {
        for believed in self.points.values_mut() {
            let Believed { was_seen, counted, .. } = *believed;
            *believed = Believed { was_seen, counted, ..Believed::default() };
        }
    }
}

impl Believed {
    /// Takes one point in. Returns a number that has no word, the first time.
    fn take(&mut self, point: &Heard<'_>) -> Option<i128> {
        let is_new = point.read != self.read;
        self.read = point.read;
        match &point.said {
            Said::Value(value) => {
                self.wild = 0;
                if point.is_counter && self.goes_back(value, is_new) {
                    return None;
                }
                self.lower = 0;
                self.counted = value.number().filter(|_| point.is_counter);
                self.was_seen = true;
                self.value = Some(value.clone());
            }
            Said::Wild(_) => {
                self.wild += u32::from(is_new);
                if self.wild > WILD {
                    self.value = None;
                }
            }
            Said::Unknown(number) => {
                let is_known = self.unknown.contains(number) || self.unknown.len() >= MOST_UNKNOWN;
                self.unknown.insert(*number);
                self.wild += u32::from(is_new);
                if self.wild > WILD {
                    self.value = None;
                }
                return (!is_known).then_some(*number);
            }
            Said::Nothing | Said::Unread => {
                (self.wild, self.lower) = (0, 0);
                self.value = None;
            }
        }
        None
    }

    /// Whether a counter shows less than before and that is not believed yet.
    fn goes_back(&mut self, value: &Value, is_new: bool) -> bool {
        let (Some(before), Some(now)) = (self.counted, value.number()) else { return false };
        if now >= before {
            return false;
        }
        self.lower += u32::from(is_new);
        self.lower < LOWER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(said: Said, read: u64) -> [Heard<'static>; 1] {
        [Heard { name: "it", said, read, is_counter: false }]
    }

    fn number(value: f64) -> Said {
        Said::Value(Value::Number(value))
    }

    #[test]
    fn a_value_that_cannot_be_leaves_the_last_one_for_three_reads() {
        let mut filter = Filter::default();
        filter.take(&heard(number(5.0), 1));
        for read in 2..5 {
            for _ in 0..10 {
                filter.take(&heard(Said::Wild(1e9), read));
            }
            assert_eq!(filter.number("it"), Some(5.0), "decoding again is no new read");
        }
        filter.take(&heard(Said::Wild(1e9), 5));
        assert_eq!(filter.number("it"), None);
        filter.take(&heard(number(6.0), 6));
        filter.take(&heard(Said::Wild(1e9), 7));
        assert_eq!(filter.number("it"), Some(6.0));
    }

    #[test]
    fn a_counter_goes_back_only_when_it_stays_there() {
        let mut filter = Filter::default();
        let counter = |value, read| [Heard { name: "it", said: number(value), read, is_counter: true }];
        for (read, value, believed) in [
            (1, 100.0, 100.0),
            (2, 3.0, 100.0),
            (3, 101.0, 101.0),
            (4, 3.0, 101.0),
            (5, 3.0, 101.0),
            (6, 3.1, 3.1),
        ] {
            filter.take(&counter(value, read));
            assert_eq!(filter.number("it"), Some(believed), "read {read}");
        }
    }

    #[test]
    fn a_counter_that_begins_with_nothing_after_a_gap_shows_nothing_until_it_is_back() {
        let counter = |said, read| [Heard { name: "it", said, read, is_counter: true }];
        for is_cleared in [false, true] {
            let mut filter = Filter::default();
            filter.take(&counter(number(1234.0), 1));
            if is_cleared {
                filter.clear();
            } else {
                filter.take(&counter(Said::Nothing, 2));
            }
            assert_eq!(filter.number("it"), None);
            for (read, value, believed) in
                [(3, 0.0, None), (4, 0.0, None), (5, 1234.5, Some(1234.5)), (6, 0.0, Some(1234.5))]
            {
                filter.take(&counter(number(value), read));
                assert_eq!(filter.number("it"), believed, "read {read}");
            }
            filter.take(&counter(Said::Unread, 6));
            for (read, believed) in [(7, None), (8, None), (9, Some(0.0))] {
                filter.take(&counter(number(0.0), read));
                assert_eq!(filter.number("it"), believed, "it was exchanged or reset: read {read}");
            }
        }
    }

    #[test]
    fn what_is_no_counter_is_forgotten_with_the_device() {
        let mut filter = Filter::default();
        filter.take(&heard(number(50.0), 1));
        filter.clear();
        filter.take(&heard(number(3.0), 2));
        assert_eq!(filter.number("it"), Some(3.0));
    }

    #[test]
    fn a_number_without_a_word_keeps_the_last_word_for_three_reads_and_is_told_once() {
        let mut filter = Filter::default();
        filter.take(&heard(Said::Value(Value::Word("running".into(), 2.0)), 1));
        assert_eq!(filter.take(&heard(Said::Unknown(9), 2)), [("it", 9)]);
        assert_eq!(filter.take(&heard(Said::Unknown(9), 3)), []);
        assert_eq!(filter.take(&heard(Said::Unknown(8), 4)), [("it", 8)]);
        assert_eq!(filter.text("it"), Some("running"));
        filter.take(&heard(Said::Unknown(8), 5));
        assert_eq!(filter.text("it"), None, "what it was long ago says nothing");
    }

    #[test]
    fn no_data_is_no_value_at_once() {
        let mut filter = Filter::default();
        filter.take(&heard(number(5.0), 1));
        filter.take(&heard(Said::Nothing, 2));
        assert_eq!(filter.number("it"), None);
    }

    #[test]
    fn what_had_a_value_once_is_known_although_the_device_has_gone() {
        let mut filter = Filter::default();
        filter.take(&heard(Said::Nothing, 1));
        assert!(!filter.was_seen("it"));
        filter.take(&heard(number(0.0), 2));
        filter.clear();
        assert_eq!((filter.was_seen("it"), filter.number("it"), filter.iter().count()), (true, None, 0));
    }
}
