//! The CAN interfaces of this machine, for people who look for theirs.

use std::io;
use std::path::Path;

use super::adapters::{self, Adapter, SYS_CLASS_NET};
use super::links::Links;
use super::netlink::LinkInfo;
use crate::link_health::BusState;

/// One CAN interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanInterface {
    /// Its name now.
    pub name: String,
    /// What it hangs on, as far as sysfs tells.
    pub adapter: Option<Adapter>,
    /// Its kind: `can` for everything with a controller, `vcan`, ...
    pub kind: String,
    /// Whether it is up.
    pub is_up: bool,
    /// State of the controller.
    pub state: Option<BusState>,
    /// Bits per second.
    pub bit_rate: Option<u32>,
    /// What `interface` in the configuration can be, the names that survive replugging first.
    pub selectors: Vec<String>,
}

/// All CAN interfaces, by name. Nothing is opened and nothing changed.
///
/// # Errors
/// The kernel does not tell about interfaces. Must be called inside a tokio runtime.
pub fn scan() -> io::Result<Vec<CanInterface>> {
    let links = Links::open()?.all()?;
    Ok(merge(links, &adapters::adapters(Path::new(SYS_CLASS_NET))))
}

fn merge(links: Vec<LinkInfo>, adapters: &[Adapter]) -> Vec<CanInterface> {
    let mut found: Vec<CanInterface> = links
        .into_iter()
        .filter(|link| link.is_can)
        .map(|link| {
            let adapter = adapters.iter().find(|adapter| adapter.name == link.name).cloned();
            CanInterface {
                selectors: selectors(&link.name, adapter.as_ref(), adapters),
                name: link.name,
                adapter,
                kind: link.kind,
                is_up: link.is_up,
                state: link.controller.state,
                bit_rate: link.controller.bit_rate,
            }
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn selectors(name: &str, adapter: Option<&Adapter>, all: &[Adapter]) -> Vec<String> {
    let mut selectors = Vec::new();
    if let Some(adapter) = adapter {
        let named = |prefix: &str, text: &String, is_shared: bool| {
            let channel = if is_shared { format!("#{}", adapter.channel) } else { String::new() };
            format!("{prefix}{text}{channel}")
        };
        let is_shared = |same: &dyn Fn(&Adapter) -> bool| all.iter().filter(|other| same(other)).count() > 1;
        if let Some(serial) = &adapter.usb_serial {
            selectors.push(named(
                "usb-serial:",
                serial,
                is_shared(&|other| other.usb_serial == adapter.usb_serial),
            ));
        }
        if let Some(path) = &adapter.path {
            selectors.push(named("path:", path, is_shared(&|other| other.path == adapter.path)));
        }
    }
    selectors.push(name.to_owned());
    selectors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_listed_with_names_that_survive_replugging_first() {
        let adapter = |name: &str, serial: &str, channel| Adapter {
            name: name.to_owned(),
            driver: Some("gs_usb".to_owned()),
            usb_serial: Some(serial.to_owned()),
            path: Some(format!("usb1/{serial}")),
            channel,
        };
        let link = |name: &str, is_can| LinkInfo { name: name.to_owned(), is_can, ..LinkInfo::default() };
        let adapters = [adapter("can0", "A", 0), adapter("can1", "A", 1), adapter("can2", "B", 0)];
        let links =
            ["vcan0", "can2", "can1"].map(|name| link(name, true)).into_iter().chain([link("eth0", false)]);
        let found = merge(links.collect(), &adapters);
        let selectors: Vec<String> = found.iter().map(|interface| interface.selectors.join(" ")).collect();
        assert_eq!(
            selectors,
            ["usb-serial:A#1 path:usb1/A#1 can1", "usb-serial:B path:usb1/B can2", "vcan0"]
        );
    }
}
