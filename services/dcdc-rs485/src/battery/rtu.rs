//! Modbus RTU, as far as a battery needs it: reading input registers (Modbus application protocol V1.1b3, 6.4; serial line
//! V1.02).

/// Read input registers.
const READ_INPUT: u8 = 0x04;
/// Added to the function in a refusal.
const REFUSED: u8 = 0x80;
/// The number of the first input register.
pub const FIRST_REGISTER: u16 = 30_001;
/// Registers in one request, at most.
pub const MOST: u8 = 125;

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The registers.
    Registers(Vec<u16>),
    /// Refused, with this exception code.
    Refused(u8),
}

/// A request for `count` registers from number `register` (30001 and up) on.
#[must_use]
pub fn request(unit: u8, register: u16, count: u8) -> [u8; 8] {
    let [high, low] = register.saturating_sub(FIRST_REGISTER).to_be_bytes();
    let [c0, c1] = crc(&[unit, READ_INPUT, high, low, 0, count]).to_le_bytes();
    [unit, READ_INPUT, high, low, 0, count, c0, c1]
}

/// A request with this function and data.
#[must_use]
pub fn frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(pdu.len() + 3);
    frame.push(unit);
    frame.extend(pdu);
    frame.extend(crc(&frame).to_le_bytes());
    frame
}

/// The answer to any request: function and data of the first sound frame of that unit and function behind the request's
/// own echo. An answer that repeats its request, as that to writing one register does, cannot be told from the echo.
#[must_use]
pub fn find_any(received: &[u8], request: &[u8]) -> Option<Vec<u8>> {
    let [unit, function, ..] = *request else { return None };
    let received = received.strip_prefix(request).unwrap_or(received);
    let of = |at: usize| {
        let bytes = received.get(at..)?;
        let [first, second, third, ..] = *bytes else { return None };
        let size = match second {
            _ if first != unit => return None,
            _ if second == function | REFUSED => 5,
            _ if second != function => return None,
            1..=4 | 0x17 => usize::from(third) + 5,
            0x0F | 0x10 => 8,
            _ => bytes.len(),
        };
        let frame = bytes.get(..size)?;
        is_sound(frame).then(|| frame.get(1..size - 2)).flatten().map(<[u8]>::to_vec)
    };
    (0..received.len()).find_map(of)
}

/// The answer to a request, found in whatever was received.
#[must_use]
pub fn find(received: &[u8], unit: u8, count: u8) -> Option<Answer> {
    let size = 2 * count.min(MOST);
    (0..received.len()).find_map(|at| answer(received.get(at..)?, unit, size))
}

fn answer(bytes: &[u8], unit: u8, size: u8) -> Option<Answer> {
    let [first, function, third, ..] = *bytes else { return None };
    if first != unit {
        return None;
    }
    if function == READ_INPUT | REFUSED {
        return is_sound(bytes.get(..5)?).then_some(Answer::Refused(third));
    }
    if function != READ_INPUT || third != size {
        return None;
    }
    let frame = bytes.get(..usize::from(size) + 5)?;
    let registers = frame.get(3..usize::from(size) + 3)?.as_chunks::<2>().0;
    let words = registers.iter().map(|bytes| u16::from_be_bytes(*bytes)).collect();
    is_sound(frame).then_some(Answer::Registers(words))
}

/// The CRC of a frame with its CRC is zero.
fn is_sound(frame: &[u8]) -> bool {
    crc(frame) == 0
}

fn crc(bytes: &[u8]) -> u16 {
    let shift = |crc: u16, _| if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 };
    bytes.iter().fold(0xFFFF, |crc, byte| (0..8).fold(crc ^ u16::from(*byte), shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ_TWO: [u8; 8] = [0x01, 0x04, 0x00, 0x1d, 0x00, 0x02, 0xe1, 0xcd];
    const PERMITTED: [u8; 9] = [0x01, 0x04, 0x04, 0x03, 0x25, 0x00, 0x00, 0xea, 0x0b];
    const REFUSAL: [u8; 5] = [0x01, 0x84, 0x02, 0xc2, 0xc1];

    #[test]
    fn the_frames_are_those_that_were_recorded() {
        assert_eq!(request(1, 30_030, 2), READ_TWO);
        assert_eq!(request(1, 30_031, 1), [0x01, 0x04, 0x00, 0x1e, 0x00, 0x01, 0x51, 0xcc]);
        assert_eq!(find(&PERMITTED, 1, 2), Some(Answer::Registers(vec![805, 0])));
        assert_eq!(find(&REFUSAL, 1, 2), Some(Answer::Refused(2)));
        let denied = [0x01, 0x04, 0x02, 0x00, 0x01, 0x78, 0xf0];
        assert_eq!(find(&denied, 1, 1), Some(Answer::Registers(vec![1])));
    }

    #[test]
    fn an_answer_is_found_behind_noise_and_an_echo_and_not_before_it_is_whole() {
        let bytes = [&[0xff, 0x01][..], &READ_TWO, &PERMITTED].concat();
        assert!((0..bytes.len()).all(|end| find(&bytes[..end], 1, 2).is_none()));
        assert_eq!(find(&bytes, 1, 2), Some(Answer::Registers(vec![805, 0])));
    }

    #[test]
    fn an_answer_to_any_request_is_its_function_and_data() {
        assert_eq!(frame(1, &READ_TWO[1..6]), READ_TWO);
        let answer = PERMITTED[1..7].to_vec();
        assert_eq!(find_any(&PERMITTED, &READ_TWO), Some(answer.clone()));
        assert_eq!(find_any(&[&READ_TWO[..], &PERMITTED].concat(), &READ_TWO), Some(answer));
        assert_eq!(find_any(&REFUSAL, &READ_TWO), Some(vec![0x84, 2]));
        let (write, written) = (frame(1, &[16, 0, 9, 0, 1, 2, 0, 7]), frame(1, &[16, 0, 9, 0, 1]));
        assert_eq!(find_any(&[&write[..], &written].concat(), &write), Some(vec![16, 0, 9, 0, 1]));
        assert_eq!(find_any(&written[..7], &write), None);
    }

    #[test]
    fn a_broken_answer_or_one_of_somebody_else_is_none() {
        let mut broken = PERMITTED;
        broken[4] ^= 1;
        assert_eq!(find(&broken, 1, 2), None);
        assert_eq!(find(&PERMITTED, 2, 2), None);
        assert_eq!(find(&PERMITTED, 1, 1), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_an_answer_of_the_asked_length_or_none(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
            count in 1..=2_u8,
        ) {
            if let Some(Answer::Registers(words)) = find(&bytes, 1, count) {
                proptest::prop_assert_eq!(words.len(), usize::from(count));
            }
        }
    }
}
