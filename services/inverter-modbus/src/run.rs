//! The process: the lines, the devices on them, and the loop around all.

use dbus_interfaces::BusAddress;
use futures_util::future::{try_join, try_join_all};
use service_kit::{Context, Failure, random_seed};

use crate::config::Config;
use crate::line::Line;
use crate::line::address::Address;
use crate::system::Systems;
use crate::unit::Unit;

/// Runs until it is asked to stop.
///
/// # Errors
/// The bus is not there or gone, a name on it is taken, or a profile is broken.
pub async fn run(config: Config, bus: BusAddress, context: Context) -> Result<(), Failure> {
    let library = config.library();
    let mut lines: Vec<(Address, Line)> = Vec::new();
    let (mut units, mut systems) = (Vec::new(), Systems::default());
    for device in config.device {
        let profile = library.get(&device.profile).map_err(|why| Failure::configuration(why.to_string()))?;
        let address = device.address(&profile).map_err(Failure::configuration)?;
        let known = lines.iter().find(|(known, _)| *known == address).map(|(_, line)| line.clone());
        let line = match known {
            Some(line) => line,
            None => {
                let line = Line::start(address.clone(), Some(context.heartbeat().clone()), random_seed());
                lines.push((address.clone(), line.clone()));
                line
            }
        };
        units.push(Unit::connect(device, profile, line, &address, &mut systems, &bus).await?);
    }
    let names: Vec<String> = lines.iter().map(|(address, _)| address.to_string()).collect();
    context.ready(&format!("polling {}", names.join(", ")));
    let units = try_join_all(units.into_iter().map(|unit| unit.run(&context)));
    try_join(units, systems.run(&context)).await?;
    Ok(())
}
