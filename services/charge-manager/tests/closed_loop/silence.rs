//! Batteries that say nothing, and clocks that say anything.

use std::time::Duration;

use charge_manager::{Alarm, Level, State};
use simulator::charger::ChargerSpec;
use simulator::plant::sensors::Noise;

use crate::packs;
use crate::rig::{Device, Rig, simple};

#[test]
fn s15_a_silent_member_stops_the_bank_after_ten_seconds_and_ten_after_it_speaks_it_comes_back() {
    let bank = packs::bank(vec![packs::healthy(0.5), packs::healthy(0.5)], Noise::NONE);
    let mut rig = Rig::new(bank, vec![Device::follower(ChargerSpec::PYLONTECH, 200.0)]);
    rig.run(300.0);
    let before_a = rig.ccl();
    let last = Duration::from_secs_f64(rig.now_s);
    rig.tamper = Some(Box::new(move |_, batteries| batteries[1].at = last));
    rig.run(10.0);
    assert!(rig.ccl() > 0.0 && rig.ccl() <= before_a, "obeyed, and nothing raised");
    rig.run(3.0);
    assert_eq!((rig.ccl(), rig.dcl()), (0.0, 0.0));
    assert_eq!(rig.charge_reason(), "zero-data");
    assert!(rig.decision().alarms.get(Alarm::BmsCable) >= Level::Warning);
    assert!(rig.decision().notes.iter().any(|note| note.to_string().contains("B2 is silent")));
    rig.run(30.0);
    assert_eq!(rig.decision().alarms.get(Alarm::BmsCable), Level::Alarm);
    assert!(rig.bank.current_a().abs() < 0.1, "{}", rig.bank.current_a());
    rig.tamper = None;
    rig.run(1.0);
    assert!(rig.dcl() > 300.0, "an island lives at once: {}", rig.dcl());
    let back_s = rig.run_until(60.0, |rig| rig.ccl() > 0.0).unwrap();
    assert!((9.0..=20.0).contains(&back_s), "{back_s}");
    assert!(rig.ccl() < 0.05 * before_a, "slewed: {}", rig.ccl());
    rig.run(300.0);
    assert!(rig.ccl() > 0.95 * before_a);
}

#[test]
fn s15_where_the_user_wants_it_so_the_others_go_on_without_a_silent_member() {
    let bank = packs::bank(vec![packs::healthy(0.5), packs::healthy(0.5)], Noise::NONE);
    let mut rig = Rig::new(bank, vec![Device::follower(ChargerSpec::PYLONTECH, 200.0)]);
    let exclude = charge_manager::settings::LostMember::Exclude;
    rig.settings = rig.settings.planned(|plan| plan.silent_member = exclude).unwrap();
    rig.run(300.0);
    let last = Duration::from_secs_f64(rig.now_s);
    rig.tamper = Some(Box::new(move |_, batteries| batteries[1].at = last));
    rig.run(60.0);
    assert!(rig.ccl() > 0.0 && rig.ccl() <= 140.0, "{}", rig.ccl());
}

#[test]
fn data_that_are_a_few_seconds_late_raise_nothing_and_stop_nothing() {
    let mut rig = simple(packs::healthy(0.5), ChargerSpec::PYLONTECH, 100.0);
    rig.warm_up();
    let before_a = rig.ccl();
    let mut last = Duration::from_secs_f64(rig.now_s);
    rig.tamper = Some(Box::new(move |now_s, batteries| {
        // One sample each 9 s.
        if now_s - last.as_secs_f64() >= 9.0 {
            last = Duration::from_secs_f64(now_s);
        }
        batteries[0].at = last;
        batteries[0].limits.charge_current_a = Some(if now_s % 60.0 < 30.0 { 140.0 } else { 100.0 });
    }));
    rig.run(60.0);
    assert_eq!(rig.ccl(), 100.0);
    rig.run(600.0);
    assert!(rig.ccl() >= 100.0 && rig.ccl() <= before_a);
    assert_eq!(rig.state(), State::Bulk);
}

#[test]
fn s26_clocks_that_jump_make_no_full_charge_due_raise_nothing_and_count_nothing() {
    let mut rig = simple(packs::healthy(0.5), ChargerSpec::PYLONTECH, 60.0);
    rig.warm_up();
    let days = rig.decision().history.days_since_full();
    for jump_s in [3 * 86_400, -3_600] {
        rig.wall_unix_s += jump_s;
        rig.run(60.0);
        assert!(!rig.decision().full_charge_request);
        let history = rig.decision().history;
        assert!(history.days_since_full() - days < 0.01, "{jump_s}: {}", history.days_since_full());
    }
    // The process is suspended for half a minute.
    let counted_ah = rig.decision().history.charged_ah;
    let ccl_a = rig.ccl();
    rig.now_s += 30.0;
    rig.wall_unix_s += 30;
    rig.step();
    assert!(rig.ccl() <= ccl_a);
    assert!(rig.decision().history.charged_ah - counted_ah < 60.0 * 11.0 / 3_600.0);
    rig.run(120.0);
    assert!(rig.ccl() <= 140.0);
}
