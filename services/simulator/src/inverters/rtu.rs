//! Inverters on one serial line.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::faults::Kind;
use super::modbus::{rtu_frame, take_rtu};
use super::unit::{Answer, Unit, pauses};
use crate::converter::line::{Device, Reply};
use crate::converter::lock;

/// A pause of this length inside a request ends it. Longer than 3.5 characters: programs write in pieces.
const PAUSE: Duration = Duration::from_millis(20);

/// The inverters.
#[derive(Debug)]
pub struct Bus {
    units: Vec<Arc<Mutex<Unit>>>,
    received: Vec<u8>,
    heard_at: Option<Instant>,
}

impl Bus {
    /// A line with these.
    #[must_use]
    pub fn new(units: Vec<Arc<Mutex<Unit>>>) -> Self {
        Self { units, received: Vec::new(), heard_at: None }
    }
}

impl Device for Bus {
    fn receive(&mut self, byte: u8, now: Instant) -> Option<Reply> {
        let before = self.heard_at.replace(now).unwrap_or(now);
        if now.saturating_duration_since(before) > PAUSE {
            self.received.clear();
        }
        self.received.push(byte);
        let (number, pdu) = take_rtu(&mut self.received)?;
        let unit = self.units.iter().find(|unit| lock(unit).number == number)?;
        let answer = lock(unit).serve(&pdu, now)?;
        Some(on_the_line(number, &answer))
    }
}

/// The bytes of an answer and their pauses.
#[must_use]
pub fn on_the_line(number: u8, answer: &Answer) -> Reply {
    let trouble = answer.trouble.as_ref();
    let number = if trouble == Some(&Kind::Foreign) { number.wrapping_add(1) } else { number };
    let mut bytes = rtu_frame(number, &answer.pdu);
    match trouble {
        Some(Kind::BadCrc) => {
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
        }
        Some(Kind::Doubled) => bytes.extend_from_within(..),
        Some(Kind::Garbage(noise)) => bytes.splice(..0, noise.iter().copied()).for_each(drop),
        Some(Kind::Truncated(length)) => bytes.truncate(*length),
        _ => {}
    }
    Reply { bytes, pauses: pauses(trouble) }
}
