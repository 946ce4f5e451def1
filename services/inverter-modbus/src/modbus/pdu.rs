//! Requests and their answers, without what a line puts around them.

use super::raw;
use crate::profile::scalar::Table;

/// Added to the function in a refusal (V1.1b3, 7).
const REFUSED: u8 = 0x80;
/// The longest PDU (V1.1b3, 4.1).
pub const LONGEST: usize = 253;

/// What is asked of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Functions 1 to 4: `count` bits or registers from `addr` on.
    Read {
        /// Where.
        table: Table,
        /// First address.
        addr: u16,
        /// 1 to 125 registers, or 1 to 2000 bits.
        count: u16,
    },
    /// Function 5: one coil.
    WriteCoil {
        /// Address.
        addr: u16,
        /// On.
        on: bool,
    },
    /// Function 6: one register.
    WriteRegister {
        /// Address.
        addr: u16,
        /// What.
        value: u16,
    },
    /// Function 15: coils from `addr` on.
    WriteCoils {
        /// First address.
        addr: u16,
        /// 1 to 1968 of them.
        on: Vec<bool>,
    },
    /// Function 16: registers from `addr` on.
    WriteRegisters {
        /// First address.
        addr: u16,
        /// 1 to 123 of them.
        values: Vec<u16>,
    },
    /// Any function with any data: what somebody else made.
    Raw {
        /// Function, 1 to 127.
        function: u8,
        /// Data behind it, at most 252 bytes.
        data: Vec<u8>,
    },
}

/// What a device answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Registers, or bits as 0 and 1.
    Values(Vec<u16>),
    /// It was written.
    Written,
    /// The data behind the function.
    Raw(Vec<u8>),
    /// It was refused, with this exception code (V1.1b3, 7).
    Exception(u8),
}

/// How long the answer to a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// So many bytes, function included.
    Exactly(usize),
    /// Only its frame tells.
    Any,
}

impl Request {
    /// The function code.
    #[must_use]
    pub fn function(&self) -> u8 {
        match self {
            Request::Read { table, .. } => read_function(*table),
            Request::WriteCoil { .. } => 5,
            Request::WriteRegister { .. } => 6,
            Request::WriteCoils { .. } => 15,
            Request::WriteRegisters { .. } => 16,
            Request::Raw { function, .. } => *function,
        }
    }

    /// The bytes; never more than [`LONGEST`]: what would not fit is cut.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.function()];
        let mut word = |value: u16| bytes.extend(value.to_be_bytes());
        match self {
            Request::Read { addr, count, .. } => {
                word(*addr);
                word(*count);
            }
            Request::WriteCoil { addr, on } => {
                word(*addr);
                word(if *on { 0xFF00 } else { 0 });
            }
            Request::WriteRegister { addr, value } => {
                word(*addr);
                word(*value);
            }
            Request::WriteCoils { addr, on } => {
                let on = on.get(..on.len().min(1968)).unwrap_or_default();
                word(*addr);
                word(u16::try_from(on.len()).unwrap_or(0));
                let packed = on
                    .chunks(8)
                    .map(|eight| eight.iter().rev().fold(0_u8, |byte, on| byte << 1 | u8::from(*on)));
                let packed: Vec<u8> = packed.collect();
                bytes.push(u8::try_from(packed.len()).unwrap_or(0));
                bytes.extend(packed);
            }
            Request::WriteRegisters { addr, values } => {
                let values = values.get(..values.len().min(123)).unwrap_or_default();
                word(*addr);
                word(u16::try_from(values.len()).unwrap_or(0));
                bytes.push(u8::try_from(2 * values.len()).unwrap_or(0));
                bytes.extend(values.iter().flat_map(|value| value.to_be_bytes()));
            }
            Request::Raw { data, .. } => bytes.extend(data.iter().take(LONGEST - 1)),
        }
        bytes
    }

    /// How long the answer is, when it is no refusal.
    #[must_use]
    pub fn answer_length(&self) -> Length {
        match self {
            Request::Read { table: Table::Coil | Table::Discrete, count, .. } => {
                Length::Exactly(2 + usize::from(*count).div_ceil(8))
            }
            Request::Read { count, .. } => Length::Exactly(2 + 2 * usize::from(*count)),
            Request::Raw { function, data } => raw::answer_length(*function, data),
            _ => Length::Exactly(5),
        }
    }

    /// What the bytes of an answer say; `None` if they answer something else.
    #[must_use]
    pub fn answer(&self, bytes: &[u8]) -> Option<Answer> {
        let (function, data) = bytes.split_first()?;
        if *function == self.function() | REFUSED {
            return match data {
                [code] => Some(Answer::Exception(*code)),
                _ => None,
            };
        }
        let is_long_enough = match self.answer_length() {
            Length::Exactly(length) => bytes.len() == length,
            Length::Any => bytes.len() <= LONGEST,
        };
        if *function != self.function() || !is_long_enough {
            return None;
        }
        match self {
            Request::Read { table, count, .. } => {
                let (length, values) = data.split_first()?;
                (usize::from(*length) == values.len()).then_some(())?;
                Some(Answer::Values(match table {
                    Table::Coil | Table::Discrete => bits(values).take(usize::from(*count)).collect(),
                    Table::Input | Table::Holding => {
                        values.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
                    }
                }))
            }
            Request::Raw { function, data: asked } => {
                raw::fits(*function, asked, data).then(|| Answer::Raw(data.to_vec()))
            }
            // The beginning of the request comes back.
            _ => (self.bytes().get(..5)? == bytes).then_some(Answer::Written),
        }
    }

    /// Whether it changes something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self, Request::Read { .. } | Request::Raw { function: 1..=4, .. })
    }
}

/// The function that reads a table.
#[must_use]
pub fn read_function(table: Table) -> u8 {
    match table {
        Table::Coil => 1,
        Table::Discrete => 2,
        Table::Holding => 3,
        Table::Input => 4,
    }
}

/// Bits, the lowest of the first byte first.
fn bits(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.iter().flat_map(|byte| (0..8).map(move |bit| u16::from(byte >> bit & 1)))
}

/// What an exception code means (V1.1b3, 7).
#[must_use]
pub fn exception_text(code: u8) -> &'static str {
    match code {
        1 => "function not supported",
        2 => "no such address",
        3 => "value not allowed",
        4 => "device failure",
        5 => "accepted, takes longer",
        6 => "device busy",
        8 => "memory parity error",
        10 => "gateway: no path",
        11 => "gateway: no answer from the device",
        _ => "unknown exception",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(table: Table, addr: u16, count: u16) -> Request {
        Request::Read { table, addr, count }
    }

    /// The examples of the specification (V1.1b3, 6.1 to 6.6, 6.11, 6.12).
    #[test]
    fn requests_and_answers_are_those_of_the_specification() {
        let coils = read(Table::Coil, 0x13, 0x13);
        assert_eq!(coils.bytes(), [1, 0, 0x13, 0, 0x13]);
        let Some(Answer::Values(on)) = coils.answer(&[1, 3, 0xCD, 0x6B, 0x05]) else { panic!() };
        assert_eq!(on, [1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1]);
        let inputs = read(Table::Discrete, 0xC4, 0x16);
        assert_eq!(inputs.bytes(), [2, 0, 0xC4, 0, 0x16]);
        assert!(
            matches!(inputs.answer(&[2, 3, 0xAC, 0xDB, 0x35]), Some(Answer::Values(on)) if on.len() == 22)
        );
        let holding = read(Table::Holding, 0x6B, 3);
        assert_eq!(holding.bytes(), [3, 0, 0x6B, 0, 3]);
        let answer = holding.answer(&[3, 6, 0x02, 0x2B, 0, 0, 0, 0x64]);
        assert_eq!(answer, Some(Answer::Values(vec![0x022B, 0, 0x64])));
        let input = read(Table::Input, 8, 1);
        assert_eq!(
            (input.bytes(), input.answer(&[4, 2, 0, 0x0A])),
            (vec![4, 0, 8, 0, 1], Some(Answer::Values(vec![10])))
        );
        let coil = Request::WriteCoil { addr: 0xAC, on: true };
        assert_eq!(
            (coil.bytes(), coil.answer(&[5, 0, 0xAC, 0xFF, 0])),
            (vec![5, 0, 0xAC, 0xFF, 0], Some(Answer::Written))
        );
        let register = Request::WriteRegister { addr: 1, value: 3 };
        assert_eq!(
            (register.bytes(), register.answer(&[6, 0, 1, 0, 3])),
            (vec![6, 0, 1, 0, 3], Some(Answer::Written))
        );
        let on = [1, 0, 1, 1, 0, 0, 1, 1, 1, 0].map(|on| on == 1).to_vec();
        let coils = Request::WriteCoils { addr: 0x13, on };
        assert_eq!(coils.bytes(), [15, 0, 0x13, 0, 0x0A, 2, 0xCD, 0x01]);
        assert_eq!(coils.answer(&[15, 0, 0x13, 0, 0x0A]), Some(Answer::Written));
        let registers = Request::WriteRegisters { addr: 1, values: vec![0x0A, 0x0102] };
        assert_eq!(registers.bytes(), [16, 0, 1, 0, 2, 4, 0, 0x0A, 1, 2]);
        assert_eq!(registers.answer(&[16, 0, 1, 0, 2]), Some(Answer::Written));
        assert_eq!(coils.answer(&[0x8F, 2]), Some(Answer::Exception(2)));
    }

    #[test]
    fn an_answer_to_something_else_is_none() {
        let holding = read(Table::Holding, 0, 2);
        for other in [
            &[][..],
            &[3],
            &[4, 4, 0, 0, 0, 0],
            &[3, 2, 0, 0],
            &[3, 4, 0, 0, 0],
            &[3, 6, 0, 0, 0, 0],
            &[3, 4, 0, 0, 0, 0, 0],
            &[0x84, 2],
            &[0x83],
            &[0x83, 2, 2],
        ] {
            assert_eq!(holding.answer(other), None, "{other:?}");
        }
        assert_eq!(Request::WriteRegister { addr: 1, value: 3 }.answer(&[6, 0, 1, 0, 4]), None);
    }

    #[test]
    fn raw_requests_take_any_answer_that_can_be_theirs() {
        let raw = Request::Raw { function: 0x41, data: vec![0x0E, 1, 0] };
        assert_eq!(raw.bytes(), [0x41, 0x0E, 1, 0]);
        assert_eq!(raw.answer(&[0x41, 1, 2]), Some(Answer::Raw(vec![1, 2])));
        assert_eq!(raw.answer(&[0xC1, 1]), Some(Answer::Exception(1)));
        let read = Request::Raw { function: 3, data: vec![0, 0, 0, 1] };
        assert_eq!(read.answer(&[3, 2, 0, 9]), Some(Answer::Raw(vec![2, 0, 9])));
        assert_eq!(read.answer(&[3, 4, 0, 9, 0, 9]), None, "that is another's");
        assert!(raw.is_write() && !Request::Raw { function: 3, data: vec![] }.is_write());
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_none(
            bytes in prop::collection::vec(any::<u8>(), 0..260),
            count in any::<u16>(),
            table in prop::sample::select(vec![Table::Coil, Table::Discrete, Table::Input, Table::Holding]),
        ) {
            let request = read(table, 0, count);
            if let Some(Answer::Values(values)) = request.answer(&bytes) {
                prop_assert_eq!(values.len(), usize::from(count));
            }
            let _ = Request::Raw { function: 0x41, data: bytes.clone() }.answer(&bytes);
            let raw = Request::Raw { function: 0x41, data: bytes };
            prop_assert!(raw.bytes().len() <= LONGEST);
        }
    }
}
