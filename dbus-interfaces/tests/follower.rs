//! What a follower may take, on a stepped clock: the table of ages, restarts, losses, and what must hold whatever comes.
#![expect(clippy::expect_used, reason = "a step that fails has to fail the test that asked for it")]

use std::time::Duration;

use dbus_interfaces::follower::{Beat, FollowerState, Grant, Limits, Reading, Stance};
use proptest::prelude::*;
use tokio::time::Instant;

const SOURCE: &str = "com.victronenergy.battery.busbar";

fn secs(s: f64) -> Duration {
    Duration::from_secs_f64(s)
}

/// A source on a clock of its own, read by a follower.
struct Bed {
    start: Instant,
    now: f64,
    state: FollowerState,
    reading: Reading,
    on_bus: bool,
    alive: bool,
    last_beat: f64,
}

impl Bed {
    /// A source that lets 60 A in at 56 V and 80 A out.
    fn new() -> Self {
        let start = Instant::now() + secs(1000.0);
        let beat = Beat { index: Some(0), at: start };
        let pack_voltage_v = Some(52.5);
        let reading = Reading {
            owner: ":1.1".into(),
            beat: Some(beat),
            grant: limits(56.0, 60.0, 80.0),
            pack_voltage_v,
        };
        let state = FollowerState::new(SOURCE);
        Bed { start, now: 0.0, state, reading, on_bus: true, alive: true, last_beat: 0.0 }
    }

    fn step(&mut self) -> Limits {
        let reading = self.on_bus.then_some(&self.reading);
        self.state.step(self.start + secs(self.now), reading)
    }

    /// Lets time pass in steps of 100 ms, with a sign of life each second while the source is alive, and returns every
    /// result with its time.
    fn pass(&mut self, seconds: f64) -> Vec<(f64, Limits)> {
        let end = self.now + seconds;
        let mut all = Vec::new();
        while self.now < end - 1e-9 {
            self.now = (self.now + 0.1).min(end);
            if self.alive && self.on_bus && self.now - self.last_beat >= 1.0 - 1e-9 {
                self.beat();
            }
            all.push((self.now, self.step()));
        }
        all
    }

    fn beat(&mut self) {
        let index = self.reading.beat.and_then(|beat| beat.index).map_or(0, |index| (index + 1) % 256);
        self.reading.beat = Some(Beat { index: Some(index), at: self.start + secs(self.now) });
        self.last_beat = self.now;
    }

    fn restart_as(&mut self, owner: &str) {
        self.reading.owner = owner.into();
        self.on_bus = true;
        self.beat();
    }
}

fn limits(voltage: f64, charge: f64, discharge: f64) -> Grant {
    Grant::Limits {
        charge_voltage_v: Some(voltage),
        charge_current_a: Some(charge),
        discharge_current_a: Some(discharge),
    }
}

fn numbers(limits: &Limits) -> (Option<f64>, f64, f64) {
    (limits.charge_voltage_v, limits.charge_current_a, limits.discharge_current_a)
}

fn last(all: Vec<(f64, Limits)>) -> Limits {
    all.into_iter().last().expect("time has passed").1
}

#[test]
fn before_the_first_data_there_is_nothing_to_take_and_nothing_to_send() {
    let mut bed = Bed::new();
    bed.on_bus = false;
    let limits = last(bed.pass(30.0));
    assert_eq!((numbers(&limits), limits.stance), ((None, 0.0, 0.0), Stance::Waiting));
    assert_eq!(limits.reason, format!("waiting for the first data: {SOURCE} is not on the bus"));
}

#[test]
fn the_first_data_are_obeyed_at_once() {
    let limits = Bed::new().step();
    assert_eq!((numbers(&limits), limits.stance), ((Some(56.0), 60.0, 80.0), Stance::Obeying));
    assert_eq!(limits.reason, format!("as {SOURCE} says"));
}

#[test]
fn limits_of_fresh_data_are_obeyed_up_and_down() {
    let mut bed = Bed::new();
    bed.pass(5.0);
    for (voltage, charge, discharge) in [(55.0, 10.0, 20.0), (56.4, 100.0, 120.0), (54.0, 0.0, 0.0)] {
        bed.reading.grant = limits(voltage, charge, discharge);
        bed.beat();
        assert_eq!(numbers(&bed.step()), (Some(voltage), charge, discharge));
    }
}

#[test]
fn data_of_3_to_10_s_raise_nothing_and_still_reduce_at_once() {
    let mut bed = Bed::new();
    bed.step();
    bed.alive = false;
    bed.pass(3.0);
    bed.reading.grant = limits(57.0, 70.0, 90.0);
    let limits_now = last(bed.pass(1.0));
    assert_eq!((numbers(&limits_now), limits_now.stance), ((Some(56.0), 60.0, 80.0), Stance::Holding));
    assert_eq!(limits_now.reason, format!("{SOURCE} gives no sign of life: nothing is raised"));
    bed.reading.grant = limits(55.0, 40.0, 50.0);
    assert_eq!(numbers(&bed.step()), (Some(55.0), 40.0, 50.0));
    bed.reading.grant = limits(56.0, 60.0, 80.0);
    assert_eq!(numbers(&last(bed.pass(5.0))), (Some(55.0), 40.0, 50.0));
}

#[test]
fn an_index_that_stands_still_leads_to_0_a_within_2_s_after_10_s_although_the_service_is_there() {
    let mut bed = Bed::new();
    bed.step();
    bed.alive = false;
    for (t, limits) in bed.pass(70.0) {
        let part = if t <= 10.0 { 1.0 } else { ((12.0 - t) / 2.0).max(0.0) };
        assert!((limits.charge_current_a - 60.0 * part).abs() < 1e-6, "{t} s: {limits:?}");
        assert!((limits.discharge_current_a - 80.0 * part).abs() < 1e-6, "{t} s: {limits:?}");
        // Never 0: at most the pack voltage from the ramp on.
        assert_eq!(limits.charge_voltage_v, Some(if t <= 10.0 { 56.0 } else { 52.5 }), "{t} s");
        let words = match limits.stance {
            Stance::Obeying => format!("as {SOURCE} says"),
            Stance::Holding => format!("{SOURCE} gives no sign of life: nothing is raised"),
            Stance::Ramping => format!("{SOURCE} gives no sign of life: to 0 A within 2 s"),
            stance => {
                assert_eq!(stance, Stance::Zero);
                format!("{SOURCE} gives no sign of life: 0 A")
            }
        };
        assert_eq!(limits.reason, words, "{t} s");
    }
}

#[test]
fn a_source_that_is_gone_is_held_for_10_s_and_then_ramped_in_the_same_way() {
    let mut bed = Bed::new();
    bed.step();
    bed.on_bus = false;
    let held = last(bed.pass(10.0));
    assert_eq!((numbers(&held), held.stance), ((Some(56.0), 60.0, 80.0), Stance::Holding));
    assert_eq!(held.reason, format!("{SOURCE} is not on the bus: nothing is raised"));
    let gone = last(bed.pass(2.0));
    assert_eq!((numbers(&gone), gone.stance), ((Some(52.5), 0.0, 0.0), Stance::Zero));
}

#[test]
fn a_restart_within_10_s_interrupts_nothing() {
    let mut bed = Bed::new();
    bed.pass(20.0);
    bed.on_bus = false;
    for (_, limits) in bed.pass(8.5) {
        assert_eq!(numbers(&limits), (Some(56.0), 60.0, 80.0));
    }
    bed.restart_as(":1.2");
    for (_, limits) in bed.pass(20.0) {
        assert_eq!((numbers(&limits), limits.stance), ((Some(56.0), 60.0, 80.0), Stance::Obeying));
    }
}

#[test]
fn a_restarted_source_lives_even_if_its_index_begins_where_the_old_one_ended() {
    let mut bed = Bed::new();
    bed.step();
    bed.on_bus = false;
    bed.pass(9.0);
    bed.on_bus = true;
    bed.reading.owner = ":1.2".into();
    bed.reading.beat = Some(Beat { index: Some(0), at: bed.start + secs(bed.now) });
    assert_eq!(bed.step().stance, Stance::Obeying);
}

#[test]
fn after_a_loss_discharge_comes_back_in_one_step_and_charge_after_10_s_by_1_percent_a_second() {
    let mut bed = Bed::new();
    bed.step();
    bed.on_bus = false;
    bed.pass(40.0);
    bed.restart_as(":1.2");
    let back = bed.now;
    let mut before = 0.0;
    let first = bed.step();
    assert_eq!((numbers(&first), first.stance), ((Some(52.5), 0.0, 80.0), Stance::Returning));
    assert!(first.reason.contains("charging waits for 10 s of fresh data"), "{}", first.reason);
    for (t, limits) in bed.pass(130.0) {
        let healthy = t - back;
        assert_eq!(limits.discharge_current_a, 80.0);
        if healthy < 9.95 {
            assert_eq!((limits.charge_voltage_v, limits.charge_current_a), (Some(52.5), 0.0), "{healthy} s");
        } else if healthy > 10.05 {
            assert_eq!(limits.charge_voltage_v, Some(56.0), "{healthy} s");
            let smallest = 60.0 * 0.015;
            assert!(limits.charge_current_a >= smallest - 1e-9, "{healthy} s: {limits:?}");
            let step = if before == 0.0 { smallest } else { 60.0 * 0.01 * 0.1 };
            assert!(limits.charge_current_a - before <= step + 1e-6, "{healthy} s: {limits:?}");
        }
        before = limits.charge_current_a;
        if healthy > 111.0 {
            assert_eq!((limits.charge_current_a, limits.stance), (60.0, Stance::Obeying));
        }
    }
}

#[test]
fn a_loss_that_ends_during_the_ramp_keeps_what_is_left_of_the_charge_current() {
    let mut bed = Bed::new();
    bed.step();
    bed.on_bus = false;
    bed.pass(11.0);
    bed.restart_as(":1.2");
    let back = bed.step();
    assert_eq!(numbers(&back), (Some(52.5), 30.0, 80.0));
    assert_eq!(last(bed.pass(9.5)).charge_current_a, 30.0);
    let rising = last(bed.pass(10.5));
    assert!((35.0..37.0).contains(&rising.charge_current_a), "{rising:?}");
    assert_eq!(rising.stance, Stance::Rising);
}

#[test]
fn a_second_loss_is_held_and_ramped_like_the_first() {
    let mut bed = Bed::new();
    bed.step();
    for n in 0..3 {
        bed.on_bus = false;
        let at_11_s = last(bed.pass(11.0));
        assert!((at_11_s.discharge_current_a - 40.0).abs() < 1e-6, "{at_11_s:?}");
        bed.pass(20.0);
        bed.restart_as(&format!(":2.{n}"));
        bed.step();
    }
}

#[test]
fn a_loop_that_was_held_up_while_the_current_rose_does_not_catch_up() {
    let mut bed = Bed::new();
    bed.step();
    bed.on_bus = false;
    bed.pass(20.0);
    bed.restart_as(":1.2");
    let before = last(bed.pass(12.0)).charge_current_a;
    bed.now += 60.0;
    bed.beat();
    let after = bed.step().charge_current_a;
    assert!(after <= before + 60.0 * 0.05 + 1e-9, "{before} A, then {after} A");
}

#[test]
fn health_that_is_interrupted_begins_anew() {
    let mut bed = Bed::new();
    bed.step();
    bed.on_bus = false;
    bed.pass(20.0);
    bed.restart_as(":1.2");
    bed.pass(6.0);
    bed.alive = false;
    bed.pass(5.0);
    bed.alive = true;
    for (_, limits) in bed.pass(9.0) {
        assert_eq!(limits.charge_current_a, 0.0);
    }
}

#[test]
fn a_source_that_says_it_is_not_connected_is_believed_at_once() {
    let mut bed = Bed::new();
    bed.step();
    bed.reading.grant = Grant::Disconnected;
    let all = bed.pass(2.2);
    assert_eq!(all[0].1.stance, Stance::Ramping);
    assert!(all[0].1.reason.contains("says that it is not connected"), "{}", all[0].1.reason);
    assert_eq!((numbers(&last(all)), bed.step().stance), ((Some(52.5), 0.0, 0.0), Stance::Zero));
}

#[test]
fn a_share_that_is_withdrawn_ends_within_2_s_while_the_manager_lives() {
    let mut bed = Bed::new();
    bed.pass(3.0);
    bed.reading.grant = Grant::NoShare;
    let first = last(bed.pass(0.2));
    assert_eq!(first.reason, format!("{SOURCE} has withdrawn our share: to 0 A within 2 s"));
    let zero = last(bed.pass(2.0));
    assert_eq!(numbers(&zero), (Some(52.5), 0.0, 0.0));
    bed.reading.grant = limits(56.0, 60.0, 80.0);
    assert_eq!(numbers(&bed.step()), (Some(52.5), 0.0, 80.0), "charging waits, discharging does not");
}

#[test]
fn a_restarted_manager_that_has_not_come_to_us_yet_has_withdrawn_nothing() {
    let mut bed = Bed::new();
    bed.step();
    bed.on_bus = false;
    bed.pass(3.0);
    bed.restart_as(":1.2");
    bed.reading.grant = Grant::NoShare;
    let held = last(bed.pass(4.0));
    assert_eq!((numbers(&held), held.stance), ((Some(56.0), 60.0, 80.0), Stance::Holding));
    bed.reading.grant = limits(56.0, 50.0, 70.0);
    let back = bed.step();
    assert_eq!((numbers(&back), back.stance), ((Some(56.0), 50.0, 70.0), Stance::Obeying));
}

#[test]
fn a_restarted_manager_that_never_comes_to_us_ends_it_after_10_s() {
    let mut bed = Bed::new();
    bed.step();
    bed.restart_as(":1.2");
    bed.reading.grant = Grant::NoShare;
    let zero = last(bed.pass(12.1));
    assert_eq!((zero.charge_current_a, zero.discharge_current_a), (0.0, 0.0));
    assert_eq!(zero.reason, format!("{SOURCE} has no share for us: 0 A"));
}

#[test]
fn a_limit_that_is_absent_or_no_number_is_no_licence_and_only_its_own_current_suffers() {
    for bad in [None, Some(f64::NAN), Some(f64::INFINITY), Some(-1.0)] {
        let mut bed = Bed::new();
        bed.step();
        let (charge_voltage_v, charge_current_a) = (Some(56.0), Some(60.0));
        bed.reading.grant = Grant::Limits { charge_voltage_v, charge_current_a, discharge_current_a: bad };
        let held = last(bed.pass(9.0));
        assert_eq!((numbers(&held), held.stance), ((Some(56.0), 60.0, 80.0), Stance::Holding));
        let zero = last(bed.pass(3.1));
        assert_eq!(numbers(&zero), (Some(56.0), 60.0, 0.0));
        let words = format!("charge: as {SOURCE} says; discharge: {SOURCE} shows no valid limit: 0 A");
        assert_eq!(zero.reason, words);
    }
}

#[test]
fn without_a_charge_voltage_there_is_no_charging() {
    for bad in [None, Some(0.0), Some(-5.0), Some(f64::NAN)] {
        let mut bed = Bed::new();
        bed.step();
        let (charge_current_a, discharge_current_a) = (Some(60.0), Some(80.0));
        bed.reading.grant = Grant::Limits { charge_voltage_v: bad, charge_current_a, discharge_current_a };
        assert_eq!(numbers(&last(bed.pass(13.0))), (Some(52.5), 0.0, 80.0));
    }
}

#[test]
fn a_pack_voltage_that_is_none_is_not_sent_as_charge_voltage() {
    for nonsense in [None, Some(0.0), Some(-3.0), Some(20.0), Some(90.0), Some(f64::NAN)] {
        let mut bed = Bed::new();
        bed.reading.pack_voltage_v = nonsense;
        bed.step();
        bed.on_bus = false;
        assert_eq!(last(bed.pass(20.0)).charge_voltage_v, Some(56.0), "{nonsense:?}");
    }
}

#[test]
fn a_battery_without_an_index_lives_by_what_it_sends() {
    let mut bed = Bed::new();
    for second in 0..60 {
        bed.now = f64::from(second);
        bed.reading.beat = Some(Beat { index: None, at: bed.start + secs(bed.now) });
        assert_eq!(bed.step().stance, Stance::Obeying);
    }
    bed.alive = false;
    assert_eq!(last(bed.pass(12.1)).stance, Stance::Zero);
}

/// One step of a random life: how long until it, and what the source says then.
#[derive(Debug, Clone)]
struct Step {
    wait_ms: u64,
    said: Option<Said>,
}

#[derive(Debug, Clone)]
struct Said {
    owner: u8,
    beats: bool,
    grant: Grant,
    pack: Option<f64>,
}

fn limit() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        6 => (0.0..200.0).prop_map(Some),
        1 => Just(Some(0.0)),
        1 => Just(None),
        1 => prop_oneof![Just(f64::NAN), Just(-5.0), Just(f64::INFINITY)].prop_map(Some),
    ]
}

fn said() -> impl Strategy<Value = Said> {
    let any_limits = (limit(), limit(), limit()).prop_map(|(voltage, charge, discharge)| Grant::Limits {
        charge_voltage_v: voltage,
        charge_current_a: charge,
        discharge_current_a: discharge,
    });
    let good_limits = (40.0..60.0, 0.0..200.0, 0.0..200.0).prop_map(|(v, c, d)| limits(v, c, d));
    let grant = prop_oneof![
        6 => good_limits,
        3 => any_limits,
        1 => Just(Grant::NoShare),
        1 => Just(Grant::Disconnected),
    ];
    (0_u8..3, prop::bool::weighted(0.7), grant, limit()).prop_map(|(owner, beats, grant, pack)| Said {
        owner,
        beats,
        grant,
        pack,
    })
}

fn life() -> impl Strategy<Value = Vec<Step>> {
    let wait_ms = prop_oneof![8 => 0_u64..1500, 2 => 0_u64..13_000];
    let step =
        (wait_ms, prop::option::weighted(0.9, said())).prop_map(|(wait_ms, said)| Step { wait_ms, said });
    prop::collection::vec(step, 1..120)
}

/// What an onlooker knows of one limit.
#[derive(Default)]
struct Onlooker {
    /// When data with a valid limit last showed a new sign of life.
    fresh_at: Option<u64>,
    newest: Option<f64>,
    published: f64,
    lost: bool,
    healthy_ms: u64,
}

fn valid(v: Option<f64>) -> Option<f64> {
    v.filter(|v| v.is_finite() && *v >= 0.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_comes_the_limits_are_within_the_newest_ones_do_not_rise_on_old_data_and_end(steps in life()) {
        let start = Instant::now() + secs(1000.0);
        let mut state = FollowerState::new(SOURCE);
        let (mut now, mut index, mut beat) = (0_u64, 0, None);
        let (mut charge, mut discharge) = (Onlooker::default(), Onlooker::default());
        let mut voltage: Option<f64> = None;
        let mut alive: Option<(u8, i32, u64)> = None;
        for step in steps {
            let before = now;
            now += step.wait_ms;
            let at = |ms: u64| start + Duration::from_millis(ms);
            let reading = step.said.as_ref().map(|said| {
                if said.beats || beat.is_none() {
                    index = (index + 1) % 256;
                    beat = Some(Beat { index: Some(index), at: at(now) });
                }
                let owner = format!(":1.{}", said.owner);
                Reading { owner, beat, grant: said.grant, pack_voltage_v: said.pack }
            });
            if let Some(said) = &step.said
                && alive.is_none_or(|(owner, seen, _)| owner != said.owner || seen != index)
            {
                // Another owner has its first sign of life when its beat was received.
                let received = if said.beats || alive.is_none() { now } else { alive.map_or(now, |(.., ms)| ms) };
                alive = Some((said.owner, index, received));
            }
            let limits = state.step(at(now), reading.as_ref());

            let (shown_v, c, d) = match step.said.as_ref().map(|said| said.grant) {
                Some(Grant::Limits { charge_voltage_v, charge_current_a, discharge_current_a }) => {
                    let v = charge_voltage_v.filter(|v| v.is_finite() && *v > 0.0);
                    (v, v.and(valid(charge_current_a)), valid(discharge_current_a))
                }
                _ => (None, None, None),
            };
            let alive_ms = alive.map_or(0, |(.., ms)| ms);
            for (who, shown, out) in
                [(&mut charge, c, limits.charge_current_a), (&mut discharge, d, limits.discharge_current_a)]
            {
                prop_assert!(out.is_finite() && out >= 0.0, "{limits:?}");
                if shown.is_some() {
                    who.newest = shown;
                    // The first data of all count only if they are fresh.
                    if who.fresh_at.is_some() || now - alive_ms <= 3000 {
                        who.fresh_at = who.fresh_at.max(Some(alive_ms));
                    }
                }
                prop_assert!(out <= who.newest.unwrap_or(0.0) + 1e-9, "above the newest limit: {limits:?}");
                let age = who.fresh_at.map_or(u64::MAX, |ms| now - ms);
                if age > 3000 || shown.is_none() {
                    prop_assert!(out <= who.published + 1e-9, "raised on data of {age} ms: {limits:?}");
                }
                if age >= 12_000 {
                    prop_assert_eq!(out, 0.0, "data of {} ms", age);
                }
            }
            if let Some(v) = limits.charge_voltage_v {
                prop_assert!(v > 0.0 && v.is_finite(), "{limits:?}");
                prop_assert!(voltage.is_none_or(|last| v <= last) || c.is_some(), "raised: {limits:?}");
                prop_assert!(shown_v.is_none_or(|shown| v <= shown), "above the newest voltage: {limits:?}");
            }
            voltage = limits.charge_voltage_v;
            // After a ramp the charge current stays down for 10 s and then rises slowly.
            let ramped = limits.stance >= Stance::Ramping || limits.reason.contains("to 0 A within");
            if charge.lost && limits.charge_current_a > charge.published {
                prop_assert!(charge.healthy_ms + step.wait_ms >= 10_000, "too early: {limits:?}");
                let most = charge.newest.unwrap_or(0.0) * (0.01 * ((now - before) as f64 / 1000.0)).max(0.015);
                prop_assert!(limits.charge_current_a <= charge.published + most + 1e-9, "too fast: {limits:?}");
            }
            let fresh = c.is_some() && charge.fresh_at.is_some_and(|ms| now - ms <= 3000);
            charge.healthy_ms = if fresh { charge.healthy_ms + step.wait_ms } else { 0 };
            if ramped && charge.fresh_at.is_some_and(|ms| now - ms > 10_000) {
                charge.lost = true;
            } else if charge.healthy_ms > 111_000 {
                charge.lost = false;
            }
            charge.published = limits.charge_current_a;
            discharge.published = limits.discharge_current_a;
        }
    }

    #[test]
    fn a_gap_of_less_than_10_s_never_interrupts(
        charge in 0.0..200.0, discharge in 0.0..200.0, gaps in prop::collection::vec((1.0..20.0, 0.1..8.9), 1..10)
    ) {
        let mut bed = Bed::new();
        bed.reading.grant = limits(56.0, charge, discharge);
        bed.step();
        for (n, (healthy, gap)) in gaps.into_iter().enumerate() {
            for (_, limits) in bed.pass(healthy) {
                prop_assert_eq!(numbers(&limits), (Some(56.0), charge, discharge));
            }
            bed.on_bus = false;
            for (_, limits) in bed.pass(gap) {
                prop_assert_eq!(numbers(&limits), (Some(56.0), charge, discharge));
            }
            bed.restart_as(&format!(":2.{n}"));
        }
    }
}
