//! The frame of a serial line: address, PDU, CRC (Modbus over Serial Line V1.02, 2.5.1).

use std::time::Duration;

use super::pdu::{Answer, LONGEST, Length, Request};
use super::raw;

/// Bits of a character on the line: start, eight data bits, parity or a second stop bit, stop (V1.02, 2.5.1).
const BITS: u32 = 11;
/// Address and CRC around the PDU.
const AROUND: usize = 3;
/// What a USB adapter needs at least to pass on a silence.
pub const LEAST_SILENCE: Duration = Duration::from_millis(10);

/// The bytes of a request to `unit`.
#[must_use]
pub fn request(unit: u8, request: &Request) -> Vec<u8> {
    let mut frame = vec![unit];
    frame.extend(request.bytes());
    let crc = crc(&frame);
    frame.extend(crc.to_le_bytes());
    frame
}

/// What a search of the bytes received so far says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The answer.
    Answer(Answer),
    /// Not yet.
    More,
}

/// Looks for the answer of `unit` in whatever was received, garbage before it included. With `is_over`, nothing has come
/// for a while: only then the answer to a raw request is known to be complete.
#[must_use]
pub fn find(received: &[u8], unit: u8, request: &Request, is_over: bool) -> Found {
    let starts = (0..received.len()).filter_map(|at| received.get(at..));
    let mut starts = starts.filter(|bytes| bytes.first() == Some(&unit));
    starts.find_map(|bytes| answer(bytes, request, is_over)).map_or(Found::More, Found::Answer)
}

fn answer(bytes: &[u8], request: &Request, is_over: bool) -> Option<Answer> {
    let function = *bytes.get(1)?;
    if function == request.function() | 0x80 {
        let frame = bytes.get(..5)?;
        return is_sound(frame).then(|| request.answer(frame.get(1..3)?)).flatten();
    }
    if function != request.function() {
        return None;
    }
    let sound = |length: usize| bytes.get(..length).filter(|frame| is_sound(frame));
    let frame = match request.answer_length() {
        Length::Exactly(length) => sound(length + AROUND)?,
        Length::Any => {
            let told = bytes.get(1..).and_then(raw::told_length).and_then(|length| sound(length + AROUND));
            let whole = || sound(bytes.len().min(LONGEST + AROUND)).filter(|_| is_over);
            // What an adapter sends back of our own is no answer.
            told.or_else(whole)
                .filter(|frame| self::request(*bytes.first().unwrap_or(&0), request) != *frame)?
        }
    };
    request.answer(frame.get(1..frame.len().checked_sub(2)?)?)
}

/// The CRC of a frame with its CRC is zero.
fn is_sound(frame: &[u8]) -> bool {
    frame.len() >= 4 && crc(frame) == 0
}

/// The CRC-16 of the serial line (V1.02, 6.2.2).
#[must_use]
pub fn crc(bytes: &[u8]) -> u16 {
    let shift = |crc: u16, _| if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 };
    bytes.iter().fold(0xFFFF, |crc, byte| (0..8).fold(crc ^ u16::from(*byte), shift))
}

/// How long `bytes` take on a line.
#[must_use]
pub fn on_wire(bytes: usize, baud: u32) -> Duration {
    let bits = u32::try_from(bytes).unwrap_or(u32::MAX).saturating_mul(BITS);
    Duration::from_secs(1) * bits / baud.max(1)
}

/// The silence that separates frames: 3.5 characters, 1.75 ms above 19200 baud (V1.02, 2.5.1.1).
#[must_use]
pub fn silence(baud: u32) -> Duration {
    match baud {
        0..=19_200 => on_wire(7, baud) / 2,
        _ => Duration::from_micros(1750),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::scalar::Table;
    use proptest::prelude::*;

    const READ: Request = Request::Read { table: Table::Holding, addr: 0x6B, count: 2 };

    /// A sound frame around bytes.
    fn frame(bytes: &[u8]) -> Vec<u8> {
        let mut frame = bytes.to_vec();
        frame.extend(crc(bytes).to_le_bytes());
        frame
    }

    /// The vector of V1.02, 6.2.2: 02 07 has the CRC 0x1241.
    #[test]
    fn the_crc_is_that_of_the_specification() {
        assert_eq!(crc(&[0x02, 0x07]), 0x1241);
        assert_eq!(
            request(0x11, &Request::Read { table: Table::Holding, addr: 0x6B, count: 3 }),
            [0x11, 3, 0, 0x6B, 0, 3, 0x76, 0x87]
        );
    }

    #[test]
    fn an_answer_is_found_behind_garbage() {
        let mut received = vec![0xFF, 0x00, 0x11, 0x03];
        received.extend(frame(&[0x11, 3, 4, 0, 1, 0, 2]));
        assert_eq!(find(&received, 0x11, &READ, false), Found::Answer(Answer::Values(vec![1, 2])));
        assert_eq!(find(&received[..received.len() - 1], 0x11, &READ, false), Found::More);
    }

    #[test]
    fn what_is_not_the_answer_is_not_taken() {
        let foreign = frame(&[0x12, 3, 4, 0, 1, 0, 2]);
        let shorter = frame(&[0x11, 3, 2, 0, 1]);
        let longer = frame(&[0x11, 3, 6, 0, 1, 0, 2, 0, 3]);
        let other = frame(&[0x11, 4, 4, 0, 1, 0, 2]);
        let mut broken = frame(&[0x11, 3, 4, 0, 1, 0, 2]);
        broken[4] ^= 1;
        let echo = request(0x11, &READ);
        for received in [foreign, shorter, longer, other, broken, echo] {
            assert_eq!(find(&received, 0x11, &READ, true), Found::More, "{received:?}");
        }
    }

    #[test]
    fn refusals_and_raw_answers_are_found() {
        let refused = frame(&[0x11, 0x83, 2]);
        assert_eq!(find(&refused, 0x11, &READ, false), Found::Answer(Answer::Exception(2)));
        let raw = Request::Raw { function: 0x41, data: vec![] };
        let answer = frame(&[0x11, 0x41, 9, 9]);
        assert_eq!(find(&answer, 0x11, &raw, false), Found::More, "more may come");
        assert_eq!(find(&answer, 0x11, &raw, true), Found::Answer(Answer::Raw(vec![9, 9])));
    }

    #[test]
    fn an_answer_that_says_how_long_it_is_needs_no_silence_behind_it() {
        let raw = Request::Raw { function: 17, data: vec![] };
        let echo = request(0x11, &raw);
        assert_eq!(find(&echo, 0x11, &raw, true), Found::More, "our own words");
        let received = [echo, frame(&[0x11, 17, 3, 1, 0xFF, 7])].concat();
        assert_eq!(find(&received, 0x11, &raw, false), Found::Answer(Answer::Raw(vec![3, 1, 0xFF, 7])));
        let wrong_count = frame(&[0x11, 17, 9, 1, 0xFF]);
        assert_eq!(find(&wrong_count, 0x11, &raw, true), Found::Answer(Answer::Raw(vec![9, 1, 0xFF])));
    }

    #[test]
    fn times_on_the_line() {
        assert_eq!(silence(9600), Duration::from_nanos(4_010_416));
        assert_eq!(silence(115_200), Duration::from_micros(1750));
        assert_eq!(on_wire(8, 9600).as_micros(), 9166);
        assert_eq!(on_wire(1, 0), Duration::from_secs(11), "no division by nothing");
    }

    proptest! {
        #[test]
        fn any_bytes_are_searched(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            unit in any::<u8>(),
            is_over in any::<bool>(),
        ) {
            let _ = find(&bytes, unit, &READ, is_over);
            let _ = find(&bytes, unit, &Request::Raw { function: 0x41, data: bytes.clone() }, is_over);
        }

        #[test]
        fn a_damaged_answer_is_never_taken(at in 0_usize..9, bit in 0_u8..8, a in any::<u16>(), b in any::<u16>()) {
            let ([a1, a0], [b1, b0]) = (a.to_be_bytes(), b.to_be_bytes());
            let mut damaged = frame(&[0x11, 3, 4, a1, a0, b1, b0]);
            damaged[at] ^= 1 << bit;
            prop_assert_eq!(find(&damaged, 0x11, &READ, true), Found::More);
        }
    }
}
