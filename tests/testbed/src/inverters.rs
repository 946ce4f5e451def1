//! A bus with settings, simulated inverters and meters on Modbus, and one `inverter-modbus` that reads them all.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};

use crate::bed::{SOON, busbar, folder, settings};
use crate::{PrivateBus, Process, eventually, executable};

/// The configuration of the service, in the folder.
const CONFIG: &str = "inverter-modbus.toml";

/// A simulated device and how it is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wired<'t> {
    /// Its profile.
    pub profile: &'t str,
    /// More TOML for the simulator.
    pub scenario: &'t str,
    /// More TOML for the service.
    pub device: &'t str,
    /// It is on TCP; otherwise on a serial line of its own.
    pub is_tcp: bool,
}

/// All of it, running.
#[derive(Debug)]
pub struct Inverters {
    /// The bus.
    pub bus: PrivateBus,
    /// Where configurations, settings and the terminals `rs0`, `rs1`, ... lie.
    pub folder: tempfile::TempDir,
    /// The devices; commands go to its standard input: `inverter 0 set sun_w=500`.
    pub simulator: Process,
    /// The service.
    pub service: Process,
    /// What the names of the devices' services end with.
    pub names: Vec<String>,
    _settings: Process,
}

impl Inverters {
    /// Starts everything, and waits until each device is on the bus in one class.
    ///
    /// # Panics
    /// When a part does not come up.
    #[track_caller]
    pub fn start(devices: &[Wired<'_>]) -> Inverters {
        let bed = Inverters::start_early(devices);
        bed.all_are_there();
        bed
    }

    /// Waits until each device is on the bus in one class.
    ///
    /// # Panics
    /// When one does not come.
    #[track_caller]
    pub fn all_are_there(&self) {
        let bed = self;
        eventually(SOON * 2, || {
            let services = bed.services();
            let is_there = |name: &&String| services.iter().any(|service| service.ends_with(name.as_str()));
            let missing: Vec<&String> = bed.names.iter().filter(|name| !is_there(name)).collect();
            println!("waiting for {missing:?}");
            missing.is_empty()
        });
    }

    /// Starts everything, and waits for nothing but the simulator.
    ///
    /// # Panics
    /// When a part does not come up.
    #[track_caller]
    pub fn start_early(devices: &[Wired<'_>]) -> Inverters {
        let (bus, folder) = (PrivateBus::start(), folder());
        let settings = settings(&bus, folder.path());
        let (mut scenario, mut config, mut names) = (String::new(), String::new(), Vec::new());
        for (n, Wired { profile, scenario: simulated, device, is_tcp }) in devices.iter().enumerate() {
            let link = folder.path().join(format!("rs{n}"));
            let (place, lead, name) = if *is_tcp {
                let port = free_port();
                (
                    format!("listen = \"127.0.0.1:{port}\""),
                    format!("host = \"127.0.0.1\"\ntcp_port = {port}"),
                    format!("modbus_tcp_127_0_0_1_{port}_"),
                )
            } else {
                (
                    format!("link = {link:?}\npaced = false"),
                    format!("port = {link:?}"),
                    format!("modbus_rs{n}_"),
                )
            };
            let unit = simulated.lines().find_map(|line| line.strip_prefix("unit = "));
            let unit = unit.unwrap_or(if *profile == "goodwe-et" {
                "247"
            } else if *profile == "sma-sunny-island" {
                "3"
            } else {
                "1"
            });
            names.push(format!("{name}{unit}"));
            scenario += &format!("[[inverter]]\nprofile = {profile:?}\n{place}\n{simulated}\n");
            let instance = if device.contains("device_instance") {
                String::new()
            } else {
                format!("device_instance = {}\n", 20 + n)
            };
            let lead = format!("{lead}\nunit = {unit}\n{instance}");
            config += &format!("[[device]]\nprofile = {profile:?}\n{lead}{device}\n");
        }
        let scenario_file = put(folder.path(), "scenario.toml", &scenario);
        let mut simulator =
            Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(scenario_file));
        for n in 0..devices.len() {
            simulator.wait_for_line(&format!("modbus{n} ready"), SOON);
        }
        let kept = folder.path().join("kept");
        put(folder.path(), CONFIG, &format!("folder = {kept:?}\n{config}"));
        let service = serve(&bus, folder.path());
        Inverters { bus, folder, simulator, service, names, _settings: settings }
    }

    /// The service once more, after its end.
    #[track_caller]
    pub fn serve_again(&mut self) {
        self.service = serve(&self.bus, self.folder.path());
    }

    /// The service of a class for the device of this number.
    ///
    /// # Panics
    /// When there is no such device.
    #[must_use]
    #[track_caller]
    pub fn name(&self, class: &str, device: usize) -> String {
        let name = self.names.get(device).unwrap_or_else(|| panic!("there is no device {device}"));
        format!("com.victronenergy.{class}.{name}")
    }

    /// The services on the bus.
    #[must_use]
    #[track_caller]
    pub fn services(&self) -> Vec<String> {
        let daemon = ["org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ListNames"];
        let reply = self.bus.busctl(&[&["call"], &daemon[..]].concat()).unwrap_or_default();
        let names = reply.get(0).and_then(Value::as_array).cloned().unwrap_or_default();
        let names = names.iter().filter_map(Value::as_str);
        names.filter(|name| name.starts_with("com.victronenergy.")).map(str::to_owned).collect()
    }

    /// The value at a path; null for none, and where the service is not there.
    #[must_use]
    #[track_caller]
    pub fn get(&self, service: &str, path: &str) -> Value {
        self.bus.get_value(service, path).unwrap_or_default()
    }

    /// The same as a number; NaN for none.
    #[must_use]
    #[track_caller]
    pub fn number(&self, service: &str, path: &str) -> f64 {
        self.get(service, path).as_f64().unwrap_or(f64::NAN)
    }

    /// Everything that a service shows, by path; null for no value.
    #[must_use]
    #[track_caller]
    pub fn items(&self, service: &str) -> BTreeMap<String, Value> {
        let Value::Object(items) = self.get(service, "/") else { return BTreeMap::new() };
        let plain = |value: Value| if value == json!([]) { Value::Null } else { value };
        items.into_iter().map(|(path, value)| (format!("/{path}"), plain(value))).collect()
    }

    /// Has something done at a simulated device, and waits for the answer.
    #[track_caller]
    pub fn command(&mut self, device: usize, command: &str) -> String {
        self.simulator.write_line(&format!("inverter {device} {command}"));
        self.simulator.wait_for_line(&format!("modbus{device} "), SOON)
    }
}

#[track_caller]
fn serve(bus: &PrivateBus, folder: &Path) -> Process {
    let mut command = bus.command(executable("busbar"));
    Process::spawn(command.arg("inverter-modbus").arg("--config").arg(folder.join(CONFIG)))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("no port: {error}"));
    listener.local_addr().map_or_else(|error| panic!("no address: {error}"), |address| address.port())
}

#[track_caller]
fn put(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}
