//! An EZA2500 converter and the battery behind it, on pseudo-terminals of their own.
//!
//! - `registers`: what the converter knows, as raw words by name, and which command carries which
//! - `physics`: DC grid, battery and droop, or the plain steps of the maker's test bench
//! - `faults`: what can go wrong with a reply
//! - `device`: bytes in, replies out; `emulator` does the same for the battery's Modbus RTU
//! - `line`: a terminal served by a thread of its own, paced at the baud rate by absolute deadlines
//! - `command`: what can be asked for while it runs
//!
//! Frames: SonyCSL/apis-dcdc_batt_comm (drivers/eza2500); registers: SonyCSL/apis-hw-info (rs485-battery-comm_EN.md).

pub mod command;
mod config;
pub mod device;
pub mod emulator;
pub mod faults;
pub mod line;
pub mod physics;
pub mod registers;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use config::ConverterConfig;
use device::Converter;
use emulator::Emulator;
use line::{Line, Pacing};

use crate::uart::{Character, Setting};

/// A converter that runs, with its battery if it has one.
#[derive(Debug)]
pub struct Running {
    converter: Arc<Mutex<Converter>>,
    emulator: Arc<Mutex<Emulator>>,
    line: Line,
    battery_line: Option<Line>,
}

impl Running {
    /// Opens the terminals and starts serving them.
    ///
    /// # Errors
    /// No terminal, or no link to it.
    pub fn start(config: &ConverterConfig) -> io::Result<Self> {
        let converter = Arc::new(Mutex::new(Converter::new(config.model())));
        let emulator = Arc::new(Mutex::new(Emulator::default()));
        let pacing = |baud| {
            let setting = Setting { baud, character: Character::default() };
            Pacing::new(config.paced.then_some(setting), config.turnaround_ms)
        };
        let line = Line::start(&config.link, pacing(config.baud), None, converter.clone())?;
        let battery_line = match &config.battery_link {
            Some(link) => Some(Line::start(link, pacing(config.battery_baud), None, emulator.clone())?),
            None => None,
        };
        Ok(Self { converter, emulator, line, battery_line })
    }

    /// Carries out a command and says what came of it.
    ///
    /// # Errors
    /// Why not.
    pub fn command(&self, words: &[&str]) -> Result<String, String> {
        match words {
            ["timing"] => Ok(format!("timing {}", self.line.timing())),
            ["journal"] => {
                let served = lock(&self.converter).take_journal();
                let asked = lock(&self.emulator).take_journal();
                Ok(format!("journal {} | {}", served.join(" "), asked.join(" ")))
            }
            ["battery", rest @ ..] => command::battery(&mut lock(&self.emulator), rest),
            words => command::converter(&mut lock(&self.converter), words),
        }
    }

    /// The terminals, for people.
    #[must_use]
    pub fn terminals(&self) -> String {
        let battery = self.battery_line.as_ref().map(|line| format!(" {}", line.terminal().display()));
        format!("{}{}", self.line.terminal().display(), battery.unwrap_or_default())
    }
}

/// A lock that survives a panic elsewhere: what is in it is never half written.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
