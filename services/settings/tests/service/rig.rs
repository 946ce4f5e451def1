//! The service on a bus and in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::{Exit, PrivateBus, Process, eventually_some, executable};

pub(crate) const NAME: &str = "com.victronenergy.settings";
pub(crate) const SETTINGS: &str = "com.victronenergy.Settings";
pub(crate) const ITEM: &str = "com.victronenergy.BusItem";
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) struct Rig {
    pub(crate) process: Process,
    pub(crate) bus: PrivateBus,
    pub(crate) home: TempDir,
}

impl Rig {
    pub(crate) fn start() -> Rig {
        Rig::start_with(|_| ())
    }

    /// `prepare` gets the folder of the settings before the service does; it does not exist yet.
    pub(crate) fn start_with(prepare: impl FnOnce(&Path)) -> Rig {
        let (bus, home) = (PrivateBus::start(), tempfile::tempdir().unwrap());
        prepare(&folder(&home));
        let process = spawn(&bus, &home);
        let rig = Rig { process, bus, home };
        rig.wait_until_it_answers();
        rig
    }

    pub(crate) fn restart(&mut self) {
        assert_eq!(self.process.terminate(), Exit::Code(0), "{:?}", self.process.lines());
        self.process = spawn(&self.bus, &self.home);
        self.wait_until_it_answers();
    }

    fn wait_until_it_answers(&self) {
        eventually_some(SOON, || self.bus.get_value(NAME, "/Settings").ok());
    }

    pub(crate) fn file(&self) -> PathBuf {
        folder(&self.home).join("settings.xml")
    }

    /// The file, empty while there is none.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap_or_default()
    }

    /// `AddSettings` on `/Settings` with one entry, in busctl's spelling of the default; error and value.
    pub(crate) fn add(&self, path: &str, default: [&str; 2], more: &[[&str; 3]]) -> (i64, Value) {
        let count = (2 + more.len()).to_string();
        let mut call = vec!["call", NAME, "/Settings", SETTINGS, "AddSettings", "aa{sv}", "1", &count];
        call.extend(["path", "s", path, "default", default[0], default[1]]);
        call.extend(more.iter().flatten());
        let reply = self.bus.busctl(&call).unwrap();
        let result = &reply[0][0];
        (result["error"].as_i64().unwrap(), result.get("value").cloned().unwrap_or(Value::Null))
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.bus.get_value(NAME, path).unwrap_or_else(|refused| json!(refused.0))
    }

    pub(crate) fn set(&self, path: &str, value: [&str; 2]) -> i64 {
        let call = ["call", "--", NAME, path, ITEM, "SetValue", "v"];
        self.bus.busctl(&[&call[..], &value[..]].concat()).unwrap()[0].as_i64().unwrap()
    }

    pub(crate) fn call(&self, path: &str, interface: &str, member: &str) -> Result<Value, String> {
        self.bus.busctl(&["call", NAME, path, interface, member]).map(|v| v[0].clone()).map_err(|e| e.0)
    }

    /// What dbus-send prints of a reply, with its types.
    pub(crate) fn typed(&self, path: &str, member: &str) -> String {
        self.bus.dbus_send(NAME, path, &format!("{ITEM}.{member}"), &[]).unwrap()
    }

    /// Everything that the service tells from now on.
    pub(crate) fn listen(&self) -> Process {
        let rule = format!("type='signal',interface='{ITEM}'");
        let mut monitor =
            Process::spawn(self.bus.command("dbus-monitor").args(["--address", self.bus.address(), &rule]));
        monitor.wait_for_line("NameAcquired", SOON);
        monitor
    }
}

pub(crate) fn folder(home: &TempDir) -> PathBuf {
    home.path().join("var/settings")
}

pub(crate) fn spawn(bus: &PrivateBus, home: &TempDir) -> Process {
    let config = home.path().join("settings.toml");
    fs::write(&config, format!("folder = {:?}\n", folder(home))).unwrap();
    Process::spawn(bus.command(program()).arg(config))
}

pub(crate) fn program() -> PathBuf {
    executable("examples/settings")
}

pub(crate) fn fails(command: &mut Command) -> (Exit, String) {
    let mut process = Process::spawn(command);
    let exit = process.wait(SOON);
    (exit, process.lines().join("\n"))
}
