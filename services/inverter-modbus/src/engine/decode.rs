//! Points from an image.

use std::collections::BTreeMap;

use super::image::Image;
use super::layout::Raw;
use super::map::{Entry, Group, Map, Number, Source};
use crate::profile::point::Alarm;

/// The largest power of ten that SunSpec allows.
pub(super) const MOST_POWER: i128 = 10;

/// The value of a point.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number, in the unit of the point.
    Number(f64),
    /// A text; never empty.
    Text(String),
    /// A word, and the number that it stands for.
    Word(String, f64),
    /// Bits.
    Bits(Bits),
}

/// Bits, and what they say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bits {
    /// All of them.
    pub raw: u64,
    /// The number of the first.
    pub first: u16,
    /// The alarms of those that are set.
    pub alarms: Vec<Alarm>,
    /// The texts of those that are set; `bit 7` for one without.
    pub texts: Vec<String>,
}

/// What an image says of a point.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// A value.
    Value(Value),
    /// The device has no value now.
    Nothing,
    /// A number that has no word.
    Unknown(i128),
    /// A value that cannot be.
    Wild(f64),
    /// The registers were not read, or the point has none under these conditions.
    Unread,
}

impl Value {
    /// As a number, as expressions see it.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Number(number) | Value::Word(_, number) => Some(*number),
            Value::Bits(bits) => Some(bits.raw as f64),
            Value::Text(_) => None,
        }
    }
}

/// What the image says of one point: the name, what, the newest read that it comes from (0 for none), and whether it
/// counts up.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard<'m> {
    /// The point.
    pub name: &'m str,
    /// What.
    pub said: Said,
    /// The newest read that it comes from; 0 for none.
    pub read: u64,
    /// It counts up for ever.
    pub is_counter: bool,
}

/// What the image says of every point, in the order of the map.
#[must_use]
pub fn decode<'m>(map: &'m Map, image: &Image) -> Vec<Heard<'m>> {
    let mut numbers: BTreeMap<&str, (Option<f64>, u64)> = BTreeMap::new();
    let mut heard = Vec::with_capacity(map.groups.len());
    for group in &map.groups {
        let (said, read, is_counter) = of_group(group, image, &numbers);
        let number = match &said {
            Said::Value(value) => value.number(),
            Said::Unknown(raw) => Some(*raw as f64),
            _ => None,
        };
        numbers.insert(&group.name, (number, read));
        heard.push(Heard { name: &group.name, said, read, is_counter });
    }
    heard
}

type Numbers<'m> = BTreeMap<&'m str, (Option<f64>, u64)>;

fn of_group(group: &Group, image: &Image, numbers: &Numbers<'_>) -> (Said, u64, bool) {
    let point = |name: &str| numbers.get(name).and_then(|(number, _)| *number);
    let holds = |entry: &&Entry| entry.when.as_ref().is_none_or(|when| when.holds(&point));
    // Of several ways without a condition the first that says anything counts: models that a device may lack.
    let mut first = (Said::Unread, 0, false);
    for (n, entry) in group.entries.iter().filter(holds).enumerate() {
        let (said, read) = of_source(&entry.source, image, numbers);
        let said = within(said, entry.range);
        let short = matches!(said, Said::Wild(_)).then(|| of_short(&entry.source, image, numbers)).flatten();
        let said = short.map(|short| within(short, entry.range)).unwrap_or(said);
        let is_value = matches!(said, Said::Value(_) | Said::Wild(_));
        if is_value || n == 0 {
            first = (said, read, entry.is_counter);
        }
        if is_value {
            break;
        }
    }
    first
}

/// A number out of its range is wild.
fn within(said: Said, range: Option<(f64, f64)>) -> Said {
    match (said, range) {
        (Said::Value(Value::Number(number)), Some((low, high))) if !(low..=high).contains(&number) => {
            Said::Wild(number)
        }
        (said, _) => said,
    }
}

/// What the lowest register of a number says alone, where firmware may leave the others at zero and they are.
fn of_short(source: &Source, image: &Image, numbers: &Numbers<'_>) -> Option<Said> {
    let Source::Number(number) = source else { return None };
    let Raw::Int(raw) = number.layout.read(image)? else { return None };
    let low = u16::try_from(raw).ok().filter(|_| number.short)?;
    Some(of_number(number, &Raw::Int(i128::from(low as i16)), image, numbers))
}

fn of_source(source: &Source, image: &Image, numbers: &Numbers<'_>) -> (Said, u64) {
    let read = source.layout().and_then(|layout| layout.read_of(image)).unwrap_or(0);
    let raw = source.layout().and_then(|layout| layout.read(image));
    let said = match (source, raw) {
        (Source::Made { expr, scale, offset }, _) => {
            let point = |name: &str| numbers.get(name).and_then(|(number, _)| *number);
            let mut needed = Vec::new();
            expr.names(&mut needed);
            let reads = needed.iter().filter_map(|name| numbers.get(name.as_str()));
            let read = reads.map(|(_, read)| *read).max().unwrap_or(0);
            let said = match expr.value(&point) {
                Some(made) => Said::Value(Value::Number(tidy(made * scale + offset))),
                None if read == 0 => Said::Unread,
                None => Said::Nothing,
            };
            return (said, read);
        }
        (_, None) => Said::Unread,
        (Source::Number(number), Some(raw)) => of_number(number, &raw, image, numbers),
        (Source::Text(_), Some(Raw::Text(text))) if !text.is_empty() => Said::Value(Value::Text(text)),
        (Source::Word { words, none, .. }, Some(Raw::Int(raw))) => match words.get(&raw) {
            Some(word) => Said::Value(Value::Word(word.clone(), raw as f64)),
            None if *none == Some(raw) => Said::Nothing,
            None => Said::Unknown(raw),
        },
        (Source::Bits { none, .. }, Some(Raw::Int(raw))) if *none == Some(raw as u64) => Said::Nothing,
        (Source::Bits { first, alarms, texts, .. }, Some(Raw::Int(raw))) => {
            let raw = raw as u64;
            let set =
                (0..64).filter(|bit| raw >> bit & 1 == 1).map(|bit| i128::from(bit) + i128::from(*first));
            let mut bits = Bits { raw, first: *first, ..Bits::default() };
            for bit in set {
                bits.alarms.extend(alarms.get(&bit));
                let text = texts.get(&bit).cloned();
                bits.texts.push(text.unwrap_or_else(|| format!("bit {bit}")));
            }
            Said::Value(Value::Bits(bits))
        }
        _ => Said::Nothing,
    };
    (said, read)
}

fn of_number(number: &Number, raw: &Raw, image: &Image, numbers: &Numbers<'_>) -> Said {
    if let Raw::Int(raw) = raw
        && number.none.contains(raw)
    {
        return Said::Nothing;
    }
    let Some(mut value) = raw.number() else { return Said::Nothing };
    if let Some((layout, signs)) = &number.sign {
        let Some(Raw::Int(which)) = layout.read(image) else { return Said::Unread };
        let Some(sign) = signs.get(&which) else { return Said::Nothing };
        value = value.abs() * sign;
    }
    let power = match (&number.power_at, &number.power_of) {
        (Some(layout), _) => match layout.read(image) {
            Some(Raw::Int(power)) => Some(power),
            _ => return Said::Unread,
        },
        (None, Some(name)) => match numbers.get(name.as_str()) {
            Some((Some(power), _)) => Some(*power as i128),
            _ => return Said::Nothing,
        },
        (None, None) => None,
    };
    if let Some(power) = power {
        if !(-MOST_POWER..=MOST_POWER).contains(&power) {
            return Said::Nothing;
        }
        value = ten_to(power, value);
    }
    Said::Value(Value::Number(tidy(value * number.scale + number.offset)))
}

/// `value` times a power of ten; divided for negative ones, so that 2305 and -1 are 230.5.
fn ten_to(power: i128, value: f64) -> f64 {
    let factor = 10_f64.powi(i32::try_from(power.abs()).unwrap_or(0));
    if power < 0 { value / factor } else { value * factor }
}

/// Numbers from here on are as they are: they have no digits to spare.
const LARGE: f64 = 4e6;

/// A number without the last digits that only binary fractions make: 51.98 instead of 51.980000000000004.
#[must_use]
pub fn tidy(number: f64) -> f64 {
    if number.abs() < LARGE { (number * 1e9).round() / 1e9 } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{parse, scalar::Table, tests::SMALL};

    /// What is said of a point added to the small profile, when the registers from 586 on hold this.
    fn said(toml: &str, name: &str, registers: &[u16]) -> Said {
        let text = format!("{SMALL}{toml}");
        let profile = parse(&text, "test.toml").unwrap_or_else(|errors| panic!("{errors}"));
        let map = Map::new(&profile, None, false);
        let mut image = Image::default();
        image.put(Table::Holding, 586, registers, 1);
        decode(&map, &image).into_iter().find(|heard| heard.name == name).unwrap().said
    }

    fn number(toml: &str, registers: &[u16]) -> Option<f64> {
        match said(&format!("[[point]]\nname = \"x_it\"\n{toml}\n"), "x_it", registers) {
            Said::Value(Value::Number(number)) => Some(number),
            _ => None,
        }
    }

    fn near(left: Option<f64>, right: f64) -> bool {
        left.is_some_and(|left| (left - right).abs() < 1e-9)
    }

    #[test]
    fn numbers_have_no_digits_that_nobody_measured() {
        assert_eq!([5198.0 * 0.01, 0.1 + 0.2, -1234.8000000000002].map(tidy), [51.98, 0.3, -1234.8]);
        assert_eq!([f64::INFINITY, 1e300, 0.0].map(tidy), [f64::INFINITY, 1e300, 0.0]);
    }

    #[test]
    fn values_are_scaled_and_shifted() {
        assert!(near(number("addr = 586\ntype = \"s16\"\nscale = -1", &[0xFFFE]), 2.0));
        assert!(near(number("addr = 586\nscale = 0.1\noffset = -100", &[1253]), 25.3));
    }

    #[test]
    fn what_means_no_data_is_nothing() {
        let it = "[[point]]\nname = \"x_it\"\naddr = 586\ntype = \"s16\"\ninvalid = [0x8000, -1]\n";
        assert_eq!(said(it, "x_it", &[0x8000]), Said::Nothing);
        assert_eq!(said(it, "x_it", &[0xFFFF]), Said::Nothing);
        assert_eq!(said(it, "x_it", &[0x8001]), Said::Value(Value::Number(-32_767.0)));
        assert_eq!(said(it, "x_it", &[]), Said::Unread);
    }

    #[test]
    fn a_magnitude_takes_its_sign_from_elsewhere() {
        let toml =
            "addr = 586\ntype = \"s16\"\nscale = 0.1\nsign_from = { addr = 587, map = { 0 = 1, 1 = -1 } }";
        assert!(near(number(toml, &[123, 0]), 12.3));
        assert!(near(number(toml, &[123, 1]), -12.3));
        assert!(near(number(toml, &[(-123_i16) as u16, 1]), -12.3), "whatever sign it has itself");
        assert_eq!(number(toml, &[123, 2]), None);
        assert_eq!(number(toml, &[123]), None);
    }

    #[test]
    fn a_power_of_ten_comes_from_a_register_or_a_point() {
        let at = "addr = 586\nscale_addr = 587";
        assert!(near(number(at, &[2305, 0xFFFF]), 230.5));
        assert!(near(number(at, &[23, 2]), 2300.0));
        assert_eq!(number(at, &[23, 0x8000]), None, "not implemented");
        assert_eq!(number(at, &[23]), None);
        let of = "addr = 586\nscale_from = \"_sf\"\n[[point]]\nname = \"_sf\"\naddr = 588\ntype = \"sf16\"";
        assert!(near(number(of, &[2305, 0, 0xFFFE]), 23.05));
    }

    #[test]
    fn words_of_a_number_may_be_apart() {
        let toml = "words_at = [586, 589]\ntype = \"s32\"\nrange = [-100000, 100000]";
        assert_eq!(number(toml, &[0xFC18, 7, 7, 0xFFFF]), Some(-1000.0));
        assert_eq!(number(toml, &[0xFC18, 7, 7, 0x7FFF]), None, "outside of its range");
    }

    #[test]
    fn old_firmware_that_knows_only_the_lowest_word_is_understood() {
        let toml = "words_at = [586, 589]\ntype = \"s32\"\nshort = true\nrange = [-32768, 32767]";
        assert_eq!(number(toml, &[0xE890, 7, 7, 0]), Some(-6000.0), "zeros instead of a sign");
        assert_eq!(number(toml, &[0xE890, 7, 7, 0xFFFF]), Some(-6000.0));
        assert_eq!(number(toml, &[0x1770, 7, 7, 0]), Some(6000.0));
        assert_eq!(number(toml, &[0x1770, 7, 7, 1]), None, "too much");
        let wider = toml.replace("-32768, 32767", "-60000, 60000");
        assert_eq!(number(&wider, &[0x9C40, 7, 7, 0]), Some(40_000.0), "it can be");
    }

    #[test]
    fn conditions_choose_between_ways_to_a_point() {
        let ways = "addr = 587\nwhen = \"x_kind == 1\"\n[[point]]\nname = \"x_it\"\naddr = 588\n\
                    when = \"x_kind == 2\"\n[[point]]\nname = \"x_kind\"\naddr = 586";
        assert_eq!(number(ways, &[1, 10, 20]), Some(10.0));
        assert_eq!(number(ways, &[2, 10, 20]), Some(20.0));
        assert_eq!(number(ways, &[3, 10, 20]), None);
    }

    #[test]
    fn an_expression_lacks_what_its_operands_lack() {
        assert_eq!(said("", "pv_power", &[0; 15]), Said::Value(Value::Number(0.0)));
        assert_eq!(said("", "pv_power", &[]), Said::Unread);
    }

    #[test]
    fn all_bits_at_once_are_the_mark_of_who_has_marks() {
        let said = |marks: &str, registers: &[u16]| {
            let profile = parse(&format!("{marks}\n{SMALL}"), "test.toml").unwrap();
            let mut image = Image::default();
            image.put(Table::Holding, 611, registers, 1);
            let map = Map::new(&profile, None, false);
            decode(&map, &image).into_iter().find(|heard| heard.name == "fault_code").unwrap().said
        };
        assert_eq!(said("sentinels = \"sunspec\"", &[0xFFFF; 4]), Said::Nothing);
        assert!(matches!(said("sentinels = \"sunspec\"", &[0x7FFF; 4]), Said::Value(_)));
        assert!(matches!(said("", &[0xFFFF; 4]), Said::Value(_)));
    }

    #[test]
    fn words_and_bits_are_said() {
        let mut registers = [0_u16; 30];
        registers[24] = 0x10;
        registers[25] = 1;
        registers[28] = 0x8000;
        assert_eq!(said("", "state", &registers), Said::Value(Value::Word("fault".into(), 16.0)));
        let Said::Value(Value::Bits(bits)) = said("", "fault_code", &registers) else { panic!() };
        assert_eq!(bits.raw, 0x8000_0000_0000_0001);
        assert_eq!(bits.alarms, [Alarm::HighTemperature]);
        assert_eq!(bits.texts, ["bit 0", "bit 63"]);
        registers[24] = 7;
        assert_eq!(said("", "state", &registers), Said::Unknown(7));
    }
}
