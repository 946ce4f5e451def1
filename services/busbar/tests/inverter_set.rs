//! `busbar set` at an inverter: it says what became of it, and its exit code does too.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use serde_json::json;
use testbed::bed::SOON;
use testbed::inverters::{Inverters, Wired};
use testbed::{Exit, Process, Signal, eventually, executable};

const DEYE: Wired<'static> = Wired {
    profile: "deye-one-phase",
    scenario: "soc = 50",
    device: "control = \"on\"\nsystem = \"\"",
    is_tcp: false,
};

fn set(bed: &Inverters, arguments: &[&str]) -> Command {
    let mut command = bed.bus.command(executable("busbar"));
    command.arg("set").args(arguments);
    command
}

/// What a command that succeeds prints.
#[track_caller]
fn says(bed: &Inverters, arguments: &[&str]) -> String {
    let output = run(bed, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// What a command that fails says.
#[track_caller]
fn refuses(bed: &Inverters, arguments: &[&str]) -> String {
    let output = run(bed, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).expect("text")
}

#[track_caller]
fn run(bed: &Inverters, arguments: &[&str]) -> Output {
    set(bed, arguments).output().expect("it starts")
}

/// Waits until what can be set shows what the device has.
fn ready(bed: &Inverters) -> String {
    let unit = bed.name("multi", 0);
    eventually(SOON * 2, || bed.number(&unit, "/Control/ChargeCurrentLimit").is_finite());
    unit
}

#[test]
fn a_word_is_taken_for_its_number_and_a_wrong_one_is_told_those_that_the_device_has() {
    let bed = Inverters::start(&[DEYE]);
    let unit = ready(&bed);
    assert_eq!(
        says(&bed, &[&unit, "/Control/Mode", "sleep"]),
        format!("{unit} /Control/Mode now holds sleep\n")
    );
    assert_eq!(bed.get(&unit, "/Control/Mode"), json!(2));
    assert!(says(&bed, &[&unit, "/Control/Mode", "on"]).contains("now holds"));
    assert!(says(&bed, &[&unit, "/Control/GridChargeEnable", "off"]).ends_with("now holds off\n"));

    let wrong = refuses(&bed, &[&unit, "/Control/Mode", "sleepy"]);
    assert!(
        wrong.contains("\"sleepy\" is none of its words: own, self-consumption, sleep, off-grid, "),
        "{wrong}"
    );
    let numbered = refuses(&bed, &[&unit, "/Control/Mode", "99"]);
    assert!(numbered.contains("refused: this device has no such mode: 0 own, 1 self"), "{numbered}");
    let again = refuses(&bed, &[&unit, "/Control/Mode", "99"]);
    assert!(again.contains("this device has no such mode"), "the same reason twice: {again}");
}

#[test]
fn a_number_out_of_range_is_told_the_range() {
    let bed = Inverters::start(&[DEYE]);
    let unit = ready(&bed);
    let said = refuses(&bed, &[&unit, "/Control/ChargeCurrentLimit", "1000"]);
    assert!(said.contains("it takes 0 to 240"), "{said}");
    assert!(says(&bed, &[&unit, "/Control/ChargeCurrentLimit", "42"]).contains("now holds 42"));
    assert!(says(&bed, &[&unit, "/Control/ChargeCurrentLimit", "42"]).contains("now holds 42"));
}

#[test]
fn what_the_device_refuses_is_a_failure_with_its_reason() {
    let mut bed = Inverters::start(&[DEYE]);
    let unit = ready(&bed);
    let before = bed.number(&unit, "/Control/ChargeCurrentLimit");
    bed.command(0, "fault exception code=4");
    let said = refuses(&bed, &[&unit, "/Control/ChargeCurrentLimit", "33"]);
    assert!(said.contains("charge_current_limit: "), "{said}");
    assert_eq!(bed.number(&unit, "/Control/ChargeCurrentLimit"), before);
}

#[test]
fn what_is_set_at_a_system_is_answered_by_its_inverters() {
    let bed = Inverters::start(&[DEYE, DEYE]);
    ready(&bed);
    let system = "com.victronenergy.acsystem.modbus_system";
    let services = bed.services();
    let system = services.iter().find(|name| name.contains("acsystem")).map_or(system, String::as_str);
    eventually(SOON * 2, || bed.number(system, "/Control/ChargeCurrentLimit").is_finite());
    assert!(says(&bed, &[system, "/Control/ChargeCurrentLimit", "60"]).contains("now holds 60"));
    assert_eq!(bed.number(&bed.name("multi", 1), "/Control/ChargeCurrentLimit") as i32, 30);
}

#[test]
fn nothing_that_is_confirmed_in_time_is_a_failure_and_what_was_set_does_not_hang_on_the_command() {
    let mut bed = Inverters::start(&[DEYE]);
    let unit = ready(&bed);
    bed.simulator.signal(Signal::STOP);
    // Longer than a program stays on the bus that does not stand behind what it sets.
    let arguments = [unit.as_str(), "/Control/ChargeCurrentLimit", "33", "--wait", "9s"];
    let mut command = Process::spawn(&mut set(&bed, &arguments));
    command.wait_for_line("nothing has confirmed it", SOON * 2);
    assert_eq!(command.wait(SOON), Exit::Code(1));
    bed.simulator.signal(Signal::CONT);
    let lines = bed.service.lines();
    assert!(!lines.iter().any(|line| line.contains("lasts as long as its program")), "{lines:#?}");
}

#[test]
fn at_an_inverter_that_is_only_measured_the_key_is_named_that_would_let_it_be_set() {
    let bed = Inverters::start(&[Wired { device: "", ..DEYE }]);
    let unit = bed.name("multi", 0);
    eventually(SOON * 2, || bed.get(&unit, "/Connected") == json!(1));
    let said = refuses(&bed, &[&unit, "/Control/Mode", "sleep"]);
    assert!(said.contains("control = \"on\""), "{said}");
}
