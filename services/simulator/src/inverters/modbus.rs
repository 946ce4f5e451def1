//! The server's half of Modbus: a request's bytes to an answer's bytes, for RTU and for TCP.
//!
//! MODBUS Application Protocol Specification V1.1b3, section 6; MODBUS over Serial Line V1.02, section 2.5;
//! MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.

/// The function is not known.
pub const ILLEGAL_FUNCTION: u8 = 1;
/// There are no such registers.
pub const ILLEGAL_ADDRESS: u8 = 2;
/// Not so many at once, or not such a value.
pub const ILLEGAL_VALUE: u8 = 3;

const READ_HOLDING: u8 = 3;
const READ_INPUT: u8 = 4;
const WRITE_SINGLE: u8 = 6;
const WRITE_MULTIPLE: u8 = 16;
/// Marks an answer that is an exception.
const EXCEPTION: u8 = 0x80;

/// Longest frame of RTU.
const LONGEST: usize = 256;
/// Transaction, protocol, length and unit in front of a request on TCP.
const HEADER: usize = 7;

/// What came on TCP is no request of Modbus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not Modbus TCP")]
pub struct NotModbus;

/// A request that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// 3: so many holding registers from one on.
    ReadHolding(u16, u16),
    /// 4: so many input registers from one on.
    ReadInput(u16, u16),
    /// 6: a holding register.
    WriteSingle(u16, u16),
    /// 16: holding registers from one on.
    WriteMultiple(u16, Vec<u16>),
    /// Anything else: an exception with this code is due.
    Wrong(u8),
}

impl Request {
    /// Reads the function code and what follows it.
    #[must_use]
    pub fn of(pdu: &[u8]) -> Request {
        let word = |at: usize| Some(u16::from_be_bytes([*pdu.get(at)?, *pdu.get(at + 1)?]));
        let (first, second) = (word(1).unwrap_or_default(), word(3).unwrap_or_default());
        match pdu {
            [READ_HOLDING, _, _, _, _] if (1..=125).contains(&second) => Request::ReadHolding(first, second),
            [READ_INPUT, _, _, _, _] if (1..=125).contains(&second) => Request::ReadInput(first, second),
            [WRITE_SINGLE, _, _, _, _] => Request::WriteSingle(first, second),
            [WRITE_MULTIPLE, _, _, _, _, bytes, values @ ..]
                if (1..=123).contains(&second)
                    && usize::from(*bytes) == values.len()
                    && values.len() == 2 * usize::from(second) =>
            {
                let words = values.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
                Request::WriteMultiple(first, words.collect())
            }
            [READ_HOLDING | READ_INPUT | WRITE_SINGLE | WRITE_MULTIPLE, ..] => Request::Wrong(ILLEGAL_VALUE),
            _ => Request::Wrong(ILLEGAL_FUNCTION),
        }
    }
}

/// The answer to a reading request.
#[must_use]
pub fn read_answer(function: u8, registers: &[u16]) -> Vec<u8> {
    let mut pdu = vec![function, u8::try_from(2 * registers.len()).unwrap_or(u8::MAX)];
    pdu.extend(registers.iter().flat_map(|register| register.to_be_bytes()));
    pdu
}

/// An exception.
#[must_use]
pub fn exception(function: u8, code: u8) -> Vec<u8> {
    vec![function | EXCEPTION, code]
}

/// Whether an answer is an exception.
#[must_use]
pub fn is_exception(pdu: &[u8]) -> bool {
    pdu.first().is_some_and(|function| function & EXCEPTION != 0)
}

/// A frame of RTU.
#[must_use]
pub fn rtu_frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = vec![unit];
    frame.extend(pdu);
    let crc = crc(&frame);
    frame.extend(crc.to_le_bytes());
    frame
}

/// Takes the first whole request of RTU out of what was received: unit and function code with what follows it. What is
/// in front of it is noise and is thrown away.
pub fn take_rtu(received: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    for start in 0..received.len() {
        let rest = received.get(start..).unwrap_or_default();
        let Some(size) = size(rest) else { continue };
        let (unit, pdu) = (rest.first().copied()?, rest.get(1..size - 2)?.to_vec());
        received.drain(..start + size);
        return Some((unit, pdu));
    }
    received.drain(..received.len().saturating_sub(LONGEST));
    None
}

/// The length of the sound frame that begins here.
fn size(bytes: &[u8]) -> Option<usize> {
    let is_sound = |size: &usize| bytes.get(..*size).is_some_and(sound);
    match bytes.get(1)? {
        0x01..=0x06 => Some(8).filter(is_sound),
        0x0F | 0x10 => Some(9 + usize::from(*bytes.get(6)?)).filter(is_sound),
        // No length is known: the checksum has to tell where it ends.
        _ => (4..=bytes.len().min(LONGEST)).find(is_sound),
    }
}

/// Takes the first whole request of TCP out of what was received: transaction, unit, and function code with what follows.
///
/// # Errors
/// [`NotModbus`]: the connection is of no use any more.
pub fn take_tcp(received: &mut Vec<u8>) -> Result<Option<(u16, u8, Vec<u8>)>, NotModbus> {
    let [t0, t1, p0, p1, l0, l1, unit, ..] = *received.as_slice() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    if (p0, p1) != (0, 0) || !(2..=254).contains(&length) {
        return Err(NotModbus);
    }
    let Some(pdu) = received.get(HEADER..HEADER + length - 1) else { return Ok(None) };
    let request = (u16::from_be_bytes([t0, t1]), unit, pdu.to_vec());
    received.drain(..HEADER + length - 1);
    Ok(Some(request))
}

/// An answer on TCP.
#[must_use]
pub fn tcp_frame(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = transaction.to_be_bytes().to_vec();
    frame.extend([0, 0]);
    frame.extend(u16::try_from(pdu.len() + 1).unwrap_or(u16::MAX).to_be_bytes());
    frame.push(unit);
    frame.extend(pdu);
    frame
}

fn sound(frame: &[u8]) -> bool {
    frame.split_last_chunk::<2>().is_some_and(|(body, sum)| crc(body) == u16::from_le_bytes(*sum))
}

/// The checksum of RTU: polynomial 0xA001, from 0xFFFF on.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_specification_is_read_and_answered() {
        // Read holding registers 107 to 109 (V1.1b3, 6.3).
        assert_eq!(Request::of(&[3, 0, 0x6B, 0, 3]), Request::ReadHolding(107, 3));
        assert_eq!(read_answer(3, &[0x022B, 0, 0x64]), [3, 6, 2, 0x2B, 0, 0, 0, 0x64]);
        assert_eq!(
            Request::of(&[16, 0, 1, 0, 2, 4, 0, 10, 1, 2]),
            Request::WriteMultiple(1, vec![10, 0x0102])
        );
        assert_eq!(Request::of(&[3, 0, 0, 0, 126]), Request::Wrong(ILLEGAL_VALUE));
        assert_eq!(Request::of(&[16, 0, 1, 0, 2, 3, 0, 10, 1]), Request::Wrong(ILLEGAL_VALUE));
        assert_eq!(Request::of(&[0x2B, 14, 1, 0]), Request::Wrong(ILLEGAL_FUNCTION));
    }

    #[test]
    fn a_frame_is_found_behind_noise_and_needs_its_checksum() {
        let frame = [1, 3, 0, 0, 0, 8, 0x44, 0x0C];
        assert_eq!(rtu_frame(1, &[3, 0, 0, 0, 8]), frame);
        let mut received = vec![0xFF, 0x13, 0x77];
        received.extend(frame);
        assert_eq!(take_rtu(&mut received), Some((1, vec![3, 0, 0, 0, 8])));
        assert!(received.is_empty());
        let mut broken = frame.to_vec();
        broken[5] ^= 1;
        assert_eq!(take_rtu(&mut broken), None);
    }

    #[test]
    fn requests_on_tcp_may_come_in_pieces_and_in_one() {
        let mut received = tcp_frame(7, 1, &[4, 0, 1, 0, 2]);
        let last = received.pop().unwrap();
        assert_eq!(take_tcp(&mut received), Ok(None));
        received.push(last);
        received.extend(tcp_frame(8, 2, &[4, 0, 1, 0, 3]));
        assert_eq!(take_tcp(&mut received), Ok(Some((7, 1, vec![4, 0, 1, 0, 2]))));
        assert_eq!(take_tcp(&mut received), Ok(Some((8, 2, vec![4, 0, 1, 0, 3]))));
        assert_eq!(take_tcp(&mut b"GET / HTTP/1.1".to_vec()), Err(NotModbus));
    }

    proptest! {
        #[test]
        fn no_bytes_upset_it(bytes: Vec<u8>) {
            let (mut line, mut stream) = (bytes.clone(), bytes.clone());
            while take_rtu(&mut line).is_some() {}
            while let Ok(Some(_)) = take_tcp(&mut stream) {}
            let _ = Request::of(&bytes);
            prop_assert!(line.len() <= bytes.len());
        }
    }
}
