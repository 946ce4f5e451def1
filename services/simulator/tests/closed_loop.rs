//! The plant in closed loops: a day with sun, a charger that obeys, and strings on one busbar.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, where a panic is the message"
)]

use simulator::assembly;
use simulator::device::Device;
use simulator::scenario::parse;

fn device(battery: &str) -> Device {
    let scenario = parse(&format!("[[battery]]\nlink = \"b\"\n{battery}"), "test");
    let devices = assembly::devices(&scenario.unwrap_or_else(|errors| panic!("{errors}")));
    devices.into_iter().next().unwrap().1
}

fn soc(device: &Device) -> f64 {
    device.bank().modules()[0].pack.mean_soc()
}

#[test]
fn an_obeying_charger_fills_the_battery_to_its_voltage_and_no_cell_comes_near_its_trip() {
    let mut device = device(
        "[battery.pack]\nsoc_percent = 70\n[battery.bms]\ncharge_voltage_limit_v = 55.2\n\
         [battery.current]\nconstant_a = 300\n[battery.charger]",
    );
    let mut highest_v = 0f64;
    for _ in 0..5 * 3_600 {
        device.step(1.0);
        highest_v = device.bank().modules()[0].pack.highest_v().max(highest_v);
    }
    assert!(soc(&device) > 0.97, "{}", device.status());
    assert!(highest_v < 3.55 && device.bank().bus_v() < 55.4, "{highest_v} {}", device.status());
}

#[test]
fn on_a_clear_day_the_battery_fills_at_noon_feeds_the_evening_and_keeps_its_limits() {
    let mut device = device(
        "[battery.pack]\nsoc_percent = 30\n\
         [battery.current.day]\nweather = \"clear_summer\"\npv_kwp = 6\n[battery.charger]",
    );
    let mut at_hour = Vec::new();
    for second in 0..24 * 3_600 {
        if second % 3_600 == 0 {
            at_hour.push(soc(&device));
        }
        device.step(1.0);
        let module = &device.bank().modules()[0];
        assert!(module.switches.charge_on && module.switches.discharge_on, "{}", device.status());
        assert!(device.bank().current_a().abs() <= 141.0);
    }
    assert!(
        at_hour[5] < at_hour[0] && at_hour[17] > at_hour[8] + 0.4 && at_hour[23] < at_hour[18],
        "{at_hour:?}"
    );
}

#[test]
fn without_an_obeying_charger_the_bms_is_the_last_guard() {
    let mut device = device(
        "[battery.pack]\nsoc_percent = 95\n[battery.bms]\ntapers = false\n[battery.current]\nconstant_a = 100",
    );
    let mut highest_v = 0f64;
    for _ in 0..3_600 {
        device.step(1.0);
        highest_v = device.bank().modules()[0].pack.highest_v().max(highest_v);
    }
    assert!((3.65..3.80).contains(&highest_v), "{highest_v}");
    assert!(!device.bank().modules()[0].switches.charge_on);
}

#[test]
fn a_reboot_opens_the_contactor_for_twenty_seconds_and_precharge() {
    let mut device = device("[battery.current]\nconstant_a = -50");
    device.step(1.0);
    device.apply(&simulator::command::parse("reboot").unwrap().action);
    let open = (0..60).take_while(|_| {
        device.step(1.0);
        device.bank().current_a() == 0.0
    });
    // The contactor closes at the end of the last second of precharge.
    assert_eq!(open.count(), 21);
}

#[test]
fn the_same_scenario_runs_the_same_way_every_time_and_another_seed_another() {
    let run = |seed| {
        let text = format!(
            "seed = {seed}\n[[battery]]\nlink = \"b\"\n\
             [battery.current.day]\nweather = \"broken_clouds\"\nstarts_at_h = 12\n[battery.charger]"
        );
        let mut devices = assembly::devices(&parse(&text, "test").unwrap());
        let device = &mut devices[0].1;
        (0..600).for_each(|_| device.step(1.0));
        device.status()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
