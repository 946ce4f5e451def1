//! The manager is lost: killed, hanging, frozen, restarted. Real processes in real time.

use std::time::Duration;

use serde_json::{Value, json};
use system_tests::{MANAGER, SOON, Site, Watch, battery};
use testbed::{Process, Signal};

/// A member forgives its manager a silence of this time.
const RESTART: Duration = Duration::from_secs(10);
/// The members of a bank of several wait for it this long.
const LOST: Duration = Duration::from_secs(60);
/// How much later something may happen on a busy machine.
const LATE: Duration = Duration::from_secs(20);
/// Times on the tape are those of the bus, a moment before a service hears of it.
const A_MOMENT: Duration = Duration::from_millis(100);

/// A bank that works.
fn bank(members: usize, more: &str) -> (Site, Watch, Process, Vec<Process>) {
    let site = Site::start(members);
    let mut watch = Watch::on(&site.bus);
    let manager = site.manage(&(0..members).collect::<Vec<_>>());
    let services = (0..members).map(|number| site.serve(number, more)).collect();
    watch
        .until(SOON, |watch| (0..members).all(|number| watch.systemcalc.battery(&battery(number)).is_some()));
    watch.until(SOON, |watch| watch.bms() == Some(MANAGER));
    watch.while_the_manager_counts(2);
    (site, watch, manager, services)
}

/// Kills it, and returns when that was.
fn kill(manager: &mut Process, watch: &mut Watch) -> Duration {
    manager.signal(Signal::KILL);
    watch.until(SOON, |watch| watch.systemcalc.battery(MANAGER).is_none());
    watch.now()
}

fn shows_its_own_limits(watch: &Watch, number: usize) -> bool {
    ["MaxChargeVoltage", "MaxChargeCurrent", "MaxDischargeCurrent"].iter().all(|limit| {
        let shown = watch.shows(&battery(number), &format!("/Info/{limit}"));
        shown.as_f64().is_some_and(|v| v > 1.0)
            && shown == watch.shows(&battery(number), &format!("/Bms/{limit}"))
    })
}

fn allows_nothing(watch: &Watch, number: usize) -> bool {
    let info = |limit| watch.shows(&battery(number), &format!("/Info/{limit}"));
    let voltage = watch.shows(&battery(number), "/Dc/0/Voltage").as_f64();
    info("MaxChargeCurrent") == json!(0.0)
        && info("MaxDischargeCurrent") == json!(0.0)
        && info("MaxChargeVoltage").as_f64().zip(voltage).is_some_and(|(cvl, v)| (cvl - v).abs() < 1.0)
}

#[test]
fn a_single_member_of_a_killed_manager_speaks_for_itself_after_ten_seconds() {
    let (_site, mut watch, mut manager, _members) = bank(1, "");
    kill(&mut manager, &mut watch);
    let counted = watch.counted_at();
    watch.until(RESTART + LATE, |watch| shows_its_own_limits(watch, 0));
    let after = watch.now() - counted;
    assert!(after > RESTART - A_MOMENT, "already after {after:?}");
    assert_eq!((watch.bms(), watch.monitor()), (Some(&*battery(0)), Some(&*battery(0))));
    assert_eq!(watch.shows(&battery(0), "/Alarms/ParallelBmsLost"), json!(0));
    watch.was_always_right();
}

#[test]
fn a_single_member_of_a_hanging_manager_waits_until_the_watchdog_has_ended_it() {
    let (_site, mut watch, mut manager, _members) = bank(1, "");
    manager.write_line("hang");
    let start = watch.now();
    // Ten seconds and a little after its last decision: battery data go on, and nobody speaks yet.
    watch.until(2 * SOON, |watch| watch.now() - start > RESTART + Duration::from_millis(1200));
    kill(&mut manager, &mut watch);
    watch.until(SOON, |watch| shows_its_own_limits(watch, 0));
    assert!(!watch.systemcalc.multiple_batteries());
    watch.was_always_right();
}

#[test]
fn a_single_member_of_a_frozen_manager_speaks_up_beside_it_so_that_an_alarm_tells_of_it() {
    let (_site, mut watch, mut manager, _members) = bank(1, "");
    manager.signal(Signal::STOP);
    let start = watch.now();
    watch.until(SOON, |watch| shows_its_own_limits(watch, 0));
    assert!(watch.now() - start > RESTART + Duration::from_secs(2), "{:?}", watch.now() - start);
    // The limits that nobody stands behind stay on the bus: no member can take them away.
    assert_eq!(watch.bms(), Some(MANAGER));
    assert!(watch.systemcalc.multiple_batteries());
    // It goes on as if nothing had been, and the member gives way again.
    manager.signal(Signal::CONT);
    watch.until(SOON, |watch| !watch.systemcalc.multiple_batteries());
    assert_eq!(watch.bms(), Some(MANAGER));
}

#[test]
fn a_manager_that_is_back_within_ten_seconds_was_never_away() {
    let (site, mut watch, mut manager, _members) = bank(2, "");
    let start = kill(&mut manager, &mut watch);
    // The rest of the ten seconds is for a busy machine.
    watch.until(SOON, |watch| watch.now() - start > Duration::from_secs(3));
    let _manager = site.manage(&[0, 1]);
    watch.until(SOON, |watch| watch.bms() == Some(MANAGER));
    assert!(watch.longest_without_bms() < RESTART, "{:?}", watch.longest_without_bms());
    watch.while_the_manager_counts(6);
    let spoke = watch.heard().iter().any(|heard| {
        let items = match &heard.what {
            system_tests::What::Appeared(items) | system_tests::What::Changed(items) => items,
            system_tests::What::Gone => return false,
        };
        heard.service != MANAGER && items.keys().any(|path| path.starts_with("/Info/"))
    });
    assert!(!spoke, "a member has shown limits");
    watch.was_always_right();
}

#[test]
fn of_several_none_speaks_for_a_minute_and_then_all_allow_nothing_until_the_manager_is_back() {
    let (site, mut watch, mut manager, _members) = bank(2, "");
    let gone = kill(&mut manager, &mut watch);
    let counted = watch.counted_at();
    watch.until(LOST + LATE, |watch| allows_nothing(watch, 0) && allows_nothing(watch, 1));
    let after = watch.now() - counted;
    assert!(after > LOST - A_MOMENT, "already after {after:?}");
    let spoke = gone + watch.longest_without_bms();
    assert!(spoke - counted > LOST - A_MOMENT, "one of them spoke before");
    for number in [0, 1] {
        assert_eq!(watch.shows(&battery(number), "/Alarms/ParallelBmsLost"), json!(2));
        assert!(watch.shows(&battery(number), "/Bms/MaxChargeCurrent").as_f64() > Some(1.0));
    }
    assert!(watch.systemcalc.multiple_batteries());

    let _manager = site.manage(&[0, 1]);
    watch.until(SOON, |watch| watch.bms() == Some(MANAGER));
    for number in [0, 1] {
        assert_eq!(watch.shows(&battery(number), "/Info/MaxChargeVoltage"), Value::Null);
        assert_eq!(watch.shows(&battery(number), "/Alarms/ParallelBmsLost"), json!(0));
    }
    watch.was_always_right();
}

#[test]
fn one_of_several_that_is_started_again_meanwhile_has_not_forgotten_the_bank() {
    let (site, mut watch, mut manager, mut members) = bank(2, "");
    kill(&mut manager, &mut watch);
    let mut member = members.remove(0);
    member.signal(Signal::KILL);
    watch.until(SOON, |watch| watch.systemcalc.battery(&battery(0)).is_none());
    let _member = site.serve(0, "");
    watch.until(SOON, |watch| watch.systemcalc.battery(&battery(0)).is_some());
    let start = watch.now();
    assert_eq!(watch.shows(&battery(0), "/Info/MaxChargeVoltage"), Value::Null);
    assert!(!shows_its_own_limits(&watch, 0));
    watch.until(LOST + LATE, |watch| allows_nothing(watch, 0));
    assert!(watch.now() - start > LOST - SOON, "the other member's minute is not this one's");
    watch.was_always_right();
}

#[test]
fn batteries_that_shall_stand_alone_do_so_ten_seconds_after_the_manager() {
    let (_site, mut watch, mut manager, _members) = bank(2, "standalone = true");
    watch.standalone = true;
    kill(&mut manager, &mut watch);
    let counted = watch.counted_at();
    watch.until(RESTART + LATE, |watch| shows_its_own_limits(watch, 0) && shows_its_own_limits(watch, 1));
    let after = watch.now() - counted;
    assert!(after > RESTART - A_MOMENT, "already after {after:?}");
    assert_eq!(watch.bms(), Some(&*battery(0)));
    watch.was_always_right();
}
