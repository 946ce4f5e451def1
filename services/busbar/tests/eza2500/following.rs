//! The converter kept within the limits of a battery, and what happens when nobody tells them any more.

use std::time::Duration;

use testbed::bed::{SOON, service, settings, simulator};
use testbed::{Exit, PrivateBus, Process, Signal, eventually, one_of};

use super::bed::{Bed, Site};
use super::on_bus::{CONVERTER, get};

/// Twelve seconds, and room for a busy machine.
const LOSS: Duration = Duration::from_secs(45);
const SOURCE: &str = testbed::bed::Bed::NAME;

/// A battery with limits, and a converter that follows it.
struct Stand {
    bus: PrivateBus,
    source: Process,
    _settings: Process,
    _simulator: Process,
    _folder: tempfile::TempDir,
    bed: Bed,
}

fn start() -> Stand {
    let (bus, folder) = (PrivateBus::start(), testbed::bed::folder());
    let settings = settings(&bus, folder.path());
    let simulator =
        simulator(folder.path(), "protocol = \"pylontech_lv\"\n[battery.bms]\nmax_charge_current_a = 20.0\n");
    let source = service(&bus, folder.path(), "protocol = \"pylontech_lv\"\n");
    eventually(SOON, || bus.get_value(SOURCE, "/Info/MaxChargeCurrent").is_ok_and(|limit| limit.is_f64()));
    let bed = Bed::on_bus(&bus, &Site::default(), &format!("follow = {SOURCE:?}\n"));
    eventually(SOON, || get(&bus, "/Connected") == 1);
    Stand { bus, source, _settings: settings, _simulator: simulator, _folder: folder, bed }
}

fn limit(site: &Stand) -> f64 {
    site.bus.get_value(SOURCE, "/Info/MaxChargeCurrent").unwrap().as_f64().unwrap()
}

#[test]
fn a_converter_is_told_no_more_current_than_the_battery_allows_and_waits_when_nobody_says_so_any_more() {
    let mut site = start();
    eventually(SOON, || site.bed.get("/remote/set?mode=0x0041&dvg=350&dig=2&drg=0").status == 200);
    let cib = |site: &Stand| get(&site.bus, "/Apis/Battery/CurrentLimit").as_f64().unwrap_or(f64::INFINITY);
    eventually(SOON, || cib(&site) <= limit(&site).min(52.0) + 1e-9);
    eventually(SOON, || get(&site.bus, "/Apis/Mode") == 0x41);
    assert_eq!(get(&site.bus, "/Follow/Service"), SOURCE);
    // Clients of the web API are shown the configuration as ever.
    assert_eq!(site.bed.get("/dcdc/get").json()["param"]["cib"], 52);

    site.source.signal(Signal::KILL);
    eventually(LOSS, || get(&site.bus, "/Apis/Mode") == 0);
    assert!(get(&site.bus, "/Follow/Held").as_str().is_some_and(|why| why.contains("not on the bus")));
    assert_eq!(get(&site.bus, "/DeviceOffReason"), 0x44);
    let refused = site.bed.get("/remote/set?mode=0x0041");
    assert_eq!(refused.status, 400);
    assert!(refused.json()["err"].as_str().unwrap().starts_with("not allowed: "), "{refused:?}");
    assert_ne!(site.bus.set_value(CONVERTER, "/Apis/Mode", &["i", "2"]), Ok(0));
    // Stopping is always allowed.
    assert_eq!(site.bed.get("/remote/set?mode=0x0000").status, 200);
}

#[test]
fn a_bus_that_goes_away_stops_a_converter_whose_limits_come_from_it() {
    let mut site = start();
    eventually(SOON, || site.bed.get("/remote/set?mode=0x0002&dvg=350&dig=2&drg=0").status == 200);
    site.bus.stop();
    let mode = |bed: &Bed| bed.get("/dcdc/get").json()["status"]["status"].clone();
    assert_eq!(mode(&site.bed), "0x0002");
    eventually(LOSS, || mode(&site.bed) == "0x0000");
}

#[test]
fn a_converter_that_follows_is_left_waiting_when_the_process_is_asked_to_end() {
    // Less than half a second is left for it, which a busy machine may take away.
    one_of(3, || {
        let mut site = start();
        eventually(SOON, || site.bed.get("/remote/set?mode=0x0041&dvg=350&dig=2&drg=0").status == 200);
        site.bed.journal();
        let exit = site.bed.service.terminate();
        let commands = site.bed.commands();
        let was_stopped = exit == Exit::Code(0) && commands.iter().any(|name| name == "1-4");
        if was_stopped { Ok(()) } else { Err(format!("{exit:?} after {commands:?}")) }
    });
}

#[test]
fn an_alternator_obeys_dvcc_and_waits_when_dvcc_falls_silent() {
    let bus = PrivateBus::start();
    let mut bed = Bed::on_bus(&bus, &Site::default(), "class = \"alternator\"\n");
    let name = CONVERTER.replace("dcdc.", "alternator.");
    let at = |path: &str| bus.get_value(&name, path).unwrap_or_default();
    eventually(SOON, || at("/Connected") == 1);
    // Nobody has said anything: the web API has the say.
    assert_eq!(bed.get("/remote/set?mode=0x0041&dvg=350&dig=2&drg=0").status, 200);
    let tell = |path: &str, value: &[&str]| bus.set_value(&name, path, value).unwrap();
    assert_eq!(tell("/Link/NetworkMode", &["i", "13"]), 0);
    assert_eq!(tell("/Link/ChargeVoltage", &["d", "55.2"]), 0);
    assert_eq!(tell("/Link/ChargeCurrent", &["d", "12"]), 0);
    eventually(SOON, || at("/Apis/Battery/CurrentLimit").as_f64().is_some_and(|limit| limit <= 12.0));
    eventually(SOON, || at("/Apis/Battery/TargetVoltage").as_f64().is_some_and(|limit| limit <= 55.2));
    bed.journal();
    eventually(LOSS, || at("/Apis/Mode") == 0);
}
