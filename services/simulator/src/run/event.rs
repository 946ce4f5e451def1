//! What the simulator tells while it runs.

use std::fmt;
use std::path::PathBuf;

use crate::command;

/// What the simulator tells while it runs. `Display` gives the line that the executable prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A battery can be reached.
    Ready {
        /// Its number, from 0.
        battery: usize,
        /// Its terminal.
        terminal: PathBuf,
        /// The link to it.
        link: PathBuf,
    },
    /// An inverter can be reached.
    InverterReady {
        /// The number of the battery on whose busbar it hangs.
        battery: usize,
        /// Its terminal.
        terminal: PathBuf,
        /// The link to it.
        link: PathBuf,
    },
    /// A battery's adapter was pulled out.
    Unplugged {
        /// Its number, from 0.
        battery: usize,
    },
    /// A battery says how it is.
    Status {
        /// Its number, from 0.
        battery: usize,
        /// In words.
        text: String,
    },
    /// A battery says what it tells the bus.
    Report {
        /// Its number, from 0.
        battery: usize,
        /// Words `key=value`.
        text: String,
    },
    /// A converter can be reached, or says something.
    Converter {
        /// Its number, from 0.
        number: usize,
        /// In words.
        text: String,
    },
    /// An inverter on Modbus can be reached, or says something.
    Inverter {
        /// Its number, from 0.
        number: usize,
        /// In words.
        text: String,
    },
    /// A command was carried out.
    Done,
    /// A command was not understood or not carried out.
    Refused(String),
    /// The list of commands.
    Help,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { battery, terminal, link } => {
                write!(f, "battery{battery} ready {} {}", terminal.display(), link.display())
            }
            Self::InverterReady { battery, terminal, link } => {
                write!(f, "inverter{battery} ready {} {}", terminal.display(), link.display())
            }
            Self::Unplugged { battery } => write!(f, "battery{battery} unplugged"),
            Self::Status { battery, text } | Self::Report { battery, text } => {
                write!(f, "battery{battery} {text}")
            }
            Self::Converter { number, text } => write!(f, "converter{number} {text}"),
            Self::Inverter { number, text } => write!(f, "modbus{number} {text}"),
            Self::Done => f.write_str("ok"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Help => f.write_str(command::HELP),
        }
    }
}
