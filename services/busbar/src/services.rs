//! The processes, by name.

use std::path::PathBuf;
use std::process::ExitCode;

use dbus_interfaces::BusAddress;
use service_kit::config::{self, Check};
use service_kit::{Context, Failure, Program};
use simulator::scenario::Scenario;

use crate::cli::{Process, Service, Simulator};

/// Names that may also be those of a link to this executable.
pub(crate) const NAMES: &[&str] = &["bms-can", "simulator"];

/// The scenario of a simulator that is given none.
const DEFAULT_SCENARIO: &str = include_str!("../../simulator/scenarios/pylontech.toml");

/// Runs a process until it ends.
pub(crate) fn run(service: Service) -> ExitCode {
    match service {
        Service::BmsCan(process) => start("bms-can", &process, bms_can::run),
        Service::Simulator(simulator) => simulate(&simulator),
    }
}

/// Reads the whole configuration, then starts the body with it.
fn start<C, B>(name: &'static str, process: &Process, body: B) -> ExitCode
where
    C: serde::de::DeserializeOwned + Check,
    B: AsyncFnOnce(C, BusAddress, Context) -> Result<(), Failure>,
{
    let path = match (&process.config, &process.name) {
        (Some(path), _) => Ok(path.clone()),
        (None, which) => config::locate(None, &file_name(name, which.as_deref())),
    };
    let mut program = Program::new(name, env!("CARGO_PKG_VERSION"));
    if let Ok(path) = &path {
        program = program.config(path);
    }
    let bus = BusAddress::choose(process.bus.address.as_deref());
    service_kit::run(program, async move |context| {
        let config = config::load::<C>(&path?)?;
        body(config, bus, context).await
    })
}

fn file_name(service: &str, which: Option<&str>) -> String {
    match which {
        Some(which) => format!("{service}.{which}.toml"),
        None => format!("{service}.toml"),
    }
}

fn simulate(options: &Simulator) -> ExitCode {
    let mut program = Program::new("simulator", env!("CARGO_PKG_VERSION"));
    if let Some(path) = &options.scenario {
        program = program.config(path);
    }
    let (path, link) = (options.scenario.clone(), options.link.clone());
    service_kit::run(program, async move |context| {
        let scenario = scenario(path, link)?;
        let commands = simulator::console::lines();
        simulator::run(&scenario, &context, commands, |event| println!("{event}")).await?;
        Ok(())
    })
}

fn scenario(path: Option<PathBuf>, link: Option<PathBuf>) -> Result<Scenario, Failure> {
    let mut scenario = match path {
        Some(path) => config::load::<Scenario>(&path)?,
        None => simulator::scenario::parse(DEFAULT_SCENARIO, "the default scenario")?,
    };
    if let Some(link) = link {
        match scenario.battery.as_mut_slice() {
            [battery] => battery.link = link,
            batteries => {
                let why =
                    format!("--link names one terminal, and the scenario has {} batteries", batteries.len());
                return Err(Failure::configuration(why));
            }
        }
    }
    Ok(scenario)
}
