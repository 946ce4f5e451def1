//! Bytes from a device on Modbus, on a serial line and over TCP.

use inverter_modbus::modbus::pdu::{self, Request};
use inverter_modbus::modbus::{raw, rtu, tcp};
use inverter_modbus::profile::scalar::Table;

/// The first six bytes say what was asked; the others are what was received.
pub fn run(data: &[u8]) {
    let Some((&[kind, unit, a1, a0, c1, c0], received)) = data.split_first_chunk() else { return };
    let (addr, word) = (u16::from_be_bytes([a1, a0]), u16::from_be_bytes([c1, c0]));
    let read = |table, most| Request::Read { table, addr, count: word % most + 1 };
    let request = match kind % 9 {
        0 => read(Table::Coil, 2000),
        1 => read(Table::Discrete, 2000),
        2 => read(Table::Input, 125),
        3 => read(Table::Holding, 125),
        4 => Request::WriteCoil { addr, on: word & 1 == 1 },
        5 => Request::WriteRegister { addr, value: word },
        6 => Request::WriteCoils { addr, on: vec![true; usize::from(word % 1968) + 1] },
        7 => Request::WriteRegisters { addr, values: vec![word; usize::from(word % 123) + 1] },
        _ => Request::Raw { function: c1 & 0x7F, data: vec![a1, a0, c0 >> 4, c0] },
    };
    if let Request::Raw { function, data } = &request {
        let _ = (raw::reach(*function, received), raw::fits(*function, data, received));
        assert!(raw::told_length(received).is_none_or(|length| length <= pdu::LONGEST));
    }
    for is_over in [false, true] {
        if let rtu::Found::Answer(answer) = rtu::find(received, unit, &request, is_over) {
            assert!(is_framed(received, unit, request.function()), "{answer:?} to {request:?}");
        }
    }
    match tcp::find(received, addr, unit, &request) {
        tcp::Found::Answer(answer, length) => {
            let head = [a1, a0, 0, 0, 0, (length - 6) as u8, unit];
            assert!(received.starts_with(&head) && length <= received.len(), "{answer:?} to {request:?}");
        }
        tcp::Found::Other(length) => assert!((8..=received.len()).contains(&length)),
        tcp::Found::More | tcp::Found::Garbage => {}
    }
}

/// Whether somewhere in there is a frame of this unit and function, refused or not, with its CRC.
fn is_framed(received: &[u8], unit: u8, function: u8) -> bool {
    let starts = received.windows(2).enumerate();
    let mut starts = starts.filter(|(_, two)| two[0] == unit && two[1] & 0x7F == function & 0x7F);
    starts.any(|(at, _)| {
        let mut crc = 0xFFFF_u16;
        received[at..].iter().zip(1..).any(|(byte, length)| {
            crc ^= u16::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 };
            }
            // The CRC over a frame and its own CRC is 0.
            crc == 0 && length >= 4
        })
    })
}
