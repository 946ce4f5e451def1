//! Words for the numbers of an item, where it has any; pure.

use dbus_interfaces::Value;
use dbus_interfaces::classes::control as c;

use crate::bus::value::plain;

/// A word and the number that it stands for.
pub(super) type Word = (i64, String);

/// Of `/Mode`, on Victron's inverter/chargers and on what is shown as one.
const SWITCH_OF_CHARGERS: [&str; 5] = ["", "charger-only", "inverter-only", "on", "off"];

/// The words of an item; empty where it has none. `offered` are the ways of running that its device has.
pub(super) fn of(class: &str, path: &str, offered: Option<&[String]>) -> Vec<Word> {
    if path == c::MODE.path() {
        let is_offered = |word: &Word| offered.is_none_or(|offered| offered.contains(&word.1));
        return numbered(c::MODES).into_iter().filter(is_offered).collect();
    }
    if path == "/Mode" && ["vebus", "multi", "acsystem"].contains(&class) {
        return numbered(&SWITCH_OF_CHARGERS).into_iter().filter(|(_, word)| !word.is_empty()).collect();
    }
    let is_switch = |name: &str| name.ends_with("_enable") || ["on_off", "force_charge"].contains(&name);
    match c::SET_POINTS.iter().any(|(name, item)| is_switch(name) && item.path() == path) {
        true => numbered(&["off", "on"]),
        false => Vec::new(),
    }
}

/// The type of a set point that holds no value at present.
pub(super) fn type_of(path: &str) -> Option<Value> {
    if path == c::MODE.path() || path == c::TIMEOUT.path() {
        return Some(Value::Int(0));
    }
    let is_set_point = path == c::POWER.path() || c::SET_POINTS.iter().any(|(_, item)| item.path() == path);
    is_set_point.then_some(Value::Real(0.0))
}

fn numbered(words: &[&str]) -> Vec<Word> {
    (0..).zip(words.iter().map(|word| (*word).to_owned())).collect()
}

/// What is typed where a number stands for it; a number stays what it is. In words, case and `_` do not matter.
///
/// # Errors
/// A sentence with the words that there are.
pub(super) fn number(typed: &str, words: &[Word]) -> Result<String, String> {
    if words.is_empty() || typed.trim().parse::<f64>().is_ok() {
        return Ok(typed.to_owned());
    }
    let plain = |word: &str| word.trim().to_lowercase().replace(['_', ' '], "-");
    let found = words.iter().find(|(_, word)| plain(word) == plain(typed));
    found.map(|(number, _)| number.to_string()).ok_or_else(|| {
        let all: Vec<&str> = words.iter().map(|(_, word)| word.as_str()).collect();
        format!("{typed:?} is none of its words: {}", all.join(", "))
    })
}

/// A value for people: the word where there is one.
pub(super) fn shown(value: Option<&Value>, words: &[Word]) -> String {
    let number = value.and_then(Value::as_f64);
    let word = words.iter().find(|(known, _)| number == Some(*known as f64));
    word.map_or_else(|| plain(value), |(_, word)| word.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_has_words_takes_them_and_lists_them_where_one_is_wrong() {
        let words = of("multi", "/Control/Mode", None);
        assert_eq!(number("sleep", &words), Ok("2".to_owned()));
        assert_eq!(number("Self_Consumption", &words), Ok("1".to_owned()));
        assert_eq!(number("4", &words), Ok("4".to_owned()));
        let offered = ["own".to_owned(), "charge".to_owned()];
        let few = of("multi", "/Control/Mode", Some(&offered));
        assert_eq!(number("sleep", &few), Err("\"sleep\" is none of its words: own, charge".to_owned()));
        assert_eq!(shown(Some(&Value::Int(4)), &few), "charge");
        assert_eq!(shown(Some(&Value::Int(2)), &few), "2");
    }

    #[test]
    fn switches_have_words_and_other_items_have_none() {
        assert_eq!(number("on", &of("multi", "/Control/GridChargeEnable", None)), Ok("1".to_owned()));
        assert_eq!(number("charger only", &of("vebus", "/Mode", None)), Ok("1".to_owned()));
        assert!(of("battery", "/Mode", None).is_empty());
        assert_eq!(number("Barn", &of("multi", "/CustomName", None)), Ok("Barn".to_owned()));
    }
}
