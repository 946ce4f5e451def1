//! Answers that are late, doubled, another's or nobody's: what is on the bus is right, or nothing. And a device of pymodbus,
//! of which nothing is ours, read by our process.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testbed::bed::{SOON, busbar, folder, settings};
use testbed::{PrivateBus, Process, client_script, eventually};

struct Bed {
    bus: PrivateBus,
    device: Process,
    unit: String,
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
    fn start(folder: tempfile::TempDir, device: Process, profile: &str, lead: &str, name: &str) -> Bed {
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

    /// A simulated Deye at 50 %: on TCP, or on a serial line.
    #[track_caller]
    fn simulated(is_tcp: bool) -> Bed {
        let folder = folder();
        let port = free_port();
        let link = folder.path().join("rs485").display().to_string();
        let place =
            if is_tcp { format!("listen = \"127.0.0.1:{port}\"") } else { format!("link = {link:?}") };
        let file = folder.path().join("scenario.toml");
        let inverter = "profile = \"deye-one-phase\"\nsun_w = 3000.0\nload_w = 1200.0\npaced = false";
        std::fs::write(&file, format!("[[inverter]]\n{inverter}\n{place}\n")).expect("a file");
        let mut simulator = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(file));
        simulator.wait_for_line("modbus0 ready", SOON);
        let (lead, name) = if is_tcp {
            (format!("host = \"127.0.0.1\"\ntcp_port = {port}\n"), format!("tcp_127_0_0_1_{port}"))
        } else {
            (format!("port = {link:?}\n"), "rs485".to_owned())
        };
        Bed::start(folder, simulator, "deye-one-phase", &lead, &name)
    }

    /// Whether each of these is about what it is in truth, or nothing.
    fn is_honest(&self) -> bool {
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
    fn survives(&mut self, fault: &str) {
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

#[test]
fn no_answer_of_another_moment_or_unit_is_believed_on_tcp() {
    let mut bed = Bed::simulated(true);
    for fault in [
        "late ms=4000 count=2",
        "doubled",
        "foreign count=5",
        "stale count=5",
        "exception code=4 count=20",
        "truncated n=5 count=3",
    ] {
        bed.survives(fault);
    }
}

#[test]
fn no_answer_of_another_moment_or_unit_is_believed_on_a_serial_line() {
    let mut bed = Bed::simulated(false);
    for fault in [
        "late ms=1500 count=3",
        "doubled",
        "foreign count=5",
        "badcrc count=5",
        "garbage hex=01030201 count=5",
        "silence count=5",
    ] {
        bed.survives(fault);
    }
}

#[test]
fn a_port_that_is_pulled_is_found_again() {
    let mut bed = Bed::simulated(false);
    bed.device.write_line("inverter unplug");
    bed.device.wait_for_line("modbus0 unplugged", SOON);
    eventually(Duration::from_secs(40), || {
        bed.bus.get_value(&bed.unit, "/Connected").is_ok_and(|value| value == json!(0))
    });
    bed.device.write_line("inverter plug");
    bed.device.wait_for_line("modbus0 ready", SOON);
    eventually(SOON, || bed.bus.get_value(&bed.unit, "/Yield/Power").is_ok_and(|shown| shown.is_number()));
    bed.is_honest();
}

#[test]
fn a_device_of_pymodbus_is_shown_as_its_makers_table_says() {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../inverter-modbus/tests/images");
    let image = images.join("sungrow-sh.toml");
    let mut device = Process::spawn(client_script("modbus.py").args(["serve", "127.0.0.1:0"]).arg(image));
    let line = device.wait_for_line("serving", SOON);
    let port = line.rsplit(':').next().expect("a port").to_owned();
    let lead = format!("host = \"127.0.0.1\"\ntcp_port = {port}\ncontrol = \"on\"\n");
    let mut bed = Bed::start(folder(), device, "sungrow-sh", &lead, &format!("tcp_127_0_0_1_{port}"));
    for (path, value) in [
        ("/Serial", json!("A2301234567")),
        ("/Dc/0/Voltage", json!(256.1)),
        ("/Dc/0/Current", json!(-12.3)),
        ("/Dc/0/Power", json!(-3150.0)),
        ("/Yield/Power", json!(65700.0)),
        ("/Ac/In/1/L1/P", json!(-2000.0)),
        ("/Ac/In/1/L2/P", json!(-4000.0)),
        ("/Ac/Out/L2/P", json!(310.0)),
    ] {
        let mut shown = json!(null);
        eventually(SOON, || {
            shown = bed.bus.get_value(&bed.unit, path).unwrap_or_default();
            shown == value
        });
    }
    // A set point arrives as the table has it: 1500 W in steps of 10 W.
    assert_eq!(bed.bus.set_value(&bed.unit, "/Control/ChargePowerLimit", &["d", "1500"]), Ok(0));
    let written = bed.device.wait_for_line("written", SOON);
    assert!(written.ends_with(" 33046 150"), "{written}");
}
