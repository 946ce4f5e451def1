//! What can be set at an inverter, written on the bus by a foreign program: shown when the device has it, and done by a
//! simulated inverter. One make for each way in which makers have it.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::TcpListener;

use testbed::bed::{SOON, busbar, folder, settings};
use testbed::{PrivateBus, Process, eventually, happens};

/// A path below `/Control`, what is written there, and what the inverter makes of it: a word of its status and a number.
type Case = (&'static str, f64, &'static str, f64);

const W: f64 = 60.0;
/// 3000 W of sun, 1200 W of load, a battery of 200 Ah that is half full.
/// A profile, the usual number of its devices, and what is set.
type Make = (&'static str, u8, &'static [Case]);

/// Registers, bits of registers, a sequence with an end, ways of running.
const DEYE: Make = (
    "deye-one-phase",
    1,
    &[
        ("ChargeCurrentLimit", 15.0, "battery_w", 15.0 * 51.8),
        ("ExportEnable", 0.0, "grid_w", 0.0),
        ("ExportEnable", 1.0, "grid_w", -890.0),
        ("ExportLimit", 300.0, "grid_w", -300.0),
        ("DischargeCurrentLimit", 20.0, "may_give_w", 20.0 * 51.6),
        ("MinSoc", 60.0, "may_give_w", 0.0),
        ("GridChargeCurrent", 5.0, "battery_w", 15.0 * 51.8),
        ("ChargeCurrentLimit", 40.0, "battery_w", 1_660.0),
        ("ForceCharge", 1.0, "battery_w", 40.0 * 51.9),
        ("ForceCharge", 0.0, "battery_w", 1_660.0),
        ("GridChargeEnable", 0.0, "battery_w", 1_660.0),
        ("ChargeVoltageLimit", 51.0, "battery_w", 0.0),
        ("Mode", 3.0, "ac_in_w", 0.0),
        ("Mode", 1.0, "grid_w", -300.0),
        ("Mode", 2.0, "pv_w", 0.0),
        ("Mode", 6.0, "grid_w", -300.0),
    ],
);
/// Powers that lapse.
const SOLIS: Make = (
    "solis-hybrid",
    1,
    &[
        ("Power", 1_000.0, "battery_w", 1_660.0),
        ("Mode", 4.0, "battery_w", 1_000.0),
        ("Mode", 5.0, "battery_w", -1_000.0),
        ("Mode", 1.0, "battery_w", 1_660.0),
        ("DischargeCurrentLimit", 12.5, "may_give_w", 12.5 * 51.7),
    ],
);
/// Limits of power; a command with a power in two registers.
const SUNGROW: Make = (
    "sungrow-sh",
    1,
    &[
        ("ChargePowerLimit", 500.0, "battery_w", 500.0),
        ("ChargePowerLimit", 4_000.0, "battery_w", 1_660.0),
        ("MaxSoc", 40.0, "battery_w", 0.0),
        ("MaxSoc", 100.0, "battery_w", 1_660.0),
        ("Power", 700.0, "battery_w", 1_660.0),
        ("Mode", 5.0, "battery_w", -700.0),
        ("Mode", 1.0, "battery_w", 1_660.0),
    ],
);
/// EMS modes in RAM; the depth of discharge in place of the state of charge.
const GOODWE: Make = (
    "goodwe-et",
    247,
    &[
        ("BatteryPower", 700.0, "battery_w", 700.0),
        ("BatteryPower", -900.0, "battery_w", -900.0),
        ("Mode", 1.0, "battery_w", 1_660.0),
        ("MinSoc", 60.0, "may_give_w", 0.0),
    ],
);
/// Six registers in one request, which fall back when nobody repeats them.
const SOFAR: Make = (
    "sofar-hyd",
    1,
    &[
        ("BatteryPower", 800.0, "battery_w", 800.0),
        ("GridPower", 500.0, "grid_w", 500.0),
        ("Mode", 1.0, "battery_w", 1_660.0),
        ("ExportLimit", 400.0, "battery_w", 1_660.0),
    ],
);
/// Numbers of two registers, one of them behind a code.
const SUNNY_ISLAND: Make = (
    "sma-sunny-island",
    3,
    &[
        ("BatteryPower", 600.0, "battery_w", 600.0),
        ("BatteryPower", -800.0, "battery_w", -800.0),
        ("MinSoc", 60.0, "may_give_w", 0.0),
    ],
);
/// A slot of the time table in one request.
const GROWATT_SPH: Make = (
    "growatt-sph",
    1,
    &[
        ("MinSoc", 60.0, "may_give_w", 0.0),
        ("MaxSoc", 90.0, "battery_w", 1_660.0),
        ("ForceCharge", 1.0, "battery_w", 5_000.0),
    ],
);
/// Slots of which one part says what is first; each way of running sets what it needs and puts it back.
const GROWATT_XH: Make = (
    "growatt-xh",
    1,
    &[
        ("Power", 1_000.0, "battery_w", 1_660.0),
        ("Mode", 4.0, "battery_w", 1_000.0),
        ("Mode", 5.0, "battery_w", -1_000.0),
        ("Mode", 0.0, "battery_w", 1_660.0),
        ("MaxSoc", 40.0, "battery_w", 0.0),
        ("MinSoc", 60.0, "may_give_w", 0.0),
    ],
);
const LUXPOWER: Make = (
    "luxpower",
    1,
    &[
        ("GridChargeEnable", 0.0, "battery_w", 1_660.0),
        ("ExportEnable", 0.0, "grid_w", 0.0),
        ("ChargeCurrentLimit", 10.0, "battery_w", 518.0),
        ("ForceCharge", 1.0, "battery_w", 518.0),
    ],
);
const GROWATT_SPF: Make = (
    "growatt-spf",
    1,
    // Its battery is a lithium one, whose BMS says how much it takes.
    &[("MinSoc", 60.0, "may_give_w", 0.0)],
);
/// Scale factors of the device, at places that it tells itself.
const SUNSPEC: Make = (
    "sunspec-hybrid",
    1,
    &[
        ("ChargePowerLimit", 500.0, "battery_w", 500.0),
        ("AcPowerLimitPercent", 20.0, "ac_in_w", 200.0),
        ("AcPowerLimitPercent", 100.0, "battery_w", 500.0),
    ],
);

fn status(simulator: &mut Process, key: &str) -> f64 {
    simulator.write_line("inverter status");
    let line = simulator.wait_for_line("modbus0 state=", SOON);
    let word = line.split_whitespace().find_map(|word| word.strip_prefix(&format!("{key}=")));
    word.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {key} in {line}"))
}

/// By dbus-send; whether it is taken.
fn set(bus: &PrivateBus, service: &str, path: &str, value: f64) -> bool {
    let value = format!("variant:double:{value}");
    let said = bus.dbus_send(service, path, "com.victronenergy.BusItem.SetValue", &[&value]);
    said.is_ok_and(|said| said == "int32 0")
}

/// Whether it comes about in time.
fn comes(condition: impl FnMut() -> bool) -> bool {
    happens(SOON * 3, condition)
}

/// Sets one after the other at a simulated device, and hears what came of it.
#[track_caller]
fn is_set_and_done((profile, unit, cases): Make) {
    let (bus, folder) = (PrivateBus::start(), folder());
    let link = folder.path().join("device").display().to_string();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let write = |name: &str, text: String| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    // A Sunny Island has no serial line.
    let is_tcp = profile.starts_with("sma");
    let (place, lead, name) = if is_tcp {
        let place = format!("listen = \"127.0.0.1:{port}\"");
        (place, format!("host = \"127.0.0.1\"\ntcp_port = {port}"), format!("tcp_127_0_0_1_{port}"))
    } else {
        (format!("link = {link:?}"), format!("port = {link:?}"), "device".to_owned())
    };
    let scenario = write(
        "scenario.toml",
        format!("[[inverter]]\nprofile = {profile:?}\n{place}\npaced = false\ncode = 4711\n"),
    );
    // Others ask for no such number.
    let secrets = if profile == SUNNY_ISLAND.0 { "secrets = { grid_guard = 4711 }\n" } else { "" };
    let config = write(
        "inverter-modbus.toml",
        format!(
            "folder = {:?}\n[[device]]\nprofile = {profile:?}\n{lead}\ncontrol = \"on\"\n{secrets}",
            folder.path().join("kept")
        ),
    );
    let _settings = settings(&bus, folder.path());
    let mut simulator = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(scenario));
    simulator.wait_for_line("modbus0 ready", SOON);
    let mut command = bus.command(testbed::executable("busbar"));
    let _service = Process::spawn(command.arg("inverter-modbus").arg("--config").arg(config));
    let name = format!("com.victronenergy.multi.modbus_{name}_{unit}");
    eventually(SOON * 8, || bus.get_value(&name, "/Connected").is_ok_and(|is| is == 1));
    let mut wrong = Vec::new();
    for (item, value, key, should) in cases {
        let path = format!("/Control/{item}");
        let shown = || bus.get_value(&name, &path).unwrap_or_default();
        // What must be read before it is written is waited for.
        let is_taken = comes(|| set(&bus, &name, &path, *value));
        // What a sequence writes no register shows, and of several ways of running that are in force one is shown.
        let is_mode = *item == "Mode";
        let is_same = || shown().as_f64().is_none_or(|is| (is - value).abs() < 0.51);
        let is_shown = is_taken && (is_mode || comes(is_same));
        let mut is = f64::NAN;
        let is_done = comes(|| {
            is = status(&mut simulator, key);
            (is - should).abs() < W
        });
        if !is_taken || !is_shown || !is_done {
            let result = bus.get_value(&name, "/Control/Result").unwrap_or_default();
            let shown = shown();
            wrong.push(format!(
                "{item} {value}: taken {is_taken}, shown {shown}, {key} {is} in place of {should}; {result}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{profile}: {wrong:#?}");
}

#[test]
fn the_registers_bits_sequences_and_ways_of_running_of_a_deye_are_set_on_the_bus_and_obeyed() {
    is_set_and_done(DEYE);
}

#[test]
fn the_lapsing_powers_of_a_solis_are_set_on_the_bus_and_obeyed() {
    is_set_and_done(SOLIS);
}

#[test]
fn the_limits_of_power_and_the_command_of_a_sungrow_are_set_on_the_bus_and_obeyed() {
    is_set_and_done(SUNGROW);
}

#[test]
fn the_ems_modes_of_a_goodwe_are_set_on_the_bus_and_obeyed() {
    is_set_and_done(GOODWE);
}

#[test]
fn the_passive_mode_of_a_sofar_are_set_on_the_bus_and_obeyed() {
    is_set_and_done(SOFAR);
}

#[test]
fn the_wide_numbers_of_a_sunny_island_and_what_is_behind_its_code_are_set_on_the_bus_and_obeyed() {
    is_set_and_done(SUNNY_ISLAND);
}

#[test]
fn the_slots_of_a_growatt_on_the_grid_are_set_on_the_bus_and_obeyed() {
    is_set_and_done(GROWATT_SPH);
}

#[test]
fn the_priorities_of_a_growatt_xh_are_set_on_the_bus_and_obeyed() {
    is_set_and_done(GROWATT_XH);
}

#[test]
fn the_function_bits_of_a_luxpower_are_set_on_the_bus_and_obeyed() {
    is_set_and_done(LUXPOWER);
}

#[test]
fn the_settings_of_a_growatt_off_the_grid_are_set_on_the_bus_and_obeyed() {
    is_set_and_done(GROWATT_SPF);
}

#[test]
fn the_scaled_numbers_of_a_sunspec_device_are_set_on_the_bus_and_obeyed() {
    is_set_and_done(SUNSPEC);
}
