//! The manager dies, hangs, and comes back.

use charge_manager::input::Wall;
use charge_manager::{Memory, State};
use simulator::charger::ChargerSpec;
use simulator::plant::sensors::Noise;
use simulator::profile::Profile;

use crate::packs;
use crate::rig::{Device, Rig, simple};

impl Rig {
    /// The manager is gone for so long, and comes back with what it had stored a second before.
    fn restart(&mut self, after_s: f64) {
        let stored = self.memory.to_text(self.now().wall).unwrap();
        self.manager_runs = false;
        self.run(after_s);
        self.manager_runs = true;
        let wall = Wall { unix_s: self.wall_unix_s, utc_offset_s: 0 };
        self.memory = Memory::from_text(&stored, Some(wall)).unwrap();
    }
}

#[test]
fn s35_a_restart_in_float_goes_on_in_float_without_a_zero() {
    let mut rig = simple(packs::healthy(0.97), ChargerSpec::PYLONTECH, 140.0);
    rig.run_until(4.0 * 3_600.0, |rig| rig.decision.is_some() && rig.state() == State::Float).unwrap();
    rig.run(1_800.0);
    let (before, days) = (rig.decision().bank, rig.decision().history.days_since_full());
    rig.restart(5.0);
    rig.step();
    assert_eq!(rig.state(), State::Float);
    assert_eq!(rig.decision().bank, before);
    assert!((rig.decision().history.days_since_full() - days).abs() < 0.001);
    rig.run(600.0);
    assert_eq!(rig.state(), State::Float);
}

#[test]
fn s35_a_restart_never_interrupts_an_island_that_draws_eighty_amperes() {
    let bank = packs::bank(vec![packs::healthy(0.6), packs::healthy(0.6)], Noise::TYPICAL);
    let mut device = Device::follower(ChargerSpec::PYLONTECH, 0.0);
    device.wants = Profile::Constant(-80.0);
    let mut rig = Rig::new(bank, vec![device]);
    rig.warm_up();
    for after_s in [1.0, 3.0, 9.0] {
        rig.restart(after_s);
        for _ in 0..120 {
            rig.step();
            assert!(rig.bank.current_a() < -79.0, "{} A after {after_s} s", rig.bank.current_a());
        }
    }
}

#[test]
fn s35_with_batteries_that_come_late_the_limits_wait_for_them_and_are_held() {
    let mut rig = simple(packs::healthy(0.6), ChargerSpec::PYLONTECH, -80.0);
    rig.run(300.0);
    let before = rig.decision().bank;
    rig.restart(3.0);
    rig.tamper = Some(Box::new(|_, batteries| batteries.clear()));
    rig.run(4.0);
    assert_eq!(rig.decision().bank.discharge_current_a, None, "nothing is said");
    assert!(rig.bank.current_a() < -79.0, "and the last limits are held");
    rig.tamper = None;
    rig.step();
    assert_eq!(rig.decision().bank, before);
    assert!(rig.bank.current_a() < -79.0);
}

#[test]
fn s35_after_more_than_a_minute_charging_begins_anew_but_float_is_remembered() {
    let mut rig = simple(packs::healthy(0.97), ChargerSpec::PYLONTECH, 140.0);
    rig.run_until(4.0 * 3_600.0, |rig| rig.decision.is_some() && rig.state() == State::Float).unwrap();
    rig.run(1_800.0);
    let charged_ah = rig.decision().history.charged_ah;
    rig.restart(70.0);
    rig.invariants.away();
    rig.decision = None;
    rig.run(5.0);
    assert_eq!(rig.state(), State::Start);
    rig.run(10.0);
    assert_eq!(rig.state(), State::Float);
    assert!(rig.decision().history.charged_ah >= charged_ah);
}

#[test]
fn s36_while_a_manager_hangs_its_followers_go_to_zero_and_back_after_its_restart() {
    let mut rig = simple(packs::healthy(0.6), ChargerSpec::PYLONTECH, -80.0);
    rig.warm_up();
    let stored = rig.memory.to_text(rig.now().wall).unwrap();
    rig.manager_runs = false;
    rig.run(9.0);
    assert!(rig.bank.current_a() < -79.0, "held");
    rig.run(12.0);
    assert!(rig.bank.current_a().abs() < 3.0, "{}", rig.bank.current_a());
    rig.manager_runs = true;
    let wall = Wall { unix_s: rig.wall_unix_s, utc_offset_s: 0 };
    rig.memory = Memory::from_text(&stored, Some(wall)).unwrap();
    rig.run(10.0);
    assert!(rig.bank.current_a() < -75.0, "{}", rig.bank.current_a());
}

#[test]
fn a_broken_or_foreign_memory_is_refused_with_a_reason() {
    let wall = Some(Wall { unix_s: 1_800_000_000, utc_offset_s: 0 });
    for (text, words) in [("", "cannot be read"), ("{\"version\":99,\"memory\":null}", "version 99")] {
        let error = Memory::from_text(text, wall).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
