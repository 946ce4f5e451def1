//! Hybrid inverters on Modbus: RTU on a pseudo-terminal, or TCP.
//!
//! - `map`: the part of a profile of `inverter-modbus` that says where which quantity stands
//! - `plant`: sun, grid, house and battery; `balance` says what flows between them, `orders` what it was told
//! - `image`: the registers; `layout` puts them there, SunSpec chains too; `sheet` is a profile in one device
//! - `quantities`, `showing`: what flows, by the names of profiles, in the registers
//! - `set_points`, `makers`, `sunspec`, `obeying`: what is written, by name and by maker, as orders; `writing`: what is refused
//! - `unit`: one inverter, and how it answers
//! - `modbus`: the server's half of the protocol; `rtu` and `tcp` carry it
//! - `faults`, `command`: what can go wrong, and what can be asked for while it runs
//!
//! Nothing is shared with `inverter-modbus`: its profiles are read here once more, and only as far as needed.

pub mod balance;
pub mod command;
mod config;
pub mod faults;
pub mod image;
pub mod layout;
pub mod makers;
pub mod map;
pub mod modbus;
pub mod obeying;
pub mod orders;
pub mod plant;
pub mod quantities;
pub mod rtu;
pub mod set_points;
pub mod sheet;
mod showing;
pub mod sunspec;
pub mod tcp;
pub mod unit;
pub mod writing;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

pub use config::{InverterConfig, Profiles};
use rtu::Bus;
use tcp::{Manners, Port};
use unit::Unit;

use crate::converter::line::{Line, Pacing};
use crate::converter::lock;
use crate::uart::Setting;

/// An inverter that a line, a console and a battery know.
pub type SharedUnit = Arc<Mutex<Unit>>;

/// Why an inverter does not start.
#[derive(Debug, thiserror::Error)]
pub enum InverterError {
    /// Its profile cannot be read.
    #[error("the profile {profile}: {why}")]
    Profile {
        /// As the scenario names it.
        profile: String,
        /// Why.
        why: String,
    },
    /// Its terminal or its port cannot be had.
    #[error("{place}: {source}")]
    Place {
        /// The link or the address.
        place: String,
        /// Why.
        source: io::Error,
    },
}

/// Where inverters can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Link(PathBuf),
    Listen(SocketAddr),
}

/// A line or a port, plugged in or not.
#[derive(Debug)]
struct Wire {
    place: Place,
    pacing: Pacing,
    /// How its devices are set, where that counts.
    setting: Option<Setting>,
    manners: Manners,
    units: Vec<SharedUnit>,
    plugged: Option<Plugged>,
}

#[derive(Debug)]
enum Plugged {
    Line(Line),
    Port(Port),
}

/// Inverters that run.
#[derive(Debug)]
pub struct Running {
    wires: Vec<Wire>,
    /// Every inverter and the wire that it hangs on.
    units: Vec<(SharedUnit, usize)>,
}

impl Running {
    /// Opens terminals and ports and starts serving them. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// A profile, terminal or port is not to be had.
    pub fn start(configs: &[InverterConfig], known: Profiles) -> Result<Self, InverterError> {
        let (mut wires, mut units): (Vec<Wire>, Vec<_>) = (Vec::new(), Vec::new());
        for config in configs {
            let profile = config.profile(known)?;
            let setting = config.setting(&profile);
            let place = match (&config.link, config.listen) {
                (Some(link), _) => Place::Link(link.clone()),
                (None, Some(address)) => Place::Listen(address),
                (None, None) => continue,
            };
            let unit = Arc::new(Mutex::new(config.unit(profile)));
            // Port 0 is another port each time.
            let shares =
                |wire: &Wire| wire.place == place && !matches!(place, Place::Listen(at) if at.port() == 0);
            let wire = match wires.iter().position(shares) {
                Some(wire) => wire,
                None => {
                    let pacing = Pacing::new(config.paced.then_some(setting), config.turnaround_ms);
                    wires.push(Wire {
                        place,
                        pacing,
                        setting: config.minds_rate().then_some(setting),
                        manners: config.manners(),
                        units: Vec::new(),
                        plugged: None,
                    });
                    wires.len() - 1
                }
            };
            if let Some(wire) = wires.get_mut(wire) {
                wire.units.push(unit.clone());
            }
            units.push((unit, wire));
        }
        for wire in &mut wires {
            wire.plug()?;
        }
        Ok(Self { wires, units })
    }

    /// The numbers of all inverters, and where each can be reached.
    pub fn places(&self) -> impl Iterator<Item = (usize, String)> {
        self.units
            .iter()
            .enumerate()
            .map(|(number, (_, wire))| (number, self.wires.get(*wire).map(Wire::place).unwrap_or_default()))
    }

    /// An inverter.
    #[must_use]
    pub fn unit(&self, number: usize) -> Option<SharedUnit> {
        self.units.get(number).map(|(unit, _)| unit.clone())
    }

    /// Carries out a command for an inverter and says what came of it.
    ///
    /// # Errors
    /// Why not.
    pub fn command(&mut self, number: usize, words: &[&str]) -> Result<String, String> {
        let (unit, wire) = self.units.get(number).ok_or_else(|| format!("there is no inverter {number}"))?;
        let wire = self.wires.get_mut(*wire).ok_or("its wire is gone")?;
        match words {
            ["unplug"] => {
                wire.plugged = None;
                Ok("unplugged".to_owned())
            }
            ["plug"] => {
                wire.plug().map_err(|error| error.to_string())?;
                Ok(format!("ready {}", wire.place()))
            }
            ["clients", count] => {
                let count = count.parse().map_err(|_| format!("{count}: a number of clients"))?;
                wire.manners.clients.store(count, Ordering::Relaxed);
                Ok("ok".to_owned())
            }
            ["timing"] => match &wire.plugged {
                Some(Plugged::Line(line)) => Ok(format!("timing {}", line.timing())),
                _ => Err("only a serial line has a timing".to_owned()),
            },
            words => {
                let mut unit = lock(unit);
                let answer = command::unit(&mut unit, words);
                unit.pass_time(tokio::time::Instant::now());
                answer
            }
        }
    }
}

impl Wire {
    fn plug(&mut self) -> Result<(), InverterError> {
        if self.plugged.is_some() {
            return Ok(());
        }
        let place = match &self.place {
            Place::Link(link) => link.display().to_string(),
            Place::Listen(address) => address.to_string(),
        };
        let plugged = match &self.place {
            Place::Link(link) => {
                let bus = Arc::new(Mutex::new(Bus::new(self.units.clone())));
                Line::start(link, self.pacing, self.setting, bus).map(Plugged::Line)
            }
            Place::Listen(address) => {
                Port::start(*address, self.manners.clone(), self.units.clone()).map(Plugged::Port)
            }
        };
        let plugged = plugged.map_err(|source| InverterError::Place { place, source })?;
        // The same port again after it was unplugged.
        if let (Plugged::Port(port), Place::Listen(address)) = (&plugged, &mut self.place) {
            *address = port.address();
        }
        self.plugged = Some(plugged);
        Ok(())
    }

    fn place(&self) -> String {
        match (&self.plugged, &self.place) {
            (Some(Plugged::Line(line)), Place::Link(link)) => {
                format!("{} {}", line.terminal().display(), link.display())
            }
            (_, Place::Link(link)) => link.display().to_string(),
            (_, Place::Listen(address)) => address.to_string(),
        }
    }
}
