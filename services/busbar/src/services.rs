//! The processes, by name.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use dbus_interfaces::BusAddress;
use service_kit::config::{self, Check, ConfigErrors};
use service_kit::{Context, Failure, Program};
use simulator::scenario::Scenario;

use crate::bus::Bus;

/// Names that may also be those of a link to this executable.
pub(crate) const NAMES: &[&str] =
    &["bms-can", "charge-manager", "dcdc-rs485", "inverter-modbus", "settings", "simulator"];

/// The scenario of a simulator that is given none.
const DEFAULT_SCENARIO: &str = include_str!("../../simulator/scenarios/pylontech.toml");

/// The processes.
#[derive(Debug, Subcommand)]
pub(crate) enum Service {
    /// Run batteries on a CAN bus, as com.victronenergy.battery services.
    #[command(name = "bms-can", after_help = BMS_CAN_EXAMPLES)]
    BmsCan(OneOfSeveral),
    /// Decide how much a bank of batteries may be charged and discharged, as com.victronenergy.battery.busbar.
    #[command(name = "charge-manager", after_help = CHARGE_MANAGER_EXAMPLES)]
    ChargeManager(TheOnly),
    /// Run an EZA2500 converter and the battery behind it, with the web API that APIS drives them with.
    #[command(name = "dcdc-rs485", after_help = DCDC_EXAMPLES)]
    Dcdc(Dcdc),
    /// Run inverters and meters on Modbus, as com.victronenergy.multi, acsystem, pvinverter and grid services.
    #[command(name = "inverter-modbus", after_help = INVERTER_EXAMPLES)]
    InverterModbus(OneOfSeveral),
    /// Run com.victronenergy.settings, on a machine that is not Venus.
    #[command(after_help = SETTINGS_EXAMPLES)]
    Settings(TheOnly),
    /// Run simulated batteries, inverters and converters, on pseudo-terminals that behave like serial adapters, and on TCP.
    #[command(after_help = SIMULATOR_EXAMPLES)]
    Simulator(Simulator),
}

/// A process of which a machine may have several.
#[derive(Debug, Args)]
pub(crate) struct OneOfSeveral {
    /// The configuration file.
    #[arg(long, value_name = "FILE", required_unless_present = "name")]
    config: Option<PathBuf>,
    /// Which of several: NAME stands for SERVICE.NAME.toml in /etc/busbar or /data/conf/busbar.
    #[arg(value_name = "NAME", conflicts_with = "config")]
    name: Option<String>,
    #[command(flatten)]
    bus: Bus,
}

impl OneOfSeveral {
    /// The file of a service.
    fn path(&self, service: &str) -> Result<PathBuf, ConfigErrors> {
        match (&self.config, &self.name) {
            (Some(path), _) => Ok(path.clone()),
            (None, Some(which)) => config::locate(None, &format!("{service}.{which}.toml")),
            (None, None) => config::locate(None, &format!("{service}.toml")),
        }
    }
}

const BMS_CAN_EXAMPLES: &str = "Examples:
  busbar bms-can --config bms-can.can0.toml
  busbar bms-can can0                           reads /etc/busbar/bms-can.can0.toml
  BUSBAR_CAN__PORT=/dev/ttyACM0 busbar bms-can can0
                                                one key from the environment";

const INVERTER_EXAMPLES: &str = "Examples:
  busbar inverter-modbus --config inverter-modbus.rs485.toml
  busbar inverter-modbus rs485                  reads /etc/busbar/inverter-modbus.rs485.toml";

/// The converter's process takes the options of the program that it replaces.
#[derive(Debug, Args)]
pub(crate) struct Dcdc {
    /// The configuration file: dcdc_batt_comm.yml as it is, or our TOML. Without it, dcdc_batt_comm.yml in the current
    /// folder.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Which of several: NAME stands for dcdc-rs485.NAME.toml in /etc/busbar or /data/conf/busbar.
    #[arg(value_name = "NAME", conflicts_with = "config")]
    name: Option<String>,
    /// Where the web API listens, instead of what the file says.
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// TCP port of the web API.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Serve this address or network too, such as 192.168.7.0/24; may be given several times.
    #[arg(long, value_name = "ADDRESS")]
    allow: Vec<dcdc_rs485::config::Network>,
    /// Let those set the converter as well.
    #[arg(long, requires = "allow")]
    allow_writes: bool,
    /// Let /essx/goodbye end the process.
    #[arg(long)]
    goodbye: bool,
    /// Log every request that fails.
    #[arg(long)]
    debug: bool,
    // Asked onto a bus, the process goes there whatever its file says.
    #[command(flatten)]
    bus: Bus,
}

const DCDC_EXAMPLES: &str = "Examples:
  busbar dcdc-rs485 --config dcdc_batt_comm.yml --port 4380
  busbar dcdc-rs485 --config dcdc_batt_comm.yml --bus system
                                                the same, and converter and battery on the D-Bus
  busbar dcdc-rs485 dcdc0                       reads /etc/busbar/dcdc-rs485.dcdc0.toml
  busbar dcdc-rs485 --host 0.0.0.0 --allow 192.168.7.20 --allow-writes
                                                for one other machine";

/// A process of which a machine has one, and which needs no configuration.
#[derive(Debug, Args)]
pub(crate) struct TheOnly {
    /// The configuration file; without it, SERVICE.toml in /etc/busbar or /data/conf/busbar, and the defaults where
    /// there is none.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    bus: Bus,
}

const CHARGE_MANAGER_EXAMPLES: &str = "busbar explain says why the current is what it is.

Examples:
  busbar charge-manager
  busbar charge-manager --config charge-manager.toml --bus session
  BUSBAR_CHEMISTRY=agm busbar charge-manager    one key from the environment";

const SETTINGS_EXAMPLES: &str =
    "On Venus OS Victron's own settings service runs; this one refuses to start there.

Examples:
  busbar settings
  busbar settings --config settings.toml --bus session
  BUSBAR_FOLDER=/var/lib/settings busbar settings
                                                one key from the environment";

#[derive(Debug, Args)]
pub(crate) struct Simulator {
    /// The scenario; without it, a Pylontech battery at half charge behind /tmp/busbar-battery0.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Where the terminal of the battery appears, if the scenario has one battery.
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
}

const SIMULATOR_EXAMPLES: &str = "A scenario says what there is: [[battery]] with cells and BMS, on CAN; [[inverter]] of any profile on Modbus, with sun, grid, house
and battery behind; [[converter]]. Every key stands in services/simulator/scenarios: pylontech.toml (batteries), inverter.toml,
converter.toml; services/simulator/INVERTERS.md has an example for each use of inverters.

Commands on standard input while it runs: type help.

Examples:
  busbar simulator
  busbar simulator --scenario imbalanced.toml
  echo 'fault silence 5s' | busbar simulator
  busbar simulator --scenario inverter.toml     a Deye on a serial line, a Sungrow on TCP
  echo 'inverter set sun_w=0 grid=0' | busbar simulator --scenario inverter.toml
                                                night, and no grid
  echo 'inverter fault exception code=4 count=100' | busbar simulator --scenario inverter.toml
                                                refuses the next hundred requests";

/// Runs a process until it ends.
pub(crate) fn run(service: Service) -> ExitCode {
    match service {
        Service::BmsCan(options) => {
            let path = options.path("bms-can");
            start("bms-can", path.map(Some), options.bus.choose(), bms_can::run)
        }
        Service::ChargeManager(options) => {
            let path = options.config.or_else(|| config::locate(None, "charge-manager.toml").ok());
            let program = program("charge-manager").watchdog_limit(charge_manager::WATCHDOG_LIMIT);
            start_as(program, "charge-manager", Ok(path), options.bus.choose(), charge_manager::run)
        }
        Service::Dcdc(options) => convert(options),
        Service::InverterModbus(options) => {
            let path = options.path("inverter-modbus");
            start("inverter-modbus", path.map(Some), options.bus.choose(), inverter_modbus::run)
        }
        Service::Settings(options) => {
            let path = options.config.or_else(|| config::locate(None, "settings.toml").ok());
            start("settings", Ok(path), options.bus.choose(), settings::run)
        }
        Service::Simulator(options) => simulate(&options),
    }
}

/// Reads the whole configuration, then starts the body with it.
fn start<C, B>(
    name: &'static str,
    path: Result<Option<PathBuf>, ConfigErrors>,
    bus: BusAddress,
    body: B,
) -> ExitCode
where
    C: serde::de::DeserializeOwned + Check,
    B: AsyncFnOnce(C, BusAddress, Context) -> Result<(), Failure>,
{
    start_as(program(name), name, path, bus, body)
}

fn program(name: &str) -> Program {
    Program::new(name, env!("CARGO_PKG_VERSION"))
}

fn start_as<C, B>(
    mut program: Program,
    name: &'static str,
    path: Result<Option<PathBuf>, ConfigErrors>,
    bus: BusAddress,
    body: B,
) -> ExitCode
where
    C: serde::de::DeserializeOwned + Check,
    B: AsyncFnOnce(C, BusAddress, Context) -> Result<(), Failure>,
{
    if let Ok(Some(path)) = &path {
        program = program.config(path);
    }
    service_kit::run(program, async move |context| {
        let config = match path? {
            Some(path) => config::load::<C>(&path)?,
            None => without_file::<C>(name)?,
        };
        body(config, bus, context).await
    })
}

/// The defaults, and the environment over them.
fn without_file<C: serde::de::DeserializeOwned + Check>(name: &str) -> Result<C, ConfigErrors> {
    let variables = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    config::parse("", &format!("{name}.toml"), variables)
}

fn convert(options: Dcdc) -> ExitCode {
    let Dcdc { config: path, name, host, port, allow, allow_writes, goodbye, debug, bus } = options;
    let path = match (path, name) {
        (Some(path), _) => Ok(path),
        (None, Some(which)) => config::locate(None, &format!("dcdc-rs485.{which}.toml")),
        (None, None) => Ok(PathBuf::from("dcdc_batt_comm.yml")),
    };
    let mut program = program("dcdc-rs485");
    if let Ok(path) = &path {
        program = program.config(path);
    }
    service_kit::run(program, async move |context| {
        let path = path?;
        let mut config = dcdc_rs485::Config::load(&path)?;
        let web = &mut config.web;
        web.host = host.unwrap_or(std::mem::take(&mut web.host));
        web.port = port.unwrap_or(web.port);
        web.allow.extend(allow);
        web.allow_writes |= allow_writes;
        web.goodbye |= goodbye;
        config.dbus.enabled |= bus.address.is_some();
        dcdc_rs485::run(config, path, bus.choose(), debug, context).await
    })
}

fn simulate(options: &Simulator) -> ExitCode {
    let mut program = program("simulator");
    if let Some(path) = &options.scenario {
        program = program.config(path);
    }
    let (path, link) = (options.scenario.clone(), options.link.clone());
    service_kit::run(program, async move |context| {
        let scenario = scenario(path.as_deref(), link)?;
        let commands = simulator::console::lines();
        let profiles = inverter_modbus::profile::builtin::text;
        simulator::run(&scenario, profiles, &context, commands, |event| println!("{event}")).await?;
        Ok(())
    })
}

fn scenario(path: Option<&Path>, link: Option<PathBuf>) -> Result<Scenario, Failure> {
    let mut scenario = match path {
        Some(path) => config::load::<Scenario>(path)?,
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
