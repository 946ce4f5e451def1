//! The converter's end of the line: bytes in, replies out.

use std::time::Duration;

use tokio::time::Instant;

use super::faults::{Faults, Kind};
use super::line::{Device, Reply};
use super::physics::{Model, step_by_rules};
use super::registers::{self, Registers};

const REQUEST: u8 = 0x05;
const REPLY: u8 = 0x02;
const OVERHEAD: usize = 7;
/// No request is longer.
const LONGEST: usize = 64;
/// Older entries of the journal are dropped.
const JOURNAL: usize = 1_000;
/// In the middle of a reply.
const REFUSED: u8 = 0x80;
const MODE: u8 = 0x00;
const LIMITS: u8 = 0x1c;

/// A converter.
#[derive(Debug)]
pub struct Converter {
    /// What it knows.
    pub registers: Registers,
    /// What goes wrong.
    pub faults: Faults,
    model: Model,
    stepped_at: Option<Instant>,
    received: Vec<u8>,
    journal: Vec<String>,
}

impl Converter {
    /// A fresh one.
    #[must_use]
    pub fn new(model: Model) -> Self {
        Self {
            registers: Registers::default(),
            faults: Faults::default(),
            model,
            stepped_at: None,
            received: Vec::new(),
            journal: Vec::new(),
        }
    }

    /// What was served since this was asked last: `10-1:request:reply` in hexadecimal, with `:fault` where one was.
    pub fn take_journal(&mut self) -> Vec<String> {
        std::mem::take(&mut self.journal)
    }

    /// The next whole request, with what came before it dropped.
    fn request(&mut self) -> Option<Vec<u8>> {
        loop {
            let start = self.received.iter().position(|byte| *byte == REQUEST);
            self.received.drain(..start.unwrap_or(self.received.len()));
            let size = OVERHEAD + usize::from(*self.received.get(1)?);
            if size > LONGEST {
                self.received.remove(0);
                continue;
            }
            let frame = self.received.get(..size)?.to_vec();
            let sum = sum(frame.get(2..size - 2).unwrap_or_default());
            if frame.ends_with(&sum) {
                self.received.drain(..size);
                return Some(frame);
            }
            self.received.remove(0);
        }
    }

    fn serve(&mut self, request: &[u8], now: Instant) -> Option<Reply> {
        let [_, _, first, second, code, rest @ ..] = request else { return None };
        let payload = rest.get(..rest.len().saturating_sub(2)).unwrap_or_default();
        let fault = self.faults.take(*code, !payload.is_empty());
        self.pass_time(now);
        let served = match fault {
            Some(Kind::Refused(ercd)) => Err(ercd),
            _ => self.registers.serve(*code, payload),
        };
        if !payload.is_empty() && matches!(*code, MODE | LIMITS) && matches!(self.model, Model::Steps) {
            step_by_rules(&mut self.registers);
        }
        let (code_back, mut payload_back) = match served {
            Ok(bytes) => (*code, bytes),
            Err(ercd) => (*code | REFUSED, ercd.to_le_bytes().to_vec()),
        };
        if fault == Some(Kind::Short) {
            payload_back.truncate(2);
        }
        let addresses = if fault == Some(Kind::WrongAddress) { [*second, *first] } else { [*first, *second] };
        let code_back = code_back + u8::from(fault == Some(Kind::WrongCommand));
        let mut reply = frame(addresses, code_back, &payload_back);
        let mut pauses = [Duration::ZERO; 2];
        match &fault {
            Some(Kind::Drop) => reply.clear(),
            Some(Kind::BadChecksum) => {
                if let Some(last) = reply.last_mut() {
                    *last ^= 1;
                }
            }
            Some(Kind::WrongLength) => {
                if let Some(length) = reply.get_mut(1) {
                    *length = 0x33;
                }
            }
            Some(Kind::Truncated(length)) => reply.truncate(*length),
            Some(Kind::Garbage(bytes)) => reply.splice(..0, bytes.iter().copied()).for_each(drop),
            Some(Kind::Trail(bytes)) => reply.extend(bytes),
            Some(Kind::Echo) => reply.splice(..0, request.iter().copied()).for_each(drop),
            Some(Kind::Delay(pause)) => pauses = [*pause, Duration::ZERO],
            Some(Kind::Split(pause)) => pauses = [Duration::ZERO, *pause],
            _ => {}
        }
        if self.journal.len() >= JOURNAL {
            self.journal.remove(0);
        }
        let trouble = fault.as_ref().map(|kind| format!(":{}", kind.name())).unwrap_or_default();
        let name = registers::name(*code, !payload.is_empty());
        self.journal.push(format!("{name}:{}:{}{trouble}", hex(request), hex(&reply)));
        Some(Reply { bytes: reply, pauses })
    }

    fn pass_time(&mut self, now: Instant) {
        let before = self.stepped_at.replace(now).unwrap_or(now);
        if let Model::Plant(plant) = &mut self.model {
            plant.step(&mut self.registers, now.saturating_duration_since(before).as_secs_f64());
        }
    }
}

impl Device for Converter {
    fn receive(&mut self, byte: u8, now: Instant) -> Option<Reply> {
        self.received.push(byte);
        let request = self.request()?;
        self.serve(&request, now)
    }
}

fn frame(addresses: [u8; 2], code: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![REPLY, u8::try_from(payload.len()).unwrap_or(u8::MAX)];
    bytes.extend(addresses);
    bytes.push(code);
    bytes.extend(payload);
    let sum = sum(bytes.get(2..).unwrap_or_default());
    bytes.extend(sum);
    bytes
}

fn sum(bytes: &[u8]) -> [u8; 2] {
    bytes.iter().map(|byte| u16::from(*byte)).fold(0, u16::wrapping_add).to_le_bytes()
}

/// Bytes as people write them.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
