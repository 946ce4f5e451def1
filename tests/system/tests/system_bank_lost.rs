//! The real manager is killed, hangs, or stays away, while an island inverter feeds a house of 80 A.

use std::process::Command;
use std::time::Duration;

use serde_json::json;
use system_tests::{BANK, ISLAND, MANAGER, SOON, Site, Watch, battery, island, lowest_discharge_a};
use testbed::{Exit, Process, Signal, eventually, one_of};

/// What the house takes, A.
const HOUSE_A: f64 = 80.0;
const RESTART: Duration = Duration::from_secs(10);
const LOST: Duration = Duration::from_secs(60);
/// How much later something may happen on a busy machine.
const LATE: Duration = Duration::from_secs(20);
/// Times on the tape are those of the bus, a moment before a service hears of it.
const A_MOMENT: Duration = Duration::from_millis(100);

struct Bed {
    site: Site,
    watch: Watch,
    manager: Process,
    island: Process,
    _members: Vec<Process>,
}

/// A bank that works, and an inverter that draws 80 A of it: the simulated batteries share them.
fn bed(members: usize, more: &str) -> Bed {
    let mut site = Site::start(members);
    let mut watch = Watch::on(&site.bus);
    site.simulator.write_line(&format!("current {}", -HOUSE_A / members as f64));
    let services = (0..members).map(|number| site.serve(number, more)).collect();
    let island = island(&site.bus, HOUSE_A);
    let manager = site.run_manager();
    watch.until(BANK, |watch| watch.shows(MANAGER, "/Bank/State") == json!("bulk"));
    watch.until(SOON, |watch| {
        watch.shows(MANAGER, "/Share/0/Service") == json!(ISLAND)
            && watch.shows(MANAGER, "/Share/0/MaxDischargeCurrent").as_f64() > Some(HOUSE_A)
    });
    watch.while_the_manager_counts(2);
    Bed { site, watch, manager, island, _members: services }
}

fn is_gone(watch: &Watch) -> bool {
    watch.systemcalc.battery(MANAGER).is_none()
}

fn count(island: &Process) -> usize {
    island.lines().len()
}

/// The lowest that the inverter was allowed since a line.
fn lowest_since(island: &Process, from: usize) -> Option<f64> {
    let lines = island.lines();
    let before = lines.get(..from).unwrap_or_default().last().cloned();
    let since: Vec<String> = before.into_iter().chain(lines.iter().skip(from).cloned()).collect();
    lowest_discharge_a(&since)
}

fn allows_nothing(watch: &Watch, number: usize) -> bool {
    let info = |limit| watch.shows(&battery(number), &format!("/Info/{limit}"));
    info("MaxChargeCurrent") == json!(0.0) && info("MaxDischargeCurrent") == json!(0.0)
}

#[test]
fn kill_9_and_a_restart_never_interrupt_80_a() {
    let mut bed = bed(3, "");
    let from = count(&bed.island);
    for _ in 0..2 {
        bed.manager.signal(Signal::KILL);
        bed.watch.until(SOON, is_gone);
        let gone = bed.watch.now();
        bed.manager = bed.site.run_manager();
        bed.watch.until(SOON, |watch| watch.shows(MANAGER, "/Share/0/MaxDischargeCurrent").is_f64());
        println!("the bank is back {:?} after it was killed", bed.watch.now() - gone);
        // It goes on where it was: no new start, its members in its first sight, its limits on /Info.
        assert_eq!(bed.watch.shows(MANAGER, "/Bank/State"), json!("bulk"));
        assert_eq!(bed.watch.shows(MANAGER, "/Members").as_array().map(Vec::len), Some(3));
        bed.watch.until(SOON, |watch| watch.bms() == Some(MANAGER));
        assert!(bed.watch.now() - gone < RESTART);
        bed.watch.while_the_manager_counts(12);
    }
    let lowest_a = lowest_since(&bed.island, from);
    assert!(
        lowest_a > Some(HOUSE_A),
        "the inverter was allowed {lowest_a:?} A:\n{}",
        bed.island.lines().join("\n")
    );
    for number in 0..3 {
        assert!(!bed.watch.systemcalc.battery(&battery(number)).expect("a member").is_bms());
    }
    bed.watch.was_always_right();
}

#[test]
fn a_work_loop_that_hangs_is_ended_by_its_watchdog_soon_enough_for_the_next_one_to_interrupt_nothing() {
    // Four seconds are left to the next one, which a busy machine may take away.
    one_of(3, || {
        let mut bed = bed(2, "");
        let from = count(&bed.island);
        // A RAM disk that does not answer: nobody ever reads what it is to write there.
        let fifo = bed.site.volatile().join("memory.json.new");
        let made = Command::new("mkfifo").arg(&fifo).status().expect("mkfifo");
        assert!(made.success());
        let start = bed.watch.now();
        bed.manager.wait_for_line("the work loop has not come by for ", SOON);
        assert_eq!(bed.manager.wait(SOON), Exit::Code(1));
        std::fs::remove_file(&fifo).expect("removed");
        bed.manager = bed.site.run_manager();
        bed.watch.until(SOON, is_gone);
        println!("ended by its watchdog {:?} after the disk ceased to answer", bed.watch.now() - start);
        bed.watch.until(BANK, |watch| watch.bms() == Some(MANAGER));
        bed.watch.while_the_manager_counts(12);
        let lowest_a = lowest_since(&bed.island, from);
        if lowest_a <= Some(HOUSE_A) {
            let lines = bed.island.lines().join("\n");
            return Err(format!("the inverter was allowed {lowest_a:?} A:\n{lines}"));
        }
        bed.watch.was_always_right();
        Ok(())
    });
}

#[test]
fn a_frozen_manager_leads_the_inverter_to_0_a_and_goes_on_when_it_thaws() {
    let mut bed = bed(1, "");
    bed.manager.signal(Signal::STOP);
    bed.island.wait_for_line("discharge 0 Zero", RESTART + LATE);
    bed.manager.signal(Signal::CONT);
    // Discharge comes back in one step: an inverter that feeds a house dies without it.
    let back = bed.island.wait_for_line("discharge: as", SOON);
    assert!(lowest_discharge_a(&[back]).expect("a limit") > HOUSE_A);
}

#[test]
fn a_manager_of_one_that_is_lost_for_good_leaves_its_member_to_speak_for_itself() {
    let mut bed = bed(1, "");
    bed.manager.signal(Signal::KILL);
    bed.watch.until(SOON, is_gone);
    let counted = bed.watch.counted_at();
    let own = |watch: &Watch| watch.shows(&battery(0), "/Info/MaxDischargeCurrent").as_f64() > Some(HOUSE_A);
    bed.watch.until(RESTART + LATE, own);
    let after = bed.watch.now() - counted;
    assert!(after > RESTART - A_MOMENT, "already after {after:?}");
    assert_eq!(bed.watch.bms(), Some(&*battery(0)));
    // Who follows the manager never follows anybody else by itself.
    bed.island.wait_for_line("discharge 0 Zero", SOON);
    bed.watch.was_always_right();
}

#[test]
fn a_manager_of_three_that_is_lost_for_good_leaves_nobody_to_speak_and_after_a_minute_0_a_until_it_is_back() {
    let mut bed = bed(3, "");
    bed.manager.signal(Signal::KILL);
    bed.watch.until(SOON, is_gone);
    let (gone, counted) = (bed.watch.now(), bed.watch.counted_at());
    bed.watch.until(LOST + LATE, |watch| (0..3).all(|number| allows_nothing(watch, number)));
    let after = bed.watch.now() - counted;
    assert!(after > LOST - A_MOMENT, "already after {after:?}");
    let spoke = gone + bed.watch.longest_without_bms();
    assert!(spoke - counted > LOST - A_MOMENT, "one of them spoke before");
    for number in 0..3 {
        assert_eq!(bed.watch.shows(&battery(number), "/Alarms/ParallelBmsLost"), json!(2));
    }
    assert_eq!(lowest_discharge_a(&bed.island.lines()), Some(0.0));
    bed.manager = bed.site.run_manager();
    bed.watch.until(BANK, |watch| watch.bms() == Some(MANAGER));
    eventually(BANK, || bed.island.lines().last().is_some_and(|line| !line.starts_with("discharge 0 ")));
    bed.watch.until(SOON, |watch| {
        (0..3).all(|number| watch.shows(&battery(number), "/Alarms/ParallelBmsLost") == json!(0))
    });
    bed.watch.was_always_right();
}
