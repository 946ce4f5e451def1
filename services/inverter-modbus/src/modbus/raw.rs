//! Requests of somebody else's making: how long their answers are, whether an answer belongs to one, and what one touches.
//! Of functions that the specification does not have, nothing is known.

use super::pdu::{LONGEST, Length};
use crate::profile::scalar::Table;

/// Registers or bits: where, the first address, how many.
pub type Span = (Table, u16, u16);

/// What a request does to registers and bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It reads these, and writes these.
    Known {
        /// What it reads.
        reads: Option<Span>,
        /// What it writes.
        writes: Option<Span>,
    },
    /// It writes, and is not made as the specification has it.
    Odd,
    /// Its function is the maker's own, or says nothing of registers.
    Unknown,
}

/// The word at a place in data.
fn word(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk::<2>().map(|pair| u16::from_be_bytes(*pair))
}

/// How long the answer to a request is, as far as the request tells.
#[must_use]
pub fn answer_length(function: u8, data: &[u8]) -> Length {
    let count = |at| word(data, at).map(usize::from);
    let length = match function {
        1 | 2 => count(2).map(|count| 2 + count.div_ceil(8)),
        3 | 4 => count(2).map(|count| 2 + 2 * count),
        5 | 6 | 15 | 16 | 11 => Some(5),
        7 => Some(2),
        8 => Some(1 + data.len()),
        22 => Some(7),
        23 => count(2).map(|count| 2 + 2 * count),
        _ => None,
    };
    length.filter(|length| *length <= LONGEST).map_or(Length::Any, Length::Exactly)
}

/// How long an answer is that says so itself (V1.1b3, 6.10, 6.13, 6.14, 6.15, 6.18, 6.21), as far as it has come.
#[must_use]
pub fn told_length(pdu: &[u8]) -> Option<usize> {
    let length = match *pdu {
        [12 | 17 | 20 | 21, count, ..] => 2 + usize::from(count),
        [24, high, low, ..] => 3 + usize::from(u16::from_be_bytes([high, low])),
        // Objects of a number, a length and so many bytes each.
        [43, 14, _, _, _, _, count, ref objects @ ..] => {
            let mut length = 7;
            let mut rest = objects;
            for _ in 0..count {
                let [_, size, behind @ ..] = rest else { return None };
                length += 2 + usize::from(*size);
                rest = behind.get(usize::from(*size)..)?;
            }
            length
        }
        _ => return None,
    };
    Some(length).filter(|length| *length <= LONGEST)
}

/// Whether the data of an answer can belong to a request of the same function.
#[must_use]
pub fn fits(function: u8, request: &[u8], answer: &[u8]) -> bool {
    match function {
        1..=4 | 23 => answer.split_first().is_some_and(|(count, bytes)| usize::from(*count) == bytes.len()),
        5 | 6 | 22 => answer == request,
        15 | 16 => request.get(..4) == Some(answer),
        // The sub-function.
        8 | 43 => request.first() == answer.first(),
        _ => true,
    }
}

/// What a request touches.
#[must_use]
pub fn reach(function: u8, data: &[u8]) -> Reach {
    let span = |table, at| Some((table, word(data, at)?, word(data, at + 2)?));
    let one = |table, length| (data.len() == length).then(|| Some((table, word(data, 0)?, 1))).flatten();
    // As many bytes as it says, and as so many bits or registers take.
    let is_whole = |at: usize, bits: usize| {
        let count = word(data, at).map_or(0, usize::from);
        let bytes = data.get(at + 2).copied().map_or(0, usize::from);
        count > 0 && bytes == (count * bits).div_ceil(8) && data.len() == at + 3 + bytes
    };
    let reads = |table| match span(table, 0).filter(|_| data.len() == 4) {
        None => Reach::Unknown,
        reads => Reach::Known { reads, writes: None },
    };
    let writes = |writes: Option<Span>| match writes {
        None => Reach::Odd,
        writes => Reach::Known { reads: None, writes },
    };
    match function {
        1 => reads(Table::Coil),
        2 => reads(Table::Discrete),
        3 => reads(Table::Holding),
        4 => reads(Table::Input),
        5 => writes(one(Table::Coil, 4)),
        6 => writes(one(Table::Holding, 4)),
        15 => writes(span(Table::Coil, 0).filter(|_| is_whole(2, 1))),
        16 => writes(span(Table::Holding, 0).filter(|_| is_whole(2, 16))),
        22 => writes(one(Table::Holding, 6)),
        23 => match (span(Table::Holding, 0), span(Table::Holding, 4).filter(|_| is_whole(6, 16))) {
            (reads @ Some(_), writes @ Some(_)) => Reach::Known { reads, writes },
            _ => Reach::Odd,
        },
        7 | 11 | 12 | 17 if data.is_empty() => Reach::Known { reads: None, writes: None },
        43 if data.first() == Some(&14) => Reach::Known { reads: None, writes: None },
        _ => Reach::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Requests and answers of V1.1b3, 6.1 to 6.21, data only.
    const EXAMPLES: [(u8, &[u8], &[u8]); 14] = [
        (1, &[0, 0x13, 0, 0x13], &[3, 0xCD, 0x6B, 5]),
        (2, &[0, 0xC4, 0, 0x16], &[3, 0xAC, 0xDB, 0x35]),
        (3, &[0, 0x6B, 0, 3], &[6, 2, 0x2B, 0, 0, 0, 0x64]),
        (4, &[0, 8, 0, 1], &[2, 0, 0x0A]),
        (5, &[0, 0xAC, 0xFF, 0], &[0, 0xAC, 0xFF, 0]),
        (6, &[0, 1, 0, 3], &[0, 1, 0, 3]),
        (7, &[], &[0x6D]),
        (8, &[0, 0, 0xA5, 0x37], &[0, 0, 0xA5, 0x37]),
        (11, &[], &[0xFF, 0xFF, 1, 8]),
        (15, &[0, 0x13, 0, 0x0A, 2, 0xCD, 1], &[0, 0x13, 0, 0x0A]),
        (16, &[0, 1, 0, 2, 4, 0, 0x0A, 1, 2], &[0, 1, 0, 2]),
        (22, &[0, 4, 0, 0xF2, 0, 0x25], &[0, 4, 0, 0xF2, 0, 0x25]),
        (
            23,
            &[0, 3, 0, 6, 0, 0x0E, 0, 3, 6, 0, 0xFF, 0, 0xFF, 0, 0xFF],
            &[12, 0, 0xFE, 0x0A, 0xCD, 0, 1, 0, 3, 0, 0x0D, 0, 0xFF],
        ),
        (24, &[4, 0xDE], &[0, 6, 0, 2, 1, 0xB8, 0x12, 0x84]),
    ];

    #[test]
    fn answers_are_as_long_as_the_specification_says() {
        for (function, request, answer) in EXAMPLES {
            let whole = [&[function][..], answer].concat();
            match answer_length(function, request) {
                Length::Exactly(length) => assert_eq!(length, whole.len(), "{function}"),
                Length::Any => assert_eq!(told_length(&whole), Some(whole.len()), "{function}"),
            }
            assert!(fits(function, request, answer), "{function}");
        }
        assert_eq!(answer_length(3, &[0, 0, 0xFF, 0xFF]), Length::Any, "no answer is so long");
        assert_eq!((answer_length(0x41, &[1]), told_length(&[0x41, 1])), (Length::Any, None));
    }

    /// The example of V1.1b3, 6.21: three objects, of the last not all.
    #[test]
    fn the_identification_of_a_device_ends_with_its_last_object() {
        let mut whole = vec![43, 14, 1, 1, 0, 0, 3, 0, 3];
        whole.extend(b"Co.");
        whole.extend([1, 2]);
        whole.extend(b"XY");
        whole.extend([2, 5]);
        whole.extend(b"V2.1");
        assert_eq!(told_length(&whole[..12]), None, "the second object has not begun");
        assert_eq!(told_length(&whole), None, "the last is not all there");
        whole.extend(b"1");
        assert_eq!(told_length(&whole), Some(whole.len()));
        whole.extend([9, 9]);
        assert_eq!(told_length(&whole), Some(whole.len() - 2), "a CRC is none of it");
    }

    #[test]
    fn what_another_request_was_answered_is_not_taken() {
        for (function, request, answer) in [
            (5, &[0, 0xAC, 0xFF, 0], &[0, 0xAC, 0, 0][..]),
            (6, &[0, 1, 0, 3], &[0, 1, 0, 4]),
            (16, &[0, 1, 0, 2], &[0, 1, 0, 3]),
            (3, &[0, 0x6B, 0, 1], &[3, 0, 0]),
            (43, &[14, 1, 0, 0], &[13, 1]),
        ] {
            assert!(!fits(function, request, answer), "{function}");
        }
    }

    #[test]
    fn what_a_request_touches_is_known_of_all_functions_with_registers() {
        let known = |reads, writes| Reach::Known { reads, writes };
        for (function, reached) in [
            (1, known(Some((Table::Coil, 0x13, 0x13)), None)),
            (2, known(Some((Table::Discrete, 0xC4, 0x16)), None)),
            (3, known(Some((Table::Holding, 0x6B, 3)), None)),
            (4, known(Some((Table::Input, 8, 1)), None)),
            (5, known(None, Some((Table::Coil, 0xAC, 1)))),
            (6, known(None, Some((Table::Holding, 1, 1)))),
            (7, known(None, None)),
            (8, Reach::Unknown),
            (15, known(None, Some((Table::Coil, 0x13, 10)))),
            (16, known(None, Some((Table::Holding, 1, 2)))),
            (22, known(None, Some((Table::Holding, 4, 1)))),
            (23, known(Some((Table::Holding, 3, 6)), Some((Table::Holding, 0x0E, 3)))),
            (24, Reach::Unknown),
        ] {
            let (_, data, _) = EXAMPLES.iter().find(|(of, ..)| *of == function).unwrap();
            assert_eq!(reach(function, data), reached, "{function}");
        }
        assert_eq!(reach(43, &[14, 1, 0]), known(None, None));
    }

    #[test]
    fn a_write_that_does_not_hold_what_it_says_is_odd() {
        for (function, data) in [
            (16, &[0, 1, 0, 2, 4, 0, 1][..]),
            (16, &[0, 1, 0, 1, 4, 0, 1, 0, 2]),
            (16, &[0, 1, 0, 0, 0]),
            (15, &[0, 1, 0, 9, 1, 0]),
            (6, &[0, 1, 0]),
            (5, &[]),
            (22, &[0, 1, 0, 1]),
            (23, &[0, 0, 0, 1, 0, 1, 0, 2, 2, 0, 0]),
        ] {
            assert_eq!(reach(function, data), Reach::Odd, "{function} {data:?}");
        }
        assert_eq!(reach(3, &[0, 1]), Reach::Unknown);
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at(function in any::<u8>(), data in prop::collection::vec(any::<u8>(), 0..260)) {
            let whole = [&[function][..], &data].concat();
            prop_assert!(told_length(&whole).is_none_or(|length| length <= LONGEST));
            if let Length::Exactly(length) = answer_length(function, &data) {
                prop_assert!(length <= LONGEST.max(1 + data.len()));
            }
            let _ = fits(function, &data, &whole);
            let _ = reach(function, &data);
        }
    }
}
