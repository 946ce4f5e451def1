//! Clients that write more than anybody can want.

use std::time::Duration;

use serde_json::json;
use testbed::{Exit, Signal, eventually, eventually_some, one_of};
use tokio::time::Instant;

use crate::rig::{ITEM, NAME, Rig, SOON};

/// More than a connection holds back for its reader.
const MANY: usize = 150;
/// Much less than one unanswered question to the bus costs.
const AT_ONCE: Duration = Duration::from_secs(3);

/// Writes, without waiting for answers, that wait for the service when it goes on.
fn flood(rig: &Rig, path: &str) {
    let bus = format!("--bus={}", rig.bus.address());
    for n in 0..MANY {
        let mut send = rig.bus.command("dbus-send");
        send.args([&bus, "--type=method_call", &format!("--dest={NAME}"), path]);
        send.args([format!("{ITEM}.SetValue"), format!("variant:int32:{}", 10 + n)]);
        assert!(send.status().unwrap().success());
    }
}

#[test]
fn many_writes_of_which_the_writer_matters_hold_up_nobody_and_are_one_line_in_the_log() {
    one_of(3, || {
        let mut rig = Rig::start();
        rig.add("System/SecurityProfile", ["i", "3"], &[]);
        rig.process.signal(Signal::STOP);
        flood(&rig, "/Settings/System/SecurityProfile");
        rig.process.signal(Signal::CONT);
        let begun = Instant::now();
        assert_eq!(rig.get("/Settings/System/SecurityProfile"), json!(3));
        let took = begun.elapsed();
        let told = || rig.process.lines().iter().filter(|line| line.contains("only venus-platform")).count();
        eventually(SOON, || told() >= 1);
        assert_eq!(told(), 1, "{:?}", rig.process.lines());
        if took < AT_ONCE { Ok(()) } else { Err(format!("{took:?}")) }
    });
}

#[test]
fn the_end_comes_at_once_with_all_changes_whatever_still_waits() {
    one_of(3, || {
        let mut rig = Rig::start();
        rig.add("A", ["i", "5"], &[]);
        rig.add("System/SecurityProfile", ["i", "3"], &[]);
        assert_eq!(rig.set("/Settings/A", ["i", "6"]), 0);
        rig.process.signal(Signal::STOP);
        flood(&rig, "/Settings/System/SecurityProfile");
        rig.process.signal(Signal::TERM);
        let begun = Instant::now();
        rig.process.signal(Signal::CONT);
        assert_eq!(rig.process.wait(SOON), Exit::Code(0));
        let took = begun.elapsed();
        assert!(rig.text().contains(">6</A>"), "{}", rig.text());
        if took < AT_ONCE { Ok(()) } else { Err(format!("{took:?}")) }
    });
}

#[test]
fn writes_of_one_client_keep_their_order() {
    let mut rig = Rig::start();
    rig.add("A", ["i", "5"], &[]);
    rig.process.signal(Signal::STOP);
    flood(&rig, "/Settings/A");
    rig.process.signal(Signal::CONT);
    eventually(SOON, || rig.get("/Settings/A") == json!(10 + MANY - 1));
    // What the process has written to its log arrives here a little later.
    let told = eventually_some(SOON, || {
        let lines = rig.process.lines().into_iter();
        let told: Vec<String> = lines.filter(|line| line.contains("/Settings/A changed")).collect();
        (told.len() >= MANY).then_some(told)
    });
    assert_eq!(told.len(), MANY);
    for (n, line) in told.iter().enumerate() {
        assert!(line.contains(&format!("to {}", 10 + n)), "{n}: {line}");
    }
}
