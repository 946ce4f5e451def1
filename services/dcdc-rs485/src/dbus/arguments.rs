//! The arguments of the converter's own commands, read. Pure.

use dbus_interfaces::Value;
use dbus_interfaces::bus1::Entries;
use dbus_interfaces::bus1::arguments::value;

use crate::eza::command::Shape;
use crate::eza::field::Field;

/// The words of a command: `words` as they are, or `values` by their names in their units.
pub(super) fn words(arguments: &Entries, shape: &Shape, check_range: bool) -> Option<Vec<u16>> {
    let word = |number: i32| u16::try_from(number).ok();
    match (value(arguments, "words"), value(arguments, "values")) {
        (Some(Value::Ints(numbers)), None) => {
            let words: Vec<u16> = numbers.iter().map(|number| word(*number)).collect::<Option<_>>()?;
            let is_declared = |(field, word): (&&Field, &u16)| {
                field.word(&field.value(*word).to_string(), check_range).is_ok()
            };
            let fits = words.len() == shape.sends.len() && shape.sends.iter().zip(&words).all(is_declared);
            fits.then_some(words)
        }
        (None, Some(Value::Map(values))) => {
            let number = |field: &&Field| {
                let (_, value) = values.iter().find(|(name, _)| name == field.name)?;
                let text = match value {
                    Value::Text(text) => text.clone(),
                    number => number.as_f64()?.to_string(),
                };
                field.word(&text, check_range).ok()
            };
            if values.len() != shape.sends.len() {
                return None;
            }
            shape.sends.iter().map(number).collect()
        }
        (None, None) if shape.sends.is_empty() => Some(Vec::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eza::command;

    fn arguments(entries: &[(&str, Value)]) -> Entries {
        entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn the_words_of_a_command_come_by_name_or_as_they_are_and_within_their_ranges() {
        let shape = command::by_name("5-4").unwrap();
        let named = Value::Map(vec![("mdz".to_owned(), 0.into()), ("pdz".to_owned(), "1.9".into())]);
        let of = |entries: &[(&str, Value)]| words(&arguments(entries), shape, true);
        assert_eq!(of(&[("values", named)]), Some(vec![81, 0]));
        assert_eq!(of(&[("words", Value::Ints(vec![81, 0]))]), Some(vec![81, 0]));
        assert_eq!(of(&[("words", Value::Ints(vec![16_000, 0]))]), None);
        assert_eq!(of(&[("words", Value::Ints(vec![81]))]), None);
        assert_eq!(of(&[]), None);
        assert_eq!(words(&Entries::new(), command::by_name("10-1").unwrap(), true), Some(Vec::new()));
    }
}
