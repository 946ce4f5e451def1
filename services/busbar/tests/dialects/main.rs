//! Every dialect from the simulator through the real service onto a bus: what arrives, how it is recognised, and what a
//! wrong choice or a battery with odd habits comes to.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod bench;
mod says;

use bench::{Bench, EACH};
use says::{DIALECTS, Dialect};
use serde_json::json;
use testbed::bed::SOON;
use testbed::eventually;

fn named(names: &[&str]) -> impl Iterator<Item = &'static Dialect> {
    DIALECTS.iter().filter(move |dialect| names.contains(&dialect.name))
}

#[test]
fn what_a_battery_says_in_its_dialect_is_what_the_bus_shows_and_nothing_else() {
    let mut bench = Bench::start(DIALECTS.iter(), |dialect| dialect.name);
    bench.all_become(EACH, Bench::differences);
    bench.tell(&["alarm high_voltage on", "warning low_temperature on"]);
    bench.expect_alarms(&[("HighVoltage", 2), ("LowTemperature", 1), ("LowVoltage", 0)]);
    bench.tell(&["alarm high_voltage off", "warning low_temperature off"]);
    bench.expect_alarms(&[("HighVoltage", 0), ("LowTemperature", 0)]);
    let lines = bench.services.iter().flat_map(|service| service.lines());
    let complaints: Vec<String> =
        lines.filter(|line| line.contains("not believed") || line.contains("does not fit")).collect();
    assert_eq!(complaints, [""; 0]);
}

#[test]
fn a_dialect_that_is_left_open_is_recognised_and_read_as_if_it_had_been_chosen() {
    let mut bench = Bench::start(DIALECTS.iter(), |_| "auto");
    bench.all_become(EACH, |bench, number| {
        let (shown, expected) = (bench.get(number, "/Bms/Protocol"), bench.dialects[number].recognised);
        if shown == json!(expected) {
            bench.differences(number)
        } else {
            Some(format!("recognised as {shown}"))
        }
    });
}

#[test]
fn a_wrong_choice_is_noticed_and_explained() {
    let mut bench = Bench::start(DIALECTS.iter(), |dialect| dialect.wrong);
    for (service, dialect) in bench.services.iter_mut().zip(&bench.dialects) {
        service.wait_for_line("the port is open", SOON);
        let line = service.wait_for_line("does not fit", SOON);
        let (wrong, right) = (dialect.wrong, dialect.recognised);
        assert!(line.contains(&format!("protocol = \"{wrong}\" does not fit: ")), "{line}");
        assert!(line.contains(&format!("set protocol = \"{right}\"")), "{line}");
    }
    // What reads nothing of a battery does not show one either.
    bench.all_become(EACH, |bench, number| {
        let status = bench.get(number, "/Bms/Status");
        let is_explained = status.as_str().is_some_and(|status| status.contains("does not fit: "));
        let reads_nothing = ["pytes_native", "growatt_lv"].contains(&bench.dialects[number].name);
        (!(is_explained || reads_nothing && status.is_null())).then(|| status.to_string())
    });
}

#[test]
fn an_alarm_that_is_told_once_stays_until_its_end_is_told() {
    let mut bench = Bench::start(DIALECTS.iter().filter(|dialect| dialect.has_pairs), |dialect| dialect.name);
    bench.expect_alarms(&[("HighVoltage", 0)]);
    bench.tell(&["fault latched_pairs", "alarm high_voltage on"]);
    bench.expect_alarms(&[("HighVoltage", 2)]);
    // Several frames of 00 later, and with a change elsewhere.
    bench.let_pass(1);
    bench.tell(&["warning low_voltage on"]);
    bench.expect_alarms(&[("HighVoltage", 2), ("LowVoltage", 1)]);
    bench.tell(&["alarm high_voltage off"]);
    bench.expect_alarms(&[("HighVoltage", 0), ("LowVoltage", 1)]);
}

#[test]
fn odd_habits_of_makers_cost_no_value_and_put_none_where_it_does_not_belong() {
    let mut bench =
        Bench::start(named(&["pylontech_lv", "victron", "sol_ark", "ecoworthy_ext"]), |dialect| {
            dialect.recognised
        });
    bench.all_become(SOON, Bench::differences);
    bench.tell(&["fault wrong_scale", "current -11"]);
    bench.all_become(SOON, |bench, number| {
        let (volts, amps) = (bench.get(number, "/Dc/0/Voltage"), bench.get(number, "/Dc/0/Current"));
        // The current comes in the same frame as the voltage.
        let is_right = amps == json!(-11.0) && volts.as_f64().is_some_and(|v| (50.0..54.0).contains(&v));
        (!is_right).then(|| format!("{volts} V, {amps} A"))
    });
    bench.tell(&["fault clear"]);

    // Victron has a name there, Eco-Worthy cells, the other two nothing.
    for name in ["pylontech_lv", "ecoworthy_ext"] {
        let number = bench.number(name);
        bench.simulator.write_line(&format!("{number}: fault name_in_370"));
        eventually(SOON, || bench.get(number, "/ProductName") == json!("BATT-48V-280"));
    }
    let (pylontech, victron) = (bench.number("pylontech_lv"), bench.number("victron"));
    assert!(bench.get(pylontech, "/System/MinCellVoltage").is_null());
    bench.tell(&["fault clear", "fault cells_in_370"]);
    eventually(SOON, || bench.get(pylontech, "/System/MinCellVoltage").as_f64().is_some_and(|v| v > 3.0));
    bench.services[victron]
        .wait_for_line("(model_part_1) is not believed: it should be text and is not", SOON);
    assert_eq!(bench.get(victron, "/ProductName"), json!("BATT-48V-280"));

    bench.tell(&["fault kelvin"]);
    for service in &mut bench.services {
        service.wait_for_line("is not believed: temperature 29", SOON);
    }
}

#[test]
fn a_battery_that_is_set_to_another_dialect_is_read_anew_or_explained() {
    let mut bench = Bench::start(named(&["byd_lv", "pytes"]), |dialect| match dialect.name {
        "byd_lv" => "auto",
        chosen => chosen,
    });
    bench.all_become(SOON, Bench::differences);
    bench.tell(&["dialect pylontech_lv"]);
    let (open, chosen) = (bench.number("byd_lv"), bench.number("pytes"));
    eventually(SOON, || bench.get(open, "/Bms/Protocol") == json!("pylontech_lv"));
    bench.services[chosen].wait_for_line("set protocol = \"pylontech_lv\"", SOON);
    eventually(SOON, || {
        bench.get(chosen, "/Bms/Status").as_str().is_some_and(|status| status.contains("does not fit"))
    });
}
