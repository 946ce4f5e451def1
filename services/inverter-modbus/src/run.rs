//! The process: the lines, the devices on them, and the loop around all.

use dbus_interfaces::BusAddress;
use futures_util::StreamExt;
use futures_util::future::try_join;
use futures_util::stream::FuturesUnordered;
use service_kit::{Context, Failure};

use crate::commands::Commands;
use crate::config::Config;
use crate::line::lines::Lines;
use crate::system::Systems;
use crate::unit::Unit;

/// Runs until it is asked to stop.
///
/// # Errors
/// The bus is not there or gone, a name on it is taken, or a profile is broken.
pub async fn run(config: Config, bus: BusAddress, context: Context) -> Result<(), Failure> {
    let library = config.library();
    let systems = Systems::default();
    let lines = Lines::new(context.heartbeat().clone());
    let mut units = FuturesUnordered::new();
    for device in config.device {
        let profile = library.get(&device.profile).map_err(|why| Failure::configuration(why.to_string()))?;
        let address = device.address(&profile).map_err(Failure::configuration)?;
        let line = lines.at(&address);
        units.push(Unit::connect(device, profile, line, &address, &systems, &bus).await?.run(&context));
    }
    let names: Vec<String> = lines.all().iter().map(|(address, _)| address.to_string()).collect();
    let commands = Commands::export(lines, config.raw_access, &bus).await?;
    context.ready(&format!("polling {}", names.join(", ")));
    let commands = async { try_join(commands.run(&context), systems.run(&context)).await };
    let mut commands = std::pin::pin!(commands);
    let mut is_commanded = true;
    while is_commanded || !units.is_empty() {
        tokio::select! {
            Some(ended) = units.next() => ended?,
            ended = &mut commands, if is_commanded => {
                ended?;
                is_commanded = false;
            }
        }
    }
    Ok(())
}
