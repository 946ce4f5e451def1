//! Inverters that are told of their battery, at a battery that is only numbers.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use simulator::can::Frame;
use simulator::day::{Day, DaySpec, Weather};
use simulator::hybrids::{Hybrid, Kind, State};
use simulator::plant::rng::Rng;

const BUS_V: f64 = 52.0;
const BANK_OHM: f64 = 0.01;

/// 0x351.
fn limits(charge_v: f64, charge_a: f64, discharge_a: f64) -> Frame {
    let words = [charge_v, charge_a, discharge_a, 46.0].map(|value| ((value * 10.0) as i16).to_le_bytes());
    Frame::new(0x351, false, &words.concat())
}

/// What a healthy battery says to a Sunny Island, and to a Pylontech inverter.
fn healthy(hybrid: &mut Hybrid, charge_a: f64, discharge_a: f64) {
    hybrid.hear(&limits(56.0, charge_a, discharge_a));
    hybrid.hear(&Frame::new(0x355, false, &[54, 0, 98, 0, 0x4A, 0x15]));
    hybrid.hear(&Frame::new(0x35A, false, &[0xA8, 0x82, 0x82, 0x02, 0xA8, 0x82, 0x82, 0x02]));
    hybrid.hear(&Frame::new(0x359, false, &[0, 0, 0, 0, 2, 0x50, 0x4E]));
}

/// Runs for so many seconds, being told or not, and returns the current at the end.
fn run(hybrid: &mut Hybrid, wanted_a: f64, seconds: usize, mut tell: impl FnMut(&mut Hybrid)) -> f64 {
    let mut current_a = 0.0;
    for _ in 0..seconds {
        tell(hybrid);
        current_a = hybrid.current_a(wanted_a, BUS_V, BANK_OHM, 1.0);
        hybrid.measure(BUS_V, current_a);
        balances(hybrid);
    }
    current_a
}

/// Grid, sun and battery give what house and losses take, in each state and at each moment.
fn balances(hybrid: &Hybrid) {
    let flow = hybrid.flow();
    assert!((flow.grid_w + flow.sun_w - flow.battery_w - flow.load_w - flow.loss_w).abs() < 1e-6, "{flow:?}");
    assert!(flow.loss_w >= -1e-9, "{flow:?}");
}

#[test]
fn both_follow_the_limits_with_their_lag_and_in_their_steps() {
    for (kind, soon) in [(Kind::Pylontech, 3), (Kind::SunnyIsland, 8)] {
        let mut hybrid = Hybrid::new(kind, true, 500.0);
        let at_first = run(&mut hybrid, 200.0, soon, |hybrid| healthy(hybrid, 50.0, 60.0));
        assert!((1.0..49.0).contains(&at_first), "{kind:?} {at_first}");
        let charging = run(&mut hybrid, 200.0, 90, |hybrid| healthy(hybrid, 50.0, 60.0));
        assert!((charging - 50.0).abs() < 0.1, "{kind:?} {charging}");
        let discharging = run(&mut hybrid, -200.0, 90, |hybrid| healthy(hybrid, 50.0, 60.0));
        assert!((discharging + 60.0).abs() < 0.1, "{kind:?} {discharging}");
    }
}

#[test]
fn nothing_flows_before_the_first_word_and_ten_seconds_after_the_last() {
    let mut hybrid = Hybrid::new(Kind::Pylontech, true, 500.0);
    assert_eq!(run(&mut hybrid, 100.0, 30, |_| {}), 0.0);
    assert!(run(&mut hybrid, 100.0, 60, |hybrid| healthy(hybrid, 50.0, 60.0)) > 49.0);
    assert!(run(&mut hybrid, 100.0, 9, |_| {}) > 49.0);
    assert!(run(&mut hybrid, 100.0, 30, |_| {}) < 0.1);
}

#[test]
fn a_sunny_island_in_silence_switches_off_for_good() {
    let mut hybrid = Hybrid::new(Kind::SunnyIsland, false, 1000.0);
    assert!(run(&mut hybrid, 0.0, 30, |hybrid| healthy(hybrid, 50.0, 60.0)) < -19.0, "an island");
    assert!(run(&mut hybrid, 0.0, 58, |_| {}) < -19.0);
    assert_eq!(run(&mut hybrid, 0.0, 5, |_| {}), 0.0);
    assert_eq!(hybrid.state(), State::Off(952));
    assert_eq!(run(&mut hybrid, 0.0, 60, |hybrid| healthy(hybrid, 50.0, 60.0)), 0.0, "frames do not wake it");
    hybrid.switch_on();
    assert!(run(&mut hybrid, 0.0, 5, |hybrid| healthy(hybrid, 50.0, 60.0)) < -19.0);
}

#[test]
fn an_alarm_is_raised_by_01_and_cleared_by_10_alone() {
    let mut hybrid = Hybrid::new(Kind::SunnyIsland, false, 1000.0);
    run(&mut hybrid, 0.0, 5, |hybrid| healthy(hybrid, 50.0, 60.0));
    let pairs = |hybrid: &mut Hybrid, byte: u8| {
        healthy_but_silent_on_alarms(hybrid);
        hybrid.hear(&Frame::new(0x35A, false, &[0, 0, byte, 0, 0, 0, 0, 0]));
    };
    assert_eq!(run(&mut hybrid, 0.0, 2, |hybrid| pairs(hybrid, 0x42)), 0.0);
    assert_eq!(hybrid.state(), State::Standby);
    assert_eq!(run(&mut hybrid, 0.0, 2, |hybrid| pairs(hybrid, 0x00)), 0.0, "zeros change nothing");
    assert!(run(&mut hybrid, 0.0, 2, |hybrid| pairs(hybrid, 0x82)) < -19.0);
}

fn healthy_but_silent_on_alarms(hybrid: &mut Hybrid) {
    hybrid.hear(&limits(56.0, 50.0, 60.0));
    hybrid.hear(&Frame::new(0x355, false, &[54, 0, 98, 0, 0x4A, 0x15]));
}

#[test]
fn a_voltage_below_the_pack_makes_a_sunny_island_draw_it_down_and_out_of_range_is_dropped() {
    let mut hybrid = Hybrid::new(Kind::SunnyIsland, true, 500.0);
    let mut told = |voltage: f64| {
        run(&mut hybrid, 0.0, 60, |hybrid| {
            healthy(hybrid, 50.0, 60.0);
            hybrid.hear(&limits(voltage, 50.0, 60.0));
        })
    };
    assert!(told(51.0) < -50.0);
    assert!(told(56.0).abs() < 0.5);
    assert!(told(0.0).abs() < 0.5, "the last good value stays");
}

#[test]
fn what_a_cluster_tells_of_itself_adds_up_within_its_steps() {
    for (grid, wanted_a) in [(true, 40.0), (true, -40.0), (true, 0.0), (false, 0.0)] {
        let mut hybrid = Hybrid::new(Kind::SunnyIsland, grid, 1500.0);
        run(&mut hybrid, wanted_a, 90, |hybrid| healthy(hybrid, 50.0, 60.0));
        let frames = hybrid.frames();
        let word = |id: u32, at: usize| {
            let frame = frames.iter().find(|frame| frame.id == id).unwrap();
            f64::from(i16::from_le_bytes([frame.data()[at], frame.data()[at + 1]]))
        };
        let both = |id: u32| 100.0 * (word(id, 0) + word(id, 2));
        let battery_w = word(0x305, 0) / 10.0 * -word(0x305, 2) / 10.0;
        let load_w = both(0x300) + both(0x301);
        let lost_w = both(0x300) - battery_w - load_w;
        assert!((-200.0..400.0).contains(&lost_w), "grid {grid} wanted {wanted_a}: {lost_w}");
        assert!((load_w - 1500.0).abs() <= 200.0, "{load_w}");
    }
}

/// A day of sun and house at the output, in steps of ten seconds; the battery takes and gives all that it is asked to. What
/// was seen: charging, discharging, at rest, feeding into the grid, panels held back, standby, off.
fn a_day(kind: Kind, grid: bool) -> BTreeSet<&'static str> {
    let spec = DaySpec {
        weather: Weather::BrokenClouds,
        pv_kwp: 8.0,
        load: 1.0,
        starts_at_h: 0.0,
        vehicle_at_h: vec![],
    };
    let (mut day, mut hybrid) = (Day::new(spec, Rng::new(1, 0)), Hybrid::new(kind, grid, 0.0));
    let mut seen = BTreeSet::new();
    for step in 0..8_640_u32 {
        let hour = f64::from(step) / 360.0;
        let wanted_a = day.surplus_w(f64::from(step) * 10.0, 10.0) / BUS_V;
        // At 13 h the battery has an alarm; from 22 h on nobody tells anything any more.
        if hour < 22.0 {
            healthy(&mut hybrid, 60.0, 60.0);
        }
        if (13.0..13.5).contains(&hour) {
            hybrid.hear(&Frame::new(0x35A, false, &[0, 0, 0x42, 0, 0, 0, 0, 0]));
            hybrid.hear(&Frame::new(0x359, false, &[0, 8, 0, 0, 2, 0x50, 0x4E]));
        }
        hybrid.feed(day.powers());
        let current_a = hybrid.current_a(wanted_a, BUS_V, BANK_OHM, 10.0);
        hybrid.measure(BUS_V, current_a);
        balances(&hybrid);
        let flow = hybrid.flow();
        let now = [
            (flow.battery_w > 100.0, "charging"),
            (flow.battery_w < -100.0, "discharging"),
            (flow.grid_w < -100.0, "feeding in"),
            (hybrid.state() == State::Running && flow.sun_w < day.powers().sun_w - 100.0, "held back"),
            (hybrid.state() == State::Standby, "standby"),
            (matches!(hybrid.state(), State::Off(_)), "off"),
        ];
        seen.extend(now.iter().filter(|(is_so, _)| *is_so).map(|(_, what)| *what));
        assert!(flow.sun_w >= 0.0 && flow.sun_w <= day.powers().sun_w + 1e-6, "{flow:?}");
        assert!(grid || flow.grid_w == 0.0, "{flow:?}");
    }
    seen
}

#[test]
fn sun_grid_and_battery_give_what_house_and_losses_take_in_every_state_of_a_whole_day() {
    let of = |words: &[&'static str]| words.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(
        a_day(Kind::SunnyIsland, true),
        of(&["charging", "discharging", "feeding in", "standby", "off"])
    );
    assert_eq!(
        a_day(Kind::SunnyIsland, false),
        of(&["charging", "discharging", "held back", "standby", "off"])
    );
    assert_eq!(a_day(Kind::Pylontech, true), of(&["charging", "discharging", "feeding in", "standby"]));
}
