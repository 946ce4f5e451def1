//! Which rates and units are tried at a port or host.

use std::collections::BTreeSet;
use std::path::PathBuf;

use service_kit::serial::{Character, Parity};

use super::knowledge::Knowledge;
use super::search::Units;
use crate::line::address::{Address, Framing};
use crate::profile::{Profile, link};

/// What is searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// A serial port.
    Port(PathBuf),
    /// A host.
    Host {
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// What is spoken on it.
        framing: Framing,
    },
}

impl Where {
    /// Where an address is, whatever is spoken there.
    #[must_use]
    pub fn of(address: &Address) -> Where {
        match address.clone() {
            Address::Serial { path, .. } => Where::Port(path),
            Address::Tcp { host, port, framing } => Where::Host { host, port, framing },
        }
    }

    /// Some address there.
    #[must_use]
    pub fn address(&self) -> Address {
        match self.clone() {
            Where::Port(path) => Address::Serial { path, baud: 9_600, character: Character::default() },
            Where::Host { host, port, framing } => Address::Tcp { host, port, framing },
        }
    }
}

/// What the user knows better than the profiles. What is not said is taken from them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Rates of a serial port, in this order.
    pub bauds: Vec<u32>,
    /// Parity of a serial port.
    pub parity: Option<Parity>,
    /// Stop bits of a serial port, 1 or 2.
    pub stop_bits: Option<u8>,
    /// Units, 1 to 247, in this order. At each of them every device is looked for.
    pub units: Vec<u8>,
}

/// The rates that are tried, each with its units, in order.
#[must_use]
pub fn plan(knowledge: &Knowledge, place: &Where, wishes: &Wishes) -> Vec<(Address, Units)> {
    let mut plan: Vec<(Address, Units)> = Vec::new();
    // The most usual rate of every device goes before the second of any.
    let most = knowledge.profiles().filter_map(|profile| Some(profile.link.rtu.as_ref()?.baud.len())).max();
    let most = most.unwrap_or(1).max(wishes.bauds.len());
    for choice in 0..most {
        for profile in knowledge.profiles() {
            let Some(address) = address(profile, place, wishes, choice) else { continue };
            let at = plan.iter().position(|(known, _)| *known == address).unwrap_or_else(|| {
                plan.push((address, Vec::new()));
                plan.len() - 1
            });
            let Some((_, tried)) = plan.get_mut(at) else { continue };
            let units = if wishes.units.is_empty() { &profile.link.units } else { &wishes.units };
            for unit in units {
                match tried.iter_mut().find(|(known, _)| known == unit) {
                    Some((_, usual)) => drop(usual.insert(profile.id.clone())),
                    None => tried.push((*unit, BTreeSet::from([profile.id.clone()]))),
                }
            }
        }
    }
    plan
}

/// Where the device of a profile is tried, as the first, second ... choice.
fn address(profile: &Profile, place: &Where, wishes: &Wishes, choice: usize) -> Option<Address> {
    match place {
        Where::Port(path) => {
            let rtu = profile.link.rtu.as_ref()?;
            let bauds = if wishes.bauds.is_empty() { &rtu.baud } else { &wishes.bauds };
            let baud = *bauds.get(choice)?;
            Some(Address::Serial { path: path.clone(), baud, character: character(rtu, wishes) })
        }
        // A gateway may lead to any device.
        Where::Host { host, port, framing } => {
            let address = Address::Tcp { host: host.clone(), port: *port, framing: *framing };
            (choice == 0).then_some(address)
        }
    }
}

fn character(rtu: &link::Rtu, wishes: &Wishes) -> Character {
    let parity = wishes.parity.unwrap_or(match rtu.parity {
        link::Parity::None => Parity::None,
        link::Parity::Even => Parity::Even,
        link::Parity::Odd => Parity::Odd,
    });
    Character { parity, two_stop_bits: wishes.stop_bits.unwrap_or(rtu.stop) == 2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Library;

    fn known() -> Knowledge {
        Knowledge::of(&Library::new(Some(PathBuf::from("/nonexistent")))).0
    }

    fn port() -> Where {
        Where::Port("/dev/ttyUSB0".into())
    }

    #[test]
    fn a_port_is_tried_at_the_rates_of_the_profiles_beginning_with_the_most_usual() {
        let plan = plan(&known(), &port(), &Wishes::default());
        let rates: Vec<String> = plan.iter().map(|(address, _)| address.to_string()).collect();
        assert_eq!(rates[..2], ["/dev/ttyUSB0 9600 8N1", "/dev/ttyUSB0 19200 8N1"]);
        let units: Vec<u8> = plan[0].1.iter().map(|(unit, _)| *unit).collect();
        assert_eq!(units[..2], [1, 247]);
        assert!(plan[1].1[0].1.contains("luxpower") && !plan[0].1[0].1.contains("luxpower"));
    }

    #[test]
    fn what_the_user_knows_goes_before_what_is_usual() {
        let wishes =
            Wishes { bauds: vec![38_400], parity: Some(Parity::Even), stop_bits: Some(2), units: vec![9, 5] };
        let plan = plan(&known(), &port(), &wishes);
        assert_eq!(plan.len(), 1);
        assert_eq!(plan[0].0.to_string(), "/dev/ttyUSB0 38400 8E2");
        let units: Vec<u8> = plan[0].1.iter().map(|(unit, _)| *unit).collect();
        assert_eq!(units, [9, 5]);
        assert!(plan[0].1[1].1.contains("goodwe-et") && plan[0].1[1].1.contains("deye-one-phase"));
    }

    #[test]
    fn a_host_may_lead_to_any_device() {
        let host = Where::Host { host: "10.0.0.7".into(), port: 502, framing: Framing::Tcp };
        let plan = plan(&known(), &host, &Wishes::default());
        assert_eq!(plan.len(), 1);
        let all: BTreeSet<&String> = plan[0].1.iter().flat_map(|(_, usual)| usual).collect();
        assert_eq!(all.len(), known().profiles().count());
    }
}
