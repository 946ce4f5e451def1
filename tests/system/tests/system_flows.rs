//! Nothing is counted twice and nothing forgotten: what systemcalc makes of each kind of device, by the model of it.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::json;
use system_tests::SOON;
use system_tests::flows::{Flows, Lines, Services, dvcc_writes, flows, total};
use testbed::eventually;
use testbed::inverters::{Inverters, Wired};

/// The grid at the first input, a generator at the second.
const AC_INPUTS: [i64; 2] = [1, 2];

fn hybrid(device: &str) -> Wired<'_> {
    Wired { profile: "deye-one-phase", scenario: "soc = 50", device, is_tcp: false }
}

/// It gives 2000 W.
fn pv(device: &str) -> Wired<'_> {
    let scenario = "sun_w = 2071.4\nload_w = 2000\nsoc = 100";
    Wired { profile: "sunspec-inverter", scenario, device, is_tcp: false }
}

/// Lets a simulated Deye show these, W: PV, from the grid, to the loads, into the battery.
#[track_caller]
fn shows(bed: &mut Inverters, device: usize, [pv, input, output, battery]: [i16; 4]) {
    let second = pv / 2;
    for (addresses, watts) in [
        (&[186][..], pv - second),
        (&[187], second),
        (&[167, 169], input),
        // What leaves the load terminals is what the inverter and the grid terminals bring.
        (&[173, 175], output - input),
        (&[176, 178], output),
        (&[190], -battery),
    ] {
        for address in addresses {
            let raw = u16::from_ne_bytes(watts.to_ne_bytes());
            bed.command(device, &format!("register holding {address} {raw}"));
        }
    }
}

fn services(bed: &Inverters) -> Services {
    let others = ["com.victronenergy.settings"];
    let names = bed.services().into_iter().filter(|name| !others.contains(&name.as_str()));
    names.map(|name| (name.clone(), bed.items(&name))).collect()
}

fn is_about(shown: Option<f64>, watts: f64) -> bool {
    shown.is_some_and(|shown| (shown - watts).abs() <= 2.0)
}

/// Waits until systemcalc would show what is expected.
#[track_caller]
fn comes_to(bed: &Inverters, is_right: impl Fn(&Flows) -> bool) -> Flows {
    let mut seen = Flows::default();
    eventually(SOON * 3, || {
        seen = flows(&services(bed), AC_INPUTS);
        println!("{seen:?}");
        is_right(&seen)
    });
    seen
}

/// Grid import 1000 W, PV 2000 W, load 1500 W, charge 1500 W.
fn has_the_four(flows: &Flows, pv: fn(&Flows) -> Option<f64>) -> bool {
    is_about(total(flows.grid), 1_000.0)
        && is_about(pv(flows), 2_000.0)
        && is_about(total(flows.consumption), 1_500.0)
        && is_about(flows.inverter_charger, 1_500.0)
}

#[test]
fn a_hybrid_as_a_pair_shows_the_four_numbers() {
    let mut bed = Inverters::start(&[hybrid("")]);
    shows(&mut bed, 0, [2_000, 1_000, 1_500, 1_500]);
    let seen = comes_to(&bed, |flows| has_the_four(flows, |flows| flows.pv_dc));
    // A Deye has a port for a generator, which is the system's too.
    let system = bed.name("acsystem", 0);
    assert_eq!(seen.inputs, [(system.clone(), 1), (system, 2)]);
    assert_eq!((total(seen.pv_on_grid), total(seen.generator)), (None, None));
}

#[test]
fn a_solar_inverter_at_the_input_of_a_hybrid_is_what_the_grid_need_not_give() {
    let mut bed = Inverters::start(&[hybrid(""), pv("position = 0")]);
    shows(&mut bed, 0, [0, 3_000, 1_500, 1_500]);
    comes_to(&bed, |flows| has_the_four(flows, |flows| total(flows.pv_on_grid)));
}

#[test]
fn a_solar_inverter_at_the_output_of_a_hybrid_feeds_the_loads_there() {
    let mut bed = Inverters::start(&[hybrid(""), pv("position = 1")]);
    shows(&mut bed, 0, [0, 1_000, -500, 1_500]);
    comes_to(&bed, |flows| has_the_four(flows, |flows| total(flows.pv_on_output)));
}

#[test]
fn a_solar_inverter_at_the_second_input_is_nothing_to_the_grid() {
    let mut bed = Inverters::start(&[hybrid(""), pv("position = 2")]);
    shows(&mut bed, 0, [2_000, 1_000, 1_500, 1_500]);
    let seen = comes_to(&bed, |flows| {
        has_the_four(flows, |flows| flows.pv_dc) && is_about(total(flows.pv_on_generator), 2_000.0)
    });
    assert_eq!(total(seen.pv_on_grid), None);
}

#[test]
fn a_meter_of_the_house_takes_the_place_of_the_input_and_finds_the_loads_beside_the_hybrid() {
    let meter = Wired { profile: "sunspec-meter", scenario: "phases = 1", ..Wired::default() };
    let mut bed = Inverters::start(&[hybrid(""), meter]);
    shows(&mut bed, 0, [2_000, 400, 900, 1_500]);
    // W and WphA of model 201, behind the common model.
    for address in [40_088, 40_089] {
        bed.command(1, &format!("register holding {address} 1000"));
    }
    let seen = comes_to(&bed, |flows| has_the_four(flows, |flows| flows.pv_dc));
    assert!(is_about(total(seen.consumption_on_input), 600.0), "{seen:?}");
    assert_eq!(seen.inputs.first(), Some(&(bed.name("grid", 1), 1)), "the meter is the grid");
}

#[test]
fn the_meter_of_a_hybrid_is_the_grid_and_not_a_second_one() {
    let mut bed = Inverters::start(&[hybrid("publish_grid = true")]);
    shows(&mut bed, 0, [2_000, 1_000, 1_500, 1_500]);
    bed.command(0, "set house_w=0");
    let grid = bed.name("grid", 0);
    eventually(SOON, || bed.number(&grid, "/Ac/Power").is_finite());
    let seen = comes_to(&bed, |flows| is_about(flows.pv_dc, 2_000.0) && total(flows.grid).is_some());
    let metered: Lines = [Some(bed.number(&grid, "/Ac/L1/Power")), None, None];
    assert!(is_about(total(seen.grid), total(metered).unwrap_or_default()), "{seen:?}");
    assert_eq!(seen.inputs.first(), Some(&(grid, 1)));
}

#[test]
fn two_hybrids_as_one_system_show_the_four_numbers_together() {
    let mut bed = Inverters::start(&[hybrid(""), hybrid("")]);
    for device in [0, 1] {
        shows(&mut bed, device, [1_000, 500, 750, 750]);
    }
    let seen = comes_to(&bed, |flows| has_the_four(flows, |flows| flows.pv_dc));
    let system = bed.name("acsystem", 0);
    assert_eq!(seen.inputs, [(system.clone(), 1), (system.clone(), 2)]);
    for (path, watts) in [("/Ac/In/1/P", 1_000.0), ("/Ac/Out/P", 1_500.0), ("/Dc/0/Power", 1_500.0)] {
        eventually(SOON, || is_about(bed.get(&system, path).as_f64(), watts));
    }
}

#[test]
fn dvcc_writes_to_none_that_is_not_lent_to_it() {
    let bed = Inverters::start(&[hybrid("control = \"on\""), hybrid(""), pv("position = 1")]);
    assert_eq!(dvcc_writes(&services(&bed), 100.0, 100.0), []);
}

#[test]
fn what_dvcc_writes_to_one_that_is_lent_to_it_is_what_flows() {
    let lent = Wired {
        profile: "deye-one-phase",
        scenario: "sun_w = 6000\nload_w = 0\nsoc = 50",
        device: "dvcc = true\nmax_charge_current_a = 100",
        is_tcp: false,
    };
    let mut bed = Inverters::start(&[lent, hybrid("")]);
    let unit = bed.name("multi", 0);
    eventually(SOON * 3, || {
        let writes = dvcc_writes(&services(&bed), 24.0, 60.0);
        assert!(writes.iter().all(|(service, ..)| *service == unit), "{writes:?}");
        assert_eq!(writes.len(), 2, "{writes:?}");
        for (service, path, value) in writes {
            assert_eq!(bed.bus.set_value(&service, &path, &["d", &value.to_string()]), Ok(0), "{path}");
        }
        let status = bed.command(0, "status");
        let amps = status.split_whitespace().find_map(|word| word.strip_prefix("battery_a="));
        let amps: f64 = amps.and_then(|amps| amps.parse().ok()).expect("a current");
        (amps - 24.0).abs() < 1.0
    });
    assert_eq!(bed.get(&unit, "/Link/ChargeCurrent"), json!(24.0));
}
