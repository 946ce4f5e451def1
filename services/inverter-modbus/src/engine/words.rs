//! Words that stand for numbers of a device.

use std::collections::BTreeMap;

/// What on and off are to whoever sets or sees them, whatever number a device has for them.
const ON_AND_OFF: [(&str, f64); 2] = [("on", 1.0), ("off", 0.0)];

/// The number of the device for a value; other words than on and off are their number.
pub(super) fn number_of(words: &BTreeMap<String, i64>, value: f64) -> Option<f64> {
    let is_switch = ON_AND_OFF.iter().all(|(word, _)| words.contains_key(*word));
    let word = ON_AND_OFF.iter().find(|(_, number)| is_switch && *number == value);
    let named = word.and_then(|(word, _)| words.get(*word));
    let other = || words.values().find(|number| !is_switch && **number as f64 == value);
    named.or_else(other).map(|number| *number as f64)
}

/// The value for a number of the device.
pub(super) fn value_of(words: &BTreeMap<String, i64>, number: f64) -> f64 {
    let is_it = |word: &str| words.get(word).is_some_and(|raw| *raw as f64 == number);
    ON_AND_OFF.iter().find(|(word, _)| is_it(word)).map_or(number, |(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(all: &[(&str, i64)]) -> BTreeMap<String, i64> {
        all.iter().map(|(word, number)| ((*word).to_owned(), *number)).collect()
    }

    #[test]
    fn on_and_off_are_1_and_0_whatever_the_device_calls_them() {
        let switch = words(&[("on", 190), ("off", 222)]);
        assert_eq!(
            [1.0, 0.0, 190.0].map(|value| number_of(&switch, value)),
            [Some(190.0), Some(222.0), None]
        );
        assert_eq!([190.0, 222.0, 7.0].map(|number| value_of(&switch, number)), [1.0, 0.0, 7.0]);
    }

    #[test]
    fn other_words_are_their_numbers() {
        let modes = words(&[("a", 0), ("b", 2)]);
        assert_eq!([0.0, 1.0, 2.0].map(|value| number_of(&modes, value)), [Some(0.0), None, Some(2.0)]);
        assert_eq!(value_of(&modes, 2.0), 2.0);
    }
}
