//! Who switches the direction of an RS485 line: the adapter by itself, the driver of the port, or a pin that is up while we
//! send.

use std::fmt;
use std::io;

use gpiocdev::line::Value;
use serde::{Deserialize, Serialize};
use service_kit::serial::Port;

/// `adapter`, `kernel`, or `gpio:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Direction {
    /// Nothing has to be done.
    #[default]
    Adapter,
    /// The driver's RS485 mode.
    Kernel,
    /// The pin of this name.
    Pin(String),
    /// The pin of this name on machines that have one, as apis-dcdc_batt_comm takes it where its file names none.
    PinIfThere(String),
}

/// A pin that this process has for itself.
#[derive(Debug)]
pub struct Pin(gpiocdev::Request);

impl Direction {
    /// Prepares a port that has just been opened.
    ///
    /// # Errors
    /// What is missing, in words.
    pub fn prepare(&self, port: &mut Port) -> Result<Option<Pin>, String> {
        match self {
            Self::Adapter => Ok(None),
            Self::Kernel => match port.let_kernel_switch_direction() {
                Ok(()) => Ok(None),
                Err(error) => Err(format!(
                    "the driver of {} has no RS485 mode ({error}): direction is adapter or gpio:NAME",
                    port.path().display()
                )),
            },
            Self::Pin(name) => Pin::take(name)?
                .map(Some)
                .ok_or_else(|| format!("no pin is called {name:?}: gpioinfo shows those of this machine")),
            // Without chips, or without the right to look at them, it is as if there were none.
            Self::PinIfThere(name) => Ok(Pin::take(name).ok().flatten()),
        }
    }
}

impl Pin {
    /// The pin of this name, down; `None` where there is none.
    fn take(name: &str) -> Result<Option<Self>, String> {
        let Some(line) = names(name).iter().find_map(|name| gpiocdev::find_named_line(name)) else {
            return Ok(None);
        };
        let request = gpiocdev::Request::builder()
            .with_found_line(&line)
            .as_output(Value::Inactive)
            .with_consumer("busbar dcdc-rs485")
            .request();
        request.map(|request| Some(Self(request))).map_err(|error| format!("pin {name}: {error}"))
    }

    /// Up while we send.
    ///
    /// # Errors
    /// What the system says.
    pub fn set(&self, is_up: bool) -> io::Result<()> {
        let value = if is_up { Value::Active } else { Value::Inactive };
        self.0.set_lone_value(value).map(drop).map_err(io::Error::other)
    }
}

/// How a pin may be called: on a BeagleBone `P8_7` is `P8_07`.
fn names(name: &str) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    if let Some((header, number)) = name.split_once('_')
        && let Ok(number) = number.parse::<u8>()
    {
        names.push(format!("{header}_{number:02}"));
    }
    names
}

impl TryFrom<String> for Direction {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match (text.as_str(), text.strip_prefix("gpio:")) {
            ("adapter", _) => Ok(Self::Adapter),
            ("kernel", _) => Ok(Self::Kernel),
            (_, Some(name)) if !name.is_empty() => Ok(Self::Pin(name.to_owned())),
            _ => Err(format!("{text:?} is not adapter, kernel or gpio:NAME")),
        }
    }
}

impl From<Direction> for String {
    fn from(direction: Direction) -> Self {
        direction.to_string()
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Adapter => f.write_str("adapter"),
            Self::Kernel => f.write_str("kernel"),
            Self::Pin(name) | Self::PinIfThere(name) => write!(f, "gpio:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_is_read_as_it_is_written() {
        for text in ["adapter", "kernel", "gpio:P8_07"] {
            assert_eq!(Direction::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        assert!(Direction::try_from("gpio:".to_owned()).is_err());
    }

    #[test]
    fn a_pin_is_found_by_the_name_of_the_board_too() {
        assert_eq!(names("P8_7"), ["P8_7", "P8_07"]);
        assert_eq!(names("GPIO17"), ["GPIO17"]);
    }

    #[test]
    fn a_pin_that_no_machine_has_is_none() {
        assert!(Pin::take("no such pin").is_ok_and(|pin| pin.is_none()));
    }
}
