//! An image that says given points: the decoding turned round, for simulators and tests.

use super::decode::{Said, decode};
use super::image::Image;
use super::layout::{Layout, Raw};
use super::map::{Entry, Map, Number, Source};

/// The power of ten of a scale that nobody has set yet.
const POWER: i128 = -2;

/// Makes the image say `value` for the point `name`, in the unit of the point. False if no registers can say it: the
/// point is made of others, or the value too large.
pub fn set_number(map: &Map, image: &mut Image, name: &str, value: f64) -> bool {
    let Some(entry) = entry(map, image, name) else { return false };
    match &entry.source {
        Source::Number(number) => put_number(map, image, number, value),
        Source::Word { layout, .. } | Source::Bits { layout, .. } => {
            put(image, layout, &Raw::Int(value as i128))
        }
        Source::Text(_) | Source::Made { .. } => false,
    }
}

/// Makes the image say a text, or the word of a state.
pub fn set_text(map: &Map, image: &mut Image, name: &str, text: &str) -> bool {
    let Some(entry) = entry(map, image, name) else { return false };
    match &entry.source {
        Source::Text(layout) => put(image, layout, &Raw::Text(text.to_owned())),
        Source::Word { layout, words, .. } => {
            let raw = words.iter().find(|(_, word)| *word == text).map(|(raw, _)| *raw);
            raw.is_some_and(|raw| put(image, layout, &Raw::Int(raw)))
        }
        Source::Number(_) | Source::Bits { .. } | Source::Made { .. } => false,
    }
}

/// The way to a point that counts under what the image says now.
fn entry<'m>(map: &'m Map, image: &Image, name: &str) -> Option<&'m Entry> {
    let entries = &map.group(name)?.entries;
    if let [entry] = entries.as_slice() {
        return Some(entry);
    }
    let heard = decode(map, image);
    let point = |name: &str| {
        heard.iter().find(|heard| heard.name == name).and_then(|heard| match &heard.said {
            Said::Value(value) => value.number(),
            _ => None,
        })
    };
    entries.iter().find(|entry| entry.when.as_ref().is_none_or(|when| when.holds(&point)))
}

fn put_number(map: &Map, image: &mut Image, number: &Number, value: f64) -> bool {
    let mut raw = (value - number.offset) / number.scale;
    if let Some((layout, signs)) = &number.sign {
        let sign = signs.iter().find(|(_, sign)| **sign != 0.0 && (**sign < 0.0) == (raw < 0.0));
        let Some((which, _)) = sign else { return false };
        put(image, layout, &Raw::Int(*which));
        raw = raw.abs();
    }
    let power_at = number.power_at.as_ref().or_else(|| {
        let entry = map.group(number.power_of.as_ref()?)?.entries.first()?;
        entry.source.layout()
    });
    if let Some(power_at) = power_at {
        let power = match power_at.read(image) {
            Some(Raw::Int(power)) => power,
            _ => {
                put(image, power_at, &Raw::Int(POWER));
                POWER
            }
        };
        raw /= 10_f64.powi(i32::try_from(power).unwrap_or(0));
    }
    let raw = if number.layout.kind.is_float() { Raw::Float(raw) } else { Raw::Int(raw.round() as i128) };
    put(image, &number.layout, &raw)
}

/// Puts a raw value where it belongs; other bits of the registers stay.
fn put(image: &mut Image, layout: &Layout, raw: &Raw) -> bool {
    let Some(words) = layout.encode(raw) else { return false };
    for (addr, word, mask) in words {
        let present = image.get(layout.table, addr).unwrap_or(0);
        image.put(layout.table, addr, &[(word & mask) | (present & !mask)], 1);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::decode::Value;
    use crate::profile::{builtin, parse, tests::SMALL};

    #[test]
    fn an_image_says_what_it_was_made_to_say() {
        let profile = parse(SMALL, "test.toml").unwrap();
        let (map, mut image) = (Map::new(&profile, None, false), Image::default());
        assert!(set_number(&map, &mut image, "battery_power", -1234.0));
        assert!(set_number(&map, &mut image, "battery_temperature", 25.3));
        assert!(set_text(&map, &mut image, "state", "fault"));
        assert!(!set_number(&map, &mut image, "pv_power", 1.0), "it is made of others");
        assert!(!set_number(&map, &mut image, "pv1_power", 1e6), "it has 16 bits");
        let table = crate::profile::scalar::Table::Holding;
        assert_eq!(image.get(table, 590), Some(1234));
        assert_eq!(image.get(table, 586), Some(1253));
        assert_eq!(image.get(table, 610), Some(0x10));
    }

    /// For every profile: a value within the range of each point goes into the registers and comes out the same.
    #[test]
    fn every_number_of_every_profile_goes_round() {
        for id in builtin::ids() {
            let profile = builtin::by_id(id).unwrap();
            let map = Map::new(&profile, None, true);
            for group in &map.groups {
                for entry in &group.entries {
                    let Source::Number(number) = &entry.source else { continue };
                    if number.layout.kind == crate::profile::kind::Type::Sf16 || number.power_of.is_some() {
                        continue;
                    }
                    let alone = Map {
                        groups: vec![super::super::map::Group {
                            name: group.name.clone(),
                            entries: vec![Entry { when: None, ..entry.clone() }],
                        }],
                        ..map.clone()
                    };
                    let one = number.scale * 7.0 + number.offset;
                    for wanted in [one, -one] {
                        let mut image = Image::default();
                        if !set_number(&alone, &mut image, &group.name, wanted) {
                            continue;
                        }
                        let heard = decode(&alone, &image).remove(0);
                        if let Said::Value(Value::Number(said)) = heard.said {
                            assert!((said - wanted).abs() < 1e-6, "{id} {}: {said} for {wanted}", group.name);
                        }
                    }
                }
            }
        }
    }
}
