//! What can be set at an inverter, written on the bus by a foreign program: shown when the device has it, and done by a
//! simulated inverter. One make for each way in which makers have it.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::TcpListener;
use std::time::Instant;

use testbed::bed::{SOON, busbar, folder, settings};
use testbed::{PrivateBus, Process, eventually, eventually_some};

/// A path below `/Control`, what is written there, and what the inverter makes of it: a word of its status and a number.
type Case = (&'static str, f64, &'static str, f64);

const W: f64 = 60.0;
/// 3000 W of sun, 1200 W of load, a battery of 200 Ah that is half full.
const MAKES: &[(&str, u8, &[Case])] = &[
    // Registers, bits of registers, a sequence with an end, ways of running.
    (
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
    ),
    // Words for on and off; powers that lapse.
    (
        "solis-hybrid",
        1,
        &[
            ("OnOff", 0.0, "pv_w", 0.0),
            ("OnOff", 1.0, "pv_w", 3_000.0),
            ("Power", 1_000.0, "battery_w", 1_660.0),
            ("Mode", 4.0, "battery_w", 1_000.0),
            ("Mode", 5.0, "battery_w", -1_000.0),
            ("Mode", 1.0, "battery_w", 1_660.0),
            ("DischargeCurrentLimit", 12.5, "may_give_w", 12.5 * 51.7),
        ],
    ),
    // Limits of power; a command with a power in two registers.
    (
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
    ),
    // EMS modes in RAM; the depth of discharge in place of the state of charge.
    (
        "goodwe-et",
        247,
        &[
            ("BatteryPower", 700.0, "battery_w", 700.0),
            ("BatteryPower", -900.0, "battery_w", -900.0),
            ("Mode", 1.0, "battery_w", 1_660.0),
            ("MinSoc", 60.0, "may_give_w", 0.0),
        ],
    ),
    // Six registers in one request, which fall back when nobody repeats them.
    (
        "sofar-hyd",
        1,
        &[
            ("BatteryPower", 800.0, "battery_w", 800.0),
            ("GridPower", 500.0, "grid_w", 500.0),
            ("Mode", 1.0, "battery_w", 1_660.0),
            ("ExportLimit", 400.0, "battery_w", 1_660.0),
        ],
    ),
    // Numbers of two registers, one of them behind a code.
    (
        "sma-sunny-island",
        3,
        &[
            ("BatteryPower", 600.0, "battery_w", 600.0),
            ("BatteryPower", -800.0, "battery_w", -800.0),
            ("MinSoc", 60.0, "may_give_w", 0.0),
        ],
    ),
    // A slot of the time table in one request.
    (
        "growatt-sph",
        1,
        &[
            ("MinSoc", 60.0, "may_give_w", 0.0),
            ("MaxSoc", 90.0, "battery_w", 1_660.0),
            ("ForceCharge", 1.0, "battery_w", 5_000.0),
        ],
    ),
    (
        "luxpower",
        1,
        &[
            ("GridChargeEnable", 0.0, "battery_w", 1_660.0),
            ("ExportEnable", 0.0, "grid_w", 0.0),
            ("ChargeCurrentLimit", 10.0, "battery_w", 518.0),
            ("ForceCharge", 1.0, "battery_w", 518.0),
        ],
    ),
    (
        "growatt-spf",
        1,
        &[("ChargeCurrentLimit", 12.0, "battery_w", 12.0 * 51.8), ("MinSoc", 60.0, "may_give_w", 0.0)],
    ),
    // Scale factors of the device, at places that it tells itself.
    ("sunspec-hybrid", 1, &[("MinSoc", 60.0, "may_give_w", 0.0)]),
];

fn status(simulator: &mut Process, number: usize, key: &str) -> f64 {
    simulator.write_line(&format!("inverter {number} status"));
    let line = simulator.wait_for_line(&format!("modbus{number} state="), SOON);
    let word = line.split_whitespace().find_map(|word| word.strip_prefix(&format!("{key}=")));
    word.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {key} in {line}"))
}

/// Whether it comes about in time.
fn comes(mut condition: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    eventually_some(SOON * 8, || match condition() {
        true => Some(true),
        false => (began.elapsed() > SOON * 3).then_some(false),
    })
}

#[test]
fn what_is_set_on_the_bus_is_shown_by_the_device_and_done() {
    let (bus, folder) = (PrivateBus::start(), folder());
    let listeners: Vec<TcpListener> =
        MAKES.iter().map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<u16> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    drop(listeners);
    let (mut scenario, mut config) = (String::new(), String::new());
    for ((profile, _, _), port) in MAKES.iter().zip(&ports) {
        scenario += &format!(
            "[[inverter]]\nprofile = {profile:?}\nlisten = \"127.0.0.1:{port}\"\nturnaround_ms = 0.0\n\
             sun_w = 3000.0\nload_w = 1200.0\ncode = 4711\n"
        );
        config += &format!(
            "[[device]]\nprofile = {profile:?}\nhost = \"127.0.0.1\"\ntcp_port = {port}\ncontrol = \"on\"\n\
             secrets = {{ grid_guard = 4711 }}\n"
        );
    }
    let [scenario_file, config_file] =
        ["scenario.toml", "inverter-modbus.toml"].map(|name| folder.path().join(name));
    std::fs::write(&scenario_file, scenario).unwrap();
    std::fs::write(&config_file, config).unwrap();
    let _settings = settings(&bus, folder.path());
    let mut simulator = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(scenario_file));
    simulator.wait_for_line(&format!("modbus{} ready", MAKES.len() - 1), SOON);
    let mut command = bus.command(testbed::executable("busbar"));
    let _service = Process::spawn(command.arg("inverter-modbus").arg("--config").arg(config_file));
    let mut wrong = Vec::new();
    for (number, ((profile, unit, cases), port)) in MAKES.iter().zip(&ports).enumerate() {
        let name = format!("com.victronenergy.multi.modbus_tcp_127_0_0_1_{port}_{unit}");
        eventually(SOON * 4, || bus.get_value(&name, "/Connected").is_ok_and(|is| is == 1));
        for (item, value, key, should) in *cases {
            let path = format!("/Control/{item}");
            let shown = || bus.get_value(&name, &path).unwrap_or_default();
            // Nothing is refused that is there: what must be read before it is written is waited for.
            let is_taken = comes(|| bus.set_value(&name, &path, &["d", &value.to_string()]) == Ok(0));
            // What a sequence writes no register shows.
            let is_shown = is_taken && comes(|| shown().as_f64().is_none_or(|is| (is - value).abs() < 0.51));
            let mut is = f64::NAN;
            let is_done = is_shown
                && comes(|| {
                    is = status(&mut simulator, number, key);
                    (is - should).abs() < W
                });
            if !is_done {
                let result = bus.get_value(&name, "/Control/Result").unwrap_or_default();
                wrong.push(format!(
                    "{profile} {item} {value}: taken {is_taken}, shown {}, {key} {is} in place of {should}; {result}",
                    shown()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
