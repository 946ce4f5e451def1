//! The bus, as a command sees it.
//!
//! - `find`: which service, which path is meant; pure
//! - `value`: a value for people, as JSON, and back from what somebody typed; pure

mod find;
pub(crate) mod value;

use anyhow::Context;
use clap::Args;
use dbus_interfaces::{BusAddress, Filter, Monitor};

pub(crate) use find::{in_branch, path, short, unknown_path};

/// Which bus.
#[derive(Debug, Args)]
pub(crate) struct Bus {
    /// The D-Bus: an address, "session" or "system". Without it, the session bus if
    /// DBUS_SESSION_BUS_ADDRESS is set, else the system bus.
    #[arg(long = "bus", value_name = "ADDRESS")]
    pub(crate) address: Option<String>,
}

impl Bus {
    /// The bus, chosen as Victron's own programs do.
    pub(crate) fn choose(&self) -> BusAddress {
        BusAddress::choose(self.address.as_deref())
    }

    /// The bus as a person may find it: with the address behind it, where the environment names one.
    pub(crate) fn named(&self) -> String {
        let variable = match self.choose() {
            BusAddress::At(address) => return address,
            BusAddress::Session => dbus_interfaces::SESSION_VARIABLE,
            BusAddress::System => "DBUS_SYSTEM_BUS_ADDRESS",
        };
        let place = std::env::var(variable).map(|address| format!(" ({address})")).unwrap_or_default();
        format!("{}{place}", self.choose())
    }
}

/// A connection that follows nothing, and the full name of the service that `wanted` stands for.
pub(crate) async fn reach(bus: &Bus, wanted: &str) -> anyhow::Result<(Monitor, String)> {
    let (monitor, _) = Monitor::start(&bus.choose(), Filter::new()).await?;
    let names = monitor.names().await?;
    let name = find::service(wanted, &names).with_context(|| format!("on {}", bus.named()))?.to_owned();
    Ok((monitor, name))
}
