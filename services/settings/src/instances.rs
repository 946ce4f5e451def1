//! `ClassAndVrmInstance`: the class of a device and its number, as in `battery:100`. No two devices of a class have the
//! same number, because MQTT, VRM and Modbus TCP address a device by both.

use std::collections::HashSet;

/// Class and number, or `None` where the text is not of the form `class:number`.
#[must_use]
pub fn parse(text: &str) -> Option<(&str, i32)> {
    let (class, number) = text.split_once(':')?;
    Some((class, number.trim().parse().ok()?))
}

/// The wanted class and number, or the next number that nobody of this class has. `None` where the text is not of the
/// form `class:number`, or no number above is free.
pub fn free<'a>(wanted: &str, taken: impl Iterator<Item = &'a str>) -> Option<String> {
    let (class, mut number) = parse(wanted)?;
    let taken: HashSet<i32> =
        taken.filter_map(parse).filter(|(of, _)| *of == class).map(|(_, n)| n).collect();
    while taken.contains(&number) {
        number = number.checked_add(1)?;
    }
    Some(format!("{class}:{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_next_free_number_within_the_class_is_given() {
        let taken = ["battery:1", "battery:2", "grid:3", "battery:4", "nonsense", "battery:x"];
        let free = |wanted| free(wanted, taken.into_iter());
        assert_eq!(free("battery:1").as_deref(), Some("battery:3"));
        assert_eq!(free("battery:5").as_deref(), Some("battery:5"));
        assert_eq!(free("grid:3").as_deref(), Some("grid:4"));
        assert_eq!(free("grid:007").as_deref(), Some("grid:7"));
        assert_eq!(free("grid:-3").as_deref(), Some("grid:-3"));
    }

    #[test]
    fn what_is_not_a_class_and_a_number_is_refused() {
        for bad in ["", "battery", "battery:", "battery:x", "a:b:1", "battery:1.5", "battery:99999999999"] {
            assert_eq!(free(bad, std::iter::empty()), None, "{bad}");
        }
        assert_eq!(free("a:2147483647", ["a:2147483647"].into_iter()), None);
    }

    proptest! {
        #[test]
        fn however_many_devices_ask_no_two_of_a_class_get_the_same(wanted in prop::collection::vec(("[ab]", 0..6i32), 0..40)) {
            let mut given: Vec<String> = Vec::new();
            for (class, number) in wanted {
                let one = free(&format!("{class}:{number}"), given.iter().map(String::as_str)).unwrap();
                prop_assert!(!given.contains(&one));
                given.push(one);
            }
        }
    }
}
