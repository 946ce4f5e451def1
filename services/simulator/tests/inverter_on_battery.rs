//! An inverter on Modbus at a simulated battery: both have the same current, and the pack has the last word.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use simulator::inverters::{InverterConfig, Running, SharedUnit};
use simulator::{assembly, command, device::Device, scenario};

/// A Deye in an island on a battery of 100 Ah.
fn bench(more: &str) -> (Device, SharedUnit, Running) {
    let profile =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../inverter-modbus/profiles/deye-one-phase.toml");
    let config = format!(
        "profile = {:?}\nlisten = \"127.0.0.1:0\"\nbattery = 0\nsun_w = 0.0\nload_w = 2000.0\ngrid = false\n{more}",
        profile.display().to_string()
    );
    let config: InverterConfig = toml::from_str(&config).unwrap();
    let running = Running::start(&[config], |_| None).unwrap();
    let scenario = scenario::parse(
        "[[battery]]\nlink = \"nowhere\"\n[battery.pack]\nsoc_percent = 50.0\n[battery.bms]\nnoise = false\n",
        "test.toml",
    );
    let (_, mut device) = assembly::devices(&scenario.unwrap()).remove(0);
    let unit = running.unit(0).unwrap();
    device.carry(unit.clone());
    (device, unit, running)
}

fn pass(device: &mut Device, seconds: usize) {
    (0..10 * seconds).for_each(|_| device.step(0.1));
}

#[tokio::test]
async fn the_pack_has_the_current_of_the_inverter_and_the_house_is_never_dark() {
    let (mut device, unit, _running) = bench("");
    pass(&mut device, 60);
    let unit = unit.lock().unwrap();
    let flow = unit.plant.flow();
    assert!((flow.battery_a - device.bank().current_a()).abs() < 0.5, "{flow:?}");
    assert!((-45.0..-35.0).contains(&device.bank().current_a()), "{flow:?}");
    assert_eq!((flow.ac_out_w, unit.plant.darkness().times), (2_000.0, 0));
}

#[tokio::test]
async fn a_pack_that_opens_its_contactor_makes_the_house_dark_once() {
    let (mut device, unit, _running) = bench("");
    pass(&mut device, 5);
    for line in ["contactor open", "contactor close"] {
        device.apply(&command::parse(line).unwrap().action);
        pass(&mut device, 10);
        let unit = unit.lock().unwrap();
        let should_w = if line.ends_with("open") { 0.0 } else { 2_000.0 };
        assert_eq!(unit.plant.flow().ac_out_w, should_w, "{line}: {}", unit.status());
        assert!((device.bank().current_a() == 0.0) == (should_w == 0.0));
    }
    let dark = unit.lock().unwrap().plant.darkness();
    assert!(dark.times == 1 && (9.0..13.0).contains(&dark.seconds), "{dark:?}");
}
