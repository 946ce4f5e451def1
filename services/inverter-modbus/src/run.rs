//! The process: the lines, the devices on them, and the loop around all.

use std::pin::pin;
use std::time::Duration;

use dbus_interfaces::BusAddress;
use dbus_interfaces::bus1::Bus1;
use futures_util::future::{join_all, try_join};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use service_kit::{Context, Failure};
use tokio::time::{interval, timeout};

use crate::commands::{Commands, Ports};
use crate::config::{Config, Device, Discover};
use crate::discover::plan::Where;
use crate::discover::searches::Searches;
use crate::discover::stored::Store;
use crate::discover::watch::watch;
use crate::line::Line;
use crate::line::address::Address;
use crate::line::lines::Lines;
use crate::profile::Profile;
use crate::pulse::Loops;
use crate::system::Systems;
use crate::unit::Unit;
use crate::unit::half::{Role, roles};

/// The loop comes by at least this often, for the watchdog.
const BEAT: Duration = Duration::from_secs(4);
/// So long the end waits for what is being written of the devices that were found: the whole process has a second.
const LAST_FILES: Duration = Duration::from_millis(50);

/// Runs until it is asked to stop.
///
/// # Errors
/// The bus is not there or gone, a name on it is taken, or a profile is broken.
pub async fn run(config: Config, bus: BusAddress, context: Context) -> Result<(), Failure> {
    let library = config.library();
    let loops = Loops::new(context.heartbeat().clone());
    let lines = Lines::new(loops.clone());
    let systems = Systems::default();
    let mut running = Running { lines: lines.clone(), places: Vec::new(), numbers: Vec::new() };
    let mut units = FuturesUnordered::new();
    for mut device in config.device {
        let profile = library.get(&device.profile).map_err(|why| Failure::configuration(why.to_string()))?;
        let address = device.address(&profile).map_err(Failure::configuration)?;
        if let Some(line) = running.add(&mut device, &profile, &address) {
            let unit = Unit::connect(device, profile, line, &address, &systems, &bus, &config.folder).await?;
            units.push(unit.run(&context, &loops).boxed_local());
        }
    }
    let bus1 = Bus1::connect(&bus).await?;
    let (searches, mut found) = Searches::new(lines.clone(), library, bus1.herald());
    let searched: Vec<Where> = config.discover.iter().filter_map(Discover::place).collect();
    let ports = Ports::new(lines.clone(), searches.clone(), searched.clone(), config.raw_access);
    let commands = Commands::export(bus1, ports).await?;
    context.ready(&status(&lines, &searched));
    let (mut watches, mut stores) = (FuturesUnordered::new(), Vec::new());
    for discover in config.discover {
        let Some(place) = discover.place() else { continue };
        let store = Store::new(&config.folder, &place);
        watches.push(watch(discover, searches.clone(), store.clone()));
        stores.push(store);
    }
    let mut commands = pin!(async { try_join(commands.run(&context), systems.run(&context, &loops)).await });
    let mut is_commanded = true;
    let mut outcome = Ok(());
    let (mut beat, pulse) = (interval(BEAT), loops.join());
    while is_commanded || !units.is_empty() {
        let ended = tokio::select! {
            Some(ended) = units.next() => ended,
            ended = &mut commands, if is_commanded => {
                is_commanded = false;
                ended.map(|_| ())
            }
            Some(()) = watches.next(), if is_commanded => Ok(()),
            Some((mut device, profile)) = found.recv(), if is_commanded => {
                device.address(&profile).map_err(Failure::configuration).map(|address| {
                    if let Some(line) = running.add(&mut device, &profile, &address) {
                        let (systems, bus, folder) = (&systems, &bus, &config.folder);
                        let (context, loops) = (&context, &loops);
                        // The others are not kept waiting while it connects.
                        let life = async move {
                            let unit =
                                Unit::connect(device, profile, line, &address, systems, bus, folder).await?;
                            unit.run(context, loops).await
                        };
                        units.push(life.boxed_local());
                        context.status(&status(&lines, &searched));
                    }
                })
            }
            _ = beat.tick() => {
                pulse.beat();
                Ok(())
            }
        };
        if let Err(failure) = ended
            && outcome.is_ok()
        {
            // Whatever ends one of them: first all units take back what they have set.
            context.end_all();
            (outcome, is_commanded) = (Err(failure), false);
        }
    }
    // What is not written by then is looked for anew.
    let _ = timeout(LAST_FILES, join_all(stores.iter().map(Store::rests))).await;
    outcome
}

/// Where the devices are that run.
struct Running {
    lines: Lines,
    places: Vec<(Address, u8)>,
    /// The numbers that their services ask for, within their class.
    numbers: Vec<(&'static str, i32)>,
}

impl Running {
    /// The line for one more, which asks for a number that none before it asks for: no settings may be there to tell them
    /// apart. Nothing if a device runs there already.
    fn add(&mut self, device: &mut Device, profile: &Profile, address: &Address) -> Option<Line> {
        let number = device.unit(profile);
        if self.places.iter().any(|(place, unit)| *unit == number && place.is_same_place(address)) {
            return None;
        }
        let classes: Vec<&str> = roles(profile, device).into_iter().map(Role::class).collect();
        let is_free = |number: i32| classes.iter().all(|class| !self.numbers.contains(&(*class, number)));
        while !is_free(device.device_instance) {
            device.device_instance += 1;
        }
        self.numbers.extend(classes.into_iter().map(|class| (class, device.device_instance)));
        self.places.push((address.clone(), number));
        Some(self.lines.at(address))
    }
}

/// What the process does, for whoever asks the supervisor.
fn status(lines: &Lines, searched: &[Where]) -> String {
    let lines = lines.all();
    let polled: Vec<String> = lines.iter().map(|(address, _)| address.to_string()).collect();
    let is_polled = |place: &Where| lines.iter().any(|(address, _)| address.is_same_place(&place.address()));
    let others = searched.iter().filter(|place| !is_polled(place));
    let others: Vec<String> = others.map(|place| place.address().place()).collect();
    let parts = [("polling", polled), ("looking for devices at", others)];
    let parts = parts.iter().filter(|(_, all)| !all.is_empty());
    parts.map(|(what, all)| format!("{what} {}", all.join(", "))).collect::<Vec<_>>().join("; ")
}
