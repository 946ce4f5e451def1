//! A private bus with one simulated battery and one service for each of several dialects.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::{PrivateBus, Process, eventually, executable};

use crate::says::Dialect;
use testbed::bed::{SOON, busbar, settings};

/// 48 V, two modules of which one refuses to be charged, nearly empty by its own count, with a past.
const BATTERY: &str = "period_s = 0.25
model = \"BATT-48V-280\"
serial = \"SN0123456789\"
[battery.pack]
capacity_ah = 140.0
soc_percent = 60.0
temperature_c = 21.0
soc_spread_percent = 1.0
[battery.bms]
soc_percent = 12.4
soh_percent = 97.0
charged_kwh = 617.3
discharged_kwh = 555.6
cycles = 41.5
noise = false
[battery.current]
constant_a = -20.0
";

const EVENTS: &str = "[[event]]\nat_s = 0\ncommand = \"module 1 charge_switch broken\"\n";

/// Long enough for what each of more than a dozen services does at once.
pub(crate) const EACH: Duration = Duration::from_secs(60);

pub(crate) struct Bench<'a> {
    pub(crate) bus: PrivateBus,
    pub(crate) simulator: Process,
    /// In the order of `dialects`.
    pub(crate) services: Vec<Process>,
    pub(crate) dialects: Vec<&'a Dialect>,
    _folder: tempfile::TempDir,
    _settings: Process,
}

impl<'a> Bench<'a> {
    /// Starts everything. `protocol` is what each service is configured to read.
    #[track_caller]
    pub(crate) fn start(
        dialects: impl Iterator<Item = &'a Dialect>,
        protocol: impl Fn(&'a Dialect) -> &'a str,
    ) -> Self {
        let (bus, folder) = (PrivateBus::start(), tempfile::tempdir().expect("a folder"));
        let settings = settings(&bus, folder.path());
        let dialects: Vec<&Dialect> = dialects.collect();
        let link = |dialect: &Dialect| folder.path().join(dialect.name).display().to_string();
        let mut scenario = String::new();
        for dialect in &dialects {
            // Cells one by one come from a single module only; some inverters must be there.
            let modules = if dialect.name == "growatt_lv" { 1 } else { 2 };
            let inverter = ["growatt_lv", "sma_bms"].contains(&dialect.name);
            let (name, link) = (dialect.name, link(dialect));
            let table =
                format!("link = {link:?}\nprotocol = {name:?}\nmodules = {modules}\ninverter = {inverter}");
            let _ = writeln!(scenario, "[[battery]]\n{table}\n{BATTERY}");
        }
        let file = folder.path().join("scenario.toml");
        std::fs::write(&file, scenario + EVENTS).expect("written");
        let mut simulator = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(file));
        for number in 0..dialects.len() {
            simulator.wait_for_line(&format!("battery{number} ready"), SOON);
        }
        let services = dialects.iter().map(|dialect| {
            let file = folder.path().join(format!("bms-can.{}.toml", dialect.name));
            let (port, protocol) = (link(dialect), protocol(dialect));
            let text = format!("[can]\nport = {port:?}\n[[battery]]\nprotocol = {protocol:?}\n");
            std::fs::write(&file, text).expect("written");
            let mut command = bus.command(executable("busbar"));
            Process::spawn(command.arg("bms-can").arg("--config").arg(file))
        });
        let services = services.collect();
        Bench { bus, simulator, services, dialects, _folder: folder, _settings: settings }
    }

    /// What the simulated battery says at this moment, by key.
    pub(crate) fn report(&mut self, number: usize) -> BTreeMap<String, String> {
        self.simulator.write_line(&format!("{number}: report"));
        let line = self.simulator.wait_for_line(&format!("battery{number} string="), SOON);
        let words = line.split(' ').filter_map(|word| word.split_once('='));
        words.map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned())).collect()
    }

    /// All items of a battery's service, by path.
    pub(crate) fn items(&self, number: usize) -> Option<Value> {
        let call = [&self.name(number), "/", "com.victronenergy.BusItem", "GetItems"];
        let reply = self.bus.busctl(&[&["call"], &call[..]].concat()).ok()?;
        reply.get(0).cloned()
    }

    /// The value at a path; null for none, and where the service is not there.
    pub(crate) fn get(&self, number: usize, path: &str) -> Value {
        self.bus.get_value(&self.name(number), path).unwrap_or_default()
    }

    /// What the bus shows otherwise than the battery says it.
    pub(crate) fn differences(&mut self, number: usize) -> Option<String> {
        let Some(items) = self.items(number) else { return Some("not on the bus".to_owned()) };
        let report = self.report(number);
        let differences = self.dialects[number].differences(&report, &items);
        (!differences.is_empty()).then(|| differences.join("; "))
    }

    /// Waits until all batteries show each of these levels in `/Alarms`.
    #[track_caller]
    pub(crate) fn expect_alarms(&mut self, levels: &[(&str, i32)]) {
        self.all_become(EACH, |bench, number| {
            levels.iter().find_map(|(alarm, level)| {
                let shown = bench.get(number, &format!("/Alarms/{alarm}"));
                (shown != json!(level)).then(|| format!("{alarm} is {shown} instead of {level}"))
            })
        });
    }

    /// Tells all batteries something.
    pub(crate) fn tell(&mut self, commands: &[&str]) {
        commands.iter().for_each(|command| self.simulator.write_line(command));
    }

    /// Waits until the first battery has lived so many seconds longer.
    #[track_caller]
    pub(crate) fn let_pass(&mut self, seconds: u64) {
        let start = self.second();
        eventually(SOON, || self.second() >= start + seconds);
    }

    /// The number of a dialect's battery.
    #[track_caller]
    pub(crate) fn number(&self, name: &str) -> usize {
        self.dialects.iter().position(|dialect| dialect.name == name).expect("one of the dialects")
    }

    fn second(&mut self) -> u64 {
        self.simulator.write_line("0: status");
        let line = self.simulator.wait_for_line(" s: ", SOON);
        line.split(' ').nth(1).and_then(|second| second.parse().ok()).expect("a second")
    }

    /// Waits until `trouble` finds nothing more to complain of, with any of the dialects.
    #[track_caller]
    pub(crate) fn all_become(
        &mut self,
        deadline: Duration,
        trouble: impl Fn(&mut Self, usize) -> Option<String>,
    ) {
        let told = RefCell::new(String::new());
        let report = Report(&told);
        let mut left: Vec<usize> = (0..self.dialects.len()).collect();
        eventually(deadline, || {
            let mut found = String::new();
            left.retain(|&number| match trouble(self, number) {
                Some(what) => writeln!(found, "{}: {what}", self.dialects[number].name).is_ok(),
                None => false,
            });
            *told.borrow_mut() = found;
            left.is_empty()
        });
        drop(report);
    }

    fn name(&self, number: usize) -> String {
        format!("com.victronenergy.battery.bmscan_{}", self.dialects[number].name)
    }
}

/// Prints the last complaints when the waiting ends in a panic.
struct Report<'a>(&'a RefCell<String>);

impl Drop for Report<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0.borrow());
        }
    }
}
