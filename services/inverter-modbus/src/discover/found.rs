//! A unit that was found, as a device of the configuration.

use super::search::{Finding, Verdict};
use crate::config::{Device, ParityBit};
use crate::line::address::Address;
use crate::profile::Profile;
use service_kit::serial::{Character, Parity};

/// The entry that runs it, with what is not the usual of its profile; nothing if it is not known what it is.
#[must_use]
pub fn device(address: &Address, finding: &Finding, profile: &Profile) -> Option<Device> {
    let Verdict::Is(id) = &finding.verdict else { return None };
    let mut device = Device::at(id);
    device.unit = Some(finding.unit);
    match address {
        Address::Serial { path, baud, character } => {
            device.port = Some(path.clone());
            let Address::Serial { baud: usual, character: its, .. } = device.address(profile).ok()? else {
                return None;
            };
            device.baud = (*baud != usual).then_some(*baud);
            device.parity = (character.parity != its.parity).then(|| parity_bit(*character));
            device.stop_bits = (character.two_stop_bits != its.two_stop_bits).then(|| stop_bits(*character));
        }
        Address::Tcp { host, port, framing } => {
            device.host = Some(host.clone());
            let usual = profile.link.tcp.as_ref().map_or(502, |tcp| tcp.port);
            device.tcp_port = (*port != usual).then_some(*port);
            device.framing = *framing;
        }
    }
    Some(device)
}

fn parity_bit(character: Character) -> ParityBit {
    match character.parity {
        Parity::None => ParityBit::None,
        Parity::Even => ParityBit::Even,
        Parity::Odd => ParityBit::Odd,
    }
}

fn stop_bits(character: Character) -> u8 {
    if character.two_stop_bits { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::recognise::Identity;
    use crate::profile::builtin;

    #[test]
    fn the_entry_leads_back_to_where_the_device_was_found() {
        let character = Character { parity: Parity::Even, two_stop_bits: false };
        let serial = |baud| Address::Serial { path: "/dev/ttyUSB0".into(), baud, character };
        let tcp = |port| Address::Tcp { host: "10.0.0.7".into(), port, framing: Default::default() };
        for id in builtin::ids() {
            let profile = builtin::by_id(id).unwrap();
            let finding =
                Finding { rate: 0, unit: 9, verdict: Verdict::Is(id.into()), identity: Identity::default() };
            for address in [serial(9_600), serial(19_200), tcp(502), tcp(1502)] {
                let device = device(&address, &finding, &profile).unwrap();
                assert_eq!((device.address(&profile), device.unit(&profile)), (Ok(address), 9), "{id}");
            }
            let either = Finding { verdict: Verdict::Either(vec![]), ..finding };
            assert_eq!(device(&tcp(502), &either, &profile), None);
        }
    }
}
