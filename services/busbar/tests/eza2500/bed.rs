//! A simulated converter with its battery, and the real process in front of it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use testbed::bed::{SOON, busbar, folder};
use testbed::{PrivateBus, Process, eventually, executable};

use super::http;

/// What varies from bed to bed.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// TOML for the simulator's `[[converter]]`.
    pub(crate) simulator: String,
    /// Values below `dcdc: NAME: config:` that differ.
    pub(crate) settings: Vec<(String, String)>,
    /// Lines below `dcdc: NAME:`.
    pub(crate) about: String,
    pub(crate) has_battery: bool,
    /// How long an answer of the battery is waited for.
    pub(crate) battery_timeout_s: u32,
    pub(crate) force_dcdc_waiting: bool,
    pub(crate) options: Vec<String>,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            simulator: "paced = false\nturnaround_ms = 1.0\nsteps = true\n".to_owned(),
            settings: Vec::new(),
            // A simulator that is too late on a busy machine is asked again.
            about: "    number_of_dcdc_error_retry: 3\n    number_of_timeout_retry: 10\n".to_owned(),
            battery_timeout_s: 1,
            has_battery: true,
            force_dcdc_waiting: false,
            options: Vec::new(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Bed {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) simulator: Process,
    pub(crate) service: Process,
    pub(crate) port: u16,
}

impl Bed {
    pub(crate) fn start(site: &Site) -> Bed {
        Bed::start_with(site, |folder, port| {
            let mut command = busbar();
            command
                .arg("dcdc-rs485")
                .arg("--config")
                .arg(folder.join("dcdc_batt_comm.yml"))
                .args(["--host", "127.0.0.1", "--port", &port.to_string()])
                .args(&site.options);
            command
        })
    }

    /// The same by our own configuration and on a bus; `dbus` are the lines below `[dbus]`.
    pub(crate) fn on_bus(bus: &PrivateBus, site: &Site, dbus: &str) -> Bed {
        Bed::start_with(site, |folder, port| {
            let mut command = bus.command(executable("busbar"));
            command.arg("dcdc-rs485").arg("--config").arg(own_file(folder, port, dbus));
            command
        })
    }

    fn start_with(site: &Site, service: impl FnOnce(&Path, u16) -> Command) -> Bed {
        let folder = folder();
        let link = |name: &str| folder.path().join(name).display().to_string();
        let scenario = format!(
            "[[converter]]\nlink = {:?}\nbattery_link = {:?}\n{}",
            link("dcdc0"),
            link("battery0"),
            site.simulator
        );
        std::fs::write(folder.path().join("scenario.toml"), scenario).unwrap();
        std::fs::write(
            folder.path().join("dcdc_batt_comm.yml"),
            yml(site, &link("dcdc0"), &link("battery0")),
        )
        .unwrap();
        let file = folder.path().join("scenario.toml");
        let mut simulator = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(file));
        simulator.wait_for_line("converter0 ready", SOON);
        let port = free_port();
        let mut service = Process::spawn(&mut service(folder.path(), port));
        service.wait_for_line("the web API listens", SOON);
        let mut bed = Bed { folder, simulator, service, port };
        bed.command("battery rsoc=805");
        // Both ports are open when both ends have been heard of.
        eventually(SOON, || http::get(bed.port, "/dcdc/get/status").status == 200);
        bed.journal();
        bed
    }

    /// Has the simulator carry out a command.
    pub(crate) fn command(&mut self, command: &str) -> String {
        self.simulator.write_line(&format!("converter {command}"));
        let line = self.simulator.wait_for_line("converter0 ", SOON);
        line["converter0 ".len()..].to_owned()
    }

    /// What was served since this was asked last: converter commands, and battery requests.
    pub(crate) fn journal(&mut self) -> (Vec<String>, Vec<String>) {
        let line = self.command("journal");
        let (served, asked) = line.strip_prefix("journal").unwrap().split_once('|').unwrap();
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        (words(served), words(asked))
    }

    /// The names of the commands that were served since this was asked last.
    pub(crate) fn commands(&mut self) -> Vec<String> {
        self.journal().0.iter().map(|entry| entry.split(':').next().unwrap().to_owned()).collect()
    }

    pub(crate) fn get(&self, target: &str) -> http::Answer {
        http::get(self.port, target)
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The configuration in our own form.
pub(crate) fn own_file(folder: &Path, port: u16, dbus: &str) -> PathBuf {
    let file = folder.join("dcdc-rs485.dcdc0.toml");
    let link = |name: &str| folder.join(name).display().to_string();
    let text = format!(
        "[converter]\nport = {:?}\nerror_retries = 1\ntimeout_retries = 10\ninter_command_gap_ms = 0\n\
         [converter.settings]\ncib = 52\nubv = 40\nobv = 59\nugv = 300\nogv = 400\nbcf = 0x0003\ncvb = 57.6\n\
         dlb = 49\ncdb = 1.2\nddb = 1.8\ndrb = 0.0\n[battery]\nport = {:?}\n[web]\nport = {port}\n[dbus]\n{dbus}",
        link("dcdc0"),
        link("battery0")
    );
    std::fs::write(&file, text).unwrap();
    file
}

fn yml(site: &Site, dcdc: &str, battery: &str) -> String {
    let mut values = vec![
        ("cib", "52"),
        ("ubv", "40"),
        ("obv", "59"),
        ("ugv", "300"),
        ("ogv", "400"),
        ("bcf", "0x0003"),
        ("cvb", "57.6"),
        ("dlb", "49"),
        ("cdb", "1.2"),
        ("ddb", "1.8"),
        ("drb", "0.00"),
    ];
    for (name, value) in &site.settings {
        values.iter_mut().find(|(key, _)| key == name).unwrap().1 = value;
    }
    let values: String = values.iter().map(|(key, value)| format!("      {key}: {value}\n")).collect();
    let class = if site.has_battery { "ESSXModbus" } else { "'None'" };
    let force = if site.force_dcdc_waiting { "Yes" } else { "No" };
    format!(
        "ess_system:
  type: essx_type_oes
  dcdc_dev:
    - name: dcdc1
      config: dcdc_conf
      class: ESSXRS485
      params: [{dcdc}, 19200]
      kwparams:
        dir_pin: not_used
      address1: 0
      address2: 16
  battery_dev:
    - name: battery1
      class: {class}
      params: []
      kwparams:
        method: rtu
        port: {battery}
        timeout: {}
        baudrate: 9600
        dir_pin: not_used
      unit: 1
      modbus_adr_rsoc: 30030
      modbus_adr_status: 30031
      config: battery_conf
dcdc:
  dcdc_conf:
    type: tdk_eza2500
{}    wait_for_retry: 0.1
    inter_command_gap_ms: 0
    config:
{values}battery:
  battery_conf:
    type: battery_emulator
    config:
      battery_voltage: 52.0
      battery_current: 20.0
      force_dcdc_waiting: {force}
",
        site.battery_timeout_s, site.about
    )
}
