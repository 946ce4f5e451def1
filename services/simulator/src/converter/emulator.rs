//! The battery of a converter: two input registers over Modbus RTU.

use std::time::Duration;

use tokio::time::Instant;

use super::device::hex;
use super::line::{Device, Reply};

const UNIT: u8 = 1;
const READ_INPUT: u8 = 0x04;
const EXCEPTION: u8 = 0x80;
/// Unit, function, address, count, CRC.
const REQUEST: usize = 8;
/// Numbers of the registers less 30001.
const RSOC: u16 = 29;
const STATUS: u16 = 30;
const JOURNAL: usize = 1_000;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No reply.
    Drop,
    /// Device failure.
    Exception,
    /// A CRC that is wrong.
    BadCrc,
}

/// The battery.
#[derive(Debug, Default)]
pub struct Emulator {
    /// State of charge, tenths of a per cent.
    pub rsoc: u16,
    /// Bit 0: sharing energy is denied.
    pub status: u16,
    /// Until it is taken away.
    pub trouble: Option<Trouble>,
    received: Vec<u8>,
    journal: Vec<String>,
}

impl Emulator {
    /// What was served since this was asked last: `request:reply` in hexadecimal.
    pub fn take_journal(&mut self) -> Vec<String> {
        std::mem::take(&mut self.journal)
    }

    fn answer(&self, function: u8, address: u16, count: u16) -> Vec<u8> {
        let exception = |code| vec![UNIT, function | EXCEPTION, code];
        if self.trouble == Some(Trouble::Exception) {
            return exception(4);
        }
        if function != READ_INPUT {
            return exception(1);
        }
        if !(1..=2).contains(&count) {
            return exception(3);
        }
        let mut bytes = vec![UNIT, function, count.to_le_bytes().map(|byte| byte * 2)[0]];
        for register in address..address.saturating_add(count) {
            match register {
                RSOC => bytes.extend(self.rsoc.to_be_bytes()),
                STATUS => bytes.extend(self.status.to_be_bytes()),
                _ => return exception(2),
            }
        }
        bytes
    }
}

impl Device for Emulator {
    fn receive(&mut self, byte: u8, _: Instant) -> Option<Reply> {
        self.received.push(byte);
        let whole = self.received.last_chunk::<REQUEST>().copied()?;
        let [unit, function, a1, a0, c1, c0, ..] = whole;
        if unit != UNIT || !is_sound(&whole) {
            return None;
        }
        self.received.clear();
        let mut reply = self.answer(function, u16::from_be_bytes([a1, a0]), u16::from_be_bytes([c1, c0]));
        let crc = crc(&reply) ^ u16::from(self.trouble == Some(Trouble::BadCrc));
        reply.extend(crc.to_le_bytes());
        if self.trouble == Some(Trouble::Drop) {
            reply.clear();
        }
        if self.journal.len() >= JOURNAL {
            self.journal.remove(0);
        }
        self.journal.push(format!("{}:{}", hex(&whole), hex(&reply)));
        Some(Reply { bytes: reply, pauses: [Duration::ZERO; 2] })
    }
}

/// The CRC of a frame covers itself to zero.
fn is_sound(frame: &[u8]) -> bool {
    crc(frame) == 0
}

/// CRC-16 of Modbus over serial line (V1.02, 6.2.2), bit by bit.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 })
    })
}
