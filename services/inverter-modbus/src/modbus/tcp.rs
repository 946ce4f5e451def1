//! The frame of TCP: transaction, protocol 0, length, unit, PDU (Modbus Messaging on TCP/IP V1.0b, 3.1.3).

use super::pdu::{Answer, LONGEST, Request};

/// The bytes before the unit.
const HEAD: usize = 6;

/// The bytes of a request to `unit`.
#[must_use]
pub fn request(transaction: u16, unit: u8, request: &Request) -> Vec<u8> {
    let pdu = request.bytes();
    let length = u16::try_from(pdu.len() + 1).unwrap_or(u16::MAX);
    let mut frame = Vec::with_capacity(HEAD + 1 + pdu.len());
    frame.extend(transaction.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(length.to_be_bytes());
    frame.push(unit);
    frame.extend(pdu);
    frame
}

/// What the first bytes of a stream are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The answer, and how many bytes it took.
    Answer(Answer, usize),
    /// An answer to something else, of so many bytes.
    Other(usize),
    /// Not all of a frame yet.
    More,
    /// Nothing that can be understood: the stream is of no use any more.
    Garbage,
}

/// Looks at the beginning of what was received.
#[must_use]
pub fn find(received: &[u8], transaction: u16, unit: u8, request: &Request) -> Found {
    let [t1, t0, p1, p0, l1, l0, from, ..] = *received else { return Found::More };
    let length = usize::from(u16::from_be_bytes([l1, l0]));
    if [p1, p0] != [0, 0] || !(2..=LONGEST + 1).contains(&length) {
        return Found::Garbage;
    }
    let Some(pdu) = received.get(HEAD + 1..HEAD + length) else { return Found::More };
    let is_mine = u16::from_be_bytes([t1, t0]) == transaction && from == unit;
    match is_mine.then(|| request.answer(pdu)).flatten() {
        Some(answer) => Found::Answer(answer, HEAD + length),
        None => Found::Other(HEAD + length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::scalar::Table;
    use proptest::prelude::*;

    const READ: Request = Request::Read { table: Table::Holding, addr: 4, count: 1 };

    /// The example of V1.0b, 3.1.3 in its layout.
    #[test]
    fn a_request_has_its_head() {
        assert_eq!(request(0x1501, 0xFF, &READ), [0x15, 1, 0, 0, 0, 6, 0xFF, 3, 0, 4, 0, 1]);
    }

    #[test]
    fn only_the_answer_with_the_number_of_the_request_is_taken() {
        let answer = [0x15, 1, 0, 0, 0, 5, 0xFF, 3, 2, 0, 5];
        assert_eq!(find(&answer, 0x1501, 0xFF, &READ), Found::Answer(Answer::Values(vec![5]), 11));
        assert_eq!(find(&answer, 0x1502, 0xFF, &READ), Found::Other(11), "a late one");
        assert_eq!(find(&answer, 0x1501, 1, &READ), Found::Other(11), "another unit's");
        assert_eq!(find(&answer[..10], 0x1501, 0xFF, &READ), Found::More);
        assert_eq!(
            find(&[0x15, 1, 0, 0, 0, 3, 0xFF, 0x83, 2], 0x1501, 0xFF, &READ),
            Found::Answer(Answer::Exception(2), 9)
        );
        assert_eq!(find(&[0x15, 1, 0, 1, 0, 5, 0xFF], 0x1501, 0xFF, &READ), Found::Garbage);
        assert_eq!(find(&[0x15, 1, 0, 0, 0xFF, 0xFF, 0xFF], 0x1501, 0xFF, &READ), Found::Garbage);
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..300), transaction in any::<u16>()) {
            match find(&bytes, transaction, 1, &READ) {
                Found::Answer(_, taken) | Found::Other(taken) => prop_assert!((8..=bytes.len()).contains(&taken)),
                Found::More | Found::Garbage => {}
            }
        }
    }
}
