//! What the points of a device say of faults and warnings.

use crate::engine::decode::{Bits, Value};
use crate::engine::filter::Filter;

/// The faults of a device; those with more than 64 bits have them in several points.
const FAULTS: [&str; 3] = ["fault_code", "fault_code2", "fault_code3"];
/// The number of the fault, where the device has one beside its bits.
const NUMBER: &str = "fault_number";
/// Its warnings.
const WARNINGS: &str = "warning_code";

fn bits<'f>(points: &'f Filter, name: &str) -> Option<&'f Bits> {
    match points.get(name)? {
        Value::Bits(bits) => Some(bits),
        _ => None,
    }
}

/// What the bits that are set say.
pub(super) fn texts(points: &Filter) -> Option<String> {
    let names = FAULTS.into_iter().chain([WARNINGS]);
    let texts: Vec<_> =
        names.filter_map(|name| bits(points, name)).map(|bits| bits.texts.as_slice()).collect();
    (!texts.is_empty()).then(|| texts.concat().join(", "))
}

/// The number of the fault, 0 without one: what the device says, or the place of its first bit, from 1 on.
pub(super) fn number(points: &Filter) -> Option<i32> {
    let codes = [NUMBER].into_iter().chain(FAULTS).filter_map(|name| match points.get(name)? {
        Value::Bits(Bits { raw: 0, .. }) => Some(0),
        Value::Bits(bits) => i32::try_from(u32::from(bits.first) + bits.raw.trailing_zeros() + 1).ok(),
        value => value.number().map(|code| code as i32),
    });
    codes.reduce(|first, next| if first == 0 { next } else { first })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::decode::decode;
    use crate::engine::image::Image;
    use crate::engine::map::Map;
    use crate::profile::builtin;
    use crate::profile::scalar::Table;

    /// What a Sofar says whose twelve registers of faults from 0x0405 on hold this.
    fn sofar(words: [u16; 12]) -> Filter {
        let map = Map::new(&builtin::by_id("sofar-hyd").unwrap(), None, false);
        let (mut image, mut points) = (Image::default(), Filter::default());
        image.put(Table::Holding, 0x0405, &words, 1);
        points.take(&decode(&map, &image));
        points
    }

    #[test]
    fn the_faults_of_a_sofar_have_the_numbers_of_its_makers_list() {
        // Bit b of word w, from 1 on, is fault 16 * (w - 1) + b + 1.
        let with = |word: usize, bit: u32| {
            let mut words = [0; 12];
            words[word - 1] = 1 << bit;
            number(&sofar(words))
        };
        assert_eq!(number(&sofar([0; 12])), Some(0));
        assert_eq!([with(1, 0), with(1, 15), with(2, 0), with(4, 15)], [1, 16, 17, 64].map(Some));
        assert_eq!([with(5, 0), with(8, 15), with(9, 0), with(12, 15)], [65, 128, 129, 192].map(Some));
        let mut words = [0; 12];
        (words[1], words[8]) = (0x0003, 0x8000);
        let points = sofar(words);
        assert_eq!(number(&points), Some(17), "the first of several");
        assert_eq!(texts(&points).unwrap(), "bit 16, bit 17, bit 143");
    }

    #[test]
    fn a_growatt_spf_has_the_number_that_its_display_shows() {
        let map = Map::new(&builtin::by_id("growatt-spf").unwrap(), None, false);
        let said = |words: [u16; 4]| {
            let (mut image, mut points) = (Image::default(), Filter::default());
            image.put(Table::Input, 40, &words, 1);
            points.take(&decode(&map, &image));
            number(&points)
        };
        assert_eq!(said([0x0004, 0, 56, 0]), Some(56));
        assert_eq!(said([0x0004, 0, 0, 0]), Some(3), "without a number it is the bit");
        assert_eq!(said([0, 0, 0, 0]), Some(0));
    }

    #[test]
    fn who_says_nothing_of_faults_has_none_to_show() {
        let points = Filter::default();
        assert_eq!((number(&points), texts(&points)), (None, None));
    }
}
