//! What is said of a battery as its data grow old, on a stepped clock.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use bms_can::battery::{Facts, Level, Picture, Silence, Urgency, View};
use bms_can::message::{
    Condition, Flag, Flags, Limits, Measurements, Message, PairRule, Protection, Requests, Soc,
};
use tokio::time::Instant;

fn limits(ccl_a: f64) -> Message {
    Message::Limits(Limits {
        charge_voltage_limit_v: Some(53.2),
        charge_current_limit_a: Some(ccl_a),
        discharge_current_limit_a: Some(160.0),
        discharge_voltage_limit_v: Some(46.0),
    })
}

fn measured(voltage_v: f64) -> Message {
    let measurements = Measurements {
        voltage_v: Some(voltage_v),
        current_a: Some(-20.0),
        temperature_c: Some(21.0),
        ..Measurements::default()
    };
    Message::Measurements(measurements)
}

fn soc(pct: u8) -> Message {
    Message::Soc(Soc { soc_pct: Some(pct), soh_pct: Some(99), ..Soc::default() })
}

fn requests(charge_enable: bool, discharge_enable: bool) -> Message {
    Message::Requests(Requests { charge_enable, discharge_enable, ..Requests::default() })
}

fn alarm(set: bool) -> Message {
    let mut flags = Flags::default();
    flags.report(Flag::ProtectionOverVoltage, set);
    flags.report(Flag::AlarmLowVoltage, false);
    Message::Protection(Protection { flags, module_count: Some(4), ..Protection::default() })
}

struct Bed {
    picture: Picture,
    start: Instant,
    facts: Facts,
}

impl Bed {
    fn new() -> Bed {
        let facts = Facts { capacity_ah: Some(280.0), ..Facts::default() };
        Bed { picture: Picture::new(PairRule::Learned, false), start: Instant::now(), facts }
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    fn send(&mut self, ms: u64, messages: &[Message]) -> Urgency {
        let now = self.at(ms);
        messages.iter().map(|message| self.picture.apply(message, now)).max().unwrap_or(Urgency::Nothing)
    }

    fn cycle(&mut self, ms: u64) {
        self.send(ms, &[alarm(false), limits(100.0), soc(54), measured(52.0), requests(true, true)]);
    }

    fn view(&self, ms: u64) -> View {
        self.picture.view(&self.facts, self.at(ms)).expect("limits were told")
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_battery_is_shown_as_it_is() {
    let mut bed = Bed::new();
    bed.cycle(0);
    let view = bed.view(100);
    assert_eq!((view.voltage_v, view.current_a, view.power_w), (Some(52.0), Some(-20.0), Some(-1040.0)));
    assert_eq!((view.soc_pct, view.soh_pct, view.temperature_c), (Some(54.0), Some(99.0), Some(21.0)));
    assert_eq!(view.limits.charge_voltage_v, Some(53.2));
    assert_eq!((view.limits.charge_current_a, view.limits.discharge_current_a), (100.0, 160.0));
    assert_eq!((view.installed_ah, view.remaining_ah), (Some(280.0), Some(151.2)));
    assert_eq!(view.time_to_go_s, Some(27_180), "151.2 Ah at 20 A, in whole minutes");
    assert_eq!(view.modules, [Some(4), None, None, None]);
    assert_eq!((view.allow_charge, view.allow_discharge), (Some(true), Some(true)));
    assert_eq!(view.status, "fresh data");
}

#[tokio::test(start_paused = true)]
async fn silence_takes_first_the_values_then_the_limits_then_the_battery() {
    let mut bed = Bed::new();
    bed.cycle(0);
    let late = bed.view(9_999);
    assert_eq!(
        (late.silence, late.voltage_v, late.limits.charge_current_a),
        (Silence::Late, Some(52.0), 100.0)
    );
    assert_eq!(late.silence.cable_alarm(), 0);

    let stale = bed.view(10_001);
    assert_eq!(
        (stale.voltage_v, stale.soc_pct, stale.temperature_c, stale.time_to_go_s),
        (None, None, None, None)
    );
    assert_eq!((stale.limits.charge_current_a, stale.limits.discharge_current_a), (0.0, 0.0));
    assert_eq!(stale.limits.charge_voltage_v, Some(52.0), "the last pack voltage, never 0");
    assert_eq!((stale.silence.holds(), stale.silence.cable_alarm()), (false, 1));
    assert_eq!(bed.view(30_001).silence.cable_alarm(), 2);

    assert!(!bed.picture.is_gone(bed.at(60_000)));
    assert!(bed.picture.is_gone(bed.at(60_001)));
}

#[tokio::test(start_paused = true)]
async fn every_step_of_silence_wakes_the_loop_once() {
    let mut bed = Bed::new();
    bed.cycle(0);
    let mut wakes = Vec::new();
    let mut now = bed.at(2_000);
    while let Some(next) = bed.picture.next_change(now) {
        wakes.push(next.duration_since(bed.start).as_secs());
        now = next;
    }
    assert_eq!(wakes, [3, 10, 30, 60]);
}

#[tokio::test(start_paused = true)]
async fn limits_that_stop_coming_become_zero_though_the_battery_still_talks() {
    let mut bed = Bed::new();
    bed.cycle(0);
    for second in 1..=11 {
        bed.send(second * 1000, &[soc(54), measured(51.5)]);
    }
    let view = bed.view(11_000);
    assert_eq!(view.voltage_v, Some(51.5), "what is fresh stays");
    assert_eq!((view.limits.charge_current_a, view.limits.discharge_current_a), (0.0, 0.0));
    assert_eq!(view.limits.charge_voltage_v, Some(51.5));
    assert_eq!(view.silence, Silence::Stale);
    assert!(view.status.contains("has not told its limits"), "{}", view.status);
}

#[tokio::test(start_paused = true)]
async fn a_reduction_is_urgent_and_a_rise_waits_for_a_second_frame() {
    let mut bed = Bed::new();
    bed.cycle(0);
    assert_eq!(bed.send(1000, &[limits(50.0)]), Urgency::AtOnce);
    assert_eq!(bed.send(2000, &[limits(120.0)]), Urgency::Soon);
    assert_eq!(bed.view(2000).limits.charge_current_a, 50.0);
    bed.send(3000, &[limits(120.0)]);
    assert_eq!(bed.view(3000).limits.charge_current_a, 120.0);
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_direction_is_zero_and_stays_forbidden_when_the_word_grows_old() {
    let mut bed = Bed::new();
    bed.cycle(0);
    assert_eq!(bed.send(1000, &[requests(false, true)]), Urgency::AtOnce);
    for second in 2..=15 {
        bed.send(second * 1000, &[limits(100.0), soc(54), measured(52.0)]);
    }
    let view = bed.view(15_000);
    assert_eq!((view.limits.charge_current_a, view.limits.discharge_current_a), (0.0, 160.0));
    assert_eq!((view.allow_charge, view.allow_discharge), (Some(false), None));
}

#[tokio::test(start_paused = true)]
async fn an_alarm_outlives_its_frame_and_an_all_clear_does_not() {
    let mut bed = Bed::new();
    bed.cycle(0);
    bed.send(1000, &[alarm(true)]);
    assert_eq!(bed.send(2000, &[alarm(true)]), Urgency::AtOnce);
    for second in 3..=15 {
        bed.send(second * 1000, &[limits(100.0), soc(54), measured(52.0)]);
    }
    let alarms = bed.view(15_000).alarms;
    assert_eq!(alarms[Condition::HighVoltage as usize], Some(Level::Alarm));
    assert_eq!(alarms[Condition::LowVoltage as usize], None);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_a_frame_leaves_out_is_zero_and_a_missing_voltage_is_the_packs() {
    let mut bed = Bed::new();
    bed.send(0, &[soc(54), measured(52.0), Message::Limits(Limits::default())]);
    let view = bed.view(0);
    assert_eq!(view.limits.charge_voltage_v, Some(52.0));
    assert_eq!((view.limits.charge_current_a, view.limits.discharge_current_a), (0.0, 0.0));
}

#[tokio::test(start_paused = true)]
async fn the_first_picture_is_complete_when_the_limits_were_told_twice() {
    let mut bed = Bed::new();
    bed.send(0, &[limits(900.0), soc(54), measured(52.0)]);
    assert!(!bed.picture.is_complete(), "that may be misread, and a ban on charging may still come");
    bed.send(1000, &[limits(100.0)]);
    assert!(bed.picture.is_complete());
    assert_eq!(bed.view(1000).limits.charge_current_a, 100.0);
    let mut bed = Bed::new();
    bed.send(0, &[limits(100.0), soc(54), limits(100.0)]);
    assert!(!bed.picture.is_complete(), "without measurements there is no battery");
}

#[tokio::test(start_paused = true)]
async fn an_inverters_frames_do_not_keep_a_battery_alive() {
    use bms_can::message::{Label, LabelName};
    let mut bed = Bed::new();
    bed.cycle(0);
    for second in 1..=61 {
        let name = Message::Label(Label { name: LabelName::InverterId, text: None });
        assert_eq!(bed.send(second * 1000, &[name, Message::InverterAlive]), Urgency::Nothing);
    }
    assert!(bed.picture.is_gone(bed.at(61_000)));
}

#[tokio::test(start_paused = true)]
async fn one_misread_voltage_does_not_become_the_charge_voltage_of_a_silent_battery() {
    let mut bed = Bed::new();
    bed.cycle(0);
    bed.send(1000, &[measured(40.0)]);
    assert_eq!(bed.view(12_000).limits.charge_voltage_v, Some(52.0));
}

#[tokio::test(start_paused = true)]
async fn at_0_v_nothing_was_measured() {
    let mut bed = Bed::new();
    let zeros = Measurements { current_a: Some(0.0), temperature_c: Some(0.0), ..Measurements::default() };
    bed.send(
        0,
        &[limits(100.0), soc(54), Message::Measurements(Measurements { voltage_v: Some(0.0), ..zeros })],
    );
    let view = bed.view(0);
    assert_eq!((view.voltage_v, view.current_a, view.temperature_c), (None, None, None));
    assert_eq!(view.limits.charge_current_a, 100.0, "a battery without a voltmeter is one all the same");
}

#[tokio::test(start_paused = true)]
async fn an_inverted_current_is_inverted_for_all() {
    let mut bed = Bed { picture: Picture::new(PairRule::Learned, true), ..Bed::new() };
    bed.cycle(0);
    let view = bed.view(0);
    assert_eq!((view.current_a, view.power_w, view.time_to_go_s), (Some(20.0), Some(1040.0), None));
}

#[tokio::test(start_paused = true)]
async fn a_battery_that_no_longer_sends_its_alarms_is_not_whole() {
    let mut bed = Bed::new();
    bed.cycle(0);
    assert!(bed.picture.is_whole(bed.at(0)));
    for second in 1..=11 {
        bed.send(second * 1000, &[limits(100.0), soc(54), measured(52.0), requests(true, true)]);
        assert_eq!(bed.picture.is_whole(bed.at(second * 1000)), second <= 10);
    }
}

#[tokio::test(start_paused = true)]
async fn one_frame_does_not_lift_a_ban() {
    let mut bed = Bed::new();
    bed.cycle(0);
    bed.send(1000, &[requests(false, false)]);
    bed.send(2000, &[requests(true, true)]);
    let view = bed.view(2000);
    assert_eq!((view.limits.charge_current_a, view.limits.discharge_current_a), (0.0, 0.0));
    assert_eq!((view.allow_charge, view.allow_discharge), (Some(false), Some(false)));
    bed.send(3000, &[requests(true, true)]);
    assert_eq!(bed.view(3000).limits.charge_current_a, 100.0);
}
