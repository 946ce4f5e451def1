//! The whole loop over real processes: a simulated battery, its service, the manager of the bank, `inverter-modbus` that
//! follows it, and a simulated inverter on the same battery that does what stands in its registers.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testbed::bed::{Bed, SOON, busbar, folder, service, settings};
use testbed::{Exit, PrivateBus, Process, Signal, eventually, executable, happens, one_of};
use tokio::time::Instant;

const BANK: &str = "com.victronenergy.battery.busbar";
/// Ten seconds of hold, two of ramp, half a minute of a memory that is spared, and room for a busy machine.
const LOSS: Duration = Duration::from_secs(90);

/// A make, and where its device is.
#[derive(Clone, Copy)]
struct Make {
    profile: &'static str,
    is_tcp: bool,
    /// The device keeps its limits in memory that wears out.
    wears: bool,
}

const DEYE: Make = Make { profile: "deye-one-phase", is_tcp: false, wears: true };
const SUNGROW: Make = Make { profile: "sungrow-sh", is_tcp: true, wears: true };
/// The device of the guide keeps currents in RAM.
const EXAMPLE: Make = Make { profile: "example-hybrid", is_tcp: false, wears: false };

struct Loop {
    bus: PrivateBus,
    folder: tempfile::TempDir,
    simulator: Process,
    manager: Process,
    inverter: Process,
    unit: String,
    make: Make,
    /// When the wear began to be counted, and what it was.
    since: (Instant, f64),
    _battery: Process,
    _settings: Process,
}

fn run(bus: &PrivateBus, folder: &Path, what: &str) -> Process {
    let file = folder.join(what).with_extension("toml");
    Process::spawn(bus.command(executable("busbar")).arg(what).arg("--config").arg(file))
}

impl Loop {
    /// `site` is TOML for what the inverter hangs on. It comes back when the inverter has the manager's limits.
    #[track_caller]
    fn start(make: Make, site: &str) -> Loop {
        let (bus, folder) = (PrivateBus::start(), folder());
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        let quoted = |name: &str| format!("{:?}", folder.path().join(name).display().to_string());
        let profiles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../inverter-modbus");
        let guide = std::fs::read_to_string(profiles.join("ADDING.md")).unwrap();
        let (_, example) = guide.split_once("```toml\n").unwrap();
        write("example-hybrid.toml", example.split_once("```").unwrap().0.to_owned());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (place, lead, name) = if make.is_tcp {
            let lead = format!("host = \"127.0.0.1\"\ntcp_port = {port}");
            (format!("listen = \"127.0.0.1:{port}\""), lead, format!("tcp_127_0_0_1_{port}"))
        } else {
            let link = quoted("rs485");
            (format!("link = {link}"), format!("port = {link}"), "rs485".to_owned())
        };
        let simulated =
            if make.wears { format!("{:?}", make.profile) } else { quoted("example-hybrid.toml") };
        write(
            "scenario.toml",
            format!(
                "[[battery]]\nlink = {}\n[battery.pack]\ncapacity_ah = 200.0\nsoc_percent = 50.0\n\
                 [battery.bms]\nmax_charge_current_a = 40.0\nmax_discharge_current_a = 60.0\nnoise = false\n\
                 [[inverter]]\nprofile = {simulated}\nbattery = 0\npaced = false\nrated_w = 10000.0\n{place}\n{site}\n",
                quoted("battery0")
            ),
        );
        std::fs::create_dir(folder.path().join("counters")).unwrap();
        std::fs::create_dir(folder.path().join("volatile")).unwrap();
        write(
            "charge-manager.toml",
            format!("folder = {}\nvolatile_folder = {}\n", quoted("counters"), quoted("volatile")),
        );
        write(
            "inverter-modbus.toml",
            format!(
                "profiles = {}\n[[device]]\nprofile = {:?}\n{lead}\nfollow = {BANK:?}\n\
                 max_charge_current_a = 100.0\nmax_discharge_current_a = 100.0\n",
                quoted(""),
                make.profile
            ),
        );
        let settings = settings(&bus, folder.path());
        let mut scenario = busbar();
        let mut simulator = Process::spawn_fed(
            scenario.arg("simulator").arg("--scenario").arg(folder.path().join("scenario.toml")),
        );
        simulator.wait_for_line("modbus0 ready", SOON);
        let battery = service(&bus, folder.path(), "");
        eventually(SOON, || bus.get_value(Bed::NAME, "/Connected").is_ok_and(|is| is == json!(1)));
        let manager = run(&bus, folder.path(), "charge-manager");
        // A test has no minutes for what rises slowly.
        for (name, value) in [("ChargeRise", "100"), ("DischargeRise", "100"), ("ZeroDwell", "1")] {
            let path = format!("/Settings/Devices/busbar_bank/{name}");
            eventually(SOON, || bus.set_value("com.victronenergy.settings", &path, &["d", value]) == Ok(0));
        }
        let inverter = run(&bus, folder.path(), "inverter-modbus");
        let mut bed = Loop {
            unit: format!("com.victronenergy.multi.modbus_{name}_1"),
            bus,
            folder,
            simulator,
            manager,
            inverter,
            make,
            since: (Instant::now(), 0.0),
            _battery: battery,
            _settings: settings,
        };
        eventually(LOSS, || bed.obeys() && bed.share_a() > 30.0);
        eventually(LOSS, || bed.may_take_a() > 25.0 && bed.may_give_a() > 35.0);
        bed.since = (Instant::now(), bed.status("worn"));
        bed
    }

    fn number(&self, service: &str, path: &str) -> f64 {
        self.bus.get_value(service, path).unwrap_or_default().as_f64().unwrap_or(f64::NAN)
    }

    fn text(&self, path: &str) -> String {
        let value = self.bus.get_value(&self.unit, path).unwrap_or_default();
        value.as_str().unwrap_or_default().to_owned()
    }

    /// What the manager gives the inverter, A.
    fn share_a(&self) -> f64 {
        self.number(BANK, "/Share/0/MaxChargeCurrent")
    }

    fn obeys(&self) -> bool {
        self.bus.get_value(BANK, "/Share/0/Service").is_ok_and(|who| who == json!(self.unit))
    }

    /// A word of the inverter's own status.
    #[track_caller]
    fn status(&mut self, key: &str) -> f64 {
        let line = self.status_line();
        let word = line.split_whitespace().find_map(|word| word.strip_prefix(&format!("{key}=")));
        word.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {key} in {line}"))
    }

    #[track_caller]
    fn status_line(&mut self) -> String {
        self.simulator.write_line("inverter status");
        self.simulator.wait_for_line("modbus0 state=", SOON)
    }

    /// The most that the inverter would let into the battery, A.
    fn may_take_a(&mut self) -> f64 {
        self.status("may_take_w") / self.status("battery_v")
    }

    fn may_give_a(&mut self) -> f64 {
        self.status("may_give_w") / self.status("battery_v")
    }

    #[track_caller]
    fn say(&mut self, command: &str) {
        self.simulator.write_line(command);
        self.simulator.wait_for_line("ok", SOON);
    }

    /// No register was written more often than three times and once more in half a minute.
    #[track_caller]
    fn has_spared_its_memory(&mut self) {
        let (since, before) = self.since;
        let writes = self.status("worn") - before;
        let most = 3.0 + since.elapsed().as_secs_f64() / 30.0;
        assert!(writes <= most, "{writes} writes, and {most} may be");
        assert!(self.make.wears || self.status("flash_writes") == 0.0);
    }
}

/// What sun there is goes into the battery.
const SUNNY: &str = "sun_w = 9000.0\nload_w = 200.0";
/// There is no grid, and the house lives on the battery.
const ISLAND: &str = "sun_w = 0.0\nload_w = 1500.0\ngrid = false";

/// The limit of the battery falls in the cold, then to nothing; the inverter is there within the time.
fn current_falls_with_the_limit(make: Make) {
    let mut bed = Loop::start(make, SUNNY);
    eventually(LOSS, || bed.status("battery_a") > 10.0);
    for (celsius, most_a) in [(6.0, 25.0), (-3.0, 0.1)] {
        bed.say(&format!("ambient {celsius}"));
        bed.say(&format!("temperature {celsius}"));
        eventually(SOON * 3, || bed.share_a() < most_a);
        eventually(SOON * 4, || bed.may_take_a() < most_a && bed.status("battery_a") < most_a);
    }
    bed.has_spared_its_memory();
    bed.inverter.terminate();
}

#[test]
fn the_current_of_a_device_that_keeps_currents_in_flash_falls_with_the_limit_of_its_battery() {
    current_falls_with_the_limit(DEYE);
}

#[test]
fn the_power_of_a_device_that_keeps_powers_in_flash_falls_with_the_limit_of_its_battery() {
    current_falls_with_the_limit(SUNGROW);
}

#[test]
fn the_current_of_a_device_that_keeps_currents_in_ram_falls_with_the_limit_of_its_battery() {
    current_falls_with_the_limit(EXAMPLE);
}

#[test]
fn an_island_does_not_notice_that_the_manager_or_its_own_service_is_killed_and_started_again() {
    // Each has ten seconds to be back, of which a busy machine may take too many.
    one_of(3, goes_on_when_both_are_killed);
}

fn goes_on_when_both_are_killed() -> Result<(), String> {
    let mut bed = Loop::start(DEYE, ISLAND);
    let blackouts = bed.status("blackouts");
    assert!(bed.status("battery_a") < -25.0, "{}", bed.status_line());
    bed.manager.signal(Signal::KILL);
    eventually(SOON, || bed.bus.get_value(BANK, "/Connected").is_err());
    bed.manager = run(&bed.bus, bed.folder.path(), "charge-manager");
    let mut least_a = f64::INFINITY;
    eventually(LOSS, || {
        least_a = least_a.min(bed.may_give_a());
        bed.obeys() && bed.share_a() > 30.0
    });
    bed.inverter.signal(Signal::KILL);
    eventually(SOON, || bed.bus.get_value(&bed.unit, "/Connected").is_err());
    bed.inverter = run(&bed.bus, bed.folder.path(), "inverter-modbus");
    let connected = |bed: &Loop| bed.bus.get_value(&bed.unit, "/Connected").unwrap_or_default();
    eventually(LOSS, || {
        least_a = least_a.min(bed.may_give_a());
        connected(&bed) == json!(1) && bed.obeys() && !bed.text("/ConnectionInformation").is_empty()
    });
    // And for as long as a follower would hold on to nothing.
    let until = Instant::now() + Duration::from_secs(15);
    eventually(LOSS, || {
        least_a = least_a.min(bed.may_give_a());
        Instant::now() > until
    });
    if least_a <= 35.0 || bed.status("blackouts") != blackouts {
        return Err(format!("the inverter was allowed {least_a} A only: {}", bed.status_line()));
    }
    bed.has_spared_its_memory();
    Ok(())
}

/// Nobody can decide anything any more; the service takes the current back before it ends, and says why it does.
fn without_a_bus(make: Make) {
    // It has less than a second to do so, which a busy machine may take away.
    one_of(3, || {
        let mut bed = Loop::start(make, SUNNY);
        bed.bus.stop();
        assert_eq!(bed.inverter.wait(SOON * 3), Exit::Code(1));
        let falls = happens(SOON, || bed.status("may_take_w") < 1.0);
        if falls { Ok(()) } else { Err(bed.status_line()) }
    });
}

#[test]
fn a_bus_that_goes_away_leaves_no_limit_in_a_device_on_a_serial_line() {
    without_a_bus(DEYE);
}

#[test]
fn a_bus_that_goes_away_leaves_no_limit_in_a_device_on_a_network() {
    without_a_bus(SUNGROW);
}

#[test]
fn a_bus_that_hangs_leaves_no_limit() {
    let mut bed = Loop::start(EXAMPLE, SUNNY);
    bed.bus.freeze();
    eventually(LOSS, || bed.status("may_take_w") < 1.0);
}

/// The manager is killed and does not come back for long; then it does.
fn nobody_decides(make: Make) {
    let mut bed = Loop::start(make, SUNNY);
    bed.manager.signal(Signal::KILL);
    let killed = Instant::now();
    eventually(LOSS, || bed.status("may_take_w") < 1.0);
    let took = killed.elapsed();
    // Not before the ten seconds are over in which it may come back.
    assert!(took > Duration::from_secs(7), "{took:?}");
    eventually(LOSS, || bed.status("may_give_w") < 1.0 && bed.status("battery_a").abs() < 0.5);
    let why = bed.text("/ConnectionInformation");
    assert!(why.contains(BANK), "{why:?}");
    bed.has_spared_its_memory();
    bed.manager = run(&bed.bus, bed.folder.path(), "charge-manager");
    eventually(LOSS, || bed.may_give_a() > 35.0);
    eventually(LOSS, || bed.status("battery_a") > 1.0);
    bed.has_spared_its_memory();
}

#[test]
fn without_a_manager_limits_in_flash_go_to_zero_and_the_reason_is_on_the_bus() {
    nobody_decides(DEYE);
}

#[test]
fn without_a_manager_limits_in_ram_go_to_zero_and_the_reason_is_on_the_bus() {
    nobody_decides(EXAMPLE);
}
