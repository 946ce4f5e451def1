//! A simulated inverter with faults, and the process that reads it.

use std::net::TcpListener;

use serde_json::json;
use testbed::bed::{SOON, busbar, folder, settings};
use testbed::{PrivateBus, Process, eventually};

/// How a device is reached.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Serial,
    /// At 1200 baud, with each byte in its time.
    Slow,
    /// One client only.
    Tcp,
    RtuOverTcp,
}

pub(crate) struct Bed {
    pub(crate) bus: PrivateBus,
    pub(crate) device: Process,
    pub(crate) unit: String,
    _service: Process,
    _settings: Process,
    _folder: tempfile::TempDir,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Bed {
    /// A process in front of a device; `lead` is TOML that leads to it, `name` the place in names of services.
    #[track_caller]
    pub(crate) fn start(
        folder: tempfile::TempDir,
        device: Process,
        profile: &str,
        lead: &str,
        name: &str,
    ) -> Bed {
        let bus = PrivateBus::start();
        let settings = settings(&bus, folder.path());
        let file = folder.path().join("inverter-modbus.toml");
        std::fs::write(&file, format!("[[device]]\nprofile = {profile:?}\n{lead}")).expect("a file");
        let mut command = bus.command(testbed::executable("busbar"));
        let service = Process::spawn(command.arg("inverter-modbus").arg("--config").arg(file));
        let unit = format!("com.victronenergy.multi.modbus_{name}_1");
        let bed = Bed { bus, device, unit, _service: service, _settings: settings, _folder: folder };
        eventually(SOON * 2, || {
            bed.bus.get_value(&bed.unit, "/Connected").is_ok_and(|value| value == json!(1))
        });
        bed
    }

    /// A simulated Deye at 50 %.
    #[track_caller]
    pub(crate) fn simulated(way: Way) -> Bed {
        Bed::simulated_with(way, "")
    }

    /// And with these lines of configuration.
    #[track_caller]
    pub(crate) fn simulated_with(way: Way, more: &str) -> Bed {
        let folder = folder();
        let port = free_port();
        let link = folder.path().join("rs485").display().to_string();
        let place = match way {
            Way::Serial => format!("link = {link:?}\npaced = false"),
            Way::Slow => format!("link = {link:?}\nbaud = 1200"),
            Way::Tcp => format!("listen = \"127.0.0.1:{port}\"\nclients = 1"),
            Way::RtuOverTcp => format!("listen = \"127.0.0.1:{port}\"\nframing = \"rtu\""),
        };
        let file = folder.path().join("scenario.toml");
        let inverter = "profile = \"deye-one-phase\"\nsun_w = 3000.0\nload_w = 1200.0";
        std::fs::write(&file, format!("[[inverter]]\n{inverter}\n{place}\n")).expect("a file");
        let mut simulator = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(file));
        simulator.wait_for_line("modbus0 ready", SOON);
        let host = format!("host = \"127.0.0.1\"\ntcp_port = {port}\n");
        let (lead, name) = match way {
            Way::Serial => (format!("port = {link:?}\n"), "rs485".to_owned()),
            Way::Slow => (format!("port = {link:?}\nbaud = 1200\n"), "rs485".to_owned()),
            Way::Tcp => (host, format!("tcp_127_0_0_1_{port}")),
            Way::RtuOverTcp => (format!("{host}framing = \"rtu\"\n"), format!("tcp_127_0_0_1_{port}")),
        };
        Bed::start(folder, simulator, "deye-one-phase", &format!("{lead}{more}"), &name)
    }

    /// Whether each of these is about what it is in truth, or nothing.
    pub(crate) fn is_honest(&self) -> bool {
        let truths = [
            ("/Dc/0/Voltage", 51.9, 0.5),
            ("/Yield/Power", 3_000.0, 5.0),
            ("/Ac/Out/L1/P", 1_200.0, 5.0),
            ("/Ac/In/1/L1/V", 230.0, 1.0),
            ("/Dc/0/Power", 1_660.0, 20.0),
        ];
        truths.into_iter().all(|(path, truth, most)| {
            let shown = self.bus.get_value(&self.unit, path).unwrap_or_default();
            let is_right = shown.as_f64().is_none_or(|number| (number - truth).abs() <= most);
            assert!(is_right, "{path} {shown}");
            is_right
        })
    }

    #[track_caller]
    pub(crate) fn survives_all(&mut self, faults: &[&str]) {
        for fault in faults {
            self.survives(fault);
        }
    }

    /// Whether the sun is shown as it is, or as it was before, or not at all.
    pub(crate) fn shows(&self, sun: [f64; 2]) -> bool {
        let shown = self.bus.get_value(&self.unit, "/Yield/Power").unwrap_or_default();
        shown.as_f64().is_none_or(|watts| sun.iter().any(|truth| (truth - watts).abs() <= 5.0))
    }

    pub(crate) fn order(&mut self, words: &str) {
        self.device.write_line(&format!("inverter {words}"));
        self.device.wait_for_line("modbus0 ok", SOON);
    }

    #[track_caller]
    pub(crate) fn survives(&mut self, fault: &str) {
        self.device.write_line(&format!("inverter fault {fault}"));
        self.device.wait_for_line("modbus0 ok", SOON);
        for _ in 0..40 {
            self.is_honest();
        }
        self.device.write_line("inverter clear");
        self.device.wait_for_line("modbus0 ok", SOON);
        eventually(SOON * 2, || {
            self.is_honest()
                && self.bus.get_value(&self.unit, "/Yield/Power").is_ok_and(|shown| shown.is_number())
        });
    }
}
