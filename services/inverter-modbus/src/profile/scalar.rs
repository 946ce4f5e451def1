//! Small values of a profile that TOML has no type for: numbered tables, periods, addresses by table.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

/// A table whose keys are numbers, decimal or `0x` hexadecimal, or ranges of them: `{ 0 = "standby", 0x1000-0x1FFF = "fault" }`.
/// A number that has an entry of its own is left out of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered<T>(pub BTreeMap<i128, T>);

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Numbered(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de> + Clone> Deserialize<'de> for Numbered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Clone> Visitor<'de> for Entries<T> {
            type Value = Numbered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table whose keys are numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Numbered<T>, A::Error> {
                let (mut entries, mut ranges) = (BTreeMap::new(), Vec::new());
                while let Some(key) = map.next_key::<String>()? {
                    let (first, last) = numbers(&key).ok_or_else(|| {
                        de::Error::custom(format!("the key {key:?} is no number, or a range of too many"))
                    })?;
                    if first != last {
                        ranges.push((first, last, map.next_value::<T>()?));
                    } else if entries.insert(first, map.next_value()?).is_some() {
                        return Err(de::Error::custom(format!("{first} stands here twice")));
                    }
                }
                for (first, last, value) in ranges {
                    for number in first..=last {
                        entries.entry(number).or_insert_with(|| value.clone());
                    }
                }
                Ok(Numbered(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// More numbers than a range of them may have.
const WIDEST: i128 = 0x1000;

/// The first and the last number of a key.
fn numbers(text: &str) -> Option<(i128, i128)> {
    if let Some(number) = number(text) {
        return Some((number, number));
    }
    let (first, last) = text.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    (first < last && last - first < WIDEST).then_some((first, last))
}

/// A whole number as a key has it.
fn number(text: &str) -> Option<i128> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => i128::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// How often something is read: a time, or once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Every {
    /// With this period.
    Period(Duration),
    /// Once, when the device is found.
    Once,
}

impl Every {
    /// The period; `None` for what is read once.
    #[must_use]
    pub fn period(self) -> Option<Duration> {
        match self {
            Every::Period(period) => Some(period),
            Every::Once => None,
        }
    }
}

impl Default for Every {
    fn default() -> Self {
        Every::Period(Duration::from_secs(1))
    }
}

impl<'de> Deserialize<'de> for Every {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Nothing stands in the place of what was refused already: the block that it is of is there nevertheless.
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(Every::default()) };
        if text == "once" {
            return Ok(Every::Once);
        }
        let period = duration(&text).filter(|period| *period >= Duration::from_millis(100));
        period.map(Every::Period).ok_or_else(|| de::Error::custom(format!("{text:?} is neither \"once\" nor a time of 100ms and more, such as \"1s\", \"500ms\" or \"5m\"")))
    }
}

/// A time: `"500ms"`, `"30s"`, `"5m"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        duration(&text).map(Time).ok_or_else(|| {
            de::Error::custom(format!("{text:?} is no time, such as \"500ms\", \"30s\" or \"5m\""))
        })
    }
}

fn duration(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at_checked(end)?;
    let count: u32 = count.parse().ok()?;
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        _ => return None,
    };
    Some(unit * count).filter(|time| !time.is_zero() && *time <= Duration::from_secs(24 * 3600))
}

/// The four address spaces of Modbus (application protocol V1.1b3, 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Table {
    /// Read by function 1, written by 5 and 15; one bit.
    Coil,
    /// Read by function 2; one bit.
    Discrete,
    /// Read by function 4; 16 bits.
    Input,
    /// Read by function 3, written by 6 and 16; 16 bits.
    Holding,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Table::Coil => "coil",
            Table::Discrete => "discrete",
            Table::Input => "input",
            Table::Holding => "holding",
        })
    }
}

/// Addresses that are never read, not even on the way from one to another. `[first, last]` holds for both register
/// tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forbidden {
    /// Where; both register tables without it.
    pub table: Option<Table>,
    /// First address.
    pub from: u16,
    /// Last address.
    pub to: u16,
}

impl Forbidden {
    /// Whether any of `count` registers from `addr` on is forbidden.
    #[must_use]
    pub fn touches(&self, table: Table, addr: u16, count: u16) -> bool {
        let here = self.table.is_none_or(|forbidden| forbidden == table);
        let last = u32::from(addr) + u32::from(count.max(1)) - 1;
        here && u32::from(self.from) <= last && addr <= self.to
    }
}

impl<'de> Deserialize<'de> for Forbidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Forbidden;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[first, last] or { table = ..., from = ..., to = ... }")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Forbidden, A::Error> {
                let mut next =
                    || seq.next_element()?.ok_or_else(|| de::Error::custom("two addresses are needed"));
                Ok(Forbidden { table: None, from: next()?, to: next()? })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Forbidden, A::Error> {
                let (mut table, mut from, mut to) = (None, None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "table" => table = Some(map.next_value()?),
                        "from" => from = Some(map.next_value()?),
                        "to" => to = Some(map.next_value()?),
                        _ => return Err(de::Error::unknown_field(&key, &["table", "from", "to"])),
                    }
                }
                let missing = || de::Error::custom("from and to are needed");
                Ok(Forbidden { table, from: from.ok_or_else(missing)?, to: to.ok_or_else(missing)? })
            }
        }
        deserializer.deserialize_any(Form)
    }
}

/// What a table is where a field does not say it.
pub(super) fn holding() -> Table {
    Table::Holding
}

/// What a scale is where a field does not say it.
pub(super) fn one() -> f64 {
    1.0
}

/// What is so where a field does not say it.
pub(super) fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_are_not_zero() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("5m"), Some(Duration::from_secs(300)));
        for wrong in ["5", "s", "0s", "-1s", "1h", "1.5s", "99999999999s", "99999m"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn keys_are_decimal_or_hexadecimal() {
        assert_eq!((number("0x1000"), number("-1"), number("12")), (Some(4096), Some(-1), Some(12)));
        assert_eq!((number("1_0"), number("x"), number("")), (None, None, None));
        assert_eq!((numbers("0x10-0x1F"), numbers("-1")), (Some((16, 31)), Some((-1, -1))));
        assert_eq!((numbers("9-3"), numbers("0-70000"), numbers("1-")), (None, None, None));
    }

    #[test]
    fn a_range_leaves_out_what_has_a_word_of_its_own() {
        let table: Numbered<String> = toml::from_str("1-3 = \"fault\"\n2 = \"off\"").unwrap();
        let words: Vec<_> = table.0.iter().map(|(raw, word)| (*raw, word.as_str())).collect();
        assert_eq!(words, [(1, "fault"), (2, "off"), (3, "fault")]);
    }

    #[test]
    fn a_forbidden_range_is_touched_from_outside() {
        let range = Forbidden { table: None, from: 30_000, to: 65_535 };
        assert!(range.touches(Table::Input, 29_990, 11) && !range.touches(Table::Input, 29_990, 10));
        assert!(range.touches(Table::Holding, 65_535, 1));
        let inputs = Forbidden { table: Some(Table::Input), ..range };
        assert!(!inputs.touches(Table::Holding, 40_000, 2));
    }
}
